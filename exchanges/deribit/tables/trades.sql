-- Public trades (one row per trade; a frame holds several). A combo's trade keeps its leg trades in `legs`; they are
-- sent again on their own instruments' channels. `combo_role` distinguishes them: count `combo` or `leg`, never both.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR",
  "trade_seq": "BIGINT", "trade_id": "VARCHAR", "price": "DOUBLE", "amount": "DOUBLE", "direction": "VARCHAR",
  "tick_direction": "BIGINT", "index_price": "DOUBLE", "mark_price": "DOUBLE", "contracts": "DOUBLE", "iv": "DOUBLE",
  "liquidation": "VARCHAR",
  "block_trade_id": "VARCHAR", "block_trade_leg_count": "BIGINT", "block_rfq_id": "BIGINT",
  "combo_id": "VARCHAR", "combo_trade_id": "VARCHAR", "legs": "JSON",
  "starbase_match_id": "BIGINT", "starbase_timestamp": "BIGINT"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.trade_id IS NULL AND data.trade_seq IS NULL THEN 'no trade_id and no trade_seq'
  WHEN data.price IS NULL THEN 'no price'
  WHEN data.amount IS NULL THEN 'no amount'
  ELSE instrument_verdict(data)
END;

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.trade_seq AS trade_seq, data.trade_id AS trade_id,
  data.price AS price, data.amount AS amount, data.direction AS direction, data.tick_direction AS tick_direction,
  data.index_price AS index_price, data.mark_price AS mark_price, data.contracts AS contracts, data.iv AS iv,
  data.liquidation AS liquidation, data.block_trade_id AS block_trade_id,
  data.block_trade_leg_count AS block_trade_leg_count, data.block_rfq_id AS block_rfq_id,
  data.combo_id AS combo_id, data.combo_trade_id AS combo_trade_id, CAST(data.legs AS VARCHAR) AS legs,
  CASE WHEN data.legs IS NOT NULL THEN 'combo'
    WHEN data.combo_id IS NOT NULL OR data.combo_trade_id IS NOT NULL THEN 'leg' END AS combo_role,
  data.starbase_match_id AS starbase_match_id, data.starbase_timestamp AS starbase_timestamp,
  channel, extra, row_no
FROM frame_items;
