-- Question: what funding was paid, hour by hour and in total, and what had been predicted?
-- Example: FROM funding('BTC-PERPETUAL', '2026-11-22', '2026-11-23')
-- Parameters: instrument (a LIKE pattern), from_ts, to_ts
-- Column instrument_name, pair, currency, hour_ts: a row for each payment; `hour_ts` is the end of the hour that it is for
-- Column paid_rate_1h: as a fraction; positive: longs pay shorts
-- Column paid_yearly_pct: the same annualised, percent
-- Column cumulative_rate: sum of the hours from `from_ts` on, as a fraction
-- Column predicted_rate_1h: mean over the tickers of that hour of `current_funding`, which is for 8 hours, divided by 8; a fraction; NULL without tickers
-- Column predicted_minus_paid: predicted minus paid, as a fraction
-- Column tickers: number of tickers in that hour
-- Column index_price_usd: at the end of the hour
-- Column age: how long after the hour its rate was published
-- Column covered: false where an earlier hour since `from_ts` is missing, so that the sum lacks it
CREATE OR REPLACE MACRO funding(instrument, from_ts, to_ts) AS TABLE
WITH paid AS (
  -- A value that was corrected later is a row of its own: the last one counts.
  SELECT instrument_name, currency, exchange_ts AS hour_ts, arg_max(interest_1h, (recv_ts, seq)) AS rate,
    arg_max(index_price, (recv_ts, seq)) AS index_price, min(recv_ts) AS published_ts
  FROM deribit.funding_history
  WHERE instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ AND date >= utc_day(from_ts) - 1
  GROUP BY instrument_name, currency, exchange_ts
), predicted AS (
  SELECT instrument_name, time_bucket(INTERVAL 1 HOUR, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') + INTERVAL 1 HOUR AS hour_ts,
    avg(current_funding) / 8 AS rate, count(current_funding) AS tickers
  FROM deribit.ticker
  WHERE kind = 'perpetual' AND instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ - INTERVAL 1 HOUR AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts) - 1 AND utc_day(to_ts) + 1
  GROUP BY ALL
)
SELECT p.instrument_name AS instrument_name, pair_of(p.instrument_name) AS pair, currency, p.hour_ts AS hour_ts, p.rate AS paid_rate_1h,
  100 * p.rate * 24 * 365 AS paid_yearly_pct, sum(p.rate) OVER hours AS cumulative_rate, t.rate AS predicted_rate_1h,
  t.rate - p.rate AS predicted_minus_paid, coalesce(tickers, 0) AS tickers, index_price AS index_price_usd,
  published_ts - p.hour_ts AS age,
  count(*) OVER hours = epoch_us(p.hour_ts) // 3600000000 - (us_of(from_ts) + 3599999999) // 3600000000 + 1 AS covered
FROM paid p LEFT JOIN predicted t ON p.instrument_name = t.instrument_name AND p.hour_ts = t.hour_ts
WINDOW hours AS (PARTITION BY p.instrument_name ORDER BY p.hour_ts)
ORDER BY instrument_name, hour_ts;
