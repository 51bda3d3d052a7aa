-- Question: what did holding a perpetual cost in funding?
-- Example: FROM funding_paid('BTC-PERPETUAL', '2026-11-01', '2026-11-30')
-- Parameters: instrument (a LIKE pattern), from_ts, to_ts
-- Column instrument_name, day: a row for each day, UTC
-- Column hours: number of hours of that day that are known
-- Column funding_rate: sum of the hourly rates, as a fraction; positive: longs pay shorts
-- Column paid_by_long: of inverse perpetuals: coins that a long position of 10,000 USD paid, each hour at its index price; negative: received
-- Column yearly_percent: the rate annualised, percent
CREATE OR REPLACE MACRO funding_paid(instrument, from_ts, to_ts) AS TABLE
SELECT
  instrument_name, utc_day(exchange_ts) AS day, count(*) AS hours, sum(rate) AS funding_rate,
  sum(10000 * rate / price) AS paid_by_long, 100 * avg(rate) * 24 * 365 AS yearly_percent
FROM (
  -- A value that was corrected later is a row of its own: the last one counts.
  SELECT instrument_name, exchange_ts,
    arg_max(interest_1h, (recv_ts, seq)) AS rate, arg_max(index_price, (recv_ts, seq)) AS price
  FROM funding_history
  WHERE instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date >= utc_day(from_ts::TIMESTAMPTZ) - 1
  GROUP BY instrument_name, exchange_ts
)
GROUP BY ALL
ORDER BY instrument_name, day;
