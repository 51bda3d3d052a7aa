-- Order books (one row per level of a frame). A frame without any level gives one row without side, so that an empty
-- snapshot is not lost. Frames of 2019 have no `type`: then the one without `prev_change_id` is the snapshot.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR", "type": "VARCHAR",
  "change_id": "BIGINT", "prev_change_id": "BIGINT",
  "bids": [["VARCHAR"]], "asks": [["VARCHAR"]]
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.change_id IS NULL THEN 'no change_id'
  ELSE instrument_verdict(data)
END;

-- A level that is not [action, price, amount] is odd.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 3 OR TRY_CAST(level[2] AS DOUBLE) IS NULL OR TRY_CAST(level[3] AS DOUBLE) IS NULL;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.change_id AS change_id, data.prev_change_id AS prev_change_id, data."type" AS "type",
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  entry[1] AS action, TRY_CAST(entry[2] AS DOUBLE) AS price, TRY_CAST(entry[3] AS DOUBLE) AS amount,
-- include _levels
