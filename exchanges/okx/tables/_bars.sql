-- A bar is a list of texts, the time it began at first; one that is longer than its table is kept whole in `extra`.
CREATE MACRO shape() AS '{
  "frame": { "arg": { "channel": "VARCHAR", "instId": "VARCHAR" }, "data": [["VARCHAR"]] }
}';

CREATE MACRO verdict(line, data) AS CASE
  WHEN data.frame.arg.channel IS NULL THEN 'no arg.channel'
  WHEN data.frame.arg."instId" IS NULL THEN 'no arg.instId'
  WHEN data.frame.data IS NULL THEN 'data is not a list'
  WHEN len(data.frame.data) = 0 THEN 'known: no items'
  WHEN list_bool_or(list_transform(data.frame.data, bar -> moment(number_of(bar[1])) IS NULL)) THEN 'no valid time'
END;

-- What a frame says besides, as a member.
CREATE MACRO said_besides(line) AS nullif(CAST(json_merge_patch(json_extract(line, '$.frame'),
  '{"arg":{"channel":null,"instId":null},"data":null}') AS VARCHAR), '{"arg":{}}');
