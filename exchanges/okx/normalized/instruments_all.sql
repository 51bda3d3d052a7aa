SELECT
  exchange, kind, currency, "date", instrument_name, okx_base(instrument_name) AS base, okx_quote(instrument_name) AS quote,
  recv_ts, exchange_ts, conn, seq, source,
  coalesce(nullif("settleCcy", ''), "quoteCcy") AS settle, okx_is_inverse(instrument_name, kind) AS is_inverse,
  contract_size, CASE WHEN contract_size IS NULL THEN NULL WHEN okx_is_inverse(instrument_name, kind) THEN 'quote' ELSE 'base' END
    AS contract_unit,
  "tickSz" AS tick_size, okx_price_unit(instrument_name, kind) AS price_unit, "minSz" AS min_amount, stk AS strike,
  CASE "optType" WHEN 'C' THEN 'call' WHEN 'P' THEN 'put' END AS option_type,
  make_timestamptz("listTime" * 1000) AS listed_ts, make_timestamptz("expTime" * 1000) AS expiry_ts, state
FROM okx.instruments
