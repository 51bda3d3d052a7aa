-- Settlement prices of futures and options, polled (one row per contract of an answer); `exchange_ts` is the time of
-- delivery.
CREATE MACRO shape() AS '{"symbol": "VARCHAR", "deliveryPrice": "VARCHAR", "deliveryTime": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.symbol IS NULL THEN 'no symbol'
  WHEN moment(number_of(data.deliveryTime)) IS NULL THEN 'no valid deliveryTime'
END;

SELECT
  recv_ts, moment(number_of(data.deliveryTime)) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, number_of(data.deliveryPrice) AS delivery_price,
  with_members(extra, [beyond('delivery_price', data.deliveryPrice)]) AS extra, row_no
FROM frame_items;
