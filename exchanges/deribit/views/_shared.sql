-- The end of the life of an instrument, 08:00 UTC of the day in its name, such as BTC-27NOV26-60000-C; NULL without one.
CREATE OR REPLACE MACRO expiry_of(instrument) AS
  make_timestamptz((epoch_us(try_strptime(regexp_extract(instrument, '-(\d{1,2}[A-Z]{3}\d{2})(?:-|$)', 1), '%d%b%y'))
    + 28800000000)::BIGINT);
