-- What one order took at one price is one row.
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
  t."tradeId"::VARCHAR AS trade_id, t.side, t.px AS price, okx_price_unit(t.instrument_name, t.kind) AS price_unit,
  okx_in_base(t.sz, t.px, t.instrument_name, t.kind, c.contract_size) AS amount_base,
  CASE WHEN t.kind = 'spot' THEN t.sz * t.px
    WHEN okx_is_inverse(t.instrument_name, t.kind) THEN t.sz * c.contract_size
    WHEN NOT okx_is_coin(t.instrument_name, t.kind) THEN t.sz * c.contract_size * t.px END AS notional_quote,
  false AS is_block
FROM okx.trades t
ASOF LEFT JOIN contracts c
  ON t.instrument_name = c.instrument_name AND coalesce(t.exchange_ts, t.recv_ts) > c.from_ts
