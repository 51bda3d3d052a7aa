-- What is sent again because nothing changed is left out by nobody: it is a quote once more.
SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  bid_price, bybit_in_base(bid_size, bid_price, category) AS bid_amount_base,
  ask_price, bybit_in_base(ask_size, ask_price, category) AS ask_amount_base, bybit_quote(instrument_name, category) AS price_unit
FROM bybit.quote
