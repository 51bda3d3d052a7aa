-- Settled funding, polled (one row per settlement of an answer).
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "fundingTime": "VARCHAR", "instType": "VARCHAR", "method": "VARCHAR",
  "formulaType": "VARCHAR", "fundingRate": "VARCHAR", "realizedRate": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN moment(number_of(data."fundingTime")) IS NULL THEN 'no valid fundingTime'
END;

SELECT
  recv_ts, moment(number_of(data."fundingTime")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."method" AS "method", data."formulaType" AS "formulaType",
  number_of(data."fundingRate") AS "fundingRate", number_of(data."realizedRate") AS "realizedRate",
  channel, with_members(extra, [
    beyond('fundingRate', data."fundingRate"), beyond('realizedRate', data."realizedRate")
  ]) AS extra, row_no
FROM frame_items;
