-- Where there is nothing to be found, and where findings must not fail.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE small (id int PRIMARY KEY, k int);
INSERT INTO small SELECT i, i FROM generate_series(1, 9000) i;
CREATE TABLE author (id int PRIMARY KEY, name text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 2000) i;
CREATE TABLE book (id int PRIMARY KEY, author int REFERENCES author, title text, published boolean, price int);
INSERT INTO book SELECT i, i % 2000 + 1, 'book ' || i, i % 200 = 0, i % 1000 FROM generate_series(1, 20000) i;
ALTER TABLE book SET (autovacuum_enabled = off);	-- plans are compared
CREATE INDEX book_author ON book (author);
CREATE INDEX book_published ON book (id) WHERE published = true;
CREATE INDEX book_lower ON book (lower(title));
VACUUM (ANALYZE) small;
VACUUM (ANALYZE) author;
VACUUM (ANALYZE) book;
SELECT missing_symbol.profile_start(plans => true);

-- a small table, also when it is read again and again
SELECT count(*) FROM small WHERE k = 5;
SELECT count(*) FROM small WHERE k = 6;
SELECT count(*) FROM author a WHERE id < 5 AND EXISTS (SELECT FROM small WHERE k = a.id * 3 AND k > 8000);
-- most rows are kept
SELECT count(*) FROM book WHERE price > 100;
SELECT count(*) FROM book WHERE price < 110;
-- no condition; LIMIT without a filter
SELECT count(*) FROM book;
SELECT id FROM book ORDER BY id OFFSET 15000 LIMIT 1;
SELECT count(*) FROM (SELECT * FROM book LIMIT 15000) part;
-- LIMIT stops early, and the estimate is not to blame
SELECT id FROM book WHERE price >= 0 LIMIT 1;
SELECT EXISTS (SELECT FROM book WHERE price >= 0);
-- an index is there and used: whole, partial, of an expression
SELECT count(*) FROM book WHERE author = 5;
SELECT count(*) FROM book WHERE published AND id > 500;
SELECT count(*) FROM book WHERE lower(title) = 'book 5';
SELECT count(*) FROM book WHERE id BETWEEN 100 AND 5000;
-- it is there and not used
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) FROM book WHERE author = 5;
SELECT count(*) FROM book WHERE author IN (5, 6);
SELECT count(*) FROM book WHERE lower(title) = 'book 5';
SELECT count(*) FROM book WHERE 19990 < id;
SELECT count(*) FROM book WHERE published AND id > 15000;
RESET enable_indexscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;
-- nested loops over an index; a lookup by the primary key that discards one row
SELECT count(*) FROM author a JOIN book ON book.author = a.id WHERE a.id < 100;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*) FROM book JOIN author a ON a.id = book.author AND a.name = 'author 1';
RESET enable_hashjoin;
RESET enable_mergejoin;
-- what needs no files
SELECT count(*) FROM (SELECT * FROM book ORDER BY title OFFSET 0) sorted;
SELECT count(*) FROM book a JOIN book b USING (id);
SELECT count(DISTINCT title) FROM book;
WITH kept AS MATERIALIZED (SELECT id FROM book) SELECT count(*) FROM kept, (SELECT count(*) FROM kept) again;
-- foreign keys that have their index
DELETE FROM author WHERE id = 2000 AND NOT EXISTS (SELECT FROM book WHERE author = 2000);
INSERT INTO author VALUES (3000);
DELETE FROM author WHERE id = 3000;
INSERT INTO book VALUES (30000, 1);
-- system and temporary tables
CREATE TEMPORARY TABLE passing AS SELECT i, i AS k FROM generate_series(1, 20000) i;
SELECT count(*) FROM passing WHERE k = 5;
SELECT count(*) > 0 AS some FROM pg_depend WHERE refobjsubid = 5 AND deptype = 'x';
SELECT count(*) FROM generate_series(1, 20000) i WHERE i = 5;
-- not executed
EXPLAIN (COSTS OFF) SELECT count(*) FROM book WHERE price = 5;
PREPARE p AS SELECT count(*) FROM book WHERE price = 5;
SELECT count(*) FROM book WHERE price = 5 AND 1 / (price - 5) = 1;
SELECT kind, suggestion FROM missing_symbol.findings;

--
-- When it is not asked for
--
SELECT missing_symbol.profile_start(plans => false);
SELECT count(*) FROM book WHERE price = 5;
SET missing_symbol.profile_plans = on;
SELECT count(*) FROM book WHERE price = 5;
SELECT count(*) FROM missing_symbol.findings;
SELECT missing_symbol.profile_start();
SELECT count(*) FROM book WHERE price = 5;
SELECT kind, times_seen FROM missing_symbol.findings;
SET missing_symbol.profile_plans = off;
SELECT count(*) FROM book WHERE price = 5;
SELECT kind, times_seen FROM missing_symbol.findings;
SELECT missing_symbol.profile_start(plans => true);
SET missing_symbol.plan_sample = 0;
SELECT count(*) FROM book WHERE price = 5;
SELECT kind, times_seen FROM missing_symbol.findings;
SET missing_symbol.plan_sample = 1;
SELECT count(*) FROM book WHERE price = 5;
SELECT kind, times_seen FROM missing_symbol.findings;
SET missing_symbol.plan_sample = 1.5;
SET missing_symbol.plan_sample = -0.1;
-- half of them
SELECT missing_symbol.profile_reset();
SET missing_symbol.plan_sample = 0.5;
\set ECHO errors
\o /dev/null
SELECT format('SELECT count(*) FROM book WHERE price = %s', i) FROM generate_series(1, 100) i \gexec
\o
\set ECHO all
SELECT kind, times_seen BETWEEN 20 AND 80 AS about_half FROM missing_symbol.findings;
RESET missing_symbol.plan_sample;
-- EXPLAIN's plan shows nothing of it
SELECT missing_symbol.profile_reset();
CREATE FUNCTION pg_temp.explained(options text, query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE format('EXPLAIN (%s, FORMAT JSON) %s', options, query) INTO plan;
    RETURN plan;
END$$;
SELECT missing_symbol.profile_start('all', plans => false);
SELECT pg_temp.explained('COSTS OFF', 'SELECT count(*) FROM book WHERE price = 5') AS plain,
    pg_temp.explained('ANALYZE, TIMING OFF, SUMMARY OFF', 'SELECT count(*) FROM book WHERE price = 5') AS executed \gset
SELECT missing_symbol.profile_start('all', plans => true);
SELECT pg_temp.explained('COSTS OFF', 'SELECT count(*) FROM book WHERE price = 5')::text = :'plain' AS same;
SELECT count(*) FROM missing_symbol.findings;
SELECT pg_temp.explained('ANALYZE, TIMING OFF, SUMMARY OFF', 'SELECT count(*) FROM book WHERE price = 5')::text = :'executed' AS same;
-- what EXPLAIN ANALYZE executes counts
SELECT kind, shape, suggestion FROM missing_symbol.findings;
-- the report has them too
SELECT line FROM missing_symbol.profile_report() WITH ORDINALITY report (line, n) WHERE line ~ 'seq_scan_discards|CREATE INDEX' ORDER BY n;
SELECT jsonb_array_elements(missing_symbol.profile_report('json')::jsonb -> 'findings') - 'why' AS finding;
-- nested statements, where they are listed
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    PERFORM FROM book WHERE price = 5;
END$$;
SELECT kind, shape, suggestion FROM missing_symbol.findings;
SELECT missing_symbol.profile_start('top', plans => true);
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    PERFORM FROM book WHERE price = 5;
END$$;
SELECT count(*) FROM missing_symbol.findings;

--
-- What happens to a table before its findings are read
--
CREATE FUNCTION twice(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN i * 2; END';
CREATE TABLE gone AS TABLE book;
CREATE TABLE changed AS TABLE book;
CREATE TABLE named AS TABLE book;
ANALYZE gone, changed, named;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM gone WHERE price = 5;
SELECT count(*) FROM changed WHERE price = 5;
SELECT count(*) FROM changed WHERE title = 'book 5';
SELECT count(*) FROM changed WHERE author = 5;
SELECT count(*) FROM named WHERE twice(price) = 10;
SELECT count(*) FROM named WHERE price = 5;
SELECT kind, relation, suggestion FROM missing_symbol.findings;
BEGIN;
DROP TABLE gone;
ALTER TABLE changed DROP COLUMN price, ALTER title TYPE varchar;
SELECT kind, relation, suggestion FROM missing_symbol.findings;
DROP FUNCTION twice;
ALTER TABLE named RENAME price TO "Price";
ALTER TABLE named RENAME TO "Re named";
CREATE SCHEMA elsewhere;
ALTER TABLE "Re named" SET SCHEMA elsewhere;
SELECT kind, relation, columns, suggestion FROM missing_symbol.findings;
COMMIT;
SELECT kind, relation, columns, suggestion FROM missing_symbol.findings;
-- an index that is there by now; not one that is broken, or cannot serve
CREATE INDEX broken ON elsewhere."Re named" ("Price");
SELECT count(*) FROM missing_symbol.findings WHERE relation ~ 'named';
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'elsewhere.broken'::regclass;
SELECT kind, relation, suggestion FROM missing_symbol.findings WHERE relation ~ 'named';
DROP INDEX elsewhere.broken;
CREATE INDEX partial ON elsewhere."Re named" ("Price") WHERE published;
CREATE INDEX behind ON elsewhere."Re named" (id, "Price");
CREATE INDEX hashed ON elsewhere."Re named" USING hash ("Price");
SELECT count(*) FROM missing_symbol.findings WHERE relation ~ 'named';
DROP INDEX elsewhere.hashed;
SELECT count(*) FROM missing_symbol.findings WHERE relation ~ 'named';
CREATE INDEX longer ON elsewhere."Re named" ("Price", id);
SELECT count(*) FROM missing_symbol.findings WHERE relation ~ 'named';
-- btree has no order for everything
CREATE TABLE places (id int, place point);
INSERT INTO places SELECT i, CASE WHEN i % 500 > 0 THEN point(i, i) END FROM generate_series(1, 20000) i;
ANALYZE places;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM places WHERE place IS NULL;
SELECT count(*) FROM places WHERE place IS NULL AND id = 500;
SELECT count(*) FROM places WHERE place <@ box '((1, 1), (9, 9))';
SELECT kind, relation, suggestion FROM missing_symbol.findings;
DROP TABLE places;
-- a transaction that fails, with the table that it made; in its savepoint
SELECT missing_symbol.profile_reset();
BEGIN;
CREATE TABLE undone AS TABLE book;
SELECT count(*) FROM undone WHERE price = 5;
SELECT kind, relation, suggestion FROM missing_symbol.findings WHERE kind = 'seq_scan_discards';
SAVEPOINT s;
ALTER TABLE undone ADD extra int DEFAULT 5;
SELECT count(*) FROM undone WHERE extra = 6;
SELECT 1 / 0;
ROLLBACK TO s;
SELECT kind, relation, suggestion FROM missing_symbol.findings WHERE kind = 'seq_scan_discards';
ROLLBACK;
SELECT kind, relation, suggestion FROM missing_symbol.findings;
-- read only, and no lock is kept
BEGIN READ ONLY;
SELECT count(*) FROM book WHERE price = 5;
COMMIT;
BEGIN READ ONLY;
SELECT kind, relation, suggestion FROM missing_symbol.findings;
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'book'::regclass;
COMMIT;

--
-- Who sees what
--
CREATE ROLE regress_findings_app;
CREATE ROLE regress_findings_other;
CREATE ROLE regress_findings_stats IN ROLE pg_read_all_stats;
SELECT missing_symbol.profile_reset();
GRANT SELECT ON book TO regress_findings_app;
SET ROLE regress_findings_app;
SELECT count(*) FROM book WHERE price = 5;
SELECT kind, shape, relation, columns, rows_read, times_seen, suggestion, why FROM missing_symbol.findings;
RESET ROLE;
REVOKE SELECT ON book FROM regress_findings_app;
SET ROLE regress_findings_app;
SELECT relation, suggestion FROM missing_symbol.findings;
RESET ROLE;
SET ROLE regress_findings_other;
SELECT kind, shape, queryid, relation, columns, rows_read, times_seen, suggestion, why FROM missing_symbol.findings;
RESET ROLE;
SET ROLE regress_findings_stats;
SELECT relation, suggestion FROM missing_symbol.findings;
RESET ROLE;
DROP ROLE regress_findings_app, regress_findings_other, regress_findings_stats;

--
-- Bounded: the oldest make room
--
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_start(plans => true);
\set ECHO errors
\o /dev/null
SELECT format('SELECT %s FROM book WHERE price = 5', array_to_string(array_fill('id'::text, ARRAY[i]), ', ')) FROM generate_series(1, 100) i \gexec
\o
\set ECHO all
SELECT count(*) BETWEEN 10 AND 90 AS bounded, bool_or(rows_read = 20001) AS right FROM missing_symbol.findings;
SELECT line ~ ' [1-9][0-9]* findings forgotten' AS told FROM missing_symbol.profile_report() line WHERE line ~ '^Lost';
RESET missing_symbol.profile_memory;
-- a condition that is larger than its share
SELECT missing_symbol.profile_reset();
\set ECHO errors
SELECT format('SELECT count(*) FROM book WHERE %s', string_agg(format('price = %s AND id <> %s', i + 5000, i), ' OR ')) FROM generate_series(1, 300) i \gexec
\set ECHO all
SELECT kind, relation, suggestion FROM missing_symbol.findings;
SELECT line ~ ' [1-9][0-9]* findings forgotten' AS told FROM missing_symbol.profile_report() line WHERE line ~ '^Lost';
-- large values are not kept
SELECT missing_symbol.profile_reset();
\set ECHO errors
SELECT format('SELECT count(*) FROM book WHERE price = ANY (%L) AND title = %L', array_agg(i + 5000), repeat('x', 200000)) FROM generate_series(1, 5000) i \gexec
\set ECHO all
SELECT kind, relation, suggestion FROM missing_symbol.findings;
DISCARD ALL;
SELECT count(*) FROM missing_symbol.findings;
DROP SCHEMA elsewhere CASCADE;
DROP TABLE small, book, author, changed;
