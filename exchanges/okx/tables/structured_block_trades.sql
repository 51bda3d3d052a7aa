-- Block trades of several legs, as one row each (one row per trade, published 15 minutes late). `legs` is JSON: instrument,
-- price, size, side and trade id of each.
CREATE MACRO shape() AS '{"blockTdId": "VARCHAR", "groupId": "VARCHAR", "cTime": "VARCHAR", "legs": "JSON"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."blockTdId", '') = '' THEN 'no blockTdId'
  WHEN moment(number_of(data."cTime")) IS NULL THEN 'no valid cTime'
END;

SELECT
  recv_ts, moment(number_of(data."cTime")) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data."blockTdId" AS "blockTdId", data."groupId" AS "groupId", CAST(data.legs AS VARCHAR) AS legs,
  channel, extra, row_no
FROM frame_items;
