-- Question: what did the tickers of instruments say, on a grid of moments?
-- Example: FROM tickers_at(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', kinds := 'future|perpetual')
-- Parameters: step, from_ts, to_ts; kinds (a regular expression), coin and instrument (LIKE patterns); lookback, how old a ticker may be
-- Column at_ts: each moment from `from_ts` to `to_ts`, a step apart
-- Column exchange, kind, currency, instrument_name: a row for each instrument that is listed at the moment; currency is what it settles in
-- Column base, quote: what is traded, and what its price, or that of its underlying, is quoted in
-- Column expiry_ts, strike, option_type: NULL for instruments without them
-- Column last_price, mark_price, bid_price, ask_price, price_unit: NULL where there is none; `price_unit` is their currency
-- Column bid_amount_coin, ask_amount_coin, open_interest_coin, volume_24h_coin: in base coin
-- Column turnover_24h_usd: in `quote`, which counts as USD; of options, the premium paid
-- Column underlying_price_usd, index_price_usd: the underlying price of an option, and the index
-- Column bid_iv_pct, mark_iv_pct, ask_iv_pct: of options, percent; NULL where there is no such quote
-- Column delta, gamma_per_usd, vega_usd_per_point, theta_usd_per_day: of options: the exchange's greeks of a long option, rounded as it rounds them; delta of puts is negative
-- Column funding_rate: of a perpetual: the current rate as a fraction; positive: longs pay shorts
-- Column ticker_ts, age: when the ticker was sent, the last one strictly before the moment, and how long before
-- Column covered: false: the state is unknown (a gap, or no ticker within `lookback`), and its columns are NULL; NULL: not known yet
CREATE OR REPLACE MACRO tickers_at(
  step, from_ts, to_ts, kinds := '.*', coin := '%', instrument := '%', lookback := '1 hour'
) AS TABLE
WITH listed AS (
  SELECT exchange, kind, instrument_name, any_value(currency) AS currency, any_value(base) AS base,
    any_value(quote) AS quote, any_value(price_unit) AS price_unit, max(strike) AS strike,
    any_value(option_type) AS option_type, min(listed_ts) AS listed_ts, max(expiry_ts) AS expiry_ts
  FROM instruments_all
  WHERE regexp_full_match(kind, kinds) AND currency LIKE coin AND instrument_name LIKE instrument
    AND date BETWEEN utc_day(from_ts) - 2 AND utc_day(to_ts) + 1
  GROUP BY exchange, kind, instrument_name
), keys AS (
  -- The newest of each place on the grid, first without what it says: of all options that is too much to hold at once.
  SELECT exchange, kind, instrument_name, any_value(currency) AS currency,
    CASE WHEN exchange_ts < from_ts::TIMESTAMPTZ THEN 0
      ELSE (epoch_us(exchange_ts) - us_of(from_ts)) // us_long(step) + 1 END::BIGINT AS place,
    max(order_of(exchange_ts, recv_ts, seq)) AS newest
  FROM tickers_all
  WHERE regexp_full_match(kind, kinds) AND currency LIKE coin AND instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts) + 1
  GROUP BY exchange, kind, instrument_name, place
), names AS (
  SELECT exchange, kind, instrument_name, coalesce(any_value(l.currency), any_value(t.currency)) AS currency,
    any_value(l.base) AS base, any_value(l.quote) AS quote, any_value(l.price_unit) AS price_unit,
    coalesce(any_value(l.strike), strike_of(instrument_name)) AS strike,
    coalesce(any_value(l.option_type), option_type_of(instrument_name)) AS option_type,
    any_value(l.listed_ts) AS listed_ts, coalesce(any_value(l.expiry_ts), expiry_of(instrument_name)) AS expiry_ts
  FROM (SELECT exchange, kind, instrument_name, any_value(currency) AS currency FROM keys
    GROUP BY exchange, kind, instrument_name) t
    FULL JOIN listed l USING (exchange, kind, instrument_name)
  GROUP BY exchange, kind, instrument_name
), lived AS (
  -- The first and the last moment of the grid in the life of each.
  SELECT *, row_number() OVER (ORDER BY exchange, kind, instrument_name) AS id,
    greatest(0, (epoch_us(listed_ts) - us_of(from_ts) + us_long(step) - 1) // us_long(step))::BIGINT AS first_place,
    least((us_of(to_ts) - us_of(from_ts)) // us_long(step),
      CASE WHEN expiry_ts IS NULL THEN 9223372036854775806 WHEN expiry_ts <= from_ts::TIMESTAMPTZ THEN -1
        ELSE (epoch_us(expiry_ts) - us_of(from_ts) - 1) // us_long(step) END)::BIGINT AS last_place
  FROM names
), lost AS (
  -- A state is unknown from the begin of a gap to the next row of its instrument.
  SELECT id, epoch_us(g.from_ts) AS began_us,
    min(CASE WHEN g.state <> 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS lost_us,
    min(CASE WHEN g.state = 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS pending_us
  FROM lived n JOIN gaps g ON n.exchange = g.exchange AND (g.instrument_kind IS NULL OR g.instrument_kind = n.kind)
    AND (g.instrument_name IS NULL OR g.instrument_name = n.instrument_name)
  WHERE (g.channel = 'ticker') AND g.state <> 'healed'
    AND g.from_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ
  WINDOW later AS (PARTITION BY id ORDER BY g.from_ts DESC)
  -- DuckDB 1.2 loses all rows where it sees that nothing is joined: numbers around all there are keep it from that.
  UNION ALL SELECT unnest([0, 2147483647]), 0, NULL, NULL
), dark AS (
  -- Days of which no account is known.
  SELECT id, epoch_us(g.from_ts) AS began_us, epoch_us(g.to_ts) AS until_us
  FROM lived n JOIN gaps g ON n.exchange = g.exchange AND g.channel IS NULL AND g.state = 'not yet known'
  WHERE g.to_ts > from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ + INTERVAL '1 hour'
  UNION ALL SELECT unnest([0, 2147483647]), 0, 0
), known AS (
  SELECT id, place, newest, received_of(newest) AS recv_us FROM keys JOIN lived USING (exchange, kind, instrument_name)
  UNION ALL
  SELECT id, first_place, NULL, 0 FROM lived WHERE listed_ts IS NOT NULL
), spans AS (
  SELECT *, lead(place) OVER (PARTITION BY id ORDER BY place, recv_us) AS next_place FROM known
), judged AS (
  SELECT s.id AS id, newest, place, next_place, lost_us, CASE WHEN s.recv_us < dark.until_us THEN 0 ELSE pending_us END AS pending_us
  FROM spans s ASOF LEFT JOIN lost ON s.id = lost.id AND s.recv_us <= lost.began_us
    ASOF LEFT JOIN dark ON s.id = dark.id AND s.recv_us >= dark.began_us
), said AS (
  SELECT j.id AS id, exchange_ts AS ticker_ts, place, next_place, lost_us, pending_us,
    {
      base: t.base, quote: t.quote, price_unit: t.price_unit, last_price: last_price,
      mark_price: mark_price, index_price: index_price, bid_price: bid_price, bid_amount: bid_amount_base,
      ask_price: ask_price, ask_amount: ask_amount_base, open_interest: open_interest_base, volume: volume_24h_base,
      turnover: turnover_24h_quote, underlying_price: underlying_price, mark_iv: 100 * mark_iv_fraction,
      bid_iv: 100 * bid_iv_fraction, ask_iv: 100 * ask_iv_fraction, delta: delta, gamma: gamma, vega: vega,
      theta: theta, funding_rate: funding_rate
    } AS said
  FROM tickers_all t JOIN lived l ON t.exchange = l.exchange AND t.kind = l.kind AND t.instrument_name = l.instrument_name
    JOIN judged j ON l.id = j.id AND order_of(exchange_ts, recv_ts, seq) = newest
  WHERE regexp_full_match(t.kind, kinds) AND t.currency LIKE coin AND t.instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND t.date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts) + 1
  -- Two recorders may have received the same in the same µs.
  QUALIFY row_number() OVER (PARTITION BY j.id, place) = 1
  UNION ALL
  SELECT id, NULL, place, next_place, lost_us, pending_us, NULL FROM judged WHERE newest IS NULL
), filled AS (
  SELECT *,
    us_of(from_ts) + us_long(step)
      * unnest(range(greatest(place, first_place), least(coalesce(next_place, last_place + 1), last_place + 1))) AS at_us
  FROM said JOIN lived USING (id)
), stated AS (
  SELECT * EXCLUDE (said),
    CASE WHEN ticker_ts IS NULL OR at_us - epoch_us(ticker_ts) > us_long(lookback) OR at_us > lost_us THEN false
      WHEN at_us > pending_us THEN NULL ELSE true END AS covered,
    CASE WHEN at_us - epoch_us(ticker_ts) > us_long(lookback) OR at_us > lost_us THEN NULL ELSE said END AS said
  FROM filled
)
SELECT make_timestamptz(at_us) AS at_ts, exchange, kind, currency, instrument_name,
  coalesce(base, said.base) AS base, coalesce(quote, said.quote) AS quote, expiry_ts, strike, option_type,
  said.last_price AS last_price, said.mark_price AS mark_price, said.bid_price AS bid_price,
  said.ask_price AS ask_price, coalesce(price_unit, said.price_unit) AS price_unit,
  said.bid_amount AS bid_amount_coin, said.ask_amount AS ask_amount_coin,
  said.open_interest AS open_interest_coin, said.volume AS volume_24h_coin, said.turnover AS turnover_24h_usd,
  said.underlying_price AS underlying_price_usd, said.index_price AS index_price_usd,
  said.bid_iv AS bid_iv_pct, said.mark_iv AS mark_iv_pct, said.ask_iv AS ask_iv_pct,
  said.delta AS delta, said.gamma AS gamma_per_usd, said.vega AS vega_usd_per_point, said.theta AS theta_usd_per_day,
  said.funding_rate AS funding_rate, ticker_ts, to_microseconds(at_us - epoch_us(ticker_ts)) AS age, covered
FROM stated;
