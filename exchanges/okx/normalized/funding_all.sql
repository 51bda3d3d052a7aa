-- Each frame of funding says what was settled last.
SELECT
  exchange, kind, currency, "date", instrument_name, okx_base(instrument_name) AS base, okx_quote(instrument_name) AS quote,
  min(recv_ts) AS recv_ts, make_timestamptz("prevFundingTime" * 1000) AS exchange_ts, min_by(conn, recv_ts) AS conn,
  min_by(seq, recv_ts) AS seq, min_by(source, recv_ts) AS source, min_by("settFundingRate", recv_ts) AS funding_rate,
  min("fundingTime" - "prevFundingTime") / 3600000 AS interval_hours
FROM okx.funding_rate
WHERE "prevFundingTime" IS NOT NULL AND "settFundingRate" IS NOT NULL
GROUP BY exchange, kind, currency, "date", instrument_name, "prevFundingTime"
