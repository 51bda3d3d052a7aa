-- Mark, funding, open interest and greeks are channels of their own, and so rows of their own.
-- How much a contract is may change: the last list before a row says it, before the first list the first.
WITH contracts AS (
  SELECT instrument_name, contract_size,
    CASE WHEN lag(recv_ts) OVER one IS NULL THEN '-infinity'::TIMESTAMPTZ ELSE recv_ts END AS from_ts
  FROM okx.instruments WHERE contract_size IS NOT NULL
  WINDOW one AS (PARTITION BY instrument_name ORDER BY recv_ts, seq)
)
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  t."last" AS last_price, okx_price_unit(t.instrument_name, t.kind) AS price_unit,
  t."bidPx" AS bid_price, okx_in_base(t."bidSz", t."bidPx", t.instrument_name, t.kind, c.contract_size) AS bid_amount_base,
  t."askPx" AS ask_price, okx_in_base(t."askSz", t."askPx", t.instrument_name, t.kind, c.contract_size) AS ask_amount_base,
  CASE WHEN t.kind = 'spot' THEN t."vol24h" ELSE t."volCcy24h" END AS volume_24h_base,
  CASE WHEN t.kind = 'spot' THEN t."volCcy24h" END AS turnover_24h_quote,
  NULL::DOUBLE AS mark_price, NULL::DOUBLE AS index_price, NULL::DOUBLE AS funding_rate,
  NULL::DOUBLE AS funding_interval_hours, NULL::DOUBLE AS open_interest_base, NULL::DOUBLE AS mark_iv_fraction,
  NULL::DOUBLE AS bid_iv_fraction, NULL::DOUBLE AS ask_iv_fraction, NULL::DOUBLE AS underlying_price,
  NULL::DOUBLE AS delta, NULL::DOUBLE AS gamma, NULL::DOUBLE AS vega, NULL::DOUBLE AS theta
FROM okx.ticker t
ASOF LEFT JOIN contracts c
  ON t.instrument_name = c.instrument_name AND coalesce(t.exchange_ts, t.recv_ts) > c.from_ts
UNION ALL BY NAME
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  t."markPx" AS mark_price, okx_price_unit(t.instrument_name, t.kind) AS price_unit
FROM okx.mark_price t
UNION ALL BY NAME
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  t."idxPx" AS index_price, okx_price_unit(t.instrument_name, t.kind) AS price_unit
FROM okx.price_index t
UNION ALL BY NAME
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  okx_price_unit(t.instrument_name, t.kind) AS price_unit, t."fundingRate" AS funding_rate,
  (t."nextFundingTime" - t."fundingTime") / 3600000 AS funding_interval_hours
FROM okx.funding_rate t
UNION ALL BY NAME
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  okx_price_unit(t.instrument_name, t.kind) AS price_unit, t."oiCcy" AS open_interest_base
FROM okx.open_interest t
UNION ALL BY NAME
SELECT
  t.exchange, t.kind, t.currency, t."date", t.instrument_name, okx_base(t.instrument_name) AS base,
  okx_quote(t.instrument_name) AS quote, t.recv_ts, t.exchange_ts, t.conn, t.seq, t.source,
  okx_price_unit(t.instrument_name, t.kind) AS price_unit, t."markVol" AS mark_iv_fraction, nullif(t."bidVol", 0) AS bid_iv_fraction, nullif(t."askVol", 0) AS ask_iv_fraction,
  t."fwdPx" AS underlying_price, t."deltaBS" AS delta, t."gammaBS" AS gamma, t."vegaBS" AS vega, t."thetaBS" AS theta
FROM okx.option_summary t
