-- What a pushed row begins with. The category stands in no frame: spot by the family of the segment, others by their names.
CREATE MACRO category_of(name) AS CASE
  WHEN ends_with(own_family(), '.spot') THEN 'spot'
  WHEN regexp_matches(name, '^[A-Z0-9]+-[0-9]{1,2}[A-Z]{3}[0-9]{2}-[0-9.]+-[CP](-[A-Z0-9]+)?$') THEN 'option'
  WHEN regexp_matches(name, '^[A-Z0-9]+USD([HMUZ][0-9]{2})?$') THEN 'inverse'
  ELSE 'linear'
END;
