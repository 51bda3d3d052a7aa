-- Question: what was the implied volatility of each expiry at fixed deltas?
-- Example: FROM delta_smile(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, expiry_ts, option_type, delta_pct: a row for each moment, expiry, option type and delta of 5, 10 … 50 percent (of puts the absolute value)
-- Column days: to expiry, with a fraction
-- Column mark_iv_pct: percent; interpolated linearly in the exchange's delta between two options of that type
-- Column total_variance: (IV as a fraction)² × years to expiry
-- Column age: of the older of the two tickers used
-- Column covered: false where the state of any option of the expiry is unknown
CREATE OR REPLACE MACRO delta_smile(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH chain AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, days, option_type, 100 * abs(delta) AS d, mark_iv_pct AS iv, age,
    count(*) FILTER ((option_type = 'call') = (log_moneyness >= 0) AND coalesce(bid_price, ask_price) IS NOT NULL)
      OVER expiry AS strikes_quoted,
    count(*) OVER expiry AS listed, count(covered) OVER expiry AS accounted, bool_or(NOT covered) OVER expiry AS is_lost
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback) c
  WINDOW expiry AS (PARTITION BY at_ts, exchange, pair, currency, expiry_ts)
), pieces AS (
  SELECT *, lead(d) OVER side AS next_d, lead(iv) OVER side AS next_iv, lead(age) OVER side AS next_age
  FROM chain c
  WHERE iv > 0 AND d IS NOT NULL AND strikes_quoted >= 6
  WINDOW side AS (PARTITION BY at_ts, exchange, pair, currency, expiry_ts, option_type ORDER BY d)
), points AS (
  SELECT *, 5 * unnest(generate_series(ceil(d / 5)::INTEGER, least(10, ceil(next_d / 5)::INTEGER - 1))) AS delta_pct
  FROM pieces
  WHERE next_d > d AND d <= 50
)
SELECT at_ts, exchange, pair, currency, expiry_ts, option_type, delta_pct, days,
  on_line(delta_pct, d, iv, next_d, next_iv) AS mark_iv_pct,
  (on_line(delta_pct, d, iv, next_d, next_iv) / 100) ** 2 * days / 365 AS total_variance,
  greatest(age, next_age) AS age, CASE WHEN is_lost THEN false WHEN accounted = listed THEN true END AS covered
FROM points p
WHERE delta_pct > 0
ORDER BY at_ts, exchange, pair, currency, expiry_ts, option_type, delta_pct;
