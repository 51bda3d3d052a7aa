-- Best bid and ask of an instrument, at each change (one row per frame).
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR",
  "best_bid_price": "DOUBLE", "best_bid_amount": "DOUBLE",
  "best_ask_price": "DOUBLE", "best_ask_amount": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS instrument_verdict(data);

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.best_bid_price AS best_bid_price, data.best_bid_amount AS best_bid_amount,
  data.best_ask_price AS best_ask_price, data.best_ask_amount AS best_ask_amount,
  channel, extra, row_no
FROM frame_items;
