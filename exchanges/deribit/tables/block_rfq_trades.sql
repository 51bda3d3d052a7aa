-- Trades of block RFQs (one row per RFQ). Legs, trades and hedge are JSON; a leg is traded at its own price.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE",
  "id": "BIGINT",
  "direction": "VARCHAR",
  "amount": "DOUBLE",
  "mark_price": "DOUBLE",
  "combo_id": "VARCHAR",
  "legs": "JSON",
  "trades": "JSON",
  "hedge": "JSON",
  "index_prices": "JSON"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.id IS NULL THEN 'no id' END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.combo_id AS instrument_name, conn, seq, source,
  data.id AS id, data.direction AS direction, data.amount AS amount,
  data.mark_price AS mark_price, data.combo_id AS combo_id, CAST(data.legs AS VARCHAR) AS legs,
  CAST(data.trades AS VARCHAR) AS trades, CAST(data.hedge AS VARCHAR) AS hedge,
  CAST(data.index_prices AS VARCHAR) AS index_prices,
  channel, extra, row_no
FROM frame_items;
