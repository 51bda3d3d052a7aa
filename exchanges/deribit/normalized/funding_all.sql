SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  interest_1h AS funding_rate, 1 AS interval_hours, index_price
FROM deribit.funding_history
