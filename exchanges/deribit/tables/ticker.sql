-- Everything the exchange says about an instrument at one time (one row per frame).
-- include _ticker
CREATE MACRO shape() AS json_merge_patch(
  '{"timestamp": "DOUBLE", "instrument_name": "VARCHAR", "state": "VARCHAR"}', ticker_members());

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.state AS state,
-- include _ticker_columns
