-- Legs of block trades (one row per leg, published 15 minutes late). They are not in `trades`.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "groupId": "VARCHAR", "tradeId": "VARCHAR", "px": "VARCHAR", "sz": "VARCHAR",
  "side": "VARCHAR", "fillVol": "VARCHAR", "fwdPx": "VARCHAR", "idxPx": "VARCHAR", "markPx": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN coalesce(data."tradeId", '') = '' THEN 'no tradeId'
  WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts'
END;

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."groupId" AS "groupId", whole_of(data."tradeId") AS "tradeId", number_of(data."px") AS "px",
  number_of(data."sz") AS "sz", data."side" AS "side", number_of(data."fillVol") AS "fillVol",
  number_of(data."fwdPx") AS "fwdPx", number_of(data."idxPx") AS "idxPx", number_of(data."markPx") AS "markPx",
  channel, with_members(extra, [
    beyond_whole('tradeId', data."tradeId"), beyond('px', data."px"), beyond('sz', data."sz"),
    beyond('fillVol', data."fillVol"), beyond('fwdPx', data."fwdPx"), beyond('idxPx', data."idxPx"),
    beyond('markPx', data."markPx")
  ]) AS extra, row_no
FROM frame_items;
