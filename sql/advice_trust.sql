-- Reading findings plans statements again: nobody's code runs as whoever reads.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
SET jit = off;
SET max_parallel_workers_per_gather = 0;
CREATE ROLE regress_advice_mallory;
CREATE ROLE regress_advice_boss SUPERUSER;
CREATE ROLE regress_advice_member IN ROLE regress_advice_mallory;
CREATE ROLE regress_advice_reader IN ROLE pg_read_all_stats;
CREATE SCHEMA mallory AUTHORIZATION regress_advice_mallory;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
-- what ran, as whom; a rollback leaves the sequence as it is
CREATE SEQUENCE mallory.runs;
GRANT ALL ON SEQUENCE mallory.runs TO PUBLIC;

SET ROLE regress_advice_mallory;
-- "immutable" functions, an operator, a cast, a domain: each of them takes note
CREATE FUNCTION mallory.acts() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    EXECUTE 'ALTER ROLE regress_advice_mallory SUPERUSER';
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END$$;
CREATE FUNCTION mallory.f() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM mallory.acts();
    RETURN 'x';
END$$;
CREATE FUNCTION mallory.definer() RETURNS text LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER SET work_mem = '1MB' AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN 'x';
END$$;
CREATE FUNCTION mallory.inlined() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT mallory.f()';
CREATE FUNCTION mallory.same(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN $1 = $2;
END$$;
CREATE OPERATOR mallory.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = mallory.same, RESTRICT = eqsel);
CREATE FUNCTION mallory.check(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN true;
END$$;
CREATE DOMAIN mallory.number AS int CHECK (mallory.check(VALUE));
CREATE TABLE mallory.t (id int, name text, numbers mallory.number[]);
INSERT INTO mallory.t SELECT i, 'n' || i % 50 FROM generate_series(1, 20000) i;
ANALYZE mallory.t;
GRANT SELECT ON mallory.t TO PUBLIC;
CREATE VIEW mallory.v AS SELECT * FROM mallory.t WHERE name = mallory.f();
GRANT SELECT ON mallory.v TO PUBLIC;
CREATE TABLE mallory.guarded (id int, name text);
INSERT INTO mallory.guarded SELECT i, 'n' || i FROM generate_series(1, 20000) i;
ANALYZE mallory.guarded;
CREATE POLICY p ON mallory.guarded USING (mallory.f() = 'x');
ALTER TABLE mallory.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT SELECT ON mallory.guarded TO PUBLIC;
RESET ROLE;

SELECT missing_symbol.profile_start(plans => true);
\set hostile `echo "$PG_ABS_SRCDIR/sql/include/hostile.sql"`
-- as mallory; read by her, then by a member, by who sees all statistics, by a superuser
SET ROLE regress_advice_mallory;
\i :hostile
RESET ROLE;
SELECT last_value, is_called FROM mallory.runs \gset before_
SET ROLE regress_advice_mallory;
SELECT count(*), bool_or(proved) AS proved FROM missing_symbol.findings;
SET ROLE regress_advice_member;
SELECT count(*), bool_or(proved) AS proved FROM missing_symbol.findings;
RESET ROLE;
SET ROLE regress_advice_reader;
SELECT count(*), bool_or(proved) AS proved, count(*) FILTER (WHERE why ~ 'you could not become the role') AS not_become FROM missing_symbol.findings;
RESET ROLE;
SELECT shape, suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings;
SET SESSION AUTHORIZATION regress_advice_boss;
SELECT count(*), bool_or(proved) AS proved FROM missing_symbol.findings;
-- in a function of the superuser's that mallory calls
CREATE FUNCTION pg_temp.found() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM missing_symbol.findings';
GRANT EXECUTE ON FUNCTION pg_temp.found TO PUBLIC;
RESET SESSION AUTHORIZATION;
SET ROLE regress_advice_mallory;
SELECT pg_temp.found() > 0 AS found;
RESET ROLE;
SELECT last_value = :before_last_value AS nothing_ran, rolsuper FROM mallory.runs, pg_roles
WHERE rolname = 'regress_advice_mallory';

-- what the session has looked up before, and what the server's own functions run
SET ROLE regress_advice_mallory;
CREATE FUNCTION mallory.difference(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN $1 - $2;
END$$;
CREATE TYPE mallory.span AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = mallory.difference);
CREATE FUNCTION mallory.stable() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN 'x';
END$$;
CREATE TABLE mallory.spans (id int, s mallory.span, name text);
INSERT INTO mallory.spans SELECT i, mallory.span(i, i + 10), 'n' || i % 50 FROM generate_series(1, 20000) i;
ANALYZE mallory.spans;
CREATE VIEW mallory.reads AS SELECT * FROM mallory.spans
WHERE name <> table_to_xml('missing_symbol.findings', true, true, '')::text AND name <> mallory.stable();
GRANT SELECT ON mallory.spans, mallory.reads TO PUBLIC;
RESET ROLE;
SELECT missing_symbol.profile_reset();
SET SESSION AUTHORIZATION regress_advice_boss;
\o /dev/null
SELECT count(*) FROM mallory.t WHERE id = 1;
SELECT count(*) FROM mallory.spans WHERE id = 1 AND s && '[1,20)';
SELECT count(*) FROM mallory.spans WHERE id = 2 AND s = ANY (ARRAY['[1,20)', '[2,21)']::mallory.span[]);
SELECT count(*) FROM mallory.spans WHERE id = 3 AND (s, id) < ('[1,20)', 5);
SELECT count(*) FROM mallory.reads WHERE id = 4;
\o
SELECT last_value FROM mallory.runs \gset before_
SELECT suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings;
RESET SESSION AUTHORIZATION;
SELECT last_value = :before_last_value AS nothing_ran FROM mallory.runs;

-- values of her types are kept: her operators, casts and domains' checks are not called with them
SET ROLE regress_advice_mallory;
CREATE TYPE mallory.state AS ENUM ('new', 'open', 'done');
CREATE FUNCTION mallory.same(mallory.state, mallory.state) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN $1 = $2;
END$$;
CREATE OPERATOR mallory.=== (LEFTARG = mallory.state, RIGHTARG = mallory.state, FUNCTION = mallory.same, RESTRICT = eqsel);
CREATE FUNCTION mallory.number_of(mallory.state) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('mallory.runs');
    RETURN 1;
END$$;
CREATE CAST (mallory.state AS int) WITH FUNCTION mallory.number_of(mallory.state);
CREATE TABLE mallory.jobs AS
SELECT i AS id, (CASE WHEN i % 300 = 0 THEN 'new' ELSE 'done' END)::mallory.state AS s, i::mallory.number AS n, repeat('x', 100) AS filler
FROM generate_series(1, 12000) i;
ANALYZE mallory.jobs;
RESET ROLE;
SELECT missing_symbol.profile_reset();
SET ROLE regress_advice_mallory;
PREPARE enum_of(mallory.state) AS SELECT count(*) FROM mallory.jobs WHERE s = $1;
PREPARE operator_of(mallory.state) AS SELECT count(*) FROM mallory.jobs WHERE s OPERATOR(mallory.===) $1 AND id = 1;
PREPARE operators_of(mallory.state[]) AS SELECT count(*) FROM mallory.jobs WHERE s OPERATOR(mallory.===) ANY ($1) AND id = 2;
PREPARE cast_of(mallory.state) AS SELECT count(*) FROM mallory.jobs WHERE id = $1::int;
PREPARE domain_of(mallory.number) AS SELECT count(*) FROM mallory.jobs WHERE n = $1;
PREPARE check_of(mallory.number) AS SELECT count(*) FROM mallory.jobs WHERE n = (($1 + 1)::mallory.number) AND id < 300;
\o /dev/null
EXECUTE enum_of('new');
EXECUTE operator_of('new');
EXECUTE operators_of('{new}');
EXECUTE cast_of('new');
EXECUTE domain_of(7);
EXECUTE check_of(7);
SELECT count(*) FROM mallory.jobs WHERE s <> 'done';
SELECT count(*) FROM mallory.jobs WHERE s <> ALL ('{done,open}') AND n > 0;
\o
RESET ROLE;
SELECT last_value FROM mallory.runs \gset before_
SET ROLE regress_advice_member;
SELECT shape, suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings ORDER BY shape COLLATE "C";
RESET ROLE;
SET SESSION AUTHORIZATION regress_advice_boss;
SELECT shape, suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings ORDER BY shape COLLATE "C";
RESET SESSION AUTHORIZATION;
SET ROLE regress_advice_mallory;
SELECT pg_temp.found() AS found;
RESET ROLE;
SET ROLE regress_advice_reader;
SELECT count(*), bool_or(proved) AS proved, count(*) FILTER (WHERE why ~ 'you could not become the role') AS not_become FROM missing_symbol.findings;
RESET ROLE;
SELECT last_value = :before_last_value AS nothing_ran, rolsuper FROM mallory.runs, pg_roles WHERE rolname = 'regress_advice_mallory';
-- a value that has another name, and one that nobody should have been able to remove; types that are gone
ALTER TYPE mallory.state RENAME VALUE 'new' TO 'fresh';
ANALYZE mallory.jobs;
SELECT suggestion, proved FROM missing_symbol.findings WHERE shape ~ 's (=|<>)' ORDER BY 1;
DELETE FROM pg_enum WHERE enumtypid = 'mallory.state'::regtype AND enumlabel = 'done';
ANALYZE mallory.jobs (id);
SELECT suggestion, proved FROM missing_symbol.findings WHERE shape ~ 's (=|<>)' ORDER BY 1;
ALTER TABLE mallory.jobs ALTER n TYPE int;
DROP TYPE mallory.state CASCADE;
DROP DOMAIN mallory.number CASCADE;
SELECT shape, suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings ORDER BY shape COLLATE "C";
SELECT last_value = :before_last_value AS nothing_ran FROM mallory.runs;
DEALLOCATE ALL;

-- what the superuser has run is planned as him for nobody else, and calls nothing for him
SELECT missing_symbol.profile_reset();
SET SESSION AUTHORIZATION regress_advice_boss;
SELECT count(*) FROM mallory.t WHERE id = 7;
SELECT suggestion, proved FROM missing_symbol.findings;
SET ROLE regress_advice_mallory;
CREATE INDEX ON mallory.t (id) WHERE name = mallory.f();
RESET ROLE;
RESET SESSION AUTHORIZATION;
SELECT last_value FROM mallory.runs \gset before_
SELECT count(*), bool_or(proved) AS proved FROM missing_symbol.findings;
SET ROLE regress_advice_reader;
SELECT suggestion, proved, why FROM missing_symbol.findings;
RESET ROLE;
SELECT last_value = :before_last_value AS nothing_ran FROM mallory.runs;

-- who ran it may not any more: no costs
SELECT missing_symbol.profile_reset();
CREATE TABLE secret AS SELECT i AS id, i % 1000 AS v FROM generate_series(1, 20000) i;
ANALYZE secret;
GRANT SELECT ON secret TO regress_advice_mallory;
SET ROLE regress_advice_mallory;
SELECT count(*) FROM secret WHERE v = 7;
SELECT suggestion, proved, cost_before IS NULL AS hidden FROM missing_symbol.findings;
RESET ROLE;
REVOKE SELECT ON secret FROM regress_advice_mallory;
SET ROLE regress_advice_mallory;
SELECT suggestion, proved, cost_before IS NULL AS hidden, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings;
RESET ROLE;
-- under row security only what is leakproof is searched for
ALTER TABLE secret ADD name text;
UPDATE secret SET name = 'n' || id;
ANALYZE secret;
CREATE POLICY p ON secret USING (v = 7);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON secret TO regress_advice_mallory;
SELECT missing_symbol.profile_reset();
SET ROLE regress_advice_mallory;
SELECT count(*) FROM secret WHERE name LIKE 'n77%';
SELECT suggestion, proved FROM missing_symbol.findings;
RESET ROLE;

-- the text means what it meant: with the search_path of then
CREATE SCHEMA other;
CREATE TABLE other.place AS SELECT i AS id, i % 1000 AS v FROM generate_series(1, 20000) i;
ANALYZE other.place;
SELECT missing_symbol.profile_reset();
SET search_path = other, missing_symbol;
SELECT count(*) FROM place WHERE v = 7;
RESET search_path;
SELECT suggestion, proved FROM missing_symbol.findings;
SHOW search_path;

-- no lock is waited for, none is kept, nothing is left of it; in a read-only transaction, and serializable
ANALYZE other.place;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT suggestion, proved FROM missing_symbol.findings;
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'other.place'::regclass;
COMMIT;
BEGIN;
SET LOCAL lock_timeout = '1h';
ANALYZE other.place;
SELECT count(*) FROM missing_symbol.findings;
SHOW lock_timeout;
SELECT current_user = session_user AS still;
COMMIT;
-- a table that is gone; a text that means something else now
DROP TABLE other.place;
SELECT count(*) FROM missing_symbol.findings;
DROP SCHEMA other;
DROP TABLE secret;

-- a partition is of another server
CREATE FOREIGN DATA WRAPPER regress_advice_wrapper;
CREATE SERVER regress_advice_server FOREIGN DATA WRAPPER regress_advice_wrapper;
CREATE TABLE part (year int, v int) PARTITION BY RANGE (year);
CREATE TABLE part_here PARTITION OF part FOR VALUES FROM (2000) TO (2100);
CREATE FOREIGN TABLE part_there PARTITION OF part FOR VALUES FROM (2100) TO (2200) SERVER regress_advice_server;
INSERT INTO part SELECT 2026, i % 1000 FROM generate_series(1, 20000) i;
ANALYZE part_here;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM part WHERE year = 2026 AND v = 7;
SELECT suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings;
DROP TABLE part;
DROP SERVER regress_advice_server;
DROP FOREIGN DATA WRAPPER regress_advice_wrapper;

-- the names of the text are of other tables now
CREATE TABLE hidden AS SELECT i AS id, i % 1000 AS v FROM generate_series(1, 20000) i;
ANALYZE hidden;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM hidden WHERE v = 7;
CREATE TEMP TABLE hidden (v int);
SELECT suggestion, proved, substring(why FROM 'not proved.*') AS why FROM missing_symbol.findings;
DROP TABLE pg_temp.hidden;

-- constants of types, and collations, that are altered afterwards: nothing fails
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION plus(int, pair) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + $2.b; END';
CREATE FUNCTION plus(int, pair[]) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + $2[1].b; END';
CREATE COLLATION own FROM "C";
ALTER TABLE hidden ADD name text DEFAULT 'x', ADD day date DEFAULT '2026-01-01';
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM hidden WHERE plus(id, ROW(1, 2)::pair) = 9;
SELECT count(*) FROM hidden WHERE plus(id, ARRAY[ROW(1, 2)::pair]) = 9;
SELECT count(*) FROM hidden WHERE name COLLATE own > 'x';
SELECT count(*) FROM hidden WHERE upper(name COLLATE own) = 'Y';
SELECT id FROM hidden ORDER BY day DESC, id LIMIT 1;
SELECT count(*) FROM missing_symbol.findings;
DROP COLLATION own;
ALTER TYPE pair ALTER ATTRIBUTE a TYPE text;
ALTER TABLE hidden DROP COLUMN day;
SELECT suggestion FROM missing_symbol.findings;
DROP TABLE hidden;
DROP FUNCTION plus(int, pair), plus(int, pair[]);
DROP TYPE pair;

DISCARD ALL;
DROP SCHEMA mallory CASCADE;
DROP ROLE regress_advice_mallory, regress_advice_boss, regress_advice_member, regress_advice_reader;
