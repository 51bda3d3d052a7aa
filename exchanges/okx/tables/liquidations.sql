-- Liquidations that the exchange reports: at most one per contract and second, not in order of time (one row per detail of
-- an entry). `side` is the side of the order that closes the position: `sell` ends a `long`.
CREATE MACRO shape() AS '{
  "instType": "VARCHAR", "instId": "VARCHAR", "instFamily": "VARCHAR", "uly": "VARCHAR", "details": ["JSON"]
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN coalesce(len(data.details), 0) = 0 THEN 'no details'
END;

CREATE MACRO said(detail, member) AS json_extract_string(detail, '$.' || member);
CREATE MACRO unsaid(detail) AS nullif(CAST(json_merge_patch(detail,
  '{"side":null,"posSide":null,"sz":null,"bkPx":null,"bkLoss":null,"ccy":null,"ts":null}') AS VARCHAR), '{}');

SELECT
  recv_ts, moment(number_of(said(detail, 'ts'))) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."instFamily" AS "instFamily", data.uly AS uly,
  said(detail, 'side') AS side, said(detail, 'posSide') AS "posSide", number_of(said(detail, 'sz')) AS sz,
  number_of(said(detail, 'bkPx')) AS "bkPx", number_of(said(detail, 'bkLoss')) AS "bkLoss", said(detail, 'ccy') AS ccy,
  channel, with_members(CASE WHEN place = 1 THEN extra END, [
    beyond('sz', said(detail, 'sz')), beyond('bkPx', said(detail, 'bkPx')), beyond('bkLoss', said(detail, 'bkLoss')),
    as_member(member_of('details', members_of(unsaid(detail))))
  ]) AS extra,
  CASE WHEN row_no = 0 THEN 0 ELSE (row_no - 1) * 1000 + place END AS row_no
FROM (
  SELECT *, unnest(CASE WHEN row_no > 0 THEN data.details ELSE [NULL] END) AS detail,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.details)) ELSE [1] END) AS place
  FROM frame_items
);
