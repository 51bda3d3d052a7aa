-- Question: which options did takers buy and sell, and how much premium, delta and vega was that?
-- Example: FROM option_flow(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', per := 'expiry', coin := 'BTC')
-- Parameters: width, from_ts, to_ts; per, of `expiry`, `strike`, `type`, `instrument`: what to group by; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Column flow_ts, pair, currency: a row for each span of that width and group; pair is how the names begin
-- Column expiry_ts, strike, option_type, instrument_name: NULL where not grouped by
-- Column trades: number of trades; legs of combos count, the combos themselves do not
-- Column bought_coin, sold_coin, net_bought_coin: contracts in base coin that takers bought, sold, and bought minus sold
-- Column net_premium_usd: premium that takers paid minus received; negative: received; a premium in coin is converted at the index price
-- Column net_delta_coin, net_vega_usd_per_point: of what takers bought minus sold, with the greeks of the last ticker before each trade; vega in USD per point of IV
-- Column net_screen_coin, net_block_coin, net_rfq_coin, net_combo_coin: `net_bought_coin` by origin: the order book alone, blocks without a request for quotes, blocks with one, legs of combos in the book
-- Column trades_with_greeks: number of trades whose ticker is known; delta and vega are of these
-- Column age: of the oldest ticker used
-- Column covered: false where trades of the span are missing, or the ticker of a trade is unknown
CREATE OR REPLACE MACRO option_flow(width, from_ts, to_ts, per := 'instrument', coin := '%', lookback := '1 hour') AS TABLE
WITH signed AS (
  SELECT *, CASE direction WHEN 'buy' THEN amount ELSE -amount END AS net,
    CASE WHEN contains(pair, '_') THEN 1 ELSE index_price_usd END AS usd,
    time_bucket(width::INTERVAL, exchange_ts, TIMESTAMPTZ '2000-01-03 00:00:00+00') AS flow_ts
  FROM trades_with_quotes('%', from_ts, to_ts, kinds := 'option', coin := coin, lookback := lookback)
), flows AS (
  SELECT flow_ts, pair, currency, CASE WHEN contains(per, 'expiry') OR contains(per, 'instrument') THEN expiry_of(instrument_name) END AS expiry_ts,
    CASE WHEN contains(per, 'strike') OR contains(per, 'instrument') THEN strike_of(instrument_name) END AS strike,
    CASE WHEN contains(per, 'type') OR contains(per, 'instrument') THEN option_type_of(instrument_name) END AS option_type,
    CASE WHEN contains(per, 'instrument') THEN instrument_name END AS instrument_name,
    count(*) AS trades, coalesce(sum(net) FILTER (net > 0), 0) AS bought_coin, coalesce(-sum(net) FILTER (net < 0), 0) AS sold_coin,
    sum(net) AS net_bought_coin, sum(net * price * usd) AS net_premium_usd, sum(net * delta) AS net_delta_coin,
    sum(net * vega_usd_per_point) AS net_vega_usd_per_point,
    coalesce(sum(net) FILTER (block_trade_id IS NULL AND block_rfq_id IS NULL AND combo_role IS NULL), 0) AS net_screen_coin,
    coalesce(sum(net) FILTER (block_trade_id IS NOT NULL AND block_rfq_id IS NULL), 0) AS net_block_coin,
    coalesce(sum(net) FILTER (block_rfq_id IS NOT NULL), 0) AS net_rfq_coin,
    coalesce(sum(net) FILTER (block_trade_id IS NULL AND block_rfq_id IS NULL AND combo_role IS NOT NULL), 0) AS net_combo_coin,
    count(delta) AS trades_with_greeks, max(ticker_age) FILTER (ticker_covered) AS age,
    all_covered(ticker_covered) AS covered
  FROM signed
  GROUP BY ALL
)
SELECT * REPLACE (CASE WHEN EXISTS (
    FROM gaps g WHERE g.exchange = 'deribit' AND (g.channel IS NULL OR g.channel = 'trades')
      AND (g.instrument_kind IS NULL OR g.instrument_kind = 'option') AND g.state IN ('missing', 'not recording')
      AND (g.instrument_name IS NULL OR (pair_of(g.instrument_name) = f.pair AND
        (f.expiry_ts IS NULL OR expiry_of(g.instrument_name) = f.expiry_ts) AND
        (f.strike IS NULL OR strike_of(g.instrument_name) = f.strike) AND
        (f.option_type IS NULL OR option_type_of(g.instrument_name) = f.option_type)))
      AND g.to_ts > f.flow_ts AND g.from_ts < f.flow_ts + width::INTERVAL
      AND g.to_ts > from_ts::TIMESTAMPTZ - width::INTERVAL AND g.from_ts < to_ts::TIMESTAMPTZ + width::INTERVAL
  ) THEN false ELSE covered END AS covered)
FROM flows f
ORDER BY flow_ts, pair, expiry_ts, strike, option_type;
