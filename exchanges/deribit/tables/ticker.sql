-- Everything the exchange says about an instrument at one time (one row per frame). Which fields are there depends on
-- the kind of instrument and on its state. An empty side has price and amount 0.0; a `bid_iv` of 0.0 and an `ask_iv` of
-- 500.0 say that there is none. `estimated_delivery_price` turns into the text `expired`, which is kept apart.
CREATE MACRO shape() AS '{
  "timestamp": "DOUBLE", "instrument_name": "VARCHAR", "state": "VARCHAR",
  "last_price": "DOUBLE", "mark_price": "DOUBLE", "index_price": "DOUBLE", "min_price": "DOUBLE", "max_price": "DOUBLE",
  "settlement_price": "DOUBLE", "open_interest": "DOUBLE",
  "best_bid_price": "DOUBLE", "best_bid_amount": "DOUBLE", "best_ask_price": "DOUBLE", "best_ask_amount": "DOUBLE",
  "estimated_delivery_price": "VARCHAR", "delivery_price": "DOUBLE",
  "current_funding": "DOUBLE", "funding_8h": "DOUBLE", "interest_value": "DOUBLE",
  "underlying_price": "DOUBLE", "underlying_index": "VARCHAR", "interest_rate": "DOUBLE",
  "mark_iv": "DOUBLE", "bid_iv": "DOUBLE", "ask_iv": "DOUBLE",
  "greeks": {"delta": "DOUBLE", "gamma": "DOUBLE", "vega": "DOUBLE", "theta": "DOUBLE", "rho": "DOUBLE"},
  "implied_bid": "DOUBLE", "implied_ask": "DOUBLE", "combo_state": "VARCHAR",
  "stats": {"high": "DOUBLE", "low": "DOUBLE", "price_change": "DOUBLE", "volume": "DOUBLE", "volume_usd": "DOUBLE",
            "volume_notional": "DOUBLE"}
}';

CREATE MACRO verdict(line, data) AS instrument_verdict(data);

SELECT
  recv_ts, moment(data."timestamp") AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.state AS state,
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
