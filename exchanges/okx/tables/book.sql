-- Order books of up to 400 levels (one row per level of a frame). A frame without any level is a heartbeat and gives one
-- row without side. A size of 0 removes the level. `prevSeqId` is the `seqId` of the frame before, -1 in a snapshot; after
-- maintenance, `seqId` may be lower than it. `checksum` is 0 since 2026-06-23.
CREATE MACRO shape() AS '{
  "asks": [["VARCHAR"]], "bids": [["VARCHAR"]], "ts": "VARCHAR", "checksum": "BIGINT", "seqId": "BIGINT",
  "prevSeqId": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

-- include _level

SELECT
  recv_ts, moment(number_of(data.ts)) AS exchange_ts, about_of(channel) AS instrument_name, conn, seq, source,
  data."seqId" AS "seqId", data."prevSeqId" AS "prevSeqId", asked AS "action", data.checksum AS checksum,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS "size", whole_of(entry[4]) AS orders, channel,
-- include _levels
