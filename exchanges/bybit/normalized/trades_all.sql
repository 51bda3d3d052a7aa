SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  trade_id, lower(side) AS side, price, bybit_quote(instrument_name, category) AS price_unit,
  bybit_in_base(size, price, category) AS amount_base, bybit_in_quote(size, price, category) AS notional_quote,
  iv AS iv_fraction, mark_price, index_price, is_block_trade AS is_block
FROM bybit.trades
