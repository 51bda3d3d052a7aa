-- Question: did calls and puts of a strike fit each other, and what was left after crossing their spreads?
-- Example: FROM parity(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC') WHERE edge_coin > 0
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Empty: where no price is off by more than it costs to trade: mostly
-- Column at_ts, exchange, pair, currency, expiry_ts, strike: a row for each moment and strike
-- Column days: to expiry
-- Column parity_mark_coin: C − P − (1 − K/F) of the marks, in coins per coin; near 0 where they fit
-- Column sell_call_edge_coin: what is left of selling the call at its bid, buying the put at its ask, and the future at F; NULL without both
-- Column buy_call_edge_coin: of buying the call at its ask, selling the put at its bid, and the future at F
-- Column edge_coin: the larger of the two; above 0: a quote is stale, or there was something to earn before fees
-- Column age: of the older ticker
-- Column covered: false where the state of one of the two is not known
CREATE OR REPLACE MACRO parity(step, from_ts, to_ts, coin := '%', lookback := '1 hour') AS TABLE
WITH sides AS (
  SELECT *, CASE WHEN price_unit = split_part(pair, '_', 1) THEN 1 ELSE underlying_price_usd END AS unit
  FROM option_chain_at(step, from_ts, to_ts, coin := coin, lookback := lookback)
), pairs AS (
  SELECT at_ts, exchange, pair, currency, expiry_ts, strike, any_value(days) AS days,
    1 - strike / arg_max(underlying_price_usd, ticker_ts) AS worth,
    any_value({bid: bid_price / unit, ask: ask_price / unit, mark: mark_price / unit}) FILTER (option_type = 'call') AS call,
    any_value({bid: bid_price / unit, ask: ask_price / unit, mark: mark_price / unit}) FILTER (option_type = 'put') AS put,
    max(age) AS age, all_covered(covered) AS covered
  FROM sides s
  GROUP BY at_ts, exchange, pair, currency, expiry_ts, strike
)
SELECT at_ts, exchange, pair, currency, expiry_ts, strike, days, call.mark - put.mark - worth AS parity_mark_coin,
  call.bid - put.ask - worth AS sell_call_edge_coin, put.bid - call.ask + worth AS buy_call_edge_coin,
  greatest(call.bid - put.ask - worth, put.bid - call.ask + worth) AS edge_coin, age, covered
FROM pairs p
ORDER BY at_ts, exchange, pair, currency, expiry_ts, strike;
