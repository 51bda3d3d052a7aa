-- Question: how did puts compare with calls: open interest, volume, premium?
-- Example: FROM put_call(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC') WHERE expiry_ts IS NULL
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, expiry_ts: a row for each moment and expiry, and one of all expiries, whose `expiry_ts` is NULL
-- Column put_open_interest_coin, call_open_interest_coin: contracts in base coin
-- Column put_call_open_interest: open interest of puts divided by that of calls
-- Column put_call_volume_24h: volume of puts divided by that of calls, contracts of the last 24 hours
-- Column put_call_premium_24h: premium paid for puts divided by that for calls, last 24 hours
-- Column options_listed, options_known: how many are listed, and of how many the state is known; sums are over the latter
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any of these options is unknown
CREATE OR REPLACE MACRO put_call(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
SELECT at_ts, exchange, pair, currency, expiry_ts,
  sum(open_interest_coin) FILTER (option_type = 'put') AS put_open_interest_coin,
  sum(open_interest_coin) FILTER (option_type = 'call') AS call_open_interest_coin,
  sum(open_interest_coin) FILTER (option_type = 'put')
    / nullif(sum(open_interest_coin) FILTER (option_type = 'call'), 0) AS put_call_open_interest,
  sum(volume_24h_coin) FILTER (option_type = 'put')
    / nullif(sum(volume_24h_coin) FILTER (option_type = 'call'), 0) AS put_call_volume_24h,
  sum(turnover_24h_usd) FILTER (option_type = 'put')
    / nullif(sum(turnover_24h_usd) FILTER (option_type = 'call'), 0) AS put_call_premium_24h,
  count(*) AS options_listed, count(open_interest_coin) AS options_known, max(age) FILTER (covered) AS age,
  all_covered(covered) AS covered
FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback) c
GROUP BY GROUPING SETS ((at_ts, exchange, pair, currency, expiry_ts), (at_ts, exchange, pair, currency))
ORDER BY at_ts, exchange, pair, currency, expiry_ts;
