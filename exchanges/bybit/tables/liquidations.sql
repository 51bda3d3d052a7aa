-- Liquidations (one row each; a frame holds several). `side` is the side of the position: `Buy` is a long that was
-- liquidated. `price` is the bankruptcy price, not that of a trade. There is no id; two rows may be equal.
-- include _pushed
CREATE MACRO shape() AS '{"T": "DOUBLE", "s": "VARCHAR", "side": "VARCHAR", "v": "VARCHAR", "p": "VARCHAR"}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.s IS NULL THEN 'no s'
  WHEN moment(data."T") IS NULL THEN 'no valid T'
END;

SELECT
  recv_ts, moment(data."T") AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(envelope.ts) AS sent_ts,
  data.side AS side, number_of(data.v) AS size, number_of(data.p) AS price,
  channel, with_members(extra, [beyond('size', data.v), beyond('price', data.p)]) AS extra, row_no
FROM frame_items;
