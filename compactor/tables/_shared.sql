-- What every table is written with. Loaded before a table's own file.

-- A time of the exchange, ms since the epoch and maybe with a fraction, to the µs. NULL outside of years 1 to 9999.
CREATE MACRO moment(ms) AS
  CASE WHEN ms BETWEEN -62135596800000 AND 253402300799999 THEN make_timestamptz(CAST(round(ms * 1000) AS BIGINT)) END;

-- What stands before the frame in a raw line.
CREATE MACRO line_head(line) AS
  regexp_extract(line, '^\{"recv_us":\d{1,16},"conn":"[A-Za-z0-9._-]{1,32}","seq":\d{1,16},"(?:frame|text|base64)":');

-- The frame of a raw line exactly as it was received, as far as it was kept as JSON.
CREATE MACRO frame_text(line) AS line[length(line_head(line)) + 1 : -2];

-- The members of a JSON object as text, without its braces; NULL where there are none.
CREATE MACRO members_of(object) AS nullif(CAST(object AS VARCHAR)[2:-2], '');

-- The other way round.
CREATE MACRO object_of(members) AS CASE WHEN members <> '' THEN '{' || members || '}' END;

-- A nested object as a member of the outer one; NULL where it has no members.
CREATE MACRO member_of(key, members) AS
  CASE WHEN members <> '' THEN CAST(to_json(key) AS VARCHAR) || ':{' || members || '}' END;

-- What a frame says besides its data, as a member; `without` is the merge patch that takes the rest away.
CREATE MACRO envelope(line, without) AS
  '"envelope":' || CAST(json_merge_patch(json_extract(line, '$.frame'), without) AS VARCHAR);

-- The n-th part of a channel's name, or word of what was asked, counting from 1.
CREATE MACRO part_of(channel, n) AS nullif(split_part(channel, '.', n), '');
CREATE MACRO word_of(asked, n) AS nullif(split_part(asked, ' ', n), '');

-- Why a notification about an instrument cannot be a row; NULL where it can.
CREATE MACRO instrument_verdict(data) AS CASE
  WHEN data.instrument_name IS NULL THEN 'no instrument_name'
  WHEN moment(data."timestamp") IS NULL THEN 'no valid timestamp'
END;

-- Numbers that come as text, such as "65114.20". The column is a DOUBLE, which gives back up to 15 digits; empty text, and
-- what is no number, is NULL.
CREATE MACRO number_of(said) AS CASE WHEN isfinite(TRY_CAST(said AS DOUBLE)) THEN TRY_CAST(said AS DOUBLE) END;
CREATE MACRO whole_of(said) AS CASE WHEN contains(said, '.') THEN NULL ELSE TRY_CAST(said AS BIGINT) END;

-- How many digits of a decimal number count: without zeros before them, and behind the point after them.
CREATE MACRO digits_of(said) AS length(ltrim(replace(regexp_replace(regexp_replace(said, '[eE].*$', ''),
  '(\.\d*?)0+$', '\1'), '.', ''), '+-0'));

-- Whether such a text says what the DOUBLE does not give back.
CREATE MACRO is_beyond(said) AS CASE
  WHEN length(said) <= 15 AND isfinite(TRY_CAST(said AS DOUBLE)) THEN false
  WHEN isfinite(TRY_CAST(said AS DOUBLE)) AND digits_of(said) <= 15 THEN false
  ELSE coalesce(said <> '', false)
END;

-- Such a text for `with_members`, which keeps it in `extra` under its own name if the DOUBLE does not give it back.
CREATE MACRO beyond(key, said) AS {'key': key, 'said': said};

-- What stands in `extra` as it is, a name and its value, for `with_members`; NULL for nothing. It is no number, and so beyond one.
CREATE MACRO as_member(member) AS {'key': NULL::VARCHAR, 'said': member};

-- The same as `beyond` of a text that is to be a whole number.
CREATE MACRO beyond_whole(key, said) AS as_member(CASE WHEN said <> '' AND whole_of(said) IS NULL
  THEN CAST(to_json(key) AS VARCHAR) || ':' || CAST(to_json(said) AS VARCHAR) END);

-- `extra` with such members. They are asked in one list: a condition for each is what planning a ticker took a fifth of a second for.
CREATE MACRO with_members(extra, members) AS
  object_of(concat_ws(',', members_of(extra), nullif(array_to_string(list_transform(
    list_filter(members, lambda m: is_beyond(m.said)),
    lambda m: CASE WHEN m.key IS NULL THEN m.said
      ELSE CAST(to_json(m.key) AS VARCHAR) || ':' || CAST(to_json(m.said) AS VARCHAR) END), ','), '')));
