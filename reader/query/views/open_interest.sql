-- Question: how much open interest did options have?
-- Example: FROM open_interest(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', per := 'strike', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; per, of `expiry`, `strike`, `type`: what to group by; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency: a row for each moment and group
-- Column expiry_ts, strike, option_type: NULL where not grouped by
-- Column open_interest_coin, open_interest_usd: contracts in base coin, and their value at the index price
-- Column change_1d_coin: now minus the same moment a day before; NULL where that is unknown
-- Column options_listed, options_known: how many are listed, and of how many the state is known; sums are over the latter
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any of these options is unknown
CREATE OR REPLACE MACRO open_interest(step, from_ts, to_ts, per := 'expiry', coin := '%', lookback := '1 hour') AS TABLE
WITH both_days AS (
  SELECT *, false AS is_before
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
  UNION ALL BY NAME
  SELECT * REPLACE (at_ts + INTERVAL 24 HOUR AS at_ts), true AS is_before
  FROM option_chain_at(step, from_ts::TIMESTAMPTZ - INTERVAL 24 HOUR, to_ts::TIMESTAMPTZ - INTERVAL 24 HOUR,
    coin := coin, lookback := lookback)
), groups AS (
  SELECT at_ts, exchange, pair, currency, CASE WHEN contains(per, 'expiry') THEN expiry_ts END AS expiry_ts,
    CASE WHEN contains(per, 'strike') THEN strike END AS strike,
    CASE WHEN contains(per, 'type') THEN option_type END AS option_type,
    sum(open_interest_coin) FILTER (NOT is_before) AS open_interest_coin,
    sum(open_interest_coin * index_price_usd) FILTER (NOT is_before) AS open_interest_usd,
    sum(open_interest_coin) FILTER (is_before) AS before_coin,
    bool_and(covered) FILTER (is_before) AS is_known_before,
    count(*) FILTER (NOT is_before) AS options_listed, count(open_interest_coin) FILTER (NOT is_before) AS options_known,
    max(age) FILTER (NOT is_before AND covered) AS age,
    bool_or(NOT covered) FILTER (NOT is_before) AS is_lost, count(covered) FILTER (NOT is_before) AS accounted
  FROM both_days b
  GROUP BY ALL
)
SELECT at_ts, exchange, pair, currency, expiry_ts, strike, option_type, open_interest_coin, open_interest_usd,
  CASE WHEN is_known_before THEN open_interest_coin - before_coin END AS change_1d_coin,
  options_listed, options_known, age, CASE WHEN is_lost THEN false WHEN accounted = options_listed THEN true END AS covered
FROM groups g
WHERE options_listed > 0
ORDER BY at_ts, exchange, pair, currency, expiry_ts, strike, option_type;
