--
-- Bad input: each with its SQLSTATE and message; session and count survive
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\pset format unaligned
\pset footer off
CREATE SCHEMA err;
CREATE TABLE err.t (k text PRIMARY KEY, d text, count int, modified_at timestamptz) WITH (fillfactor = 70);
SELECT missing_symbol.increment('err.t', 'k');

-- SQLSTATE, message, detail and hint of a call of increment... in err.t, and
-- the proof that counting goes on: the value of 'k' grows by one each time
CREATE FUNCTION pg_temp.fails(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result text;
    state text;
    message text;
    detail text;
    hint text;
    before bigint := missing_symbol.value('err.t', 'k');
    after bigint;
BEGIN
    BEGIN
        EXECUTE statement INTO result;
        result := 'no error: ' || COALESCE(result, '(null)');
    EXCEPTION WHEN others THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        IF state = '42883' THEN
            detail := NULL;             -- the parser's, not the same in all versions
            hint := NULL;
        END IF;
        result := concat_ws(E'\n    ', state || ': ' || message, NULLIF(detail, ''), NULLIF(hint, ''));
    END;
    after := missing_symbol.increment('err.t', 'k');
    IF after <> before + 1 THEN
        result := concat(result, ' COUNT ', before, ' -> ', after);
    END IF;
    RETURN result;
END
$$;

--
-- Not a table to count in
--
CREATE VIEW err.view AS SELECT DISTINCT * FROM err.t;
CREATE MATERIALIZED VIEW err.matview AS SELECT * FROM err.t;
CREATE UNIQUE INDEX ON err.matview (k);
CREATE FOREIGN DATA WRAPPER regress_ms_fdw;
CREATE SERVER regress_ms_server FOREIGN DATA WRAPPER regress_ms_fdw;
CREATE FOREIGN TABLE err.foreign (k text, count int) SERVER regress_ms_server;
CREATE SEQUENCE err.seq;
CREATE TYPE err.composite AS (k text, count int);
CREATE TABLE err.no_key (k text, count int);
CREATE TABLE err.only_serial (id serial PRIMARY KEY, k text, count int);
CREATE TABLE err.only_identity (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k text, count int);
CREATE TABLE err.only_uuid (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, k text, count int);
CREATE TABLE err.partial (k text, count int);
CREATE UNIQUE INDEX ON err.partial (k) WHERE count > 0;
CREATE TABLE err.expression (k text, count int);
CREATE UNIQUE INDEX ON err.expression (lower(k));
CREATE TABLE err.deferrable (k text PRIMARY KEY DEFERRABLE, count int);
CREATE TABLE err.deferrable_twin (k text UNIQUE, count int, UNIQUE (k) DEFERRABLE);
CREATE TABLE err.ambiguous (a text UNIQUE, b text, c text, count int, CONSTRAINT "odd key" UNIQUE (c, b));
CREATE TABLE err.no_count (k text PRIMARY KEY, amount int);
CREATE TABLE err.two_counts (k text PRIMARY KEY, count int, hits int);
CREATE TABLE err.two_counters (k text PRIMARY KEY, a missing_symbol.counter, b missing_symbol.counter);
CREATE TABLE err.wrong_count (k text PRIMARY KEY, count text);
CREATE TABLE err.two_times (k text PRIMARY KEY, count int, modified_at timestamptz, last_seen timestamptz);
CREATE TABLE err.generated (k text PRIMARY KEY, a int, count int GENERATED ALWAYS AS (a + 1) STORED);
CREATE TABLE err.rules (k text PRIMARY KEY, count int);
CREATE RULE r AS ON INSERT TO err.rules DO ALSO NOTHING;
CREATE TABLE err.key_is_count (count int PRIMARY KEY);
SELECT target, pg_temp.fails(format('SELECT missing_symbol.increment(%L, ''x'')', target))
FROM unnest(ARRAY['err.nothing', 'err.view', 'err.matview', 'err.foreign', 'err.seq', 'err.t_pkey', 'err.composite',
                  'pg_catalog.pg_class', 'information_schema.sql_features', 'missing_symbol.tracked',
                  'err.no_key', 'err.only_serial', 'err.only_identity', 'err.only_uuid', 'err.partial', 'err.expression',
                  'err.deferrable', 'err.deferrable_twin', 'err.ambiguous', 'err.no_count', 'err.two_counts', 'err.two_counters',
                  'err.wrong_count', 'err.two_times', 'err.generated', 'err.rules', 'err.key_is_count']) target;
SELECT pg_temp.fails('SELECT missing_symbol.increment(0::oid::regclass, ''x'')');
-- every function that takes a target asks the same questions
SELECT pg_temp.fails(statement)
FROM unnest(ARRAY[$$SELECT missing_symbol.increment('err.view', 'x'::text)$$,
                  $$SELECT missing_symbol.increment_by('err.view', 2, 'x')$$,
                  $$SELECT missing_symbol.increment_row('err.view', '{"k": "x"}')$$,
                  $$SELECT missing_symbol.increment_many('err.view', ARRAY['x'])$$,
                  $$SELECT missing_symbol.increment_rows('err.view', '[{"k": "x"}]')$$,
                  $$SELECT missing_symbol.value('err.view', 'x')$$,
                  $$SELECT missing_symbol.describe('err.view')$$,
                  $$SELECT missing_symbol.track('err.view')$$]) statement;

--
-- Arguments
--
SELECT statement, pg_temp.fails('SELECT missing_symbol.' || statement)
FROM unnest(ARRAY[$$increment('err.t', NULL)$$,
                  $$increment('err.t', NULL::text)$$,
                  $$increment(NULL, 'x')$$,
                  $$increment('err.t', VARIADIC NULL::text[])$$,
                  $$increment('err.t', VARIADIC ARRAY[NULL]::text[])$$,
                  $$increment('err.t', VARIADIC '{}'::text[])$$,
                  $$increment('err.t', 'x', 'y')$$,
                  $$increment('err.t', 'x'::text, 2)$$,
                  $$increment('err.t')$$,
                  $$increment_by('err.t', 0, 'x')$$,
                  $$increment_by('err.t', NULL, 'x')$$,
                  $$increment_by('err.t', 9223372036854775808, 'x')$$,
                  $$increment_row('err.t', NULL)$$,
                  $$increment_row('err.t', '{"k": "x"}', 0)$$,
                  $$increment_row('err.t', '{"k": "x"}', NULL)$$,
                  $$increment_row('err.t', '[]')$$,
                  $$increment_row('err.t', '"k"')$$,
                  $$increment_row('err.t', 'null')$$,
                  $$increment_row('err.t', '{}')$$,
                  $$increment_row('err.t', '{"k": null}')$$,
                  $$increment_row('err.t', '{"d": "x"}')$$,
                  $$increment_row('err.t', '{"k": "x", "unknown": 1}')$$,
                  $$increment_row('err.t', '{"K": "x"}')$$,
                  $$increment_row('err.t', '{"k": "x", "": 1}')$$,
                  $$increment_row('err.t', '{"k": "x", "count": 1}')$$,
                  $$increment_row('err.t', '{"k": "x", "modified_at": "now"}')$$,
                  $$increment_row('err.t', '{"k": "x"')$$,
                  $$value('err.t', NULL)$$,
                  $$value('err.t', 'x', 'y')$$,
                  $$value(NULL, 'x')$$,
                  $$track(NULL)$$,
                  $$untrack(NULL)$$,
                  $$describe(NULL)$$]) statement;
CREATE TABLE err.int_key (k int, day date, count int, UNIQUE (day, k));
SELECT statement, pg_temp.fails('SELECT missing_symbol.' || statement)
FROM unnest(ARRAY[$$increment('err.int_key', 'x', 'y')$$,
                  $$increment('err.int_key', '2026-01-01', 'y')$$,
                  $$increment('err.int_key', '2026-01-01', '99999999999')$$,
                  $$increment('err.int_key', '2026-01-01', 99999999999)$$,
                  $$increment('err.int_key', 1, '2026-01-01')$$,
                  $$increment('err.int_key', '2026-01-01'::date, true)$$,
                  $$increment('err.int_key', '2026-01-01'::date, NULL)$$,
                  $$increment('err.int_key', 1)$$,
                  $$increment_row('err.int_key', '{"k": "x", "day": "2026-01-01"}')$$,
                  $$increment_row('err.int_key', '{"k": 1.5, "day": "2026-01-01"}')$$,
                  $$increment_row('err.int_key', '{"k": [1], "day": "2026-01-01"}')$$,
                  $$increment_many('err.int_key', ARRAY[1])$$]) statement;
SELECT count(*) FROM err.int_key;
-- the context names the column
\set SHOW_CONTEXT always
SELECT missing_symbol.increment('err.int_key', '2026-01-01', 'y');
SELECT missing_symbol.increment('err.int_key', '2026-01-01'::date, 99999999999);
SELECT * FROM missing_symbol.increment_rows('err.int_key', '[{"k": 1, "day": "2026-01-01"}, {"k": "x", "day": "2026-01-01"}]');
SELECT * FROM missing_symbol.increment_rows('err.int_key', '[{"k": 1, "day": "2026-01-01"}, {"k": 1}]');
SELECT * FROM missing_symbol.increment_many('err.t', ARRAY['a', 'b', NULL]);
\set SHOW_CONTEXT never

--
-- Rows
--
CREATE TABLE err.required (k text PRIMARY KEY, "Must" text NOT NULL, optional int NOT NULL DEFAULT 1, count int);
SELECT pg_temp.fails($$SELECT missing_symbol.increment('err.required', 'x')$$),
       pg_temp.fails($$SELECT missing_symbol.increment_row('err.required', '{"k": "x", "Must": null}')$$),
       pg_temp.fails($$SELECT missing_symbol.increment_row('err.required', '{"k": "x", "Must": "y", "optional": null}')$$),
       pg_temp.fails($$SELECT missing_symbol.increment_row('err.required', '{"k": "x", "Must": "y"}')$$),
       pg_temp.fails($$SELECT missing_symbol.increment('err.required', 'x')$$);
CREATE TABLE err.times (k text PRIMARY KEY, count bigint, "Begun" timestamptz NOT NULL, seen timestamptz NOT NULL) WITH (fillfactor = 70);
SELECT pg_temp.fails($$SELECT missing_symbol.increment('err.times', 'x')$$),
       missing_symbol.track('err.times', first_seen => 'Begun'),
       pg_temp.fails($$SELECT missing_symbol.increment('err.times', 'x')$$),
       missing_symbol.track('err.times', last_seen => 'seen'),
       pg_temp.fails($$SELECT missing_symbol.increment('err.times', 'x')$$);
-- a full count stays as it is; without detail and hint, which are the fast path's
CREATE FUNCTION pg_temp.first_line(text) RETURNS text LANGUAGE sql AS $$ SELECT split_part($1, E'\n', 1) $$;
CREATE TABLE err.full (k int PRIMARY KEY, small smallint, medium int, big bigint, n numeric(3), c missing_symbol.counter);
INSERT INTO err.full VALUES (1, 32767, 2147483647, 9223372036854775807, 999, '9223372036854775807 [2025-01-01 00:00:00+00,2025-01-01 00:00:00+00]'),
                            (2, -32768, -2147483648, -9223372036854775808, -999, '-9223372036854775808 [2025-01-01 00:00:00+00,2025-01-01 00:00:00+00]');
SET client_min_messages = error;
CREATE FUNCTION pg_temp.count_full(col name) RETURNS TABLE (up text, down text, new text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.track('err.full', count => col);
    up := pg_temp.first_line(pg_temp.fails('SELECT missing_symbol.increment(''err.full'', 1)'));
    down := pg_temp.first_line(pg_temp.fails('SELECT missing_symbol.increment_by(''err.full'', -1, 2)'));
    new := pg_temp.first_line(pg_temp.fails('SELECT missing_symbol.increment_by(''err.full'', 9223372036854775807, 3)'));
    RETURN NEXT;
END
$$;
SELECT col, f.* FROM unnest('{small,medium,big,n,c}'::name[]) col, pg_temp.count_full(col) f;
RESET client_min_messages;
TABLE err.full ORDER BY k;
-- a key that is too long for the index; its size depends on the compression
CREATE FUNCTION pg_temp.long_key(n int DEFAULT 300) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(md5(i::text), '') FROM generate_series(1, n) i
$$;
SELECT regexp_replace(pg_temp.fails($$SELECT missing_symbol.increment('err.t', pg_temp.long_key())$$), 'requires \d+', 'requires ...');
SELECT left(pg_temp.fails($$SELECT missing_symbol.increment('err.t', pg_temp.long_key(100))$$), 90);
SELECT regexp_replace(pg_temp.fails($$SELECT missing_symbol.increment_many('err.t', ARRAY['k', pg_temp.long_key()])$$), 'requires \d+', 'requires ...');
SELECT missing_symbol.value('err.t', pg_temp.long_key());

--
-- Transactions that must not write
--
BEGIN READ ONLY;
SELECT missing_symbol.increment('err.t', 'k');
ROLLBACK;
BEGIN READ ONLY;
SELECT missing_symbol.increment_many('err.t', ARRAY['k']);
ROLLBACK;
BEGIN READ ONLY;
SELECT missing_symbol.value('err.t', 'k') > 0 AS value, (missing_symbol.describe('err.t')).count;
SELECT missing_symbol.track('err.t', throttle => '1 hour');
ROLLBACK;
BEGIN READ ONLY;
SELECT missing_symbol.untrack('err.t');
ROLLBACK;
-- in a transaction that has failed
BEGIN;
SELECT 1 / 0;
SELECT missing_symbol.increment('err.t', 'k');
ROLLBACK;
SELECT pg_temp.fails('SELECT 1');

--
-- Privileges: SELECT, INSERT and UPDATE of the columns that are touched
--
CREATE ROLE regress_ms_plain;
GRANT USAGE ON SCHEMA err TO regress_ms_plain;
CREATE TABLE err.p (k text PRIMARY KEY, d text, secret text DEFAULT 'secret', count bigint, created_at timestamptz, modified_at timestamptz) WITH (fillfactor = 70);
INSERT INTO err.p VALUES ('there', NULL, 'x', 1, '2025-01-01', '2025-01-01');
SELECT missing_symbol.track('err.p', fill => '{d}');
CREATE FUNCTION pg_temp.as_plain(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SET LOCAL ROLE regress_ms_plain;
    BEGIN
        EXECUTE statement INTO result;
    EXCEPTION WHEN others THEN
        result := SQLSTATE || ': ' || SQLERRM;
    END;
    RESET ROLE;
    RETURN result;
END
$$;
CREATE FUNCTION pg_temp.with_grants(VARIADIC grants text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    g text;
    result text;
BEGIN
    FOREACH g IN ARRAY grants LOOP
        EXECUTE format('GRANT %s ON err.p TO regress_ms_plain', g);
    END LOOP;
    result := concat_ws(E'\n    ', array_to_string(grants, ', ') || ':',
        'new:    ' || pg_temp.as_plain($s$SELECT missing_symbol.increment('err.p', 'new')$s$),
        'there:  ' || pg_temp.as_plain($s$SELECT missing_symbol.increment('err.p', 'there')$s$),
        'detail: ' || pg_temp.as_plain($s$SELECT missing_symbol.increment_row('err.p', '{"k": "there", "d": "x"}')$s$),
        'secret: ' || pg_temp.as_plain($s$SELECT missing_symbol.increment_row('err.p', '{"k": "new", "secret": "x"}')$s$),
        'batch:  ' || pg_temp.as_plain($s$SELECT missing_symbol.increment_many('err.p', '{there,new}'::text[])$s$),
        'value:  ' || COALESCE(pg_temp.as_plain($s$SELECT missing_symbol.value('err.p', 'there')$s$), '(null)'));
    REVOKE ALL ON err.p FROM regress_ms_plain;
    DELETE FROM err.p WHERE k = 'new';
    UPDATE err.p SET count = 1, d = NULL;
    RETURN result;
END
$$;
SELECT pg_temp.with_grants('SELECT', 'INSERT');
SELECT pg_temp.with_grants('SELECT', 'UPDATE');
SELECT pg_temp.with_grants('INSERT', 'UPDATE');
SELECT pg_temp.with_grants('SELECT');
SELECT pg_temp.with_grants('ALL');
SELECT pg_temp.with_grants('SELECT', 'INSERT', 'UPDATE');
-- by columns
SELECT pg_temp.with_grants('SELECT (k, count, created_at, modified_at)', 'INSERT (k, count, created_at, modified_at)', 'UPDATE (count, modified_at)');
SELECT pg_temp.with_grants('SELECT (k, d, count, created_at, modified_at)', 'INSERT (k, d, count, created_at, modified_at)', 'UPDATE (d, count, modified_at)');
SELECT pg_temp.with_grants('SELECT', 'INSERT', 'UPDATE (count)');
SELECT pg_temp.with_grants('SELECT', 'INSERT (k, count)', 'UPDATE');
SELECT pg_temp.with_grants('SELECT (k, count)', 'INSERT', 'UPDATE');
-- of the extension's own things a plain role can read all and write nothing
SELECT pg_temp.as_plain('SELECT count(*) > 0 FROM missing_symbol.tracked'),
       pg_temp.as_plain($$INSERT INTO missing_symbol.tracked (target) VALUES ('err.p')$$),
       pg_temp.as_plain('DELETE FROM missing_symbol.tracked'),
       pg_temp.as_plain($$SELECT missing_symbol.increment('missing_symbol.tracked', 'err.p')$$),
       pg_temp.as_plain($$SELECT missing_symbol.track('err.p')$$),
       pg_temp.as_plain($$SELECT missing_symbol.untrack('err.p')$$),
       pg_temp.as_plain($$SET missing_symbol.test_clock = '2026-01-01'$$);
-- the schema counts too: not to name a table is not to reach it
REVOKE USAGE ON SCHEMA err FROM regress_ms_plain;
GRANT ALL ON err.p TO regress_ms_plain;
SELECT pg_temp.as_plain($$SELECT missing_symbol.increment('err.p', 'there')$$);
-- a view's owner's rights are not the caller's, a SECURITY DEFINER function's are
CREATE FUNCTION err.count_for_all(key text) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog AS $$ SELECT missing_symbol.increment('err.p', key) $$;
GRANT USAGE ON SCHEMA err TO regress_ms_plain;
REVOKE ALL ON err.p FROM regress_ms_plain;
SELECT pg_temp.as_plain($$SELECT err.count_for_all('there')$$), pg_temp.as_plain($$SELECT missing_symbol.increment('err.p', 'there')$$),
       pg_temp.as_plain($$SELECT err.count_for_all('there')$$);

\pset format aligned
\pset footer on
SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER regress_ms_fdw CASCADE;
DROP SCHEMA err CASCADE;
DROP ROLE regress_ms_plain;
