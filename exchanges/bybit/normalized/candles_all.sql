SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  exchange_ts AS start_ts,
  CASE resolution WHEN 'D' THEN 86400 WHEN 'W' THEN 604800 WHEN 'M' THEN NULL ELSE 60 * TRY_CAST(resolution AS BIGINT) END
    AS width_s,
  "open", high, low, "close", bybit_quote(instrument_name, category) AS price_unit,
  CASE WHEN category = 'inverse' THEN turnover ELSE volume END AS volume_base,
  CASE WHEN category = 'inverse' THEN volume ELSE turnover END AS turnover_quote, is_final
FROM bybit.candles
