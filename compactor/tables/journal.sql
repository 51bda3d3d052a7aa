-- What happened to the recording itself (one row per event): connections, subscriptions, gaps. `detail` is the whole
-- event as JSON. Times of the events are those of the receive clock.
CREATE MACRO shape() AS '{
  "frame": {"event": "VARCHAR", "conn": "VARCHAR", "session": "VARCHAR", "from_us": "BIGINT", "to_us": "BIGINT",
            "cause": "VARCHAR", "reason": "VARCHAR", "code": "VARCHAR", "message": "VARCHAR", "host": "VARCHAR",
            "run": "VARCHAR"}
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN line_head(line) = '' OR line[-1] <> '}' THEN 'not a raw line'
  WHEN data.frame.event IS NULL THEN 'no event'
END;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data.frame.event AS event, data.frame.conn AS event_conn, data.frame.session AS session,
  data.frame.from_us AS from_us, data.frame.to_us AS to_us, data.frame.cause AS cause, data.frame.reason AS reason,
  data.frame.code AS code, data.frame.message AS message, data.frame.host AS host, data.frame.run AS run,
  frame_text(line) AS detail,
  NULL::VARCHAR AS extra, row_no
FROM frame_items;
