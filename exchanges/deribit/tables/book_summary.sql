-- Summary of an instrument, polled (one row per instrument of an answer). Prices of an empty side are NULL, unlike in
-- `ticker`.
CREATE MACRO shape() AS '{
  "instrument_name": "VARCHAR",
  "base_currency": "VARCHAR",
  "quote_currency": "VARCHAR",
  "bid_price": "DOUBLE",
  "ask_price": "DOUBLE",
  "mid_price": "DOUBLE",
  "mark_price": "DOUBLE",
  "last": "DOUBLE",
  "high": "DOUBLE",
  "low": "DOUBLE",
  "volume": "DOUBLE",
  "volume_usd": "DOUBLE",
  "volume_notional": "DOUBLE",
  "open_interest": "DOUBLE",
  "price_change": "DOUBLE",
  "estimated_delivery_price": "DOUBLE",
  "creation_timestamp": "DOUBLE",
  "current_funding": "DOUBLE",
  "funding_8h": "DOUBLE",
  "mark_iv": "DOUBLE",
  "interest_rate": "DOUBLE",
  "underlying_index": "VARCHAR",
  "underlying_price": "DOUBLE"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.instrument_name IS NULL THEN 'no instrument_name' END;

SELECT
  recv_ts, moment(data.creation_timestamp) AS exchange_ts, data.instrument_name AS instrument_name, conn, seq, source,
  data.base_currency AS base_currency, data.quote_currency AS quote_currency,
  data.bid_price AS bid_price, data.ask_price AS ask_price, data.mid_price AS mid_price,
  data.mark_price AS mark_price, data.last AS last, data.high AS high, data.low AS low,
  data.volume AS volume, data.volume_usd AS volume_usd, data.volume_notional AS volume_notional,
  data.open_interest AS open_interest, data.price_change AS price_change,
  data.estimated_delivery_price AS estimated_delivery_price,
  data.current_funding AS current_funding,
  data.funding_8h AS funding_8h, data.mark_iv AS mark_iv, data.interest_rate AS interest_rate,
  data.underlying_index AS underlying_index, data.underlying_price AS underlying_price,
  extra, row_no
FROM frame_items;
