-- The book that changes of all levels begin with, as it was asked for (one row per level of an answer).
-- include _pushed
CREATE MACRO shape() AS '{
  "s": "VARCHAR", "b": [["VARCHAR"]], "a": [["VARCHAR"]], "u": "BIGINT", "seq": "BIGINT", "ts": "DOUBLE", "cts": "DOUBLE"
}';
-- include _book_verdict
-- include _plain_levels

SELECT
  recv_ts, moment(coalesce(data.cts, data.ts)) AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(data.ts) AS sent_ts,
  data.u AS update_id, data.seq AS cross_seq, 'snapshot' AS "type", NULL::BIGINT AS depth,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS size,
-- include _levels
