-- Question: how wide was the spread over time?
-- Example: FROM spreads('BTC-PERPETUAL', INTERVAL 1 MINUTE, '2026-11-22 14:00', '2026-11-22 15:00')
-- Parameters: instrument (a LIKE pattern), step, from_ts, to_ts; lookback, how old a quote may be
-- Column at_ts: each moment from `from_ts` on, a step apart
-- Column instrument_name: which instrument
-- Column bid, ask: the last best prices strictly before that moment; NULL where that side is empty or unknown
-- Column spread: ask minus bid, in the unit of the prices
-- Column spread_bps: spread divided by mid, in basis points
-- Column age: how long before the moment the quote was sent
-- Column covered: false where a gap lies between the quote and the moment, so that the quote then is unknown; NULL: not known yet
CREATE OR REPLACE MACRO spreads(instrument, step, from_ts, to_ts, lookback := '1 hour') AS TABLE
SELECT at_ts, instrument_name, bid_price AS bid, ask_price AS ask, ask_price - bid_price AS spread,
  20000 * (ask_price - bid_price) / (ask_price + bid_price) AS spread_bps, age, covered
FROM quotes_at(step, from_ts, to_ts, instrument := instrument, lookback := lookback)
WHERE exchange = 'deribit'
ORDER BY instrument_name, at_ts;
