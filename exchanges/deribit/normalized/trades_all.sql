-- A trade of a combo is a row of its kind, and its legs are rows of theirs.
SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  trade_id, direction AS side, price, deribit_price_unit(instrument_name, kind) AS price_unit,
  deribit_in_base(amount, price, instrument_name, kind) AS amount_base,
  CASE WHEN deribit_is_usd(instrument_name, kind) THEN amount
    WHEN kind = 'option' AND NOT contains(split_part(instrument_name, '-', 1), '_') THEN amount * price * index_price
    WHEN kind NOT IN ('option_combo', 'future_combo') THEN amount * price END AS notional_quote,
  iv / 100 AS iv_fraction, mark_price, index_price,
  block_trade_id IS NOT NULL AS is_block, liquidation IS NOT NULL AS is_liquidation
FROM deribit.trades
