-- Maintenance: announced, under way or over (one row per announcement of a frame or answer). In `service_types` 5 is market
-- data; interruptions of less than 10 s are not announced. Lists are JSON.
CREATE MACRO shape() AS '{
  "id": "VARCHAR", "title": "VARCHAR", "state": "VARCHAR", "begin": "VARCHAR", "end": "VARCHAR", "href": "VARCHAR",
  "serviceTypes": "JSON", "product": "JSON", "uidSuffix": "JSON", "maintainType": "VARCHAR", "env": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.id IS NULL THEN 'no id' END;

SELECT
  recv_ts, moment(envelope.ts) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  data.id AS id, data.title AS title, data.state AS "state", moment(number_of(data."begin")) AS begin_ts,
  moment(number_of(data."end")) AS end_ts, data.href AS href, CAST(data.serviceTypes AS VARCHAR) AS service_types,
  CAST(data.product AS VARCHAR) AS product, CAST(data.uidSuffix AS VARCHAR) AS uid_suffix,
  data.maintainType AS maintain_type, data.env AS env,
  channel, extra, row_no
FROM frame_items;
