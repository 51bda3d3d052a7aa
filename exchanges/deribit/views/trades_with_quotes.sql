-- Question: what were bid, ask, IV and greeks at each trade, and where between bid and ask was its price?
-- Example: FROM trades_with_quotes('BTC-PERPETUAL', '2026-11-22 14:00', '2026-11-22 15:00')
-- Parameters: instrument (a LIKE pattern), from_ts, to_ts; kinds (a regular expression), coin (of settlement, a LIKE pattern); lookback, how old a quote or ticker may be
-- Column exchange_ts, instrument_name, kind, pair, currency: a row for each trade with `from_ts` ≤ time < `to_ts`; pair is how the names begin, currency what it settles in
-- Column trade_id, trade_seq, direction, price, amount: of the trade; `direction` is the taker's; amount is in USD for inverse perpetuals and futures, else in base coin
-- Column iv_pct, index_price_usd: of the trade; IV in percent
-- Column block_trade_id, block_rfq_id, combo_role: set where it was agreed outside the book, or is a leg of a combo
-- Column bid, ask: the last best prices strictly before the trade; NULL where that side is empty, or the last quote is older than `lookback`
-- Column mid: halfway between bid and ask
-- Column position: of the price between them: 0 at the bid, 1 at the ask; outside 0 to 1 where the trade went through the best price
-- Column age: how long before the trade the quote was sent
-- Column covered: false where a gap lies between the quote and the trade, so that the quote then is unknown; NULL: not known yet
-- Column mark_iv_pct, bid_iv_pct, ask_iv_pct, delta, gamma_per_usd, vega_usd_per_point, theta_usd_per_day, open_interest_coin, underlying_price_usd: for options: from the last ticker strictly before the trade; greeks are those of a long option
-- Column ticker_age, ticker_covered: how long before the trade that ticker was sent; false where a gap lies between
CREATE OR REPLACE MACRO trades_with_quotes(
  instrument, from_ts, to_ts, kinds := '.*', coin := '%', lookback := '1 hour'
) AS TABLE
WITH wanted AS (
  SELECT exchange_ts, recv_ts, seq, instrument_name, kind, currency, trade_id, trade_seq, direction, price, amount, iv, index_price,
    block_trade_id, block_rfq_id, combo_role
  FROM deribit.trades
  WHERE instrument_name LIKE instrument AND regexp_full_match(kind, kinds) AND currency LIKE coin
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts) - 1 AND utc_day(to_ts) + 1
), moments AS (SELECT DISTINCT instrument_name, kind, exchange_ts FROM wanted
), quotes AS (
  -- One row that fits nothing: DuckDB 1.2 loses all rows where it sees that nothing is joined.
  SELECT instrument_name, exchange_ts AS state_ts, arg_max({
      recv_us: epoch_us(recv_ts), bid: nullif(best_bid_price, 0), ask: nullif(best_ask_price, 0)
    }, (recv_ts, seq)) AS state
  FROM deribit.quote
  WHERE instrument_name IN (SELECT instrument_name FROM moments) AND instrument_name LIKE instrument
    AND regexp_full_match(kind, kinds) AND currency LIKE coin
    AND exchange_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts) + 1
  GROUP BY instrument_name, exchange_ts
  UNION ALL SELECT '', TIMESTAMPTZ '1970-01-01 00:00:00+00', NULL
), tickers AS (
  SELECT instrument_name, exchange_ts AS state_ts, arg_max({
      recv_us: epoch_us(recv_ts), mark_iv: mark_iv, bid_iv: CASE WHEN best_bid_price > 0 THEN bid_iv END,
      ask_iv: CASE WHEN best_ask_price > 0 THEN ask_iv END, delta: greeks_delta, gamma: greeks_gamma,
      vega: greeks_vega, theta: greeks_theta, open_interest: open_interest, underlying_price: underlying_price
    }, (recv_ts, seq)) AS state
  FROM deribit.ticker
  WHERE kind = 'option' AND instrument_name IN (SELECT instrument_name FROM moments) AND instrument_name LIKE instrument
    AND regexp_full_match(kind, kinds) AND currency LIKE coin
    AND exchange_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts) + 1
  GROUP BY instrument_name, exchange_ts
  UNION ALL SELECT '', TIMESTAMPTZ '1970-01-01 00:00:00+00', NULL
), lost AS (
  -- A state is unknown from the begin of a gap to the next row of its instrument.
  SELECT g.channel || ' ' || n.instrument_name AS what, epoch_us(g.from_ts) AS began_us,
    min(CASE WHEN g.state <> 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS lost_us,
    min(CASE WHEN g.state = 'not yet known' THEN epoch_us(g.from_ts) END) OVER later AS pending_us
  FROM (SELECT DISTINCT instrument_name, kind FROM moments) n
    JOIN gaps g
    ON (g.instrument_kind IS NULL OR g.instrument_kind = n.kind)
    AND (g.instrument_name IS NULL OR g.instrument_name = n.instrument_name)
  WHERE g.exchange = 'deribit' AND g.channel IN ('quote', 'ticker') AND g.state <> 'healed'
    AND g.from_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ
  WINDOW later AS (PARTITION BY g.channel, n.instrument_name ORDER BY g.from_ts DESC)
  UNION ALL SELECT '', 0, NULL, NULL
), dark AS (
  -- Days of which no account is known.
  SELECT g.exchange || ' ' AS what, epoch_us(g.from_ts) AS began_us, epoch_us(g.to_ts) AS until_us FROM gaps g
  WHERE g.exchange = 'deribit' AND g.channel IS NULL AND g.state = 'not yet known'
    AND g.to_ts > from_ts::TIMESTAMPTZ - lookback::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ + INTERVAL '1 hour'
  UNION ALL SELECT '', 0, 0
), quoted AS (
  SELECT m.instrument_name AS instrument_name, m.exchange_ts AS exchange_ts, state_ts, state, coalesce((state).recv_us, 0) AS recv_us
  FROM moments m ASOF LEFT JOIN quotes q ON m.instrument_name = q.instrument_name AND m.exchange_ts > q.state_ts
), ticked AS (
  SELECT m.instrument_name AS instrument_name, m.exchange_ts AS exchange_ts, state_ts, state, coalesce((state).recv_us, 0) AS recv_us
  FROM moments m ASOF LEFT JOIN tickers k ON m.instrument_name = k.instrument_name AND m.exchange_ts > k.state_ts
), judged AS (
  SELECT t.channel AS channel, t.instrument_name AS instrument_name, t.exchange_ts AS exchange_ts, lost_us,
    CASE WHEN t.recv_us < dark.until_us THEN 0 ELSE pending_us END AS pending_us
  FROM (SELECT 'quote' AS channel, instrument_name, exchange_ts, recv_us FROM quoted
      UNION ALL SELECT 'ticker', instrument_name, exchange_ts, recv_us FROM ticked) t
    ASOF LEFT JOIN lost l ON t.channel || ' ' || t.instrument_name = l.what AND t.recv_us <= l.began_us
    ASOF LEFT JOIN dark ON left('deribit ' || t.channel, 8) = dark.what AND t.recv_us >= dark.began_us
), states AS (
  SELECT w.*, w.exchange_ts - q.state_ts <= lookback::INTERVAL AS is_quoted, w.exchange_ts - q.state_ts AS quote_age,
    q.state AS best, w.exchange_ts - k.state_ts <= lookback::INTERVAL AS is_ticked, w.exchange_ts - k.state_ts AS ticked_age,
    k.state AS said, epoch_us(w.exchange_ts) > jq.lost_us AS is_quote_lost, epoch_us(w.exchange_ts) > jq.pending_us AS is_quote_pending,
    epoch_us(w.exchange_ts) > jk.lost_us AS is_ticker_lost, epoch_us(w.exchange_ts) > jk.pending_us AS is_ticker_pending
  FROM wanted w
    JOIN quoted q ON w.instrument_name = q.instrument_name AND w.exchange_ts = q.exchange_ts
    JOIN ticked k ON w.instrument_name = k.instrument_name AND w.exchange_ts = k.exchange_ts
    JOIN judged jq ON jq.channel = 'quote' AND w.instrument_name = jq.instrument_name AND w.exchange_ts = jq.exchange_ts
    JOIN judged jk ON jk.channel = 'ticker' AND w.instrument_name = jk.instrument_name AND w.exchange_ts = jk.exchange_ts
), known AS (
  SELECT * EXCLUDE (best, said),
    CASE WHEN is_quoted AND coalesce(NOT is_quote_lost, true) THEN best END AS best,
    CASE WHEN is_ticked AND coalesce(NOT is_ticker_lost, true) THEN said END AS said
  FROM states
)
SELECT exchange_ts, instrument_name, kind, pair_of(instrument_name) AS pair, currency, trade_id, trade_seq, direction,
  price, amount, iv AS iv_pct, index_price AS index_price_usd, block_trade_id, block_rfq_id, combo_role,
  best.bid AS bid, best.ask AS ask,
  (best.bid + best.ask) / 2 AS mid, (price - best.bid) / nullif(best.ask - best.bid, 0) AS position,
  CASE WHEN is_quoted THEN quote_age END AS age,
  CASE WHEN is_quoted IS NOT true OR is_quote_lost THEN false WHEN is_quote_pending THEN NULL ELSE true END AS covered,
  said.mark_iv AS mark_iv_pct, said.bid_iv AS bid_iv_pct, said.ask_iv AS ask_iv_pct, said.delta AS delta,
  said.gamma AS gamma_per_usd, said.vega AS vega_usd_per_point, said.theta AS theta_usd_per_day,
  said.open_interest AS open_interest_coin, said.underlying_price AS underlying_price_usd,
  CASE WHEN is_ticked THEN ticked_age END AS ticker_age,
  CASE WHEN kind <> 'option' THEN NULL WHEN is_ticked IS NOT true OR is_ticker_lost THEN false
    WHEN is_ticker_pending THEN NULL ELSE true END AS ticker_covered
FROM known
ORDER BY instrument_name, exchange_ts, trade_seq;
