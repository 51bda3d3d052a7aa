-- Question: how wide was the spread over time?
-- Example: FROM spreads('BTC-PERPETUAL', INTERVAL 1 MINUTE, '2026-11-22 14:00', '2026-11-22 15:00')
-- Parameters: instrument (a LIKE pattern), step, from_ts, to_ts; lookback, how old a quote may be
-- Column at_ts: each moment from `from_ts` on, a step apart
-- Column instrument_name: which instrument
-- Column bid, ask: best prices right before that moment; NULL where that side is empty
-- Column spread: ask minus bid
-- Column spread_bps: the same in hundredths of a percent of the middle between them
-- Column age: how long before the moment they were quoted
CREATE OR REPLACE MACRO spreads(instrument, step, from_ts, to_ts, lookback := '1 hour') AS TABLE
WITH quotes AS (
  SELECT instrument_name, exchange_ts,
    arg_max({bid: nullif(best_bid_price, 0), ask: nullif(best_ask_price, 0)}, (recv_ts, seq)) AS best
  FROM quote
  WHERE instrument_name LIKE instrument
    AND exchange_ts < to_ts::TIMESTAMPTZ AND exchange_ts > from_ts::TIMESTAMPTZ - lookback::INTERVAL
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
  GROUP BY instrument_name, exchange_ts
), moments AS (
  SELECT at_ts, instrument_name
  FROM (SELECT unnest(generate_series(from_ts::TIMESTAMPTZ, to_ts::TIMESTAMPTZ, step)) AS at_ts),
    (SELECT DISTINCT instrument_name FROM quotes)
)
SELECT at_ts, moments.instrument_name AS instrument_name, best.bid AS bid, best.ask AS ask, best.ask - best.bid AS spread,
  20000 * (best.ask - best.bid) / (best.ask + best.bid) AS spread_bps, at_ts - exchange_ts AS age
FROM moments ASOF JOIN quotes ON moments.instrument_name = quotes.instrument_name AND at_ts > exchange_ts
WHERE at_ts - exchange_ts < lookback::INTERVAL
ORDER BY instrument_name, at_ts;
