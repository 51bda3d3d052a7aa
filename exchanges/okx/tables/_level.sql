-- A level that is not [price, size, "0", orders], or has a number that a DOUBLE does not give back, is odd.
CREATE MACRO odd_level(level) AS coalesce(len(level), 0) <> 4 OR number_of(level[1]) IS NULL OR number_of(level[2]) IS NULL
  OR is_beyond(level[1]) OR is_beyond(level[2])
  OR level[3] IS DISTINCT FROM '0' OR whole_of(level[4]) IS NULL;

-- The instrument in a channel's name.
CREATE MACRO about_of(channel) AS nullif(substr(channel, 1 + length(split_part(channel, '.', 1)) + 1), '');
