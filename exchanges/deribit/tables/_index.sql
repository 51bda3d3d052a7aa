-- What both tables of indexes begin with; `instrument_name` is the index's name, too, so that every table is sorted and
-- searched by the same column.
CREATE MACRO verdict(line, data) AS CASE
  WHEN data.index_name IS NULL THEN 'no index_name'
  WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp'
END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.index_name AS instrument_name, conn, seq, source,
  data.index_name AS index_name,
