-- Definitions of instruments (one row per instrument of an answer): together the history of every instrument. An answer is
-- kept when it differs from the one before it, and once an hour. Amounts are in base coin, of inverse contracts in USD, so
-- that `contract_size` is 1. `delivery_ts` of a perpetual is its planned delisting.
CREATE MACRO shape() AS '{
  "symbol": "VARCHAR", "contractType": "VARCHAR", "status": "VARCHAR", "baseCoin": "VARCHAR", "quoteCoin": "VARCHAR", "settleCoin": "VARCHAR", "optionsType": "VARCHAR", "displayName": "VARCHAR", "symbolType": "VARCHAR", "copyTrading": "VARCHAR", "innovation": "VARCHAR", "marginTrading": "VARCHAR", "stTag": "VARCHAR",
  "launchTime": "VARCHAR", "deliveryTime": "VARCHAR", "deliveryFeeRate": "VARCHAR", "priceScale": "VARCHAR", "upperFundingRate": "VARCHAR", "lowerFundingRate": "VARCHAR", "xstockMultiplier": "VARCHAR",
  "fundingInterval": "BIGINT", "symbolId": "BIGINT", "unifiedMarginTrade": "BOOLEAN", "isPreListing": "BOOLEAN",
  "forbidUplWithdrawal": "BOOLEAN", "preListingInfo": "JSON",
  "leverageFilter": "JSON", "priceFilter": "JSON", "lotSizeFilter": "JSON", "riskParameters": "JSON"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.symbol IS NULL THEN 'no symbol' END;
CREATE MACRO in_object(object, key) AS json_extract_string(object, '$.' || key);
CREATE MACRO time_of(said) AS moment(nullif(number_of(said), 0));

SELECT
  recv_ts, moment(envelope."time") AS exchange_ts, data.symbol AS instrument_name, conn, seq, source,
  envelope.category AS category, data.symbolId AS symbol_id, data.contractType AS contract_type, data.status AS status,
  data.baseCoin AS base_coin, data.quoteCoin AS quote_coin, coalesce(data.settleCoin, data.quoteCoin) AS settle_coin,
  1::DOUBLE AS contract_size, data.optionsType AS options_type,
  number_of(regexp_extract(data.symbol, '-([0-9.]+)-[CP](-|$)', 1)) AS strike_price,
  time_of(data.launchTime) AS launch_ts, time_of(data.deliveryTime) AS delivery_ts,
  number_of(in_object(data.priceFilter, 'tickSize')) AS tick_size,
  number_of(in_object(data.lotSizeFilter, 'minOrderQty')) AS min_order_qty,
  number_of(coalesce(in_object(data.lotSizeFilter, 'qtyStep'), in_object(data.lotSizeFilter, 'basePrecision'))) AS qty_step,
  data.fundingInterval AS funding_interval_minutes,
  number_of(data.upperFundingRate) AS upper_funding_rate, number_of(data.lowerFundingRate) AS lower_funding_rate,
  number_of(data.deliveryFeeRate) AS delivery_fee_rate, number_of(data.priceScale) AS price_scale,
  data.unifiedMarginTrade AS unified_margin_trade, data.copyTrading AS copy_trading,
  data.isPreListing AS is_pre_listing, CAST(data.preListingInfo AS VARCHAR) AS pre_listing_info,
  data.displayName AS display_name, data.symbolType AS symbol_type, data.forbidUplWithdrawal AS forbid_upl_withdrawal,
  data.innovation AS innovation, data.marginTrading AS margin_trading, data.stTag AS st_tag,
  number_of(data.xstockMultiplier) AS xstock_multiplier,
  CAST(data.leverageFilter AS VARCHAR) AS leverage_filter, CAST(data.priceFilter AS VARCHAR) AS price_filter,
  CAST(data.lotSizeFilter AS VARCHAR) AS lot_size_filter, CAST(data.riskParameters AS VARCHAR) AS risk_parameters,
  with_members(extra, [beyond('tick_size', in_object(data.priceFilter, 'tickSize'))]) AS extra, row_no
FROM frame_items;
