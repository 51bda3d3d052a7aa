-- Price of an index such as btc_usd (one row per frame). `instrument_name` is the index's name, too, so that every table
-- is sorted and searched by the same column.
CREATE MACRO shape() AS '{"timestamp": "DOUBLE", "index_name": "VARCHAR", "price": "DOUBLE"}';

-- include _index
  data.price AS price,
  channel, extra, row_no
FROM frame_items;
