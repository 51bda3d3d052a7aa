-- How close the exchange is to auto-deleveraging (one row per contract of a frame): the pool's balance, by how much it may
-- fall (`pnl_ratio`), and the ratios at which auto-deleveraging starts and ends.
-- include _pushed
CREATE MACRO shape() AS '{
  "c": "VARCHAR", "s": "VARCHAR", "b": "VARCHAR", "mb": "VARCHAR", "i_pr": "VARCHAR", "pr": "VARCHAR",
  "adl_tt": "VARCHAR", "adl_sr": "VARCHAR"
}';

CREATE MACRO verdict(line, data) AS CASE WHEN data.s IS NULL THEN 'no s' END;

SELECT
  recv_ts, moment(envelope.ts) AS exchange_ts, data.s AS instrument_name, conn, seq, source, category_of(data.s) AS category,
  envelope."type" AS "type", data.c AS coin, number_of(data.b) AS balance, number_of(data.mb) AS max_balance,
  number_of(data.i_pr) AS insurance_pnl_ratio, number_of(data.pr) AS pnl_ratio,
  number_of(data.adl_tt) AS adl_threshold, number_of(data.adl_sr) AS adl_stop_ratio,
  channel, with_members(extra, [beyond('balance', data.b), beyond('max_balance', data.mb),
    beyond('insurance_pnl_ratio', data.i_pr), beyond('pnl_ratio', data.pr), beyond('adl_threshold', data.adl_tt),
    beyond('adl_stop_ratio', data.adl_sr)]) AS extra, row_no
FROM frame_items;
