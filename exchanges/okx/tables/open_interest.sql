-- Open interest of an instrument (one row per frame): contracts, coin, USD. Old values are sent again.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "oi": "VARCHAR", "oiCcy": "VARCHAR",
  "oiUsd": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."oi") AS "oi", number_of(data."oiCcy") AS "oiCcy",
  number_of(data."oiUsd") AS "oiUsd",
  channel, with_members(extra, [
    beyond('oi', data."oi"), beyond('oiCcy', data."oiCcy"), beyond('oiUsd', data."oiUsd")
  ]) AS extra, row_no
FROM frame_items;
