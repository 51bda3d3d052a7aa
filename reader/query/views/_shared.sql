-- What ready views are written with.

-- The UTC day of a time, whatever the time zone of the session.
CREATE OR REPLACE MACRO utc_day(ts) AS DATE '1970-01-01' + (epoch_us(ts::TIMESTAMPTZ) // 86400000000)::INTEGER;
-- µs since the epoch of what may be a text, and how long an interval of fixed length is.
CREATE OR REPLACE MACRO us_of(ts) AS epoch_us(ts::TIMESTAMPTZ);
CREATE OR REPLACE MACRO us_long(span) AS epoch_us(TIMESTAMP '1970-01-01' + span::INTERVAL);

-- What names such as BTC_USDC-27NOV26-60000-C say, where no list of instruments was recorded.
CREATE OR REPLACE MACRO expiry_of(instrument) AS
  make_timestamptz((epoch_us(try_strptime(regexp_extract(instrument, '-(\d{1,2}[A-Z]{3}\d{2})(?:-|$)', 1), '%d%b%y'))
    + 28800000000)::BIGINT);
CREATE OR REPLACE MACRO pair_of(instrument) AS split_part(instrument, '-', 1);
CREATE OR REPLACE MACRO strike_of(instrument) AS
  TRY_CAST(replace(regexp_extract(instrument, '-\d{1,2}[A-Z]{3}\d{2}-([0-9d]+)-[CP]', 1), 'd', '.') AS DOUBLE);
CREATE OR REPLACE MACRO option_type_of(instrument) AS
  CASE regexp_extract(instrument, '-[0-9d]+-([CP])(?:-|$)', 1) WHEN 'C' THEN 'call' WHEN 'P' THEN 'put' END;

-- Of states put together: false where one of them is unknown, NULL where one of them is not known yet.
CREATE OR REPLACE MACRO all_covered(is_covered) AS
  CASE WHEN bool_or(NOT is_covered) THEN false WHEN count(is_covered) = count(*) THEN true END;

-- Years of 365 days between two times.
CREATE OR REPLACE MACRO years_between(since_ts, until_ts) AS (epoch_us(until_ts) - epoch_us(since_ts)) / 31536e9;
-- The line through two points at x; the first point where they are one.
CREATE OR REPLACE MACRO on_line(x, x0, y0, x1, y1) AS
  CASE WHEN x0 = x1 OR x = x0 THEN y0 ELSE y0 + (y1 - y0) * (x - x0) / (x1 - x0) END;
-- Black-76 without interest: gamma per unit of the forward, by volatility as a fraction.
CREATE OR REPLACE MACRO black76_gamma(forward, strike, years, volatility) AS
  exp(-((ln(forward / strike) / (volatility * sqrt(years)) + volatility * sqrt(years) / 2) ** 2) / 2)
    / (2.5066282746310002 * forward * volatility * sqrt(years));

-- One number for the order in which states came, ties of the exchange's time by receipt; and when one was received, in µs.
CREATE OR REPLACE MACRO order_of(exchange_ts, recv_ts, seq) AS
  (epoch_us(exchange_ts)::HUGEINT << 75) + (epoch_us(recv_ts)::HUGEINT << 23) + (seq & 8388607);
CREATE OR REPLACE MACRO received_of(place) AS ((place >> 23) & 4503599627370495)::BIGINT;
