-- Funding of a perpetual swap as it stands (one row per frame). The interval is `nextFundingTime` less `fundingTime`, and
-- changes by instrument.
CREATE MACRO shape() AS '{
  "instId": "VARCHAR", "ts": "VARCHAR", "instType": "VARCHAR", "method": "VARCHAR", "formulaType": "VARCHAR",
  "fundingRate": "VARCHAR", "fundingTime": "VARCHAR", "nextFundingRate": "VARCHAR", "nextFundingTime": "VARCHAR",
  "prevFundingTime": "VARCHAR", "minFundingRate": "VARCHAR", "maxFundingRate": "VARCHAR", "interestRate": "VARCHAR",
  "impactValue": "VARCHAR", "premium": "VARCHAR", "settState": "VARCHAR", "settFundingRate": "VARCHAR"
}';

-- Frames of 2022 do not say when they were made.
CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN coalesce(data."fundingTime", '') = '' THEN 'no fundingTime'
  WHEN data.ts <> '' AND moment(number_of(data.ts)) IS NULL THEN 'no valid ts'
END;

SELECT
  recv_ts, moment(number_of(data."ts")) AS exchange_ts, data."instId" AS instrument_name, conn, seq, source,
  data."instType" AS "instType", data."method" AS "method", data."formulaType" AS "formulaType",
  number_of(data."fundingRate") AS "fundingRate", whole_of(data."fundingTime") AS "fundingTime",
  number_of(data."nextFundingRate") AS "nextFundingRate", whole_of(data."nextFundingTime") AS "nextFundingTime",
  whole_of(data."prevFundingTime") AS "prevFundingTime", number_of(data."minFundingRate") AS "minFundingRate",
  number_of(data."maxFundingRate") AS "maxFundingRate", number_of(data."interestRate") AS "interestRate",
  number_of(data."impactValue") AS "impactValue", number_of(data."premium") AS "premium",
  data."settState" AS "settState", number_of(data."settFundingRate") AS "settFundingRate",
  channel, with_members(extra, [
    beyond('fundingRate', data."fundingRate"), beyond_whole('fundingTime', data."fundingTime"),
    beyond('nextFundingRate', data."nextFundingRate"), beyond_whole('nextFundingTime', data."nextFundingTime"),
    beyond_whole('prevFundingTime', data."prevFundingTime"), beyond('minFundingRate', data."minFundingRate"),
    beyond('maxFundingRate', data."maxFundingRate"), beyond('interestRate', data."interestRate"),
    beyond('impactValue', data."impactValue"), beyond('premium', data."premium"),
    beyond('settFundingRate', data."settFundingRate")
  ]) AS extra, row_no
FROM frame_items;
