-- A ticker that comes in changes stands on from its last frame on the same connection, within a UTC day: whole again after
-- each snapshot. Sides of options that are empty have price, size and IV 0.
SELECT
  exchange, kind, currency, "date", instrument_name, bybit_base(instrument_name, category) AS base,
  bybit_quote(instrument_name, category) AS quote, recv_ts, exchange_ts, conn, seq, source,
  last_price, mark_price, index_price, bybit_quote(instrument_name, category) AS price_unit,
  nullif(bid, 0) AS bid_price, CASE WHEN bid <> 0 THEN bybit_in_base(bid_amount, bid, category) END AS bid_amount_base,
  nullif(ask, 0) AS ask_price, CASE WHEN ask <> 0 THEN bybit_in_base(ask_amount, ask, category) END AS ask_amount_base,
  funding_rate, funding_interval_hour AS funding_interval_hours,
  -- Options are counted once already.
  CASE WHEN category = 'option' THEN open_interest
    ELSE bybit_in_base(coalesce(single_open_interest, open_interest / 2), mark_price, category) END AS open_interest_base,
  CASE WHEN category = 'inverse' THEN turnover_24h ELSE volume_24h END AS volume_24h_base,
  CASE WHEN category = 'inverse' THEN volume_24h ELSE turnover_24h END AS turnover_24h_quote,
  mark_price_iv AS mark_iv_fraction, nullif(bid_iv, 0) AS bid_iv_fraction, nullif(ask_iv, 0) AS ask_iv_fraction,
  underlying_price, delta, gamma, vega, theta
FROM (
  SELECT
    exchange, kind, currency, "date", instrument_name, category, recv_ts, exchange_ts, conn, seq, source,
    bid_iv, ask_iv, mark_price_iv, underlying_price, delta, gamma, vega, theta,
    last_value(last_price IGNORE NULLS) OVER so_far AS last_price,
    last_value(mark_price IGNORE NULLS) OVER so_far AS mark_price,
    last_value(index_price IGNORE NULLS) OVER so_far AS index_price,
    last_value(coalesce(bid1_price, bid_price) IGNORE NULLS) OVER so_far AS bid,
    last_value(coalesce(bid1_size, bid_size) IGNORE NULLS) OVER so_far AS bid_amount,
    last_value(coalesce(ask1_price, ask_price) IGNORE NULLS) OVER so_far AS ask,
    last_value(coalesce(ask1_size, ask_size) IGNORE NULLS) OVER so_far AS ask_amount,
    last_value(funding_rate IGNORE NULLS) OVER so_far AS funding_rate,
    last_value(funding_interval_hour IGNORE NULLS) OVER so_far AS funding_interval_hour,
    last_value(open_interest IGNORE NULLS) OVER so_far AS open_interest,
    last_value(single_open_interest IGNORE NULLS) OVER so_far AS single_open_interest,
    last_value(volume_24h IGNORE NULLS) OVER so_far AS volume_24h,
    last_value(turnover_24h IGNORE NULLS) OVER so_far AS turnover_24h
  FROM (
    SELECT *, count(*) FILTER ("type" = 'snapshot')
      OVER (PARTITION BY exchange, kind, currency, "date", instrument_name, conn ORDER BY recv_ts, seq) AS since_snapshot
    FROM bybit.ticker
  )
  WINDOW so_far AS (PARTITION BY exchange, kind, currency, "date", instrument_name, conn, since_snapshot ORDER BY recv_ts, seq)
)
