--
-- What a delta that is set aside says of itself: its key's columns, and who
-- counted it.  No worker here; what needs a second transaction is written by
-- hand, as a superuser can.
--
SET missing_symbol.worker = off;
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null '(null)'
-- deltas of one hash are read in the order of their places: no room of before
TRUNCATE missing_symbol.buffered;

CREATE SCHEMA origin;
CREATE TABLE origin.hits (
    note text,
    b int NOT NULL,
    a int NOT NULL,
    count bigint,
    CONSTRAINT hits_pkey PRIMARY KEY (a, b)
) WITH (fillfactor = 70);
SELECT missing_symbol.track('origin.hits', apply => 'buffer');
\set seen 'SELECT missing_symbol.value(''origin.hits'', 1, 2) AS "(1, 2)", missing_symbol.value(''origin.hits'', 2, 1) AS "(2, 1)", (SELECT string_agg(format(''%s %s: %s'', a, b, count), '', '' ORDER BY a, b) FROM missing_symbol.total(NULL::origin.hits)) AS total;'

SELECT missing_symbol.increment('origin.hits', 1, 2);
SELECT missing_symbol.increment_row('origin.hits', '{"a": 1, "b": 2, "note": "x"}');
SELECT key, delta, split_part(fields->>'', ' ', 4) AS attnums, split_part(fields->>'', ' ', 5) AS names, fields - '' AS fields,
       split_part(fields->>'', ' ', 2)::oid = (SELECT oid FROM pg_roles WHERE rolname = current_user) AS role, split_part(fields->>'', ' ', 3)::oid = 'origin.hits'::regclass AS table,
       split_part(fields->>'', ' ', 1)::numeric = (SELECT system_identifier + CASE WHEN system_identifier < 0 THEN 2::numeric ^ 64 ELSE 0 END FROM pg_control_system()) AS system
FROM missing_symbol.buffered WHERE target = 'origin.hits'::regclass ORDER BY fields - '';
:seen

-- another order of the key's columns
ALTER TABLE origin.hits DROP CONSTRAINT hits_pkey, ADD PRIMARY KEY (b, a);
SELECT missing_symbol.increment('origin.hits', 1, 2);
SELECT missing_symbol.value('origin.hits', 2, 1) AS "a = 1, b = 2", missing_symbol.value('origin.hits', 1, 2) AS "a = 2, b = 1";
SELECT a, b, count FROM missing_symbol.total(NULL::origin.hits) ORDER BY a;
ALTER TABLE origin.hits DROP CONSTRAINT hits_pkey, ADD CONSTRAINT hits_pkey PRIMARY KEY (a, b);
:seen
BEGIN;
SELECT missing_symbol.fold('origin.hits');
TABLE origin.hits ORDER BY a;
ROLLBACK;

-- two indexes, the other of which is taken
CREATE UNIQUE INDEX other ON origin.hits (b, a);
SELECT missing_symbol.increment('origin.hits', 1, 2);
REINDEX INDEX CONCURRENTLY origin.hits_pkey;
SELECT count(*), sum(count) FROM missing_symbol.total(NULL::origin.hits);
DROP INDEX origin.other;
SELECT a, b, count FROM missing_symbol.total(NULL::origin.hits) ORDER BY a;

-- names that columns give to each other, and new ones
BEGIN;
ALTER TABLE origin.hits RENAME a TO c;
ALTER TABLE origin.hits RENAME b TO a;
ALTER TABLE origin.hits RENAME c TO b;
SELECT b AS a, a AS b, count FROM missing_symbol.total(NULL::origin.hits) ORDER BY a;
ROLLBACK;
BEGIN;
ALTER TABLE origin.hits RENAME a TO x;
ALTER TABLE origin.hits RENAME b TO y;
SELECT x, y, count FROM missing_symbol.total(NULL::origin.hits) ORDER BY x;
SELECT missing_symbol.fold('origin.hits');
SELECT x, y, count FROM origin.hits;
ROLLBACK;

-- a column that is made anew, under its name
BEGIN;
ALTER TABLE origin.hits ADD a_new bigint NOT NULL, DROP CONSTRAINT hits_pkey, DROP a;
ALTER TABLE origin.hits RENAME a_new TO a;
ALTER TABLE origin.hits ADD PRIMARY KEY (a, b);
:seen
SELECT missing_symbol.fold('origin.hits');
SELECT a, b, count FROM origin.hits;
ROLLBACK;

-- other columns: nothing is counted under what is no key of it
ALTER TABLE origin.hits ADD c int NOT NULL DEFAULT 0;
BEGIN;
ALTER TABLE origin.hits DROP CONSTRAINT hits_pkey, ADD PRIMARY KEY (a, c);
\set VERBOSITY default
SELECT a, c, count FROM missing_symbol.total(NULL::origin.hits);
\set VERBOSITY terse
ROLLBACK;
BEGIN;
ALTER TABLE origin.hits DROP CONSTRAINT hits_pkey, ADD PRIMARY KEY (a);
SELECT missing_symbol.fold('origin.hits');
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'origin.hits'::regclass;
ROLLBACK;

-- restored elsewhere: the names decide; what 1.1 has written: the order
BEGIN;
UPDATE missing_symbol.buffered SET fields = jsonb_set(fields, '{""}', to_jsonb(regexp_replace(fields->>'', '^\d+ (\d+ \d+) \S+', '1 \1 4,1')));
ALTER TABLE origin.hits DROP CONSTRAINT hits_pkey, ADD PRIMARY KEY (b, a);
SELECT a, b, count FROM missing_symbol.total(NULL::origin.hits);
ROLLBACK;
BEGIN;
UPDATE missing_symbol.buffered SET fields = jsonb_set(fields, '{""}', to_jsonb(regexp_replace(fields->>'', '^(\d+ \d+) \d+', '\1 1')));
:seen
ALTER TABLE origin.hits RENAME a TO x;
SELECT x, b, count FROM missing_symbol.total(NULL::origin.hits);
ROLLBACK;
BEGIN;
UPDATE missing_symbol.buffered SET fields = NULL;
:seen
ROLLBACK;
-- more columns, of which the hash is that of an order, too
CREATE TABLE origin.more (a int, b text, c text, count bigint, PRIMARY KEY (c, a, b));
SELECT missing_symbol.track('origin.more', apply => 'buffer');
SELECT missing_symbol.increment('origin.more', 'c', 1, 'b');
ALTER TABLE origin.more DROP CONSTRAINT more_pkey, ADD PRIMARY KEY (a, b, c);
SELECT missing_symbol.increment('origin.more', 1, 'b', 'c');
ALTER TABLE origin.more DROP CONSTRAINT more_pkey, ADD PRIMARY KEY (c, a, b);
SELECT missing_symbol.value('origin.more', 'c', 1, 'b');
SELECT * FROM missing_symbol.total(NULL::origin.more);
SELECT missing_symbol.fold('origin.more');
TABLE origin.more;

-- what nobody but a superuser can have written there does no harm
BEGIN;
WITH f AS (
    SELECT f::jsonb, row_number() OVER () AS n FROM (VALUES ('{}'), ('[]'), ('[""]'), ('"x"'), ('1'), ('{"": null}'), ('{"": 1}'), ('{"": []}'), ('{"": {}}'),
    ('{"": ""}'), ('{"": " "}'), ('{"": "1"}'), ('{"": "1 2 3"}'), ('{"": "1 2 3 4"}'), ('{"": "1 2 3 4,"}'), ('{"": "1 2 3 4, "}'), ('{"": "x 1 1 1,2 a,b"}'), ('{"": "1 1 1 1,2 "}'),
    ('{"": "99999999999999999999999 -1 99999999999 99999,-1 ,"}'), ('{"": "1 1 1 1,2 \"a,b"}'), ('{"": "1 1 1 1,2 nothing,b"}'), ('{"": "1 1 1 1 a"}'),
    ('{"": [[], []]}'), ('{"": ["1 1 1 1,2 a,b"]}'), ('{"": [{}, {"note": "x"}]}'), ('{"": ["", {"note": []}]}'), (format('{"": "1 1 1 1%s a"}', repeat(',1', 300)))) t (f))
INSERT INTO missing_symbol.buffered
SELECT target, hash, key, role, delta, first_seen, last_seen, f.f
FROM (SELECT * FROM missing_symbol.buffered LIMIT 1) b, f;
:seen
SELECT missing_symbol.fold('origin.hits');
SELECT a, b, count FROM origin.hits;
ROLLBACK;

SELECT missing_symbol.fold('origin.hits');
SELECT a, b, note, count FROM origin.hits;

-- who counted: the role, whatever it is called now; elsewhere that name
CREATE ROLE regress_origin_one;
CREATE ROLE regress_origin_two;
CREATE TABLE origin.by_role (k int PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('origin.by_role', spill => true);
GRANT USAGE ON SCHEMA origin TO PUBLIC;
GRANT ALL ON origin.by_role TO PUBLIC;
SET missing_symbol.apply = 'now';
SELECT missing_symbol.track('origin.by_role', apply => 'buffer');
SELECT missing_symbol.increment('origin.by_role', 1);
CREATE TABLE origin.hash_of_1 AS SELECT hash FROM missing_symbol.buffered WHERE target = 'origin.by_role'::regclass;
SELECT missing_symbol.fold('origin.by_role');
SELECT missing_symbol.track('origin.by_role', apply => '');
CREATE FUNCTION origin.delta(delta bigint, role name, roleid oid, here boolean) RETURNS void LANGUAGE sql AS $$
    INSERT INTO missing_symbol.spilled
    SELECT 'origin.by_role'::regclass, hash, '{1}', role, delta, now(), now(),
        jsonb_build_object('', format('%s %s %s 1 k', CASE WHEN here THEN system_identifier + CASE WHEN system_identifier < 0 THEN 2::numeric ^ 64 ELSE 0 END ELSE 17 END,
            roleid, 'origin.by_role'::regclass::oid)),
        gen_random_uuid()
    FROM pg_control_system(), origin.hash_of_1
$$;
SELECT origin.delta(10, 'regress_origin_one', 'regress_origin_one'::regrole, true);
SELECT origin.delta(200, 'regress_origin_one', 1, true);
SELECT origin.delta(3000, 'regress_origin_one', 'regress_origin_two'::regrole, false);
ALTER ROLE regress_origin_one RENAME TO regress_origin_old;
CREATE ROLE regress_origin_one;
SET ROLE regress_origin_two;
SELECT count(missing_symbol.increment('origin.by_role', 1)) FROM generate_series(1, 16);
RESET ROLE;
SELECT role, sum(delta) FROM missing_symbol.spilled GROUP BY role, delta ORDER BY delta;
SET ROLE regress_origin_one;
SELECT count(missing_symbol.increment('origin.by_role', 1)) FROM generate_series(1, 16);
RESET ROLE;
SELECT role, sum(delta) FROM missing_symbol.spilled GROUP BY role, delta ORDER BY delta;
SET ROLE regress_origin_old;
SELECT count(missing_symbol.increment('origin.by_role', 1)) FROM generate_series(1, 16);
RESET ROLE;
SELECT role, sum(delta) FROM missing_symbol.spilled GROUP BY role, delta ORDER BY delta;
SELECT missing_symbol.value('origin.by_role', 1), count FROM origin.by_role;

-- and merged as that role, or as the owner where it is gone
SELECT origin.delta(5000, 'regress_origin_one', 'regress_origin_old'::regrole, true);
CREATE TABLE origin.log (n int, who name);
GRANT ALL ON origin.log TO PUBLIC;
CREATE FUNCTION origin.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO origin.log VALUES (new.count - old.count, current_user); RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON origin.by_role FOR EACH ROW EXECUTE FUNCTION origin.note();
SELECT missing_symbol.fold('origin.by_role');
SELECT n, CASE who WHEN current_user THEN 'the owner' ELSE who END FROM origin.log ORDER BY n;

\set VERBOSITY default
SET client_min_messages = warning;
DROP SCHEMA origin CASCADE;
DROP ROLE regress_origin_old, regress_origin_one, regress_origin_two;
