SELECT
  exchange, kind, currency, "date", instrument_name, base_currency AS base, quote_currency AS quote, recv_ts, exchange_ts,
  conn, seq, source,
  coalesce(settlement_currency, quote_currency) AS settle, deribit_is_usd(instrument_name, kind) AS is_inverse,
  contract_size, CASE WHEN deribit_is_usd(instrument_name, kind) THEN 'quote' ELSE 'base' END AS contract_unit,
  tick_size, deribit_price_unit(instrument_name, kind) AS price_unit, min_trade_amount AS min_amount, strike,
  option_type, make_timestamptz(creation_timestamp * 1000) AS listed_ts,
  CASE WHEN expiration_timestamp < 32503680000000 THEN make_timestamptz(expiration_timestamp * 1000) END AS expiry_ts, state
FROM deribit.instruments
