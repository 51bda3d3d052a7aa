-- What was traded in blocks in 24 hours (one row per frame).
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "volCcy24h": "VARCHAR", "vol24h": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."volCcy24h") AS "volCcy24h", number_of(data."vol24h") AS "vol24h",
  channel, with_members(extra, [beyond('volCcy24h', data."volCcy24h"), beyond('vol24h', data."vol24h")]) AS extra, row_no
FROM frame_items;
