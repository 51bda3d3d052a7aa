-- Question: what was the surface of implied volatility, by delta and constant maturity?
-- Example: FROM delta_surface(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC', tenors := '7,30,90')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); tenors, days; lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, tenor_days, option_type, delta_pct: a row for each moment, tenor, option type and delta of 5, 10 … 50 percent (of puts the absolute value)
-- Column mark_iv_pct: percent; total variance interpolated linearly in time between the expiries before and after the tenor; NULL beyond the first and the last
-- Column near_expiry_ts, far_expiry_ts: these two expiries
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any option of the two expiries is unknown
CREATE OR REPLACE MACRO delta_surface(
  step, from_ts, to_ts, coin := '%', tenors := '1,7,14,30,60,90,180,365', lookback := '1 hour'
) AS TABLE
WITH nodes AS (
  SELECT at_ts, exchange, pair, currency, option_type, delta_pct, days,
    {days: days, w: total_variance, expiry_ts: expiry_ts, age: age, covered: covered} AS node
  FROM delta_smile(step, from_ts, to_ts, coin := coin, lookback := lookback) s
), around AS (
  SELECT at_ts, exchange, pair, currency, tenor_days, option_type, delta_pct,
    arg_max(node, days) FILTER (days <= tenor_days) AS near, arg_min(node, days) FILTER (days >= tenor_days) AS far
  FROM nodes n, (SELECT unnest(string_split(tenors, ','))::DOUBLE AS tenor_days)
  GROUP BY at_ts, exchange, pair, currency, tenor_days, option_type, delta_pct
)
SELECT at_ts, exchange, pair, currency, tenor_days, option_type, delta_pct,
  100 * sqrt(on_line(tenor_days, near.days, near.w, far.days, far.w) / (tenor_days / 365)) AS mark_iv_pct,
  near.expiry_ts AS near_expiry_ts, far.expiry_ts AS far_expiry_ts, greatest(near.age, far.age) AS age,
  near.covered AND far.covered AS covered
FROM around a
ORDER BY at_ts, exchange, pair, currency, tenor_days, option_type, delta_pct;
