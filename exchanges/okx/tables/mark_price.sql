-- Mark price of an instrument (one row per frame).
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "markPx": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."markPx") AS "markPx",
  channel, with_members(extra, [
    beyond('markPx', data."markPx")
  ]) AS extra, row_no
FROM frame_items;
