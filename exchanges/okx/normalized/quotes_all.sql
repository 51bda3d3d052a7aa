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
  t."bidPx" AS bid_price, okx_in_base(t."bidSz", t."bidPx", t.instrument_name, t.kind, c.contract_size) AS bid_amount_base,
  t."askPx" AS ask_price, okx_in_base(t."askSz", t."askPx", t.instrument_name, t.kind, c.contract_size) AS ask_amount_base,
  okx_price_unit(t.instrument_name, t.kind) AS price_unit
FROM okx.quote t
ASOF LEFT JOIN contracts c
  ON t.instrument_name = c.instrument_name AND coalesce(t.exchange_ts, t.recv_ts) > c.from_ts
