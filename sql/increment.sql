--
-- One increment at a time: counts, times, outcomes, key values however given
--
\set last '(missing_symbol.last_increment()).outcome, (missing_symbol.last_increment()).count, (missing_symbol.last_increment()).first_seen, (missing_symbol.last_increment()).last_seen'
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`

\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`

CREATE SCHEMA inc;
CREATE TABLE inc.pages (
    path text PRIMARY KEY,
    hits bigint,
    first_seen timestamptz,
    last_seen timestamptz
);

-- before the first increment of the session there is nothing to tell
SELECT outcome, count, first_seen, last_seen FROM missing_symbol.last_increment();
SELECT missing_symbol.value('inc.pages', '/');

SELECT n, :last FROM missing_symbol.increment('inc.pages', '/') n;
SET missing_symbol.test_clock = '2026-01-01 12:00:01+00';
SELECT n, :last FROM missing_symbol.increment('inc.pages', '/') n;
SELECT missing_symbol.value('inc.pages', '/');
TABLE inc.pages;

-- a clock that is set back: last_seen is never earlier than it was
SET missing_symbol.test_clock = '2025-06-01 00:00:00+00';
SELECT n, :last FROM missing_symbol.increment('inc.pages', '/') n;
SET missing_symbol.test_clock = '2026-01-01 12:00:02+00';

-- any amount
SELECT n, :last FROM missing_symbol.increment_by('inc.pages', 10, '/') n;
SELECT n, :last FROM missing_symbol.increment_by('inc.pages', -20, '/') n;
SELECT n, :last FROM missing_symbol.increment_by('inc.pages', -5, '/new') n;
SELECT n, :last FROM missing_symbol.increment_row('inc.pages', '{"path": "/row"}', 3) n;
SELECT missing_symbol.increment_row('inc.pages', '{"path": "/row"}');
TABLE inc.pages ORDER BY path;

-- null counts and times of a row that others have made
INSERT INTO inc.pages VALUES ('/null');
SELECT n, :last FROM missing_symbol.increment('inc.pages', '/null') n;
INSERT INTO inc.pages VALUES ('/infinity', 1, '-infinity', 'infinity');
SELECT n, :last FROM missing_symbol.increment('inc.pages', '/infinity') n;
INSERT INTO inc.pages VALUES ('/future', 1, '2030-01-01', '2030-01-01');
SELECT n, :last FROM missing_symbol.increment('inc.pages', '/future') n;

-- key values: literals, typed, untyped parameters, arrays
SELECT missing_symbol.increment('inc.pages', '/k'),
       missing_symbol.increment('inc.pages', '/k'::text),
       missing_symbol.increment('inc.pages', '/k'::varchar),
       missing_symbol.increment('inc.pages', '/k'::name),
       missing_symbol.increment('inc.pages', VARIADIC ARRAY['/k']),
       missing_symbol.increment('inc.pages', VARIADIC '{/k}'::text[]),
       missing_symbol.increment('inc.pages', VARIADIC key => ARRAY['/k']),
       missing_symbol.increment('inc.pages'::regclass::oid, '/k');
PREPARE untyped AS SELECT missing_symbol.increment('inc.pages', $1);
EXECUTE untyped('/k');
PREPARE typed(text) AS SELECT missing_symbol.increment('inc.pages', $1);
EXECUTE typed('/k');
PREPARE target_too AS SELECT missing_symbol.increment_by($1, $2, $3);
EXECUTE target_too('inc.pages', 100, '/k');
PREPARE array_param(text[]) AS SELECT missing_symbol.increment('inc.pages', VARIADIC $1);
EXECUTE array_param(ARRAY['/k']);
-- a varchar[] fits both overloads, and so does an untyped parameter: they
-- need a cast to text[]
\set VERBOSITY sqlstate
SELECT missing_symbol.increment('inc.pages', VARIADIC ARRAY['/k']::varchar[]);
PREPARE array_param2 AS SELECT missing_symbol.increment('inc.pages', VARIADIC $1);
\set VERBOSITY default
SELECT missing_symbol.value('inc.pages', '/k'), missing_symbol.value('inc.pages', '/k'::text),
       missing_symbol.value('inc.pages', VARIADIC ARRAY['/k']);
PREPARE generic(text) AS SELECT missing_symbol.increment('inc.pages', $1), missing_symbol.value('inc.pages', $1);
SET plan_cache_mode = force_generic_plan;
EXECUTE generic('/g');
EXECUTE generic('/g');
RESET plan_cache_mode;

-- a key of three columns, of which two are not text
CREATE TABLE inc.daily (
    site int,
    day date,
    path text,
    count int NOT NULL,
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL,
    UNIQUE (site, day, path)
);
SELECT missing_symbol.increment('inc.daily', '1', '2026-01-01', '/a');
SELECT missing_symbol.increment('inc.daily', 1, '2026-01-01'::date, '/a'::text);
SELECT missing_symbol.increment('inc.daily', 1, '2026-01-01'::date, '/a');
SELECT missing_symbol.increment('inc.daily', 1::bigint, '2026-01-01', '/a'::varchar);
SELECT missing_symbol.increment('inc.daily', VARIADIC ARRAY['1', '2026-01-01', '/a']);
SELECT missing_symbol.increment_row('inc.daily', '{"path": "/a", "day": "2026-01-01", "site": 1}');
SELECT missing_symbol.increment_row('inc.daily', '{"path": "/a", "day": "2026-01-01", "site": "1"}');
PREPARE three AS SELECT missing_symbol.increment('inc.daily', $1, $2, $3);
EXECUTE three('1', '2026-01-01', '/a');
PREPARE three_typed(int, date, text) AS SELECT missing_symbol.increment('inc.daily', $1, $2, $3);
EXECUTE three_typed(1, '2026-01-01', '/a');
PREPARE mixed AS SELECT missing_symbol.increment('inc.daily', 1, $1::date, $2::text);
EXECUTE mixed('2026-01-01', '/a');
TABLE inc.daily;

-- two increments of one key in one statement, and a join that makes many
SELECT missing_symbol.increment('inc.pages', '/twice'), missing_symbol.increment('inc.pages', '/twice');
SELECT sum(missing_symbol.increment('inc.pages', '/many')) FROM generate_series(1, 100);
SELECT missing_symbol.increment('inc.pages', k) FROM (VALUES ('/x'), ('/y'), ('/x'), ('/z'), ('/y'), ('/x')) AS v(k);
WITH a AS (SELECT missing_symbol.increment('inc.pages', '/cte') AS n),
     b AS (INSERT INTO inc.pages (path, hits) SELECT '/cte2', n FROM a RETURNING hits)
SELECT * FROM b;
-- a plain update of the row in the same statement, before and after it
WITH u AS (UPDATE inc.pages SET hits = 50 WHERE path = '/cte' RETURNING path)
SELECT missing_symbol.increment('inc.pages', path) FROM u;

-- the value of this statement's snapshot
SELECT missing_symbol.value('inc.pages', '/many') AS before,
       missing_symbol.increment('inc.pages', '/many'),
       missing_symbol.value('inc.pages', '/many') AS same_snapshot;
SELECT missing_symbol.value('inc.pages', '/many');

-- transactions and savepoints
BEGIN;
SELECT missing_symbol.increment('inc.pages', '/tx');
SAVEPOINT s;
SELECT missing_symbol.increment('inc.pages', '/tx');
SELECT missing_symbol.increment('inc.pages', '/tx2');
ROLLBACK TO s;
SELECT missing_symbol.increment('inc.pages', '/tx');
SELECT missing_symbol.increment('inc.pages', '/tx2');
SAVEPOINT s2;
SELECT missing_symbol.increment('inc.pages', '/tx');
RELEASE s2;
COMMIT;
SELECT missing_symbol.value('inc.pages', '/tx'), missing_symbol.value('inc.pages', '/tx2');
BEGIN;
SELECT missing_symbol.increment('inc.pages', '/tx');
ROLLBACK;
SELECT missing_symbol.value('inc.pages', '/tx');
-- last_increment tells of the session's latest call, whatever became of it
SELECT outcome, count FROM missing_symbol.last_increment();
-- inserted, deleted and inserted again
BEGIN;
SELECT missing_symbol.increment('inc.pages', '/del');
DELETE FROM inc.pages WHERE path = '/del';
SELECT n, outcome FROM missing_symbol.increment('inc.pages', '/del') n, missing_symbol.last_increment();
UPDATE inc.pages SET path = '/renamed' WHERE path = '/del';
SELECT n, outcome FROM missing_symbol.increment('inc.pages', '/del') n, missing_symbol.last_increment();
SELECT n, outcome FROM missing_symbol.increment('inc.pages', '/renamed') n, missing_symbol.last_increment();
COMMIT;

-- every isolation level
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT missing_symbol.increment('inc.pages', '/rr');
SELECT missing_symbol.increment('inc.pages', '/rr');
SELECT missing_symbol.increment_by('inc.pages', 5, '/rr');
SELECT missing_symbol.value('inc.pages', '/rr');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT missing_symbol.increment('inc.pages', '/rr');
SELECT missing_symbol.increment('inc.pages', '/ser');
SELECT missing_symbol.increment('inc.pages', '/ser');
COMMIT;
SELECT missing_symbol.value('inc.pages', '/rr'), missing_symbol.value('inc.pages', '/ser');

-- PL/pgSQL: loops, exception blocks, cursors
DO $$
DECLARE
    n bigint;
BEGIN
    FOR i IN 1 .. 1000 LOOP
        n := missing_symbol.increment('inc.pages', '/loop' || i % 3);
        IF i % 10 = 0 THEN
            BEGIN
                PERFORM missing_symbol.increment_by('inc.pages', 1000, '/loop' || i % 3);
                PERFORM missing_symbol.increment('inc.pages', '/undone' || i);
                PERFORM 1 / 0;
            EXCEPTION WHEN division_by_zero THEN
                NULL;
            END;
            BEGIN
                PERFORM missing_symbol.increment_by('inc.pages', 9223372036854775807, '/loop' || i % 3);
            EXCEPTION WHEN numeric_value_out_of_range THEN
                PERFORM missing_symbol.increment('inc.pages', '/overflown');
            END;
        END IF;
    END LOOP;
END
$$;
SELECT path, hits FROM inc.pages WHERE path ~ '^/(loop|undone|overflown)' ORDER BY path;
CREATE PROCEDURE inc.with_commits() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 10 LOOP
        PERFORM missing_symbol.increment('inc.pages', '/procedure');
        IF i % 2 = 0 THEN
            COMMIT;
        ELSIF i % 3 = 0 THEN
            ROLLBACK;
        END IF;
    END LOOP;
END
$$;
CALL inc.with_commits();
SELECT missing_symbol.value('inc.pages', '/procedure');
BEGIN;
DECLARE c CURSOR FOR SELECT missing_symbol.increment('inc.pages', '/cursor') FROM generate_series(1, 10);
FETCH 2 FROM c;
SELECT missing_symbol.increment_by('inc.pages', 100, '/cursor');
FETCH 2 FROM c;
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
FETCH 1 FROM c;
COMMIT;
SELECT missing_symbol.value('inc.pages', '/cursor');
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT missing_symbol.increment('inc.pages', '/hold') FROM generate_series(1, 3);
COMMIT;
FETCH ALL FROM h;
CLOSE h;
SELECT missing_symbol.value('inc.pages', '/hold');
-- a function that somebody has declared to be stable
CREATE FUNCTION inc.lies() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN missing_symbol.increment('inc.pages', '/stable') + missing_symbol.increment('inc.pages', '/stable');
END
$$;
SELECT inc.lies();

-- throttle: at the end of the interval and not a microsecond before
CREATE TABLE inc.throttled (
    key text PRIMARY KEY,
    count int NOT NULL,
    created_at timestamptz,
    modified_at timestamptz
) WITH (fillfactor = 70);
ALTER TABLE inc.throttled ALTER count TYPE bigint;
SELECT missing_symbol.track('inc.throttled', throttle => '24 hours');
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
SELECT n, :last FROM missing_symbol.increment('inc.throttled', 'k') n;
SELECT n, :last FROM missing_symbol.increment('inc.throttled', 'k') n;
SET missing_symbol.test_clock = '2026-01-02 11:59:59.999999+00';
SELECT n, :last FROM missing_symbol.increment('inc.throttled', 'k') n;
SET missing_symbol.test_clock = '2026-01-02 12:00:00+00';
SELECT n, :last FROM missing_symbol.increment_by('inc.throttled', 7, 'k') n;
SELECT n, :last FROM missing_symbol.increment_by('inc.throttled', 7, 'k') n;
-- a clock that is set back throttles
SET missing_symbol.test_clock = '2020-01-01 12:00:00+00';
SELECT n, :last FROM missing_symbol.increment_by('inc.throttled', 7, 'k') n;
SET missing_symbol.test_clock = '2026-01-02 12:00:00+00';
-- null and infinite times
INSERT INTO inc.throttled VALUES ('null', 1, NULL, NULL), ('infinity', 1, NULL, 'infinity'), ('-infinity', 1, NULL, '-infinity');
SELECT k, missing_symbol.increment('inc.throttled', k), :last
FROM (VALUES ('null'), ('infinity'), ('-infinity')) v(k);
-- a batch with duplicates counts each key once
SELECT * FROM missing_symbol.increment_many('inc.throttled', ARRAY['a', 'k', 'a', 'b', 'a', 'b'], ARRAY[1, 2, 3, 4, 5, 6]);
SELECT key, count FROM inc.throttled ORDER BY key;
-- without a transaction id
BEGIN;
SELECT missing_symbol.increment('inc.throttled', 'k');
SELECT pg_current_xact_id_if_assigned();
COMMIT;
-- microseconds, days, and none
SELECT missing_symbol.track('inc.throttled', throttle => '0.000001 seconds');
SELECT missing_symbol.increment('inc.throttled', 'k');
SET missing_symbol.test_clock = '2026-01-02 12:00:00.000001+00';
SELECT missing_symbol.increment('inc.throttled', 'k');
SELECT missing_symbol.track('inc.throttled', throttle => '300 days 1 hour 2.5 seconds');
SET missing_symbol.test_clock = '2026-10-29 13:00:02.5+00';
SELECT missing_symbol.increment('inc.throttled', 'k');
SET missing_symbol.test_clock = '2026-10-29 13:00:02.500001+00';
SELECT missing_symbol.increment('inc.throttled', 'k');
SELECT missing_symbol.track('inc.throttled', throttle => '0');
SELECT missing_symbol.increment('inc.throttled', 'k');
-- on a column of type counter
CREATE TABLE inc.throttled_counter (key int PRIMARY KEY, c missing_symbol.counter) WITH (fillfactor = 70);
SELECT missing_symbol.track('inc.throttled_counter', throttle => '1 minute');
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
SELECT missing_symbol.increment('inc.throttled_counter', 1);
SELECT n, :last FROM missing_symbol.increment('inc.throttled_counter', 1) n;
SET missing_symbol.test_clock = '2026-01-01 12:01:00+00';
SELECT n, :last FROM missing_symbol.increment('inc.throttled_counter', 1) n;
INSERT INTO inc.throttled_counter VALUES (2, NULL);
SELECT n, :last FROM missing_symbol.increment('inc.throttled_counter', 2) n;
TABLE inc.throttled_counter ORDER BY key;

-- fill: details that were not known get known, and stay
CREATE TABLE inc.files (
    symbol varchar(20),
    debugid varchar(33),
    filename varchar(20),
    code_file varchar(20),
    code_id varchar(10) DEFAULT 'default',
    note text,
    count bigint NOT NULL CHECK (count >= 0),
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL,
    PRIMARY KEY (symbol, debugid, filename)
) WITH (fillfactor = 70);
SELECT missing_symbol.track('inc.files', fill => '{code_file,code_id}');
SELECT missing_symbol.increment_row('inc.files', '{"symbol": "foo.pdb", "debugid": "AB1", "filename": "foo.sym", "code_id": null}');
SELECT missing_symbol.increment_row('inc.files', '{"symbol": "foo.pdb", "debugid": "AB1", "filename": "foo.sym", "code_file": "foo.dll", "note": "not filled"}');
SELECT missing_symbol.increment_row('inc.files', '{"symbol": "foo.pdb", "debugid": "AB1", "filename": "foo.sym", "code_file": "other.dll", "code_id": "id"}');
SELECT missing_symbol.increment('inc.files', 'foo.pdb', 'AB1', 'foo.sym');
SELECT missing_symbol.increment_row('inc.files', '{"symbol": "foo.pdb", "debugid": "AB1", "filename": "foo.sym", "code_file": null, "code_id": "other"}');
SELECT * FROM inc.files;
-- the default where nothing is given; then there is nothing to fill
SELECT missing_symbol.increment('inc.files', 'bar.pdb', 'AB2', 'bar.sym');
SELECT missing_symbol.increment_row('inc.files', '{"symbol": "bar.pdb", "debugid": "AB2", "filename": "bar.sym", "code_id": "late"}');
-- a value that is too long, also where it would not be used
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('inc.files', '{"symbol": "bar.pdb", "debugid": "AB2", "filename": "bar.sym", "code_id": "far too long"}')$$);
-- a batch merges the details of one key
SELECT * FROM missing_symbol.increment_rows('inc.files', '[
    {"symbol": "baz.pdb", "debugid": "AB3", "filename": "baz.sym", "code_id": null},
    {"symbol": "bar.pdb", "debugid": "AB2", "filename": "bar.sym", "code_file": "bar.dll"},
    {"symbol": "baz.pdb", "debugid": "AB3", "filename": "baz.sym", "code_file": "baz.dll", "note": "too late"},
    {"symbol": "baz.pdb", "debugid": "AB3", "filename": "baz.sym", "code_file": "no.dll", "code_id": "baz"}]');
SELECT symbol, code_file, code_id, note, count FROM inc.files ORDER BY symbol;
-- fill and throttle: what is throttled fills nothing either
SELECT missing_symbol.track('inc.files', throttle => '1 hour');
UPDATE inc.files SET code_file = NULL WHERE symbol = 'foo.pdb';
SELECT n, outcome FROM missing_symbol.increment_row('inc.files', '{"symbol": "foo.pdb", "debugid": "AB1", "filename": "foo.sym", "code_file": "again.dll"}') n, missing_symbol.last_increment();
SELECT code_file, count FROM inc.files WHERE symbol = 'foo.pdb';
SELECT missing_symbol.untrack('inc.files');

SET client_min_messages = warning;
DROP SCHEMA inc CASCADE;

-- generated columns follow what fill sets, also after calls that fill nothing
CREATE TABLE generated_fill (
    k text PRIMARY KEY, detail text, count int NOT NULL,
    shout text GENERATED ALWAYS AS (upper(detail)) STORED
);
SET client_min_messages = error;
SELECT missing_symbol.track('generated_fill', fill => '{detail}');
RESET client_min_messages;
SELECT missing_symbol.increment('generated_fill', 'a');
SELECT missing_symbol.increment('generated_fill', 'a');
SELECT missing_symbol.increment_row('generated_fill', '{"k": "a", "detail": "muted"}');
SELECT * FROM generated_fill;
DROP TABLE generated_fill;
