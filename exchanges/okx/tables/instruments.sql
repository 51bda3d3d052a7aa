-- Definitions of instruments, from polled lists and from pushed changes (one row per instrument). `contract_size` is
-- `ctVal` × `ctMult`, in `ctValCcy`. It may change: use the last one before a trade.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "instType": "VARCHAR", "instFamily": "VARCHAR", "uly": "VARCHAR", "category": "VARCHAR",
  "groupId": "VARCHAR", "baseCcy": "VARCHAR", "quoteCcy": "VARCHAR", "settleCcy": "VARCHAR", "ctVal": "VARCHAR",
  "ctMult": "VARCHAR", "ctValCcy": "VARCHAR", "ctType": "VARCHAR", "optType": "VARCHAR", "stk": "VARCHAR",
  "listTime": "VARCHAR", "expTime": "VARCHAR", "auctionEndTime": "VARCHAR", "contTdSwTime": "VARCHAR",
  "preMktSwTime": "VARCHAR", "openType": "VARCHAR", "lever": "VARCHAR", "tickSz": "VARCHAR", "lotSz": "VARCHAR",
  "minSz": "VARCHAR", "alias": "VARCHAR", "state": "VARCHAR", "ruleType": "VARCHAR", "maxLmtSz": "VARCHAR",
  "maxMktSz": "VARCHAR", "maxTwapSz": "VARCHAR", "maxIcebergSz": "VARCHAR", "maxTriggerSz": "VARCHAR",
  "maxStopSz": "VARCHAR", "maxLmtAmt": "VARCHAR", "maxMktAmt": "VARCHAR", "maxPlatOILmt": "VARCHAR",
  "posLmtAmt": "VARCHAR", "posLmtPct": "VARCHAR", "futureSettlement": "BOOLEAN", "instIdCode": "BIGINT",
  "instCategory": "VARCHAR", "seriesId": "VARCHAR", "tradeQuoteCcyList": "JSON", "upcChg": "JSON"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN coalesce(data."instId", '') = '' THEN 'no instId' END;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."instFamily" AS "instFamily", data."uly" AS "uly",
  data."category" AS "category", data."groupId" AS "groupId", data."baseCcy" AS "baseCcy",
  data."quoteCcy" AS "quoteCcy", data."settleCcy" AS "settleCcy", number_of(data."ctVal") AS "ctVal",
  number_of(data."ctMult") AS "ctMult",
  number_of(data."ctVal") * coalesce(number_of(data."ctMult"), 1) AS contract_size, data."ctValCcy" AS "ctValCcy", data."ctType" AS "ctType",
  data."optType" AS "optType", number_of(data."stk") AS "stk", whole_of(data."listTime") AS "listTime",
  whole_of(data."expTime") AS "expTime", whole_of(data."auctionEndTime") AS "auctionEndTime",
  whole_of(data."contTdSwTime") AS "contTdSwTime", whole_of(data."preMktSwTime") AS "preMktSwTime",
  data."openType" AS "openType", number_of(data."lever") AS "lever", number_of(data."tickSz") AS "tickSz",
  number_of(data."lotSz") AS "lotSz", number_of(data."minSz") AS "minSz", data."alias" AS "alias",
  data."state" AS "state", data."ruleType" AS "ruleType", number_of(data."maxLmtSz") AS "maxLmtSz",
  number_of(data."maxMktSz") AS "maxMktSz", number_of(data."maxTwapSz") AS "maxTwapSz",
  number_of(data."maxIcebergSz") AS "maxIcebergSz", number_of(data."maxTriggerSz") AS "maxTriggerSz",
  number_of(data."maxStopSz") AS "maxStopSz", number_of(data."maxLmtAmt") AS "maxLmtAmt",
  number_of(data."maxMktAmt") AS "maxMktAmt", number_of(data."maxPlatOILmt") AS "maxPlatOILmt",
  number_of(data."posLmtAmt") AS "posLmtAmt", number_of(data."posLmtPct") AS "posLmtPct",
  data."futureSettlement" AS "futureSettlement", data."instIdCode" AS "instIdCode",
  data."instCategory" AS "instCategory", data."seriesId" AS "seriesId",
  CAST(data."tradeQuoteCcyList" AS VARCHAR) AS "tradeQuoteCcyList", CAST(data."upcChg" AS VARCHAR) AS "upcChg",
  channel, with_members(extra, [
    beyond('ctVal', data."ctVal"), beyond('ctMult', data."ctMult"), beyond('stk', data."stk"),
    beyond_whole('listTime', data."listTime"), beyond_whole('expTime', data."expTime"),
    beyond_whole('auctionEndTime', data."auctionEndTime"), beyond_whole('contTdSwTime', data."contTdSwTime"),
    beyond_whole('preMktSwTime', data."preMktSwTime"), beyond('lever', data."lever"),
    beyond('tickSz', data."tickSz"), beyond('lotSz', data."lotSz"), beyond('minSz', data."minSz"),
    beyond('maxLmtSz', data."maxLmtSz"), beyond('maxMktSz', data."maxMktSz"), beyond('maxTwapSz', data."maxTwapSz"),
    beyond('maxIcebergSz', data."maxIcebergSz"), beyond('maxTriggerSz', data."maxTriggerSz"),
    beyond('maxStopSz', data."maxStopSz"), beyond('maxLmtAmt', data."maxLmtAmt"),
    beyond('maxMktAmt', data."maxMktAmt"), beyond('maxPlatOILmt', data."maxPlatOILmt"),
    beyond('posLmtAmt', data."posLmtAmt"), beyond('posLmtPct', data."posLmtPct")
  ]) AS extra, row_no
FROM frame_items;
