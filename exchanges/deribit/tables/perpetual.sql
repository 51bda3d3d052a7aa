-- Funding of a perpetual (one row per frame). The payload names no instrument; the channel does.
CREATE MACRO shape() AS '{"timestamp": "DOUBLE", "interest": "DOUBLE", "index_price": "DOUBLE"}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp' END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, split_part(channel, '.', 2) AS instrument_name, conn, seq, source,
  data.interest AS interest, data.index_price AS index_price,
  channel, extra, row_no
FROM frame_items;
