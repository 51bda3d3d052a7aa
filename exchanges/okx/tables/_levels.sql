-- From rows to levels, bids first; a level that is not as it should be is kept whole in `extra`.
  CASE WHEN NOT empty AND odd_level(entry) THEN object_of(concat_ws(',',
      '"level":' || CAST(to_json(entry) AS VARCHAR), CASE WHEN place = 1 THEN members_of(extra) END))
    WHEN place = 1 THEN extra END AS extra,
  CASE WHEN is_row = 0 THEN 0 ELSE (is_row - 1) * 1000000 + place END AS row_no
FROM (
  SELECT *, unnest(levels) AS entry, unnest(range(1, 1 + len(levels))) AS place
  FROM (
    SELECT * EXCLUDE (row_no), row_no AS is_row, coalesce(len(data.bids), 0) AS bid_count,
      coalesce(len(data.bids), 0) + coalesce(len(data.asks), 0) = 0 AS empty,
      CASE WHEN coalesce(len(data.bids), 0) + coalesce(len(data.asks), 0) = 0 THEN [NULL::VARCHAR[]]
        ELSE list_concat(coalesce(data.bids, []), coalesce(data.asks, [])) END AS levels
    FROM frame_items
  )
);
