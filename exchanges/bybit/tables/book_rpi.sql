-- Order books that include retail price improvement orders (RPI), 50 levels (one row per level of a frame). `size` excludes
-- them, `rpi_size` counts only them; if both are 0, the price is removed. Otherwise as `book`.
-- include _book
-- A level that is not [price, size, RPI size] is odd.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 3 OR number_of(level[1]) IS NULL OR number_of(level[2]) IS NULL OR number_of(level[3]) IS NULL;
CREATE MACRO long_texts(level) AS [beyond('price', level[1]), beyond('size', level[2]), beyond('rpi_size', level[3])];

SELECT
  recv_ts, moment(coalesce(envelope.cts, envelope.ts)) AS exchange_ts, data.s AS instrument_name, conn, seq, source,
  category_of(data.s) AS category, moment(envelope.ts) AS sent_ts,
  data.u AS update_id, data.seq AS cross_seq, envelope."type" AS "type",
  CASE WHEN empty THEN NULL WHEN place <= bid_count THEN 'bid' ELSE 'ask' END AS side,
  number_of(entry[1]) AS price, number_of(entry[2]) AS size, number_of(entry[3]) AS rpi_size,
-- include _levels
