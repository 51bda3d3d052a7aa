-- Order books that include retail price improvement orders (RPI), up to 400 levels (one row per level of a frame). `size`
-- is the total, `other_size` the part that is not RPI. Otherwise as `book`.
CREATE MACRO shape() AS '{
  "asks": [["VARCHAR"]], "bids": [["VARCHAR"]], "ts": "VARCHAR", "seqId": "BIGINT", "prevSeqId": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

-- A level that is not [price, size, size without RPI, orders] is odd.
CREATE MACRO odd_level(level) AS coalesce(len(level), 0) <> 4 OR number_of(level[1]) IS NULL OR number_of(level[2]) IS NULL
  OR is_beyond(level[1]) OR is_beyond(level[2]) OR number_of(level[3]) IS NULL
  OR is_beyond(level[3]) OR whole_of(level[4]) IS NULL;

-- The instrument in a channel's name.
CREATE MACRO about_of(channel) AS nullif(substr(channel, 1 + length(split_part(channel, '.', 1)) + 1), '');

SELECT
  recv_ts, moment(number_of(data.ts)) AS exchange_ts, about_of(channel) AS instrument_name, conn, seq, source,
  data."seqId" AS "seqId", data."prevSeqId" AS "prevSeqId", asked AS "action",
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS "size", number_of(entry[3]) AS other_size,
  whole_of(entry[4]) AS orders, channel,
-- include _levels
