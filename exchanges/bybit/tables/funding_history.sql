-- Settled funding, polled (one row per settlement of an answer).
CREATE MACRO shape() AS '{"symbol": "VARCHAR", "fundingRate": "VARCHAR", "fundingRateTimestamp": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.symbol IS NULL THEN 'no symbol'
  WHEN moment(number_of(data.fundingRateTimestamp)) IS NULL THEN 'no valid fundingRateTimestamp'
END;

SELECT
  recv_ts, moment(number_of(data.fundingRateTimestamp)) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, number_of(data.fundingRate) AS funding_rate,
  with_members(extra, [beyond('funding_rate', data.fundingRate)]) AS extra, row_no
FROM frame_items;
