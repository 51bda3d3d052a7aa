-- Question: at which delivery price would the options of an expiry pay out least?
-- Example: FROM max_pain(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, expiry_ts: a row for each moment and expiry
-- Column max_pain_strike_usd: the listed strike at which all open options together pay out least
-- Column payout_usd: what they pay out there
-- Column underlying_price_usd: price of the underlying for this expiry, from its newest ticker
-- Column distance_pct: that strike minus the underlying price, percent of the underlying price; negative: below it
-- Column options_listed, options_known: how many are listed, and of how many the state is known; sums are over the latter
-- Column age: of the oldest ticker used
-- Column covered: false where the state of any of these options is unknown
CREATE OR REPLACE MACRO max_pain(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH chain AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, strike, option_type, open_interest_coin, underlying_price_usd,
    ticker_ts, age, covered
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback) c
), strikes AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, strike,
    coalesce(sum(open_interest_coin) FILTER (option_type = 'call'), 0) AS calls,
    coalesce(sum(open_interest_coin) FILTER (option_type = 'put'), 0) AS puts
  FROM chain c
  GROUP BY at_ts, exchange, pair, currency, expiry_ts, strike
), sums AS (
  -- Calls below the price and puts above it pay the distance: two sums each, running.
  SELECT *,
    coalesce(sum(calls) OVER lower, 0) * strike - coalesce(sum(calls * strike) OVER lower, 0)
      + coalesce(sum(puts * strike) OVER higher, 0) - coalesce(sum(puts) OVER higher, 0) * strike AS payout_usd
  FROM strikes s
  WINDOW
    lower AS (PARTITION BY at_ts, exchange, pair, currency, expiry_ts ORDER BY strike
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    higher AS (PARTITION BY at_ts, exchange, pair, currency, expiry_ts ORDER BY strike
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
), least_paid AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, sum(calls + puts) AS open_interest_coin,
    arg_min(strike, (payout_usd, strike)) AS strike, min(payout_usd) AS payout_usd
  FROM sums s
  GROUP BY at_ts, exchange, pair, currency, expiry_ts
), totals AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, arg_max(underlying_price_usd, ticker_ts) AS underlying_price_usd,
    count(*) AS options_listed, count(open_interest_coin) AS options_known, max(age) FILTER (covered) AS age,
    all_covered(covered) AS covered
  FROM chain c
  GROUP BY at_ts, exchange, pair, currency, expiry_ts
)
SELECT at_ts, exchange, pair, currency, expiry_ts,
  CASE WHEN l.open_interest_coin > 0 THEN l.strike END AS max_pain_strike_usd,
  CASE WHEN l.open_interest_coin > 0 THEN payout_usd END AS payout_usd, underlying_price_usd,
  CASE WHEN l.open_interest_coin > 0 THEN 100 * (l.strike / underlying_price_usd - 1) END AS distance_pct,
  options_listed, options_known, age, covered
FROM totals t JOIN least_paid l USING (at_ts, exchange, pair, currency, expiry_ts)
ORDER BY at_ts, exchange, pair, currency, expiry_ts;
