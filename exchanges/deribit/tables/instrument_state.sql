-- Changes of an instrument's state (one row per frame). The states are open text: the exchange changed them before.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE",
  "instrument_name": "VARCHAR",
  "state": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS instrument_verdict(data);

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.state AS state,
  channel, extra, row_no
FROM frame_items;
