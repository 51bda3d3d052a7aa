-- Question: how much did the index move, compared with what options had implied?
-- Example: FROM realised_volatility('btc_usd', INTERVAL 1 DAY, INTERVAL 1 MINUTE, '2026-11-01', '2026-11-30')
-- Parameters: index_pattern (a LIKE pattern), width, step (between the prices compared), from_ts, to_ts
-- Column index_name, at_ts: a row for each index and span of that width
-- Column moves: number of price changes compared, from step to step
-- Column realised: annualised volatility, percent: root of the mean square of logarithmic changes; a stretch without prices counts as one change
-- Column implied: mean of the volatility index (DVOL) in the span, percent; NULL where there was none
-- Column difference: implied minus realised, in points
CREATE OR REPLACE MACRO realised_volatility(index_pattern, width, step, from_ts, to_ts) AS TABLE
WITH steps AS (
  SELECT instrument_name AS index_name, time_bucket(step, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS step_ts,
    arg_max(price, (exchange_ts, recv_ts, seq)) AS price
  FROM price_index
  WHERE instrument_name LIKE index_pattern
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
  GROUP BY ALL
), moves AS (
  SELECT index_name, time_bucket(width, step_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS at_ts,
    ln(price / lag(price) OVER same) AS move, epoch_us(step_ts) - epoch_us(lag(step_ts) OVER same) AS span_us
  FROM steps WINDOW same AS (PARTITION BY index_name ORDER BY step_ts)
), realised AS (
  SELECT index_name, at_ts, count(move) AS moves,
    100 * sqrt(sum(move * move) / sum(span_us) * 365 * 86400e6) AS realised
  FROM moves GROUP BY ALL
), implied AS (
  SELECT instrument_name AS index_name, time_bucket(width, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS at_ts,
    avg(volatility) AS implied
  FROM volatility_index
  WHERE instrument_name LIKE index_pattern
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
  GROUP BY ALL
)
SELECT index_name, at_ts, moves, realised, implied, implied - realised AS difference
FROM realised LEFT JOIN implied USING (index_name, at_ts)
ORDER BY index_name, at_ts;
