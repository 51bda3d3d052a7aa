-- Question: what was the surface of implied volatility at a moment?
-- Example: FROM iv_surface('2026-11-22 14:00:30', 'BTC') WHERE abs(log_moneyness) < 0.2
-- Parameters: moment, coin (currency of settlement); lookback, how old a ticker may be
-- Column pair, expiry, strike: a row for each strike of an expiry; pair is how the names begin (BTC, ETH_USDC)
-- Column days: to expiry, with a fraction
-- Column log_moneyness: log(strike / underlying price): 0 at the money, negative below
-- Column side: the option out of the money, whose IV is shown: the put below the underlying price, the call above
-- Column mark_iv, bid_iv, ask_iv: percent
-- Column delta: the exchange's, of that option: negative for puts
-- Column age, covered: how long before the moment the older of the strike's two tickers was sent; false where a gap lies between one of them and the moment, so that the state is unknown
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
