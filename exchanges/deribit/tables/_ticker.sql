-- Members of all tickers; which of them are there depends on the kind of instrument and on its state. An empty side has
-- price and amount 0.0; a `bid_iv` of 0.0 and an `ask_iv` of 500.0 say that there is none.
CREATE MACRO ticker_members() AS '{
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
