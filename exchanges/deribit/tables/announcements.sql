-- Announcements of the exchange (one row per frame). `action` is `new` or `delete`; the body is HTML.
CREATE MACRO shape() AS '{
  "id": "VARCHAR",
  "action": "VARCHAR",
  "title": "VARCHAR",
  "body": "VARCHAR",
  "important": "BOOLEAN",
  "confirmation": "BOOLEAN",
  "publication_timestamp": "DOUBLE",
  "unread": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.id IS NULL THEN 'no id' END;

SELECT
  recv_ts, moment(data.publication_timestamp) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data.id AS id, data.action AS action, data.title AS title, data.body AS body,
  data.important AS important, data.confirmation AS confirmation,
   data.unread AS unread,
  channel, extra, row_no
FROM frame_items;
