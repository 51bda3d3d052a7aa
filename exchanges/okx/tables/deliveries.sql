-- Prices at which futures and options expired, polled (one row per contract of an answer); `exchange_ts` is the time of it.
-- `type`: `delivery`, `exercised` or `expired_otm`.
CREATE MACRO shape() AS '{"ts": "VARCHAR", "details": ["JSON"]}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts'
  WHEN coalesce(len(data.details), 0) = 0 THEN 'no details'
END;

CREATE MACRO said(detail, member) AS json_extract_string(detail, '$.' || member);
CREATE MACRO unsaid(detail) AS nullif(CAST(json_merge_patch(detail,
  '{"insId":null,"instId":null,"px":null,"type":null}') AS VARCHAR), '{}');

SELECT
  recv_ts, moment(number_of(data.ts)) AS exchange_ts, coalesce(said(detail, 'insId'), said(detail, 'instId')) AS instrument_name,
  conn, seq, source, said(detail, 'type') AS "type", number_of(said(detail, 'px')) AS px,
  channel, with_members(CASE WHEN place = 1 THEN extra END, [
    beyond('px', said(detail, 'px')), as_member(member_of('details', members_of(unsaid(detail))))
  ]) AS extra,
  CASE WHEN row_no = 0 THEN 0 ELSE (row_no - 1) * 100000 + place END AS row_no
FROM (
  SELECT *, unnest(CASE WHEN row_no > 0 THEN data.details ELSE [NULL] END) AS detail,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.details)) ELSE [1] END) AS place
  FROM frame_items
);
