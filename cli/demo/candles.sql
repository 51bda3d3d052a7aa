-- The last minute of BTC-PERPETUAL as 10-second candles, beside the best bid and ask right before each candle's last trade.
WITH last_minute AS (
  SELECT *, time_bucket(INTERVAL 10 SECOND, exchange_ts) AS bucket
  FROM trades
  WHERE instrument_name = 'BTC-PERPETUAL'
    AND exchange_ts > (SELECT max(exchange_ts) FROM trades WHERE instrument_name = 'BTC-PERPETUAL') - INTERVAL 1 MINUTE
),
candles AS (
  SELECT
    bucket, instrument_name, max(exchange_ts) AS last_trade, count(*) AS trades,
    first(price ORDER BY trade_seq) AS open, max(price) AS high, min(price) AS low,
    last(price ORDER BY trade_seq) AS close, sum(amount) AS volume
  FROM last_minute
  GROUP BY bucket, instrument_name
)
SELECT
  strftime(bucket, '%H:%M:%S') AS "time", open, high, low, close, volume, trades,
  best_bid_price AS bid, best_ask_price AS ask
FROM candles
ASOF LEFT JOIN quote ON quote.instrument_name = candles.instrument_name AND candles.last_trade > quote.exchange_ts
ORDER BY bucket
