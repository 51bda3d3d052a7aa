-- `incremental_ticker` says the same once more.
SELECT
  exchange, kind, currency, "date", instrument_name, deribit_base(instrument_name) AS base,
  deribit_quote(instrument_name) AS quote, recv_ts, exchange_ts, conn, seq, source,
  last_price, mark_price, index_price, deribit_price_unit(instrument_name, kind) AS price_unit,
  nullif(best_bid_price, 0) AS bid_price,
  CASE WHEN best_bid_price <> 0 THEN deribit_in_base(best_bid_amount, best_bid_price, instrument_name, kind) END
    AS bid_amount_base,
  nullif(best_ask_price, 0) AS ask_price,
  CASE WHEN best_ask_price <> 0 THEN deribit_in_base(best_ask_amount, best_ask_price, instrument_name, kind) END
    AS ask_amount_base,
  funding_8h AS funding_rate, CASE WHEN funding_8h IS NOT NULL THEN 8 END AS funding_interval_hours,
  deribit_in_base(open_interest, mark_price, instrument_name, kind) AS open_interest_base,
  stats_volume AS volume_24h_base, coalesce(stats_volume_notional, stats_volume_usd) AS turnover_24h_quote,
  mark_iv / 100 AS mark_iv_fraction,
  -- An empty side has 0 and 500.
  CASE WHEN best_bid_price <> 0 THEN bid_iv / 100 END AS bid_iv_fraction,
  CASE WHEN best_ask_price <> 0 THEN ask_iv / 100 END AS ask_iv_fraction,
  underlying_price, greeks_delta AS delta, greeks_gamma AS gamma, greeks_vega AS vega, greeks_theta AS theta
FROM deribit.ticker
