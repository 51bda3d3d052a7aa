-- State of a call auction (one row per frame): the price at which most would trade, and the matched and unmatched amounts.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "eqPx": "VARCHAR", "matchedSz": "VARCHAR", "unmatchedSz": "VARCHAR",
  "auctionEndTime": "VARCHAR", "state": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  number_of(data."eqPx") AS "eqPx", number_of(data."matchedSz") AS "matchedSz",
  number_of(data."unmatchedSz") AS "unmatchedSz", whole_of(data."auctionEndTime") AS "auctionEndTime",
  data."state" AS "state",
  channel, with_members(extra, [
    beyond('eqPx', data."eqPx"), beyond('matchedSz', data."matchedSz"), beyond('unmatchedSz', data."unmatchedSz"),
    beyond_whole('auctionEndTime', data."auctionEndTime")
  ]) AS extra, row_no
FROM frame_items;
