SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  exchange_ts AS start_ts, CASE WHEN resolution = '1D' THEN 86400 ELSE 60 * TRY_CAST(resolution AS BIGINT) END AS width_s,
  "open", high, low, "close", deribit_price_unit(instrument_name, kind) AS price_unit,
  volume AS volume_base, CASE WHEN kind <> 'option' THEN cost END AS turnover_quote, is_final
FROM deribit.candles
