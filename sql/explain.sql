-- explain_analyze: a statement and its setup are run and undone.
SET client_min_messages = warning;
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
CREATE SCHEMA explained;
SET search_path = explained;
CREATE TABLE customer (id int PRIMARY KEY, name text);
CREATE TABLE purchase (
    id serial PRIMARY KEY,
    customer int REFERENCES customer DEFERRABLE INITIALLY DEFERRED,
    amount int NOT NULL CHECK (amount < 1000),
    doubled int GENERATED ALWAYS AS (amount * 2) STORED,
    code text UNIQUE);
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (100) TO (200);
CREATE TABLE trail (id serial, what text);
CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trail (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME);
    RETURN NULL;
END$$;
CREATE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON purchase
    FOR EACH ROW EXECUTE FUNCTION follow();
CREATE TABLE big AS
    SELECT i AS id, i % 1000 AS k, 'row ' || i AS v
    FROM generate_series(1, 20000) i;
INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 10) i;
INSERT INTO purchase (customer, amount, code)
    SELECT 1 + i % 10, i, 'p' || i FROM generate_series(1, 50) i;
INSERT INTO parted SELECT i, 'v' || i FROM generate_series(0, 199) i;
VACUUM ANALYZE customer, purchase, parted, trail, big;

-- plans without numbers, and what comes after them
CREATE FUNCTION plan(query text, params text[] = NULL, setup text = NULL,
                     format text = 'text')
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(line, ' *\((cost|actual)=.*| time=.*|, search_path = ''explained''|search_path = ''explained'', ', '')
    FROM missing_symbol.explain_analyze(query, params, setup, format) line
    WHERE line !~ '^ *(Buffers|WAL|I/O|Index Searches|Heap Fetches|Batches|Planning|Execution|Rows Removed|Serialization|Heap Blocks|Sort Method|JIT|Storage|Replaces|Settings: search_path = ''explained''$)'
$$;
CREATE FUNCTION notes(query text, params text[] = NULL, setup text = NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT json_array_elements_text(
        missing_symbol.explain_analyze(query, params, setup, 'json')::json -> -1 -> 'Notes')
$$;
-- the rows of every table, and where they are
CREATE FUNCTION checksum() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r regclass;
    one text;
    result text = '';
BEGIN
    FOR r IN SELECT oid FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'explained'::regnamespace
             ORDER BY relname
    LOOP
        EXECUTE format('SELECT md5(string_agg(ctid::text || xmin || t::text, '','' ORDER BY ctid)) FROM %s t', r)
        INTO one;
        result = result || r::text || coalesce(one, '') || E'\n';
    END LOOP;
    RETURN result;
END$$;
-- runs it, says whether anything has changed, and what it notes
CREATE FUNCTION undone(query text, params text[] = NULL, setup text = NULL)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    before text = checksum();
    lines text[];
BEGIN
    BEGIN
        lines = ARRAY(SELECT * FROM notes(query, params, setup));
    EXCEPTION WHEN OTHERS THEN
        lines = ARRAY['error ' || SQLSTATE || ': ' || SQLERRM];
    END;
    RETURN NEXT CASE WHEN checksum() = before THEN 'undone' ELSE 'CHANGED' END;
    RETURN QUERY SELECT unnest(lines);
END$$;

-- EXPLAIN's own output, with parameters of the types that the statement has
SELECT plan('SELECT * FROM customer WHERE id = $1', '{3}');
SELECT plan('SELECT * FROM big WHERE k = $1 AND v > $2', ARRAY['7', NULL]);
SELECT plan('VALUES (1)');
SELECT plan('TABLE customer');
SELECT line ~ '^Seq Scan on customer  \(cost=.* rows=10 .*\) \(actual time=.* rows=10(\.00)? loops=1\)$' AS all_there
FROM missing_symbol.explain_analyze('SELECT * FROM customer') line LIMIT 1;
SELECT string_agg(DISTINCT substring(line FROM '^ *(Buffers|WAL|Planning Time|Execution Time|Settings)'), ', ')
FROM missing_symbol.explain_analyze('UPDATE purchase SET amount = 1', NULL, 'SET LOCAL enable_hashjoin = off') line;
SELECT d -> 0 -> 'Plan' ->> 'Relation Name' AS relation, d -> 0 -> 'Plan' ->> 'Actual Rows' IN ('10', '10.00') AS rows,
       d -> 0 -> 'Settings' ->> 'enable_hashjoin' AS setting, json_array_length(d) AS elements, d -> 1 -> 'Notes' AS notes
FROM missing_symbol.explain_analyze('SELECT * FROM customer', NULL, 'SET enable_hashjoin = off', 'json') t(j), LATERAL (SELECT j::json) json(d);
SHOW enable_hashjoin;
SELECT xpath('//e:Relation-Name/text()', x::xml, '{{e,http://www.postgresql.org/2009/explain}}') AS relation,
       xpath('/e:explain/e:Analysis/e:Notes', x::xml, '{{e,http://www.postgresql.org/2009/explain}}')::text ~ 'Notes' AS notes
FROM missing_symbol.explain_analyze('SELECT * FROM customer', format => 'xml') x;
SELECT y ~ '^- Plan: ' AS plan, y ~ '\n- .*Notes:' AS notes
FROM missing_symbol.explain_analyze('SELECT * FROM customer', format => 'YAML') y;

-- what EXPLAIN accepts besides
PREPARE of_customer (int) AS SELECT * FROM customer WHERE id = $1;
SELECT plan('EXECUTE of_customer (4)');
SELECT plan('DECLARE c CURSOR FOR SELECT * FROM customer');
SELECT plan('CREATE TABLE copied AS SELECT * FROM customer');
SELECT plan('SELECT * INTO copied FROM customer');
SELECT plan('CREATE MATERIALIZED VIEW copied AS SELECT * FROM customer');
SELECT to_regclass('copied');

-- a what-if
SELECT plan('SELECT * FROM big WHERE k = $1', '{7}');
SELECT plan('SELECT * FROM big WHERE k = $1', '{7}', 'CREATE INDEX big_k ON big (k); ANALYZE big');
SELECT plan('SELECT * FROM big WHERE k = 7 AND v = ''new''', NULL,
            'UPDATE big SET v = ''new'' WHERE k = 7; SET enable_sort = off');
SELECT count(*) FROM pg_indexes WHERE tablename = 'big';
SELECT count(*) FROM big WHERE v = 'new';
SHOW enable_sort;
-- what its plan tells, and what would help
SELECT DISTINCT jsonb_pretty(missing_symbol.explain_analyze('SELECT * FROM big WHERE k = $1', '{7}', format => 'json')::jsonb -> 1 -> 'Findings');
SELECT f ->> 'Kind' AS kind, f ->> 'Suggestion' ~ '^SET work_mem = ''[0-9]+MB''$' AS suggestion
FROM missing_symbol.explain_analyze('SELECT * FROM big ORDER BY v', NULL, 'SET work_mem = ''64kB''', 'json') j,
     json_array_elements(j::json -> 1 -> 'Findings') f;
CREATE TABLE refers AS SELECT i AS id, NULL::int AS customer FROM generate_series(1, 5000) i;
ALTER TABLE refers ADD FOREIGN KEY (customer) REFERENCES customer;
SELECT plan('DELETE FROM customer WHERE id < 10');
SELECT plan('DELETE FROM customer WHERE id < 10', NULL, 'CREATE INDEX ON refers (customer)');
DROP TABLE refers;
-- rows that were updated in place keep a new index from this transaction
BEGIN;
CREATE TABLE fresh (id int, k int) WITH (fillfactor = 50);
INSERT INTO fresh SELECT i, i FROM generate_series(1, 10000) i;
UPDATE fresh SET k = k + 1 WHERE id < 50;
SELECT plan('SELECT * FROM fresh WHERE k = 7', NULL, 'CREATE INDEX fresh_k ON fresh (k)');
ROLLBACK;

-- each kind of DML, with triggers, generated columns, partitions, sequences
SELECT undone('INSERT INTO purchase (customer, amount, code) VALUES ($1, $2, $3)', '{1, 5, new}');
SELECT undone('UPDATE purchase SET amount = amount + 1');
SELECT undone('UPDATE purchase SET amount = amount + 1 RETURNING *');
SELECT undone('DELETE FROM purchase WHERE amount > 10');
SELECT undone('INSERT INTO purchase (amount, code) VALUES (1, ''p1'') ON CONFLICT (code) DO UPDATE SET amount = purchase.amount + 1');
SELECT undone('INSERT INTO purchase (amount, code) VALUES (1, ''p1'') ON CONFLICT DO NOTHING');
SELECT undone('UPDATE parted SET id = id + 100 WHERE id < 50 AND id NOT IN (SELECT id - 100 FROM parted WHERE id > 99)');
SELECT undone('UPDATE parted SET id = id + 100 WHERE id = 5', NULL, 'DELETE FROM parted WHERE id = 105');
SELECT undone('WITH gone AS (DELETE FROM trail RETURNING *) INSERT INTO customer SELECT id + 100, what FROM gone');
SELECT undone('CREATE TABLE copied AS SELECT * FROM customer');
SELECT undone('SELECT * FROM customer FOR UPDATE');
SELECT undone('DELETE FROM big', NULL, 'TRUNCATE customer, purchase; DROP TABLE parted');
-- errors pass on unchanged
SELECT undone('INSERT INTO purchase (amount, code) SELECT 1000 - i, ''x'' || i FROM generate_series(5, 0, -1) i');
SELECT undone('SELECT 1 / 0', NULL, 'DELETE FROM big');
SELECT undone('SELECT 1', NULL, 'DELETE FROM big; SELECT 1 / 0');
SELECT undone('SELECT 1', NULL, 'COMMIT');
SELECT undone('SELECT 1', NULL, 'COPY big TO STDOUT');
SELECT undone('SELECT 1', NULL, 'VACUUM big');
SELECT undone('SELECT 1', NULL, 'CREATE INDEX CONCURRENTLY ON big (k)');
SELECT missing_symbol.explain_analyze('SELECT nowhere FROM big');
SELECT missing_symbol.explain_analyze('SELECT 1 FROM');
SELECT missing_symbol.explain_analyze('SELECT 1 / 0');
SELECT missing_symbol.explain_analyze('SELECT 1', setup => 'SELECT 1 FROM');
\set VERBOSITY sqlstate
SELECT missing_symbol.explain_analyze(NULL);
SELECT missing_symbol.explain_analyze('');
SELECT missing_symbol.explain_analyze('SELECT 1; SELECT 2');
SELECT missing_symbol.explain_analyze('SELECT 1', format => 'html');
SELECT missing_symbol.explain_analyze('SELECT $1::int', '{one}');
SELECT missing_symbol.explain_analyze('SELECT $1::int');
SELECT missing_symbol.explain_analyze('SELECT $1::int', '{1,2}');
SELECT missing_symbol.explain_analyze('SELECT $1::int', '{{1}}');
SELECT missing_symbol.explain_analyze('SELECT $2::int', '{1,2}');
SELECT missing_symbol.explain_analyze('CREATE TABLE copied AS SELECT id FROM customer WHERE id = $1', '{x}');
\set VERBOSITY default
SELECT missing_symbol.explain_analyze('VACUUM big');
SELECT missing_symbol.explain_analyze('EXPLAIN SELECT 1');
SELECT missing_symbol.explain_analyze('CALL nothing()');
SELECT missing_symbol.explain_analyze('COPY big TO STDOUT');
SELECT missing_symbol.explain_analyze('REFRESH MATERIALIZED VIEW big');
SELECT missing_symbol.explain_analyze('SELECT 1; SELECT 2');

-- the caller's transaction goes on and commits its own work
BEGIN;
INSERT INTO customer VALUES (11, 'mine');
SAVEPOINT a;
UPDATE customer SET name = 'mine too' WHERE id = 11;
SELECT undone('DELETE FROM customer WHERE id = 11');
SELECT undone('SELECT 1 / 0', NULL, 'DELETE FROM customer WHERE id = 11');
RELEASE a;
SAVEPOINT b;
SELECT missing_symbol.explain_analyze('SELECT 1 / 0');
ROLLBACK TO b;
DECLARE open CURSOR FOR SELECT id FROM customer ORDER BY id;
FETCH 2 FROM open;
SELECT undone('DELETE FROM customer WHERE id > 1');
FETCH 1 FROM open;
COMMIT;
SELECT * FROM customer WHERE id > 10;
BEGIN READ ONLY;
SELECT plan('SELECT * FROM customer');
SELECT missing_symbol.explain_analyze('DELETE FROM customer');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT undone('DELETE FROM purchase');
COMMIT;

-- deferred constraints: their outcome is a note
SELECT notes('INSERT INTO purchase (customer, amount) VALUES (1, 1)');
SELECT notes('INSERT INTO purchase (customer, amount) VALUES (404, 1)');
SELECT notes('DELETE FROM customer WHERE id = 1');
SELECT notes('UPDATE customer SET name = name');
-- the caller's own, child before parent: a legal transaction
BEGIN;
INSERT INTO purchase (id, customer, amount) VALUES (1001, 500, 1);
SELECT undone('SELECT 1');
SELECT undone('INSERT INTO purchase (id, customer, amount) VALUES (1002, 1, 1)');
SELECT undone('INSERT INTO customer VALUES (500, ''parent'')');
INSERT INTO customer VALUES (500, 'parent');
SELECT undone('DELETE FROM customer WHERE id = 500');
SELECT undone('SELECT 1');
COMMIT;
SELECT count(*) FROM purchase WHERE customer = 500;
-- a SECURITY DEFINER function's owner does not run the caller's triggers
CREATE ROLE regress_explain_owner;
GRANT USAGE ON SCHEMA explained TO regress_explain_owner;
CREATE FUNCTION owners_notes(query text) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT explained.notes(query);
$$;
ALTER FUNCTION owners_notes OWNER TO regress_explain_owner;
ALTER FUNCTION notes SET search_path = pg_catalog, explained;
CREATE TABLE waiting (id int, by name);
GRANT INSERT ON waiting TO regress_explain_owner;
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'run by %', CASE WHEN current_user <> session_user THEN current_user ELSE 'the caller' END;
    RETURN NULL;
END$$;
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON waiting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION waits();
BEGIN;
INSERT INTO waiting VALUES (1);
SELECT owners_notes('SELECT 1');
SELECT owners_notes('INSERT INTO explained.waiting VALUES (2)');
SELECT notes('INSERT INTO waiting VALUES (3)');
COMMIT;
SELECT owners_notes('INSERT INTO explained.waiting VALUES (4)');
-- also where the owner is who calls it
ALTER FUNCTION owners_notes OWNER TO CURRENT_USER;
SELECT owners_notes('INSERT INTO explained.waiting VALUES (5)');
SELECT count(*) FROM waiting;
DROP TABLE waiting;
DROP OWNED BY regress_explain_owner;
DROP ROLE regress_explain_owner;
ALTER FUNCTION notes RESET search_path;
-- and they stay deferred
BEGIN;
INSERT INTO purchase (id, customer, amount) VALUES (1003, 501, 1);
SELECT notes('SELECT 1');
INSERT INTO purchase (id, customer, amount) VALUES (1004, 502, 1);
\set VERBOSITY terse
COMMIT;
\set VERBOSITY default

-- what is not undone, by name: sequences, also through functions
CREATE SEQUENCE ticket;
CREATE SEQUENCE "odd ""name""";
CREATE FUNCTION take() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN nextval('ticket');
END$$;
SELECT notes('SELECT nextval(''ticket''), setval(''"odd ""name"""'', 7)');
SELECT notes('SELECT take()');
SELECT notes('SELECT 1', NULL, 'SELECT take()');
SELECT notes('SELECT nextval(''made_inside'')', NULL, 'CREATE SEQUENCE made_inside');
SELECT last_value FROM ticket;
BEGIN;
SELECT nextval('ticket');
SELECT notes('SELECT 1');
SELECT notes('SELECT take()');
SELECT notes('SELECT last_value FROM ticket');
COMMIT;
CREATE SEQUENCE cached CACHE 100;
BEGIN;
SELECT nextval('cached');
SELECT notes('SELECT 1');
SELECT notes('SELECT nextval(''cached'')');
SELECT notes('SELECT lastval()');
COMMIT;
-- session advisory locks
SELECT notes('SELECT pg_advisory_xact_lock(1), pg_advisory_lock(-42), pg_advisory_lock_shared(7, -8)');
SELECT notes('SELECT pg_advisory_unlock(-42)');
SELECT notes('SELECT 1');
SELECT pg_advisory_unlock_all();
-- and how often they are held; a transaction's own are none of them
SELECT pg_advisory_lock(5), pg_advisory_lock(5), pg_advisory_lock_shared(5);
CREATE FUNCTION locks(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM pg_advisory_lock(5), pg_advisory_xact_lock(5);
    END LOOP;
END$$;
SELECT notes('SELECT locks(1)');
SELECT notes('SELECT locks(2), pg_advisory_unlock_shared(5)');
SELECT notes('SELECT pg_advisory_unlock(5)');
SELECT notes('SELECT 1 FROM pg_advisory_xact_lock(5)');
BEGIN;
SELECT pg_advisory_xact_lock(6);
SELECT notes('SELECT pg_advisory_xact_lock(6)');
SELECT notes('SELECT pg_advisory_lock(6)');
COMMIT;
SELECT mode, count(*) FROM pg_locks WHERE locktype = 'advisory' GROUP BY 1 ORDER BY 1;
-- 2 + 1 + 2 - 1 of them, none shared, and the one taken last
SELECT pg_advisory_unlock(5), pg_advisory_unlock(5), pg_advisory_unlock(5), pg_advisory_unlock(5);
SELECT pg_advisory_unlock(6);
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';
-- what the server's own functions do at once, also in the setup and in CALL
SELECT regexp_replace(notes('SELECT pg_stat_reset_single_table_counters(0)'), '[(].*[)]', '');
SELECT regexp_replace(notes('SELECT pg_switch_wal() IS NULL'), '[(].*[)]', '');
SELECT regexp_replace(notes('SELECT 1', NULL, 'SET LOCAL work_mem = 64; SELECT pg_stat_reset_shared(''bgwriter''); SELECT 1'), '[(].*[)]', '');
SELECT regexp_replace(notes('SELECT pg_logical_emit_message(false, ''a'', ''b'') IS NULL, setseed(0.5)'), '[(].*[)]', '');
CREATE PROCEDURE acts() LANGUAGE plpgsql AS $$BEGIN END$$;
SELECT notes('SELECT 1', NULL, 'CALL acts(); CREATE TABLE t AS SELECT take(); EXPLAIN ANALYZE SELECT take(); DO $body$BEGIN END$body$');
-- but not what leaves nothing
SELECT notes('SELECT random(), clock_timestamp(), pg_sleep(0), gen_random_uuid(), pg_relation_size(''customer''),
    set_config(''work_mem'', ''64'', false), pg_notify(''a'', ''b''), pg_is_in_recovery(), count(*), lo_create(4711)
    FROM pg_locks, pg_stat_activity');
-- the caller's cursors, libraries
BEGIN;
DECLARE outer_cursor SCROLL CURSOR FOR SELECT * FROM customer;
SELECT notes('SELECT 1', NULL, 'FETCH 2 FROM outer_cursor; MOVE outer_cursor; LOAD ''plpgsql''');
SELECT notes('SELECT 1', NULL, 'DECLARE inner_cursor CURSOR FOR SELECT 1; FETCH inner_cursor');
COMMIT;
-- errors of a setup, and its emptiness
SELECT notes('SELECT 1', NULL, '');
SELECT notes('SELECT 1', NULL, ' ;; -- nothing');
SELECT notes('SELECT 1', NULL, 'CREATE TABLE t (a int);SELECT nothing FROM t');
SELECT notes('SELECT 1', NULL, 'SELECT $1');
SELECT notes('SELECT 1', NULL, 'SELECT 1; SELEC 2');
SELECT notes('SELECT 1', NULL, 'SELECT 1; COMMIT');
-- COPY inside of functions, volatile functions
CREATE FUNCTION shout(command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', command);
END$$;
SELECT notes('SELECT shout(''cat > /dev/null'')');
SELECT notes('SELECT shout(''cat > /dev/null'')', NULL, 'COPY customer TO ''/dev/null''');
CREATE VIEW careful AS SELECT id, take() AS t FROM customer;
SELECT notes('SELECT id FROM (SELECT * FROM careful) c WHERE t > 0');
SELECT notes('DECLARE c CURSOR FOR SELECT take()');
SELECT notes('CREATE TABLE copied AS SELECT take()');
PREPARE taking AS SELECT take();
SELECT notes('EXECUTE taking');
-- NOTIFY, LISTEN and settings are undone
SELECT notes('SELECT pg_notify(''channel'', ''''), set_config(''work_mem'', ''1MB'', false)');
SHOW work_mem;

-- rules
CREATE TABLE ruled (id int);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO trail (what) VALUES ('ruled');
CREATE RULE nothing AS ON DELETE TO ruled DO INSTEAD NOTHING;
SELECT plan('INSERT INTO ruled VALUES (1)');
SELECT plan('DELETE FROM ruled');
SELECT undone('INSERT INTO ruled VALUES (1)');

-- prepared statements, cursors and currval() are not undone either
PREPARE kept AS SELECT 1;
BEGIN;
DECLARE kept CURSOR FOR SELECT 1;
SELECT notes('SELECT 1', NULL, 'PREPARE "New" AS SELECT 1; DEALLOCATE kept; CLOSE kept; DISCARD SEQUENCES');
SELECT name FROM pg_prepared_statements WHERE name IN ('kept', 'New');
SELECT name FROM pg_cursors;
SELECT notes('SELECT 1', NULL, 'DECLARE kept CURSOR FOR SELECT 1; CLOSE kept; DISCARD PLANS; DISCARD TEMP');
SELECT notes('SELECT 1', NULL, 'DO $body$BEGIN PREPARE "New" AS SELECT 1; EXCEPTION WHEN OTHERS THEN END$body$');
COMMIT;
DEALLOCATE "New";

\i `echo "$PG_ABS_SRCDIR/sql/include/deallocates.sql"`
DO $$BEGIN
    EXECUTE format('PREPARE deallocates AS SELECT /* %s */ deallocates(), count(*) FROM big WHERE id < 0', repeat('x', 36000000));
END$$;
SELECT DISTINCT regexp_replace(line, '\(.*', '') AS line
FROM missing_symbol.explain_analyze('EXECUTE deallocates') line WHERE line ~ 'seq_scan|Aggregate|Notes';
-- what CREATE TABLE AS executes has its findings, too
PREPARE of_big AS SELECT * FROM big WHERE k = 7;
SELECT plan('EXECUTE of_big');
SELECT plan('CREATE TABLE copied AS EXECUTE of_big');
DEALLOCATE of_big;

-- within itself
SELECT plan('SELECT * FROM missing_symbol.explain_analyze(''DELETE FROM customer'')');
SELECT undone('SELECT * FROM missing_symbol.explain_analyze(''SELECT nextval(''''ticket'''')'')');

-- as the caller
CREATE ROLE regress_explain_plain;
GRANT USAGE ON SCHEMA explained TO regress_explain_plain;
CREATE FUNCTION secretive() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    COPY (SELECT 1) TO PROGRAM 'cat > /dev/null # password';
END$$;
SET ROLE regress_explain_plain;
SELECT missing_symbol.explain_analyze('SELECT * FROM customer');
SELECT missing_symbol.explain_analyze('SELECT 1', NULL, 'CREATE INDEX ON big (k)');
SELECT json_array_elements_text(missing_symbol.explain_analyze('SELECT secretive()', format => 'json')::json -> -1 -> 'Notes');
RESET ROLE;
-- row security is the caller's
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON customer TO regress_explain_plain;
CREATE POLICY one ON customer USING (id = 1);
SET ROLE regress_explain_plain;
SELECT replace(line, '.00', '') ~ 'rows=1 loops=1' AS one_row
FROM missing_symbol.explain_analyze('SELECT * FROM customer') line LIMIT 1;
RESET ROLE;
ALTER TABLE customer DISABLE ROW LEVEL SECURITY;

-- the profiler lists neither it nor what it runs, and goes on
SET missing_symbol.profile = 'off';
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_start('all');
SELECT 'before';
SELECT count(*) > 0 FROM missing_symbol.explain_analyze('SELECT take() FROM customer');
SELECT missing_symbol.explain_analyze('SELECT 1 / 0');
SELECT count(*) > 0 FROM missing_symbol.explain_analyze('SELECT count(*) FROM missing_symbol.queries', NULL, 'SET missing_symbol.profile = off');
DO $$BEGIN PERFORM missing_symbol.explain_analyze('SELECT count(*) FROM customer'); PERFORM 'nested'; END$$;
SELECT 'after';
SELECT level, status, text FROM missing_symbol.queries ORDER BY number;
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();

-- in a procedure that commits, and in a function's exception block
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM missing_symbol.explain_analyze('DELETE FROM customer');
        INSERT INTO customer VALUES (600 + i, 'step');
        COMMIT;
    END LOOP;
END$$;
CALL steps();
SELECT count(*) FROM customer WHERE name = 'step';

DROP OWNED BY regress_explain_plain;
DROP ROLE regress_explain_plain;
DROP SCHEMA explained CASCADE;
