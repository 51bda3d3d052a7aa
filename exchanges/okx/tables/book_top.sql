-- The five best levels of each side, complete in every frame (one row per level of a frame).
CREATE MACRO shape() AS '{
  "asks": [["VARCHAR"]], "bids": [["VARCHAR"]], "instId": "VARCHAR", "ts": "VARCHAR", "checksum": "BIGINT",
  "seqId": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

-- include _level

SELECT
  recv_ts, moment(number_of(data.ts)) AS exchange_ts, about_of(channel) AS instrument_name, conn, seq, source,
  data."seqId" AS "seqId", CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN place ELSE place - bid_count END AS "level",
  number_of(entry[1]) AS price, number_of(entry[2]) AS "size", whole_of(entry[4]) AS orders, channel,
-- include _levels
