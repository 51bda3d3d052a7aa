-- Question: how far were futures and perpetuals from their index, by time to expiry?
-- Example: FROM futures_curve(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); tenors, days; lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency: a row for each moment and instrument, and for each tenor
-- Column instrument_name, expiry_ts: NULL for a tenor; a perpetual has no expiry
-- Column days: to expiry, or of the tenor; 0 for a perpetual
-- Column mark_price_usd, index_price_usd: from one message of the exchange; of a tenor, the index and the mark price that its basis implies
-- Column basis_usd, basis_pct: mark minus index, in USD and in percent of the index; positive: above the index. Of a tenor: interpolated linearly between the two futures around it, NULL beyond them
-- Column yearly_simple_pct, yearly_log_pct: the basis annualised over 365 days, without compounding and continuously; NULL for perpetuals, which funding holds near the index
-- Column funding_yearly_pct: of a perpetual: the current rate annualised; positive: longs pay shorts
-- Column age: of the oldest ticker used
-- Column covered: false: the state is unknown (a gap, or no ticker within `lookback`), and its columns are NULL; NULL: not known yet
CREATE OR REPLACE MACRO futures_curve(
  step, from_ts, to_ts, coin := '%', tenors := '7,14,30,60,90,180', lookback := '1 hour'
) AS TABLE
WITH curve AS (
  SELECT at_ts, exchange, pair_of(instrument_name) AS pair, currency, instrument_name, kind, expiry_ts,
    CASE WHEN expiry_ts IS NULL THEN 0 ELSE 365 * years_between(at_ts, expiry_ts) END AS days,
    mark_price, index_price_usd, 100 * (mark_price / index_price_usd - 1) AS basis_pct,
    CASE kind WHEN 'perpetual' THEN 100 * funding_rate * 3 * 365 END AS funding_yearly_pct, age, covered
  FROM tickers_at(step, from_ts, to_ts, kinds := 'future|perpetual', coin := coin, lookback := lookback) t
), around AS (
  SELECT at_ts, exchange, pair, currency, tenor_days, arg_max(index_price_usd, days) AS index_price_usd,
    arg_max({days: days, pct: basis_pct, age: age, covered: covered}, days)
      FILTER (days <= tenor_days AND basis_pct IS NOT NULL) AS near,
    arg_min({days: days, pct: basis_pct, age: age, covered: covered}, days)
      FILTER (days >= tenor_days AND basis_pct IS NOT NULL) AS far, all_covered(covered) AS covered
  FROM curve c, (SELECT unnest(string_split(tenors, ','))::DOUBLE AS tenor_days)
  WHERE kind = 'future'
  GROUP BY at_ts, exchange, pair, currency, tenor_days
), all_rows AS (
  SELECT at_ts, exchange, pair, currency, instrument_name, expiry_ts, days, mark_price AS mark_price_usd,
    index_price_usd, basis_pct, funding_yearly_pct, age, covered
  FROM curve c
  UNION ALL
  SELECT at_ts, exchange, pair, currency, NULL, NULL, tenor_days,
    index_price_usd * (1 + on_line(tenor_days, near.days, near.pct, far.days, far.pct) / 100), index_price_usd,
    on_line(tenor_days, near.days, near.pct, far.days, far.pct), NULL, greatest(near.age, far.age), covered
  FROM around a
)
SELECT at_ts, exchange, pair, currency, instrument_name, expiry_ts, days, mark_price_usd, index_price_usd,
  mark_price_usd - index_price_usd AS basis_usd, basis_pct, CASE WHEN days > 0 THEN basis_pct * 365 / days END
    AS yearly_simple_pct, CASE WHEN days > 0 THEN 100 * ln(1 + basis_pct / 100) * 365 / days END AS yearly_log_pct,
  funding_yearly_pct, age, covered
FROM all_rows r
ORDER BY at_ts, exchange, pair, currency, instrument_name IS NULL, days;
