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
  t.channel, t."seqId" AS change_id, nullif(t."prevSeqId", -1) AS prev_change_id, t."action" = 'snapshot' AS is_snapshot,
  t.side, t.price, okx_price_unit(t.instrument_name, t.kind) AS price_unit,
  okx_in_base(t."size", t.price, t.instrument_name, t.kind, c.contract_size) AS amount_base
FROM okx.book t
ASOF LEFT JOIN contracts c
  ON t.instrument_name = c.instrument_name AND coalesce(t.exchange_ts, t.recv_ts) > c.from_ts
