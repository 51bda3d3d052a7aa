-- What ready views are written with.

-- The UTC day of a time, whatever the time zone of the session.
CREATE OR REPLACE MACRO utc_day(ts) AS DATE '1970-01-01' + (epoch_us(ts) // 86400000000)::INTEGER;

-- The end of the life of an instrument, 08:00 UTC of the day in its name, such as BTC-27NOV26-60000-C; NULL without one.
CREATE OR REPLACE MACRO expiry_of(instrument) AS
  make_timestamptz((epoch_us(try_strptime(regexp_extract(instrument, '-(\d{1,2}[A-Z]{3}\d{2})(?:-|$)', 1), '%d%b%y'))
    + 28800000000)::BIGINT);
