-- What every table is written with. Loaded before a table's own file.

-- A time of the exchange, ms since the epoch and maybe with a fraction, to the µs. NULL outside of years 1 to 9999.
CREATE MACRO moment(ms) AS
  CASE WHEN ms BETWEEN -62135596800000 AND 253402300799999 THEN make_timestamptz(CAST(round(ms * 1000) AS BIGINT)) END;

-- What stands before the frame in a raw line.
CREATE MACRO line_head(line) AS
  regexp_extract(line, '^\{"recv_us":\d{1,16},"conn":"[A-Za-z0-9._-]{1,32}","seq":\d{1,16},"(?:frame|text|base64)":');

-- The frame of a raw line exactly as it was received, as far as it was kept as JSON.
CREATE MACRO frame_text(line) AS line[length(line_head(line)) + 1 : -2];

-- The members of a JSON object that a struct does not hold, as `"key":value`: unknown ones, and known ones whose value
-- did not convert. Where a key stands twice, all members.
CREATE MACRO unheld_of(members, held) AS
  list_transform(
    list_filter(members, m ->
      len(members) <> len(list_distinct(list_transform(members, n -> n.key)))
      OR (held[m.key] IS NULL AND (m.value IS NOT NULL OR NOT list_contains(map_keys(held), m.key)))),
    m -> to_json(m.key)::VARCHAR || ':' || coalesce(m.value::VARCHAR, 'null'));

CREATE MACRO unheld(object, struct) AS
  unheld_of(
    coalesce(map_entries(from_json(object, '"MAP(VARCHAR,JSON)"')), []),
    from_json(to_json(struct), '"MAP(VARCHAR,JSON)"'));

-- The same of a nested object, as one member of the outer one; an empty list where nothing is left.
CREATE MACRO unheld_within(key, members) AS
  CASE WHEN len(members) > 0 THEN [to_json(key)::VARCHAR || ':{' || array_to_string(members, ',') || '}'] ELSE [] END;

-- Everything about a notification besides its channel and data.
CREATE MACRO envelope(line) AS
  ['"envelope":' || json_merge_patch(json_extract(line, '$.frame'), '{"params":{"channel":null,"data":null}}')::VARCHAR];

CREATE MACRO object_of(members) AS
  CASE WHEN len(members) > 0 THEN '{' || array_to_string(members, ',') || '}' END;

-- Why a notification about an instrument cannot be a row; NULL where it can.
CREATE MACRO instrument_verdict(data) AS CASE
  WHEN data.instrument_name IS NULL THEN 'no instrument_name'
  WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp'
END;
