--
-- Trust: whose code runs as whom when deltas that are set aside are read and
-- merged, and what a role learns from them.  Without a worker, so that they
-- stay aside.
--
SET missing_symbol.worker = off;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY terse

CREATE ROLE regress_trust_owner;
CREATE ROLE regress_trust_reader;
CREATE SCHEMA trust;
GRANT ALL ON SCHEMA trust TO regress_trust_owner;
GRANT USAGE ON SCHEMA trust TO PUBLIC;

-- the owner of a table does not see by a domain's constraint who reads its keys
SET ROLE regress_trust_owner;
CREATE TABLE trust.ran_as (who name);
GRANT INSERT, SELECT ON trust.ran_as TO PUBLIC;
CREATE FUNCTION trust.check_it(t text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trust.ran_as VALUES (current_user);
    PERFORM pg_catalog.set_config('application_name', 'was here', false);
    RETURN true;
END $$;
CREATE DOMAIN trust.name AS text CHECK (trust.check_it(VALUE));
CREATE TABLE trust.trap (name trust.name PRIMARY KEY, note trust.name, count bigint NOT NULL);
GRANT ALL ON trust.trap TO PUBLIC;
SELECT missing_symbol.track('trust.trap', apply => 'buffer');
SELECT missing_symbol.increment_row('trust.trap', '{"name": "a", "note": "b"}');
SELECT missing_symbol.increment_row('trust.trap', '{"name": "a", "note": "b"}');
DELETE FROM trust.ran_as;
RESET ROLE;
RESET application_name;

SELECT name, note, count FROM missing_symbol.total(NULL::trust.trap);
SET ROLE regress_trust_reader;
SELECT name, note, count FROM missing_symbol.total(NULL::trust.trap);
RESET ROLE;
SELECT DISTINCT who FROM trust.ran_as;
SHOW application_name;
DELETE FROM trust.ran_as;

-- nor is what is looked for a value of the domain: nothing runs
SELECT missing_symbol.value('trust.trap', 'a'), missing_symbol.value('trust.trap', 'b');
SELECT DISTINCT who FROM trust.ran_as ORDER BY who;
DELETE FROM trust.ran_as;

-- who merges everything has not chosen the table, nor what its index runs
SET ROLE regress_trust_owner;
CREATE FUNCTION trust.look_at_it(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user = 'regress_trust_reader' THEN
        RAISE 'looked at as %', current_user;
    END IF;
    RETURN $1;
END $$;
CREATE INDEX ON trust.trap (name) WHERE trust.look_at_it(1) > 0;
RESET ROLE;
-- in a session that has not looked at it yet
\c -
SET missing_symbol.worker = off;
SET client_min_messages = warning;
SET ROLE regress_trust_reader;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT DISTINCT who FROM trust.ran_as;
SELECT name, note, count FROM trust.trap;
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- a raised error is about the increment, whatever it calls itself
SET ROLE regress_trust_owner;
CREATE TABLE trust.refuses (k text PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE trust.zz_last (k text PRIMARY KEY, count bigint NOT NULL);
SELECT missing_symbol.track('trust.refuses', apply => 'buffer'), missing_symbol.track('trust.zz_last', apply => 'buffer');
CREATE FUNCTION trust.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'never' USING ERRCODE = new.k;
END $$;
CREATE TRIGGER refuse AFTER INSERT ON trust.refuses FOR EACH ROW EXECUTE FUNCTION trust.refuse();
SELECT missing_symbol.increment('trust.refuses', k) FROM unnest('{57014,40001,55P03,XX000,53100}'::text[]) k;
SELECT missing_symbol.increment('trust.zz_last', 'x');
-- how many: a worker that others have started may have come first
SELECT missing_symbol.fold() \g /dev/null
RESET ROLE;
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'trust.refuses'::regclass ORDER BY key;
TABLE trust.zz_last;

-- nor is what core raises in it anything else: an internal error, a file or
-- room that the server has not got
CREATE FUNCTION trust.no_file() RETURNS text LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT pg_catalog.pg_read_file('nowhere') $$;
CREATE FUNCTION trust.no_room() RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET temp_file_limit = '1kB' SET work_mem = '64kB' AS
    $$ SELECT count(*) FROM (SELECT n FROM generate_series(1, 20000) n ORDER BY -n OFFSET 0) t $$;
SET ROLE regress_trust_owner;
CREATE OR REPLACE FUNCTION trust.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE new.k
        WHEN 'XX000' THEN PERFORM pg_catalog.array_in('{1}', 0, -1);
        WHEN '58P01' THEN PERFORM trust.no_file();
        WHEN '53400' THEN PERFORM trust.no_room();
        WHEN '42P01' THEN PERFORM FROM trust.nowhere;
        ELSE NULL;
    END CASE;
    RETURN NULL;
END $$;
SELECT missing_symbol.increment('trust.refuses', k) FROM unnest('{42P01,53400,58P01,zz}'::text[]) k;
SELECT missing_symbol.increment('trust.zz_last', 'x');
-- how many: a worker that others have started may have come first
SELECT missing_symbol.fold() \g /dev/null
SELECT * FROM trust.refuses ORDER BY k;
TABLE trust.zz_last;
RESET ROLE;
SELECT key, delta, replace(error, '"temp_file_limit"', 'temp_file_limit') AS error FROM missing_symbol.spilled WHERE target = 'trust.refuses'::regclass ORDER BY key;
-- nor what an increment merges that has the row
SET ROLE regress_trust_owner;
CREATE FUNCTION trust.refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.count - old.count >= 100 THEN
        PERFORM pg_catalog.array_in('{1}', 0, -1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_many AFTER UPDATE ON trust.refuses FOR EACH ROW EXECUTE FUNCTION trust.refuse_many();
SELECT missing_symbol.increment_by('trust.refuses', 100, 'zz');
SELECT missing_symbol.track('trust.refuses', apply => 'now', spill => true);
SELECT count(missing_symbol.increment('trust.refuses', 'zz')) FROM generate_series(1, 32);
DROP TRIGGER refuse_many ON trust.refuses;
DROP TRIGGER refuse ON trust.refuses;
SELECT missing_symbol.fold();
SELECT * FROM trust.refuses ORDER BY k;

-- rights on the table come first
CREATE TYPE trust.mood AS ENUM ('secret');
CREATE TABLE trust.moods (k trust.mood PRIMARY KEY, count bigint NOT NULL);
SELECT missing_symbol.track('trust.moods', apply => 'buffer');
SELECT missing_symbol.increment('trust.moods', 'secret');
ALTER TYPE trust.mood RENAME VALUE 'secret' TO 'open';
RESET ROLE;
SET ROLE regress_trust_reader;
SELECT * FROM missing_symbol.total(NULL::trust.moods);
RESET ROLE;
-- and the error of who may read it says which increment
\set VERBOSITY default
\set SHOW_CONTEXT always
SELECT * FROM missing_symbol.total(NULL::trust.moods);
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- row security: only the row tells whether it may be counted
SET ROLE regress_trust_owner;
CREATE TABLE trust.tenants (k text PRIMARY KEY, count bigint NOT NULL, who name NOT NULL DEFAULT current_user);
INSERT INTO trust.tenants VALUES ('not yours', 10, 'x');
ALTER TABLE trust.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON trust.tenants USING (who = current_user);
GRANT ALL ON trust.tenants TO regress_trust_reader;
SELECT missing_symbol.track('trust.tenants', apply => 'buffer');
SET ROLE regress_trust_reader;
SELECT missing_symbol.increment_by('trust.tenants', 1000, 'not yours');
SELECT missing_symbol.increment('trust.tenants', 'yours');
SELECT (missing_symbol.last_increment()).outcome;
RESET ROLE;
SELECT count(*) FROM missing_symbol.buffered WHERE target = 'trust.tenants'::regclass;
SELECT k, count FROM missing_symbol.total(NULL::trust.tenants) ORDER BY k;
-- who is not subject to it is buffered
SET ROLE regress_trust_owner;
SELECT missing_symbol.increment('trust.tenants', 'not yours');
RESET ROLE;
SELECT key, delta FROM missing_symbol.buffered WHERE target = 'trust.tenants'::regclass;


--
-- What is compiled for one role and search_path is not another's
--
CREATE SCHEMA trust_a;
CREATE SCHEMA trust_b;
CREATE FUNCTION trust_a.me() RETURNS text LANGUAGE sql AS $$ SELECT 'a' $$;
CREATE FUNCTION trust_b.me() RETURNS text LANGUAGE sql AS $$ SELECT 'b' $$;
GRANT USAGE ON SCHEMA trust_a, trust_b TO PUBLIC;
SET check_function_bodies = off;
CREATE FUNCTION trust.who() RETURNS text LANGUAGE sql AS $$ SELECT me() $$;
RESET check_function_bodies;
CREATE FUNCTION trust.is_mine(text) RETURNS bool LANGUAGE sql AS $$ SELECT $1 = trust.who() $$;
CREATE FUNCTION trust.is_mine_now(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN $1 = trust.who(); END $$;
CREATE DOMAIN trust.mine AS text CHECK (trust.is_mine_now(VALUE));
CREATE TABLE trust.by_default (k text PRIMARY KEY, who text DEFAULT trust.who(), count bigint NOT NULL);
CREATE TABLE trust.by_check (k text PRIMARY KEY CHECK (trust.is_mine(left(k, 1))), count bigint NOT NULL);
CREATE TABLE trust.by_domain (k trust.mine PRIMARY KEY, note trust.mine, count bigint NOT NULL);
SET search_path = trust_a;
SELECT missing_symbol.increment('trust.by_default', 'a'), missing_symbol.increment('trust.by_check', 'a'), missing_symbol.increment('trust.by_domain', 'a'),
       missing_symbol.increment_row('trust.by_domain', '{"k": "a", "note": "a"}');
SELECT missing_symbol.increment_many('trust.by_default', '{a1,a2}'::text[]), missing_symbol.increment_many('trust.by_check', '{a1,a2}'::text[]);
SET search_path = trust_b;
SELECT missing_symbol.increment('trust.by_default', 'b'), missing_symbol.increment('trust.by_check', 'b'), missing_symbol.increment('trust.by_domain', 'b'),
       missing_symbol.increment_row('trust.by_domain', '{"k": "b", "note": "b"}');
SELECT missing_symbol.increment('trust.by_check', 'a');
SELECT missing_symbol.increment('trust.by_domain', 'a');
SELECT missing_symbol.increment_row('trust.by_domain', '{"k": "b", "note": "a"}');
RESET search_path;
SELECT * FROM trust.by_default ORDER BY k;
SELECT * FROM trust.by_check ORDER BY k;
SELECT * FROM trust.by_domain ORDER BY k;

-- nor are the rights to call what is in it, of one's own or of the server
CREATE FUNCTION trust.secret(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'secret of ' || $1; END $$;
REVOKE EXECUTE ON FUNCTION trust.secret(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trust.secret(text) TO regress_trust_owner;
CREATE TYPE trust.label AS (t text);
CREATE FUNCTION trust.label(int) RETURNS trust.label LANGUAGE sql AS $$ SELECT ROW($1::text)::trust.label $$;
CREATE CAST (int AS trust.label) WITH FUNCTION trust.label(int) AS ASSIGNMENT;
REVOKE EXECUTE ON FUNCTION trust.label(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trust.label(int) TO regress_trust_owner;
CREATE DOMAIN trust.checked AS text CHECK (trust.secret(VALUE) <> '');
CREATE FUNCTION trust.no_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TABLE trust.r_default (k int PRIMARY KEY, t text DEFAULT trust.secret('x'), count bigint NOT NULL);
CREATE TABLE trust.r_server (k int PRIMARY KEY, n int DEFAULT length(pg_read_file('PG_VERSION')), count bigint NOT NULL);
CREATE TABLE trust.r_check (k int PRIMARY KEY, count bigint NOT NULL, CHECK (trust.secret(count::text) <> ''));
CREATE TABLE trust.r_generated (k int PRIMARY KEY, count bigint NOT NULL, t text GENERATED ALWAYS AS (trust.secret(count::text)) STORED);
CREATE TABLE trust.r_index (k int PRIMARY KEY, count bigint NOT NULL);
CREATE INDEX ON trust.r_index (trust.secret(count::text));
CREATE TABLE trust.r_predicate (k int PRIMARY KEY, count bigint NOT NULL);
CREATE INDEX ON trust.r_predicate (k) WHERE trust.secret(count::text) <> '';
CREATE TABLE trust.r_when (k int PRIMARY KEY, count bigint NOT NULL);
CREATE TRIGGER no_note AFTER INSERT OR UPDATE ON trust.r_when FOR EACH ROW WHEN (trust.secret(NEW.count::text) = '') EXECUTE FUNCTION trust.no_note();
CREATE TABLE trust.r_domain (k trust.checked PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE trust.r_cast (k trust.label PRIMARY KEY, count bigint NOT NULL);
CREATE TYPE trust.parts AS (x trust.checked);
CREATE TABLE trust.r_parts (k int PRIMARY KEY, count bigint NOT NULL, CHECK (record_in(textout('(' || k || ')'), 'trust.parts'::regtype, -1) IS NOT NULL));
GRANT ALL ON ALL TABLES IN SCHEMA trust TO regress_trust_owner, regress_trust_reader;
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE FUNCTION pg_temp.count_all(k int) RETURNS TABLE (target text, answer text) LANGUAGE sql AS $$
    SELECT t, pg_temp.try(format('SELECT missing_symbol.increment(%L, %s)', 'trust.' || t, k))
    FROM unnest('{r_default,r_server,r_check,r_generated,r_index,r_predicate,r_when,r_domain,r_cast,r_parts}'::text[]) t
    UNION ALL SELECT 'r_domain, by name', pg_temp.try(format('SELECT missing_symbol.increment_row(%L, %L)', 'trust.r_domain', jsonb_build_object('k', k)))
$$;
SELECT * FROM pg_temp.count_all(1);
SET ROLE regress_trust_reader;
SELECT * FROM pg_temp.count_all(2);
RESET ROLE;
SELECT * FROM pg_temp.count_all(1);

-- SET CONSTRAINTS in one table's code is nothing to others
SET ROLE regress_trust_owner;
CREATE FUNCTION trust.defer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NULL; END $$;
CREATE TABLE trust.defers (k int PRIMARY KEY, count bigint NOT NULL);
CREATE TRIGGER defer AFTER INSERT ON trust.defers FOR EACH ROW EXECUTE FUNCTION trust.defer();
CREATE TABLE trust.parent (k int PRIMARY KEY);
INSERT INTO trust.parent VALUES (1);
CREATE TABLE trust.child_1 (k int PRIMARY KEY REFERENCES trust.parent DEFERRABLE, count bigint NOT NULL);
CREATE TABLE trust.child_2 (k int PRIMARY KEY REFERENCES trust.parent DEFERRABLE, count bigint NOT NULL);
CREATE TABLE trust.child_3 (k int PRIMARY KEY REFERENCES trust.parent DEFERRABLE, count bigint NOT NULL);
SELECT count(missing_symbol.track(t, apply => 'buffer')) FROM unnest('{trust.defers,trust.child_1,trust.child_2,trust.child_3}'::regclass[]) t;
SELECT count(missing_symbol.increment(t, 1)) FROM unnest('{trust.defers,trust.child_1,trust.child_2,trust.child_3}'::regclass[]) t;
RESET ROLE;
-- and others', should there be any
SELECT missing_symbol.fold() >= 4 AS merged;
SELECT target, key, error FROM missing_symbol.spilled WHERE target::text ~ '^trust.(defers|child)';
SELECT target, key FROM missing_symbol.buffered WHERE target::text ~ '^trust.(defers|child)';

-- a key whose type runs code that reads keys of the same table
CREATE FUNCTION trust.reads(v int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF set_config('trust.depth', (current_setting('trust.depth')::int + 1)::text, false) = '1' THEN
        PERFORM FROM missing_symbol.total(NULL::trust.nested);
    END IF;
    RETURN true;
END $$;
CREATE DOMAIN trust.reading AS int CHECK ((repeat(current_user::text, 100000) || trust.reads(VALUE)) <> '');
CREATE TYPE trust.pair AS (a trust.reading, b int);
CREATE TABLE trust.nested (k trust.pair PRIMARY KEY, count bigint NOT NULL);
SELECT missing_symbol.track('trust.nested', spill => true);
SET trust.depth = 1;
INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
SELECT 'trust.nested'::regclass, i, ARRAY[format('(%s,%s)', i, i)], current_user, i, now(), now(), gen_random_uuid() FROM generate_series(1, 3) i;
SET trust.depth = 0;
SELECT * FROM missing_symbol.total(NULL::trust.nested) ORDER BY k;
SELECT missing_symbol.fold('trust.nested');
TABLE trust.nested ORDER BY k;

\set VERBOSITY default
DROP SCHEMA trust, trust_a, trust_b CASCADE;
DROP ROLE regress_trust_owner, regress_trust_reader;
