SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  channel, update_id AS change_id, CASE WHEN "type" = 'delta' AND (update_id > 1 OR depth IS NULL) THEN update_id - 1 END AS prev_change_id,
  coalesce("type" <> 'delta' OR (update_id = 1 AND depth IS NOT NULL), true) AS is_snapshot, side, price, bybit_quote(instrument_name, category) AS price_unit,
  bybit_in_base(size, price, category) AS amount_base
FROM bybit.book
