--
-- Columns that nobody gives: when their defaults are asked, and what for
--
SET TimeZone = 'UTC';
SET missing_symbol.worker = off;	-- what is buffered stays until fold()
SET client_min_messages = error;
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null '(null)'
CREATE SCHEMA def;
CREATE ROLE regress_def_owner;
CREATE ROLE regress_def_web;
GRANT USAGE, CREATE ON SCHEMA def TO PUBLIC;

--
-- The call is asked for what depends on who calls, with which settings, and when
--
CREATE TABLE def.asked (
    k text PRIMARY KEY,
    count bigint,
    who text DEFAULT current_user,
    tenant text DEFAULT current_setting('def.tenant', true),
    day date DEFAULT current_date,
    at timestamptz DEFAULT now(),
    CHECK (at < 'infinity')
);
ALTER TABLE def.asked OWNER TO regress_def_owner;
GRANT SELECT, INSERT (k, count), UPDATE (count) ON def.asked TO regress_def_web;
SET ROLE regress_def_owner;
SELECT missing_symbol.track('def.asked', apply => 'commit');
SET ROLE regress_def_web;
BEGIN;
SET LOCAL def.tenant = 'a';
SELECT missing_symbol.increment('def.asked', 'commit');
SAVEPOINT s;
SET LOCAL def.tenant = 'b';
SELECT missing_symbol.increment('def.asked', 'commit'), missing_symbol.increment('def.asked', 'level'), missing_symbol.increment('def.asked', 'undone');
ROLLBACK TO s;
SET LOCAL def.tenant = 'c';
SELECT missing_symbol.increment_many('def.asked', '{commit,level,undone,level}'::text[]);
SELECT k, count, who, tenant, at = now() AS now FROM missing_symbol.total(NULL::def.asked) ORDER BY k;
RELEASE s;
SET LOCAL def.tenant = 'd';
RESET ROLE;
COMMIT;
SELECT k, count, who, tenant FROM def.asked ORDER BY k;

SET ROLE regress_def_owner;
SELECT missing_symbol.track('def.asked', apply => 'buffer');
TRUNCATE def.asked;
SET ROLE regress_def_web;
BEGIN;
SET LOCAL def.tenant = 'a';
SET LOCAL TimeZone = '-12';
SELECT now(), current_date AS day \gset
SELECT missing_symbol.increment('def.asked', 'buffer');
SET LOCAL def.tenant = 'b';
SET LOCAL TimeZone = '+12';
RESET ROLE;
COMMIT;
SELECT fields->''->1->>'who' AS who, fields->''->1->>'tenant' AS tenant, fields - '' AS given FROM missing_symbol.buffered;
SELECT k, count, who, tenant, day = :'day' AS day, at = :'now' AS at FROM missing_symbol.total(NULL::def.asked);
SET def.tenant = 'of fold()';
SELECT missing_symbol.fold();
SELECT k, count, who, tenant, day = :'day' AS day, at = :'now' AS at FROM def.asked;

-- of several the first, also where there is no room to defer
TRUNCATE def.asked;
SET def.tenant = 'first';
SELECT missing_symbol.increment('def.asked', 'x');
SET def.tenant = 'second';
SELECT missing_symbol.increment('def.asked', 'x');
BEGIN;
SET LOCAL missing_symbol.pending_limit = 0;
SET LOCAL def.tenant = 'no room';
SELECT missing_symbol.increment('def.asked', 'y');
SET LOCAL def.tenant = 'commit';
COMMIT;
RESET def.tenant;
-- a null that was said is one
SELECT missing_symbol.increment('def.asked', 'null');
SET def.tenant = 'of fold()';
SELECT missing_symbol.fold();
SELECT k, count, tenant FROM def.asked ORDER BY k;

--
-- It is for a new row only: it fills nothing, and takes no right to the column
--
CREATE TABLE def.filled (k text PRIMARY KEY, count bigint, who text DEFAULT current_user, note text) WITH (fillfactor = 70);
GRANT SELECT, INSERT ON def.filled TO regress_def_web;
GRANT UPDATE (count, note) ON def.filled TO regress_def_web;
SELECT missing_symbol.track('def.filled', fill => '{who,note}');
INSERT INTO def.filled (k, count, who) SELECT k, 0, NULL FROM unnest('{now,commit,buffer,both,given}'::text[]) k;
SET ROLE regress_def_web;
SELECT missing_symbol.increment('def.filled', 'now');
RESET ROLE;
SELECT missing_symbol.track('def.filled', apply => 'commit');
SET ROLE regress_def_web;
BEGIN;
SELECT missing_symbol.increment('def.filled', 'commit');
SELECT missing_symbol.increment_row('def.filled', '{"k": "both", "note": "given"}'), missing_symbol.increment('def.filled', 'both');
COMMIT;
RESET ROLE;
SELECT missing_symbol.track('def.filled', apply => 'buffer');
SET ROLE regress_def_web;
SELECT missing_symbol.increment('def.filled', 'buffer') FROM generate_series(1, 2);
SELECT missing_symbol.increment('def.filled', 'buffer');
SELECT missing_symbol.increment_row('def.filled', '{"k": "both", "note": "too late"}');
RESET ROLE;
SELECT missing_symbol.increment_row('def.filled', '{"k": "given", "who": "given"}');
SELECT k, count, who, note FROM missing_symbol.total(NULL::def.filled) ORDER BY k;
SELECT missing_symbol.fold();
SELECT k, delta, error FROM missing_symbol.spilled, unnest(key) k;
TABLE def.filled ORDER BY k;
-- what 1.1 has written: that is given; what it has not is asked as a row is inserted
UPDATE def.filled SET who = NULL;
SELECT missing_symbol.increment('def.filled', 'given');
UPDATE missing_symbol.buffered SET fields = NULL;
SELECT missing_symbol.increment('def.filled', 'both');
UPDATE missing_symbol.buffered SET fields = '{"who": "1.1"}' WHERE key = '{both}';
SELECT missing_symbol.increment('def.filled', 'new');
UPDATE missing_symbol.buffered SET fields = '{"note": "1.1"}' WHERE key = '{new}';
SELECT missing_symbol.fold();
SELECT k, count, CASE who WHEN current_user THEN 'asked' ELSE who END AS who, note FROM def.filled WHERE k IN ('given', 'both', 'new') ORDER BY k;
-- what can only be a superuser's doing does no harm
SELECT missing_symbol.increment('def.filled', 'odd') FROM generate_series(1, 1);
SELECT missing_symbol.increment('def.filled', 'odd2');
SELECT missing_symbol.increment('def.filled', 'odd3');
UPDATE missing_symbol.buffered SET fields = '{"": ["", ["who"]]}' WHERE key = '{odd}';
UPDATE missing_symbol.buffered SET fields = '{"": ["", {"who": 1, "": "x", "nothing": "x", "count": "77", "k": "other"}]}' WHERE key = '{odd2}';
UPDATE missing_symbol.buffered SET fields = '{"": ["", {"who": ["x"], "note": null}]}' WHERE key = '{odd3}';
SELECT k, count, note FROM missing_symbol.total(NULL::def.filled) WHERE k LIKE 'odd%' ORDER BY k;
SELECT missing_symbol.fold();
SELECT k, count, note FROM def.filled WHERE k LIKE 'odd%' ORDER BY k;

--
-- Functions of one's own: run at the call, as who calls, whatever they say
--
CREATE TABLE def.calls (n serial, who text, path text);
GRANT INSERT, SELECT ON def.calls TO PUBLIC;
GRANT USAGE ON SEQUENCE def.calls_n_seq TO PUBLIC;
CREATE FUNCTION def.who() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO def.calls (who, path) VALUES (CASE WHEN current_user LIKE 'regress%' THEN current_user::text ELSE 'superuser' END, current_setting('search_path'));
    RETURN current_user;
END
$$;
CREATE FUNCTION def.fixed() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_user::text';
SET ROLE regress_def_owner;
CREATE TABLE def.own (k text PRIMARY KEY, count bigint, who text DEFAULT def.who(), fixed text DEFAULT def.fixed());
GRANT SELECT, INSERT, UPDATE ON def.own TO regress_def_web;
CREATE TABLE def.parts (LIKE def.own INCLUDING DEFAULTS, PRIMARY KEY (k)) PARTITION BY LIST (k);
CREATE TABLE def.parts_rest PARTITION OF def.parts DEFAULT;
GRANT SELECT, INSERT (k, count), UPDATE ON def.parts TO regress_def_web;
SELECT missing_symbol.track('def.own', apply => 'buffer'), missing_symbol.track('def.parts', apply => 'commit');
SET ROLE regress_def_web;
SET search_path = def;
BEGIN;
SELECT missing_symbol.increment('own', 'x'), missing_symbol.increment('own', 'x'), missing_symbol.increment('own', 'y');
SELECT missing_symbol.increment('parts', 'x');
SELECT who, path, count(*) FROM calls GROUP BY who, path;
RESET search_path;
RESET ROLE;
COMMIT;
SELECT missing_symbol.fold();
SELECT who, path, count(*) FROM def.calls GROUP BY who, path;
TABLE def.own ORDER BY k;
TABLE def.parts;
-- by plans that are kept, too, and where others have no right to these columns
SET ROLE regress_def_web;
SELECT missing_symbol.increment('def.parts', 'y');
SET ROLE regress_def_owner;
SELECT missing_symbol.increment('def.parts', 'z');
SET ROLE regress_def_web;
SELECT missing_symbol.increment('def.parts', 'w');
-- who gives such a column needs it
SELECT missing_symbol.increment_row('def.parts', '{"k": "v", "who": "me"}');
RESET ROLE;
SELECT * FROM def.parts ORDER BY k;
-- what fails there fails there, as in INSERT ... ON CONFLICT: for a counter that is there, too, but not where the column is given
REVOKE EXECUTE ON FUNCTION def.who() FROM PUBLIC;
SET ROLE regress_def_web;
SELECT missing_symbol.increment('def.own', 'x');
SELECT missing_symbol.increment_row('def.own', '{"k": "x", "who": "me"}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION def.who() TO PUBLIC;
SELECT missing_symbol.fold();
SELECT k, count, who FROM def.own ORDER BY k;

-- one that counts in the same table, the same key among others
CREATE FUNCTION def.counts() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('def.depth')::int < 3 THEN
        PERFORM set_config('def.depth', (current_setting('def.depth')::int + 1)::text, true);
        PERFORM missing_symbol.increment('def.again', 'x'), missing_symbol.increment('def.again', 'y');
    END IF;
    RETURN current_setting('def.depth');
END
$$;
CREATE TABLE def.again (k text PRIMARY KEY, count bigint, t text DEFAULT def.counts());
SELECT missing_symbol.track('def.again', apply => 'commit');
BEGIN;
SET LOCAL def.depth = 0;
SELECT missing_symbol.increment('def.again', 'x');
SELECT * FROM missing_symbol.total(NULL::def.again) ORDER BY k;
SAVEPOINT s;
SELECT missing_symbol.increment('def.again', 'x');
ROLLBACK TO s;
COMMIT;
SELECT k, count FROM def.again ORDER BY k;

-- a column of another type, or gone, by the commit: asked again, or not at all
CREATE TABLE def.altered (k text PRIMARY KEY, count bigint, tenant text DEFAULT current_setting('def.tenant', true), gone text DEFAULT current_user);
SELECT missing_symbol.track('def.altered', apply => 'commit');
BEGIN;
SET LOCAL def.tenant = '1';
SELECT missing_symbol.increment('def.altered', 'x');
ALTER TABLE def.altered DROP gone, ALTER tenant DROP DEFAULT, ALTER tenant TYPE int USING tenant::int, ALTER tenant SET DEFAULT 7;
COMMIT;
TABLE def.altered;

-- where a key's rows become one, as in a batch, a column with a default is not filled from a later one
CREATE TABLE def.later (k text PRIMARY KEY, count bigint, who text DEFAULT current_user, note text DEFAULT 'none') WITH (fillfactor = 70);
SELECT missing_symbol.track('def.later', fill => '{who,note}');
INSERT INTO def.later (k, count, who, note) SELECT k, 0, NULL, NULL FROM unnest('{now,batch,commit,buffer}'::text[]) k;
SELECT missing_symbol.increment('def.later', 'now'), missing_symbol.increment_row('def.later', '{"k": "now", "who": "given", "note": "given"}');
SELECT count(*) FROM missing_symbol.increment_rows('def.later', '[{"k": "batch"}, {"k": "batch", "who": "given", "note": "given"}]');
SELECT missing_symbol.track('def.later', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('def.later', 'commit');
SELECT missing_symbol.increment_row('def.later', '{"k": "commit", "who": "given", "note": "given"}');
SELECT missing_symbol.increment('def.later', 'new commit');
SELECT missing_symbol.increment_row('def.later', '{"k": "new commit", "who": "given", "note": "given"}');
COMMIT;
SELECT missing_symbol.track('def.later', apply => 'buffer');
SELECT missing_symbol.increment('def.later', 'buffer');
SELECT missing_symbol.increment_row('def.later', '{"k": "buffer", "who": "given", "note": "given"}');
SELECT missing_symbol.increment('def.later', 'new buffer');
SELECT missing_symbol.increment_row('def.later', '{"k": "new buffer", "who": "given", "note": "given"}');
SELECT k, count, nullif(who, current_user) AS who, note FROM missing_symbol.total(NULL::def.later) ORDER BY k COLLATE "C";
SELECT missing_symbol.fold('def.later');
SELECT k, count, nullif(who, current_user) AS who, note FROM def.later ORDER BY k COLLATE "C";

-- what the database fills by then needs no answer
CREATE TABLE def.made (k text PRIMARY KEY, count bigint, who text DEFAULT current_user, year int DEFAULT date_part('year', now())) PARTITION BY HASH (k);
CREATE TABLE def.made_0 PARTITION OF def.made FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE def.made_plain (k text PRIMARY KEY, count bigint, who text DEFAULT current_user, year int DEFAULT date_part('year', now()));
SELECT missing_symbol.track('def.made', apply => 'buffer'), missing_symbol.track('def.made_plain', apply => 'buffer');
SELECT missing_symbol.increment('def.made', 'x'), missing_symbol.increment('def.made_plain', 'x');
ALTER TABLE def.made DROP who, ADD who text GENERATED ALWAYS AS (upper(k)) STORED, ALTER year DROP DEFAULT, ALTER year SET NOT NULL, ALTER year ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE def.made_plain DROP who, ADD who text GENERATED ALWAYS AS (upper(k)) STORED, ALTER year DROP DEFAULT, ALTER year SET NOT NULL, ALTER year ADD GENERATED ALWAYS AS IDENTITY;
SELECT missing_symbol.fold('def.made'), missing_symbol.fold('def.made_plain');
SELECT key, error FROM missing_symbol.spilled WHERE target IN ('def.made'::regclass, 'def.made_plain'::regclass);
TABLE def.made UNION ALL TABLE def.made_plain;

--
-- Sequences and random values are of the insertion: a counter that is there uses none up
--
CREATE DOMAIN def.role AS text DEFAULT current_user CHECK (VALUE <> '');
CREATE DOMAIN def.id AS uuid DEFAULT gen_random_uuid();
CREATE SEQUENCE def.orders;
CREATE TABLE def.drawn (k text PRIMARY KEY, count bigint, id bigserial, j jsonb DEFAULT jsonb_build_object('order', nextval('def.orders')), n int GENERATED BY DEFAULT AS IDENTITY, u uuid DEFAULT gen_random_uuid(), r float8 DEFAULT random(),
    name text DEFAULT 'order ' || to_char(nextval('def.orders'), 'FM000'), v def.id, fixed text DEFAULT 'fixed', role def.role);
SELECT missing_symbol.track('def.drawn', apply => 'buffer');
INSERT INTO def.drawn (k, count) VALUES ('old', 0);
SELECT missing_symbol.increment('def.drawn', 'old') FROM generate_series(1, 3);
SELECT missing_symbol.increment('def.drawn', k) FROM unnest('{old,new}'::text[]) k;
SELECT key, (SELECT array_agg(k) FROM jsonb_object_keys(fields->''->1) k) AS asked FROM missing_symbol.buffered ORDER BY hash, delta;
SELECT missing_symbol.fold();
SELECT k, count, id, j, n, u IS NOT NULL AS u, r IS NOT NULL AS r, name, v IS NOT NULL AS v, fixed, role = current_user AS role FROM def.drawn ORDER BY id;

-- a column with a domain's default has a default: nothing of a batch fills it
CREATE TABLE def.domain (k text PRIMARY KEY, count bigint, role def.role);
SELECT missing_symbol.track('def.domain', fill => '{role}');
SELECT missing_symbol.increment_rows('def.domain', '[{"k": "x"}, {"k": "x", "role": "second"}]');
SELECT k, count, role = current_user AS role FROM def.domain;

--
-- A function of the server that runs any statement, which counts here, too
--
CREATE TABLE def.nested (k text PRIMARY KEY, count bigint, length int);
CREATE FUNCTION def.again() RETURNS tsquery LANGUAGE plpgsql AS $$
BEGIN
    IF set_config('def.depth', (current_setting('def.depth')::int + 1)::text, false) = '1' THEN
        PERFORM missing_symbol.increment('def.nested', 'inner');
    END IF;
    RETURN 'b'::tsquery;
END
$$;
ALTER TABLE def.nested ALTER length SET DEFAULT
    length(repeat(current_user::text, 4000000) || ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, def.again()')::text) - 4000000 * length(current_user::text);
SELECT missing_symbol.track('def.nested', apply => 'buffer');
SET def.depth = 1;
SELECT missing_symbol.increment('def.nested', 'first');
SET def.depth = 0;
SELECT missing_symbol.increment('def.nested', 'outer');
SELECT missing_symbol.fold('def.nested') IS NOT NULL AS folded;		-- by us, or the worker
TABLE def.nested ORDER BY k;

DROP SCHEMA def CASCADE;
DROP ROLE regress_def_owner, regress_def_web;
