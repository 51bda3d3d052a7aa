-- The relation `gaps` for programs that have only the Parquet files: what the nightly tables say, and of days without them
-- that it is not known. EXCHANGES stands for those that are here.
CREATE OR REPLACE VIEW gaps AS
WITH days AS (
  SELECT exchange, day, lead(day) OVER (PARTITION BY exchange ORDER BY day) AS next_day
  FROM (
    SELECT DISTINCT exchange, utc_day(make_timestamptz(hour_us)) AS day FROM coverage_hours
    UNION ALL SELECT exchange, DATE '1970-01-01' FROM (VALUES EXCHANGES) AS here (exchange)
  )
)
SELECT exchange, data AS channel, instrument_kind, instrument_name, make_timestamptz(start_us) AS from_ts,
  make_timestamptz(end_us) AS to_ts, cause, state, grade
FROM coverage
UNION ALL
SELECT exchange, NULL, NULL, NULL, make_timestamptz(epoch_us(day + 1)),
  make_timestamptz(epoch_us(coalesce(next_day, DATE '2200-01-01'))), 'coverage of these days was not written',
  'not yet known', NULL
FROM days
WHERE next_day IS NULL OR next_day > day + 1;
