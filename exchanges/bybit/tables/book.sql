-- Order books (one row per level of a frame). A frame without any level gives one row without side, so that an empty
-- snapshot is not lost. `update_id` (`u`) rises by 1 with each change of a channel; a snapshot may come at any time and
-- replaces the book, as does what has `update_id` 1, after a restart of the exchange. A size of 0 removes the price. Books
-- of all levels (`orderbook.full`) have no `depth`: their snapshots are answers, which may come after changes that follow
-- them; after an `update_id` of 1 the book is fetched again.
-- include _book
-- include _plain_levels

SELECT
  recv_ts, moment(coalesce(envelope.cts, envelope.ts)) AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(envelope.ts) AS sent_ts,
  data.u AS update_id, data.seq AS cross_seq, envelope."type" AS "type",
  TRY_CAST(split_part(regexp_replace(channel, '^spot\.', ''), '.', 2) AS BIGINT) AS depth,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS size,
-- include _levels
