-- Bars of trades as they grow (one row per bar of a frame). `is_final`: the bar is complete; frames from before 2023 have
-- neither this field nor `volCcyQuote`. `vol` is contracts, of spot base coin; `volCcy` base coin, of spot quote.
-- include _bars
SELECT
  recv_ts, moment(number_of(entry[1])) AS exchange_ts, data.frame.arg."instId" AS instrument_name, conn, seq, source,
  regexp_extract(data.frame.arg.channel, 'candle(.+)$', 1) AS bar,
  number_of(entry[2]) AS "open", number_of(entry[3]) AS "high", number_of(entry[4]) AS "low", number_of(entry[5]) AS "close",
  number_of(entry[6]) AS "vol", number_of(entry[7]) AS "volCcy", number_of(entry[8]) AS "volCcyQuote",
  CASE entry[9] WHEN '1' THEN true WHEN '0' THEN false END AS is_final,
  data.frame.arg.channel || '.' || data.frame.arg."instId" AS channel,
  object_of(concat_ws(',',
    beyond('open', entry[2]), beyond('high', entry[3]), beyond('low', entry[4]), beyond('close', entry[5]),
    beyond('vol', entry[6]), beyond('volCcy', entry[7]), beyond('volCcyQuote', entry[8]),
    CASE WHEN len(entry) > 9 THEN '"bar":' || CAST(to_json(entry) AS VARCHAR) END,
    CASE WHEN place = 1 THEN '"envelope":' || said_besides(line) END)) AS extra,
  row_no * place AS row_no
FROM (
  SELECT *, unnest(CASE WHEN row_no > 0 THEN data.frame.data ELSE [NULL] END) AS entry,
    unnest(CASE WHEN row_no > 0 THEN range(1, 1 + len(data.frame.data)) ELSE [1] END) AS place
  FROM frame_items
);
