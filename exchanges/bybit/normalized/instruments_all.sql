SELECT
  exchange, kind, currency, "date", instrument_name, base_coin AS base,
  CASE WHEN category = 'linear' THEN settle_coin ELSE quote_coin END AS quote, recv_ts, exchange_ts, conn, seq, source,
  settle_coin AS settle, category = 'inverse' AS is_inverse, contract_size,
  CASE WHEN category = 'inverse' THEN 'quote' ELSE 'base' END AS contract_unit, tick_size,
  CASE WHEN category = 'linear' THEN settle_coin ELSE quote_coin END AS price_unit,
  min_order_qty AS min_amount, strike_price AS strike, lower(options_type) AS option_type,
  launch_ts AS listed_ts, delivery_ts AS expiry_ts, status AS state
FROM bybit.instruments
