-- Question: what was the implied volatility at the money of each expiry?
-- Example: FROM atm_volatility(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column at_ts, exchange, pair, currency, expiry_ts: a row for each moment and expiry
-- Column days: to expiry, with a fraction
-- Column underlying_price_usd: price of the underlying for this expiry, from its newest ticker
-- Column atm_mark_iv_pct, atm_bid_iv_pct, atm_ask_iv_pct: percent, at strike = underlying price: total variance interpolated linearly in log(strike / underlying) between the nearest strikes below and above, from the options out of the money; NULL with fewer than 6 quoted strikes
-- Column total_variance: of the mark: (IV as a fraction)² × years to expiry
-- Column strikes_quoted: strikes whose option out of the money has a bid or an ask
-- Column options_listed, options_known: options of the expiry: how many are listed, and of how many the state is known
-- Column age: of the older of the two tickers used
-- Column covered: false where the state of any option of the expiry is unknown
CREATE OR REPLACE MACRO atm_volatility(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH sides AS (
  SELECT *, (option_type = 'call') = (log_moneyness >= 0) AS is_out,
    {k: log_moneyness, mark: mark_iv_pct ** 2, bid: bid_iv_pct ** 2, ask: ask_iv_pct ** 2, age: age} AS point
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
), around AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, any_value(days) AS days,
    arg_max(underlying_price_usd, ticker_ts) AS underlying_price_usd,
    arg_max(point, log_moneyness) FILTER (is_out AND log_moneyness < 0 AND mark_iv_pct > 0) AS below,
    arg_min(point, log_moneyness) FILTER (is_out AND log_moneyness >= 0 AND mark_iv_pct > 0) AS above,
    count(*) FILTER (is_out AND coalesce(bid_price, ask_price) IS NOT NULL) AS strikes_quoted,
    count(*) AS options_listed, count(underlying_price_usd) AS options_known, all_covered(covered) AS covered
  FROM sides s
  GROUP BY at_ts, exchange, pair, currency, expiry_ts
), money AS (
  SELECT *, days / 365 AS years, strikes_quoted >= 6 AS is_quoted,
    on_line(0, below.k, below.mark, above.k, above.mark) AS mark,
    on_line(0, below.k, below.bid, above.k, above.bid) AS bid,
    on_line(0, below.k, below.ask, above.k, above.ask) AS ask
  FROM around
)
SELECT at_ts, exchange, pair, currency, expiry_ts, days, underlying_price_usd,
  CASE WHEN is_quoted THEN sqrt(mark) END AS atm_mark_iv_pct, CASE WHEN is_quoted THEN sqrt(bid) END AS atm_bid_iv_pct,
  CASE WHEN is_quoted THEN sqrt(ask) END AS atm_ask_iv_pct,
  CASE WHEN is_quoted THEN mark / 10000 * years END AS total_variance,
  strikes_quoted, options_listed, options_known, greatest(below.age, above.age) AS age, covered
FROM money m
ORDER BY at_ts, exchange, pair, currency, expiry_ts;
