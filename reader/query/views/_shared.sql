-- What ready views are written with.

-- The UTC day of a time, whatever the time zone of the session.
CREATE OR REPLACE MACRO utc_day(ts) AS DATE '1970-01-01' + (epoch_us(ts::TIMESTAMPTZ) // 86400000000)::INTEGER;
