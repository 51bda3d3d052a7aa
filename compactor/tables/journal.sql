-- What happened to the recording itself (one row per event): connections, subscriptions, gaps. `detail` is the whole
-- event as JSON. Times of the events are those of the receive clock.
CREATE MACRO shape() AS '{
  "frame": {"event": "VARCHAR", "conn": "VARCHAR", "session": "VARCHAR", "from_us": "BIGINT", "to_us": "BIGINT",
            "cause": "VARCHAR", "reason": "VARCHAR", "code": "VARCHAR", "message": "VARCHAR", "host": "VARCHAR",
            "run": "VARCHAR", "instrument": "VARCHAR", "channel": "VARCHAR", "from_seq": "BIGINT", "to_seq": "BIGINT",
            "last_change_id": "BIGINT", "prev_change_id": "BIGINT", "change_id": "BIGINT",
            "trades": "BIGINT", "frames": "BIGINT", "count": "BIGINT", "outcome": "VARCHAR", "by": "VARCHAR"}
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN line_head(line) = '' OR line[-1] <> '}' THEN 'not a raw line'
  WHEN data.frame.event IS NULL THEN 'no event'
END;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, data.frame.instrument AS instrument_name, conn, seq, source,
  data.frame.event AS event, data.frame.conn AS event_conn, data.frame.session AS session,
  data.frame.from_us AS from_us, data.frame.to_us AS to_us, data.frame.cause AS cause, data.frame.reason AS reason,
  data.frame.code AS code, data.frame.message AS message, data.frame.host AS host, data.frame.run AS run,
  data.frame.channel AS channel, data.frame.from_seq AS from_seq, data.frame.to_seq AS to_seq,
  data.frame.last_change_id AS last_change_id, data.frame.prev_change_id AS prev_change_id,
  data.frame.change_id AS change_id, data.frame.trades AS trades, data.frame.frames AS frames,
  data.frame."count" AS "count", data.frame.outcome AS outcome, data.frame."by" AS "by",
  frame_text(line) AS detail,
  NULL::VARCHAR AS extra, row_no
FROM frame_items;
