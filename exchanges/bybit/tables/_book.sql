-- include _pushed
CREATE MACRO shape() AS '{"s": "VARCHAR", "b": [["VARCHAR"]], "a": [["VARCHAR"]], "u": "BIGINT", "seq": "BIGINT"}';

-- include _book_verdict
