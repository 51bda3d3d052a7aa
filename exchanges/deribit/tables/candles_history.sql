-- Bars of trades as they were asked for (one row per bar of an answer): parallel lists. What was asked, such as
-- `candles BTC-PERPETUAL 1`, says instrument and resolution. All bars but the last of an answer are final.
CREATE MACRO shape() AS '{
  "status": "VARCHAR", "ticks": ["DOUBLE"], "open": ["DOUBLE"], "high": ["DOUBLE"], "low": ["DOUBLE"],
  "close": ["DOUBLE"], "volume": ["DOUBLE"], "cost": ["DOUBLE"]
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN len(data.ticks) = 0 OR data.status = 'no_data' THEN 'known: no items'
  WHEN NOT coalesce(list_bool_and(list_transform(
      [len(data."open"), len(data.high), len(data.low), len(data."close"), len(data.volume), len(data.cost)],
      n -> n = len(data.ticks))), false) THEN 'lists of different lengths'
  WHEN list_bool_or(list_transform(data.ticks, tick -> moment(tick) IS NULL)) THEN 'no valid tick'
END;

SELECT
  recv_ts, moment(data.ticks[place]) AS exchange_ts, word_of(asked, 2) AS instrument_name, conn, seq, source,
  word_of(asked, 3) AS resolution, data."open"[place] AS "open", data.high[place] AS high, data.low[place] AS low,
  data."close"[place] AS "close", data.volume[place] AS volume, data.cost[place] AS cost,
  place < len(data.ticks) AS is_final,
  channel, CASE WHEN place = 1 THEN extra END AS extra, is_row * place AS row_no
FROM (
  SELECT * EXCLUDE (row_no), row_no AS is_row,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.ticks)) ELSE [0] END) AS place
  FROM frame_items
);
