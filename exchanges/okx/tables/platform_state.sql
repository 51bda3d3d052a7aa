-- Maintenance: announced, under way or over (one row per announcement; the last one comes on subscribing).
CREATE MACRO shape() AS '{
  "ts": "VARCHAR", "title": "VARCHAR", "state": "VARCHAR", "begin": "VARCHAR", "end": "VARCHAR",
  "preOpenBegin": "VARCHAR", "href": "VARCHAR", "serviceType": "VARCHAR", "system": "VARCHAR", "scheDesc": "VARCHAR",
  "maintType": "VARCHAR", "env": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data."title" AS "title", data."state" AS "state", whole_of(data."begin") AS "begin", whole_of(data."end") AS "end",
  whole_of(data."preOpenBegin") AS "preOpenBegin", data."href" AS "href", data."serviceType" AS "serviceType",
  data."system" AS "system", data."scheDesc" AS "scheDesc", data."maintType" AS "maintType", data."env" AS "env",
  channel, with_members(extra, [
    beyond_whole('begin', data."begin"), beyond_whole('end', data."end"),
    beyond_whole('preOpenBegin', data."preOpenBegin")
  ]) AS extra, row_no
FROM frame_items;
