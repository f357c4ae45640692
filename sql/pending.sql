--
-- apply = 'commit': what is deferred, what is applied, as whom and when
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
SET client_min_messages = error;	-- fillfactor
CREATE SCHEMA pend;
SET search_path = pend;

CREATE TABLE c (
    k text PRIMARY KEY,
    count bigint NOT NULL,
    created_at timestamptz,
    modified_at timestamptz,
    note text,
    CHECK (count < 1000000)
);
-- how often rows were written, and as whom
CREATE TABLE written (n serial, op text, k text, count bigint, who text);
CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pend.written (op, k, count, who) VALUES (TG_OP, NEW.k, NEW.count, current_user);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_write AFTER INSERT OR UPDATE ON c FOR EACH ROW EXECUTE FUNCTION note_write();
-- what was written since the last look
CREATE FUNCTION look(OUT op text, OUT k text, OUT count bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT w.op, w.k, w.count FROM pend.written w ORDER BY n;
    DELETE FROM pend.written;
END
$$;

-- the setting, and what track() says wins
SELECT (missing_symbol.describe('c')).apply;
SHOW missing_symbol.apply;
SET missing_symbol.apply = 'commit';
SELECT (missing_symbol.describe('c')).apply;
SELECT missing_symbol.track('c', apply => 'now');
SELECT (missing_symbol.describe('c')).apply;
RESET missing_symbol.apply;
SELECT missing_symbol.track('c', apply => 'commit', fill => '{note}');
SELECT (missing_symbol.describe('c')).apply;
SELECT apply FROM missing_symbol.tracked WHERE target = 'c'::regclass;
SELECT missing_symbol.track('c', apply => 'soon');
SELECT missing_symbol.track('c', throttle => '1 hour');

--
-- Merged, ordered, timed
--
BEGIN;
SELECT missing_symbol.increment('c', 'b'), missing_symbol.increment('c', 'a');
SELECT outcome, count, first_seen, last_seen FROM missing_symbol.last_increment();
SET LOCAL missing_symbol.test_clock = '2026-01-01 13:00:00+00';
SELECT count(missing_symbol.increment('c', 'b')) FROM generate_series(1, 98);
SET LOCAL missing_symbol.test_clock = '2026-01-01 11:00:00+00';
SELECT missing_symbol.increment_by('c', -40, 'b');
-- not in the table, but in value()
SELECT count(*) FROM c;
SELECT missing_symbol.value('c', 'b'), missing_symbol.value('c', 'a'), missing_symbol.value('c', 'none');
COMMIT;
SELECT k, count, created_at, modified_at FROM c ORDER BY k;
SELECT * FROM look();
-- an existing row: last_seen never goes backwards, value() adds
BEGIN;
SELECT missing_symbol.increment('c', 'b');
SELECT missing_symbol.value('c', 'b');
COMMIT;
SELECT k, count, created_at, modified_at FROM c ORDER BY k;
-- batches
BEGIN;
SELECT * FROM missing_symbol.increment_many('c', ARRAY['z', 'a', 'z', 'm'], ARRAY[1, 2, 3, 4]);
SELECT * FROM missing_symbol.increment_rows('c', '[{"k": "m", "note": "from rows"}, {"k": "n"}]');
DELETE FROM written;
COMMIT;
SELECT * FROM look();
SELECT k, count, note FROM c ORDER BY k;
-- a column is filled by the first value that comes, not by one rolled back
BEGIN;
SELECT missing_symbol.increment('c', 'fill');
SAVEPOINT s;
SELECT missing_symbol.increment_row('c', '{"k": "fill", "note": "rolled back"}');
ROLLBACK TO s;
SELECT missing_symbol.increment_row('c', '{"k": "fill", "note": "first"}');
SAVEPOINT s2;
SELECT missing_symbol.increment_row('c', '{"k": "fill", "note": "second"}');
SELECT missing_symbol.increment_row('c', '{"k": "a", "note": "for a"}');
RELEASE s2;
COMMIT;
SELECT k, count, note FROM c WHERE note IS NOT NULL ORDER BY k;
-- autocommit, and a transaction that counts both ways
SELECT missing_symbol.increment('c', 'auto');
SELECT missing_symbol.value('c', 'auto');
DELETE FROM written;
BEGIN;
SELECT missing_symbol.increment('c', 'auto');
UPDATE c SET count = count + 100 WHERE k = 'auto';
SELECT missing_symbol.value('c', 'auto');
COMMIT;
SELECT missing_symbol.value('c', 'auto');
-- applied after everything else: a DELETE does not undo it
BEGIN;
SELECT missing_symbol.increment('c', 'auto');
DELETE FROM c WHERE k = 'auto';
COMMIT;
SELECT count FROM c WHERE k = 'auto';
BEGIN;
SELECT missing_symbol.increment('c', 'a'), missing_symbol.increment('c', 'b');
ROLLBACK;
SELECT k, count FROM c WHERE k IN ('a', 'b') ORDER BY k;
TRUNCATE c, written;

-- keys that are equal without being the same, composite, and a counter
CREATE TABLE n (a numeric, b text, hits missing_symbol.counter, PRIMARY KEY (b, a));
SELECT missing_symbol.track('n', key => '{a,b}', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('n', 1.0, 'x'::text), missing_symbol.increment('n', 1.00, 'x'::text),
       missing_symbol.increment('n', '-7', 'x'), missing_symbol.increment('n', 2, 'a'::text);
SET LOCAL missing_symbol.test_clock = '2026-01-01 13:00:00+00';
SELECT missing_symbol.increment('n', '1', 'x');
SELECT missing_symbol.value('n', 1, 'x'::text);
COMMIT;
SELECT * FROM n ORDER BY b, a;
BEGIN;
SELECT missing_symbol.increment('n', '1', 'x');
COMMIT;
SELECT * FROM n WHERE a = 1;

--
-- Refused at the call
--
CREATE TABLE req (k int PRIMARY KEY, count int, must text NOT NULL);
SELECT missing_symbol.track('req', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('req', 1);
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment_row('req', '{"k": 1, "must": "x"}');
SELECT missing_symbol.increment('req', 1);
COMMIT;
SELECT missing_symbol.increment('req', 1);
SELECT * FROM req;
SELECT missing_symbol.increment('req', NULL::int);
SELECT missing_symbol.increment_by('req', 0, 1);
BEGIN READ ONLY;
SELECT missing_symbol.increment('req', 1);
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment_by('req', 9223372036854775807, 1);
SAVEPOINT s;
SELECT missing_symbol.increment('req', 1);
ROLLBACK TO s;
SELECT missing_symbol.increment_by('req', -9223372036854775807, 1);
COMMIT;
SELECT * FROM req;
-- by rights
CREATE ROLE regress_pend_a;
CREATE ROLE regress_pend_b;
GRANT USAGE ON SCHEMA pend TO regress_pend_a, regress_pend_b;
GRANT SELECT, INSERT, UPDATE ON c TO regress_pend_a, regress_pend_b;
GRANT INSERT ON written TO regress_pend_a, regress_pend_b;
GRANT USAGE ON SEQUENCE written_n_seq TO regress_pend_a, regress_pend_b;
GRANT SELECT, INSERT ON req TO regress_pend_a;
SET ROLE regress_pend_a;
BEGIN;
SELECT missing_symbol.increment('req', 1);
ROLLBACK;
RESET ROLE;

-- as the role that counted: SET ROLE, SECURITY DEFINER
CREATE FUNCTION definer(key text) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    AS 'SELECT missing_symbol.increment(''pend.c'', key)';
ALTER FUNCTION definer(text) OWNER TO regress_pend_b;
BEGIN;
SET LOCAL ROLE regress_pend_a;
SELECT missing_symbol.increment('c', 'k1'), pend.definer('k1'), pend.definer('k2');
RESET ROLE;
SELECT missing_symbol.increment('c', 'k2');
SELECT missing_symbol.value('c', 'k1'), missing_symbol.value('c', 'k2');
COMMIT;
SELECT op, k, count, who = current_user AS me, CASE WHEN who <> current_user THEN who END AS who
FROM written ORDER BY k, count, who = current_user, who;
SELECT k, count FROM c ORDER BY k;
TRUNCATE c, written;
-- the right is taken away before the commit
BEGIN;
SET LOCAL ROLE regress_pend_a;
SELECT missing_symbol.increment('c', 'x');
RESET ROLE;
REVOKE INSERT ON c FROM regress_pend_a;
COMMIT;
-- row security: refused at the commit, as by core
CREATE TABLE rls (k text PRIMARY KEY, count bigint);
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON rls USING (k <> 'secret');
GRANT SELECT, INSERT, UPDATE ON rls TO regress_pend_a;
SELECT missing_symbol.track('rls', apply => 'commit');
SET ROLE regress_pend_a;
SELECT missing_symbol.increment('rls', 'open');
SELECT missing_symbol.increment('rls', 'secret');
SELECT * FROM rls;
RESET ROLE;
-- never as the superuser: in a security-restricted operation, now
CREATE TABLE evil (k text PRIMARY KEY, count bigint);
ALTER TABLE evil OWNER TO regress_pend_a;
CREATE TABLE evil_log (who text, apply text);
GRANT INSERT ON evil_log TO PUBLIC;
CREATE FUNCTION evil_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pend.evil_log VALUES (current_user, (missing_symbol.last_increment()).outcome);
    RETURN NULL;
END
$$;
CREATE TRIGGER t AFTER INSERT OR UPDATE ON evil FOR EACH ROW EXECUTE FUNCTION evil_trigger();
CREATE FUNCTION evil_index(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM missing_symbol.increment('pend.evil', 'indexed ' || t);
    RETURN t;
END
$$;
CREATE TABLE evil_data (t text);
ALTER TABLE evil_data OWNER TO regress_pend_a;
GRANT CREATE ON SCHEMA pend TO regress_pend_a;
SET ROLE regress_pend_a;
SELECT missing_symbol.track('evil', apply => 'commit');
SET missing_symbol.apply = 'commit';
CREATE INDEX evil_i ON evil_data (pend.evil_index(t));
INSERT INTO evil_data VALUES ('x');
RESET missing_symbol.apply;
RESET ROLE;
TRUNCATE evil, evil_log;
REINDEX TABLE evil_data;
SELECT * FROM evil;
SELECT who FROM evil_log;
DROP TABLE evil_data;

--
-- Savepoints and procedures
--
CREATE FUNCTION nest(depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('pend.c', 'nest');
    PERFORM missing_symbol.increment('pend.c', 'level ' || depth % 3);
    IF depth > 1 THEN
        PERFORM pend.nest(depth - 1);
    END IF;
    IF depth % 4 = 0 THEN
        RAISE 'undo';			-- this level and those below
    END IF;
EXCEPTION WHEN raise_exception THEN
    PERFORM missing_symbol.increment('pend.c', 'undone');
END
$$;
SELECT nest(30);
SELECT k, count FROM c ORDER BY k;
TRUNCATE c, written;
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        BEGIN
            PERFORM missing_symbol.increment('pend.c', 'every');
            PERFORM missing_symbol.increment('pend.c', 'k' || i % 3);
            IF i % 2 = 0 THEN
                RAISE division_by_zero;
            END IF;
        EXCEPTION WHEN division_by_zero THEN
            PERFORM missing_symbol.increment('pend.c', 'failed');
        END;
    END LOOP;
END
$$;
SELECT * FROM look();
TRUNCATE c;
BEGIN;
SAVEPOINT a;
SELECT missing_symbol.increment('c', 'a');
SAVEPOINT b;
SELECT missing_symbol.increment('c', 'b'), missing_symbol.increment('c', 'a');
SAVEPOINT c;
SELECT missing_symbol.increment('c', 'c'), missing_symbol.increment('c', 'a');
RELEASE b;
SELECT missing_symbol.value('c', 'a'), missing_symbol.value('c', 'b'), missing_symbol.value('c', 'c');
SAVEPOINT d;
SELECT missing_symbol.increment('c', 'd'), missing_symbol.increment('c', 'a');
SELECT missing_symbol.value('c', 'a'), missing_symbol.value('c', 'd');
ROLLBACK TO d;
SELECT missing_symbol.value('c', 'a'), missing_symbol.value('c', 'd');
ROLLBACK TO a;
SELECT missing_symbol.increment('c', 'e');
SAVEPOINT f;
SELECT missing_symbol.increment('c', 'f');
COMMIT;		-- with savepoints open
SELECT * FROM look();
TRUNCATE c;

CREATE PROCEDURE loop_over() LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT i FROM generate_series(1, 12) i LOOP
        PERFORM missing_symbol.increment('pend.c', 'three'), missing_symbol.increment('pend.c', 'i' || r.i % 2);
        IF r.i % 4 = 0 THEN
            ROLLBACK;
        ELSIF r.i % 2 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;
CALL loop_over();
SELECT * FROM look();
DO $$
BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM missing_symbol.increment('pend.c', 'do');
        COMMIT;
        PERFORM missing_symbol.increment('pend.c', 'lost');
        ROLLBACK;
    END LOOP;
    PERFORM missing_symbol.increment('pend.c', 'last');
END
$$;
SELECT * FROM look();
TRUNCATE c;

--
-- What core does at a commit
--
-- a deferred foreign key of the target: the violation aborts
CREATE TABLE parent (id text PRIMARY KEY);
CREATE TABLE child (k text PRIMARY KEY REFERENCES parent DEFERRABLE INITIALLY DEFERRED, count int);
SELECT missing_symbol.track('child', apply => 'commit');
SELECT missing_symbol.increment('child', 'orphan');
BEGIN;
SELECT missing_symbol.increment('child', 'fine');
INSERT INTO parent VALUES ('fine');
COMMIT;
SELECT * FROM child;
-- of what its triggers write
CREATE TABLE detail (k text REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION write_detail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pend.detail VALUES (NEW.k);
    RETURN NULL;
END
$$;
CREATE TABLE master (k text PRIMARY KEY, count int);
CREATE TRIGGER t AFTER INSERT OR UPDATE ON master FOR EACH ROW EXECUTE FUNCTION write_detail();
SELECT missing_symbol.track('master', apply => 'commit');
SELECT missing_symbol.increment('master', 'orphan');
SELECT missing_symbol.increment('master', 'fine');
SELECT * FROM master;
SELECT * FROM detail;
-- a deferred trigger that increments again, and one of a target that does
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('pend.c', TG_TABLE_NAME || ' again');
    RETURN NULL;
END
$$;
CREATE TABLE deferring (k text PRIMARY KEY, count int);
CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON deferring DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION again();
SELECT missing_symbol.track('deferring', apply => 'commit');
BEGIN;
INSERT INTO deferring VALUES ('sql', 1);
SELECT missing_symbol.increment('deferring', 'one'), missing_symbol.increment('deferring', 'two');
COMMIT;
SELECT * FROM look();
SELECT * FROM deferring ORDER BY k;
-- a target's immediate trigger that increments another, before it or after
CREATE TABLE zz (k text PRIMARY KEY, count int);
CREATE TRIGGER t AFTER INSERT OR UPDATE ON zz FOR EACH ROW EXECUTE FUNCTION again();
SELECT missing_symbol.track('zz', apply => 'commit');
SELECT missing_symbol.increment('zz', 'one');
SELECT * FROM look();
-- itself, without end
CREATE TABLE endless (k text PRIMARY KEY, count int);
CREATE FUNCTION itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('pend.endless', NEW.k);
    RETURN NULL;
END
$$;
CREATE TRIGGER t AFTER INSERT OR UPDATE ON endless FOR EACH ROW EXECUTE FUNCTION itself();
SELECT missing_symbol.track('endless', apply => 'commit');
SELECT missing_symbol.increment('endless', 'x');
SELECT * FROM endless;
-- triggers that leave a cursor open, close all, or catch an error
CREATE TABLE cursors (k text PRIMARY KEY, count int);
CREATE FUNCTION cursor_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    left_open refcursor := 'left_open_' || NEW.k;
BEGIN
    OPEN left_open FOR SELECT missing_symbol.increment('pend.c', 'by a cursor') FROM generate_series(1, 3);
    FETCH left_open INTO left_open;
    IF NEW.k = 'close' THEN
        EXECUTE 'CLOSE ALL';
    ELSIF NEW.k = 'catch' THEN
        BEGIN
            PERFORM missing_symbol.increment('pend.c', 'never');
            PERFORM 1 / 0;
        EXCEPTION WHEN division_by_zero THEN
            EXECUTE 'CLOSE ALL';
            PERFORM missing_symbol.increment('pend.c', 'caught');
        END;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER t AFTER INSERT ON cursors FOR EACH ROW EXECUTE FUNCTION cursor_trigger();
SELECT missing_symbol.track('cursors', apply => 'commit');
SELECT missing_symbol.increment('cursors', k) FROM unnest('{open,close,catch}'::text[]) k;
SELECT * FROM look();
SELECT * FROM cursors ORDER BY k;
SELECT name FROM pg_cursors;
-- WITH HOLD cursors that increment as the commit runs them to their end
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT i, missing_symbol.increment('c', 'held') FROM generate_series(1, 3) i;
SELECT missing_symbol.increment('c', 'before');
COMMIT;
FETCH ALL FROM held;
CLOSE held;
SELECT * FROM look();
-- CLOSE ALL drops our portal, and applies nothing
BEGIN;
SELECT missing_symbol.increment('c', 'top');
CLOSE ALL;
SELECT * FROM look();
SELECT missing_symbol.increment('c', 'top');
SAVEPOINT s;
SELECT missing_symbol.increment('c', 'sub');
CLOSE ALL;
SELECT * FROM look();
SELECT missing_symbol.value('c', 'top'), missing_symbol.value('c', 'sub');
ROLLBACK TO s;
COMMIT;
SELECT * FROM look();
DO $$
BEGIN
    PERFORM missing_symbol.increment('pend.c', 'net');
    BEGIN
        EXECUTE 'CLOSE ALL';
        RAISE 'undo';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
END
$$;
SELECT * FROM look();
-- nobody sees the portal
BEGIN;
SELECT missing_symbol.increment('c', 'seen');
SELECT count(*) FROM pg_cursors WHERE statement = '' OR name LIKE '<%';
COMMIT;
-- nor is its name one that cursors must not have
BEGIN;
DECLARE "<deferred>" CURSOR FOR SELECT 1 AS one;
SELECT missing_symbol.increment('c', 'named');
FETCH "<deferred>";
ROLLBACK;
SELECT missing_symbol.increment('c', 'discard');
DISCARD ALL;
SET search_path = pend;
SET client_min_messages = error;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
SELECT * FROM look();
-- ON COMMIT
SET missing_symbol.apply = 'commit';
CREATE TEMP TABLE gone (k text PRIMARY KEY, count int) ON COMMIT DELETE ROWS;
SELECT missing_symbol.increment('gone', 'x');
SELECT * FROM gone;
BEGIN;
CREATE TEMP TABLE dropped (k text PRIMARY KEY, count int) ON COMMIT DROP;
SELECT missing_symbol.increment('dropped', 'x');
SELECT missing_symbol.value('dropped', 'x');
COMMIT;
-- temporary tables in a transaction that reads only
CREATE TEMP TABLE kept (k text PRIMARY KEY, count int);
BEGIN READ ONLY;
SELECT missing_symbol.increment('kept', 'x');
COMMIT;
SELECT * FROM kept;
RESET missing_symbol.apply;
-- isolation levels
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT missing_symbol.increment('c', 'rr');
SELECT missing_symbol.increment('c', 'rr');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT missing_symbol.increment('c', 'rr');
COMMIT;
SELECT count FROM c WHERE k = 'rr';
TRUNCATE c, written;

--
-- What fails at the commit aborts, and says where
--
BEGIN;
SELECT missing_symbol.increment('c', 'good');
SELECT missing_symbol.increment_by('c', 5000000, 'too much');
COMMIT;
SELECT * FROM c;
\set SHOW_CONTEXT always
BEGIN;
SELECT missing_symbol.increment('c', 'x');
SET TRANSACTION READ ONLY;
COMMIT;
\set SHOW_CONTEXT never
-- of those that are applied together the one that fails
CREATE TABLE checked (a numeric, b int, count int CHECK (count < 10), PRIMARY KEY (a, b));
CREATE TABLE checked_text (k text PRIMARY KEY, count int CHECK (count < 10));
SELECT missing_symbol.track('checked', apply => 'commit'), missing_symbol.track('checked_text', apply => 'commit');
BEGIN;
SELECT count(missing_symbol.increment_by('checked', CASE g WHEN 77 THEN 10 ELSE 1 END, 1.50, g)) FROM generate_series(1, 100) g;
COMMIT;
SET missing_symbol.fast_path = on;	-- whose context is short
\set SHOW_CONTEXT errors
BEGIN;
SELECT count(missing_symbol.increment_by('checked', CASE g WHEN 77 THEN 10 ELSE 1 END, 1.50, g)) FROM generate_series(1, 100) g;
COMMIT;
BEGIN;
SELECT count(missing_symbol.increment_by('checked_text', CASE g WHEN 77 THEN 10 ELSE 1 END, 'key ' || g)) FROM generate_series(1, 100) g;
COMMIT;
\set SHOW_CONTEXT never
RESET missing_symbol.fast_path;
SELECT count(*) FROM checked;
-- beyond the limit it fails at the call; what is outside of the savepoint stays
CREATE FUNCTION fails(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN 'it does not';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
BEGIN;
SELECT missing_symbol.increment_by('checked', 9, 1, 1);
SET LOCAL missing_symbol.pending_limit = 0;
SELECT fails($$SELECT missing_symbol.increment_rows('pend.checked', '[{"a": 1, "b": 2}, {"a": 1, "b": 3}]', '{1,10}')$$), pg_catalog.count(*)
FROM generate_series(1, 300) GROUP BY 1;
SELECT missing_symbol.increment('checked', 1, 2);
COMMIT;
SELECT * FROM checked ORDER BY a, b;
CREATE TABLE slow (k text PRIMARY KEY, count int);
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
CREATE TRIGGER t AFTER INSERT ON slow FOR EACH ROW EXECUTE FUNCTION be_slow();
SELECT missing_symbol.track('slow', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('slow', 'x');
SET LOCAL statement_timeout = '50ms';
COMMIT;
SELECT * FROM slow;
-- and the timer is disarmed
BEGIN;
SELECT missing_symbol.increment('c', 'x');
SET LOCAL statement_timeout = '2s';
COMMIT;
SELECT pg_sleep(2.1);
SELECT k, count FROM c;
TRUNCATE c, written;

--
-- The target changes under the deltas
--
CREATE TABLE d (k int PRIMARY KEY, count int, extra int);
SELECT missing_symbol.track('d', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('d', 1);
SELECT missing_symbol.increment('c', 'with d');
DROP TABLE d;
COMMIT;
SELECT * FROM look();
CREATE TABLE d (k int PRIMARY KEY, count int, extra int);
SELECT missing_symbol.track('d', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('d', 1);
SAVEPOINT s;
DROP TABLE d;
ROLLBACK TO s;
COMMIT;
SELECT * FROM d;
BEGIN;
SELECT missing_symbol.increment('d', 1);
TRUNCATE d;
COMMIT;
SELECT * FROM d;
BEGIN;
SELECT missing_symbol.increment_row('d', '{"k": 2, "extra": 7}'), missing_symbol.increment('d', 1);
ALTER TABLE d ADD more text DEFAULT 'm';
ALTER TABLE d DROP extra;
SELECT missing_symbol.increment_row('d', '{"k": 3, "more": "given"}'), missing_symbol.increment('d', 1);
SELECT missing_symbol.value('d', 1);
COMMIT;
SELECT * FROM d ORDER BY k;
BEGIN;
SELECT missing_symbol.increment('d', 1);
ALTER TABLE d ALTER k TYPE text;
SAVEPOINT s;
SELECT missing_symbol.increment('d', '1');
ROLLBACK TO s;
SELECT missing_symbol.value('d', '1');
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment('d', 1);
ALTER TABLE d ALTER k TYPE text;
COMMIT;
BEGIN;
SELECT missing_symbol.increment_row('d', '{"k": 4, "more": "x"}');
ALTER TABLE d ALTER more DROP DEFAULT, ALTER more TYPE int USING NULL;
COMMIT;
-- what is not deferred any more does not bind
BEGIN;
SAVEPOINT s;
SELECT missing_symbol.increment('d', 1);
ROLLBACK TO s;
ALTER TABLE d ALTER k TYPE text;
SELECT missing_symbol.increment('d', 'text');
COMMIT;
SELECT * FROM d ORDER BY k;

--
-- Memory: what goes beyond the limit is counted now
--
BEGIN;
SELECT missing_symbol.increment('c', 'outer');
SAVEPOINT s;
SELECT missing_symbol.increment('c', 'inner');
SET LOCAL missing_symbol.pending_limit = 0;
-- a key that has a delta at this level goes on with it; another one, and the same at another level, do not
SELECT missing_symbol.increment('c', 'inner'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('c', 'many ' || i) FROM generate_series(1, 3) i;
SELECT missing_symbol.increment('c', 'outer'), (missing_symbol.last_increment()).outcome;
SELECT k, count FROM c WHERE k <> 'with d' ORDER BY k;
SELECT missing_symbol.value('c', 'many 1'), missing_symbol.value('c', 'inner'), missing_symbol.value('c', 'outer');
SELECT early_applies FROM missing_symbol.counter_stats WHERE target = 'c'::regclass;
ROLLBACK TO s;
SELECT missing_symbol.value('c', 'many 1'), missing_symbol.value('c', 'inner'), missing_symbol.value('c', 'outer');
SELECT missing_symbol.increment('c', 'outer');
COMMIT;
SELECT k, count FROM c WHERE k <> 'with d' ORDER BY k;
SET missing_symbol.pending_limit = 0;
BEGIN;
SELECT missing_symbol.increment('c', 'at once');
-- triggers of what is counted now that increment
SELECT missing_symbol.increment('zz', k) FROM unnest('{a,b,c}'::text[]) k;
SELECT * FROM missing_symbol.increment_rows('c', '[{"k": "at once"}, {"k": "batch"}, {"k": "batch"}]');
COMMIT;
SELECT k, count FROM c WHERE k <> 'with d' ORDER BY k;
SELECT k, count FROM zz ORDER BY k;
RESET missing_symbol.pending_limit;
-- a large batch
BEGIN;
SELECT deferred FROM missing_symbol.increment_many('c', ARRAY(SELECT i::text FROM generate_series(1, 20000) i));
COMMIT;
SELECT count(*), sum(count) FROM c WHERE k ~ '^[0-9]+$';

-- partitions and their kind
CREATE TABLE part (k int PRIMARY KEY, count int) PARTITION BY RANGE (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
SELECT missing_symbol.track('part', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('part', k) FROM unnest('{15,5,15}'::int[]) k;
COMMIT;
SELECT tableoid::regclass, * FROM part ORDER BY k;
SELECT missing_symbol.increment('part', 99);

-- throttled targets are applied now
CREATE TABLE thr (k text PRIMARY KEY, count int, last_seen timestamptz);
SELECT missing_symbol.track('thr', throttle => '1 hour');
SELECT missing_symbol.track('thr', apply => 'commit');
SET missing_symbol.apply = 'commit';
SELECT (missing_symbol.describe('thr')).apply;
SELECT missing_symbol.increment('thr', 'x');
-- what was counted before there was a throttle is not subject to it
CREATE TABLE unthr (k text PRIMARY KEY, count int, last_seen timestamptz, note text);
INSERT INTO unthr VALUES ('x', 1, clock_timestamp()), ('with note', 1, clock_timestamp());
BEGIN;
SELECT missing_symbol.increment_by('unthr', 5, 'x');
SELECT missing_symbol.increment_row('unthr', '{"k": "with note", "note": "n"}', 5);
SELECT missing_symbol.track('unthr', throttle => '1 hour');
COMMIT;
SELECT k, count FROM unthr ORDER BY k;
SELECT missing_symbol.increment('unthr', 'x');
SELECT (missing_symbol.last_increment()).outcome;
RESET missing_symbol.apply;

SET client_min_messages = error;
DROP SCHEMA pend CASCADE;
DROP OWNED BY regress_pend_a, regress_pend_b;
DROP ROLE regress_pend_a, regress_pend_b;
