--
-- prune(): counters that have not been seen for long.  What needs a second
-- session is in test/specs/prune.spec.
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`

CREATE SCHEMA prune;
CREATE TABLE prune.hits (k int PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz);

-- one counter a day: 1 January to 20 January
CREATE PROCEDURE prune.fill(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    FOR day IN 1 .. 20 LOOP
        PERFORM set_config('missing_symbol.test_clock', format('2026-01-%s 00:00:00+00', day), false);
        PERFORM missing_symbol.increment(target, day);
    END LOOP;
    PERFORM set_config('missing_symbol.test_clock', '2026-01-21 00:00:00+00', false);
END $$;
CALL prune.fill('prune.hits');

-- older than 16 days: seen before 5 January
CALL missing_symbol.prune('prune.hits', '16 days', dry_run => true);
SELECT count(*) FROM prune.hits;
CALL missing_symbol.prune('prune.hits', '16 days');
SELECT min(k), count(*) FROM prune.hits;
CALL missing_symbol.prune('prune.hits', '16 days');
-- in batches, with a report after each
CALL missing_symbol.prune('prune.hits', '12 days', batch => 2);
CALL missing_symbol.prune('prune.hits', '11 days', batch => 1);
SELECT min(k), count(*) FROM prune.hits;
-- seen again: stays
SELECT missing_symbol.increment('prune.hits', 10);
CALL missing_symbol.prune('prune.hits', '10 days');
SELECT * FROM prune.hits ORDER BY k LIMIT 2;
-- months count as the calendar has them, and 0 is everything seen before now
CALL missing_symbol.prune('prune.hits', '1 month');
CALL missing_symbol.prune('prune.hits', '0', 1000);
SELECT k FROM prune.hits ORDER BY k;
-- what was removed starts anew
SELECT missing_symbol.increment('prune.hits', 11), (missing_symbol.last_increment()).outcome;

-- where nobody knows when it was seen, or which key it is, it stays
CREATE TABLE prune.unknown (k text UNIQUE, hits missing_symbol.counter);
INSERT INTO prune.unknown VALUES ('no counter', NULL), (NULL, '1 [2020-01-01 00:00:00+00,2020-01-01 00:00:00+00]'),
    ('old', '2 [2020-01-01 00:00:00+00,2020-01-01 00:00:00+00]'), ('again', '3 [2020-01-01 00:00:00+00,2026-01-20 00:00:00+00]');
CALL missing_symbol.prune('prune.unknown', '30 days');
SELECT * FROM prune.unknown ORDER BY k;

-- kept: what has increments that are not in its row
CREATE FUNCTION prune.delta(target regclass, key text, delta bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
    VALUES (target, -3750763034362895579, ARRAY[key], current_user, delta, '2026-01-20', '2026-01-20', gen_random_uuid())
$$;
CREATE TABLE prune.spilled (k numeric PRIMARY KEY, count bigint, modified_at timestamptz);
INSERT INTO prune.spilled SELECT g, g, '2020-01-01' FROM generate_series(1, 5) g;
SELECT prune.delta('prune.spilled', '2.0', 10);
SELECT prune.delta('prune.spilled', '4', 10);
CALL missing_symbol.prune('prune.spilled', '1 year', dry_run => true);
CALL missing_symbol.prune('prune.spilled', '1 year', batch => 2);
SELECT * FROM missing_symbol.total(NULL::prune.spilled) ORDER BY k;
SELECT missing_symbol.fold('prune.spilled');
TABLE prune.spilled ORDER BY k;
-- or is buffered
SET missing_symbol.worker = off;
CREATE TABLE prune.buffered (k text PRIMARY KEY, count bigint, modified_at timestamptz) WITH (fillfactor = 70);
SELECT missing_symbol.track('prune.buffered', apply => 'buffer');
INSERT INTO prune.buffered VALUES ('a', 1, '2020-01-01'), ('b', 1, '2020-01-01');
SELECT missing_symbol.increment('prune.buffered', 'a');
CALL missing_symbol.prune('prune.buffered', '1 year', dry_run => true);
CALL missing_symbol.prune('prune.buffered', '1 year');
SELECT missing_symbol.fold('prune.buffered');
TABLE prune.buffered;
-- and what this transaction has deferred
CREATE TABLE prune.deferred (k text PRIMARY KEY, count bigint, modified_at timestamptz);
SELECT missing_symbol.track('prune.deferred', apply => 'commit');
INSERT INTO prune.deferred VALUES ('a', 1, '2020-01-01'), ('b', 1, '2020-01-01');
BEGIN;
SELECT missing_symbol.increment('prune.deferred', 'a');
CALL missing_symbol.prune('prune.deferred', '1 year', dry_run => true);
COMMIT;
DO $$
BEGIN
    PERFORM missing_symbol.increment('prune.deferred', 'a');
    CALL missing_symbol.prune('prune.deferred', '1 year');
    PERFORM missing_symbol.increment('prune.deferred', 'b');
END $$;
TABLE prune.deferred ORDER BY k;

-- keys of several columns, in another order than the table's; any type
CREATE TABLE prune."Odd ""table" ("the count" int, day date, "Page" text, seen timestamptz, UNIQUE ("Page", day));
SELECT missing_symbol.track('prune."Odd ""table"', count => 'the count', last_seen => 'seen');
INSERT INTO prune."Odd ""table" SELECT g, date '2026-01-01' + g, 'p' || g % 2, timestamptz '2026-01-01' + g * interval '1 day' FROM generate_series(1, 6) g;
CALL missing_symbol.prune('prune."Odd ""table"', '17 days', 2);
SELECT * FROM prune."Odd ""table" ORDER BY 1;

-- partitions, and a child that is not the parent's
CREATE TABLE prune.parted (k int PRIMARY KEY, count bigint, modified_at timestamptz) PARTITION BY RANGE (k);
CREATE TABLE prune.parted1 PARTITION OF prune.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE prune.parted2 PARTITION OF prune.parted FOR VALUES FROM (10) TO (100);
INSERT INTO prune.parted SELECT g, 1, timestamptz '2026-01-01' + g * interval '1 day' FROM generate_series(1, 20) g;
CALL missing_symbol.prune('prune.parted', '8 days', 5);
SELECT tableoid::regclass, k FROM prune.parted ORDER BY k LIMIT 2;
CREATE TABLE prune.parent (k int PRIMARY KEY, count bigint, modified_at timestamptz);
CREATE TABLE prune.child () INHERITS (prune.parent);
INSERT INTO prune.parent VALUES (1, 1, '2020-01-01');
INSERT INTO prune.child VALUES (1, 1, '2020-01-01');
CALL missing_symbol.prune('prune.parent', '1 day');
SELECT tableoid::regclass, k FROM prune.parent;

-- triggers fire, and may say no
CREATE TABLE prune.guarded (k int PRIMARY KEY, count bigint, modified_at timestamptz);
CREATE TABLE prune.archive (k int, count bigint);
CREATE FUNCTION prune.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.k = 2 THEN RETURN NULL; END IF;
    INSERT INTO prune.archive VALUES (old.k, old.count);
    RETURN old;
END $$;
CREATE TRIGGER guard BEFORE DELETE ON prune.guarded FOR EACH ROW EXECUTE FUNCTION prune.guard();
INSERT INTO prune.guarded SELECT g, g * 10, '2020-01-01' FROM generate_series(1, 3) g;
CALL missing_symbol.prune('prune.guarded', '1 day');
TABLE prune.guarded;
TABLE prune.archive ORDER BY k;

-- what a foreign key keeps is an error, as with DELETE; batches before it stay removed
CREATE TABLE prune.referenced (k int PRIMARY KEY, count bigint, modified_at timestamptz);
CREATE TABLE prune.referencing (k int REFERENCES prune.referenced);
INSERT INTO prune.referenced SELECT g, 1, '2020-01-01' FROM generate_series(1, 3) g;
INSERT INTO prune.referencing VALUES (3);
CALL missing_symbol.prune('prune.referenced', '1 day', 2);
TABLE prune.referenced;

-- row security: what the role sees, and may delete
CREATE ROLE regress_prune_cleaner;
GRANT USAGE ON SCHEMA prune TO regress_prune_cleaner;
CREATE TABLE prune.secured (k int PRIMARY KEY, count bigint, modified_at timestamptz);
ALTER TABLE prune.secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON prune.secured FOR SELECT TO regress_prune_cleaner USING (k <> 1);
CREATE POLICY lock ON prune.secured FOR UPDATE TO regress_prune_cleaner USING (true);
CREATE POLICY remove ON prune.secured FOR DELETE TO regress_prune_cleaner USING (k <> 2);
INSERT INTO prune.secured SELECT g, 1, '2020-01-01' FROM generate_series(1, 4) g;
SET missing_symbol.test_clock = '2026-01-21 00:00:00+00';
SET ROLE regress_prune_cleaner;
CALL missing_symbol.prune('prune.secured', '1 day');
RESET ROLE;
-- rights: SELECT for a dry run; DELETE, and UPDATE to lock a row, be it of one column
GRANT SELECT ON prune.secured TO regress_prune_cleaner;
SET ROLE regress_prune_cleaner;
CALL missing_symbol.prune('prune.secured', '1 day', dry_run => true);
CALL missing_symbol.prune('prune.secured', '1 day');
RESET ROLE;
GRANT DELETE ON prune.secured TO regress_prune_cleaner;
SET ROLE regress_prune_cleaner;
CALL missing_symbol.prune('prune.secured', '1 day');
RESET ROLE;
GRANT UPDATE (count) ON prune.secured TO regress_prune_cleaner;
SET ROLE regress_prune_cleaner;
CALL missing_symbol.prune('prune.secured', '1 day');
RESET ROLE;
SELECT k FROM prune.secured ORDER BY k;

-- the built-in target
SET missing_symbol.test_clock = '2026-01-01 00:00:00+00';
SELECT missing_symbol.record('old.pdb', 'A1', 'old.sym');
SET missing_symbol.test_clock = '2026-01-21 00:00:00+00';
SELECT missing_symbol.record('new.pdb', 'A1', 'new.sym');
CALL missing_symbol.prune('missing_symbol.symbols', '7 days');
SELECT symbol FROM missing_symbol.symbols;
CALL missing_symbol.prune('missing_symbol.symbols', '-7 days');
DELETE FROM missing_symbol.symbols;

-- what cannot be
CREATE TABLE prune.no_time (k int PRIMARY KEY, count bigint);
CALL missing_symbol.prune('prune.no_time', '1 day');
CALL missing_symbol.prune(NULL, '1 day');
CALL missing_symbol.prune('prune.hits', NULL);
CALL missing_symbol.prune('prune.hits', '-1 second');
CALL missing_symbol.prune('prune.hits', '1 month -40 days');
CALL missing_symbol.prune('prune.hits', '1 day', 0);
CALL missing_symbol.prune('prune.hits', '1 day', NULL);
CALL missing_symbol.prune('prune.hits', '1 day', 1, NULL);
CALL missing_symbol.prune('prune.hits', '300000 years');
SELECT missing_symbol.track('prune.hits', throttle => '1 hour');
CALL missing_symbol.prune('prune.hits', '59 minutes');
CALL missing_symbol.prune('prune.hits', '1 hour');
CREATE VIEW prune.view AS TABLE prune.hits;
CALL missing_symbol.prune('prune.view', '1 day');
-- not in a transaction, for it commits; a dry run may
BEGIN;
CALL missing_symbol.prune('prune.hits', '1 day', dry_run => true);
CALL missing_symbol.prune('prune.hits', '1 day');
ROLLBACK;
CREATE FUNCTION prune.atomic() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL missing_symbol.prune('prune.hits', '1 day'); END $$;
SELECT prune.atomic();
DO $$ BEGIN CALL missing_symbol.prune('prune.hits', '1 day'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
SET default_transaction_read_only = on;
CALL missing_symbol.prune('prune.hits', '1 day', dry_run => true);
CALL missing_symbol.prune('prune.hits', '1 day');
RESET default_transaction_read_only;

-- under another default isolation, too; what a session has set is left as it was
SET default_transaction_isolation = 'serializable';
CALL missing_symbol.prune('prune.hits', '1 day', 1);
SHOW transaction_isolation;
RESET default_transaction_isolation;

-- schemas that swap names: the table that is named now
CREATE SCHEMA prune_blue;
CREATE SCHEMA prune_green;
CREATE TABLE prune_blue.c (k text PRIMARY KEY, count int, modified_at timestamptz);
CREATE TABLE prune_green.c (LIKE prune_blue.c INCLUDING ALL);
INSERT INTO prune_blue.c VALUES ('was blue', 1, '2020-01-01');
INSERT INTO prune_green.c VALUES ('was green', 1, '2020-01-01');
SELECT missing_symbol.value('prune_blue.c', 'was blue'), missing_symbol.value('prune_green.c', 'was green');
ALTER SCHEMA prune_blue RENAME TO prune_swap;
ALTER SCHEMA prune_green RENAME TO prune_blue;
ALTER SCHEMA prune_swap RENAME TO prune_green;
CALL missing_symbol.prune('prune_blue.c', '1 day');
TABLE prune_blue.c;
TABLE prune_green.c;

\set VERBOSITY terse
DROP SCHEMA prune, prune_blue, prune_green CASCADE;
DROP ROLE regress_prune_cleaner;
RESET missing_symbol.test_clock;
