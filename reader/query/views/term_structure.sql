-- Question: what was the implied volatility at the money at constant maturities, and between expiries?
-- Example: FROM term_structure(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); tenors, days; lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, tenor_days: a row for each moment and tenor
-- Column atm_mark_iv_pct: percent; total variance interpolated linearly in time between the expiries before and after the tenor; NULL beyond the first and the last
-- Column forward_iv_pct: percent, for the time between these two expiries; NULL where the later one has less total variance
-- Column is_calendar_arbitrage: true where the later one has less total variance
-- Column near_expiry_ts, far_expiry_ts: these two expiries
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any option of the two expiries is unknown
CREATE OR REPLACE MACRO term_structure(
  step, from_ts, to_ts, coin := '%', tenors := '1,7,14,30,60,90,180,365', lookback := '1 hour'
) AS TABLE
WITH nodes AS (
  SELECT at_ts, exchange, pair, currency, days,
    {days: days, w: total_variance, expiry_ts: expiry_ts, age: age, covered: covered} AS node
  FROM atm_volatility(step, from_ts, to_ts, coin := coin, lookback := lookback) a
  WHERE total_variance IS NOT NULL
), moments AS (SELECT DISTINCT at_ts, exchange, pair, currency FROM nodes
), wanted AS (
  SELECT moments.*, unnest(string_split(tenors, ','))::DOUBLE AS tenor_days FROM moments
), around AS (
  SELECT at_ts, exchange, pair, currency, tenor_days,
    arg_max(node, days) FILTER (days <= tenor_days) AS near, arg_min(node, days) FILTER (days >= tenor_days) AS far
  FROM wanted w JOIN nodes n USING (at_ts, exchange, pair, currency)
  GROUP BY at_ts, exchange, pair, currency, tenor_days
)
SELECT at_ts, exchange, pair, currency, tenor_days,
  100 * sqrt(on_line(tenor_days, near.days, near.w, far.days, far.w) / (tenor_days / 365)) AS atm_mark_iv_pct,
  CASE WHEN far.w >= near.w AND far.days > near.days
    THEN 100 * sqrt((far.w - near.w) / ((far.days - near.days) / 365)) END AS forward_iv_pct,
  far.w < near.w AS is_calendar_arbitrage, near.expiry_ts AS near_expiry_ts, far.expiry_ts AS far_expiry_ts,
  greatest(near.age, far.age) AS age, near.covered AND far.covered AS covered
FROM around a
ORDER BY at_ts, exchange, pair, currency, tenor_days;
