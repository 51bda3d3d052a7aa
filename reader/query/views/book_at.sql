-- Question: what did an order book look like at a moment?
-- Example: FROM book_at('BTC-PERPETUAL', '2026-11-22 14:00', depth := 10)
-- Parameters: instrument (its name), moment; depth, levels of each side; lookback, how old its last snapshot may be
-- Column exchange, kind, instrument_name, channel: which book; of several channels, the one that changed last
-- Column side, level: `bid` or `ask`; level 1 is the best price
-- Column price, price_unit, amount_coin: amount in base coin
-- Column snapshot_ts, change_ts: when the exchange sent the snapshot and the last change, both strictly before the moment
-- Column age: how long before the moment the last change was sent
-- Column covered: false where a change since the snapshot is missing: the book is then one row without levels; NULL: not known yet
CREATE OR REPLACE MACRO book_at(instrument, moment, depth := 1000000, lookback := '1 day') AS TABLE
WITH changes AS (
  SELECT exchange, kind, instrument_name, channel, is_snapshot, side, price, price_unit, amount_base, exchange_ts, recv_ts, seq,
    (exchange_ts, recv_ts, seq) AS place
  FROM book_changes_all
  WHERE instrument_name = instrument AND exchange_ts < moment::TIMESTAMPTZ
    AND exchange_ts >= moment::TIMESTAMPTZ - lookback::INTERVAL
    AND date BETWEEN utc_day(moment::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(moment) + 1
), starts AS (
  SELECT exchange, kind, channel, max(place) FILTER (is_snapshot) AS start, max(place) AS last,
    arg_max(recv_ts, place) FILTER (is_snapshot) AS start_recv_ts, arg_max(exchange_ts, place) FILTER (is_snapshot) AS snapshot_ts,
    max(exchange_ts) AS change_ts
  FROM changes
  GROUP BY exchange, kind, channel
  HAVING start IS NOT NULL
), chosen AS (
  SELECT * FROM starts QUALIFY row_number() OVER (PARTITION BY exchange, kind ORDER BY last DESC) = 1
), near AS (
  SELECT * FROM gaps
  WHERE to_ts > moment::TIMESTAMPTZ - lookback::INTERVAL - INTERVAL '1 minute' AND from_ts < moment::TIMESTAMPTZ
), judged AS (
  SELECT c.*, bool_or(g.state IN ('missing', 'not recording')) AS is_lost, bool_or(g.state = 'not yet known') AS is_pending
  FROM chosen c LEFT JOIN near g ON g.exchange = c.exchange AND (g.channel IS NULL OR g.channel = 'book')
    AND g.state <> 'healed' AND (g.instrument_kind IS NULL OR g.instrument_kind = c.kind)
    AND (g.instrument_name IS NULL OR g.instrument_name = instrument)
    AND (g.from_ts >= c.start_recv_ts OR (g.channel IS NULL AND g.to_ts > c.start_recv_ts)) AND g.from_ts < moment::TIMESTAMPTZ
  GROUP BY ALL
), levels AS (
  SELECT j.exchange AS exchange, j.kind AS kind, j.channel AS channel, side, price, any_value(price_unit) AS price_unit,
    arg_max(amount_base, place) AS amount_coin
  FROM changes JOIN judged j ON changes.exchange = j.exchange AND changes.kind = j.kind AND changes.channel = j.channel
  WHERE place >= start AND side IS NOT NULL AND is_lost IS NOT true
  GROUP BY j.exchange, j.kind, j.channel, side, price
  HAVING arg_max(amount_base, place) > 0
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY exchange, kind, side ORDER BY CASE side WHEN 'bid' THEN -price ELSE price END) AS level
  FROM levels
)
SELECT j.exchange AS exchange, j.kind AS kind, instrument AS instrument_name, j.channel AS channel, side, level, price, price_unit,
  amount_coin, snapshot_ts, change_ts, moment::TIMESTAMPTZ - change_ts AS age,
  CASE WHEN is_lost THEN false WHEN is_pending THEN NULL ELSE true END AS covered
FROM judged j LEFT JOIN (SELECT * FROM ranked WHERE level <= depth) r USING (exchange, kind, channel)
ORDER BY exchange, kind, side DESC, level;
