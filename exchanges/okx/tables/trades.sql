-- Public trades (one row per trade). One row is what one order took at one price: `count` fills, the last of which has the
-- number `tradeId`. Rows fetched for missing trades are single fills.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "tradeId": "VARCHAR", "px": "VARCHAR", "sz": "VARCHAR", "side": "VARCHAR",
  "count": "VARCHAR", "source": "VARCHAR", "seqId": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN coalesce(data."tradeId", '') = '' THEN 'no tradeId'
  WHEN coalesce(data.px, '') = '' THEN 'no px'
  WHEN coalesce(data.sz, '') = '' THEN 'no sz'
  WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts'
END;

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  whole_of(data."tradeId") AS "tradeId", number_of(data."px") AS "px", number_of(data."sz") AS "sz",
  data."side" AS "side", whole_of(data."count") AS "count", data."source" AS trade_source, data."seqId" AS "seqId",
  channel, with_members(extra, [
    beyond_whole('tradeId', data."tradeId"), beyond('px', data."px"), beyond('sz', data."sz"),
    beyond_whole('count', data."count")
  ]) AS extra, row_no
FROM frame_items;
