-- How long the interval was an answer does not say; tickers do.
SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  funding_rate
FROM bybit.funding_history
