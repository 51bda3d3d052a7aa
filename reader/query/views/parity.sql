-- Question: did the call and the put of a strike agree (put-call parity), and what was left after crossing their spreads?
-- Example: FROM parity(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23', coin := 'BTC') WHERE edge_coin > 0
-- Parameters: step, from_ts, to_ts; coin (of settlement, a LIKE pattern); lookback, how old a ticker may be
-- Empty: where no price is off by more than crossing the spreads costs: most of the time
-- Column at_ts, exchange, pair, currency, expiry_ts, strike: a row for each moment and strike
-- Column days: to expiry, with a fraction
-- Column parity_mark_coin: C − P − (1 − K/F) of the mark prices, in coins for an option on one coin; near 0 where they agree, positive where the call is dear
-- Column sell_call_edge_coin: profit of selling the call at its bid, buying the put at its ask and buying the future at F, before fees; negative: a loss; NULL without both quotes
-- Column buy_call_edge_coin: profit of buying the call at its ask, selling the put at its bid and selling the future at F, before fees; negative: a loss; NULL without both quotes
-- Column edge_coin: the larger of the two; positive: a quote is stale, or there was a profit before fees
-- Column age: of the older of the two tickers
-- Column covered: false where the state of either option is unknown
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
