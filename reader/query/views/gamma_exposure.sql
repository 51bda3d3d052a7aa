-- Question: how much must dealers who hedge options trade when the price moves?
-- Example: FROM gamma_exposure(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC') WHERE strike IS NULL
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency: a row for each strike of an expiry, one for each whole expiry (strike NULL) and one for all expiries (expiry NULL), at each moment
-- Column expiry_ts, strike: NULL in sums over them
-- Column gex_naive_usd_per_1pct: Σ s · gamma · open interest · underlying² · 0.01, in USD per 1 % move, with s = +1 for calls and −1 for puts (naive: as if dealers had bought all calls and sold all puts); positive: their hedging dampens moves; gamma by Black-76 from the mark IV
-- Column gex_naive_rounded_usd_per_1pct: the same with the exchange's gamma, which it may round to 0.00001
-- Column delta_exposure_coin: Σ delta · open interest, as if long every option; calls count positive, puts negative
-- Column vega_exposure_usd_per_point: Σ vega · open interest, as if long every option, in USD per point of IV
-- Column call_wall_strike, put_wall_strike: in sums: the strikes with the largest positive and the largest negative gex_naive_usd_per_1pct
-- Column options_listed, options_known: how many are listed, and of how many the state is known; sums are over the latter
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any of these options is unknown
CREATE OR REPLACE MACRO gamma_exposure(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH chain AS (
  SELECT *, CASE option_type WHEN 'call' THEN 1 ELSE -1 END * open_interest_coin * underlying_price_usd ** 2 * 0.01 AS scale,
    CASE WHEN mark_iv_pct > 0 THEN black76_gamma(underlying_price_usd, strike, days / 365, mark_iv_pct / 100) END AS gamma
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
), strikes AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, strike, sum(scale * gamma) AS gex,
    sum(scale * gamma_per_usd) AS gex_rounded, sum(delta * open_interest_coin) AS delta_coin,
    sum(vega_usd_per_point * open_interest_coin) AS vega_usd, count(*) AS options_listed,
    count(open_interest_coin) AS options_known, max(age) FILTER (covered) AS age,
    bool_or(NOT covered) AS is_lost, count(covered) AS accounted
  FROM chain c
  GROUP BY at_ts, exchange, pair, currency, expiry_ts, strike
), across AS (
  SELECT at_ts, exchange, pair, currency, strike, sum(gex) AS gex FROM strikes s
  GROUP BY at_ts, exchange, pair, currency, strike
), walls AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, arg_max(strike, gex) FILTER (gex > 0) AS call_wall_strike,
    arg_min(strike, gex) FILTER (gex < 0) AS put_wall_strike
  FROM strikes s GROUP BY at_ts, exchange, pair, currency, expiry_ts
  UNION ALL
  SELECT at_ts, exchange, pair, currency, NULL, arg_max(strike, gex) FILTER (gex > 0), arg_min(strike, gex) FILTER (gex < 0)
  FROM across a GROUP BY at_ts, exchange, pair, currency
), sums AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, strike, sum(gex) AS gex_naive_usd_per_1pct,
    sum(gex_rounded) AS gex_naive_rounded_usd_per_1pct, sum(delta_coin) AS delta_exposure_coin,
    sum(vega_usd) AS vega_exposure_usd_per_point, sum(options_listed)::BIGINT AS options_listed,
    sum(options_known)::BIGINT AS options_known, max(age) AS age,
    CASE WHEN bool_or(is_lost) THEN false WHEN sum(accounted) = sum(options_listed) THEN true END AS covered
  FROM strikes s
  GROUP BY GROUPING SETS ((at_ts, exchange, pair, currency, expiry_ts, strike), (at_ts, exchange, pair, currency, expiry_ts),
    (at_ts, exchange, pair, currency))
)
SELECT s.at_ts AS at_ts, s.exchange AS exchange, s.pair AS pair, s.currency AS currency, s.expiry_ts AS expiry_ts, strike,
  gex_naive_usd_per_1pct, gex_naive_rounded_usd_per_1pct, delta_exposure_coin, vega_exposure_usd_per_point,
  call_wall_strike, put_wall_strike, options_listed, options_known, age, covered
FROM sums s LEFT JOIN walls w ON strike IS NULL AND s.at_ts = w.at_ts AND s.exchange = w.exchange AND s.pair = w.pair
  AND s.currency = w.currency AND s.expiry_ts IS NOT DISTINCT FROM w.expiry_ts
ORDER BY at_ts, exchange, pair, currency, expiry_ts, strike;
