SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  t.exchange_ts AS start_ts,
  TRY_CAST(regexp_extract(t.bar, '^\d+') AS BIGINT) * CASE regexp_extract(t.bar, '[a-zA-Z]')
    WHEN 's' THEN 1 WHEN 'm' THEN 60 WHEN 'H' THEN 3600 WHEN 'D' THEN 86400 WHEN 'W' THEN 604800 END AS width_s,
  t."open", t.high, t.low, t."close", okx_price_unit(t.instrument_name, t.kind) AS price_unit,
  CASE WHEN t.kind = 'spot' THEN t.vol ELSE t."volCcy" END AS volume_base, t."volCcyQuote" AS turnover_quote, t.is_final
FROM okx.candles t
