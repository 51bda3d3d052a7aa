-- Question: which blocks were traded outside the book: legs, premium, delta, vega and likely structure?
-- Example: FROM block_trades('2026-11-22', '2026-11-23', coin := 'BTC')
-- Parameters: from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Empty: where no block was traded in that time
-- Column block_trade_id, block_rfq_id: a row for each block; the request for quotes that led to it, if any
-- Column exchange_ts, pair, currency: of its first leg; pair is how the names begin
-- Column legs: list of {instrument_name, direction, amount, price, iv_pct}; amounts of inverse perpetuals and futures in USD, else base coin
-- Column leg_count: number of legs
-- Column structure_guess: guessed from the option legs: outright, vertical, straddle, strangle, risk reversal, calendar, butterfly, other, no options; with `+ hedge` where options come with a future or perpetual
-- Column net_premium_usd: premium that the taker paid minus received for the options; negative: received; a premium in coin is converted at the index price
-- Column net_delta_coin: of the taker's position: options by their last ticker before the trade, perpetuals and futures by their amount; negative: short
-- Column net_vega_usd_per_point: of the taker's options, in USD per point of IV; negative: short
-- Column age: of the oldest ticker used
-- Column covered: false where the ticker of an option leg is unknown
CREATE OR REPLACE MACRO block_trades(from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH rows AS (
  SELECT *, CASE direction WHEN 'buy' THEN 1 ELSE -1 END AS sign, kind = 'option' AS is_option,
    CASE WHEN contains(pair, '_') THEN 1 ELSE index_price_usd END AS usd,
    CASE WHEN kind = 'option' THEN amount * delta WHEN NOT contains(pair, '_') THEN amount / price ELSE amount END AS delta_coin,
    expiry_of(instrument_name) AS expiry_ts, strike_of(instrument_name) AS strike, option_type_of(instrument_name) AS option_type
  FROM trades_with_quotes('%', from_ts, to_ts, kinds := 'option|future|perpetual', coin := coin, lookback := lookback)
  WHERE block_trade_id IS NOT NULL
), blocks AS (
  SELECT block_trade_id, any_value(block_rfq_id) AS block_rfq_id, min(exchange_ts) AS exchange_ts,
    any_value(pair) AS pair, any_value(currency) AS currency,
    list({instrument_name: instrument_name, direction: direction, amount: amount, price: price, iv_pct: iv_pct}
      ORDER BY instrument_name, trade_seq) AS legs,
    count(*) AS leg_count, count(DISTINCT instrument_name) FILTER (is_option) AS options, bool_or(NOT is_option) AS is_hedged,
    count(DISTINCT strike) FILTER (is_option) AS strikes, count(DISTINCT expiry_ts) FILTER (is_option) AS expiries,
    count(DISTINCT option_type) FILTER (is_option) AS types, count(DISTINCT sign) FILTER (is_option) AS signs,
    coalesce(sum(sign * amount * price * usd) FILTER (is_option), 0) AS net_premium_usd,
    sum(sign * delta_coin) AS net_delta_coin, coalesce(sum(sign * amount * vega_usd_per_point), 0) AS net_vega_usd_per_point,
    max(ticker_age) FILTER (ticker_covered) AS age,
    CASE WHEN bool_or(is_option AND NOT ticker_covered) THEN false
      WHEN count(ticker_covered) = count(*) FILTER (is_option) THEN true END AS covered
  FROM rows
  GROUP BY block_trade_id
)
SELECT block_trade_id, block_rfq_id, exchange_ts, pair, currency, legs, leg_count,
  CASE
    WHEN options = 0 THEN 'no options'
    WHEN options = 1 THEN 'outright'
    WHEN options = 2 AND expiries = 2 AND types = 1 AND signs = 2 THEN 'calendar'
    WHEN options = 2 AND expiries = 1 AND types = 1 AND signs = 2 THEN 'vertical'
    WHEN options = 2 AND expiries = 1 AND types = 2 AND signs = 1 AND strikes = 1 THEN 'straddle'
    WHEN options = 2 AND expiries = 1 AND types = 2 AND signs = 1 THEN 'strangle'
    WHEN options = 2 AND expiries = 1 AND types = 2 AND signs = 2 AND strikes = 2 THEN 'risk reversal'
    WHEN options = 3 AND expiries = 1 AND types = 1 AND signs = 2 AND strikes = 3 THEN 'butterfly'
    ELSE 'other'
  END || CASE WHEN is_hedged AND options > 0 THEN ' + hedge' ELSE '' END AS structure_guess,
  net_premium_usd, net_delta_coin, net_vega_usd_per_point, age, covered
FROM blocks
ORDER BY exchange_ts, block_trade_id;
