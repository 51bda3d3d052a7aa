-- Volatility index such as DVOL, in percent (one row per frame).
CREATE MACRO shape() AS '{"timestamp": "DOUBLE", "index_name": "VARCHAR", "volatility": "DOUBLE"}';

-- include _index
  data.volatility AS volatility,
  channel, extra, row_no
FROM frame_items;
