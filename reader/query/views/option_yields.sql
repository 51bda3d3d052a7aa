-- Question: what did selling options at the bid bring, over a year: calls on coins held, puts on cash held?
-- Example: FROM option_yields(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, instrument_name, expiry_ts, strike, option_type: a row for each moment and option
-- Column days: to expiry
-- Column premium_usd: of one coin's option, sold at the bid; in coin times the index; NULL without a bid
-- Column covered_call_yearly_pct: of calls: premium / (index − premium) × 525,600 / minutes left
-- Column cash_put_yearly_pct: of puts: premium / (strike − premium) × 525,600 / minutes left
-- Column age: of the ticker
-- Column covered: false where the state is not known (a gap, or no ticker young enough) and NULL
CREATE OR REPLACE MACRO option_yields(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH sold AS (
  SELECT *, bid_price * CASE WHEN price_unit = split_part(pair, '_', 1) THEN index_price_usd ELSE 1 END AS premium_usd
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
)
SELECT at_ts, exchange, pair, currency, instrument_name, expiry_ts, strike, option_type, days, premium_usd,
  CASE WHEN option_type = 'call' AND premium_usd < index_price_usd
    THEN 100 * premium_usd / (index_price_usd - premium_usd) * 365 / days END AS covered_call_yearly_pct,
  CASE WHEN option_type = 'put' AND premium_usd < strike
    THEN 100 * premium_usd / (strike - premium_usd) * 365 / days END AS cash_put_yearly_pct,
  age, covered
FROM sold s
ORDER BY at_ts, exchange, pair, currency, expiry_ts, strike, option_type;
