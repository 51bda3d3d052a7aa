-- Greeks and volatilities of options (one row per option; a frame has many). Greeks without `BS` are in coin, adjusted for
-- the premium. A missing bid or ask has a volatility of 0.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "uly": "VARCHAR", "delta": "VARCHAR",
  "gamma": "VARCHAR", "vega": "VARCHAR", "theta": "VARCHAR", "deltaBS": "VARCHAR", "gammaBS": "VARCHAR",
  "vegaBS": "VARCHAR", "thetaBS": "VARCHAR", "lever": "VARCHAR", "markVol": "VARCHAR", "bidVol": "VARCHAR",
  "askVol": "VARCHAR", "realVol": "VARCHAR", "volLv": "VARCHAR", "fwdPx": "VARCHAR"
}';

-- include _verdict

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."uly" AS "uly", number_of(data."delta") AS "delta",
  number_of(data."gamma") AS "gamma", number_of(data."vega") AS "vega", number_of(data."theta") AS "theta",
  number_of(data."deltaBS") AS "deltaBS", number_of(data."gammaBS") AS "gammaBS",
  number_of(data."vegaBS") AS "vegaBS", number_of(data."thetaBS") AS "thetaBS", number_of(data."lever") AS "lever",
  number_of(data."markVol") AS "markVol", number_of(data."bidVol") AS "bidVol", number_of(data."askVol") AS "askVol",
  number_of(data."realVol") AS "realVol", number_of(data."volLv") AS "volLv", number_of(data."fwdPx") AS "fwdPx",
  channel, with_members(extra, [
    beyond('delta', data."delta"), beyond('gamma', data."gamma"), beyond('vega', data."vega"),
    beyond('theta', data."theta"), beyond('deltaBS', data."deltaBS"), beyond('gammaBS', data."gammaBS"),
    beyond('vegaBS', data."vegaBS"), beyond('thetaBS', data."thetaBS"), beyond('lever', data."lever"),
    beyond('markVol', data."markVol"), beyond('bidVol', data."bidVol"), beyond('askVol', data."askVol"),
    beyond('realVol', data."realVol"), beyond('volLv', data."volLv"), beyond('fwdPx', data."fwdPx")
  ]) AS extra, row_no
FROM frame_items;
