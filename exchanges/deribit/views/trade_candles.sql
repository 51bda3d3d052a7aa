-- Question: how did prices and volumes go, in candles of any width?
-- Example: FROM trade_candles(INTERVAL 1 HOUR, instrument := 'BTC-PERPETUAL', from_ts := '2026-11-22', to_ts := '2026-11-23')
-- Parameters: width; instrument (a LIKE pattern), from_ts and to_ts where less than all is wanted
-- Column instrument_name, kind, currency: which instrument; any kind that trades, combos included
-- Column candle_ts: when the candle begins, UTC; whole widths from Monday 2000-01-03 on
-- Column open, high, low, close: prices, in the order in which the exchange counts trades
-- Column volume: sum of `amount`: in USD for inverse perpetuals and futures, else in base coin
-- Column buy_volume: the part of it that takers bought
-- Column vwap: mean price, weighted by amount
-- Column trades: number of trades
CREATE OR REPLACE MACRO trade_candles(
  width,
  instrument := '%',
  from_ts := '1970-01-02 00:00:00+00',
  to_ts := '2200-01-01 00:00:00+00'
) AS TABLE
SELECT
  instrument_name, any_value(kind) AS kind, any_value(currency) AS currency,
  time_bucket(width, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS candle_ts,
  arg_min(price, (exchange_ts, trade_seq)) AS open, max(price) AS high, min(price) AS low,
  arg_max(price, (exchange_ts, trade_seq)) AS close,
  sum(amount) AS volume, coalesce(sum(amount) FILTER (direction = 'buy'), 0) AS buy_volume,
  sum(price * amount) / sum(amount) AS vwap, count(*) AS trades
FROM trades
WHERE instrument_name LIKE instrument
  AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
  AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 2
GROUP BY ALL
ORDER BY instrument_name, candle_ts;
