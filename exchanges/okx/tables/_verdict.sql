-- Why what is said of an instrument at a time cannot be a row; NULL where it can.
CREATE MACRO verdict(line, data) AS CASE
  WHEN coalesce(data."instId", '') = '' THEN 'no instId'
  WHEN moment(number_of(data.ts)) IS NULL THEN 'no valid ts'
END;
