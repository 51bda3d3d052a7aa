-- Ticker of an instrument (one row per frame). Linear and inverse tickers come as a snapshot, then with only the fields
-- that changed (`type` `delta`): NULL means unchanged, not empty; `tickers_all` fills them in. Tickers of spot and options
-- are whole. Spot has no best bid and ask here. `open_interest` counts both sides. IVs are fractions; an empty side of an
-- option has price, size and IV 0. `funding_rate` is the expected rate for `next_funding_ts`.
-- include _pushed
CREATE MACRO shape() AS '{
  "symbol": "VARCHAR", "tickDirection": "VARCHAR", "nextFundingTime": "VARCHAR", "deliveryTime": "VARCHAR", "curPreListingPhase": "VARCHAR",
  "price24hPcnt": "VARCHAR", "lastPrice": "VARCHAR", "prevPrice24h": "VARCHAR", "highPrice24h": "VARCHAR", "lowPrice24h": "VARCHAR",
  "prevPrice1h": "VARCHAR", "markPrice": "VARCHAR", "indexPrice": "VARCHAR", "openInterest": "VARCHAR", "openInterestValue": "VARCHAR",
  "singleOpenInterest": "VARCHAR", "singleOpenInterestValue": "VARCHAR", "turnover24h": "VARCHAR", "volume24h": "VARCHAR", "fundingIntervalHour": "VARCHAR",
  "fundingCap": "VARCHAR", "fundingRate": "VARCHAR", "bid1Price": "VARCHAR", "bid1Size": "VARCHAR", "ask1Price": "VARCHAR",
  "ask1Size": "VARCHAR", "preOpenPrice": "VARCHAR", "preQty": "VARCHAR", "basisRate": "VARCHAR", "basis": "VARCHAR",
  "basisRateYear": "VARCHAR", "deliveryFeeRate": "VARCHAR", "predictedDeliveryPrice": "VARCHAR", "usdIndexPrice": "VARCHAR", "bidPrice": "VARCHAR",
  "bidSize": "VARCHAR", "bidIv": "VARCHAR", "askPrice": "VARCHAR", "askSize": "VARCHAR", "askIv": "VARCHAR",
  "markPriceIv": "VARCHAR", "underlyingPrice": "VARCHAR", "totalVolume": "VARCHAR", "totalTurnover": "VARCHAR", "delta": "VARCHAR",
  "gamma": "VARCHAR", "vega": "VARCHAR", "theta": "VARCHAR", "change24h": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.symbol IS NULL THEN 'no symbol' END;
-- ms as text, or ISO text as tickers of dated futures had it.
CREATE MACRO time_of(said) AS coalesce(moment(nullif(number_of(said), 0)), TRY_CAST(nullif(said, '0') AS TIMESTAMPTZ));

SELECT
  recv_ts, moment(envelope.ts) AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  category_of(data.symbol) AS category, envelope."type" AS "type", envelope.cs AS cross_seq,
  data.tickDirection AS tick, time_of(data.nextFundingTime) AS next_funding_ts,
  time_of(data.deliveryTime) AS delivery_ts, data.curPreListingPhase AS cur_pre_listing_phase,
  number_of(data."price24hPcnt") AS price_24h_pcnt, number_of(data."lastPrice") AS last_price,
  number_of(data."prevPrice24h") AS prev_price_24h, number_of(data."highPrice24h") AS high_price_24h,
  number_of(data."lowPrice24h") AS low_price_24h, number_of(data."prevPrice1h") AS prev_price_1h,
  number_of(data."markPrice") AS mark_price, number_of(data."indexPrice") AS index_price,
  number_of(data."openInterest") AS open_interest, number_of(data."openInterestValue") AS open_interest_value,
  number_of(data."singleOpenInterest") AS single_open_interest, number_of(data."singleOpenInterestValue") AS single_open_interest_value,
  number_of(data."turnover24h") AS turnover_24h, number_of(data."volume24h") AS volume_24h,
  number_of(data."fundingIntervalHour") AS funding_interval_hour, number_of(data."fundingCap") AS funding_cap,
  number_of(data."fundingRate") AS funding_rate, number_of(data."bid1Price") AS bid1_price,
  number_of(data."bid1Size") AS bid1_size, number_of(data."ask1Price") AS ask1_price,
  number_of(data."ask1Size") AS ask1_size, number_of(data."preOpenPrice") AS pre_open_price,
  number_of(data."preQty") AS pre_qty, number_of(data."basisRate") AS basis_rate,
  number_of(data."basis") AS basis, number_of(data."basisRateYear") AS basis_rate_year,
  number_of(data."deliveryFeeRate") AS delivery_fee_rate, number_of(data."predictedDeliveryPrice") AS predicted_delivery_price,
  number_of(data."usdIndexPrice") AS usd_index_price, number_of(data."bidPrice") AS bid_price,
  number_of(data."bidSize") AS bid_size, number_of(data."bidIv") AS bid_iv,
  number_of(data."askPrice") AS ask_price, number_of(data."askSize") AS ask_size,
  number_of(data."askIv") AS ask_iv, number_of(data."markPriceIv") AS mark_price_iv,
  number_of(data."underlyingPrice") AS underlying_price, number_of(data."totalVolume") AS total_volume,
  number_of(data."totalTurnover") AS total_turnover, number_of(data."delta") AS delta,
  number_of(data."gamma") AS gamma, number_of(data."vega") AS vega,
  number_of(data."theta") AS theta, number_of(data."change24h") AS change_24h,
  channel,
  with_members(extra, [beyond('price_24h_pcnt', data."price24hPcnt"), beyond('last_price', data."lastPrice"),
    beyond('prev_price_24h', data."prevPrice24h"), beyond('high_price_24h', data."highPrice24h"),
    beyond('low_price_24h', data."lowPrice24h"), beyond('prev_price_1h', data."prevPrice1h"),
    beyond('mark_price', data."markPrice"), beyond('index_price', data."indexPrice"),
    beyond('open_interest', data."openInterest"), beyond('open_interest_value', data."openInterestValue"),
    beyond('single_open_interest', data."singleOpenInterest"), beyond('single_open_interest_value', data."singleOpenInterestValue"),
    beyond('turnover_24h', data."turnover24h"), beyond('volume_24h', data."volume24h"),
    beyond('funding_interval_hour', data."fundingIntervalHour"), beyond('funding_cap', data."fundingCap"),
    beyond('funding_rate', data."fundingRate"), beyond('bid1_price', data."bid1Price"),
    beyond('bid1_size', data."bid1Size"), beyond('ask1_price', data."ask1Price"),
    beyond('ask1_size', data."ask1Size"), beyond('pre_open_price', data."preOpenPrice"),
    beyond('pre_qty', data."preQty"), beyond('basis_rate', data."basisRate"),
    beyond('basis', data."basis"), beyond('basis_rate_year', data."basisRateYear"),
    beyond('delivery_fee_rate', data."deliveryFeeRate"), beyond('predicted_delivery_price', data."predictedDeliveryPrice"),
    beyond('usd_index_price', data."usdIndexPrice"), beyond('bid_price', data."bidPrice"),
    beyond('bid_size', data."bidSize"), beyond('bid_iv', data."bidIv"),
    beyond('ask_price', data."askPrice"), beyond('ask_size', data."askSize"),
    beyond('ask_iv', data."askIv"), beyond('mark_price_iv', data."markPriceIv"),
    beyond('underlying_price', data."underlyingPrice"), beyond('total_volume', data."totalVolume"),
    beyond('total_turnover', data."totalTurnover"), beyond('delta', data."delta"),
    beyond('gamma', data."gamma"), beyond('vega', data."vega"),
    beyond('theta', data."theta"), beyond('change_24h', data."change24h"),
    as_member(CASE WHEN data.nextFundingTime NOT IN ('', '0') AND time_of(data.nextFundingTime) IS NULL
      THEN '"next_funding_ts":' || to_json(data.nextFundingTime)::VARCHAR END),
    as_member(CASE WHEN data.deliveryTime NOT IN ('', '0') AND time_of(data.deliveryTime) IS NULL
      THEN '"delivery_ts":' || to_json(data.deliveryTime)::VARCHAR END)]) AS extra,
  row_no
FROM frame_items;
