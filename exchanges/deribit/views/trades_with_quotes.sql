-- Question: what were bid and ask when each trade happened, and where between them was its price?
-- Example: FROM trades_with_quotes('BTC-PERPETUAL', '2026-11-22 14:00', '2026-11-22 15:00')
-- Parameters: instrument (a LIKE pattern), from_ts, to_ts; lookback, how old a quote may be
-- Column exchange_ts, instrument_name: a row for each trade from `from_ts` on, before `to_ts`
-- Column trade_seq, direction, price, amount: of the trade; `direction` is the taker's
-- Column bid, ask: best prices right before the trade, strictly; NULL where that side is empty, or nothing is quoted so long
-- Column mid: halfway between them
-- Column position: of the price between them: 0 at the bid, 1 at the ask, beyond where the trade went through the best price
-- Column age: how long before the trade they were quoted
CREATE OR REPLACE MACRO trades_with_quotes(instrument, from_ts, to_ts, lookback := '1 hour') AS TABLE
WITH wanted AS (
  SELECT exchange_ts, instrument_name, trade_seq, direction, price, amount
  FROM trades
  WHERE instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
), quotes AS (
  SELECT instrument_name, exchange_ts AS quoted_ts,
    arg_max({bid: nullif(best_bid_price, 0), ask: nullif(best_ask_price, 0)}, (recv_ts, seq)) AS best
  FROM quote
  WHERE instrument_name LIKE instrument
    AND exchange_ts >= from_ts::TIMESTAMPTZ - lookback::INTERVAL AND exchange_ts < to_ts::TIMESTAMPTZ
    AND date BETWEEN utc_day(from_ts::TIMESTAMPTZ - lookback::INTERVAL) - 1 AND utc_day(to_ts::TIMESTAMPTZ) + 1
  GROUP BY instrument_name, exchange_ts
), joined AS (
  SELECT wanted.*, exchange_ts - quoted_ts AS age,
    CASE WHEN exchange_ts - quoted_ts <= lookback::INTERVAL THEN best END AS best
  FROM wanted ASOF LEFT JOIN quotes
    ON wanted.instrument_name = quotes.instrument_name AND wanted.exchange_ts > quotes.quoted_ts
)
SELECT exchange_ts, instrument_name, trade_seq, direction, price, amount, best.bid AS bid, best.ask AS ask,
  (best.bid + best.ask) / 2 AS mid, (price - best.bid) / nullif(best.ask - best.bid, 0) AS position,
  CASE WHEN best IS NOT NULL THEN age END AS age
FROM joined
ORDER BY instrument_name, exchange_ts, trade_seq;
