-- Question: how wide was the spread over time?
-- Example: FROM spreads('BTC-PERPETUAL', INTERVAL 1 MINUTE, '2026-11-22 14:00', '2026-11-22 15:00')
-- Parameters: instrument (a LIKE pattern), step, from_ts, to_ts; lookback, how old a quote may be
-- Column at_ts: each moment from `from_ts` on, a step apart
-- Column instrument_name: which instrument
-- Column bid, ask: best prices right before that moment; NULL where that side is empty, or not known
-- Column spread: ask minus bid
-- Column spread_bps: the same in hundredths of a percent of the middle between them
-- Column age: how long before the moment they were quoted
-- Column covered: false where a gap lies between quote and moment: what was quoted is not known; NULL where it is not yet known
CREATE OR REPLACE MACRO spreads(instrument, step, from_ts, to_ts, lookback := '1 hour') AS TABLE
SELECT at_ts, instrument_name, bid_price AS bid, ask_price AS ask, ask_price - bid_price AS spread,
  20000 * (ask_price - bid_price) / (ask_price + bid_price) AS spread_bps, age, covered
FROM quotes_at(step, from_ts, to_ts, instrument := instrument, lookback := lookback)
WHERE exchange = 'deribit'
ORDER BY instrument_name, at_ts;
