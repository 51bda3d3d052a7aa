SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  channel, change_id, prev_change_id, coalesce("type" = 'snapshot', prev_change_id IS NULL) AS is_snapshot, side, price,
  deribit_price_unit(instrument_name, kind) AS price_unit,
  CASE WHEN "action" = 'delete' THEN 0 ELSE deribit_in_base(amount, price, instrument_name, kind) END AS amount_base
FROM deribit.book
