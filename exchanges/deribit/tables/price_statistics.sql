-- The last 24 hours of an index (one row per frame). The payload has no time. `high_volatility` is called `fast_market`
-- in newer messages.
CREATE MACRO shape() AS '{
  "index_name": "VARCHAR", "low24h": "DOUBLE", "high24h": "DOUBLE", "change24h": "DOUBLE",
  "high_volatility": "BOOLEAN", "fast_market": "BOOLEAN"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.index_name IS NULL THEN 'no index_name' END;

SELECT
  recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, data.index_name AS instrument_name, conn, seq, source,
  data.index_name AS index_name, data.low24h AS low24h, data.high24h AS high24h, data.change24h AS change24h,
  coalesce(data.fast_market, data.high_volatility) AS high_volatility,
  channel, extra, row_no
FROM frame_items;
