CREATE MACRO verdict(line, data) AS CASE
  WHEN data.s IS NULL THEN 'no s'
  WHEN data.u IS NULL THEN 'no u'
END;
