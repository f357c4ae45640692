--
-- Spill: settings, fold, value, total, counter_stats.  What needs a second
-- transaction is in test/specs/spill.spec and test/t/spill.pl; here deltas
-- are written into the table by hand, as a superuser can.
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\set VERBOSITY terse

CREATE SCHEMA spill;
CREATE TABLE spill.hits (
    n numeric PRIMARY KEY,
    count int CHECK (count <= 1000),
    created_at timestamptz,
    modified_at timestamptz,
    note text,
    filled text
) WITH (fillfactor = 70);

-- a numeric's text does not tell whether it equals another: 1.0 and 1; so
-- all keys of the table have one hash, that of no text at all
CREATE FUNCTION spill.delta(key text, delta bigint, seen timestamptz, fields jsonb = NULL, role name = current_user, target regclass = 'spill.hits')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO missing_symbol.spilled
        (target, hash, key, role, delta, first_seen, last_seen, id, fields)
    VALUES (target, -3750763034362895579, ARRAY[key], role, delta, seen, seen,
            gen_random_uuid(), fields)
$$;
CREATE VIEW spill.left_over AS
    SELECT key, role = current_user AS own, delta, first_seen, last_seen, nullif(fields - '', '{}') AS fields, error
    FROM missing_symbol.spilled WHERE target = 'spill.hits'::regclass;

-- settings
SELECT missing_symbol.track('spill.hits', spill => true, throttle => '1 hour');
SELECT missing_symbol.track('spill.hits', throttle => '1 hour');
SELECT missing_symbol.track('spill.hits', spill => true);
SELECT missing_symbol.track('spill.hits', throttle => '0', spill => true, fill => '{filled}');
SELECT spill, throttle FROM missing_symbol.describe('spill.hits');
SELECT missing_symbol.track('spill.hits', throttle => '1 hour');
SELECT missing_symbol.track('spill.hits', spill => false);
SELECT spill FROM missing_symbol.describe('spill.hits');
SELECT missing_symbol.track('spill.hits', spill => true);

-- nobody else has the row: nothing is spilled
SELECT missing_symbol.increment('spill.hits', 1);
SELECT outcome FROM missing_symbol.last_increment();
SELECT * FROM missing_symbol.increment_many('spill.hits', '{1,2,1}'::numeric[]);

-- value and total include what is spilled, whatever its key looks like
SELECT spill.delta('1.0', 5, '2026-01-01 12:00:05+00');
SELECT spill.delta('1.00', 2, '2026-01-01 11:00:00+00', '{"note": "late", "filled": "yes"}');
SELECT spill.delta('3.0', 7, '2026-01-01 12:00:07+00', '{"note": "second"}');
SELECT spill.delta('3', 1, '2026-01-01 12:00:06+00', '{"note": "first"}');
SELECT missing_symbol.value('spill.hits', 1), missing_symbol.value('spill.hits', '1.000'),
       missing_symbol.value('spill.hits', 2), missing_symbol.value('spill.hits', 3),
       missing_symbol.value('spill.hits', 4);
SELECT * FROM missing_symbol.total(NULL::spill.hits) ORDER BY n;
SELECT pg_catalog.sum(count) FROM missing_symbol.total(NULL::spill.hits);
TABLE spill.hits ORDER BY n;

-- a delta does not go with a throttle
SELECT missing_symbol.track('spill.hits', spill => false, throttle => '1 hour');

-- a rollback brings all of it back
BEGIN;
SELECT missing_symbol.fold('spill.hits');
SELECT count(*) FROM spill.left_over;
SELECT * FROM missing_symbol.total(NULL::spill.hits) ORDER BY n;
ROLLBACK;
SELECT count(*) FROM spill.left_over;
SELECT * FROM missing_symbol.total(NULL::spill.hits) ORDER BY n;

-- fold: the same total, now in the rows
SELECT missing_symbol.fold('spill.hits');
SELECT missing_symbol.fold('spill.hits');
TABLE spill.left_over;
TABLE spill.hits ORDER BY n;
SELECT * FROM missing_symbol.total(NULL::spill.hits) ORDER BY n;

-- who counts takes what is spilled of the key, at every 16th increment
SELECT spill.delta('2', 100, '2026-01-01 12:00:09+00');
SELECT max(missing_symbol.increment('spill.hits', 2)) FROM generate_series(1, 16);
SELECT missing_symbol.value('spill.hits', 2);
TABLE spill.left_over;

-- what fails is kept, with the reason, and the rest goes on; n as one
SELECT spill.delta('1', 600, '2026-01-01 12:00:10+00');
SELECT spill.delta('1', 600, '2026-01-01 12:00:11+00');
SELECT spill.delta('2', 1, '2026-01-01 12:00:12+00');
SELECT spill.delta('4', 3000000000, '2026-01-01 12:00:13+00');
SELECT spill.delta('5', 1, '2026-01-01 12:00:14+00');
SELECT missing_symbol.fold('spill.hits');
SELECT * FROM spill.left_over ORDER BY key;
SELECT missing_symbol.value('spill.hits', 1), missing_symbol.value('spill.hits', 2),
       missing_symbol.value('spill.hits', 4), missing_symbol.value('spill.hits', 5);
-- and not written again by the next fold
CREATE TABLE spill.kept AS SELECT id FROM missing_symbol.spilled;
SELECT missing_symbol.fold('spill.hits');
SELECT count(*) FROM missing_symbol.spilled JOIN spill.kept USING (id);
-- increments do not stumble over it, totals do where it does not fit
SELECT max(missing_symbol.increment('spill.hits', 1)) FROM generate_series(1, 16);
SELECT * FROM missing_symbol.total(NULL::spill.hits);
-- what helps
ALTER TABLE spill.hits ALTER count TYPE bigint, DROP CONSTRAINT hits_count_check;
SELECT missing_symbol.fold('spill.hits');
TABLE spill.hits ORDER BY n;
TABLE spill.left_over;

-- a key that cannot be read any more: kept, others go on
SELECT spill.delta('not a number', 1, '2026-01-01 12:00:15+00');
SELECT spill.delta('5', 1, '2026-01-01 12:00:15+00');
SELECT missing_symbol.fold('spill.hits');
TABLE spill.left_over;
DELETE FROM missing_symbol.spilled;

-- a column that is gone is left out
SELECT spill.delta('6', 1, '2026-01-01 12:00:16+00', '{"note": null, "gone": "x", "filled": "6"}');
ALTER TABLE spill.hits DROP note;
SELECT * FROM missing_symbol.total(NULL::spill.hits) WHERE n = 6;
SELECT missing_symbol.fold();
SELECT * FROM spill.hits WHERE n = 6;

-- a type counter has its times inside
CREATE TABLE spill.counters (n numeric PRIMARY KEY, c missing_symbol.counter) WITH (fillfactor = 70);
SELECT missing_symbol.increment('spill.counters', 1);
SELECT spill.delta('1', 10, '2026-01-01 12:30:00+00', target => 'spill.counters');
SELECT spill.delta('2', 10, '2026-01-01 12:30:00+00', target => 'spill.counters');
SELECT spill.delta('2', 10, '2026-01-01 12:40:00+00', target => 'spill.counters');
SELECT * FROM missing_symbol.total(NULL::spill.counters) ORDER BY n;
SELECT missing_symbol.fold('spill.counters');
TABLE spill.counters ORDER BY n;

-- many keys
SELECT pg_catalog.count(spill.delta((n % 1500)::text, 1, '2026-01-01 12:00:00+00', target => 'spill.counters')) FROM generate_series(1, 3000) n;
SELECT missing_symbol.fold('spill.counters');
SELECT pg_catalog.count(*), pg_catalog.sum(missing_symbol.hits(c)) FROM spill.counters;

-- rights: those on the target
CREATE ROLE regress_spill_none;
CREATE ROLE regress_spill_some;
CREATE ROLE regress_spill_reader;
GRANT USAGE ON SCHEMA spill TO regress_spill_none, regress_spill_some, regress_spill_reader;
GRANT SELECT, INSERT, UPDATE ON spill.hits TO regress_spill_some;
GRANT SELECT ON spill.hits TO regress_spill_reader;
SELECT spill.delta('5', 1, '2026-01-01 12:00:20+00', role => 'regress_spill_some');
SELECT spill.delta('5', 2, '2026-01-01 12:00:20+00', role => 'regress_spill_gone');
SELECT spill.delta('5', 4, '2026-01-01 12:00:20+00', role => 'regress_spill_none');
SELECT spill.delta('9', 1, '2026-01-01 12:00:20+00', target => 'spill.counters');
SET ROLE regress_spill_none;
TABLE missing_symbol.spilled;
DELETE FROM missing_symbol.spilled;
SELECT missing_symbol.fold('spill.hits');
SELECT missing_symbol.fold();
SELECT missing_symbol.value('spill.hits', 5);
SELECT * FROM missing_symbol.total(NULL::spill.hits) WHERE n = 5;
SET ROLE regress_spill_reader;
SELECT missing_symbol.fold('spill.hits');
SELECT missing_symbol.value('spill.hits', 5);
SELECT n, count FROM missing_symbol.total(NULL::spill.hits) WHERE n = 5;
SET ROLE regress_spill_some;
TABLE missing_symbol.spilled;
-- those of a role without rights fail; the owner stands in for one that is gone
SELECT missing_symbol.fold();
SELECT missing_symbol.value('spill.hits', 5);
RESET ROLE;
SELECT target, NULLIF(role, current_user) AS role, key, delta, error FROM missing_symbol.spilled ORDER BY delta;
GRANT SELECT, INSERT, UPDATE ON spill.hits TO regress_spill_none;
SELECT missing_symbol.fold();

-- each as the role that counted; and not in the hands of who calls fold
CREATE TABLE spill.audit (who name, path text);
GRANT INSERT ON spill.audit TO PUBLIC;
CREATE FUNCTION spill.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spill.audit VALUES (current_user, pg_catalog.current_setting('search_path'));
    RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER UPDATE ON spill.hits FOR EACH ROW EXECUTE FUNCTION spill.audit();
SELECT spill.delta('5', 1, '2026-01-01 12:00:20+00', role => 'regress_spill_some');
SELECT spill.delta('5', 1, '2026-01-01 12:00:20+00', role => 'regress_spill_none');
SET ROLE regress_spill_some;
SET search_path = spill, public;
SELECT missing_symbol.fold('spill.hits');
SELECT current_user, current_setting('search_path');
RESET ROLE;
RESET search_path;
SELECT * FROM spill.audit ORDER BY who;
DROP TRIGGER audit ON spill.hits;

-- row security: keys whose row a role does not see show it its own counts only
ALTER TABLE spill.hits ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON spill.hits USING (n <> 5 AND n < 100);
SELECT spill.delta('5', 1, '2026-01-01 12:00:20+00');
SELECT spill.delta('6', 1, '2026-01-01 12:00:20+00');
SELECT spill.delta('77', 1, '2026-01-01 12:00:20+00');
SELECT spill.delta('78', 1, '2026-01-01 12:00:20+00');
SELECT spill.delta('78', 2, '2026-01-01 12:00:20+00', role => 'regress_spill_some');
SET ROLE regress_spill_some;
SELECT missing_symbol.value('spill.hits', 5), missing_symbol.value('spill.hits', 6),
       missing_symbol.value('spill.hits', 77), missing_symbol.value('spill.hits', 78);
SELECT n, count FROM missing_symbol.total(NULL::spill.hits) WHERE n IN (5, 6, 77, 78) ORDER BY n;
RESET ROLE;
SELECT n, count FROM missing_symbol.total(NULL::spill.hits) WHERE n IN (5, 6, 77, 78) ORDER BY n;
SELECT missing_symbol.fold('spill.hits');
SELECT n, count FROM spill.hits WHERE n IN (5, 6, 77, 78) ORDER BY n;
ALTER TABLE spill.hits DISABLE ROW LEVEL SECURITY;

-- a row without a key is nobody's
CREATE TABLE spill.nameless (k text UNIQUE, n int UNIQUE, count bigint);
INSERT INTO spill.nameless VALUES (NULL, NULL, 100);
SET missing_symbol.apply = commit;
SELECT missing_symbol.track('spill.nameless', key => '{k}');
BEGIN;
SELECT missing_symbol.increment('spill.nameless', 'a');
SELECT k, count FROM missing_symbol.total(NULL::spill.nameless) ORDER BY k;
ROLLBACK;
SELECT missing_symbol.track('spill.nameless', key => '{n}');
BEGIN;
SELECT missing_symbol.increment('spill.nameless', 0);
SELECT n, count FROM missing_symbol.total(NULL::spill.nameless) ORDER BY n;
ROLLBACK;
RESET missing_symbol.apply;

-- mistakes
SELECT * FROM missing_symbol.total(1);
SELECT * FROM missing_symbol.total(NULL::missing_symbol.spilled);
SELECT missing_symbol.fold(0);
SELECT missing_symbol.fold('pg_class');
BEGIN READ ONLY;
SELECT missing_symbol.fold('spill.hits');
ROLLBACK;
BEGIN READ ONLY;
SELECT n, count FROM missing_symbol.total(NULL::spill.hits) WHERE n = 6;
COMMIT;

-- a trigger counts another key, and takes what is spilled of it before fold
-- gets there
CREATE TABLE spill.summed (n numeric PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('spill.summed', spill => true);
CREATE FUNCTION spill.also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('spill.summed', TG_ARGV[0]::numeric) FROM pg_catalog.generate_series(1, 16);
    RETURN NULL;
END
$$;
CREATE TRIGGER also AFTER INSERT OR UPDATE ON spill.summed FOR EACH ROW WHEN (NEW.n < 10) EXECUTE FUNCTION spill.also('10');
SELECT spill.delta('10', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT spill.delta('10', 2000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT spill.delta('11', 5000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT spill.delta('1', 100, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT * FROM missing_symbol.total(NULL::spill.summed) ORDER BY n;
SELECT missing_symbol.flush();
TABLE spill.summed ORDER BY n;
-- a single one, too, and with fold()
SELECT spill.delta('10', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT spill.delta('1', 100, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT missing_symbol.fold('spill.summed');
TABLE spill.summed ORDER BY n;
SELECT count(*) FROM missing_symbol.spilled WHERE target = 'spill.summed'::regclass;
DROP TRIGGER also ON spill.summed;
-- the key that is being merged
CREATE TRIGGER also AFTER INSERT OR UPDATE ON spill.summed FOR EACH ROW WHEN (NEW.n = 20 AND pg_catalog.pg_trigger_depth() = 0) EXECUTE FUNCTION spill.also('20');
SELECT spill.delta('20', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT missing_symbol.fold('spill.summed');
SELECT n, count FROM spill.summed WHERE n = 20;
SELECT spill.delta('20', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT spill.delta('20', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT missing_symbol.fold('spill.summed');
SELECT n, count FROM spill.summed WHERE n = 20;
DROP TRIGGER also ON spill.summed;
-- a trigger that folds: a mistake, but nothing is doubled
CREATE OR REPLACE FUNCTION spill.also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.fold('spill.summed');
    RETURN NULL;
END
$$;
CREATE TRIGGER also AFTER INSERT OR UPDATE ON spill.summed FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() = 0) EXECUTE FUNCTION spill.also();
SELECT spill.delta('30', 1000, '2026-01-01 12:00:20+00', target => 'spill.summed');
SELECT missing_symbol.fold('spill.summed');
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'spill.summed'::regclass;
SELECT n, count FROM missing_symbol.total(NULL::spill.summed) WHERE n = 30;
DROP TABLE spill.summed;

-- a partition whose columns are arranged in another way: nothing leaks
CREATE TABLE spill.parts (n numeric PRIMARY KEY, count bigint) PARTITION BY RANGE (n);
CREATE TABLE spill.part (x int, n numeric NOT NULL, count bigint);
ALTER TABLE spill.part DROP x;
ALTER TABLE spill.parts ATTACH PARTITION spill.part FOR VALUES FROM (0) TO (100);
SELECT missing_symbol.track('spill.parts', spill => true);
SELECT missing_symbol.increment('spill.parts', 1), missing_symbol.increment('spill.parts', 1), missing_symbol.increment('spill.parts', 2);

-- the key does not change under what is set aside
CREATE TABLE spill.users (name numeric UNIQUE NOT NULL DEFAULT 0, mail numeric UNIQUE NOT NULL DEFAULT 0, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('spill.users', key => '{mail}', spill => true);
SELECT spill.delta('7', 1, '2026-01-01 12:00:20+00', target => 'spill.users');
SELECT missing_symbol.track('spill.users', key => '{name}');
SELECT missing_symbol.track('spill.users', key => '{}');
SELECT missing_symbol.untrack('spill.users');
SELECT missing_symbol.track('spill.users', key => '{mail}', count => 'count');
SELECT missing_symbol.track('spill.users', spill => false);
SELECT missing_symbol.fold('spill.users');
SELECT missing_symbol.track('spill.users', key => '{name}');
SELECT missing_symbol.increment('spill.users', 5);
TABLE spill.users ORDER BY mail;
SELECT missing_symbol.untrack('spill.users');

-- what an increment would merge and cannot does not fail it, at whichever
-- turn; it stays, and what can be merged is
CREATE TABLE spill.failing (n numeric PRIMARY KEY, count bigint CHECK (count < 1000)) WITH (fillfactor = 70);
CREATE TABLE spill.failing_log (n numeric, count bigint);
CREATE FUNCTION spill.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spill.failing_log VALUES (new.n, new.count);
    IF new.count - coalesce(old.count, 0) = 666 THEN
        RAISE 'no';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER fail AFTER INSERT OR UPDATE ON spill.failing FOR EACH ROW EXECUTE FUNCTION spill.fail();
SELECT missing_symbol.track('spill.failing', spill => true);
SELECT spill.delta('1', 2000, '2026-01-01 12:00:20+00', target => 'spill.failing');
SELECT spill.delta('2', 666, '2026-01-01 12:00:20+00', target => 'spill.failing');
SELECT spill.delta('3', 30, '2026-01-01 12:00:20+00', target => 'spill.failing');
SELECT count(missing_symbol.increment('spill.failing', n)) FROM generate_series(1, 20), generate_series(1, 3) n;
SELECT count(missing_symbol.increment('spill.failing', 1)) FROM generate_series(1, 20);
SELECT missing_symbol.increment('spill.failing', 1), (SELECT count FROM missing_symbol.last_increment());
SELECT sum(incremented) FROM generate_series(1, 20) i, missing_symbol.increment_many('spill.failing', ARRAY[3, 2, 1 + 0 * i]::numeric[]);
SET missing_symbol.apply = 'commit';
DO $$ BEGIN FOR i IN 1 .. 40 LOOP PERFORM missing_symbol.increment('spill.failing', 1 + i % 3); COMMIT; END LOOP; END $$;
RESET missing_symbol.apply;
SELECT n, count, missing_symbol.value('spill.failing', n), (SELECT count(*) FROM spill.failing_log l WHERE l.n = t.n) AS fired FROM spill.failing t ORDER BY n;
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'spill.failing'::regclass ORDER BY key;
SELECT spill.delta('no number', 1, '2026-01-01 12:00:20+00', target => 'spill.failing');
SELECT count(missing_symbol.increment('spill.failing', 1)) FROM generate_series(1, 20);
SELECT missing_symbol.fold('spill.failing');
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'spill.failing'::regclass ORDER BY key;
DROP TABLE spill.failing;

-- nor does what would fail as late as the commit
CREATE TABLE spill.deferring (n numeric PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE FUNCTION spill.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.count >= 1000 THEN
        RAISE 'no';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON spill.deferring
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spill.refuse();
SELECT missing_symbol.track('spill.deferring', spill => true);
SELECT spill.delta('1', 2000, '2026-01-01 12:00:20+00', target => 'spill.deferring');
SELECT count(missing_symbol.increment('spill.deferring', 1)) FROM generate_series(1, 40);
SELECT n, count, missing_symbol.value('spill.deferring', n) FROM spill.deferring;
SELECT missing_symbol.fold('spill.deferring');
SELECT key, delta, error FROM missing_symbol.spilled WHERE target = 'spill.deferring'::regclass;
DROP TABLE spill.deferring;

-- the fields are the earliest delta's, a column fills up with the earliest
-- value, in whatever order they are read; with more deltas than are kept apart
CREATE TABLE spill.sums (n numeric PRIMARY KEY, count bigint, note text, filled text, also_filled text DEFAULT 'default') WITH (fillfactor = 70);
SELECT missing_symbol.track('spill.sums', spill => true, fill => '{filled, also_filled}');
SELECT count(spill.delta(n || repeat('0', i % 3), 1, '2026-01-01 12:00:00+00'::timestamptz + i * interval '1 second',
                         jsonb_build_object('note', i::text, 'filled', CASE WHEN i % 7 = 3 THEN i::text END,
                                            'also_filled', CASE WHEN n <> '1.' AND i % 5 = 4 THEN i::text END) - CASE n WHEN '2.' THEN 'also_filled' ELSE '' END,
                         target => 'spill.sums'))
FROM (SELECT n, i FROM generate_series(1, 1500) i, unnest(ARRAY['1.', '2.', '3.']) n ORDER BY md5(i || n)) t;
SELECT * FROM missing_symbol.total(NULL::spill.sums) ORDER BY n;
SELECT missing_symbol.value('spill.sums', 2);
SELECT missing_symbol.fold('spill.sums');
SELECT * FROM spill.sums ORDER BY n;
DROP TABLE spill.sums;

-- columns that are generated are those of the row as it is shown, computed as
-- the table's owner
CREATE FUNCTION spill.twice(n bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT rolname FROM pg_roles JOIN pg_class ON relowner = pg_roles.oid WHERE pg_class.oid = 'spill.generated'::regclass) THEN
        RAISE 'not the owner';
    END IF;
    RETURN 2 * n;
END
$$;
CREATE TABLE spill.generated (
    n numeric PRIMARY KEY,
    gone int,
    twice bigint GENERATED ALWAYS AS (spill.twice(count)) STORED,
    count bigint,
    upper text GENERATED ALWAYS AS (upper(filled)) STORED,
    filled text
) WITH (fillfactor = 70);
ALTER TABLE spill.generated DROP gone;
SELECT missing_symbol.track('spill.generated', spill => true, fill => '{filled}');
INSERT INTO spill.generated (n, count) VALUES (1, 1), (2, 1);
SELECT spill.delta('1', 5, '2026-01-01 12:00:20+00', '{"filled": "a"}', target => 'spill.generated');
SELECT spill.delta('3', 7, '2026-01-01 12:00:20+00', '{"filled": "b"}', target => 'spill.generated');
SELECT * FROM missing_symbol.total(NULL::spill.generated) ORDER BY n;
GRANT USAGE ON SCHEMA spill TO regress_spill_reader;
GRANT SELECT ON spill.generated TO regress_spill_reader;
SET ROLE regress_spill_reader;
SELECT * FROM missing_symbol.total(NULL::spill.generated) ORDER BY n;
RESET ROLE;
SELECT missing_symbol.fold('spill.generated');
TABLE spill.generated ORDER BY n;
DROP TABLE spill.generated;

-- tenants that share a role: none sees a key of another's, nor what of it is
-- set aside, even by the role itself
CREATE TABLE spill.tenants (n numeric PRIMARY KEY, count bigint, tenant text, note text) WITH (fillfactor = 70);
ALTER TABLE spill.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON spill.tenants USING (tenant = current_setting('app.tenant'));
GRANT SELECT, INSERT, UPDATE ON spill.tenants TO regress_spill_some;
SELECT missing_symbol.track('spill.tenants', spill => true, fill => '{note}');
INSERT INTO spill.tenants VALUES (1, 1, 'a'), (2, 1, 'b'), (3, NULL, 'a');
SELECT spill.delta(n::text, 10, '2026-01-01 12:00:20+00', '{"note": "secret"}', role, 'spill.tenants')
FROM generate_series(1, 4) n, unnest(ARRAY[current_user, 'regress_spill_some']) role;
SET ROLE regress_spill_some;
SET app.tenant = 'a';
SELECT n, missing_symbol.value('spill.tenants', n) FROM generate_series(1, 4) n;
SELECT * FROM missing_symbol.total(NULL::spill.tenants) ORDER BY n;
SET app.tenant = 'b';
SELECT n, missing_symbol.value('spill.tenants', n) FROM generate_series(1, 4) n;
SELECT * FROM missing_symbol.total(NULL::spill.tenants) ORDER BY n;
SET row_security = off;
SELECT missing_symbol.value('spill.tenants', 1);
SELECT * FROM missing_symbol.total(NULL::spill.tenants);
RESET row_security;
RESET ROLE;
RESET app.tenant;
SELECT * FROM missing_symbol.total(NULL::spill.tenants) ORDER BY n;
DROP TABLE spill.tenants;

-- keys whose text is the name of an object are not set aside
CREATE DOMAIN spill.some_table AS regclass;
CREATE TYPE spill.place AS (tab regclass[], n int);
CREATE TABLE spill.named (k regclass PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE TABLE spill.named_domain (k spill.some_table PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE TABLE spill.named_part (k spill.place PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE TABLE spill.numbered (k oid PRIMARY KEY, count bigint) WITH (fillfactor = 70);
\set VERBOSITY default
SELECT missing_symbol.track('spill.named', spill => true);
\set VERBOSITY terse
SELECT missing_symbol.track('spill.named_domain', spill => true);
SELECT missing_symbol.track('spill.named_part', spill => true);
SELECT missing_symbol.track('spill.numbered', spill => true);
SELECT t, d.spill FROM unnest(ARRAY['spill.named', 'spill.named_domain', 'spill.named_part', 'spill.numbered']) t, missing_symbol.describe(t) d;

-- what this session did
SELECT target, calls, inserted, incremented, spilled, lock_waits, folded > 3000 AS folded, hint
FROM missing_symbol.counter_stats WHERE target::text LIKE 'spill.%' ORDER BY target::text;

-- a dropped table's deltas go with it
SELECT spill.delta('1', 1, '2026-01-01 12:00:20+00', target => 'spill.counters');
DROP TABLE spill.counters;
SELECT count(*) FROM missing_symbol.spilled;

\set VERBOSITY default
SET client_min_messages = warning;
DROP SCHEMA spill CASCADE;
DROP ROLE regress_spill_none, regress_spill_some, regress_spill_reader;
