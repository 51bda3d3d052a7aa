-- Bars of a volatility index, polled (one row per bar of an answer). What was asked, such as `volatility_index_history BTC
-- 60`, says currency and resolution; `instrument_name` is the index, `btc_usd`.
CREATE MACRO shape() AS '{"data": [["DOUBLE"]], "continuation": "BIGINT"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.data IS NULL THEN 'result.data is not a list'
  WHEN len(data.data) = 0 THEN 'known: no items'
  WHEN list_bool_or(list_transform(data.data, bar -> coalesce(len(bar), 0) <> 5 OR moment(bar[1]) IS NULL))
    THEN 'a bar is not [time, open, high, low, close]'
END;

SELECT
  recv_ts, moment(bar[1]) AS exchange_ts, lower(word_of(asked, 2)) || '_usd' AS instrument_name, conn, seq, source,
  word_of(asked, 3) AS resolution, bar[2] AS "open", bar[3] AS high, bar[4] AS low, bar[5] AS "close",
  CASE WHEN place = 1 THEN extra END AS extra, is_row * place AS row_no
FROM (
  SELECT * EXCLUDE (row_no), row_no AS is_row,
    unnest(CASE WHEN row_no > 0 THEN data.data ELSE [NULL] END) AS bar,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.data)) ELSE [0] END) AS place
  FROM frame_items
);
