-- Question: how much more expensive were puts than calls, and the wings than the money?
-- Example: FROM skew(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); tenors, days; lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency: a row for each moment and expiry, and for each tenor
-- Column expiry_ts, tenor_days: one of them is NULL; at a tenor, total variance is interpolated linearly in time between the expiries before and after it
-- Column days: to expiry, or of the tenor
-- Column atm_mark_iv_pct: at the money, percent
-- Column rr_25_pct, rr_10_pct: risk reversal, points of IV: call minus put at 25 and 10 % delta; negative where puts are more expensive
-- Column put_skew_25_pct, put_skew_10_pct: the same with the opposite sign: put minus call
-- Column bf_25_pct, bf_10_pct: butterfly, points of IV: the mean of call and put minus at the money
-- Column rr_25_of_atm, rr_10_of_atm: risk reversal divided by the IV at the money, as a fraction
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any option that it needs is unknown
CREATE OR REPLACE MACRO skew(
  step, from_ts, to_ts, coin := '%', tenors := '1,7,14,30,60,90,180,365', lookback := '1 hour'
) AS TABLE
WITH points AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, NULL::DOUBLE AS tenor_days, days, option_type, delta_pct,
    mark_iv_pct, age, covered
  FROM delta_smile(step, from_ts, to_ts, coin := coin, lookback := lookback) s
  UNION ALL
  SELECT at_ts, exchange, pair, currency, NULL, tenor_days, tenor_days, option_type, delta_pct, mark_iv_pct, age, covered
  FROM delta_surface(step, from_ts, to_ts, coin := coin, tenors := tenors, lookback := lookback) s
), wings AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, tenor_days, days,
    any_value(mark_iv_pct) FILTER (option_type = 'call' AND delta_pct = 25) AS call_25,
    any_value(mark_iv_pct) FILTER (option_type = 'put' AND delta_pct = 25) AS put_25,
    any_value(mark_iv_pct) FILTER (option_type = 'call' AND delta_pct = 10) AS call_10,
    any_value(mark_iv_pct) FILTER (option_type = 'put' AND delta_pct = 10) AS put_10,
    max(age) AS age, all_covered(covered) AS covered
  FROM points p
  WHERE delta_pct IN (10, 25)
  GROUP BY at_ts, exchange, pair, currency, expiry_ts, tenor_days, days
), money AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, NULL::DOUBLE AS tenor_days, atm_mark_iv_pct
  FROM atm_volatility(step, from_ts, to_ts, coin := coin, lookback := lookback) a
  UNION ALL
  SELECT at_ts, exchange, pair, currency, NULL, tenor_days, atm_mark_iv_pct
  FROM term_structure(step, from_ts, to_ts, coin := coin, tenors := tenors, lookback := lookback) t
)
SELECT w.at_ts AS at_ts, w.exchange AS exchange, w.pair AS pair, w.currency AS currency, w.expiry_ts AS expiry_ts,
  w.tenor_days AS tenor_days, days, atm_mark_iv_pct,
  call_25 - put_25 AS rr_25_pct, call_10 - put_10 AS rr_10_pct,
  put_25 - call_25 AS put_skew_25_pct, put_10 - call_10 AS put_skew_10_pct,
  (call_25 + put_25) / 2 - atm_mark_iv_pct AS bf_25_pct, (call_10 + put_10) / 2 - atm_mark_iv_pct AS bf_10_pct,
  (call_25 - put_25) / atm_mark_iv_pct AS rr_25_of_atm, (call_10 - put_10) / atm_mark_iv_pct AS rr_10_of_atm,
  age, covered
FROM wings w LEFT JOIN money m ON w.at_ts = m.at_ts AND w.exchange = m.exchange AND w.pair = m.pair AND w.currency = m.currency
  AND w.expiry_ts IS NOT DISTINCT FROM m.expiry_ts AND w.tenor_days IS NOT DISTINCT FROM m.tenor_days
ORDER BY w.at_ts, w.exchange, w.pair, w.currency, w.expiry_ts IS NULL, days;
