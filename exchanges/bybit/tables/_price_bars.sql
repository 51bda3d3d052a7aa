-- A bar of an answer is a list: [start, open, high, low, close]; one that is longer is kept whole in `extra`.
CREATE MACRO shape() AS '{"symbol": "VARCHAR", "category": "VARCHAR", "list": [["VARCHAR"]]}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.symbol IS NULL THEN 'no symbol'
  WHEN len(data.list) = 0 THEN 'known: no items'
  WHEN data.list IS NULL THEN 'list is none'
  WHEN list_bool_or(list_transform(data.list, bar -> moment(number_of(bar[1])) IS NULL)) THEN 'no valid start'
END;

SELECT
  recv_ts, moment(number_of(entry[1])) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  data.category AS category,
  number_of(entry[2]) AS "open", number_of(entry[3]) AS high, number_of(entry[4]) AS low, number_of(entry[5]) AS "close",
  with_members(CASE WHEN place = 1 THEN extra END, [
    beyond('open', entry[2]), beyond('high', entry[3]), beyond('low', entry[4]), beyond('close', entry[5]),
    as_member(CASE WHEN len(entry) <> 5 THEN '"bar":' || CAST(to_json(entry) AS VARCHAR) END)]) AS extra,
  is_row * place AS row_no
FROM (
  SELECT * EXCLUDE (row_no), row_no AS is_row,
    unnest(CASE WHEN row_no > 0 THEN data.list ELSE [NULL] END) AS entry,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.list)) ELSE [1] END) AS place
  FROM frame_items
);
