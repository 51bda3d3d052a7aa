-- Best bid and ask (one row per frame of `orderbook.1`). The exchange repeats a quote that does not change for 3 s, with
-- the same `update_id`. A side that a snapshot leaves empty is NULL. Before 2024 there were changes (`type` `delta`): they
-- leave out a side that stays the same, and remove one with size 0.
-- include _book
CREATE MACRO is_odd(levels) AS coalesce(len(levels), 0) > 1 OR coalesce(len(levels[1]), 2) <> 2
  OR (len(levels) = 1 AND (number_of(levels[1][1]) IS NULL OR number_of(levels[1][2]) IS NULL));

SELECT
  recv_ts, moment(coalesce(envelope.cts, envelope.ts)) AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(envelope.ts) AS sent_ts,
  data.u AS update_id, data.seq AS cross_seq, envelope."type" AS "type",
  number_of(data.b[1][1]) AS bid_price, number_of(data.b[1][2]) AS bid_size,
  number_of(data.a[1][1]) AS ask_price, number_of(data.a[1][2]) AS ask_size,
  channel,
  with_members(extra, [
    as_member(CASE WHEN is_odd(data.b) THEN '"b":' || to_json(data.b)::VARCHAR END),
    as_member(CASE WHEN is_odd(data.a) THEN '"a":' || to_json(data.a)::VARCHAR END),
    beyond('bid_price', data.b[1][1]), beyond('bid_size', data.b[1][2]),
    beyond('ask_price', data.a[1][1]), beyond('ask_size', data.a[1][2])]) AS extra,
  row_no
FROM frame_items;
