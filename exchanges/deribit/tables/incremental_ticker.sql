-- What changed of a ticker (one row per frame): `type` `snapshot` has every field, `change` only those that changed, the
-- others are NULL. The columns are those of `ticker`.
-- include _ticker
CREATE MACRO shape() AS json_merge_patch(
  '{"timestamp": "DOUBLE", "instrument_name": "VARCHAR", "state": "VARCHAR", "type": "VARCHAR"}', ticker_members());

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data."type" AS "type", data.state AS state,
-- include _ticker_columns
