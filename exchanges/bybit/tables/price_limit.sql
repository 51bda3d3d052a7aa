-- Lowest and highest price at which orders are accepted (one row per frame).
-- include _pushed
CREATE MACRO shape() AS '{"symbol": "VARCHAR", "buyLmt": "VARCHAR", "sellLmt": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.symbol IS NULL THEN 'no symbol' END;

SELECT
  recv_ts, moment(envelope.ts) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  category_of(data.symbol) AS category, number_of(data.buyLmt) AS buy_limit, number_of(data.sellLmt) AS sell_limit,
  channel, with_members(extra, [beyond('buy_limit', data.buyLmt), beyond('sell_limit', data.sellLmt)]) AS extra, row_no
FROM frame_items;
