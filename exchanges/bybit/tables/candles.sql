-- Bars of trades as they grow (one row per bar of a frame; at a minute's end a frame may hold the old and the new one).
-- `is_final` (`confirm`): the bar is complete. A span without trades has no bar.
-- include _pushed
CREATE MACRO shape() AS '{
  "start": "DOUBLE", "end": "DOUBLE", "interval": "VARCHAR", "open": "VARCHAR", "close": "VARCHAR", "high": "VARCHAR",
  "low": "VARCHAR", "volume": "VARCHAR", "turnover": "VARCHAR", "confirm": "BOOLEAN", "timestamp": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(data.start) IS NULL THEN 'no valid start' END;
CREATE MACRO symbol_in(channel) AS regexp_replace(channel, '^(spot\.)?kline\.[^.]*\.', '');

SELECT
  recv_ts, moment(data.start) AS exchange_ts, symbol_in(channel) AS instrument_name, conn, seq, source,
  category_of(symbol_in(channel)) AS category, moment(envelope.ts) AS sent_ts,
  data."interval" AS resolution, number_of(data."open") AS "open", number_of(data.high) AS high, number_of(data.low) AS low,
  number_of(data."close") AS "close", number_of(data.volume) AS volume, number_of(data.turnover) AS turnover,
  data.confirm AS is_final, moment(data."end") AS end_ts, moment(data."timestamp") AS last_trade_ts,
  channel,
  with_members(extra, [beyond('open', data."open"), beyond('high', data.high), beyond('low', data.low),
    beyond('close', data."close"), beyond('volume', data.volume), beyond('turnover', data.turnover)]) AS extra,
  row_no
FROM frame_items;
