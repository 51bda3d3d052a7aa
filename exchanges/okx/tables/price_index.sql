-- Price of an index (one row per frame). An index has the name of a spot pair.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "idxPx": "VARCHAR", "high24h": "VARCHAR", "low24h": "VARCHAR",
  "open24h": "VARCHAR", "sodUtc0": "VARCHAR", "sodUtc8": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  number_of(data."idxPx") AS "idxPx", number_of(data."high24h") AS "high24h", number_of(data."low24h") AS "low24h",
  number_of(data."open24h") AS "open24h", number_of(data."sodUtc0") AS "sodUtc0",
  number_of(data."sodUtc8") AS "sodUtc8",
  channel, with_members(extra, [
    beyond('idxPx', data."idxPx"), beyond('high24h', data."high24h"), beyond('low24h', data."low24h"),
    beyond('open24h', data."open24h"), beyond('sodUtc0', data."sodUtc0"), beyond('sodUtc8', data."sodUtc8")
  ]) AS extra, row_no
FROM frame_items;
