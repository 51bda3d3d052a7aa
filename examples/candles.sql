-- The last minute of the busiest perpetual as 10-second candles, beside the best bid and ask right before each candle's
-- last trade.
WITH busiest AS (
  SELECT exchange, instrument_name, max(exchange_ts) AS last_ts
  FROM trades_all WHERE kind = 'perpetual'
  GROUP BY ALL ORDER BY count(*) DESC, instrument_name LIMIT 1
),
candles AS (
  SELECT
    time_bucket(INTERVAL 10 SECOND, exchange_ts) AS bucket, exchange, instrument_name, max(exchange_ts) AS last_trade,
    first(price ORDER BY exchange_ts, recv_ts, seq) AS open, max(price) AS high, min(price) AS low,
    last(price ORDER BY exchange_ts, recv_ts, seq) AS close, sum(amount_base) AS volume
  FROM trades_all JOIN busiest USING (exchange, instrument_name)
  WHERE exchange_ts > last_ts - INTERVAL 1 MINUTE
  GROUP BY bucket, exchange, instrument_name
)
SELECT
  strftime(bucket, '%H:%M:%S') AS "time", open, high, low, close,
  round(volume, 2) AS volume, q.bid_price AS bid, q.ask_price AS ask, c.instrument_name AS instrument
FROM candles c
ASOF LEFT JOIN quotes_all q ON q.exchange = c.exchange AND q.instrument_name = c.instrument_name
  AND c.last_trade > q.exchange_ts
ORDER BY bucket
