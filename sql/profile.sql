-- The session profiler: the switch, the view queries, failures.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
CREATE TABLE profiled (id int PRIMARY KEY, v int);
CREATE TABLE referenced (id int PRIMARY KEY);
CREATE TABLE referring (id int REFERENCES referenced
    DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE checked (id int);

-- what can be compared
PREPARE list AS
    SELECT number, transaction AS xact, level, command, rows, committed AS c,
           status, sqlstate, text
    FROM missing_symbol.queries;

-- off: nothing is listed, budgets refuse
SELECT count(*) FROM missing_symbol.queries;
SELECT missing_symbol.profile_summary();
SELECT missing_symbol.assert_max_queries(100);
SELECT missing_symbol.assert_max_duration('1 day');
SELECT missing_symbol.assert_no_n_plus_one();
SELECT missing_symbol.assert_no_errors();
SELECT missing_symbol.profile_start('everything');

-- plain statements; the profiler's own are not listed
SELECT missing_symbol.profile_start();
SELECT 1;
INSERT INTO profiled VALUES (1, 1), (2, 2), (3, 3);
UPDATE profiled SET v = v + 1 WHERE id < 3;
DELETE FROM profiled WHERE id = 3 RETURNING v;
TABLE profiled;
EXECUTE list;
SELECT count(*) FROM missing_symbol.query_stats;
COPY (SELECT count(*) FROM missing_symbol.queries) TO STDOUT;
EXECUTE list;

-- blocks and WAL are those of the statement; times are there
SELECT command, shared_blks_hit > 0 AS hit, wal_bytes > 0 AS wal,
       exec_ms > 0 AS exec, plan_ms > 0 AS plan, commit_ms > 0 AS commit,
       started_at BETWEEN clock_timestamp() - interval '1 hour'
                      AND clock_timestamp() AS started
FROM missing_symbol.queries;

-- strings of several statements, comments, empty strings
SELECT missing_symbol.profile_reset();
\o /dev/null
SELECT 1 \; SELECT 2 /* second */ \;
SELECT 3 \;
;
\o
 \; \;
EXECUTE list;

-- transactions, savepoints, a marked request
SELECT missing_symbol.profile_reset();
BEGIN;
SELECT missing_symbol.profile_mark('request 1');
INSERT INTO profiled VALUES (10, 10);
SAVEPOINT a;
INSERT INTO profiled VALUES (11, 11);
ROLLBACK TO a;
INSERT INTO profiled VALUES (12, 12);
EXECUTE list;
COMMIT;
BEGIN;
INSERT INTO profiled VALUES (13, 13);
ROLLBACK;
EXECUTE list;
SELECT DISTINCT label FROM missing_symbol.queries ORDER BY label;
SELECT number FROM missing_symbol.queries WHERE commit_ms > 0;

-- the switch outlives ROLLBACK and overrules the setting
BEGIN;
SELECT missing_symbol.profile_stop();
ROLLBACK;
SELECT missing_symbol.profile_reset();
SELECT 'not listed';
SET missing_symbol.profile = 'top';
SELECT 'still not listed';
BEGIN;
SELECT missing_symbol.profile_start();
ROLLBACK;
SELECT 'listed';
SET missing_symbol.profile = 'off';
SELECT 'listed too';
EXECUTE list;

-- DISCARD ALL forgets both; then the setting counts
DISCARD ALL;
SELECT count(*) FROM missing_symbol.queries;
SET missing_symbol.profile = 'off';
SELECT missing_symbol.profile_reset();
PREPARE list AS
    SELECT number, transaction AS xact, level, command, rows, committed AS c,
           status, sqlstate, text
    FROM missing_symbol.queries;
EXECUTE list;
SET missing_symbol.profile = 'top';
SELECT 'by the setting';
BEGIN;
SET LOCAL missing_symbol.profile = 'off';
SELECT 'off in here';
COMMIT;
SELECT 'on again';
EXECUTE list;
SET missing_symbol.profile = 'off';

-- cursors, COPY, EXECUTE, EXPLAIN, CREATE TABLE AS, DO, CALL
SELECT missing_symbol.profile_start();
SELECT missing_symbol.profile_reset();
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM generate_series(1, 10) i;
FETCH 3 FROM c;
MOVE 2 FROM c;
FETCH ALL FROM c;
CLOSE c;
COMMIT;
DECLARE held CURSOR WITH HOLD FOR SELECT * FROM generate_series(1, 4) i;
FETCH 3 FROM held;
CLOSE held;
COPY profiled TO STDOUT;
COPY profiled FROM STDIN;
20	20
21	21
\.
PREPARE p (int) AS SELECT * FROM profiled WHERE id = $1;
EXECUTE p (20);
EXECUTE p (404);
EXPLAIN (COSTS OFF) SELECT * FROM profiled;
EXPLAIN (COSTS OFF) SELECT 1;
CREATE TABLE profiled_copy AS SELECT * FROM profiled WHERE id >= 20;
DO $$BEGIN PERFORM count(*) FROM profiled; END$$;
CREATE PROCEDURE commits(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        INSERT INTO profiled VALUES (100 + i, i);
        COMMIT;
    END LOOP;
END$$;
CALL commits(3);
EXECUTE list;

-- rules add queries, not statements
CREATE TABLE ruled (a int);
CREATE TABLE log_of_ruled (a int);
CREATE RULE also AS ON INSERT TO ruled DO ALSO
    INSERT INTO log_of_ruled VALUES (new.a);
CREATE RULE before AS ON UPDATE TO ruled DO ALSO
    (DELETE FROM log_of_ruled; NOTIFY something);
SELECT missing_symbol.profile_reset();
INSERT INTO ruled VALUES (1), (2);
UPDATE ruled SET a = a + 1 WHERE a = 1;
EXECUTE list;

-- time, rows and planning are the whole statement's, from its first query to
-- its last; the text is its own where all that runs are the rule's actions
CREATE TABLE slow (a int);
CREATE RULE slow AS ON INSERT TO slow DO ALSO
    INSERT INTO log_of_ruled SELECT new.a FROM pg_sleep(0.06);
CREATE VIEW instead AS SELECT * FROM log_of_ruled;
CREATE RULE inserts AS ON INSERT TO instead DO INSTEAD
    INSERT INTO log_of_ruled VALUES (new.a);
CREATE RULE deletes AS ON DELETE TO instead DO INSTEAD
    (DELETE FROM log_of_ruled WHERE a = old.a; DELETE FROM ruled WHERE a < 0);
CREATE RULE updates AS ON UPDATE TO instead DO INSTEAD NOTHING;
CREATE RULE told AS ON DELETE TO slow DO INSTEAD NOTIFY something;
SELECT missing_symbol.profile_reset();
INSERT INTO slow VALUES (1), (2), (3);
-- psql until 14 shows the last of several results only
\o /dev/null
SELECT 'before' \; INSERT INTO instead VALUES (5) \; DELETE FROM instead WHERE a = 5 \;
    SELECT ';' AS after;
\o
DELETE FROM slow \; SELECT 'after DELETE';
EXPLAIN (COSTS OFF) INSERT INTO instead VALUES (6);
-- nothing is left of an UPDATE; the one after it has failed
UPDATE instead SET a = 1 \; SELECT no_such_column;
-- in the second of its queries
CREATE RULE fails AS ON UPDATE TO slow DO ALSO
    INSERT INTO log_of_ruled VALUES (1 / (new.a - 3));
UPDATE slow SET a = a;
EXECUTE list;
SELECT plan_ms > 0 AS planned, exec_ms >= 60 AS slept, wal_bytes > 0 AS wrote, text
FROM missing_symbol.queries WHERE command = 'INSERT';
SELECT text, calls, errors, rows, total_exec_time >= 60 AS slept
FROM missing_symbol.query_stats WHERE text ~ '^(insert|update|delete)' ORDER BY text;
DROP RULE told ON slow;
DROP VIEW instead;
DROP TABLE slow;

-- parameters: a long value by its size, not read, cut nor copied
CREATE TABLE long (v bytea);
ALTER TABLE long ALTER v SET STORAGE EXTERNAL;
INSERT INTO long SELECT decode(repeat('ab', 20000), 'hex');
SELECT missing_symbol.profile_start('all', params => true);
SELECT missing_symbol.profile_reset();
DO $$
DECLARE
    toasted bytea = (SELECT v FROM long);
    n int;
BEGIN
    EXECUTE 'SELECT length($1) + length($2) + $3' INTO n USING toasted, repeat('x', 8193), 7;
    EXECUTE 'SELECT length($1)' INTO n USING repeat('x', 20);
    EXECUTE 'SELECT length($1)' INTO n USING decode(repeat('ab', 6000), 'hex');
END$$;
SELECT regexp_replace(params, 'abab(ab)*', 'ab..') AS params, length(params)
FROM missing_symbol.queries WHERE params IS NOT NULL;
SELECT missing_symbol.profile_start();
DROP TABLE long;

-- failures: one row each, with its SQLSTATE
SELECT missing_symbol.profile_reset();
SELEC 1;
SELECT no_such_column;
SELECT * FROM no_such_table;
SELECT 1 / 0;
SELECT v / 0 FROM profiled;
INSERT INTO profiled VALUES (1, 1);
DROP TABLE no_such_table;
EXECUTE no_such_statement;
DO $$BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = 'XX999'; END$$;
\o /dev/null
SELECT 1 \; SELECT no_such_column_either \; SELECT 3;
\o
SELECT ';', $$;$$, $a$ ; $ $a$, 1 /* ; */ + no_such_column
    , E'\';' AS ";" \; SELECT 3;
BEGIN;
INSERT INTO profiled VALUES (50, 50);
SELECT 1 / 0;
SELECT 'in a failed transaction';
ROLLBACK;
SET statement_timeout = '500ms';
SELECT count(*) FROM generate_series(1, 5) g, pg_sleep(g);
RESET statement_timeout;
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
DELETE FROM profiled;
COMMIT;
EXECUTE list;

-- a failure at COMMIT belongs to the statement that committed
SELECT missing_symbol.profile_reset();
INSERT INTO referring VALUES (1);
BEGIN;
INSERT INTO referring VALUES (2);
COMMIT;
\o /dev/null
SELECT 'before' \; INSERT INTO referring VALUES (3);
\o
INSERT INTO referring VALUES (4) \; SELECT no_such_column;
DO $$BEGIN INSERT INTO referring VALUES (5); COMMIT; END$$;
DO $$BEGIN COMMIT; INSERT INTO referring VALUES (6); END$$;
SELECT 'after';
EXECUTE list;

-- a statement that goes on after it has ended a transaction: the latest one
-- that wrote counts
CREATE PROCEDURE goes_on(rolls_back bool) LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO checked VALUES (9);
    IF rolls_back THEN
        ROLLBACK;
    ELSE
        COMMIT;
    END IF;
    INSERT INTO checked VALUES (10);
END$$;
SELECT missing_symbol.profile_reset();
DO $$BEGIN ROLLBACK; INSERT INTO checked VALUES (1); END$$;
DO $$BEGIN INSERT INTO checked VALUES (2); ROLLBACK; END$$;
DO $$BEGIN INSERT INTO checked VALUES (3); COMMIT; END$$;
DO $$BEGIN INSERT INTO checked VALUES (4); COMMIT; INSERT INTO checked VALUES (5); ROLLBACK; END$$;
DO $$BEGIN ROLLBACK; INSERT INTO checked VALUES (6); PERFORM 1 / 0; END$$;
DO $$BEGIN ROLLBACK; PERFORM 1; END$$;
CALL goes_on(true);
CALL goes_on(false);
EXECUTE list;
TABLE checked;
SELECT missing_symbol.profile_start('all');
SELECT missing_symbol.profile_reset();
DO $$BEGIN CALL goes_on(true); ROLLBACK; PERFORM 1; CALL goes_on(true); END$$;
EXECUTE list;
-- as long as it goes on nobody knows
DO $$BEGIN
    ROLLBACK;
    IF (SELECT committed FROM missing_symbol.queries WHERE level = 0 ORDER BY number DESC LIMIT 1) IS NOT NULL THEN
        RAISE WARNING 'known already';
    END IF;
END$$;
SELECT missing_symbol.profile_start('top');
TRUNCATE checked;

\i `echo "$PG_ABS_SRCDIR/sql/include/deallocates.sql"`
DO $$BEGIN
    EXECUTE format('PREPARE deallocates AS SELECT /* %s */ deallocates(), count(*) FROM profiled WHERE id < 0', repeat('x', 36000000));
END$$;
SELECT missing_symbol.profile_start('all');
SELECT missing_symbol.profile_reset();
DO $$BEGIN EXECUTE 'EXECUTE deallocates'; END$$;
SELECT level, command, rows, left(text, 40) AS text FROM missing_symbol.queries;

-- nested statements, and the level after an error
CREATE FUNCTION inner_fails(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        INSERT INTO profiled SELECT 1, n / 0;
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    BEGIN
        EXECUTE 'SELECT 1 / 0 FROM pg_class LIMIT 1';
    EXCEPTION WHEN division_by_zero THEN
        PERFORM max(id) FROM profiled;
        RETURN 1;
    END;
END$$;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM referenced;
    RETURN NULL;
END$$;
CREATE TRIGGER fires AFTER UPDATE ON profiled FOR EACH STATEMENT
    EXECUTE FUNCTION fired();
-- like a foreign key's check, which runs no statement from 19 on
CREATE CONSTRAINT TRIGGER fires AFTER INSERT ON checked
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fired();
SELECT missing_symbol.profile_start('all');
SELECT missing_symbol.profile_reset();
SELECT inner_fails(1);
UPDATE profiled SET v = v WHERE id = 1;
CREATE TABLE profiled_copy_2 AS SELECT * FROM profiled WHERE id >= 20;
EXECUTE p (20);
COPY (SELECT count(*) FROM referenced) TO STDOUT;
CALL commits(0);
INSERT INTO referenced VALUES (1);
BEGIN;
INSERT INTO checked VALUES (1);
COMMIT;
SELECT 'top level';
EXECUTE list;

-- top level only: the same, and what was switched on inside a statement
SELECT missing_symbol.profile_start('top');
SELECT missing_symbol.profile_reset();
SELECT inner_fails(1);
UPDATE profiled SET v = v WHERE id = 1;
BEGIN;
INSERT INTO referring VALUES (1);
COMMIT;
SELECT missing_symbol.profile_stop();
DO $$BEGIN
    PERFORM missing_symbol.profile_start();
    PERFORM count(*) FROM profiled;
END$$ \; SELECT 'after DO';
EXECUTE list;

-- a function that calls the profiler is the user's own
CREATE FUNCTION wraps(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    result := missing_symbol.profile_summary();
    PERFORM missing_symbol.assert_max_queries(n);
    RETURN 'wrapped';
END$$;
SELECT missing_symbol.profile_reset();
SELECT wraps(1);
SELECT wraps(1) FROM generate_series(1, 2);
\set VERBOSITY terse
SELECT wraps(1);
\set VERBOSITY default
EXECUTE list;

-- a text sent again belongs to both, whatever becomes of the second
CREATE SEQUENCE turns;
CREATE FUNCTION own_in_turn() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''turns'') % 2';
SELECT missing_symbol.profile_reset();
SELECT CASE own_in_turn() WHEN 0 THEN missing_symbol.profile_summary() IS NULL END AS own;
SELECT CASE own_in_turn() WHEN 0 THEN missing_symbol.profile_summary() IS NULL END AS own;
SELECT 'this must not be where the first text was, which was not to be listed twice' <> '' AS other;
SELECT 1 AS one;
SELECT 1 AS one;
EXECUTE list;

SELECT missing_symbol.profile_stop();
DROP SEQUENCE turns;
DROP TABLE profiled, referring, referenced, checked, profiled_copy, profiled_copy_2, ruled,
    log_of_ruled;
DROP PROCEDURE commits, goes_on;
DROP FUNCTION deallocates, inner_fails, fired, wraps, own_in_turn;

-- a switch that was never on is forgotten by DISCARD ALL all the same
\c -
SELECT missing_symbol.profile_stop();
SET missing_symbol.profile = 'top';
SELECT 'stopped';
DISCARD ALL;
SET missing_symbol.profile = 'top';
SELECT 'the setting''s';
SELECT text FROM missing_symbol.queries;
