-- Question: what were the best bid and ask, on a grid of moments?
-- Example: FROM quotes_at(INTERVAL 1 MINUTE, '2026-11-22 14:00', '2026-11-22 15:00', instrument := 'BTC-PERPETUAL')
-- Parameters: step, from_ts, to_ts; instrument (a LIKE pattern); lookback, how old a quote may be
-- Column at_ts: each moment from `from_ts` to `to_ts`, a step apart
-- Column exchange, kind, currency, instrument_name: which instrument
-- Column bid_price, ask_price, price_unit: the last quote strictly before the moment; NULL where that side is empty; `price_unit` is their currency
-- Column bid_amount_coin, ask_amount_coin: in base coin
-- Column quote_ts, age: when that quote was sent, and how long before the moment
-- Column covered: false where a gap lies between the quote and the moment, so that the quote then is unknown and NULL; NULL: not known yet
CREATE OR REPLACE MACRO quotes_at(step, from_ts, to_ts, instrument := '%', lookback := '1 hour') AS TABLE
WITH quotes AS (
  SELECT exchange, kind, instrument_name, any_value(currency) AS currency,
    CASE WHEN exchange_ts < from_ts::TIMESTAMPTZ THEN 0
      ELSE (epoch_us(exchange_ts) - us_of(from_ts)) // us_long(step) + 1 END::BIGINT AS place,
    max(exchange_ts) AS quote_ts,
    arg_max({
      recv_us: epoch_us(recv_ts), bid: bid_price, bid_amount: bid_amount_base, ask: ask_price,
      ask_amount: ask_amount_base, unit: price_unit
    }, (exchange_ts, recv_ts, seq)) AS best
  FROM quotes_all
  WHERE instrument_name LIKE instrument
    AND exchange_ts > from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts) + 1
  GROUP BY exchange, kind, instrument_name, place
), lost AS (
  -- A state is unknown from the begin of a gap to the next row of its instrument.
  SELECT concat_ws(' ', n.exchange, n.kind, n.instrument_name) AS what, epoch_us(g.from_ts) AS began_us,
    min(CASE WHEN g.state <> 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS lost_us,
    min(CASE WHEN g.state = 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS pending_us
  FROM (SELECT DISTINCT exchange, kind, instrument_name FROM quotes) n JOIN gaps g
    ON n.exchange = g.exchange AND (g.instrument_kind IS NULL OR g.instrument_kind = n.kind)
    AND (g.instrument_name IS NULL OR g.instrument_name = n.instrument_name)
  WHERE (g.channel = 'quote') AND g.state <> 'healed'
    AND g.from_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ
  WINDOW later AS (PARTITION BY n.exchange, n.kind, n.instrument_name ORDER BY g.from_ts DESC)
  -- DuckDB 1.2 loses all rows where it sees that nothing is joined: so there is one row, and a key that it cannot see through.
  UNION ALL SELECT '', 0, NULL, NULL
), dark AS (
  -- Days of which no account is known.
  SELECT g.exchange || ' ' AS what, epoch_us(g.from_ts) AS began_us, epoch_us(g.to_ts) AS until_us FROM gaps g
  WHERE g.channel IS NULL AND g.state = 'not yet known'
    AND g.to_ts > from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ + INTERVAL '1 hour'
  UNION ALL SELECT '', 0, 0
), spans AS (
  SELECT *, best.recv_us AS recv_us, lead(place) OVER (PARTITION BY exchange, kind, instrument_name ORDER BY place) AS next_place
  FROM quotes
), judged AS (
  SELECT s.*, lost_us, CASE WHEN s.recv_us < dark.until_us THEN 0 ELSE pending_us END AS pending_us
  FROM spans s ASOF LEFT JOIN lost
    ON concat_ws(' ', s.exchange, s.kind, s.instrument_name) = lost.what AND s.recv_us <= lost.began_us
    ASOF LEFT JOIN dark ON s.exchange || ' ' = dark.what AND s.recv_us >= dark.began_us
), filled AS (
  SELECT * EXCLUDE (place, next_place),
    us_of(from_ts) + us_long(step) * unnest(range(place,
      coalesce(next_place, (us_of(to_ts) - us_of(from_ts)) // us_long(step) + 1))) AS at_us
  FROM judged
), stated AS (
  SELECT * EXCLUDE (best),
    CASE WHEN at_us > lost_us THEN false WHEN at_us > pending_us THEN NULL ELSE true END AS covered,
    CASE WHEN at_us > lost_us THEN NULL ELSE best END AS best
  FROM filled
  WHERE at_us - epoch_us(quote_ts) < us_long(lookback)
)
SELECT make_timestamptz(at_us) AS at_ts, exchange, kind, currency, instrument_name, best.bid AS bid_price,
  best.ask AS ask_price, best.unit AS price_unit, best.bid_amount AS bid_amount_coin,
  best.ask_amount AS ask_amount_coin, quote_ts, to_microseconds(at_us - epoch_us(quote_ts)) AS age, covered
FROM stated;
