-- Question: what did selling options at the bid yield per year: calls covered by coins, puts secured by cash?
-- Example: FROM option_yields(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, instrument_name, expiry_ts, strike, option_type: a row for each moment and option
-- Column days: to expiry, with a fraction
-- Column premium_usd: received for selling an option on one coin at the bid; a premium in coin is converted at the index price; NULL without a bid
-- Column covered_call_yearly_pct: of calls, percent a year: 100 × premium / (index − premium) × 525,600 / minutes to expiry
-- Column cash_put_yearly_pct: of puts, percent a year: 100 × premium / (strike − premium) × 525,600 / minutes to expiry
-- Column age: of the ticker
-- Column covered: false: the state is unknown (a gap, or no ticker within `lookback`), and its columns are NULL; NULL: not known yet
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
