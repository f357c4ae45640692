--
-- Batches: increment_many and increment_rows
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE SCHEMA batch;
CREATE TABLE batch.pages (
    id serial,
    path text PRIMARY KEY,
    count int NOT NULL,
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL
);

SELECT * FROM missing_symbol.increment_many('batch.pages', ARRAY['b', 'a', 'b', 'c', 'a', 'b']);
SET missing_symbol.test_clock = '2026-01-01 12:00:01+00';
SELECT * FROM missing_symbol.increment_many('batch.pages', '{a,d,a}'::text[], ARRAY[10, 20, -3]);
SELECT path, count, created_at, modified_at FROM batch.pages ORDER BY path;
-- new rows are made in the order of the key, and only new rows take an id
SELECT id, path FROM batch.pages ORDER BY id;
-- other types of keys and amounts
SELECT * FROM missing_symbol.increment_many('batch.pages', ARRAY['a', 'b']::varchar[]);
SELECT * FROM missing_symbol.increment_many('batch.pages', ARRAY['a', 'b']::name[], by => '{1,2}');
SELECT * FROM missing_symbol.increment_many('batch.pages', ARRAY[1, 2, 1]);
SELECT (missing_symbol.increment_many(target => 'batch.pages', keys => '[5:6]={a,e}'::text[])).inserted;
SELECT * FROM missing_symbol.increment_many('batch.pages', '{{a,b},{c,d}}'::text[]);
-- untyped parameters need a cast
PREPARE many AS SELECT * FROM missing_symbol.increment_many('batch.pages', $1::text[], $2);
EXECUTE many('{a,z}', '{1,1}');
EXECUTE many('{a,z}', NULL);
-- nothing
SELECT * FROM missing_symbol.increment_many('batch.pages', '{}'::text[]);
SELECT * FROM missing_symbol.increment_many('batch.pages', '{}'::text[], '{}');
SELECT * FROM missing_symbol.increment_rows('batch.pages', '[]');
-- amounts that cancel each other out still make a counter
SELECT * FROM missing_symbol.increment_many('batch.pages', '{zero,zero}'::text[], '{5,-5}');
SELECT path, count FROM batch.pages ORDER BY path;
-- the latest single increment is not a batch's
SELECT missing_symbol.increment('batch.pages', 'single');
SELECT * FROM missing_symbol.increment_many('batch.pages', '{a}'::text[]);
SELECT outcome, count FROM missing_symbol.last_increment();

-- all or nothing
SELECT pg_temp.try(format($$SELECT missing_symbol.increment_many('batch.pages', %s)$$, args))
FROM (VALUES ($$ARRAY['a', NULL]$$), ($$NULL::text[]$$), ($$ARRAY['a', 'b'], ARRAY[1]$$), ($$ARRAY['a'], ARRAY[1, 2]$$),
             ($$ARRAY['a', 'b'], ARRAY[1, NULL]$$), ($$ARRAY['a', 'b'], ARRAY[1, 0]$$),
             ($$ARRAY['a', 'b'], ARRAY[1, 2147483647]$$),
             ($$ARRAY['new', 'b'], ARRAY[1, 2147483648]$$),
             ($$ARRAY['n', 'n'], ARRAY[9223372036854775807, 1]$$),
             ($$ARRAY[point '(1,2)']$$)) AS v(args);
SELECT pg_temp.try(format($$SELECT missing_symbol.increment_rows('batch.pages', %L)$$, rows))
FROM (VALUES ('{}'), ('{"path": "a"}'), ('"a"'), ('7'), ('null'), ('[1]'), ('["path"]'), ('[[{"path": "a"}]]'),
             ('[{"path": "a"}, {}]'), ('[{"path": "a"}, null]'), ('[{"path": null}]'), ('[{"path": "a", "nothing": 1}]'),
             ('[{"path": "a", "count": 1}]')) AS v(rows);
SELECT pg_temp.try($$SELECT missing_symbol.increment_rows('batch.pages', NULL)$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment_rows('batch.pages', '[{"path": "a"}, {"path": "a"}]', '{1}')$$);
SELECT path, count FROM batch.pages ORDER BY path;

-- rows: columns by name, not the same ones in each
CREATE TABLE batch.files (
    symbol text,
    debugid text,
    code_file text,
    size int DEFAULT 7,
    hits missing_symbol.counter,
    PRIMARY KEY (symbol, debugid)
) WITH (fillfactor = 70);
SELECT * FROM missing_symbol.increment_rows('batch.files', '[
    {"symbol": "x", "debugid": "2", "code_file": "first"},
    {"symbol": "x", "debugid": "1"},
    {"debugid": "2", "symbol": "x", "code_file": "second", "size": 1},
    {"symbol": "a", "debugid": "9", "size": null}]', '{1,2,3,4}');
TABLE batch.files ORDER BY symbol, debugid;
SELECT missing_symbol.track('batch.files', fill => '{code_file,size}');
SELECT * FROM missing_symbol.increment_rows('batch.files', '[
    {"symbol": "x", "debugid": "1", "size": 5},
    {"symbol": "n", "debugid": "1"},
    {"symbol": "x", "debugid": "1", "code_file": "filled"},
    {"symbol": "n", "debugid": "1", "code_file": "merged", "size": 5},
    {"symbol": "a", "debugid": "9", "size": 6},
    {"symbol": "a", "debugid": "9"},
    {"symbol": "n", "debugid": "1", "code_file": "too late"}]');
TABLE batch.files ORDER BY symbol, debugid;
-- a default that is null is none, whatever the type
CREATE TABLE batch.nulls (k text PRIMARY KEY, count int, a varchar(3) DEFAULT NULL, b text DEFAULT NULL) WITH (fillfactor = 70);
SELECT missing_symbol.track('batch.nulls', fill => '{a,b}');
SELECT * FROM missing_symbol.increment_rows('batch.nulls', '[{"k": "x"}, {"k": "x", "a": "1", "b": "1"}]');
TABLE batch.nulls;
-- a composite key needs rows
SELECT pg_temp.try($$SELECT missing_symbol.increment_many('batch.files', '{x,1}'::text[])$$);

-- keys are merged and ordered as the index does, never by bytes
CREATE TABLE batch.numbers (n numeric PRIMARY KEY, count bigint);
SELECT * FROM missing_symbol.increment_many('batch.numbers', ARRAY[1.0, 1, 2, 1.00, -0.0, 0, 'NaN', 'NaN']::numeric[]);
SELECT * FROM missing_symbol.increment_many('batch.numbers', ARRAY['1.000', '2', '3', '0']);
TABLE batch.numbers ORDER BY n;
CREATE TABLE batch.descending (a int, b text, count int);
CREATE UNIQUE INDEX ON batch.descending (b DESC, a DESC NULLS LAST);
SELECT * FROM missing_symbol.increment_rows('batch.descending', '[{"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"a": 1, "b": "y"}, {"b": "x", "a": 1}]');
SELECT * FROM batch.descending ORDER BY a, b;

-- many keys, each ten times and in no order; sums only
CREATE TABLE batch.big (k bigint PRIMARY KEY, count bigint, first_seen timestamptz, last_seen timestamptz);
SELECT * FROM missing_symbol.increment_many('batch.big',
    ARRAY(SELECT (i * 7919) % 10000 FROM generate_series(1, 100000) i));
SELECT count(*), sum(count), min(count), max(count), min(k), max(k) FROM batch.big;
SELECT * FROM missing_symbol.increment_many('batch.big',
    ARRAY(SELECT (i * 7919) % 100000 FROM generate_series(1, 100000) i),
    ARRAY(SELECT i FROM generate_series(1, 100000) i));
SELECT count(*), sum(count) FROM batch.big;
SELECT * FROM missing_symbol.increment_rows('batch.big',
    (SELECT jsonb_agg(jsonb_build_object('k', i % 3000)) FROM generate_series(1, 10000) i));
SELECT count(*), sum(count), count(*) FILTER (WHERE last_seen <> first_seen) FROM batch.big;
BEGIN;
SELECT * FROM missing_symbol.increment_many('batch.big', ARRAY(SELECT i FROM generate_series(1, 200000) i));
ROLLBACK;
SELECT count(*), sum(count) FROM batch.big;

SET client_min_messages = warning;
DROP SCHEMA batch CASCADE;
