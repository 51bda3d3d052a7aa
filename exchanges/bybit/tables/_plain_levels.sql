-- A level that is not [price, size] is odd.
CREATE MACRO odd_level(level) AS
  coalesce(len(level), 0) <> 2 OR number_of(level[1]) IS NULL OR number_of(level[2]) IS NULL;
CREATE MACRO long_texts(level) AS [beyond('price', level[1]), beyond('size', level[2])];
