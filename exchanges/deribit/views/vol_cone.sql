-- Question: how high was realised volatility usually, by length of the window?
-- Example: FROM vol_cone('btc_usd', '2026-09-01', '2026-11-30')
-- Parameters: index_pattern (a LIKE pattern), from_ts, to_ts; windows, days; price_step, between the prices compared
-- Empty: where no whole day of index prices was recorded
-- Column index_name, method, window_days: a row for each index, method and window; `close`: root of the mean square of logarithmic changes from step to step; `hourly`: the same from hour to hour; `parkinson`: from the highest and lowest price of each hour
-- Column windows: number of windows: one ends at each hour, and counts where at least 95 % of its steps have a price
-- Column min_pct, p10_pct, p25_pct, median_pct, p75_pct, p90_pct, max_pct: of the volatility in these windows, percent a year of 365 days
-- Column last_pct: volatility in the newest window, percent a year
-- Column covered_hours, hours: hours with prices, and hours in all, of the whole span
-- Column age: how long before `to_ts` the newest window ended
-- Column covered: true where every hour has prices
CREATE OR REPLACE MACRO vol_cone(
  index_pattern, from_ts, to_ts, windows := '1,7,14,30,60,90', price_step := '5 minutes'
) AS TABLE
WITH steps AS (
  SELECT instrument_name AS index_name, epoch_us(exchange_ts) // us_long(price_step) AS place,
    arg_max(price, (exchange_ts, recv_ts, seq)) AS price, max(price) AS high, min(price) AS low
  FROM deribit.price_index
  WHERE instrument_name LIKE index_pattern
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts) - 1 AND utc_day(to_ts) + 1
  GROUP BY instrument_name, place
), moves AS (
  SELECT *, CASE WHEN place - lag(place) OVER same = 1 THEN ln(price / lag(price) OVER same) END AS move,
    place * us_long(price_step) // 3600000000 AS hour
  FROM steps
  WINDOW same AS (PARTITION BY index_name ORDER BY place)
), hours AS (
  SELECT index_name, hour, sum(move * move) AS squares, count(move) AS moves, ln(max(high) / min(low)) ** 2 AS ranges,
    arg_max(price, place) AS close
  FROM moves
  GROUP BY index_name, hour
), closes AS (
  SELECT *, CASE WHEN hour - lag(hour) OVER same = 1 THEN ln(close / lag(close) OVER same) END AS hour_move
  FROM hours
  WINDOW same AS (PARTITION BY index_name ORDER BY hour)
), methods AS (
  SELECT index_name, hour, 'close' AS method, squares AS part, moves, 3600000000 / us_long(price_step) AS per_hour FROM hours
  UNION ALL
  SELECT index_name, hour, 'hourly', hour_move ** 2, CASE WHEN hour_move IS NULL THEN 0 ELSE 1 END, 1 FROM closes
  UNION ALL
  SELECT index_name, hour, 'parkinson', ranges / (4 * ln(2)), 1, 1 FROM hours
), wanted AS (
  SELECT unnest(string_split(windows, ','))::DOUBLE AS window_days
), running AS (
  SELECT *, sum(part) OVER upwards AS parts, sum(moves) OVER upwards AS all_moves
  FROM methods
  WINDOW upwards AS (PARTITION BY index_name, method ORDER BY hour)
), ends AS (
  SELECT r.index_name AS index_name, r.method AS method, r.hour AS hour, window_days, r.parts, r.all_moves, per_hour,
    (24 * window_days)::BIGINT AS span, r.hour - (24 * window_days)::BIGINT AS start
  FROM running r, wanted
), rolled AS (
  SELECT e.index_name AS index_name, e.method AS method, e.hour AS hour, window_days, span * e.per_hour AS expected,
    e.parts - coalesce(b.parts, 0) AS parts, e.all_moves - coalesce(b.all_moves, 0) AS moves
  FROM ends e ASOF LEFT JOIN running b ON e.index_name = b.index_name AND e.method = b.method AND e.start >= b.hour
), vols AS (
  SELECT index_name, method, window_days, hour, 100 * sqrt(parts / moves * expected * 365 / window_days) AS vol
  FROM rolled
  WHERE moves >= 0.95 * expected
), known AS (
  SELECT index_name, count(*) AS covered_hours, any_value(ceil((us_of(to_ts) - us_of(from_ts)) / 3600000000)::BIGINT) AS hours
  FROM hours GROUP BY index_name
)
SELECT index_name, method, window_days, count(*) AS windows, min(vol) AS min_pct, quantile_cont(vol, 0.1) AS p10_pct,
  quantile_cont(vol, 0.25) AS p25_pct, median(vol) AS median_pct, quantile_cont(vol, 0.75) AS p75_pct,
  quantile_cont(vol, 0.9) AS p90_pct, max(vol) AS max_pct, arg_max(vol, hour) AS last_pct,
  any_value(covered_hours) AS covered_hours, any_value(hours) AS hours,
  min(to_microseconds(us_of(to_ts) - (hour + 1) * 3600000000)) AS age, any_value(covered_hours >= hours) AS covered
FROM vols v JOIN known k USING (index_name)
GROUP BY index_name, method, window_days
ORDER BY index_name, method, window_days;
