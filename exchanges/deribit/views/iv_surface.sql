-- Question: what was the surface of implied volatility at a moment?
-- Example: FROM iv_surface('2026-11-22 14:00:30', 'BTC') WHERE abs(log_moneyness) < 0.2
-- Parameters: moment, coin (currency of settlement); lookback, how old a ticker may be
-- Column pair, expiry, strike: a row each; pair is how the names begin, BTC or ETH_USDC
-- Column days: to expiry, with a fraction
-- Column log_moneyness: logarithm of strike over underlying_price: 0 at the money, negative below
-- Column side: whose IV it is, the one out of the money: put below the underlying, call above
-- Column mark_iv, bid_iv, ask_iv: percent
-- Column delta: of that option
-- Column age, covered: how long before the moment the older ticker of the two options of the strike was; false where one is not known, as a gap lies between ticker and moment
CREATE OR REPLACE MACRO iv_surface(moment, coin, lookback := '1 day') AS TABLE
SELECT
  pair, expiry, strike, (epoch_us(expiry) - epoch_us(moment::TIMESTAMPTZ)) / 86400e6 AS days,
  ln(strike / underlying_price) AS log_moneyness,
  CASE WHEN is_call THEN 'call' ELSE 'put' END AS side,
  CASE WHEN is_call THEN call_mark_iv ELSE put_mark_iv END AS mark_iv,
  CASE WHEN is_call THEN call_bid_iv ELSE put_bid_iv END AS bid_iv,
  CASE WHEN is_call THEN call_ask_iv ELSE put_ask_iv END AS ask_iv,
  CASE WHEN is_call THEN call_delta ELSE put_delta END AS delta, age, covered
FROM (SELECT *, strike >= underlying_price AS is_call FROM option_chain(moment, coin, lookback := lookback))
ORDER BY pair, expiry, strike;
