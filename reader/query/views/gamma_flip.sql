-- Question: at which price would the gamma of all options turn from negative to positive?
-- Example: FROM gamma_flip(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency: a row for each moment and pair
-- Column index_price_usd: the index at the moment
-- Column flip_price_usd: the index level nearest to it at which Σ s · gamma · open interest is 0, with s = +1 for calls and −1 for puts (naive); all underlyings move by the same percentage, and gamma is by Black-76 from the unchanged mark IV; searched from 70 % to 130 % of the index in steps of 1 %, interpolated between; NULL where there is none
-- Column flip_distance_pct: flip price minus index, percent of the index; negative: below it
-- Column options_listed, options_known: how many are listed, and of how many the state is known; sums are over the latter
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any of these options is unknown
CREATE OR REPLACE MACRO gamma_flip(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH chain AS (
  SELECT * FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
), moved AS (
  SELECT at_ts, exchange, pair, currency, part,
    sum(CASE option_type WHEN 'call' THEN 1 ELSE -1 END * open_interest_coin
      * black76_gamma(underlying_price_usd * part, strike, days / 365, mark_iv_pct / 100)) AS gamma
  FROM chain c, (SELECT unnest(generate_series(70, 130)) / 100 AS part)
  WHERE mark_iv_pct > 0
  GROUP BY at_ts, exchange, pair, currency, part
), steps AS (
  SELECT *, lag(part) OVER upwards AS last_part, lag(gamma) OVER upwards AS last_gamma
  FROM moved m
  WINDOW upwards AS (PARTITION BY at_ts, exchange, pair, currency ORDER BY part)
), flips AS (
  SELECT at_ts, exchange, pair, currency,
    arg_min(on_line(0, last_gamma, last_part, gamma, part), abs(on_line(0, last_gamma, last_part, gamma, part) - 1)) AS part
  FROM steps s
  WHERE sign(gamma) <> sign(last_gamma)
  GROUP BY at_ts, exchange, pair, currency
), totals AS (
  SELECT at_ts, exchange, pair, currency, arg_max(index_price_usd, ticker_ts) AS index_price_usd,
    count(*) AS options_listed, count(open_interest_coin) AS options_known, max(age) FILTER (covered) AS age,
    all_covered(covered) AS covered
  FROM chain c
  GROUP BY at_ts, exchange, pair, currency
)
SELECT at_ts, exchange, pair, currency, index_price_usd, index_price_usd * part AS flip_price_usd,
  100 * (part - 1) AS flip_distance_pct, options_listed, options_known, age, covered
FROM totals s LEFT JOIN flips f USING (at_ts, exchange, pair, currency)
ORDER BY at_ts, exchange, pair, currency;
