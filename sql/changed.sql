--
-- What waits, and a table whose counts, roles of columns and key change meanwhile
--
\pset null '(null)'
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = error;
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SET missing_symbol.worker = off;
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE SCHEMA changed;

-- amounts of small counts: their sum may be what no column of that type can hold, and the row still can
CREATE TABLE changed.small (k int PRIMARY KEY, count bigint, s smallint, i int, last_seen timestamptz);
SELECT missing_symbol.configure('changed.small', '{"counts": ["count", "s", "i"]}');
CREATE FUNCTION pg_temp.small(by int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('k', 1, 's', by * 100, 'i', by * 5000000)) FROM generate_series(1, 3)
$$;
CREATE PROCEDURE pg_temp.reset_small() LANGUAGE sql AS $$ DELETE FROM changed.small; INSERT INTO changed.small VALUES (1, 0, -30000, -2000000000) $$;
CALL pg_temp.reset_small();
SELECT incremented FROM missing_symbol.increment_rows('changed.small', pg_temp.small(200));
SELECT s, i FROM changed.small;
SELECT pg_temp.try($$SELECT missing_symbol.increment_rows('changed.small', pg_temp.small(200))$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment_rows('changed.small', jsonb_build_array(jsonb_build_object('k', 2, 's', 30000), jsonb_build_object('k', 2, 's', 30000)))$$);
SELECT missing_symbol.track('changed.small', apply => 'commit');
CALL pg_temp.reset_small();
BEGIN;
SELECT count(missing_symbol.increment_row('changed.small', f)) FROM jsonb_array_elements(pg_temp.small(200)) f;
COMMIT;
SELECT s, i FROM changed.small;
SELECT missing_symbol.track('changed.small', apply => 'buffer');
CALL pg_temp.reset_small();
SELECT deferred, buffered FROM missing_symbol.increment_rows('changed.small', pg_temp.small(200));
SELECT s, i FROM missing_symbol.total(NULL::changed.small);
SELECT missing_symbol.fold('changed.small');
SELECT s, i FROM changed.small;
SELECT buffered FROM missing_symbol.increment_rows('changed.small', '[{"k": 3, "s": 30000}, {"k": 3, "s": 30000}]');
SELECT missing_symbol.fold('changed.small');
SELECT key, error FROM missing_symbol.spilled WHERE target = 'changed.small'::regclass UNION ALL SELECT key, NULL FROM missing_symbol.buffered WHERE target = 'changed.small'::regclass;
INSERT INTO changed.small VALUES (3, 0, -32768, 0);
SELECT missing_symbol.fold('changed.small');
SELECT s FROM changed.small WHERE k = 3;
SELECT pg_temp.try($$SELECT missing_symbol.increment_rows('changed.small', '[{"k": 4, "s": 40000}]')$$);

-- counts that become whole numbers
CREATE TABLE changed.whole (k int PRIMARY KEY, count numeric(20, 2), cost numeric(20, 2));
SELECT missing_symbol.configure('changed.whole', '{"counts": ["count", "cost"]}'), missing_symbol.track('changed.whole', apply => 'buffer');
SELECT missing_symbol.increment_row('changed.whole', '{"k": 1, "count": 2.00, "cost": 14.00}'), missing_symbol.increment_row('changed.whole', '{"k": 1, "count": "3", "cost": "1e2"}');
ALTER TABLE changed.whole ALTER count TYPE bigint, ALTER cost TYPE int;
SELECT missing_symbol.value('changed.whole', 1);
SELECT * FROM missing_symbol.total(NULL::changed.whole);
SELECT missing_symbol.fold('changed.whole');
TABLE changed.whole;
ALTER TABLE changed.whole ALTER cost TYPE numeric;
SELECT missing_symbol.increment_row('changed.whole', '{"k": 1, "cost": 0.50}');
ALTER TABLE changed.whole ALTER cost TYPE bigint;
SELECT pg_temp.try('SELECT cost FROM missing_symbol.total(NULL::changed.whole)');
SELECT missing_symbol.fold('changed.whole');
SELECT key, error FROM missing_symbol.spilled;
ALTER TABLE changed.whole ALTER cost TYPE numeric;
SELECT missing_symbol.fold('changed.whole');
TABLE changed.whole;

-- amounts among fields are rounded as by an upsert, one by one, whenever they come to the row
CREATE TABLE changed.rounded (k text PRIMARY KEY, count bigint DEFAULT 0, cost numeric(10, 2) DEFAULT 0, first numeric(10, 1));
SELECT missing_symbol.configure('changed.rounded', '{"counts": ["count", "cost"]}');
CREATE FUNCTION pg_temp.fields(k text) RETURNS TABLE (f jsonb) LANGUAGE sql AS $$ SELECT jsonb_build_object('k', k, 'cost', 0.005) FROM generate_series(1, 3) $$;
INSERT INTO changed.rounded (k, cost) VALUES ('upsert', 0.005);
INSERT INTO changed.rounded AS t (k, cost) VALUES ('upsert', 0.005) ON CONFLICT (k) DO UPDATE SET cost = t.cost + excluded.cost;
INSERT INTO changed.rounded AS t (k, cost) VALUES ('upsert', 0.005) ON CONFLICT (k) DO UPDATE SET cost = t.cost + excluded.cost;
SELECT count(missing_symbol.increment_row('changed.rounded', f)) FROM pg_temp.fields('now');
SELECT inserted FROM missing_symbol.increment_rows('changed.rounded', (SELECT jsonb_agg(f) FROM pg_temp.fields('batch')));
SELECT missing_symbol.track('changed.rounded', apply => 'commit');
SELECT count(missing_symbol.increment_row('changed.rounded', f)) FROM pg_temp.fields('commit');
SELECT missing_symbol.track('changed.rounded', apply => 'buffer');
SELECT count(missing_symbol.increment_row('changed.rounded', f)) FROM pg_temp.fields('buffer');
SELECT missing_symbol.fold('changed.rounded');
SELECT k, count, cost FROM changed.rounded ORDER BY k;
SELECT missing_symbol.configure('changed.rounded', '{"counts": null}'), missing_symbol.track('changed.rounded', count => 'first', apply => 'now');
SELECT pg_temp.try($$SELECT missing_symbol.increment_amount('changed.rounded', 0.05, 'now')$$);

-- an amount stays with the column that it was counted for
CREATE TABLE changed.counted (k int PRIMARY KEY, hits bigint NOT NULL DEFAULT 0, views int NOT NULL DEFAULT 0, last_seen timestamptz);
SELECT missing_symbol.track('changed.counted', count => 'hits', apply => 'buffer');
SELECT missing_symbol.increment('changed.counted', 1), missing_symbol.increment('changed.counted', 2);
SELECT missing_symbol.track('changed.counted', count => 'views', apply => 'buffer');
SELECT missing_symbol.fold('changed.counted');
SELECT key, error FROM missing_symbol.spilled;
SELECT pg_temp.try($$SELECT missing_symbol.value('changed.counted', 1)$$);
SELECT missing_symbol.discard('changed.counted', 2);
SELECT missing_symbol.track('changed.counted', count => 'hits', apply => 'buffer');
SELECT missing_symbol.value('changed.counted', 1);
-- names that columns give to each other
BEGIN;
ALTER TABLE changed.counted RENAME hits TO other;
ALTER TABLE changed.counted RENAME views TO hits;
ALTER TABLE changed.counted RENAME other TO views;
SELECT missing_symbol.fold('changed.counted');
SELECT key, error FROM missing_symbol.spilled;
ROLLBACK;
SELECT missing_symbol.fold('changed.counted');
-- where it is counted still, it goes there, too
SELECT missing_symbol.configure('changed.counted', '{"counts": ["hits", "views"]}');
SELECT missing_symbol.increment('changed.counted', 1), missing_symbol.increment_row('changed.counted', '{"k": 1, "hits": 10, "views": 100}'), missing_symbol.increment('changed.counted', 3);
BEGIN;
ALTER TABLE changed.counted RENAME hits TO other;
ALTER TABLE changed.counted RENAME views TO hits;
ALTER TABLE changed.counted RENAME other TO views;
SELECT missing_symbol.value('changed.counted', 1);
SELECT k, hits, views FROM missing_symbol.total(NULL::changed.counted) ORDER BY k;
SELECT missing_symbol.fold('changed.counted');
SELECT k, views AS "first hits", hits AS "first views" FROM changed.counted ORDER BY k;
ROLLBACK;
SELECT missing_symbol.fold('changed.counted');
SELECT k, hits, views FROM changed.counted ORDER BY k;
SELECT missing_symbol.configure('changed.counted', '{"counts": null}');
-- a column that is dropped leaves its amounts to the one that has its name
SELECT missing_symbol.increment('changed.counted', 1);
ALTER TABLE changed.counted DROP views;
ALTER TABLE changed.counted RENAME hits TO other;
ALTER TABLE changed.counted ADD hits bigint;
SELECT missing_symbol.fold('changed.counted');
SELECT key, error FROM missing_symbol.spilled;
ALTER TABLE changed.counted DROP other;
SELECT missing_symbol.fold('changed.counted');
SELECT k, hits FROM changed.counted ORDER BY k;
-- and in a transaction of its own
SELECT missing_symbol.track('changed.counted', count => 'hits', apply => 'commit');
ALTER TABLE changed.counted ADD views int NOT NULL DEFAULT 0;
BEGIN;
SELECT missing_symbol.increment('changed.counted', 1);
SELECT missing_symbol.track('changed.counted', count => 'views', apply => 'commit');
SELECT missing_symbol.increment('changed.counted', 1);
ROLLBACK;

-- a value stays what it was given for
CREATE TABLE changed.roles (k int PRIMARY KEY, count int, a int, b int, c text, last_seen timestamptz);
SELECT missing_symbol.configure('changed.roles', '{"counts": ["count", "a"], "greatest": ["b"]}'), missing_symbol.track('changed.roles', apply => 'buffer', fill => '{c}');
SELECT missing_symbol.increment_row('changed.roles', '{"k": 1, "a": 5, "b": 7, "c": "first"}');
BEGIN;
ALTER TABLE changed.roles RENAME a TO other;
ALTER TABLE changed.roles RENAME b TO a;
ALTER TABLE changed.roles RENAME other TO b;
SELECT missing_symbol.fold('changed.roles');
SELECT key, error FROM missing_symbol.spilled;
ROLLBACK;
-- a detail is a value of a role that is none of amounts
SELECT missing_symbol.track('changed.roles', apply => 'buffer', fill => '{}'), missing_symbol.configure('changed.roles', '{"latest": ["c"]}');
SELECT k, count, a, b, c FROM missing_symbol.total(NULL::changed.roles);
SELECT missing_symbol.fold('changed.roles');
SELECT k, count, a, b, c FROM changed.roles;

-- an index with another predicate has other rows
CREATE TABLE changed.partial (k int, live bool DEFAULT true, note text, count int NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX partial_key ON changed.partial (k) WHERE live;
SELECT missing_symbol.configure('changed.partial', '{"index": "partial_key"}'), missing_symbol.track('changed.partial', apply => 'buffer');
INSERT INTO changed.partial VALUES (1, true), (1, false);
SELECT missing_symbol.increment_row('changed.partial', '{"k": 1, "live": true}');
BEGIN;
DROP INDEX changed.partial_key;
CREATE UNIQUE INDEX partial_key ON changed.partial (k) WHERE NOT live;
SELECT missing_symbol.fold('changed.partial');
SELECT key, error FROM missing_symbol.spilled;
SELECT * FROM changed.partial ORDER BY live;
ROLLBACK;
-- the same one, made again in other words, is the same
DROP INDEX changed.partial_key;
CREATE   UNIQUE   INDEX   partial_key ON changed.partial   (k)   WHERE   (live);
SELECT missing_symbol.fold('changed.partial');
SELECT * FROM changed.partial ORDER BY live;

SELECT count(*) FROM missing_symbol.spilled;
DROP SCHEMA changed CASCADE;
