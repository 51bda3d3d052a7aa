-- Ticker of an instrument (one row per frame): always whole; a side that is empty is NULL.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "last": "VARCHAR", "lastSz": "VARCHAR",
  "askPx": "VARCHAR", "askSz": "VARCHAR", "bidPx": "VARCHAR", "bidSz": "VARCHAR", "open24h": "VARCHAR",
  "high24h": "VARCHAR", "low24h": "VARCHAR", "volCcy24h": "VARCHAR", "vol24h": "VARCHAR", "sodUtc0": "VARCHAR",
  "sodUtc8": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."last") AS "last", number_of(data."lastSz") AS "lastSz",
  number_of(data."askPx") AS "askPx", number_of(data."askSz") AS "askSz", number_of(data."bidPx") AS "bidPx",
  number_of(data."bidSz") AS "bidSz", number_of(data."open24h") AS "open24h", number_of(data."high24h") AS "high24h",
  number_of(data."low24h") AS "low24h", number_of(data."volCcy24h") AS "volCcy24h",
  number_of(data."vol24h") AS "vol24h", number_of(data."sodUtc0") AS "sodUtc0",
  number_of(data."sodUtc8") AS "sodUtc8",
  channel, with_members(extra, [
    beyond('last', data."last"), beyond('lastSz', data."lastSz"), beyond('askPx', data."askPx"),
    beyond('askSz', data."askSz"), beyond('bidPx', data."bidPx"), beyond('bidSz', data."bidSz"),
    beyond('open24h', data."open24h"), beyond('high24h', data."high24h"), beyond('low24h', data."low24h"),
    beyond('volCcy24h', data."volCcy24h"), beyond('vol24h', data."vol24h"), beyond('sodUtc0', data."sodUtc0"),
    beyond('sodUtc8', data."sodUtc8")
  ]) AS extra, row_no
FROM frame_items;
