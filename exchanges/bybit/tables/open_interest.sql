-- Open interest at whole steps of time, polled (one row per step of an answer). It counts both sides of each contract;
-- `single_open_interest` counts one. Inverse contracts count in USD.
CREATE MACRO shape() AS '{"openInterest": "VARCHAR", "singleOpenInterest": "VARCHAR", "timestamp": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN moment(number_of(data."timestamp")) IS NULL THEN 'no valid timestamp'
END;

SELECT
  recv_ts, moment(number_of(data."timestamp")) AS exchange_ts, envelope.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, number_of(data.openInterest) AS open_interest,
  number_of(data.singleOpenInterest) AS single_open_interest,
  with_members(extra, [beyond('open_interest', data.openInterest),
    beyond('single_open_interest', data.singleOpenInterest)]) AS extra,
  row_no
FROM frame_items;
