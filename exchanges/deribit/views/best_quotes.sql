-- Question: what were the best bid and ask at a moment?
-- Example: FROM best_quotes('2026-11-22 14:00:30', instrument := 'BTC-%')
-- Parameters: moment; instrument (a LIKE pattern); lookback, how old a quote may be
-- Column instrument_name, kind, currency: which instrument
-- Column exchange_ts: when the exchange sent this quote
-- Column age: how long before `moment` it was sent; a quiet instrument keeps its quote
-- Column bid, bid_amount, ask, ask_amount: NULL where that side is empty or unknown; amounts of inverse perpetuals and futures are in USD, others in base coin
-- Column mid: halfway between bid and ask
-- Column covered: false where a gap lies between the quote and the moment, so that the quote then is unknown; NULL: not known yet
CREATE OR REPLACE MACRO best_quotes(moment, instrument := '%', lookback := '1 day') AS TABLE
SELECT
  instrument_name, kind, currency, quote_ts AS exchange_ts, age, bid_price AS bid,
  CASE WHEN deribit_is_usd(instrument_name, kind) THEN round(bid_amount_coin * bid_price, 8) ELSE bid_amount_coin END AS bid_amount,
  ask_price AS ask,
  CASE WHEN deribit_is_usd(instrument_name, kind) THEN round(ask_amount_coin * ask_price, 8) ELSE ask_amount_coin END AS ask_amount,
  (bid_price + ask_price) / 2 AS mid, covered
FROM quotes_at('1 second', moment, moment, instrument := instrument, lookback := lookback)
WHERE exchange = 'deribit'
ORDER BY instrument_name;
