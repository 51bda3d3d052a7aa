-- Volatility index such as DVOL, in percent (one row per frame).
CREATE MACRO shape() AS '{"timestamp": "DOUBLE", "index_name": "VARCHAR", "volatility": "DOUBLE"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.index_name IS NULL THEN 'no index_name'
  WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp'
END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.index_name AS instrument_name, conn, seq, source,
  data.index_name AS index_name, data.volatility AS volatility,
  channel, extra, row_no
FROM frame_items;
