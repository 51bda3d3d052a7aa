-- Order books (one row per level of a frame). A frame without any level gives one row without side, so that an empty
-- snapshot is not lost. `update_id` (`u`) rises by 1 with each change of a channel; a snapshot may come at any time and
-- replaces the book, as does what has `update_id` 1, after a restart of the exchange. A size of 0 takes the price away.
-- include _book
-- A level that is not [price, size] is odd.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 2 OR number_of(level[1]) IS NULL OR number_of(level[2]) IS NULL;
CREATE MACRO long_texts(level) AS [beyond('price', level[1]), beyond('size', level[2])];

SELECT
  recv_ts, moment(coalesce(told.cts, told.ts)) AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(told.ts) AS sent_ts,
  data.u AS update_id, data.seq AS cross_seq, told."type" AS "type",
  TRY_CAST(split_part(regexp_replace(channel, '^spot\.', ''), '.', 2) AS BIGINT) AS depth,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS size,
-- include _levels
