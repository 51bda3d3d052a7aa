-- `estimated_delivery_price` turns into the text `expired`, which is kept apart.
  data.last_price AS last_price, data.mark_price AS mark_price, data.index_price AS index_price,
  data.min_price AS min_price, data.max_price AS max_price,
  data.settlement_price AS settlement_price, data.open_interest AS open_interest,
  data.best_bid_price AS best_bid_price, data.best_bid_amount AS best_bid_amount,
  data.best_ask_price AS best_ask_price, data.best_ask_amount AS best_ask_amount,
  TRY_CAST(data.estimated_delivery_price AS DOUBLE) AS estimated_delivery_price,
  CASE WHEN TRY_CAST(data.estimated_delivery_price AS DOUBLE) IS NULL
    THEN data.estimated_delivery_price END AS estimated_delivery_text,
  data.delivery_price AS delivery_price,
  data.current_funding AS current_funding, data.funding_8h AS funding_8h, data.interest_value AS interest_value,
  data.underlying_price AS underlying_price, data.underlying_index AS underlying_index,
  data.interest_rate AS interest_rate,
  data.mark_iv AS mark_iv, data.bid_iv AS bid_iv, data.ask_iv AS ask_iv,
  data.greeks.delta AS greeks_delta, data.greeks.gamma AS greeks_gamma, data.greeks.vega AS greeks_vega,
  data.greeks.theta AS greeks_theta, data.greeks.rho AS greeks_rho,
  data.implied_bid AS implied_bid, data.implied_ask AS implied_ask, data.combo_state AS combo_state,
  data.stats.high AS stats_high, data.stats.low AS stats_low, data.stats.price_change AS stats_price_change,
  data.stats.volume AS stats_volume, data.stats.volume_usd AS stats_volume_usd,
  data.stats.volume_notional AS stats_volume_notional,
  channel, extra, row_no
FROM frame_items;
