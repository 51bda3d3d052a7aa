-- Insurance pools as they were asked for (one row per pool of an answer).
CREATE MACRO shape() AS '{"coin": "VARCHAR", "symbols": "VARCHAR", "balance": "VARCHAR", "value": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.coin IS NULL THEN 'no coin' END;

SELECT
  recv_ts, coalesce(moment(number_of(envelope.updated)), moment(envelope."time")) AS exchange_ts, NULL::VARCHAR AS instrument_name,
  conn, seq, source, NULL::VARCHAR AS "type", data.coin AS coin, data.symbols AS symbols,
  number_of(data.balance) AS balance, number_of(data.value) AS value,
  channel, with_members(extra, [beyond('balance', data.balance), beyond('value', data.value)]) AS extra, row_no
FROM frame_items;
