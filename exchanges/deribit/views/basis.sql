-- Question: how far were futures and perpetuals from their index?
-- Example: FROM basis('BTC-%', INTERVAL 1 HOUR, '2026-11-22', '2026-11-23')
-- Parameters: instrument (a LIKE pattern), width, from_ts, to_ts
-- Column instrument_name, at_ts: a row for each instrument and span of that width, from its last ticker in the span
-- Column expiry: NULL for perpetuals
-- Column mark_price, index_price: from one message of the exchange
-- Column basis: mark minus index, in the unit of the prices; positive: above the index
-- Column basis_percent: in percent of the index
-- Column yearly_percent: basis_percent annualised by the time to expiry; NULL for perpetuals
CREATE OR REPLACE MACRO basis(instrument, width, from_ts, to_ts) AS TABLE
SELECT
  instrument_name, at_ts, expiry, last.mark_price AS mark_price, last.index_price AS index_price,
  last.mark_price - last.index_price AS basis,
  100 * (last.mark_price / last.index_price - 1) AS basis_percent,
  100 * (last.mark_price / last.index_price - 1)
    * 365 * 86400e6 / nullif(epoch_us(expiry) - epoch_us(exchange_ts), 0) AS yearly_percent
FROM (
  SELECT
    instrument_name, expiry_of(instrument_name) AS expiry,
    time_bucket(width, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS at_ts, max(exchange_ts) AS exchange_ts,
    arg_max({mark_price: mark_price, index_price: index_price}, (exchange_ts, recv_ts, seq)) AS last
  FROM ticker
  WHERE kind IN ('future', 'perpetual') AND instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
  GROUP BY ALL
)
ORDER BY instrument_name, at_ts;
