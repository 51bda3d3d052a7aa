-- Mark prices of options (one row per instrument and frame; later frames have only what changed). The exchange sends IV
-- as a fraction here and in percent everywhere else: `mark_iv` is in percent, as in `ticker`, to ten decimals.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR", "mark_price": "DOUBLE", "iv": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS instrument_verdict(data);

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.mark_price AS mark_price, round(data.iv * 100, 10) AS mark_iv, part_of(channel, 3) AS index_name,
  channel, extra, row_no
FROM frame_items;
