-- Public trades (one row per trade; a frame holds several). `trade_id` is a UUID, of spot a number that rises with holes:
-- no id says whether a trade is missing. Trades of options come by coin. `cross_seq` is shared by trades of one match.
-- include _pushed
CREATE MACRO shape() AS '{
  "T": "DOUBLE", "s": "VARCHAR", "side": "VARCHAR", "v": "VARCHAR", "p": "VARCHAR", "L": "VARCHAR", "i": "VARCHAR",
  "BT": "BOOLEAN", "RPI": "BOOLEAN", "seq": "BIGINT",
  "mP": "VARCHAR", "iP": "VARCHAR", "mIv": "VARCHAR", "iv": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.s IS NULL THEN 'no s'
  WHEN moment(data."T") IS NULL THEN 'no valid T'
  WHEN data.i IS NULL THEN 'no i'
  WHEN number_of(data.p) IS NULL THEN 'no p'
  WHEN number_of(data.v) IS NULL THEN 'no v'
END;

SELECT
  recv_ts, moment(data."T") AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(envelope.ts) AS sent_ts,
  data.i AS trade_id, number_of(data.p) AS price, number_of(data.v) AS size, data.side AS side, data.L AS tick,
  data.BT AS is_block_trade, data.RPI AS is_rpi_trade, data.seq AS cross_seq,
  number_of(data.mP) AS mark_price, number_of(data.iP) AS index_price,
  number_of(data.mIv) AS mark_iv, number_of(data.iv) AS iv,
  channel,
  with_members(extra, [beyond('price', data.p), beyond('size', data.v), beyond('mark_price', data.mP),
    beyond('index_price', data.iP), beyond('mark_iv', data.mIv), beyond('iv', data.iv)]) AS extra,
  row_no
FROM frame_items;
