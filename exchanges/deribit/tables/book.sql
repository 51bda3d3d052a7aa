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

-- A level that is not [action, price, amount] is kept whole in `extra`.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 3 OR TRY_CAST(level[2] AS DOUBLE) IS NULL OR TRY_CAST(level[3] AS DOUBLE) IS NULL;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.change_id AS change_id, data.prev_change_id AS prev_change_id, data."type" AS "type",
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  level[1] AS action, TRY_CAST(level[2] AS DOUBLE) AS price, TRY_CAST(level[3] AS DOUBLE) AS amount,
  channel,
  CASE
    WHEN NOT empty AND odd_level(level) THEN object_of(concat_ws(',',
      '"level":' || json_extract(line, CASE WHEN place <= bid_count
          THEN '$.frame.params.data.bids[' || (place - 1) || ']'
          ELSE '$.frame.params.data.asks[' || (place - bid_count - 1) || ']' END)::VARCHAR,
      CASE WHEN place = 1 THEN members_of(extra) END))
    WHEN place = 1 THEN extra
  END AS extra,
  is_row * place AS row_no
FROM (
  SELECT
    *,
    unnest(levels) AS level,
    unnest(range(1, 1 + len(levels))) AS place
  FROM (
    SELECT
      * EXCLUDE (row_no), row_no AS is_row,
      coalesce(len(data.bids), 0) AS bid_count,
      CASE
        WHEN coalesce(len(data.bids), 0) + coalesce(len(data.asks), 0) = 0 THEN [NULL::VARCHAR[]]
        ELSE list_concat(data.bids, data.asks)
      END AS levels,
      coalesce(len(data.bids), 0) + coalesce(len(data.asks), 0) = 0 AS empty
    FROM frame_items
  )
);
