-- Question: what did the option chain look like at a moment: IV, greeks, open interest of each strike?
-- Example: FROM option_chain('2026-11-22 14:00:30', 'BTC') WHERE expiry = (SELECT min(expiry) FROM option_chain('2026-11-22 14:00:30', 'BTC'))
-- Parameters: moment, coin (currency of settlement); lookback, how old a ticker may be
-- Column pair, expiry, strike: a row for each strike of an expiry; pair is how the names begin (BTC, ETH_USDC); options of several pairs settle in USDC
-- Column underlying_price: the exchange's underlying price for this expiry: that of a future, or of an index
-- Column call_…, put_…: bid, ask, mark (prices); bid_iv, ask_iv, mark_iv (percent; NULL where there is no such quote)
-- Column …_delta, …_gamma, …_vega, …_theta: the exchange's greeks of a long option: delta of puts is negative, vega in USD per point of IV, theta in USD per day
-- Column …_open_interest: contracts, in base coin
-- Column newest_ts, age: when the newer of the two tickers was sent, and how long before the moment the older one was
-- Column covered: false where a gap lies between a ticker and the moment, so that the state of that option is unknown and NULL
CREATE OR REPLACE MACRO option_chain(moment, coin, lookback := '1 day') AS TABLE
SELECT
  pair, expiry_ts AS expiry, strike, arg_max(underlying_price_usd, ticker_ts) AS underlying_price,
  any_value(bid_price) FILTER (option_type = 'call') AS call_bid, any_value(ask_price) FILTER (option_type = 'call') AS call_ask,
  any_value(mark_price) FILTER (option_type = 'call') AS call_mark,
  any_value(bid_iv_pct) FILTER (option_type = 'call') AS call_bid_iv, any_value(ask_iv_pct) FILTER (option_type = 'call') AS call_ask_iv,
  any_value(mark_iv_pct) FILTER (option_type = 'call') AS call_mark_iv,
  any_value(delta) FILTER (option_type = 'call') AS call_delta, any_value(gamma_per_usd) FILTER (option_type = 'call') AS call_gamma,
  any_value(vega_usd_per_point) FILTER (option_type = 'call') AS call_vega,
  any_value(theta_usd_per_day) FILTER (option_type = 'call') AS call_theta,
  any_value(open_interest_coin) FILTER (option_type = 'call') AS call_open_interest,
  any_value(bid_price) FILTER (option_type = 'put') AS put_bid, any_value(ask_price) FILTER (option_type = 'put') AS put_ask,
  any_value(mark_price) FILTER (option_type = 'put') AS put_mark,
  any_value(bid_iv_pct) FILTER (option_type = 'put') AS put_bid_iv, any_value(ask_iv_pct) FILTER (option_type = 'put') AS put_ask_iv,
  any_value(mark_iv_pct) FILTER (option_type = 'put') AS put_mark_iv,
  any_value(delta) FILTER (option_type = 'put') AS put_delta, any_value(gamma_per_usd) FILTER (option_type = 'put') AS put_gamma,
  any_value(vega_usd_per_point) FILTER (option_type = 'put') AS put_vega,
  any_value(theta_usd_per_day) FILTER (option_type = 'put') AS put_theta,
  any_value(open_interest_coin) FILTER (option_type = 'put') AS put_open_interest,
  max(ticker_ts) AS newest_ts, max(age) AS age, all_covered(covered) AS covered
FROM option_chain_at('1 second', moment, moment, coin := coin, lookback := lookback)
WHERE exchange = 'deribit' AND ticker_ts IS NOT NULL
GROUP BY pair, expiry_ts, strike
ORDER BY pair, expiry, strike;
