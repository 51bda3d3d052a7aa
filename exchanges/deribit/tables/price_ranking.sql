-- Sources of an index (one row per source and frame): which exchanges it is made of. A source that is down has NULLs.
-- The payload names no index; the channel does.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "identifier": "VARCHAR", "enabled": "BOOLEAN", "weight": "DOUBLE", "price": "DOUBLE",
  "original_price": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.identifier IS NULL THEN 'no identifier' END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, part_of(channel, 2) AS instrument_name, conn, seq, source,
  data.identifier AS identifier, data.enabled AS enabled, data.weight AS weight, data.price AS price,
  data.original_price AS original_price,
  channel, extra, row_no
FROM frame_items;
