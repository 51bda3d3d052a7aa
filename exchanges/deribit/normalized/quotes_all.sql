SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  nullif(best_bid_price, 0) AS bid_price,
  CASE WHEN best_bid_price <> 0 THEN deribit_in_base(best_bid_amount, best_bid_price, instrument_name, kind) END
    AS bid_amount_base,
  nullif(best_ask_price, 0) AS ask_price,
  CASE WHEN best_ask_price <> 0 THEN deribit_in_base(best_ask_amount, best_ask_price, instrument_name, kind) END
    AS ask_amount_base,
  deribit_price_unit(instrument_name, kind) AS price_unit
FROM deribit.quote
