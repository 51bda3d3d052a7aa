-- Auto-deleveraging warnings (one row per frame).
CREATE MACRO shape() AS '{
  "ts": "VARCHAR", "instType": "VARCHAR", "instFamily": "VARCHAR", "state": "VARCHAR", "bal": "VARCHAR",
  "ccy": "VARCHAR", "maxBal": "VARCHAR", "adlType": "VARCHAR", "adlBal": "VARCHAR", "adlRecBal": "VARCHAR",
  "maxBalTs": "VARCHAR", "adlRate": "VARCHAR", "adlRecRate": "VARCHAR", "decRate": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."instFamily" AS "instFamily", data."state" AS "state",
  number_of(data."bal") AS "bal", data."ccy" AS "ccy", number_of(data."maxBal") AS "maxBal",
  data."adlType" AS "adlType", number_of(data."adlBal") AS "adlBal", number_of(data."adlRecBal") AS "adlRecBal",
  whole_of(data."maxBalTs") AS "maxBalTs", number_of(data."adlRate") AS "adlRate",
  number_of(data."adlRecRate") AS "adlRecRate", number_of(data."decRate") AS "decRate",
  channel, with_members(extra, [
    beyond('bal', data."bal"), beyond('maxBal', data."maxBal"), beyond('adlBal', data."adlBal"),
    beyond('adlRecBal', data."adlRecBal"), beyond_whole('maxBalTs', data."maxBalTs"),
    beyond('adlRate', data."adlRate"), beyond('adlRecRate', data."adlRecRate"), beyond('decRate', data."decRate")
  ]) AS extra, row_no
FROM frame_items;
