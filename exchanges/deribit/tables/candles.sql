-- Bars of trades as they grow (one row per frame). The payload names neither instrument nor resolution; the channel
-- does. A bar is final once a later one comes: its last row is marked then, if both are in one segment, once all are there.
CREATE MACRO shape() AS '{
  "tick": "DOUBLE", "open": "DOUBLE", "high": "DOUBLE", "low": "DOUBLE", "close": "DOUBLE", "volume": "DOUBLE",
  "cost": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(data.tick) IS NULL THEN 'no valid tick' END;

SELECT
  recv_ts, moment(data.tick) AS exchange_ts, part_of(channel, 3) AS instrument_name, conn, seq, source,
  part_of(channel, 4) AS resolution, data."open" AS "open", data.high AS high, data.low AS low, data."close" AS "close",
  data.volume AS volume, data.cost AS cost,
  false AS is_final,
  channel, extra, row_no
FROM frame_items;
