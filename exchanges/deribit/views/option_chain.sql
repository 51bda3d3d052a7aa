-- Question: what did the option chain look like at a moment: IV, greeks, open interest of each strike?
-- Example: FROM option_chain('2026-11-22 14:00:30', 'BTC') WHERE expiry = (SELECT min(expiry) FROM option_chain('2026-11-22 14:00:30', 'BTC'))
-- Parameters: at_ts, coin (currency of settlement); lookback, how old a ticker may be
-- Column pair, expiry, strike: a row each; pair is how the names begin, BTC or ETH_USDC: options of several settle in USDC
-- Column underlying_price: of the future or index that the exchange takes for this expiry
-- Column call_…, put_…: bid, ask, mark (prices), bid_iv, ask_iv, mark_iv (percent; NULL where there is no such quote)
-- Column …_delta, …_gamma, …_vega, …_theta: greeks of the exchange
-- Column …_open_interest: contracts, in base coin
-- Column newest_ts: the time of the newest ticker of the row
CREATE OR REPLACE MACRO option_chain(at_ts, coin, lookback := '1 day') AS TABLE
SELECT
  pair, expiry, strike, arg_max(last.underlying_price, exchange_ts) AS underlying_price,
  any_value(last.bid) FILTER (is_call) AS call_bid, any_value(last.ask) FILTER (is_call) AS call_ask,
  any_value(last.mark) FILTER (is_call) AS call_mark,
  any_value(last.bid_iv) FILTER (is_call) AS call_bid_iv, any_value(last.ask_iv) FILTER (is_call) AS call_ask_iv,
  any_value(last.mark_iv) FILTER (is_call) AS call_mark_iv,
  any_value(last.delta) FILTER (is_call) AS call_delta, any_value(last.gamma) FILTER (is_call) AS call_gamma,
  any_value(last.vega) FILTER (is_call) AS call_vega, any_value(last.theta) FILTER (is_call) AS call_theta,
  any_value(last.open_interest) FILTER (is_call) AS call_open_interest,
  any_value(last.bid) FILTER (NOT is_call) AS put_bid, any_value(last.ask) FILTER (NOT is_call) AS put_ask,
  any_value(last.mark) FILTER (NOT is_call) AS put_mark,
  any_value(last.bid_iv) FILTER (NOT is_call) AS put_bid_iv, any_value(last.ask_iv) FILTER (NOT is_call) AS put_ask_iv,
  any_value(last.mark_iv) FILTER (NOT is_call) AS put_mark_iv,
  any_value(last.delta) FILTER (NOT is_call) AS put_delta, any_value(last.gamma) FILTER (NOT is_call) AS put_gamma,
  any_value(last.vega) FILTER (NOT is_call) AS put_vega, any_value(last.theta) FILTER (NOT is_call) AS put_theta,
  any_value(last.open_interest) FILTER (NOT is_call) AS put_open_interest,
  max(exchange_ts) AS newest_ts
FROM (
  SELECT
    split_part(instrument_name, '-', 1) AS pair,
    expiry_of(instrument_name) AS expiry,
    replace(split_part(instrument_name, '-', 3), 'd', '.')::DOUBLE AS strike,
    instrument_name LIKE '%-C' AS is_call,
    max(exchange_ts) AS exchange_ts,
    arg_max({
      underlying_price: underlying_price, bid: nullif(best_bid_price, 0), ask: nullif(best_ask_price, 0),
      mark: mark_price, bid_iv: CASE WHEN best_bid_price > 0 THEN bid_iv END,
      ask_iv: CASE WHEN best_ask_price > 0 THEN ask_iv END, mark_iv: mark_iv,
      delta: greeks_delta, gamma: greeks_gamma, vega: greeks_vega, theta: greeks_theta, open_interest: open_interest
    }, (exchange_ts, recv_ts, seq)) AS last
  FROM ticker
  WHERE kind = 'option' AND currency = coin
    AND exchange_ts < at_ts::TIMESTAMPTZ AND exchange_ts > at_ts::TIMESTAMPTZ - lookback::INTERVAL
    AND date BETWEEN utc_day(at_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(at_ts::TIMESTAMPTZ) + 1
  GROUP BY instrument_name
)
WHERE expiry > at_ts::TIMESTAMPTZ
GROUP BY pair, expiry, strike
ORDER BY pair, expiry, strike;
