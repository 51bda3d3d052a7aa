-- Estimated price of the next expiry (one row per frame). The payload has neither time nor index; the channel has one.
CREATE MACRO shape() AS '{
  "price": "DOUBLE", "seconds": "BIGINT", "is_estimated": "BOOLEAN", "left_ticks": "BIGINT", "total_ticks": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.price IS NULL THEN 'no price' END;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, part_of(channel, 2) AS instrument_name, conn, seq, source,
  data.price AS price, data.seconds AS seconds, data.is_estimated AS is_estimated,
  data.left_ticks AS left_ticks, data.total_ticks AS total_ticks,
  channel, extra, row_no
FROM frame_items;
