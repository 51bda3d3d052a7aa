-- Question: what was the best bid and ask at a moment?
-- Example: FROM best_quotes('2026-11-22 14:00:30', instrument := 'BTC-%')
-- Parameters: at_ts; instrument (a LIKE pattern); lookback, how old a quote may be
-- Column instrument_name, kind, currency: which instrument
-- Column exchange_ts: when the exchange sent this quote
-- Column age: how long before `at_ts` that was; an instrument that rests keeps its quote, and so does a gap: see `journal`
-- Column bid, bid_amount, ask, ask_amount: NULL where that side is empty
-- Column mid: halfway between them
CREATE OR REPLACE MACRO best_quotes(at_ts, instrument := '%', lookback := '1 day') AS TABLE
SELECT
  instrument_name, kind, currency, exchange_ts, at_ts::TIMESTAMPTZ - exchange_ts AS age,
  bid, bid_amount, ask, ask_amount, (bid + ask) / 2 AS mid
FROM (
  SELECT
    instrument_name, any_value(kind) AS kind, any_value(currency) AS currency, max(exchange_ts) AS exchange_ts,
    unnest(arg_max({
      bid: nullif(best_bid_price, 0), bid_amount: nullif(best_bid_amount, 0),
      ask: nullif(best_ask_price, 0), ask_amount: nullif(best_ask_amount, 0)
    }, (exchange_ts, recv_ts, seq)))
  FROM quote
  WHERE instrument_name LIKE instrument
    AND exchange_ts < at_ts::TIMESTAMPTZ AND exchange_ts > at_ts::TIMESTAMPTZ - lookback::INTERVAL
    AND date BETWEEN utc_day(at_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(at_ts::TIMESTAMPTZ) + 1
  GROUP BY instrument_name
)
ORDER BY instrument_name;
