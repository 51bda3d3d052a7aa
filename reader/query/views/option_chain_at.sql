-- Question: what did the option chain look like, on a grid of moments?
-- Example: FROM option_chain_at(INTERVAL 1 MINUTE, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts: each moment from `from_ts` to `to_ts`, a step apart
-- Column exchange, pair, currency: pair is how the names begin (BTC, ETH_USDC); currency is what the option settles in, which several pairs may share (USDC)
-- Column instrument_name, expiry_ts, strike, option_type: a row for each option that is listed at the moment
-- Column days: to expiry, with a fraction
-- Column log_moneyness: log(strike / underlying price): 0 at the money, negative below
-- Column bid_price, ask_price, mark_price, last_price, price_unit: NULL where there is none; `price_unit` is their currency
-- Column bid_amount_coin, ask_amount_coin, open_interest_coin, volume_24h_coin: in base coin
-- Column turnover_24h_usd: premium paid in the last 24 hours
-- Column underlying_price_usd, index_price_usd: the exchange's underlying price for this expiry, and the index
-- Column bid_iv_pct, mark_iv_pct, ask_iv_pct: percent; NULL where there is no such quote
-- Column delta, gamma_per_usd, vega_usd_per_point, theta_usd_per_day: the exchange's greeks of a long option, rounded as it rounds them; delta of puts is negative
-- Column ticker_ts, age: when the ticker was sent, the last one strictly before the moment, and how long before
-- Column covered: false: the state is unknown (a gap, or no ticker within `lookback`), and its columns are NULL; NULL: not known yet
CREATE OR REPLACE MACRO option_chain_at(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
SELECT at_ts, exchange, pair_of(instrument_name) AS pair, currency, instrument_name, expiry_ts, strike, option_type,
  365 * years_between(at_ts, expiry_ts) AS days, ln(strike / underlying_price_usd) AS log_moneyness,
  bid_price, ask_price, mark_price, last_price, price_unit, bid_amount_coin, ask_amount_coin,
  open_interest_coin, volume_24h_coin, turnover_24h_usd, underlying_price_usd, index_price_usd,
  bid_iv_pct, mark_iv_pct, ask_iv_pct, delta, gamma_per_usd, vega_usd_per_point, theta_usd_per_day,
  ticker_ts, age, covered
FROM tickers_at(step, from_ts, to_ts, kinds := 'option', coin := coin, lookback := lookback) t;
