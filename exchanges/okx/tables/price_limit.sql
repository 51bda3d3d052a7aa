-- Lowest and highest price at which orders are accepted (one row per frame); NULL where there are no limits.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "buyLmt": "VARCHAR", "sellLmt": "VARCHAR",
  "enabled": "BOOLEAN"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", number_of(data."buyLmt") AS "buyLmt", number_of(data."sellLmt") AS "sellLmt",
  data."enabled" AS "enabled",
  channel, with_members(extra, [
    beyond('buyLmt', data."buyLmt"), beyond('sellLmt', data."sellLmt")
  ]) AS extra, row_no
FROM frame_items;
