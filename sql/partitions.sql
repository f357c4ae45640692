--
-- Partitioned tables: counted in their leaves, with the named table's rights,
-- defaults and triggers, as core has them
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
CREATE SCHEMA part;
-- count and tell the outcome; the words where it fails, but not the row, whose
-- columns come in another order before 14
CREATE FUNCTION pg_temp.inc(target text, fields jsonb, by bigint = 1) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    n := missing_symbol.increment_row(target, fields, by);
    RETURN concat_ws(' ', COALESCE(n::text, '(null)'), (missing_symbol.last_increment()).outcome);
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
CREATE TYPE part.pair AS (a int, b int);
CREATE TABLE part.log (n serial, event text, old text, new text);
CREATE FUNCTION part.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO part.log (event, old, new) VALUES (
        concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, TG_TABLE_NAME),
        CASE WHEN TG_LEVEL = 'ROW' AND TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END,
        CASE WHEN TG_LEVEL = 'ROW' THEN to_jsonb(NEW)::text END);
    RETURN NEW;
END
$$;
CREATE FUNCTION pg_temp.flush_log() RETURNS TABLE (event text, old text, new text)
LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM part.log RETURNING *)
    SELECT event, old, new FROM gone ORDER BY n
$$;

--
-- Columns arranged in another way, dropped ones, generated ones, constraints of
-- the leaf alone
--
CREATE TABLE part.days (
    gone int, site text NOT NULL, day date NOT NULL, count int NOT NULL, note text DEFAULT 'note', agent text,
    created_at timestamptz, modified_at timestamptz, id int DEFAULT 7,
    twice int GENERATED ALWAYS AS (count * 2) STORED,
    PRIMARY KEY (site, day)) PARTITION BY RANGE (day);
ALTER TABLE part.days DROP gone;
CREATE TABLE part.jan PARTITION OF part.days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE part.feb (
    twice int GENERATED ALWAYS AS (count * 2) STORED, modified_at timestamptz, agent text, id int DEFAULT 99, dropped text,
    count int NOT NULL CHECK (count < 5), day date NOT NULL, note text DEFAULT 'not asked', created_at timestamptz, site text NOT NULL);
ALTER TABLE part.feb DROP dropped;
ALTER TABLE part.days ATTACH PARTITION part.feb FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE part.rest PARTITION OF part.days DEFAULT PARTITION BY LIST (site);
CREATE TABLE part.rest_a PARTITION OF part.rest FOR VALUES IN ('a');
CREATE TABLE part.rest_b (site text NOT NULL, agent text NOT NULL, day date NOT NULL, count int NOT NULL, created_at timestamptz,
    note text, modified_at timestamptz, twice int GENERATED ALWAYS AS (count * 2) STORED, id int);
ALTER TABLE part.rest ATTACH PARTITION part.rest_b FOR VALUES IN ('b');
CREATE VIEW part.seen AS SELECT tableoid::regclass, site, day, count, note, agent, created_at, modified_at, id, twice FROM part.days;
SELECT d, pg_temp.inc('part.days', jsonb_build_object('site', 'a', 'day', d)), pg_temp.inc('part.days', jsonb_build_object('site', 'a', 'day', d), 2)
FROM (VALUES ('2026-01-01'), ('2026-01-31'), ('2026-02-01'), ('2026-02-28'), ('2026-03-01'), ('infinity')) v(d);
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-01"}', -3), pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-01"}', 9),
       pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-02"}', 5), pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-01"}', 2147483647),
       pg_temp.inc('part.days', '{"site": "b", "day": "2026-03-01"}'), pg_temp.inc('part.days', '{"site": "b", "day": "2026-03-01", "agent": "x"}'),
       pg_temp.inc('part.days', '{"site": "c", "day": "2026-03-01"}');
SELECT * FROM part.seen ORDER BY day, site;
-- a partitioned partition that is named takes what belongs there only
SELECT pg_temp.inc('part.rest', '{"site": "a", "day": "2026-04-01"}'), pg_temp.inc('part.rest', '{"site": "a", "day": "2026-04-01"}'),
       pg_temp.inc('part.rest', '{"site": "a", "day": "2026-01-31"}'), pg_temp.inc('part.rest', '{"site": "b", "day": "2026-02-01", "agent": "x"}');
-- the clock, a last_seen that stays, details
SET client_min_messages = error;
SELECT missing_symbol.track('part.days', fill => '{agent}');
RESET client_min_messages;
SET missing_symbol.test_clock = '2026-01-01 13:00:00+00';
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-28", "agent": "filled"}'), pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-28", "agent": "not again"}');
SET missing_symbol.test_clock = '2026-01-01 11:00:00+00';
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-28", "note": "for a new one"}');
SELECT * FROM part.seen WHERE day = '2026-02-28';
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-28"}', -4);
-- batches, in all leaves; values, totals
\set VERBOSITY terse
SELECT * FROM missing_symbol.increment_rows('part.days', (
    SELECT jsonb_agg(jsonb_build_object('site', s, 'day', d::date, 'agent', 'batch')) FROM unnest('{a,b}'::text[]) s, generate_series('2026-01-30'::date, '2026-03-03', '1 day') d));
SELECT tableoid, count(*), sum(count), min(agent), max(note), min(id), sum(twice) FROM part.seen GROUP BY 1 ORDER BY 1;
SELECT missing_symbol.value('part.days', 'a', '2026-02-28'), (SELECT sum(count) FROM missing_symbol.total(NULL::part.days));
-- a throttle
SELECT missing_symbol.untrack('part.days');
SET client_min_messages = error;
SELECT missing_symbol.track('part.days', throttle => '1 hour');
RESET client_min_messages;
SET missing_symbol.test_clock = '2026-01-02 12:00:00+00';
SELECT pg_temp.inc('part.days', jsonb_build_object('site', 'a', 'day', d)), pg_temp.inc('part.days', jsonb_build_object('site', 'a', 'day', d))
FROM (VALUES ('2026-01-01'), ('2026-02-28'), ('2026-03-01')) v(d);
SELECT missing_symbol.untrack('part.days');
-- savepoints, higher isolation, what waits
SELECT missing_symbol.track('part.days', spill => true);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-03"}');
SAVEPOINT s;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-03"}'), pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-04"}');
ROLLBACK TO s;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-03"}');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-03"}'), pg_temp.inc('part.days', '{"site": "z", "day": "2026-02-03", "note": "serializable"}');
COMMIT;
SET missing_symbol.apply = 'commit';
BEGIN;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-03"}', -2), pg_temp.inc('part.days', '{"site": "b", "day": "2026-02-03", "note": "at commit"}'),
       pg_temp.inc('part.days', '{"site": "a", "day": "2026-01-03", "agent": "at commit"}');
COMMIT;
RESET missing_symbol.apply;
SELECT * FROM part.seen WHERE extract(day FROM day) = 3 AND day < '2026-03-01' ORDER BY day, site;

--
-- Rights, row security, rules and statement triggers are those of the table
-- that is named
--
CREATE ROLE regress_ms_part;
GRANT USAGE ON SCHEMA part TO regress_ms_part;
GRANT SELECT (site, day, count, created_at, modified_at), INSERT (site, day, count, created_at, modified_at), UPDATE (count, modified_at) ON part.days TO regress_ms_part;
CREATE RULE r AS ON INSERT TO part.jan DO INSTEAD NOTHING;
ALTER TABLE part.jan ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER statement AFTER INSERT OR UPDATE ON part.jan FOR EACH STATEMENT EXECUTE FUNCTION part.note();
SET ROLE regress_ms_part;
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-01-05"}'), pg_temp.inc('part.days', '{"site": "a", "day": "2026-01-05"}'),
       pg_temp.inc('part.days', '{"site": "r", "day": "2026-02-05"}'), pg_temp.inc('part.days', '{"site": "r", "day": "2026-02-05", "note": "x"}'),
       pg_temp.inc('part.days', '{"site": "r", "day": "2026-02-05"}', 9), pg_temp.inc('part.jan', '{"site": "a", "day": "2026-01-05"}');
RESET ROLE;
SELECT * FROM pg_temp.flush_log();
DROP RULE r ON part.jan;
DROP TRIGGER statement ON part.jan;
CREATE TRIGGER statement AFTER INSERT OR UPDATE ON part.days FOR EACH STATEMENT EXECUTE FUNCTION part.note();
SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-01-05"}');
SELECT * FROM pg_temp.flush_log();
DROP TRIGGER statement ON part.days;
ALTER TABLE part.days ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON part.days USING (site <> 'hidden') WITH CHECK (site <> 'forbidden');
INSERT INTO part.days VALUES ('hidden', '2026-02-06', 1);
SET ROLE regress_ms_part;
SELECT s, pg_temp.inc('part.days', jsonb_build_object('site', s, 'day', '2026-02-06')) FROM unnest('{seen,seen,hidden,forbidden}'::text[]) s;
RESET ROLE;
ALTER TABLE part.days DISABLE ROW LEVEL SECURITY;

--
-- Row triggers of leaves, and of all; UPDATE OF in another order of columns
--
CREATE TRIGGER of_count AFTER UPDATE OF count ON part.feb FOR EACH ROW EXECUTE FUNCTION part.note();
CREATE TRIGGER of_site AFTER UPDATE OF site ON part.feb FOR EACH ROW EXECUTE FUNCTION part.note();
CREATE TRIGGER of_time AFTER UPDATE OF modified_at ON part.feb FOR EACH ROW WHEN (OLD.count % 2 = 1) EXECUTE FUNCTION part.note();
CREATE TRIGGER of_all AFTER INSERT OR UPDATE ON part.days FOR EACH ROW WHEN (NEW.site = 't') EXECUTE FUNCTION part.note();
CREATE TRIGGER before_new BEFORE INSERT ON part.feb FOR EACH ROW EXECUTE FUNCTION part.note();
SELECT d, pg_temp.inc('part.days', jsonb_build_object('site', 't', 'day', d)), pg_temp.inc('part.days', jsonb_build_object('site', 't', 'day', d))
FROM (VALUES ('2026-01-07'), ('2026-02-07')) v(d);
SELECT * FROM pg_temp.flush_log();
SELECT * FROM missing_symbol.increment_rows('part.days', '[{"site": "t", "day": "2026-02-07"}, {"site": "t", "day": "2026-02-08"}, {"site": "t", "day": "2026-01-07"}]');
SELECT event, new::jsonb ->> 'day' AS day FROM pg_temp.flush_log();
DROP TRIGGER of_all ON part.days;
-- what a BEFORE INSERT trigger makes of a row
CREATE FUNCTION part.change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.site = 'nothing' THEN
        RETURN NULL;
    END IF;
    NEW.day := CASE NEW.site WHEN 'moved' THEN date '2026-01-09' WHEN 'other' THEN date '2026-02-20' ELSE NEW.day END;
    NEW.note := 'changed';
    NEW.count := NEW.count + 100 * (NEW.site = 'many')::int;
    RETURN NEW;
END
$$;
CREATE TRIGGER change BEFORE INSERT ON part.feb FOR EACH ROW EXECUTE FUNCTION part.change();
SELECT s, pg_temp.inc('part.days', jsonb_build_object('site', s, 'day', '2026-02-09')), pg_temp.inc('part.days', jsonb_build_object('site', s, 'day', '2026-02-09'))
FROM unnest('{as it is,moved,other,nothing,many}'::text[]) s;
SELECT * FROM part.seen WHERE note = 'changed' ORDER BY site;
DROP TRIGGER change ON part.feb;
CREATE TRIGGER change BEFORE INSERT ON part.days FOR EACH ROW EXECUTE FUNCTION part.change();
SELECT s, pg_temp.inc('part.days', jsonb_build_object('site', s, 'day', '2026-02-10')) FROM unnest('{as it is,moved,other,nothing}'::text[]) s;
DROP TRIGGER change ON part.days;
DELETE FROM part.log;
-- BEFORE UPDATE of one leaf, in a batch with others
CREATE FUNCTION part.even() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.count % 2 = 0 THEN NEW END; END $$;
CREATE TRIGGER even BEFORE UPDATE ON part.jan FOR EACH ROW EXECUTE FUNCTION part.even();
SELECT * FROM missing_symbol.increment_rows('part.days', '[{"site": "e", "day": "2026-01-09"}, {"site": "e", "day": "2026-02-09"}, {"site": "a", "day": "2026-03-09"}]');
SELECT * FROM missing_symbol.increment_rows('part.days', '[{"site": "e", "day": "2026-01-09"}, {"site": "e", "day": "2026-02-09"}, {"site": "a", "day": "2026-03-09"}]');
SELECT * FROM missing_symbol.increment_rows('part.days', '[{"site": "e", "day": "2026-01-09"}, {"site": "e", "day": "2026-02-09"}, {"site": "a", "day": "2026-03-09"}]');
SELECT tableoid, site, day, count FROM part.seen WHERE extract(day FROM day) = 9 AND site IN ('e', 'a') ORDER BY day;
DROP TRIGGER even ON part.jan;
-- a trigger that counts in the same table, in another leaf
CREATE FUNCTION part.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment_row('part.days', jsonb_build_object('site', 'again', 'day', NEW.day + 28));
    RETURN NULL;
END
$$;
CREATE TRIGGER again AFTER INSERT OR UPDATE ON part.jan FOR EACH ROW WHEN (NEW.site <> 'again') EXECUTE FUNCTION part.again();
SELECT * FROM missing_symbol.increment_rows('part.days', '[{"site": "e", "day": "2026-01-09"}, {"site": "again", "day": "2026-02-06"}, {"site": "f", "day": "2026-01-09"}]');
SELECT site, day, count FROM part.seen WHERE site IN ('again', 'f') OR (site = 'e' AND day = '2026-01-09') ORDER BY 1, 2;
DROP TRIGGER again ON part.jan;
DROP TRIGGER of_count ON part.feb;
DROP TRIGGER of_site ON part.feb;
DROP TRIGGER of_time ON part.feb;
DROP TRIGGER before_new ON part.feb;

--
-- Partitions and what they have come and go between two calls
--
CREATE TABLE part.keys (k int PRIMARY KEY, count bigint) PARTITION BY RANGE (k);
SELECT pg_temp.inc('part.keys', '{"k": 1}');
CREATE TABLE part.low PARTITION OF part.keys FOR VALUES FROM (MINVALUE) TO (10);
SELECT pg_temp.inc('part.keys', '{"k": 1}'), pg_temp.inc('part.keys', '{"k": 10}');
CREATE TABLE part.high (count bigint, k int NOT NULL);
INSERT INTO part.high VALUES (100, 10);
ALTER TABLE part.keys ATTACH PARTITION part.high FOR VALUES FROM (10) TO (20);
SELECT pg_temp.inc('part.keys', '{"k": 1}'), pg_temp.inc('part.keys', '{"k": 10}'), pg_temp.inc('part.keys', '{"k": 20}');
ALTER TABLE part.keys DETACH PARTITION part.low;
SELECT pg_temp.inc('part.keys', '{"k": 1}'), pg_temp.inc('part.low', '{"k": 1}'), pg_temp.inc('part.keys', '{"k": 10}');
-- the same table, with its columns in another order
CREATE TABLE part.low2 (count bigint, junk text, k int NOT NULL);
INSERT INTO part.low2 SELECT count, 'junk', k FROM part.low;
DROP TABLE part.low;
ALTER TABLE part.low2 DROP junk;
ALTER TABLE part.low2 RENAME TO low;
ALTER TABLE part.keys ATTACH PARTITION part.low FOR VALUES FROM (MINVALUE) TO (10);
SELECT pg_temp.inc('part.keys', '{"k": 1}'), pg_temp.inc('part.keys', '{"k": 2}');
-- a DEFAULT partition is split
CREATE TABLE part.rest_keys PARTITION OF part.keys DEFAULT;
SELECT pg_temp.inc('part.keys', '{"k": 20}'), pg_temp.inc('part.keys', '{"k": 30}'), pg_temp.inc('part.keys', '{"k": 20}');
BEGIN;
CREATE TABLE part.twenties (LIKE part.keys INCLUDING ALL);
WITH moved AS (DELETE FROM part.rest_keys WHERE k BETWEEN 20 AND 29 RETURNING *) INSERT INTO part.twenties SELECT * FROM moved;
ALTER TABLE part.keys ATTACH PARTITION part.twenties FOR VALUES FROM (20) TO (30);
SELECT pg_temp.inc('part.keys', '{"k": 20}'), pg_temp.inc('part.keys', '{"k": 21}'), pg_temp.inc('part.keys', '{"k": 30}');
COMMIT;
SELECT pg_temp.inc('part.keys', '{"k": 20}'), pg_temp.inc('part.keys', '{"k": 21}'), pg_temp.inc('part.keys', '{"k": 30}');
SELECT tableoid::regclass, * FROM part.keys ORDER BY k;
-- in one transaction; undone
BEGIN;
SELECT pg_temp.inc('part.keys', '{"k": 20}');
SAVEPOINT s;
ALTER TABLE part.keys DETACH PARTITION part.twenties;
SELECT pg_temp.inc('part.keys', '{"k": 20}');
ROLLBACK TO s;
SELECT pg_temp.inc('part.keys', '{"k": 20}');
ROLLBACK;
SELECT pg_temp.inc('part.keys', '{"k": 20}');
-- a leaf changes: a constraint, a column's place in storage, an index, TRUNCATE
ALTER TABLE part.twenties ADD CHECK (count < 7);
SELECT pg_temp.inc('part.keys', '{"k": 20}'), pg_temp.inc('part.keys', '{"k": 20}');
ALTER TABLE part.keys ADD note text DEFAULT 'added';
CREATE UNIQUE INDEX ON part.twenties (note, k);
SELECT pg_temp.inc('part.keys', '{"k": 21}'), pg_temp.inc('part.keys', '{"k": 22}'), pg_temp.inc('part.keys', '{"k": 3, "note": "given"}');
CREATE UNIQUE INDEX by_note ON part.low (note) WHERE note <> 'added';
SELECT pg_temp.inc('part.keys', '{"k": 4, "note": "given"}'), pg_temp.inc('part.keys', '{"k": 4, "note": "other"}'), pg_temp.inc('part.keys', '{"k": 4}');
CREATE INDEX by_words ON part.low USING gin (to_tsvector('simple', note));
SELECT pg_temp.inc('part.keys', '{"k": 4}'), pg_temp.inc('part.keys', '{"k": 5, "note": "five"}');
DROP INDEX part.by_words, part.by_note;
SET client_min_messages = error;
SELECT missing_symbol.track('part.keys', fill => '{note}');
RESET client_min_messages;
SELECT pg_temp.inc('part.keys', '{"k": 6, "note": null}'), pg_temp.inc('part.keys', '{"k": 6, "note": "filled"}'), pg_temp.inc('part.keys', '{"k": 6, "note": "not again"}'),
       pg_temp.inc('part.keys', '{"k": 11, "note": null}'), pg_temp.inc('part.keys', '{"k": 11, "note": "filled"}');
SELECT * FROM missing_symbol.increment_rows('part.keys', '[{"k": 31, "note": null}, {"k": 7, "note": null}, {"k": 31, "note": "merged"}, {"k": 7, "note": "merged"}, {"k": 6, "note": "x"}]');
TRUNCATE part.twenties;
VACUUM FULL part.high;
SELECT pg_temp.inc('part.keys', '{"k": 20}'), pg_temp.inc('part.keys', '{"k": 10}');
SELECT tableoid::regclass, k, count, note FROM part.keys ORDER BY k;

--
-- Foreign keys, to and from
--
CREATE TABLE part.sites (site int PRIMARY KEY);
INSERT INTO part.sites SELECT generate_series(1, 4);
CREATE TABLE part.visits (site int REFERENCES part.sites, count int, PRIMARY KEY (site)) PARTITION BY HASH (site);
SELECT format('CREATE TABLE part.visits_%s PARTITION OF part.visits FOR VALUES WITH (MODULUS 3, REMAINDER %s)', i, i) FROM generate_series(0, 2) i \gexec
CREATE TABLE part.details (site int PRIMARY KEY REFERENCES part.visits ON UPDATE CASCADE ON DELETE CASCADE, what text);
SELECT i, pg_temp.inc('part.visits', jsonb_build_object('site', i)), pg_temp.inc('part.visits', jsonb_build_object('site', i)) FROM generate_series(1, 5) i;
INSERT INTO part.details SELECT site, 'x' FROM part.visits;
SELECT inserted, incremented FROM missing_symbol.increment_many('part.visits', '{4,1,2,1,3}'::int[]);
SELECT (SELECT count(DISTINCT tableoid) FROM part.visits), count(*), sum(count) FROM part.visits JOIN part.details USING (site);

--
-- Several columns, of types that compare in their own way; lists with NULL
--
CREATE TABLE part.many (a numeric, b text COLLATE "C", c timestamptz, count numeric, PRIMARY KEY (c, b, a)) PARTITION BY RANGE (a, b);
CREATE TABLE part.many_low PARTITION OF part.many FOR VALUES FROM (MINVALUE, MINVALUE) TO (1, 'm');
CREATE TABLE part.many_high PARTITION OF part.many FOR VALUES FROM (1, 'm') TO (MAXVALUE, MAXVALUE) PARTITION BY HASH (c, a);
CREATE TABLE part.many_0 (count numeric, c timestamptz NOT NULL, b text COLLATE "C" NOT NULL, a numeric NOT NULL);
ALTER TABLE part.many_high ATTACH PARTITION part.many_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part.many_1 PARTITION OF part.many_high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT count(pg_temp.inc('part.many', jsonb_build_object('a', a, 'b', b, 'c', '2026-01-01'::timestamptz + c * interval '1 hour')))
FROM unnest('{0.0,1,1.00,1.0,2,-0}'::numeric[]) a, unnest('{a,l,m,z}'::text[]) b, generate_series(1, 4) c;
SELECT count(*), sum(count), count(DISTINCT tableoid) FROM part.many;
SELECT missing_symbol.increment_amount('part.many', 0.25, '{"a": "1.000", "b": "m", "c": "2026-01-01 02:00:00+00"}'::jsonb);
SELECT a, count FROM part.many WHERE b = 'm' AND c = '2026-01-01 02:00:00+00' ORDER BY a;
CREATE TABLE part.kinds (kind text, k int, count int, UNIQUE (k, kind)) PARTITION BY LIST (kind);
CREATE TABLE part.kinds_null PARTITION OF part.kinds FOR VALUES IN (NULL, 'x');
CREATE TABLE part.kinds_ab PARTITION OF part.kinds FOR VALUES IN ('a', 'b');
SELECT k, pg_temp.inc('part.kinds', jsonb_build_object('kind', k, 'k', 1)), pg_temp.inc('part.kinds', jsonb_build_object('kind', k, 'k', 1))
FROM unnest('{a,b,x,c,NULL}'::text[]) k;

--
-- More leaves than are remembered
--
CREATE TABLE part.wide (k int PRIMARY KEY, count int) PARTITION BY LIST (k);
SELECT format('CREATE TABLE part.wide_%s PARTITION OF part.wide FOR VALUES IN (%s)', i, i) FROM generate_series(1, 150) i \gexec
SELECT * FROM missing_symbol.increment_many('part.wide', ARRAY(SELECT generate_series(1, 150)));
SELECT count(pg_temp.inc('part.wide', jsonb_build_object('k', i))) FROM generate_series(1, 150) i;
SELECT count(*), min(count), max(count) FROM part.wide;

SELECT pg_temp.inc('part.days', '{"site": "a", "day": "2026-02-01"}');
SET client_min_messages = warning;
DROP SCHEMA part CASCADE;
DROP ROLE regress_ms_part;
