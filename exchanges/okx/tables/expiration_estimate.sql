-- Estimated price of delivery, exercise or settlement, in the last hour before it (one row per frame).
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "settlePx": "VARCHAR", "settleType": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."settlePx") AS "settlePx", data."settleType" AS "settleType",
  channel, with_members(extra, [
    beyond('settlePx', data."settlePx")
  ]) AS extra, row_no
FROM frame_items;
