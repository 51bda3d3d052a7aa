-- From frames to levels, bids first; a level that is not as it should be is kept whole in `extra`.
  channel,
  CASE
    WHEN NOT empty AND odd_level(entry) THEN object_of(concat_ws(',',
      '"level":' || json_extract(line, '$.frame.' || CASE WHEN json_exists(line, '$.frame.data') THEN 'data.' ELSE 'result.' END
          || CASE WHEN place <= bid_count THEN 'b[' || (place - 1) ELSE 'a[' || (place - bid_count - 1) END || ']')::VARCHAR,
      CASE WHEN place = 1 THEN members_of(extra) END))
    ELSE with_members(CASE WHEN place = 1 THEN extra END, long_texts(entry))
  END AS extra,
  is_row * place AS row_no
FROM (
  SELECT
    *,
    unnest(levels) AS entry,
    unnest(range(1, 1 + len(levels))) AS place
  FROM (
    SELECT
      * EXCLUDE (row_no), row_no AS is_row,
      coalesce(len(data.b), 0) AS bid_count,
      CASE
        WHEN coalesce(len(data.b), 0) + coalesce(len(data.a), 0) = 0 THEN [NULL::VARCHAR[]]
        ELSE list_concat(data.b, data.a)
      END AS levels,
      coalesce(len(data.b), 0) + coalesce(len(data.a), 0) = 0 AS empty
    FROM frame_items
  )
);
