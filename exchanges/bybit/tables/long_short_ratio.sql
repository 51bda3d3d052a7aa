-- Shares of the accounts that are long and short, every 5 minutes, polled (one row per step of an answer).
CREATE MACRO shape() AS '{"symbol": "VARCHAR", "buyRatio": "VARCHAR", "sellRatio": "VARCHAR", "timestamp": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.symbol IS NULL THEN 'no symbol'
  WHEN moment(number_of(data."timestamp")) IS NULL THEN 'no valid timestamp'
END;

SELECT
  recv_ts, moment(number_of(data."timestamp")) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, number_of(data.buyRatio) AS buy_ratio, number_of(data.sellRatio) AS sell_ratio,
  with_members(extra, [beyond('buy_ratio', data.buyRatio), beyond('sell_ratio', data.sellRatio)]) AS extra, row_no
FROM frame_items;
