-- Question: how did implied volatility compare with realised volatility, before and after?
-- Example: FROM variance_premium(7, INTERVAL 1 DAY, '2026-11-01', '2026-11-30', index_name := 'btc_usd', coin := 'BTC')
-- Parameters: tenor (days), step, from_ts, to_ts; index_name; coin (of settlement) and pair_name, of the options; price_step, between the prices compared; lookback, how old a ticker may be
-- Empty: where less than a week of index prices was recorded before the moments
-- Column at_ts, pair, currency, tenor_days: a row for each moment
-- Column iv_pct: at the money at that tenor, percent a year, from term_structure
-- Column trailing_rv_pct, forward_rv_pct: realised over the tenor before and after the moment, percent a year; NULL where less than 95 % of the steps have a price
-- Column trailing_premium_pct, forward_premium_pct: IV minus realised volatility, in points: trailing is known at the moment, forward only a tenor later; their signs may differ
-- Column age: of the oldest ticker that the IV needs
-- Column covered: false where the IV needs an option whose state is unknown, or index prices before the moment are missing
CREATE OR REPLACE MACRO variance_premium(
  tenor, step, from_ts, to_ts, index_name := 'btc_usd', coin := 'BTC', pair_name := 'BTC', price_step := '5 minutes',
  lookback := '1 hour'
) AS TABLE
WITH prices AS (
  SELECT epoch_us(exchange_ts) // us_long(price_step) AS place, arg_max(price, (exchange_ts, recv_ts, seq)) AS price
  FROM deribit.price_index p
  WHERE p.instrument_name = index_name
    AND exchange_ts >= from_ts::TIMESTAMPTZ - to_hours((24 * tenor)::BIGINT)
    AND exchange_ts < to_ts::TIMESTAMPTZ + to_hours((24 * tenor)::BIGINT)
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - to_hours((24 * tenor)::BIGINT)) - 1
      AND utc_day(to_ts::TIMESTAMPTZ + to_hours((24 * tenor)::BIGINT)) + 1
  GROUP BY place
), moves AS (
  SELECT place, CASE WHEN place - lag(place) OVER (ORDER BY place) = 1
    THEN ln(price / lag(price) OVER (ORDER BY place)) END AS move
  FROM prices
), sums AS (
  SELECT place, sum(move * move) OVER (ORDER BY place) AS squares, count(move) OVER (ORDER BY place) AS moves
  FROM moves
), moments AS (
  SELECT at_ts, pair, currency, t.tenor_days AS tenor_of_row, atm_mark_iv_pct, age, covered,
    epoch_us(at_ts) // us_long(price_step) - 1 AS place,
    (24 * 3600000000 * t.tenor_days / us_long(price_step))::BIGINT AS span
  FROM term_structure(step, from_ts, to_ts, coin := coin, tenors := tenor::VARCHAR, lookback := lookback) t
  WHERE pair = pair_name AND exchange = 'deribit'
), ends AS (
  SELECT m.*, now.squares AS now_squares, now.moves AS now_moves, coalesce(before.squares, 0) AS before_squares,
    coalesce(before.moves, 0) AS before_moves, later.squares AS later_squares, later.moves AS later_moves
  FROM moments m
    ASOF LEFT JOIN sums now ON m.place >= now.place
    ASOF LEFT JOIN sums before ON m.place - m.span >= before.place
    ASOF LEFT JOIN sums later ON m.place + m.span >= later.place
), realised AS (
  SELECT *,
    CASE WHEN now_moves - before_moves >= 0.95 * span
      THEN 100 * sqrt((now_squares - before_squares) / (now_moves - before_moves) * span * 365 / tenor_of_row) END AS trailing_rv,
    CASE WHEN later_moves - now_moves >= 0.95 * span
      THEN 100 * sqrt((later_squares - now_squares) / (later_moves - now_moves) * span * 365 / tenor_of_row) END AS forward_rv
  FROM ends
)
SELECT at_ts, pair, currency, tenor_of_row AS tenor_days, atm_mark_iv_pct AS iv_pct, trailing_rv AS trailing_rv_pct,
  forward_rv AS forward_rv_pct, atm_mark_iv_pct - trailing_rv AS trailing_premium_pct,
  atm_mark_iv_pct - forward_rv AS forward_premium_pct, age, CASE WHEN trailing_rv IS NULL THEN false ELSE covered END AS covered
FROM realised
ORDER BY at_ts;
