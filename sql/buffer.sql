--
-- Buffer: apply => 'buffer', flush, buffer_stats.  Without a worker, so that
-- nothing happens by itself; what it does is in test/t/buffer.pl.
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\set VERBOSITY terse
SET missing_symbol.worker = off;

CREATE SCHEMA buffer;
CREATE TABLE buffer.views (
    page text PRIMARY KEY,
    count int CHECK (count <= 1000),
    created_at timestamptz,
    modified_at timestamptz,
    title text
) WITH (fillfactor = 70);
CREATE VIEW buffer.waiting AS
    SELECT target, key, role = current_user AS own, delta, first_seen::time, last_seen::time, nullif(fields - '', '{}') AS fields
    FROM missing_symbol.buffered;

-- settings: of a target, by its owner, not of a session
SELECT missing_symbol.clock();
SET missing_symbol.apply = 'buffer';
CREATE ROLE regress_buffer_counts;
CREATE ROLE regress_buffer_none;
GRANT USAGE ON SCHEMA buffer TO regress_buffer_counts, regress_buffer_none;
GRANT SELECT, INSERT, UPDATE ON buffer.views TO regress_buffer_counts;
SET ROLE regress_buffer_counts;
SELECT missing_symbol.track('buffer.views', apply => 'buffer');
RESET ROLE;
SET client_min_messages = error;
SELECT missing_symbol.track('buffer.views', apply => 'buffer', throttle => '1 hour');
SELECT missing_symbol.track('buffer.views', apply => 'buffer', fill => '{title}');
RESET client_min_messages;
SELECT apply, fill FROM missing_symbol.describe('buffer.views');

-- one delta for each key of a transaction
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT outcome, count, first_seen, last_seen FROM missing_symbol.last_increment();
BEGIN;
SELECT missing_symbol.increment('buffer.views', '/b');
SET LOCAL missing_symbol.test_clock = '2026-01-01 12:00:01+00';
SELECT missing_symbol.increment_by('buffer.views', 5, '/a');
SELECT missing_symbol.increment_row('buffer.views', '{"page": "/b", "title": "B"}');
TABLE buffer.waiting ORDER BY key, first_seen;
SELECT missing_symbol.value('buffer.views', '/a'), missing_symbol.value('buffer.views', '/b'), missing_symbol.value('buffer.views', '/c');
SELECT * FROM missing_symbol.total(NULL::buffer.views) ORDER BY page;
COMMIT;
SELECT * FROM missing_symbol.increment_many('buffer.views', ARRAY['/c', '/a', '/c']);
SELECT * FROM missing_symbol.increment_rows('buffer.views', '[{"page": "/c", "title": "C"}]', ARRAY[3]);
TABLE buffer.waiting ORDER BY key, first_seen, delta;
TABLE buffer.views;
SELECT missing_symbol.value('buffer.views', '/a'), missing_symbol.value('buffer.views', '/b'), missing_symbol.value('buffer.views', '/c');
SELECT * FROM missing_symbol.total(NULL::buffer.views) ORDER BY page;

-- it is in its row after a fold, and only there
SELECT missing_symbol.fold('buffer.views');
TABLE buffer.waiting;
TABLE buffer.views ORDER BY page;
SELECT * FROM missing_symbol.total(NULL::buffer.views) ORDER BY page;

-- rolls back with its transaction, with its savepoint
BEGIN;
SELECT missing_symbol.increment('buffer.views', '/a');
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment('buffer.views', '/a');
SAVEPOINT s;
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT missing_symbol.increment('buffer.views', '/gone');
ROLLBACK TO s;
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT missing_symbol.value('buffer.views', '/a'), missing_symbol.value('buffer.views', '/gone');
COMMIT;
TABLE buffer.waiting ORDER BY key;
DO $$
BEGIN
    FOR i IN 1..10 LOOP
        BEGIN
            PERFORM missing_symbol.increment('buffer.views', '/do');
            IF i % 2 = 0 THEN RAISE division_by_zero; END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
        IF i % 3 = 0 THEN COMMIT; END IF;
    END LOOP;
END $$;
SELECT key, delta FROM buffer.waiting ORDER BY key, delta;

-- a fold is part of its transaction
BEGIN;
SELECT missing_symbol.fold('buffer.views');
TABLE buffer.waiting;
SELECT missing_symbol.value('buffer.views', '/do');
ROLLBACK;
SELECT count(*) FROM buffer.waiting;
SELECT missing_symbol.value('buffer.views', '/do');
SELECT missing_symbol.flush();
SELECT missing_symbol.flush();
SELECT page, count FROM buffer.views ORDER BY page;

-- early, past the limit of memory, and then rolled back
SET missing_symbol.pending_limit = 0;
BEGIN;
SELECT missing_symbol.increment('buffer.views', '/a');
SAVEPOINT s;
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT key, delta FROM buffer.waiting;
SELECT missing_symbol.value('buffer.views', '/a');
ROLLBACK TO s;
SELECT missing_symbol.value('buffer.views', '/a');
COMMIT;
RESET missing_symbol.pending_limit;
SELECT key, delta FROM buffer.waiting;
SELECT missing_symbol.fold();

-- what fails is spilled, with the reason, and the rest goes on
SELECT missing_symbol.increment_by('buffer.views', 2000, '/a');
SELECT missing_symbol.increment_by('buffer.views', 1, '/b');
SELECT missing_symbol.increment_by('buffer.views', 3000000000, '/c');
SELECT missing_symbol.increment_by('buffer.views', 3000000000, '/c');
SELECT missing_symbol.fold('buffer.views');
TABLE buffer.waiting;
SELECT key, delta, error FROM missing_symbol.spilled ORDER BY key;
SELECT missing_symbol.value('buffer.views', '/a'), missing_symbol.value('buffer.views', '/c');
SELECT page, count FROM buffer.views ORDER BY page;
-- flush says so
SELECT missing_symbol.increment_by('buffer.views', 1, '/c');
SELECT missing_symbol.flush();
SELECT key, delta, error FROM missing_symbol.spilled ORDER BY key;
SELECT buffered, spilled, errors, fallbacks, worker_pid, worker_state FROM missing_symbol.buffer_stats;
-- what helps
ALTER TABLE buffer.views ALTER count TYPE bigint, DROP CONSTRAINT views_count_check;
SELECT missing_symbol.flush();
SELECT page, count FROM buffer.views ORDER BY page;
SELECT count(*) FROM missing_symbol.spilled;

-- a key whose text does not tell whether it is another's: at the commit
CREATE TABLE buffer.exact (n numeric PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('buffer.exact', apply => 'buffer');
SELECT apply FROM missing_symbol.describe('buffer.exact');
BEGIN;
SELECT missing_symbol.increment('buffer.exact', 1.0);
SELECT outcome FROM missing_symbol.last_increment();
SELECT deferred, buffered FROM missing_symbol.increment_many('buffer.exact', '{1.00,2}'::numeric[]);
COMMIT;
TABLE buffer.exact ORDER BY n;
TABLE buffer.waiting;
SELECT target, calls, deferred, buffered, fallbacks, folded FROM missing_symbol.counter_stats WHERE target::text LIKE 'buffer.%' ORDER BY target::text;
SELECT fallbacks > 0 AS fallbacks FROM missing_symbol.buffer_stats;

-- such as one with blanks
CREATE TABLE buffer.padded (k char(5) PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE TABLE buffer.blanks (k bpchar PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SET client_min_messages = error;
SELECT missing_symbol.track('buffer.padded', apply => 'buffer'), missing_symbol.track('buffer.blanks', apply => 'buffer');
RESET client_min_messages;
SELECT (missing_symbol.describe(t)).apply FROM unnest('{buffer.padded,buffer.blanks}'::regclass[]) t;
SELECT missing_symbol.increment('buffer.padded', k), missing_symbol.increment('buffer.blanks', k) FROM unnest('{"a","a ","a   "}'::text[]) k;
SELECT missing_symbol.value('buffer.padded', 'a'), missing_symbol.value('buffer.blanks', 'a'), missing_symbol.value('buffer.blanks', 'a  ');

-- other keys and counters, other ways to be a table
CREATE TABLE buffer.days (site uuid, day date, hits missing_symbol.counter NOT NULL, PRIMARY KEY (day, site)) PARTITION BY RANGE (day);
CREATE TABLE buffer.days_1 PARTITION OF buffer.days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
SET client_min_messages = error;
SELECT missing_symbol.track('buffer.days', apply => 'buffer');
RESET client_min_messages;
SELECT apply FROM missing_symbol.describe('buffer.days');
SELECT missing_symbol.increment('buffer.days', '2026-03-04'::date, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid) FROM generate_series(1, 3);
SET DateStyle = 'German';
SELECT missing_symbol.increment('buffer.days', '05.03.2026', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11');
SET DateStyle = 'ISO, MDY';
-- no partition for it: said when it is merged
SELECT missing_symbol.increment('buffer.days', '2030-01-01'::date, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid);
SELECT * FROM missing_symbol.total(NULL::buffer.days) ORDER BY day;
SELECT missing_symbol.fold('buffer.days');
TABLE buffer.days ORDER BY day;
SELECT key, delta, error FROM missing_symbol.spilled;
DROP TABLE buffer.days;
SELECT count(*) FROM missing_symbol.spilled;

-- a column that a new counter needs
CREATE TABLE buffer.named (id bigint PRIMARY KEY, name text NOT NULL, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('buffer.named', apply => 'buffer');
SELECT missing_symbol.increment('buffer.named', 1);
SELECT missing_symbol.increment_row('buffer.named', '{"id": 1, "name": "one"}');
SELECT missing_symbol.increment('buffer.named', 1);
SELECT missing_symbol.fold('buffer.named');
SELECT missing_symbol.increment('buffer.named', 1);
SELECT missing_symbol.flush();
TABLE buffer.named;

-- what can be refused is refused at the call
SELECT missing_symbol.increment('buffer.named', 'x');
SELECT missing_symbol.increment('buffer.named', NULL::bigint);
BEGIN READ ONLY;
SELECT missing_symbol.increment('buffer.named', 1);
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment('buffer.named', 1);
SET TRANSACTION READ ONLY;
COMMIT;
SET ROLE regress_buffer_none;
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT missing_symbol.flush();
TABLE missing_symbol.buffered;
INSERT INTO missing_symbol.buffered VALUES ('buffer.views', 0, '{/a}', 'x', 1, now(), now());
DELETE FROM missing_symbol.buffered;
TABLE missing_symbol.folds;
TABLE missing_symbol.buffer_stats;
SELECT missing_symbol.buffer_stats();
RESET ROLE;
SET ROLE pg_monitor;
SELECT buffered, worker_state FROM missing_symbol.buffer_stats;
RESET ROLE;

-- as the role that counted; its triggers are not in the hands of who folds
CREATE TABLE buffer.audit (who name, path text);
GRANT INSERT ON buffer.audit TO PUBLIC;
CREATE FUNCTION buffer.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO buffer.audit VALUES (current_user, pg_catalog.current_setting('search_path'));
    PERFORM pg_catalog.set_config('search_path', 'evil', false);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER UPDATE ON buffer.views FOR EACH ROW EXECUTE FUNCTION buffer.audit();
SET ROLE regress_buffer_counts;
SELECT missing_symbol.increment('buffer.views', '/a');
RESET ROLE;
SELECT missing_symbol.increment('buffer.views', '/b');
SELECT key, own, delta FROM buffer.waiting ORDER BY own;
SET search_path = public, buffer;
DELETE FROM missing_symbol.buffered WHERE role = current_user;
SELECT missing_symbol.fold();
SHOW search_path;
SELECT * FROM buffer.audit;
SELECT missing_symbol.fold('buffer.views');
RESET search_path;
DROP TRIGGER audit ON buffer.views;
-- what a deferred trigger would do as whoever commits, it must not do
CREATE FUNCTION buffer.escalate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO buffer.audit VALUES (current_user, 'deferred');
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER escalate AFTER UPDATE ON buffer.views DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION buffer.escalate();
TRUNCATE buffer.audit;
SET ROLE regress_buffer_counts;
SELECT missing_symbol.increment('buffer.views', '/a');
RESET ROLE;
SELECT missing_symbol.fold();
SELECT role, key, error FROM missing_symbol.spilled;
SET ROLE regress_buffer_counts;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT * FROM buffer.audit;
DROP TRIGGER escalate ON buffer.views;
-- a role that is gone: the owner stands in
SET ROLE regress_buffer_counts;
SELECT missing_symbol.increment('buffer.views', '/role');
RESET ROLE;
DROP OWNED BY regress_buffer_counts;
DROP ROLE regress_buffer_counts;
SELECT missing_symbol.fold('buffer.views');
SELECT page, count FROM buffer.views WHERE page = '/role';

-- triggers that count; where nothing may be deferred it is buffered at once
CREATE TABLE buffer.sums (page text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('buffer.sums', apply => 'buffer');
CREATE FUNCTION buffer.also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('buffer.sums', 'all');
    RETURN NULL;
END
$$;
CREATE TRIGGER also AFTER INSERT OR UPDATE ON buffer.views FOR EACH ROW EXECUTE FUNCTION buffer.also();
SELECT missing_symbol.increment('buffer.views', '/a');
SELECT missing_symbol.fold('buffer.views');
SELECT target, key, delta FROM buffer.waiting;
SELECT missing_symbol.flush();
TABLE buffer.sums;
DROP TRIGGER also ON buffer.views;
CREATE FUNCTION buffer.counted(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM missing_symbol.increment('buffer.sums', 'indexed');
    RETURN $1;
END
$$;
CREATE INDEX ON buffer.named (buffer.counted(count));
SELECT target, key, delta FROM buffer.waiting;
DROP INDEX buffer.named_counted_idx;

-- two-phase commit is in test/t; a table dropped in the same transaction
BEGIN;
SELECT missing_symbol.increment('buffer.sums', 'x');
DROP TABLE buffer.sums;
COMMIT;
SELECT count(*) FROM buffer.waiting;

-- many, of one key and of many
SELECT count(missing_symbol.increment('buffer.named', 1)) FROM generate_series(1, 1000);
SELECT delta FROM buffer.waiting;
TRUNCATE buffer.views;
DO $$
BEGIN
    FOR i IN 1..1000 LOOP
        PERFORM missing_symbol.increment('buffer.views', '/' || i % 100);
        COMMIT;
    END LOOP;
END $$;
SELECT missing_symbol.flush();
SELECT count(*), sum(count), min(count), max(count) FROM buffer.views;
-- what is not counted any more
SELECT folds, rows_written FROM missing_symbol.buffer_stats;
SELECT count(*) FROM missing_symbol.folds;

-- keys whose text is the name of an object are not buffered
CREATE TABLE buffer.tables (k regclass PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('buffer.tables', apply => 'buffer');
SELECT apply FROM missing_symbol.describe('buffer.tables');
CREATE TABLE buffer.here ();
CREATE TABLE buffer.there ();
BEGIN;
SELECT missing_symbol.increment('buffer.tables', 'buffer.here'::regclass);
SELECT missing_symbol.increment('buffer.tables', 'buffer.there'::regclass);
COMMIT;
SELECT count(*) FROM buffer.waiting;
ALTER TABLE buffer.here RENAME TO gone;
CREATE TABLE buffer.here ();
SELECT missing_symbol.value('buffer.tables', 'buffer.gone'::regclass), missing_symbol.value('buffer.tables', 'buffer.here'::regclass);
DROP TABLE buffer.there;
SELECT missing_symbol.flush();
SELECT count(*), sum(count) FROM missing_symbol.total(NULL::buffer.tables);

-- no throttle while there is anything to fold
SELECT missing_symbol.increment('buffer.views', '/1');
SELECT missing_symbol.track('buffer.views', apply => 'now', throttle => '1 hour');
BEGIN READ ONLY;
SELECT missing_symbol.flush();
ROLLBACK;

-- untrack: what is buffered stays until a fold
SELECT missing_symbol.untrack('buffer.views');
SELECT missing_symbol.increment('buffer.views', '/1');
SELECT missing_symbol.value('buffer.views', '/1');
SELECT missing_symbol.fold('buffer.views');
SELECT count FROM buffer.views WHERE page = '/1';

\set VERBOSITY default
SET client_min_messages = warning;
DROP SCHEMA buffer CASCADE;
DROP ROLE regress_buffer_none;
