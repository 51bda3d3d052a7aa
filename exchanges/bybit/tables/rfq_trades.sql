-- Block trades agreed by RFQ (one row per RFQ). `legs` is JSON: category, symbol, side, price, size and mark price of each.
CREATE MACRO shape() AS '{
  "rfqId": "VARCHAR", "strategyType": "VARCHAR", "createdAt": "VARCHAR", "updatedAt": "VARCHAR", "legs": "JSON"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.rfqId IS NULL THEN 'no rfqId' END;

SELECT
  recv_ts, moment(number_of(data.updatedAt)) AS exchange_ts, NULL::VARCHAR AS instrument_name, conn, seq, source,
  moment(envelope.creationTime) AS sent_ts, data.rfqId AS rfq_id, data.strategyType AS strategy_type,
  moment(number_of(data.createdAt)) AS created_ts, CAST(data.legs AS VARCHAR) AS legs,
  channel, extra, row_no
FROM frame_items;
