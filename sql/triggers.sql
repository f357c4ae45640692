--
-- Triggers of every kind
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
CREATE SCHEMA trig;
-- count and tell the outcome; where it fails, the SQLSTATE alone, because the
-- words for a row that was changed behind one's back are the path's own
\i `echo "$PG_ABS_SRCDIR/sql/include/inc.sql"`
-- what fired, for which rows
CREATE TYPE trig.pair AS (a int, b int);
CREATE TABLE trig.log (n serial, event text, old text, new text);
CREATE FUNCTION trig.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trig.log (event, old, new) VALUES (
        concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, TG_LEVEL, TG_ARGV[0]),
        CASE WHEN TG_LEVEL = 'ROW' AND TG_OP <> 'INSERT' THEN OLD::text END,
        CASE WHEN TG_LEVEL = 'ROW' THEN NEW::text END);
    RETURN NEW;
END
$$;
CREATE FUNCTION pg_temp.flush_log() RETURNS TABLE (event text, old text, new text)
LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM trig.log RETURNING *)
    SELECT event, old, new FROM gone ORDER BY n
$$;

--
-- AFTER triggers
--
CREATE TABLE trig.after (k text PRIMARY KEY, detail text, count int, modified_at timestamptz);
CREATE TRIGGER t1 AFTER INSERT OR UPDATE OR DELETE ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note();
CREATE TRIGGER t2_when AFTER UPDATE ON trig.after FOR EACH ROW WHEN (OLD.count % 2 = 0 AND NEW.count > OLD.count) EXECUTE FUNCTION trig.note('when');
CREATE TRIGGER t3_of_count AFTER UPDATE OF count ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note('of count');
CREATE TRIGGER t4_of_key AFTER UPDATE OF k ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note('of key');
CREATE TRIGGER t5_of_detail AFTER UPDATE OF detail ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note('of detail');
CREATE TRIGGER t6_of_time AFTER UPDATE OF modified_at ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note('of time');
CREATE TRIGGER t7_insert_when AFTER INSERT ON trig.after FOR EACH ROW WHEN (NEW.k = 'b') EXECUTE FUNCTION trig.note('when');
CREATE TRIGGER t8_disabled AFTER INSERT OR UPDATE ON trig.after FOR EACH ROW EXECUTE FUNCTION trig.note('disabled');
ALTER TABLE trig.after DISABLE TRIGGER t8_disabled;
CREATE CONSTRAINT TRIGGER t9_deferred AFTER INSERT OR UPDATE ON trig.after DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trig.note('deferred');
SELECT pg_temp.inc('trig.after', 'a');
SELECT * FROM pg_temp.flush_log();
SELECT pg_temp.inc('trig.after', 'a');
SELECT * FROM pg_temp.flush_log();
SET client_min_messages = error;
SELECT missing_symbol.track('trig.after', fill => '{detail}');
RESET client_min_messages;
SELECT pg_temp.inc('trig.after', 'a');
SELECT * FROM pg_temp.flush_log();
SELECT missing_symbol.increment_row('trig.after', '{"k": "a", "detail": "filled"}');
SELECT * FROM pg_temp.flush_log();
-- at the end of the transaction
BEGIN;
SELECT pg_temp.inc('trig.after', 'b'), pg_temp.inc('trig.after', 'b');
SELECT event FROM pg_temp.flush_log();
SAVEPOINT s;
SELECT pg_temp.inc('trig.after', 'b');
ROLLBACK TO s;
COMMIT;
SELECT event, new FROM pg_temp.flush_log();
BEGIN;
SELECT pg_temp.inc('trig.after', 'b');
SELECT event FROM pg_temp.flush_log();
SET CONSTRAINTS ALL IMMEDIATE;
SELECT event FROM pg_temp.flush_log();
COMMIT;
-- a batch fires for each row once
SELECT * FROM missing_symbol.increment_many('trig.after', ARRAY['d', 'b', 'c', 'b', 'd']);
SELECT event, new FROM pg_temp.flush_log() ORDER BY new, event;
-- as a replica only what is meant for one fires
SET session_replication_role = replica;
SELECT pg_temp.inc('trig.after', 'a'), pg_temp.inc('trig.after', 'r');
SELECT * FROM pg_temp.flush_log();
RESET session_replication_role;
-- a trigger that fails undoes the increment
CREATE FUNCTION trig.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'refused % of %', TG_OP, NEW.k USING ERRCODE = 'P0099';
END
$$;
CREATE TRIGGER fail AFTER INSERT OR UPDATE ON trig.after FOR EACH ROW WHEN (NEW.count > 8 OR NEW.k = 'bad') EXECUTE FUNCTION trig.fail();
SELECT pg_temp.inc('trig.after', 'bad'), pg_temp.inc('trig.after', 'a'), pg_temp.inc('trig.after', 'a'), pg_temp.inc('trig.after', 'a'), pg_temp.inc('trig.after', 'a');
SELECT missing_symbol.increment_many('trig.after', ARRAY['a', 'b', 'bad', 'new']);
SELECT * FROM trig.after ORDER BY k;
DROP TABLE trig.after;
DELETE FROM trig.log;

--
-- BEFORE INSERT
--
CREATE FUNCTION trig.before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trig.log (event, new) VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_OP), NEW::text);
    CASE NEW.k
        WHEN 'null' THEN NEW.k := NULL;
        WHEN 'ignored' THEN RETURN NULL;
        WHEN 'count' THEN NEW.count := 100; NEW.created_at := '2000-01-01';
        ELSE NEW.k := lower(NEW.k);
    END CASE;
    NEW.required := 'by trigger';
    RETURN NEW;
END
$$;
CREATE TABLE trig.before (k text PRIMARY KEY, required text NOT NULL, count int, created_at timestamptz, modified_at timestamptz);
CREATE TRIGGER b AFTER INSERT OR UPDATE ON trig.before FOR EACH ROW EXECUTE FUNCTION trig.note();
CREATE TRIGGER a BEFORE INSERT ON trig.before FOR EACH ROW EXECUTE FUNCTION trig.before_insert();
SELECT k, pg_temp.inc('trig.before', k)
FROM (VALUES ('a'), ('a'), ('A'), ('B'), ('B'), ('b'), ('ignored'), ('ignored'), ('null'), ('count'), ('count')) AS v(k);
SELECT event, old, new FROM pg_temp.flush_log();
TABLE trig.before ORDER BY k;
-- a batch whose keys become one
SELECT * FROM missing_symbol.increment_many('trig.before', ARRAY['X', 'x', 'Y', 'y', 'ignored', 'ignored', 'Z']);
SELECT k, count FROM trig.before ORDER BY k;
DELETE FROM trig.log;
-- ten thousand increments fire it once
DO $$ BEGIN FOR i IN 1 .. 10000 LOOP PERFORM missing_symbol.increment('trig.before', 'often'); END LOOP; END $$;
SELECT event, count(*) FROM trig.log GROUP BY event ORDER BY event;
SELECT count FROM trig.before WHERE k = 'often';
-- a key that may be null is not for a trigger either
CREATE TABLE trig.nullable (k text, k2 trig.pair, count int, UNIQUE (k, k2));
CREATE FUNCTION trig.set_null() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.k = 'null' THEN
        NEW.k := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER n BEFORE INSERT ON trig.nullable FOR EACH ROW EXECUTE FUNCTION trig.set_null();
SELECT pg_temp.inc('trig.nullable', 'null', '(1,1)'), pg_temp.inc('trig.nullable', 'x', '(,)'), pg_temp.inc('trig.nullable', 'x', '(,)');
TABLE trig.nullable;
DROP TABLE trig.before;
DELETE FROM trig.log;

--
-- BEFORE UPDATE
--
CREATE FUNCTION trig.before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE NEW.k
        WHEN 'ignored' THEN RETURN NULL;
        WHEN 'doubled' THEN NEW.count := NEW.count + 1;
        WHEN 'renamed' THEN NEW.k := 'renamed by trigger';
        WHEN 'back' THEN NEW := OLD;
        WHEN 'null' THEN NEW.count := NULL; NEW.modified_at := NULL;
        ELSE NULL;
    END CASE;
    RETURN NEW;
END
$$;
CREATE TABLE trig.update (k text PRIMARY KEY, count int, modified_at timestamptz);
CREATE TRIGGER u BEFORE UPDATE ON trig.update FOR EACH ROW EXECUTE FUNCTION trig.before_update();
CREATE TRIGGER z AFTER INSERT OR UPDATE ON trig.update FOR EACH ROW EXECUTE FUNCTION trig.note();
SELECT k, pg_temp.inc('trig.update', k), pg_temp.inc('trig.update', k), pg_temp.inc('trig.update', k)
FROM (VALUES ('plain'), ('ignored'), ('doubled'), ('renamed'), ('back'), ('null')) AS v(k);
SELECT k, count, modified_at FROM trig.update ORDER BY k;
SELECT * FROM missing_symbol.increment_many('trig.update', ARRAY['plain', 'ignored', 'new', 'back']);
SELECT event, old, new FROM pg_temp.flush_log() WHERE new ~ 'plain|ignored|back';
-- with a throttle: ignored is not throttled
SET client_min_messages = error;
SELECT missing_symbol.track('trig.update', throttle => '1 hour');
RESET client_min_messages;
SELECT k, pg_temp.inc('trig.update', k) FROM (VALUES ('plain'), ('ignored'), ('null')) AS v(k);
SET missing_symbol.test_clock = '2026-01-01 13:00:00+00';
SELECT k, pg_temp.inc('trig.update', k) FROM (VALUES ('plain'), ('ignored'), ('null')) AS v(k);
DROP TABLE trig.update;
DELETE FROM trig.log;
-- of certain columns and rows; what a trigger makes of a row is computed, checked, indexed and referred to
CREATE FUNCTION trig.change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE NEW.k
        WHEN 'check' THEN NEW.count := 13;
        WHEN 'unique' THEN NEW.note := 'taken';
        WHEN 'referred' THEN NEW.k := 'elsewhere';
        ELSE NEW.note := concat(NEW.note, TG_NAME, ' ');
    END CASE;
    RETURN NEW;
END
$$;
CREATE TABLE trig.some (k text PRIMARY KEY, count int CHECK (count <> 13), note text, last_seen timestamptz,
    length int GENERATED ALWAYS AS (length(note)) STORED, UNIQUE (note, length));
INSERT INTO trig.some (k, count, note) VALUES ('taken', 1, 'taken'), ('check', 1, NULL), ('unique', 1, NULL), ('referred', 1, NULL);
CREATE TRIGGER counted BEFORE UPDATE OF count ON trig.some FOR EACH ROW EXECUTE FUNCTION trig.change();
CREATE TRIGGER noted BEFORE UPDATE OF note ON trig.some FOR EACH ROW EXECUTE FUNCTION trig.change();
CREATE TRIGGER second BEFORE UPDATE ON trig.some FOR EACH ROW WHEN (OLD.count > 1) EXECUTE FUNCTION trig.change();
SELECT k, pg_temp.inc('trig.some', k), pg_temp.inc('trig.some', k), pg_temp.inc('trig.some', k)
FROM (VALUES ('a'), ('check'), ('unique')) AS v(k);
CREATE TABLE trig.referring (k text REFERENCES trig.some ON UPDATE CASCADE);
INSERT INTO trig.referring VALUES ('referred');
SELECT pg_temp.inc('trig.some', 'referred');
SELECT k, count, note, length FROM trig.some ORDER BY k;
TABLE trig.referring;

--
-- Statement triggers and transition tables
--
CREATE FUNCTION trig.note_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trig.log (event, new) SELECT concat_ws(' ', TG_NAME, TG_OP), string_agg(r::text, ' ' ORDER BY r) FROM rows r;
    RETURN NULL;
END
$$;
CREATE TABLE trig.statement (k text PRIMARY KEY, count int);
CREATE TRIGGER s AFTER INSERT ON trig.statement FOR EACH STATEMENT EXECUTE FUNCTION trig.note();
CREATE TRIGGER r1 AFTER INSERT ON trig.statement REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION trig.note_rows();
CREATE TRIGGER r2 AFTER UPDATE ON trig.statement REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION trig.note_rows();
SELECT pg_temp.inc('trig.statement', 'a'), pg_temp.inc('trig.statement', 'a');
SELECT event, new FROM trig.log WHERE new IS NOT NULL ORDER BY n;
DROP TABLE trig.statement;
DELETE FROM trig.log;

--
-- Triggers that count
--
CREATE TABLE trig.totals (k text PRIMARY KEY, count bigint, first_seen timestamptz, last_seen timestamptz);
CREATE FUNCTION trig.count_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('trig.totals', TG_ARGV[0]);
    RETURN NEW;
END
$$;
-- another row of the same table, and of another one
CREATE TABLE trig.tree (k text PRIMARY KEY, parent text, count bigint);
CREATE FUNCTION trig.count_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF strpos(NEW.k, '/') > 0 THEN
        PERFORM missing_symbol.increment('trig.tree', regexp_replace(NEW.k, '/[^/]*$', ''));
    END IF;
    PERFORM missing_symbol.increment('trig.totals', 'tree');
    RETURN NEW;
END
$$;
CREATE TRIGGER up AFTER INSERT OR UPDATE ON trig.tree FOR EACH ROW EXECUTE FUNCTION trig.count_parent();
SELECT pg_temp.inc('trig.tree', 'a/b/c'), pg_temp.inc('trig.tree', 'a/b/c'), pg_temp.inc('trig.tree', 'a/x'), pg_temp.inc('trig.tree', 'a');
SELECT * FROM missing_symbol.increment_many('trig.tree', ARRAY['a/b', 'a/b/c', 'a/new/d']);
SELECT k, count FROM trig.tree ORDER BY k;
SELECT missing_symbol.value('trig.totals', 'tree');
DROP TRIGGER up ON trig.tree;
CREATE TRIGGER up BEFORE INSERT ON trig.tree FOR EACH ROW EXECUTE FUNCTION trig.count_parent();
SELECT pg_temp.inc('trig.tree', 'm/n/o'), pg_temp.inc('trig.tree', 'm/n/o'), pg_temp.inc('trig.tree', 'm/n/p');
SELECT * FROM missing_symbol.increment_many('trig.tree', ARRAY['q/r', 'q/s', 'm/n/o']);
SELECT k, count FROM trig.tree ORDER BY k;
DROP TRIGGER up ON trig.tree;
CREATE TRIGGER up BEFORE UPDATE ON trig.tree FOR EACH ROW EXECUTE FUNCTION trig.count_parent();
SELECT pg_temp.inc('trig.tree', 'a/b/c'), pg_temp.inc('trig.tree', 'a/b/c');
SELECT k, count FROM trig.tree WHERE k LIKE 'a%' ORDER BY k;
-- a batch whose first row's trigger counts the second, and the other way
CREATE FUNCTION trig.count_pair() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.k IN ('1', '4') THEN
        PERFORM missing_symbol.increment('trig.pairs', CASE NEW.k WHEN '1' THEN '2' ELSE '3' END);
    END IF;
    RETURN NEW;
END
$$;
CREATE TABLE trig.pairs (k text PRIMARY KEY, count bigint);
CREATE TRIGGER pair BEFORE INSERT ON trig.pairs FOR EACH ROW EXECUTE FUNCTION trig.count_pair();
SELECT * FROM missing_symbol.increment_many('trig.pairs', ARRAY['1', '2', '3', '4']);
TABLE trig.pairs ORDER BY k;
CREATE TRIGGER again BEFORE UPDATE ON trig.pairs FOR EACH ROW EXECUTE FUNCTION trig.count_pair();
SELECT * FROM missing_symbol.increment_many('trig.pairs', ARRAY['1', '2', '3', '4']);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM missing_symbol.increment_many('trig.pairs', ARRAY['1', '2', '3', '4']);
COMMIT;
TABLE trig.pairs ORDER BY k;
-- the same row
CREATE TABLE trig.self (k text PRIMARY KEY, count bigint);
CREATE FUNCTION trig.count_self() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment('trig.self', NEW.k);
    RETURN NEW;
END
$$;
CREATE TRIGGER after_row AFTER INSERT OR UPDATE ON trig.self FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION trig.count_self();
SELECT pg_temp.inc('trig.self', 'a'), pg_temp.inc('trig.self', 'a');
SELECT * FROM missing_symbol.increment_many('trig.self', ARRAY['a', 'b']);
TABLE trig.self ORDER BY k;
DROP TRIGGER after_row ON trig.self;
CREATE TRIGGER before_update BEFORE UPDATE ON trig.self FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION trig.count_self();
SELECT pg_temp.inc('trig.self', 'a'), pg_temp.inc('trig.self', 'new');
UPDATE trig.self SET count = count + 1 WHERE k = 'a';
DROP TRIGGER before_update ON trig.self;
CREATE TRIGGER before_insert BEFORE INSERT ON trig.self FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION trig.count_self();
SELECT pg_temp.inc('trig.self', 'a'), pg_temp.inc('trig.self', 'newer');
DROP TRIGGER before_insert ON trig.self;
SELECT pg_temp.inc('trig.self', 'a'), pg_temp.inc('trig.self', 'newer');
TABLE trig.self ORDER BY k;
-- a default that counts
CREATE FUNCTION trig.count_it(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN $1 || missing_symbol.increment('trig.totals', $1);
END
$$;
CREATE TABLE trig.defaults (k text PRIMARY KEY, d text DEFAULT trig.count_it('default'), count int);
SELECT pg_temp.inc('trig.defaults', 'x'), pg_temp.inc('trig.defaults', 'x'), pg_temp.inc('trig.defaults', 'y');
TABLE trig.defaults ORDER BY k;
-- a cast of the key that counts in the same table, before it looks at its
-- argument again
CREATE TYPE trig.number AS (x int);
CREATE TABLE trig.casts (k text PRIMARY KEY, count int);
CREATE FUNCTION trig.count_next(trig.number) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF $1.x < 4 THEN
        PERFORM missing_symbol.increment('trig.casts', ROW($1.x + 1)::trig.number);
    END IF;
    RETURN 'number ';
END
$$;
CREATE FUNCTION trig.to_text(trig.number) RETURNS text LANGUAGE sql AS $$ SELECT trig.count_next($1) || ($1).x $$;
CREATE CAST (trig.number AS text) WITH FUNCTION trig.to_text(trig.number) AS ASSIGNMENT;
SELECT missing_symbol.increment('trig.casts', ROW(1)::trig.number), missing_symbol.increment('trig.casts', ROW(3)::trig.number);
TABLE trig.casts ORDER BY k;
-- and so a domain's constraint
CREATE FUNCTION trig.count_domain(text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF $1 <> 'inner' THEN
        PERFORM missing_symbol.increment_row('trig.domains', '{"k": "inner", "d": "inner"}');
    END IF;
    RETURN true;
END
$$;
CREATE DOMAIN trig.counted AS text CHECK (trig.count_domain(VALUE)) CHECK (length(VALUE) <= 5);
CREATE TABLE trig.domains (k text PRIMARY KEY, d trig.counted, count int);
SELECT missing_symbol.increment_row('trig.domains', '{"k": "outer", "d": "outer"}');
DO $$
BEGIN
    PERFORM missing_symbol.increment_row('trig.domains', '{"k": "long", "d": "too long"}');
EXCEPTION WHEN check_violation THEN
    RAISE NOTICE 'refused';
END
$$;
TABLE trig.domains ORDER BY k;
-- an index predicate that counts while the session gets to know the table
CREATE FUNCTION trig.count_predicate() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM missing_symbol.increment('trig.totals', 'predicate');
    RETURN true;
END
$$;
CREATE TABLE trig.predicate (k text PRIMARY KEY, count int);
CREATE INDEX ON trig.predicate (count) WHERE trig.count_predicate();
\c
SET client_min_messages = warning;
SELECT missing_symbol.increment('trig.predicate', 'x'), missing_symbol.increment('trig.predicate', 'x');
SELECT missing_symbol.value('trig.totals', 'predicate') > 0 AS counted;
DROP TABLE trig.predicate;
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
\i `echo "$PG_ABS_SRCDIR/sql/include/inc.sql"`
-- a trigger that alters the table it is on is refused as under any statement
CREATE FUNCTION trig.alter_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I.%I ADD COLUMN added int', TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NEW;
END
$$;
CREATE TRIGGER alter_it BEFORE INSERT ON trig.defaults FOR EACH ROW EXECUTE FUNCTION trig.alter_it();
SELECT pg_temp.inc('trig.defaults', 'x'), pg_temp.inc('trig.defaults', 'z');
-- deferred triggers that count
CREATE TABLE trig.later (k text PRIMARY KEY, count int);
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON trig.later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trig.count_total('later');
BEGIN;
SELECT pg_temp.inc('trig.later', 'a'), pg_temp.inc('trig.later', 'a'), pg_temp.inc('trig.later', 'b');
SELECT missing_symbol.value('trig.totals', 'later');
COMMIT;
SELECT missing_symbol.value('trig.totals', 'later');
-- a batch counts what functions of defaults and CHECKs have counted
CREATE TABLE trig.numbered (k text PRIMARY KEY, count int, n int);
CREATE FUNCTION trig.number(key text DEFAULT NULL) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN key IS DISTINCT FROM 'z' THEN missing_symbol.increment('trig.numbered', 'z') ELSE 0 END;
END
$$;
INSERT INTO trig.numbered VALUES ('z', 0, 0);
ALTER TABLE trig.numbered ALTER n SET DEFAULT trig.number();
SELECT inserted, incremented FROM missing_symbol.increment_many('trig.numbered', '{a,b,z}'::text[]);
SELECT * FROM trig.numbered ORDER BY k;
ALTER TABLE trig.numbered ALTER n DROP DEFAULT, ADD CHECK (k <> 'b' OR trig.number(k) > 0) NOT VALID;
SELECT inserted, incremented FROM missing_symbol.increment_many('trig.numbered', '{a,b,z}'::text[]);
SELECT * FROM trig.numbered ORDER BY k;

-- a key that a trigger has made, where a generated column is computed after it
CREATE TABLE trig.made (k text, b int[], count int, twice numeric GENERATED ALWAYS AS (count::numeric * 2) STORED, note text, PRIMARY KEY (k, b));
CREATE FUNCTION trig.make() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.k := pg_catalog.lower(NEW.k) || pg_catalog.repeat('.', NEW.b[1]);
    NEW.b := NEW.b || 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER make BEFORE INSERT ON trig.made FOR EACH ROW EXECUTE FUNCTION trig.make();
SELECT pg_temp.inc('trig.made', 'A', '{' || n || '}') FROM generate_series(0, 60, 12) n;
SELECT inserted, incremented FROM missing_symbol.increment_rows('trig.made', '[{"k": "B", "b": [5]}, {"k": "C", "b": [25]}, {"k": "c.....", "b": [5]}]');
SELECT length(k), left(k, 1), b, count, twice FROM trig.made ORDER BY k COLLATE "C", b;
-- and one that a trigger leaves as it is
CREATE TABLE trig.left (k text PRIMARY KEY, count int, twice numeric GENERATED ALWAYS AS (count::numeric * 2) STORED);
CREATE FUNCTION trig.leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER leave BEFORE INSERT OR UPDATE ON trig.left FOR EACH ROW EXECUTE FUNCTION trig.leave();
SELECT pg_temp.inc('trig.left', repeat('x', n)), pg_temp.inc('trig.left', repeat('x', n)) FROM generate_series(1, 61, 6) n;
SELECT length(k), count, twice FROM trig.left ORDER BY 1;
CREATE TABLE trig.made_parts (k text, count int, n int, g text GENERATED ALWAYS AS (k || '-' || count) STORED, UNIQUE (k)) PARTITION BY LIST (k);
CREATE TABLE trig.made_rest (g text GENERATED ALWAYS AS (k || '-' || count) STORED, gone int, n int, k text NOT NULL, count int);
ALTER TABLE trig.made_rest DROP gone;
ALTER TABLE trig.made_parts ATTACH PARTITION trig.made_rest DEFAULT;
CREATE FUNCTION trig.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := pg_catalog.length(NEW.k); RETURN NEW; END $$;
CREATE TRIGGER none BEFORE INSERT OR UPDATE ON trig.made_parts FOR EACH ROW EXECUTE FUNCTION trig.none();
SELECT pg_temp.inc('trig.made_parts', repeat('x', n)), pg_temp.inc('trig.made_parts', repeat('x', n)) FROM generate_series(1, 81, 20) n;
SELECT n, count, length(g) FROM trig.made_parts ORDER BY n;

-- a trigger that keeps the row as it was, before others that look at it
CREATE TABLE trig.kept (k text PRIMARY KEY, count numeric, note text);
CREATE FUNCTION trig.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON trig.kept FOR EACH ROW EXECUTE FUNCTION trig.keep();
CREATE TRIGGER note AFTER UPDATE ON trig.kept FOR EACH ROW WHEN (NEW.note = repeat('n', 100) AND NEW.count = 12345) EXECUTE FUNCTION trig.note('kept');
INSERT INTO trig.kept SELECT n, 12345, repeat('n', 100) FROM generate_series(1, 3) n;
SELECT pg_temp.inc('trig.kept', '1');
SELECT incremented, ignored FROM missing_symbol.increment_many('trig.kept', '{1,2,3}'::text[]);
SELECT event, count(*) FROM trig.log WHERE event LIKE '% kept' GROUP BY 1;
SELECT k, count, length(note) FROM trig.kept ORDER BY k;

SET client_min_messages = warning;
DROP SCHEMA trig CASCADE;
