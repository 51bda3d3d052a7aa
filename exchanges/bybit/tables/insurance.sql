-- Insurance pools (one row per pool of a frame or answer). `symbols` is text that may list several contracts. Frames report
-- isolated pools; answers report shared ones, too. `balance` is in `coin`, `value` in USD.
CREATE MACRO shape() AS '{"coin": "VARCHAR", "symbols": "VARCHAR", "balance": "VARCHAR", "updateTime": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.coin IS NULL THEN 'no coin' END;

SELECT
  recv_ts, coalesce(moment(number_of(data.updateTime)), moment(envelope.ts)) AS exchange_ts, NULL::VARCHAR AS instrument_name,
  conn, seq, source, envelope."type" AS "type", data.coin AS coin, data.symbols AS symbols, number_of(data.balance) AS balance,
  NULL::DOUBLE AS value,
  channel, with_members(extra, [beyond('balance', data.balance)]) AS extra, row_no
FROM frame_items;
