-- Best bid and ask of an instrument, at most every 10 ms (one row per frame); a side that is empty is NULL.
CREATE MACRO shape() AS '{
  "asks": [["VARCHAR"]], "bids": [["VARCHAR"]], "ts": "VARCHAR", "checksum": "BIGINT", "seqId": "BIGINT",
  "instId": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts' END;

-- include _level

-- The best level of a side that is not [price, size, "0", orders], or that has further levels.
CREATE MACRO odd_side(levels) AS len(levels) > 1 OR len(levels) = 1 AND odd_level(levels[1]);

SELECT
  recv_ts, moment(number_of(data.ts)) AS exchange_ts, about_of(channel) AS instrument_name, conn, seq, source,
  number_of(data.bids[1][1]) AS "bidPx", number_of(data.bids[1][2]) AS "bidSz", whole_of(data.bids[1][4]) AS "bidOrders",
  number_of(data.asks[1][1]) AS "askPx", number_of(data.asks[1][2]) AS "askSz", whole_of(data.asks[1][4]) AS "askOrders",
  data."seqId" AS "seqId", channel,
  with_members(extra, [
    as_member(CASE WHEN odd_side(data.bids) THEN '"bids":' || CAST(to_json(data.bids) AS VARCHAR) END),
    as_member(CASE WHEN odd_side(data.asks) THEN '"asks":' || CAST(to_json(data.asks) AS VARCHAR) END)
  ]) AS extra, row_no
FROM frame_items;
