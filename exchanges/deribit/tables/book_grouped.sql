-- Best levels of a grouped book (one row per level of a frame). Each frame replaces the one before; `level` counts from
-- 1, best first. A frame without any level gives one row without side.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR", "change_id": "BIGINT",
  "bids": [["VARCHAR"]], "asks": [["VARCHAR"]]
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.change_id IS NULL THEN 'no change_id'
  ELSE instrument_verdict(data)
END;

-- A level that is not [price, amount] is odd.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 2 OR TRY_CAST(level[1] AS DOUBLE) IS NULL OR TRY_CAST(level[2] AS DOUBLE) IS NULL;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.change_id AS change_id, part_of(channel, 3) AS price_group, TRY_CAST(part_of(channel, 4) AS BIGINT) AS depth,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN place ELSE place - bid_count END AS "level",
  TRY_CAST(entry[1] AS DOUBLE) AS price, TRY_CAST(entry[2] AS DOUBLE) AS amount,
-- include _levels
