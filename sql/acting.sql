--
-- As whom, with what search_path and when a waiting increment is applied
--
SET client_min_messages = error;
SET missing_symbol.worker = off;	-- what is buffered stays until fold()
\set VERBOSITY sqlstate
\pset null '(null)'
CREATE SCHEMA act;
CREATE SCHEMA evil;
CREATE ROLE regress_act_boss;
CREATE ROLE regress_act_mallory;
CREATE ROLE regress_act_web;
CREATE ROLE regress_act_lead;
GRANT regress_act_web TO regress_act_lead;
GRANT USAGE, CREATE ON SCHEMA act, evil TO regress_act_boss, regress_act_mallory, regress_act_web, regress_act_lead;

-- what ran: as whom, with which search_path
CREATE TABLE act.log (n serial, who text, path text, what text);
GRANT INSERT, SELECT ON act.log TO PUBLIC;
GRANT USAGE ON SEQUENCE act.log_n_seq TO PUBLIC;
CREATE FUNCTION act.me() RETURNS text LANGUAGE sql AS
    $$SELECT CASE WHEN current_user LIKE 'regress\_act\_%' THEN current_user::text ELSE 'superuser' END$$;
CREATE FUNCTION act.look(OUT who text, OUT path text, OUT what text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT l.who, l.path, l.what FROM act.log l ORDER BY n;
    DELETE FROM act.log;
END
$$;
CREATE VIEW act.aside AS
SELECT target, key, delta, left(error, 5) AS error FROM missing_symbol.spilled
UNION ALL SELECT target, key, delta, NULL FROM missing_symbol.buffered;
CREATE FUNCTION act.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO act.log (who, path, what) VALUES (act.me(), current_setting('search_path'), TG_OP || ' ' || NEW.k);
    RETURN NULL;
END
$$;

-- what an attacker wants to run as somebody else, and what tells that it ran
CREATE FUNCTION evil.grab() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'evil', false), set_config('work_mem', '64kB', false);
    BEGIN
        ALTER ROLE regress_act_mallory SUPERUSER;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    INSERT INTO act.log (who, what) VALUES (act.me(), 'grab');
    RETURN NULL;
END
$$;
CREATE FUNCTION act.safe() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN rolsuper THEN 'superuser!' ELSE 'no superuser' END, current_setting('search_path'), current_setting('work_mem'))
    FROM pg_roles WHERE rolname = 'regress_act_mallory'$$;

--
-- The superuser counts in mallory's table
--
SET ROLE regress_act_mallory;
CREATE TABLE evil.m (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('evil.m', apply => 'buffer');
RESET ROLE;
SET search_path = public, act;
SELECT missing_symbol.increment('evil.m', 'no code');
SELECT missing_symbol.fold();
SELECT missing_symbol.increment('evil.m', 'x');
-- ... who adds a trigger then
SET ROLE regress_act_mallory;
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON evil.m FOR EACH ROW EXECUTE FUNCTION evil.grab();
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
SELECT act.safe();
-- named, and with a trigger that is put off to the commit
SELECT missing_symbol.increment('evil.m', 'x');
SELECT missing_symbol.fold('evil.m');
SELECT * FROM act.look();
SET ROLE regress_act_mallory;
DROP TRIGGER grab ON evil.m;
CREATE CONSTRAINT TRIGGER grab AFTER INSERT OR UPDATE ON evil.m DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION evil.grab();
RESET ROLE;
SELECT missing_symbol.increment('evil.m', 'x');
-- not in a transaction block, where that would make the caller's constraints immediate
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT missing_symbol.fold('evil.m');
SELECT * FROM act.aside;
SELECT missing_symbol.flush();
COMMIT;
SELECT missing_symbol.fold('evil.m');
SELECT * FROM act.look();
SELECT act.safe();
TABLE evil.m;
SET ROLE regress_act_mallory;
DROP TRIGGER grab ON evil.m;
-- other code: a domain, defaults, also one by a function of the server that runs queries, CHECK, index
CREATE FUNCTION evil.mark(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO act.log (who, what) VALUES (act.me(), what);
    RETURN what;
END
$$;
CREATE FUNCTION evil.mark_fixed(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN evil.mark(what);
END
$$;
ALTER TABLE evil.m ADD a text DEFAULT evil.mark('default');
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.increment('evil.m', 'default');
SELECT missing_symbol.fold('evil.m');
SELECT DISTINCT * FROM act.look();
SET ROLE regress_act_mallory;
ALTER TABLE evil.m DROP a, ADD a xml DEFAULT query_to_xml('SELECT evil.mark(''query_to_xml'')', true, false, '');
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.increment('evil.m', 'xml');
SELECT missing_symbol.fold('evil.m');
SELECT DISTINCT * FROM act.look();
SET ROLE regress_act_mallory;
ALTER TABLE evil.m DROP a, ADD CHECK (evil.mark_fixed('check') IS NOT NULL);
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.increment('evil.m', 'check');
SELECT missing_symbol.fold('evil.m');
SELECT DISTINCT * FROM act.look();
SET ROLE regress_act_mallory;
ALTER TABLE evil.m DROP CONSTRAINT m_check;
CREATE INDEX m_expr ON evil.m (evil.mark_fixed('index ' || k));
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.increment('evil.m', 'index');
DELETE FROM act.log;		-- of the call
SELECT missing_symbol.fold('evil.m');
SELECT DISTINCT * FROM act.look();
SET ROLE regress_act_mallory;
DROP INDEX evil.m_expr;
CREATE DOMAIN evil.d AS text CHECK (evil.mark_fixed(VALUE) IS NOT NULL);
ALTER TABLE evil.m ADD a evil.d;
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.increment_row('evil.m', '{"k": "domain", "a": "v"}');
DELETE FROM act.log;
SELECT missing_symbol.fold('evil.m');
SELECT DISTINCT * FROM act.look();
SELECT act.safe();

-- what is no code of the table at first sight: a foreign key's query, a cascade, statistics
SET ROLE regress_act_mallory;
CREATE TABLE evil.pk (k text PRIMARY KEY);
CREATE INDEX ON evil.pk ((k || evil.mark_fixed('planner')));
INSERT INTO evil.pk VALUES ('fk');
CREATE TABLE evil.fk (k text PRIMARY KEY REFERENCES evil.pk, count bigint UNIQUE);
CREATE TABLE evil.child (count bigint REFERENCES evil.fk (count) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER grab AFTER UPDATE ON evil.child FOR EACH ROW EXECUTE FUNCTION evil.grab();
-- from 14 on
SELECT current_setting('server_version_num')::int >= 140000 AS has_expressions \gset
\if :has_expressions
CREATE STATISTICS evil.st ON (k || evil.mark_fixed('statistics')), count FROM evil.fk;
\endif
SELECT missing_symbol.track('evil.fk', key => '{k}', apply => 'buffer');
RESET ROLE;
SELECT missing_symbol.increment('evil.fk', 'fk');
SELECT missing_symbol.fold();
SET ROLE regress_act_mallory;
INSERT INTO evil.child VALUES (1);
RESET ROLE;
SELECT missing_symbol.increment('evil.fk', 'fk');
DELETE FROM act.log;
SELECT missing_symbol.fold();
SELECT * FROM evil.child;
SELECT DISTINCT who FROM act.look();
SELECT act.safe();
--
-- Roles count in boss's table
--
SET ROLE regress_act_boss;
CREATE TABLE act.parent (k text PRIMARY KEY);
INSERT INTO act.parent VALUES ('a'), ('b');
CREATE TABLE act.b (k text PRIMARY KEY REFERENCES act.parent DEFERRABLE INITIALLY DEFERRED, count bigint, who text);
GRANT SELECT, UPDATE, INSERT (k, count) ON act.b TO regress_act_mallory, regress_act_web;
SELECT missing_symbol.track('act.b', apply => 'buffer');
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
-- not within what somebody does whom the owner could not become
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT missing_symbol.fold('act.b');
COMMIT;
-- what one has counted oneself in a table of one's own is merged there, with constraints put off
SET ROLE regress_act_boss;
SELECT missing_symbol.increment('act.b', 'b');
BEGIN;
SELECT missing_symbol.fold('act.b');
COMMIT;
RESET ROLE;
SELECT * FROM act.aside ORDER BY key;
SELECT missing_symbol.fold('act.b');
SELECT * FROM act.b ORDER BY k;
SET ROLE regress_act_boss;
SELECT missing_symbol.increment('act.b', 'nowhere');
BEGIN;
SELECT missing_symbol.fold('act.b');
COMMIT;
RESET ROLE;
SELECT * FROM act.aside;
-- what a commit would refuse does not end the fold of all
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('evil.m', 'else');
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.aside;
DELETE FROM missing_symbol.spilled;
-- with a trigger the owner acts where he cannot become the role that counted
CREATE TRIGGER note AFTER INSERT OR UPDATE ON act.b FOR EACH ROW EXECUTE FUNCTION act.note();
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
RESET ROLE;
SELECT missing_symbol.fold('act.b');
SELECT * FROM act.look();
-- ... and may become: as that role
GRANT regress_act_web TO regress_act_boss;
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
-- whoever merges has no business with what names mean to others
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
SET search_path = evil, public;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT * FROM act.look();
SET search_path = public, act;
-- an error under the hidden search_path is not kept; under the own one it is
CREATE FUNCTION act.unqualified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (who, what) VALUES (act.me(), 'unqualified');
    RETURN NULL;
END
$$;
DROP TRIGGER note ON act.b;
CREATE TRIGGER unqualified AFTER INSERT OR UPDATE ON act.b FOR EACH ROW EXECUTE FUNCTION act.unqualified();
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
SET ROLE regress_act_mallory;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT * FROM act.aside;
SET search_path = public;
SELECT missing_symbol.fold();
SELECT * FROM act.aside;
SET search_path = public, act;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
-- rights that are gone, of the counter and of the owner: kept
REVOKE regress_act_web FROM regress_act_boss;
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
REVOKE INSERT (count) ON act.b FROM regress_act_mallory;
SELECT missing_symbol.fold();
SELECT * FROM act.aside;
GRANT INSERT (count) ON act.b TO regress_act_mallory;
REVOKE UPDATE ON act.b FROM regress_act_boss;
SELECT missing_symbol.fold();
SELECT * FROM act.aside;
GRANT UPDATE ON act.b TO regress_act_boss;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
-- another owner now
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
ALTER TABLE act.b OWNER TO regress_act_lead;
ALTER TABLE act.parent OWNER TO regress_act_lead;
GRANT SELECT, INSERT, UPDATE ON act.b TO regress_act_boss, regress_act_web, regress_act_mallory;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
DROP TRIGGER unqualified ON act.b;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON act.b FOR EACH ROW EXECUTE FUNCTION act.note();
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.look() ORDER BY who;
-- a guard that looks at current_user: refuses at the commit, is passed by the owner
CREATE FUNCTION act.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'regress_act_mallory' THEN
        RAISE 'not you' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON act.b FOR EACH ROW EXECUTE FUNCTION act.guard();
SELECT missing_symbol.track('act.b', apply => 'commit');
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
SET client_min_messages = warning;
\set VERBOSITY default
SELECT missing_symbol.track('act.b', apply => 'buffer');
\set VERBOSITY sqlstate
SET client_min_messages = error;
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.b', 'b');
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.look();
DROP TRIGGER guard ON act.b;

-- a default that asks for the role or a setting is answered at the call
SET ROLE regress_act_boss;
CREATE TABLE act.d (k text PRIMARY KEY, count bigint, who text DEFAULT current_user, tenant text DEFAULT 'of ' || current_setting('act.tenant', true));
GRANT SELECT, UPDATE, INSERT (k, count) ON act.d TO regress_act_web;
SELECT missing_symbol.track('act.d', apply => 'buffer');
SET ROLE regress_act_web;
SET act.tenant = 'web';
SELECT missing_symbol.increment('act.d', 'asked');
SELECT missing_symbol.increment_many('act.d', '{asked,many}'::text[]);
RESET act.tenant;
RESET ROLE;
SET act.tenant = 'the superuser';
SELECT * FROM missing_symbol.total(NULL::act.d) ORDER BY k;
SELECT missing_symbol.fold();
SELECT * FROM act.d ORDER BY k;
RESET act.tenant;
-- by plans, too: its role has no right to insert these columns
CREATE TABLE act.p (k text PRIMARY KEY, count bigint, who text DEFAULT act.me(), name text DEFAULT current_user) PARTITION BY LIST (k);
CREATE TABLE act.p_all PARTITION OF act.p DEFAULT;
GRANT SELECT, UPDATE, INSERT (k, count) ON act.p TO regress_act_web;
SELECT missing_symbol.track('act.p', apply => 'buffer');
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.p', 'x') FROM generate_series(1, 2);
RESET ROLE;
SELECT missing_symbol.fold();
SELECT * FROM act.p;
SELECT * FROM act.aside;
-- a value of a domain is checked by who merges it, not by who reads it
SET ROLE regress_act_mallory;
CREATE DOMAIN evil.v AS text CHECK (evil.mark_fixed(VALUE) <> 'late');
CREATE TABLE evil.of_domain (k evil.v PRIMARY KEY, count bigint, a evil.v[]);
SELECT missing_symbol.track('evil.of_domain', apply => 'buffer');
RESET ROLE;
SELECT missing_symbol.increment_row('evil.of_domain', '{"k": "fine", "a": ["x"]}');
SELECT missing_symbol.increment('evil.of_domain', 'bad');
DELETE FROM act.log;
SELECT missing_symbol.value('evil.of_domain', 'bad'), k, count FROM missing_symbol.total(NULL::evil.of_domain) ORDER BY k;
SELECT who, what FROM act.look() GROUP BY 1, 2;
SET ROLE regress_act_mallory;
CREATE OR REPLACE FUNCTION evil.mark_fixed(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN what = 'bad' THEN 'late' ELSE evil.mark(what) END;
END
$$;
RESET ROLE;
DELETE FROM act.log;
SELECT missing_symbol.fold();
SELECT who, what FROM act.look() GROUP BY 1, 2;
SELECT * FROM act.aside;
TABLE evil.of_domain;
DELETE FROM missing_symbol.spilled;

--
-- Row security: nothing waits; where it comes to apply, nothing is merged
--
DROP TRIGGER note ON act.b;
SET ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
RESET ROLE;
ALTER TABLE act.b ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON act.b USING (k = current_setting('act.tenant', true));
SELECT missing_symbol.fold('act.b');
SELECT * FROM act.aside;
SET ROLE regress_act_web;
SET act.tenant = 'a';
SELECT (missing_symbol.describe('act.b')).apply, (missing_symbol.describe('act.b')).reason LIKE '%row security applies to the current role' AS reason;
SELECT missing_symbol.increment('act.b', 'a') > 0 AS counted, (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('act.b', 'b');
SELECT fallbacks FROM missing_symbol.counter_stats WHERE target = 'act.b'::regclass;
RESET ROLE;
SELECT missing_symbol.track('act.b', apply => 'commit');
SET ROLE regress_act_web;
BEGIN;
SELECT missing_symbol.increment('act.b', 'a') > 0 AS counted;
SET LOCAL act.tenant = 'b';
COMMIT;
RESET ROLE;
ALTER TABLE act.b DISABLE ROW LEVEL SECURITY;
SELECT missing_symbol.fold();
SELECT * FROM act.aside;
BEGIN;
SET LOCAL ROLE regress_act_web;
SELECT missing_symbol.increment('act.b', 'a');
RESET ROLE;
ALTER TABLE act.b ENABLE ROW LEVEL SECURITY;
COMMIT;
ALTER TABLE act.b DISABLE ROW LEVEL SECURITY;

--
-- In the counter's own transaction: as he was, with the search_path of the call
--
CREATE FUNCTION act.shared_note() RETURNS void LANGUAGE sql AS
    $$INSERT INTO act.log (who, path, what) VALUES (act.me(), 'act', 'act.note')$$;
CREATE FUNCTION evil.shared_note() RETURNS void LANGUAGE sql AS
    $$INSERT INTO act.log (who, path, what) VALUES (act.me(), 'evil', 'evil.note')$$;
CREATE FUNCTION act.call_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM shared_note();
    RETURN NULL;
END
$$;
SET ROLE regress_act_boss;
CREATE TABLE act.c (k text PRIMARY KEY, count bigint);
CREATE TRIGGER call_note AFTER INSERT OR UPDATE ON act.c FOR EACH ROW EXECUTE FUNCTION act.call_note();
-- a facade: its callers may do nothing else
CREATE FUNCTION act.hit(key text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = act AS $$
BEGIN
    PERFORM missing_symbol.increment('act.c', key);
    RETURN (missing_symbol.last_increment()).outcome;
END
$$;
SET ROLE regress_act_mallory;
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SET LOCAL missing_symbol.pending_limit = 0;
SELECT act.hit('x');
SET LOCAL search_path = evil;
COMMIT;
RESET ROLE;
SELECT * FROM act.look();
SET ROLE regress_act_boss;
SELECT missing_symbol.track('act.c', apply => 'commit');
SET ROLE regress_act_mallory;
CREATE TABLE evil.first (k text PRIMARY KEY, count bigint);
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON evil.first FOR EACH ROW EXECUTE FUNCTION evil.grab();
SELECT missing_symbol.track('evil.first', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('evil.first', 'mine');
SELECT act.hit('x');
SAVEPOINT s;
SELECT act.hit('y');
ROLLBACK TO s;
SELECT act.hit('z');
SET LOCAL missing_symbol.pending_limit = 0;
SELECT act.hit('w');
SET LOCAL search_path = evil;
CLOSE ALL;
SELECT count(*) FROM act.log;
COMMIT;
SELECT act.safe();
RESET ROLE;
SELECT * FROM act.look();
-- CLOSE ALL in a definer's function applies nothing there
SET ROLE regress_act_boss;
CREATE FUNCTION act.tidy() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = act AS $$
BEGIN
    EXECUTE 'CLOSE ALL';
    PERFORM shared_note();
    RETURN (SELECT count(*) FROM act.log);
END
$$;
SET ROLE regress_act_mallory;
BEGIN;
SELECT missing_symbol.increment('evil.first', 'mine');
SELECT act.tidy();
COMMIT;
RESET ROLE;
SELECT * FROM act.look();
SET ROLE regress_act_mallory;
-- beyond the limit: what others have deferred stays where it is
BEGIN;
SELECT missing_symbol.increment('evil.first', 'mine');
SET LOCAL missing_symbol.pending_limit = 0;
SELECT act.hit('x');
SELECT who, path, what FROM act.log;
ROLLBACK;
RESET ROLE;
-- SET ROLE, count, RESET ROLE: as the role, and its settings do not stay
GRANT SELECT, INSERT, UPDATE ON evil.first TO regress_act_web;
BEGIN;
SET LOCAL ROLE regress_act_mallory;
SELECT missing_symbol.increment('evil.first', 'as mallory');
RESET ROLE;
COMMIT;
SELECT who, what FROM act.look();
SELECT act.safe();
-- the search_path of each call
SET ROLE regress_act_boss;
BEGIN;
SELECT missing_symbol.increment('act.c', 'p');
SET LOCAL search_path = evil;
SELECT missing_symbol.increment('act.c', 'p');
SELECT missing_symbol.increment('act.c', 'q');
SET LOCAL search_path = nowhere;
COMMIT;
RESET ROLE;
SELECT * FROM act.look() ORDER BY what;
SELECT k, count FROM act.c ORDER BY k;
-- what cannot be done in a restricted operation is done at the commit, and keeps what is set aside
CREATE FUNCTION act.unusual() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.k = 'temp' THEN
        CREATE TEMP TABLE IF NOT EXISTS act_temp (n int) ON COMMIT DROP;
    ELSIF NEW.k = 'listen' THEN
        LISTEN act_channel;
    END IF;
    RETURN NULL;
END
$$;
SET ROLE regress_act_boss;
CREATE TABLE act.u (k text PRIMARY KEY, count bigint);
CREATE TRIGGER unusual AFTER INSERT OR UPDATE ON act.u FOR EACH ROW EXECUTE FUNCTION act.unusual();
SELECT missing_symbol.track('act.u', apply => 'commit');
SELECT missing_symbol.increment('act.u', k) FROM unnest('{temp,listen}'::text[]) k;
TABLE act.u;
UNLISTEN *;
SELECT missing_symbol.track('act.u', apply => 'buffer');
SELECT missing_symbol.increment('act.u', k) FROM unnest('{temp,listen,plain}'::text[]) k;
RESET ROLE;
SELECT missing_symbol.fold();
TABLE act.u ORDER BY k;
SELECT * FROM act.aside ORDER BY key;
DELETE FROM missing_symbol.spilled;

-- a role that is dropped, or has got another name, meanwhile
CREATE ROLE regress_act_gone;
GRANT USAGE ON SCHEMA act TO regress_act_gone;
GRANT SELECT, INSERT, UPDATE ON act.c TO regress_act_gone;
SELECT missing_symbol.track('act.c', apply => 'buffer');
SET ROLE regress_act_gone;
SELECT missing_symbol.increment('act.c', 'gone');
RESET ROLE;
DROP OWNED BY regress_act_gone;
DROP ROLE regress_act_gone;
SELECT missing_symbol.fold();
SELECT * FROM act.look();

-- by whoever merges: temporary tables of his that a trigger would find
SET ROLE regress_act_boss;
CREATE TABLE act.audited (k text PRIMARY KEY, count bigint);
CREATE TABLE act.audit (k text);
CREATE FUNCTION act.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit VALUES (NEW.k);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON act.audited FOR EACH ROW EXECUTE FUNCTION act.audit();
GRANT SELECT, INSERT, UPDATE ON act.audited TO regress_act_mallory;
SELECT missing_symbol.track('act.audited', apply => 'buffer');
SET ROLE regress_act_mallory;
SELECT missing_symbol.increment('act.audited', 'x');
CREATE TEMP TABLE audit (k text);
CREATE TRIGGER grab AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION evil.grab();
SELECT missing_symbol.fold('act.audited');
SELECT missing_symbol.fold();
DROP TABLE pg_temp.audit;
RESET ROLE;
SELECT * FROM act.aside;
SELECT * FROM act.look();
SET search_path = act;
SELECT missing_symbol.fold();
TABLE act.audit;
-- a definer's function that merges is not the whole of a transaction
SET ROLE regress_act_boss;
CREATE FUNCTION act.merge() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = act
    AS $$SELECT missing_symbol.fold('act.audited')$$;
CREATE CONSTRAINT TRIGGER put_off AFTER INSERT OR UPDATE ON act.audited DEFERRABLE FOR EACH ROW EXECUTE FUNCTION act.audit();
SET ROLE regress_act_mallory;
CREATE TABLE evil.put_off (k text);
CREATE CONSTRAINT TRIGGER grab AFTER INSERT ON evil.put_off DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.grab();
SELECT missing_symbol.increment('act.audited', 'x');
SET ROLE regress_act_boss;
SELECT missing_symbol.increment('act.audited', 'y');
SET ROLE regress_act_mallory;
WITH i AS (INSERT INTO evil.put_off VALUES ('x') RETURNING k)
SELECT act.merge() FROM i;
RESET ROLE;
SELECT who, what FROM act.look();
SELECT * FROM act.aside;
TABLE act.audit;
-- cursors that a trigger could close and open again, and a DO block that goes on with them
SET ROLE regress_act_mallory;
CREATE FUNCTION evil.swap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    c refcursor := 'c';
BEGIN
    CLOSE c;
    OPEN c FOR SELECT 1 FROM evil.mark('in the cursor');
    RETURN NULL;
EXCEPTION WHEN invalid_cursor_name THEN
    RETURN NULL;
END
$$;
CREATE TABLE evil.cursors (k text PRIMARY KEY, count bigint);
CREATE TRIGGER swap AFTER INSERT OR UPDATE ON evil.cursors FOR EACH ROW EXECUTE FUNCTION evil.swap();
SELECT missing_symbol.track('evil.cursors', apply => 'buffer');
RESET ROLE;
SELECT missing_symbol.increment('evil.cursors', 'x');
DO $$
DECLARE
    c refcursor := 'c';
    n int;
BEGIN
    OPEN c FOR SELECT 42;
    PERFORM missing_symbol.fold('evil.cursors');
    FETCH c INTO n;
    INSERT INTO act.log (what) VALUES (n);
END
$$;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT 43 AS n;
COMMIT;
SELECT missing_symbol.fold('evil.cursors');
FETCH c;
CLOSE c;
SELECT missing_symbol.fold('evil.cursors');
SELECT who, what FROM act.look();
-- a superuser's table runs a function of mallory's: he stands in for nobody there
ALTER FUNCTION evil.grab() OWNER TO regress_act_mallory;
CREATE TABLE act.of_superuser (k text PRIMARY KEY, count bigint);
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON act.of_superuser FOR EACH ROW EXECUTE FUNCTION evil.grab();
SELECT missing_symbol.track('act.of_superuser', apply => 'buffer');
CREATE ROLE regress_act_gone;
GRANT USAGE ON SCHEMA act TO regress_act_gone;
GRANT SELECT, INSERT, UPDATE ON act.of_superuser TO regress_act_gone;
SET ROLE regress_act_gone;
SELECT missing_symbol.increment('act.of_superuser', 'x');
RESET ROLE;
DROP OWNED BY regress_act_gone;
DROP ROLE regress_act_gone;
SELECT missing_symbol.fold('act.of_superuser');
SELECT * FROM act.aside;
SELECT act.safe();


-- a column whose type could run code: read as who counted, whatever else the merge does
CREATE TYPE act.pair AS (x int, y int);
CREATE TABLE act.typed (k text PRIMARY KEY, count bigint, pair act.pair);
GRANT SELECT, INSERT, UPDATE ON act.typed TO regress_act_web;
SELECT missing_symbol.track('act.typed', apply => 'buffer');
SET ROLE regress_act_mallory;
CREATE TABLE evil.opens (k text PRIMARY KEY, count bigint);
CREATE FUNCTION evil.open() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'left open'; BEGIN OPEN c FOR SELECT 1; RETURN NEW; END $$;
CREATE TRIGGER open BEFORE INSERT ON evil.opens FOR EACH ROW EXECUTE FUNCTION evil.open();
SELECT missing_symbol.track('evil.opens', apply => 'buffer');
SELECT missing_symbol.increment('evil.opens', 'x');
SET ROLE regress_act_web;
SELECT missing_symbol.increment_row('act.typed', '{"k": "x", "pair": {"x": 1, "y": 2}}');
RESET ROLE;
SELECT missing_symbol.flush();
SELECT * FROM act.aside WHERE target IN ('act.typed'::regclass, 'evil.opens'::regclass);
TABLE act.typed;
-- in a session without temporary objects
\c -
SET client_min_messages = error;
SET missing_symbol.worker = off;
SET ROLE regress_act_web;
SELECT missing_symbol.increment_row('act.typed', '{"k": "own", "pair": {"x": 3, "y": 4}}');
BEGIN;
DECLARE c CURSOR FOR SELECT 1;
SELECT missing_symbol.fold('act.typed');
COMMIT;
RESET ROLE;
SELECT * FROM act.aside WHERE target = 'act.typed'::regclass;
-- a range has the code of its bounds: here none of others
CREATE TYPE act.span AS RANGE (subtype = float8);
CREATE TABLE act.spans (k text PRIMARY KEY, count bigint, span act.span);
SELECT missing_symbol.track('act.spans', apply => 'buffer');
CREATE ROLE regress_act_gone;
GRANT USAGE ON SCHEMA act TO regress_act_gone;
GRANT SELECT, INSERT, UPDATE ON act.spans TO regress_act_gone;
SET ROLE regress_act_gone;
SELECT missing_symbol.increment_row('act.spans', '{"k": "x", "span": "[1,2]"}');
RESET ROLE;
DROP OWNED BY regress_act_gone;
DROP ROLE regress_act_gone;
SELECT * FROM missing_symbol.total(NULL::act.spans);
SELECT missing_symbol.fold('act.spans');
TABLE act.spans;

RESET search_path;
\set VERBOSITY default
SET client_min_messages = warning;
DROP SCHEMA act, evil CASCADE;
DROP ROLE regress_act_boss, regress_act_mallory, regress_act_web, regress_act_lead;
