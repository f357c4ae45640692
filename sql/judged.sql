--
-- Rows that row security judges: policies of settings, of roles that change, of
-- functions, and beside triggers
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
-- count and tell the outcome
CREATE FUNCTION pg_temp.inc(target text, VARIADIC key text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    n := missing_symbol.increment(target, VARIADIC key);
    RETURN concat_ws(' ', COALESCE(n::text, '(null)'), (missing_symbol.last_increment()).outcome);
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
CREATE SCHEMA judged;
CREATE ROLE regress_judged;
CREATE ROLE regress_judged_team;
GRANT USAGE ON SCHEMA judged TO regress_judged;
CREATE TABLE judged.tenants (k text PRIMARY KEY, tenant text DEFAULT current_setting('judged.tenant'), count int, last_seen timestamptz,
    open bool DEFAULT true, shown int GENERATED ALWAYS AS (count * 10) STORED);
GRANT SELECT, INSERT, UPDATE ON judged.tenants TO regress_judged;
ALTER TABLE judged.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON judged.tenants USING (tenant = current_setting('judged.tenant'));
CREATE POLICY few ON judged.tenants AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (shown < 50 AND open);
SET ROLE regress_judged;
SET judged.tenant = 'one';
SELECT pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'b');
SET judged.tenant = 'two';
SELECT pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'c'), pg_temp.inc('judged.tenants', 'c');
SET judged.tenant = 'one';
SELECT pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'a'), pg_temp.inc('judged.tenants', 'c');
-- a policy's function is called with the rights and the path of who counts
RESET ROLE;
SET search_path = judged;
CREATE FUNCTION judged.tenant() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('judged.tenant'); END $$;
CREATE SCHEMA judged_too;
CREATE FUNCTION judged_too.tenant() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 'two'; END $$;
GRANT USAGE ON SCHEMA judged_too TO regress_judged;
CREATE FUNCTION judged.may(text) RETURNS bool LANGUAGE sql STABLE AS $$ SELECT $1 = tenant() $$;
ALTER POLICY few ON judged.tenants WITH CHECK (shown < 100 AND open);
ALTER POLICY own ON judged.tenants USING (judged.may(tenant));
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b'), pg_temp.inc('judged.tenants', 'c');
SET search_path = judged_too;
SELECT pg_temp.inc('judged.tenants', 'b'), pg_temp.inc('judged.tenants', 'c');
RESET search_path;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION judged.may FROM PUBLIC;
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b');
-- who is in a role no more
RESET ROLE;
ALTER POLICY own ON judged.tenants TO regress_judged_team USING (true);
GRANT regress_judged_team TO regress_judged;
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b');
RESET ROLE;
REVOKE regress_judged_team FROM regress_judged;
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b');
RESET ROLE;
GRANT regress_judged_team TO regress_judged;
-- or has its rights no more: to 15 by an attribute of his own, from 14 as a database's owner; as core has it
SELECT datname AS db, pg_get_userbyid(datdba) AS db_owner, CASE WHEN current_setting('server_version_num')::int < 140000
    THEN 'regress_judged_team' ELSE 'pg_database_owner' END AS owner
    FROM pg_database WHERE datname = current_database() \gset
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b');
RESET ROLE;
BEGIN;
ALTER ROLE regress_judged NOINHERIT;
SET LOCAL ROLE regress_judged;
SELECT (pg_temp.inc('judged.tenants', 'b') LIKE '42501%') = (count(*) = 0) AS as_core FROM judged.tenants WHERE k = 'b';
ROLLBACK;
BEGIN;
ALTER POLICY own ON judged.tenants TO :owner;
ALTER DATABASE :"db" OWNER TO regress_judged;
SET LOCAL ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b');
RESET ROLE;
ALTER DATABASE :"db" OWNER TO :"db_owner";
SET LOCAL ROLE regress_judged;
SELECT (pg_temp.inc('judged.tenants', 'b') LIKE '42501%') = (count(*) = 0) AS as_core FROM judged.tenants WHERE k = 'b';
ROLLBACK;
-- what a BEFORE trigger makes of a row is judged; of a row that is hidden it hears nothing
CREATE FUNCTION judged.close() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'trigger sees %', OLD.k;
    NEW.open := NEW.k <> 'c';
    RETURN NEW;
END
$$;
CREATE TRIGGER close BEFORE UPDATE ON judged.tenants FOR EACH ROW EXECUTE FUNCTION judged.close();
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b'), pg_temp.inc('judged.tenants', 'c');
RESET ROLE;
ALTER POLICY own ON judged.tenants TO regress_judged_team USING (tenant = 'one');
-- where no row is made: it is absent
SET client_min_messages = error;
SELECT missing_symbol.configure('judged.tenants', '{"insert": false}');
SELECT missing_symbol.track('judged.tenants', throttle => '1 hour');
RESET client_min_messages;
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.tenants', 'b'), pg_temp.inc('judged.tenants', 'c'), pg_temp.inc('judged.tenants', 'd');
SELECT * FROM missing_symbol.increment_many('judged.tenants', '{a,b,c,d}'::text[]);
RESET ROLE;
SELECT k, tenant, count, open, shown FROM judged.tenants ORDER BY k;

-- a batch counts what triggers of a new row, which core inserts, have counted
CREATE TABLE judged.chain (k text PRIMARY KEY, count int);
GRANT SELECT, INSERT, UPDATE ON judged.chain TO regress_judged;
ALTER TABLE judged.chain ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON judged.chain USING (true);
CREATE FUNCTION judged.also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.k <> 'z' THEN
        PERFORM missing_symbol.increment('judged.chain', 'z');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER also AFTER INSERT ON judged.chain FOR EACH ROW EXECUTE FUNCTION judged.also();
INSERT INTO judged.chain VALUES ('z', 1);
SET ROLE regress_judged;
SELECT inserted, incremented FROM missing_symbol.increment_many('judged.chain', '{a,b,z}'::text[]);
SELECT k, count FROM judged.chain ORDER BY k;
RESET ROLE;
-- columns that are generated as they are read, where there are such: no row has them stored
SELECT CASE WHEN current_setting('server_version_num')::int < 180000 THEN 'STORED' ELSE 'VIRTUAL' END AS kind \gset
CREATE TABLE judged.derived (k text PRIMARY KEY, count int, tenant text, upper text GENERATED ALWAYS AS (upper(tenant)) :kind);
INSERT INTO judged.derived VALUES ('a', 1, 'one'), ('b', 1, 'two');
GRANT SELECT, INSERT, UPDATE ON judged.derived TO regress_judged;
ALTER TABLE judged.derived ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_one ON judged.derived USING (COALESCE(upper, 'NOBODY') <> 'ONE');
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.derived', 'a'), pg_temp.inc('judged.derived', 'b');
RESET ROLE;
ALTER POLICY not_one ON judged.derived USING (derived IS NOT NULL);
SET ROLE regress_judged;
SELECT pg_temp.inc('judged.derived', 'a'), pg_temp.inc('judged.derived', 'b');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA judged, judged_too CASCADE;
DROP ROLE regress_judged, regress_judged_team;
