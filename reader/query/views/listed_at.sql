-- Question: which instruments were listed at a moment, in which state, with which tick size?
-- Example: FROM listed_at('2026-11-22 14:00', kinds := 'option', coin := 'BTC')
-- Parameters: moment; kinds (a regular expression), coin (of settlement) and instrument (LIKE patterns); lookback, how far back lists are looked at
-- Column exchange, kind, pair, currency, instrument_name: a row for each instrument with listing ≤ moment < expiry; pair is how the names begin
-- Column base, quote, price_unit: what is traded, what it is quoted in, and the currency of its prices
-- Column strike, option_type: of options
-- Column listed_ts, expiry_ts: expiry is NULL where there is none
-- Column state: the last state reported, in the exchange's own words
-- Column tick_size, min_amount, contract_size, contract_unit: in force at that moment: tick size in `price_unit`, amounts in the exchange's own unit
-- Column list_ts, age: when the list used was received, and how long before the moment; where none had come yet, the first one after it, with a negative age
-- Column covered: false where no list from before the moment is known
CREATE OR REPLACE MACRO listed_at(moment, kinds := '.*', coin := '%', instrument := '%', lookback := '2 days') AS TABLE
WITH lists AS (
  SELECT *, recv_ts < moment::TIMESTAMPTZ AS is_before, epoch_us(recv_ts) AS recv_us
  FROM instruments_all
  WHERE regexp_full_match(kind, kinds) AND currency LIKE coin AND instrument_name LIKE instrument
    AND date BETWEEN utc_day(moment::TIMESTAMPTZ - lookback::INTERVAL) AND utc_day(moment) + 1
), last AS (
  SELECT exchange, kind, instrument_name, min(listed_ts) AS first_listed_ts,
    -- The newest from before the moment; else the oldest after it.
    arg_max({
      currency: currency, base: base, quote: quote, price_unit: price_unit, strike: strike, option_type: option_type,
      expiry_ts: expiry_ts, state: state, tick_size: tick_size, min_amount: min_amount, contract_size: contract_size,
      contract_unit: contract_unit, recv_ts: recv_ts
    }, (is_before, CASE WHEN is_before THEN recv_us ELSE -recv_us END, seq)) AS said
  FROM lists
  GROUP BY exchange, kind, instrument_name
)
SELECT exchange, kind, pair_of(instrument_name) AS pair, said.currency, instrument_name, said.base AS base,
  said.quote AS quote, said.price_unit AS price_unit, said.strike AS strike, said.option_type AS option_type,
  first_listed_ts AS listed_ts, said.expiry_ts AS expiry_ts, said.state AS state, said.tick_size AS tick_size,
  said.min_amount AS min_amount, said.contract_size AS contract_size, said.contract_unit AS contract_unit,
  said.recv_ts AS list_ts, moment::TIMESTAMPTZ - said.recv_ts AS age, said.recv_ts < moment::TIMESTAMPTZ AS covered
FROM last
WHERE first_listed_ts <= moment::TIMESTAMPTZ
  AND (said.expiry_ts IS NULL OR said.expiry_ts > moment::TIMESTAMPTZ)
ORDER BY exchange, kind, instrument_name;
