-- What is locked, or about to be (one row per frame): an index, the platform for maintenance, or methods without login.
-- The payload has no time.
CREATE MACRO shape() AS '{
  "price_index": "VARCHAR",
  "locked": "VARCHAR",
  "maintenance": "BOOLEAN",
  "allow_unauthenticated_public_requests": "BOOLEAN",
  "reasons": "JSON"
}';

CREATE MACRO verdict(line, data) AS NULL::VARCHAR;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, data.price_index AS instrument_name, conn, seq, source,
  data.price_index AS price_index, data.locked AS locked, data.maintenance AS maintenance,
  data.allow_unauthenticated_public_requests AS allow_unauthenticated_public_requests,
  CAST(data.reasons AS VARCHAR) AS reasons,
  channel, extra, row_no
FROM frame_items;
