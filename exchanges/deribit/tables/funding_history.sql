-- Funding of each hour of a perpetual, polled (one row per hour of an answer). What was asked, such as `funding_history
-- BTC-PERPETUAL`, says the instrument.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE",
  "index_price": "DOUBLE",
  "prev_index_price": "DOUBLE",
  "interest_1h": "DOUBLE",
  "interest_8h": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp' END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, word_of(asked, 2) AS instrument_name, conn, seq, source,
  data.index_price AS index_price, data.prev_index_price AS prev_index_price,
  data.interest_1h AS interest_1h, data.interest_8h AS interest_8h,
  extra, row_no
FROM frame_items;
