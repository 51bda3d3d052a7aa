-- Public trades as they were asked for, to fill a hole (one row per trade of an answer of `recent-trade`). A trade that came
-- live, too, is one row.
CREATE MACRO shape() AS '{
  "execId": "VARCHAR", "symbol": "VARCHAR", "price": "VARCHAR", "size": "VARCHAR", "side": "VARCHAR", "time": "VARCHAR",
  "isBlockTrade": "BOOLEAN", "isRPITrade": "BOOLEAN", "seq": "VARCHAR",
  "mP": "VARCHAR", "iP": "VARCHAR", "mIv": "VARCHAR", "iv": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.symbol IS NULL THEN 'no symbol'
  WHEN moment(number_of(data."time")) IS NULL THEN 'no valid time'
  WHEN data.execId IS NULL THEN 'no execId'
  WHEN number_of(data.price) IS NULL THEN 'no price'
  WHEN number_of(data.size) IS NULL THEN 'no size'
END;

SELECT
  recv_ts, moment(number_of(data."time")) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, moment(envelope."time") AS sent_ts,
  data.execId AS trade_id, number_of(data.price) AS price, number_of(data.size) AS size, data.side AS side,
  NULL::VARCHAR AS tick,
  data.isBlockTrade AS is_block_trade, data.isRPITrade AS is_rpi_trade, whole_of(data.seq) AS cross_seq,
  number_of(data.mP) AS mark_price, number_of(data.iP) AS index_price,
  number_of(data.mIv) AS mark_iv, number_of(data.iv) AS iv,
  channel,
  with_members(extra, [beyond('price', data.price), beyond('size', data.size), beyond('mark_price', data.mP),
    beyond('index_price', data.iP), beyond('mark_iv', data.mIv), beyond('iv', data.iv),
    beyond_whole('cross_seq', data.seq)]) AS extra,
  row_no
FROM frame_items;
