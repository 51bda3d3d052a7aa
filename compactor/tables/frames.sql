-- Every frame that has no table of its own (one row per frame), as it was received: answers, heartbeats, what we sent,
-- channels without a table, and frames that are not JSON. `frame` is JSON text (encoding `frame`), other text (`text`) or `base64`.
-- The channel of a described feed stands where `exchange.channelAt` says.
CREATE MACRO shape() AS '{
  "text": "VARCHAR", "base64": "VARCHAR",
  "frame": {"params": {"channel": "VARCHAR", "data": {"timestamp": "DOUBLE", "instrument_name": "VARCHAR"}}}
}';

CREATE MACRO verdict(line, data) AS CASE WHEN line_head(line) = '' OR line[-1] <> '}' THEN 'not a raw line' END;

SELECT
  recv_ts, moment(data.frame.params.data."timestamp") AS exchange_ts,
  data.frame.params.data.instrument_name AS instrument_name, conn, seq, source,
  coalesce(fed_channel(line), data.frame.params.channel) AS channel,
  CASE WHEN data."text" IS NOT NULL THEN 'text' WHEN data.base64 IS NOT NULL THEN 'base64' ELSE 'frame' END AS encoding,
  coalesce(data."text", data.base64, frame_text(line)) AS frame,
  NULL::VARCHAR AS extra, row_no
FROM frame_items;
