-- Findings of each kind: what fires, and that following the suggestion to the
-- letter changes the plan that is executed and reads fewer blocks.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
SET max_parallel_workers_per_gather = 0;
SET jit = off;

-- What is executed: nodes, their indexes, how they used memory; and blocks.
-- Rows and estimates are left out, so that a plan is only another if it does
-- something else.
CREATE FUNCTION pg_temp.nodes(plan jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', plan ->> 'Node Type', plan ->> 'Index Name', plan ->> 'Index Cond',
                     plan ->> 'Sort Method', plan ->> 'Hash Batches', plan ->> 'HashAgg Batches',
                     plan ->> 'Lossy Heap Blocks', (plan ->> 'Temp Written Blocks')::int > 0)
        || COALESCE((SELECT string_agg(pg_temp.nodes(child), ', ')
                     FROM jsonb_array_elements(plan -> 'Plans') child), '')
$$;
CREATE FUNCTION pg_temp.executed(query text, OUT nodes text, OUT blocks bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
    nodes := pg_temp.nodes((plan -> 0 -> 'Plan')::jsonb);
    SELECT sum((plan -> 0 -> 'Plan' ->> name)::bigint) INTO blocks
    FROM unnest('{Shared Hit Blocks,Shared Read Blocks,Temp Read Blocks,Temp Written Blocks}'::text[]) name;
END$$;
-- Follows the suggestions of the session's findings of a kind.
CREATE FUNCTION pg_temp.follow(of_kind text, query text, OUT plan_changed boolean, OUT fewer_blocks boolean)
LANGUAGE plpgsql AS $$
DECLARE
    before record;
    after record;
    to_run text;
BEGIN
    SELECT * INTO before FROM pg_temp.executed(query);
    FOR to_run IN SELECT DISTINCT suggestion FROM missing_symbol.findings WHERE kind = of_kind LOOP
        EXECUTE to_run;
    END LOOP;
    SELECT * INTO after FROM pg_temp.executed(query);
    plan_changed := after.nodes <> before.nodes;
    fewer_blocks := after.blocks < before.blocks;
    IF NOT plan_changed OR NOT fewer_blocks THEN
        RAISE WARNING '% % -> % %', before.nodes, before.blocks, after.nodes, after.blocks;
    END IF;
END$$;
CREATE TEMPORARY VIEW seen AS
    SELECT kind, relation, columns, rows_read, rows_discarded, round(ratio::numeric, 2) AS ratio,
           times_seen AS times, suggestion
    FROM missing_symbol.findings;

CREATE SCHEMA "Lib";
CREATE TABLE "Lib"."Author" (id int PRIMARY KEY, name text, country int);
CREATE TABLE book (
    id int PRIMARY KEY,
    author int REFERENCES "Lib"."Author",
    "Title" text,
    published boolean,
    deleted timestamptz,
    price int,
    tags jsonb,
    old_name text COLLATE "C");
INSERT INTO "Lib"."Author" SELECT i, 'author ' || i, i % 50 FROM generate_series(1, 2000) i;
INSERT INTO book SELECT i, i % 2000 + 1, 'book ' || i, i % 200 = 0,
    CASE WHEN i % 200 = 1 THEN NULL ELSE timestamptz '2026-11-21 00:00+00' END, i % 1000,
    CASE WHEN i % 1000 = 0 THEN '{"a": 1}' ELSE '{"b": 2}' END::jsonb, 'old ' || i
FROM generate_series(1, 20000) i;
VACUUM (ANALYZE) "Lib"."Author";
VACUUM (ANALYZE) book;
SELECT missing_symbol.profile_start(plans => true);

--
-- seq_scan_discards
--
SELECT count(*) FROM book WHERE author = 7;
TABLE seen;
SELECT shape, queryid, userid = (SELECT oid FROM pg_roles WHERE rolname = current_user) AS userid, why FROM missing_symbol.findings;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE author = 7');
-- it is no finding any more
TABLE seen;
ROLLBACK;
-- again: the same shape is added to
SELECT count(*) FROM book WHERE author = 8;
TABLE seen;

-- equality before a range, whatever their order; a constant boolean and IS
-- NULL make a partial index
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM book WHERE price > 900 AND 70 = author AND id < 15000;
SELECT count(*) FROM book WHERE published = true AND price BETWEEN 10 AND 500;
SELECT count(*) FROM book WHERE deleted IS NULL;
SELECT count(*) FROM book WHERE NOT published IS FALSE AND author IN (199, 200);
TABLE seen;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE price > 900 AND 70 = author AND id < 15000');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE published = true AND price BETWEEN 10 AND 500');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE deleted IS NULL');
TABLE seen;
ROLLBACK;

-- operator classes, collations, expressions, other access methods
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM book WHERE "Title" LIKE 'book 777%';
SELECT count(*) FROM book WHERE lower("Title") = 'book 77';
SELECT count(*) FROM book WHERE price + id = 999;
SELECT count(*) FROM book WHERE old_name = 'old 7' COLLATE "POSIX";
SELECT count(*) FROM book WHERE tags @> '{"a": 1}';
TABLE seen;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE "Title" LIKE ''book 777%''');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE lower("Title") = ''book 77''');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE price + id = 999');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE old_name = ''old 7'' COLLATE "POSIX"');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM book WHERE tags @> ''{"a": 1}''');
TABLE seen;
ROLLBACK;

-- no honest suggestion
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM book WHERE "Title" LIKE '%77';
SELECT count(*) FROM book WHERE price <> id AND random() < 0;
SELECT count(*) FROM book WHERE author = 5 OR price = 1000;
SELECT count(*) FROM book WHERE id = 77.0;
SELECT kind, relation, columns, ratio > 0.9 AS much, suggestion, why FROM missing_symbol.findings
WHERE kind = 'seq_scan_discards';

-- DML that reads; EXECUTE, generic and custom; a cursor; a subquery; a CTE
SELECT missing_symbol.profile_reset();
BEGIN;
UPDATE book SET price = price WHERE author = 9;
DELETE FROM book WHERE author = 10;
INSERT INTO book SELECT id + 100000, author, "Title", published FROM book WHERE author = 11;
ROLLBACK;
PREPARE by_author AS SELECT count(*) FROM book WHERE author = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_author(12);
SET plan_cache_mode = force_custom_plan;
EXECUTE by_author(13);
RESET plan_cache_mode;
BEGIN;
DECLARE c CURSOR FOR SELECT 1 AS one FROM book WHERE author = 14;
FETCH ALL FROM c;
COMMIT;
SELECT (SELECT max(price) FROM book WHERE author = 15) = 1000 AS max;
WITH mine AS MATERIALIZED (SELECT * FROM book WHERE author = 16) SELECT count(*) FROM mine;
SELECT shape, relation, columns, rows_read, times_seen AS times, suggestion FROM missing_symbol.findings;

--
-- index_scan_discards
--
SELECT missing_symbol.profile_reset();
CREATE INDEX book_price ON book (price);
SELECT count(*) FROM book WHERE price < 200 AND author = 7;
SET enable_bitmapscan = off;
SELECT count(*) FROM book WHERE id BETWEEN 3000 AND 9000 AND published = true;
SELECT id FROM book WHERE author = 1999 ORDER BY id LIMIT 2;
RESET enable_bitmapscan;
SELECT kind, columns, rows_read, rows_discarded, suggestion, why FROM missing_symbol.findings;
BEGIN;
SELECT * FROM pg_temp.follow('index_scan_discards', 'SELECT count(*) FROM book WHERE price < 200 AND author = 7');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('index_scan_discards', 'SELECT count(*) FROM book WHERE id BETWEEN 3000 AND 9000 AND published = true');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.follow('index_scan_discards', 'SELECT id FROM book WHERE author = 1999 ORDER BY id LIMIT 2');
TABLE seen;
ROLLBACK;
-- an index-only scan
SELECT missing_symbol.profile_reset();
CREATE INDEX book_price_author ON book (price, author);
VACUUM book;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM book WHERE price < 500 AND price + author = 500;
SELECT kind, columns, rows_read, rows_discarded, suggestion, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('index_scan_discards', 'SELECT count(*) FROM book WHERE price < 500 AND price + author = 500');
RESET enable_seqscan;
RESET enable_bitmapscan;
TABLE seen;
DROP INDEX book_price, book_price_author, book_expr_price_idx;

--
-- sort_spilled, hash_spilled, temp_spilled
--
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM (SELECT "Title" FROM book ORDER BY "Title" OFFSET 0) sorted;
SELECT kind, relation, rows_read, rows_discarded, suggestion ~ '^SET work_mem = ''[0-9]+MB''$' AS suggests, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('sort_spilled', 'SELECT count(*) FROM (SELECT "Title" FROM book ORDER BY "Title" OFFSET 0) sorted');
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM book a JOIN book b ON a."Title" = b.old_name;
SELECT kind, relation, rows_read, rows_discarded, suggestion ~ '^SET work_mem = ''[0-9]+MB''$' AS suggests, why FROM missing_symbol.findings
WHERE kind = 'hash_spilled';
SELECT * FROM pg_temp.follow('hash_spilled', 'SELECT count(*) FROM book a JOIN book b ON a."Title" = b.old_name');
RESET enable_mergejoin;
RESET enable_nestloop;
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
SET enable_sort = off;
SELECT count(*) FROM (SELECT "Title", count(*) FROM book GROUP BY "Title") groups;
SELECT kind, relation, rows_read, rows_discarded, suggestion ~ '^SET work_mem = ''[0-9]+MB''$' AS suggests, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('hash_spilled', 'SELECT count(*) FROM (SELECT "Title", count(*) FROM book GROUP BY "Title") groups');
RESET enable_sort;
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
WITH kept AS MATERIALIZED (SELECT * FROM book) SELECT count(*) FROM kept, (SELECT count(*) FROM kept) again;
SELECT kind, relation, rows_read, rows_discarded, suggestion ~ '^SET work_mem = ''[0-9]+MB''$' AS suggests, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('temp_spilled', 'WITH kept AS MATERIALIZED (SELECT * FROM book) SELECT count(*) FROM kept, (SELECT count(*) FROM kept) again');
RESET work_mem;
-- now nothing spills
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM (SELECT "Title" FROM book ORDER BY "Title" OFFSET 0) sorted;
TABLE seen;

--
-- lossy_bitmap
--
CREATE TABLE wide (id int, a int, b int, filler text);
INSERT INTO wide SELECT i, i % 13, i % 17, repeat('x', 400) FROM generate_series(1, 60000) i;
CREATE INDEX ON wide (a);
CREATE INDEX ON wide (b);
VACUUM (ANALYZE) wide;
SET enable_seqscan = off;
SET enable_indexscan = off;
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM wide WHERE a = 5 AND b = 5;
SELECT kind, relation, columns, rows_discarded > 1000 AS many, suggestion, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('lossy_bitmap', 'SELECT count(*) FROM wide WHERE a = 5 AND b = 5');
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM wide WHERE a = 5 AND b = 5;
TABLE seen;
RESET work_mem;
RESET enable_seqscan;
RESET enable_indexscan;
DROP TABLE wide;

--
-- row_estimate_off
--
CREATE TABLE correlated (id int, a int, b int, c int, other int);
ALTER TABLE correlated SET (autovacuum_enabled = off);
CREATE TABLE others (id int PRIMARY KEY, v int);
INSERT INTO correlated SELECT i, i % 20, i % 20, i % 20, i FROM generate_series(1, 20000) i;
INSERT INTO others SELECT i, i FROM generate_series(1, 20000) i;
VACUUM (ANALYZE) correlated;
VACUUM (ANALYZE) others;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM correlated JOIN others ON others.id = correlated.other
WHERE a = 5 AND b = 5 AND c = 5 AND others.v >= 0;
SELECT kind, relation, columns, rows_read, rows_discarded, round(ratio) AS ratio, suggestion, why
FROM missing_symbol.findings WHERE kind = 'row_estimate_off';
SELECT * FROM pg_temp.follow('row_estimate_off', $$SELECT count(*) FROM correlated JOIN others ON others.id = correlated.other
WHERE a = 5 AND b = 5 AND c = 5 AND others.v >= 0$$);
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM correlated JOIN others ON others.id = correlated.other
WHERE a = 5 AND b = 5 AND c = 5 AND others.v >= 0;
SELECT count(*) FROM missing_symbol.findings WHERE kind = 'row_estimate_off';
-- no statistics at all
CREATE TABLE fresh (id int, state text, other int);
ALTER TABLE fresh SET (autovacuum_enabled = off);
INSERT INTO fresh SELECT i, 'new', i FROM generate_series(1, 20000) i;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM fresh JOIN others ON others.id = fresh.other WHERE state = 'new' AND others.v >= 0;
SELECT kind, relation, columns, rows_read, suggestion, why ~ '; it has no statistics yet$' AS why
FROM missing_symbol.findings WHERE kind = 'row_estimate_off';
SELECT * FROM pg_temp.follow('row_estimate_off',
    'SELECT count(*) FROM fresh JOIN others ON others.id = fresh.other WHERE state = ''new'' AND others.v >= 0');
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM fresh JOIN others ON others.id = fresh.other WHERE state = 'new' AND others.v >= 0;
TABLE seen;
-- a generic plan
CREATE TABLE skewed (id int, k int);
INSERT INTO skewed SELECT i, CASE WHEN i > 5000 THEN 1 ELSE i END FROM generate_series(1, 10000) i;
CREATE INDEX ON skewed (k);
VACUUM (ANALYZE) skewed;
PREPARE by_k AS SELECT count(*) FROM skewed JOIN others ON others.id = skewed.id WHERE k = $1 AND others.v >= 0;
SET plan_cache_mode = force_generic_plan;
SELECT missing_symbol.profile_reset();
EXECUTE by_k(1);
SELECT kind, relation, columns, rows_read, suggestion, why FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('row_estimate_off', 'EXECUTE by_k(1)');
RESET plan_cache_mode;
DROP TABLE correlated, others, fresh, skewed;

--
-- nested_seq_scan
--
SELECT missing_symbol.profile_reset();
SELECT sum((SELECT count(*) FROM book WHERE author = a.id)) FROM "Lib"."Author" a WHERE id <= 20;
TABLE seen;
SELECT why FROM missing_symbol.findings;
BEGIN;
SELECT * FROM pg_temp.follow('nested_seq_scan', 'SELECT sum((SELECT count(*) FROM book WHERE author = a.id)) FROM "Lib"."Author" a WHERE id <= 20');
TABLE seen;
ROLLBACK;
-- the join's own comparison
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM "Lib"."Author" a LEFT JOIN book ON book.price BETWEEN a.id * 10 AND a.id * 10 + 2 WHERE a.id <= 5;
TABLE seen;
BEGIN;
SELECT * FROM pg_temp.follow('nested_seq_scan', 'SELECT count(*) FROM "Lib"."Author" a LEFT JOIN book ON book.price BETWEEN a.id * 10 AND a.id * 10 + 2 WHERE a.id <= 5');
TABLE seen;
ROLLBACK;

--
-- missing_fk_index: of a statement that is itself fast
--
CREATE FUNCTION pg_temp.last_delete() RETURNS bigint LANGUAGE sql AS $$
    SELECT shared_blks_hit + shared_blks_read FROM missing_symbol.queries
    WHERE command IN ('DELETE', 'UPDATE') ORDER BY number DESC LIMIT 1
$$;
INSERT INTO "Lib"."Author" VALUES (5000), (5001), (5002);
SELECT missing_symbol.profile_reset();
DELETE FROM "Lib"."Author" WHERE id = 5000;
SELECT pg_temp.last_delete() AS blocks \gset before_
UPDATE "Lib"."Author" SET id = 6000 WHERE id = 5001;
SELECT shape, relation, columns, rows_read, rows_discarded, times_seen, suggestion, why FROM missing_symbol.findings;
SELECT suggestion FROM missing_symbol.findings LIMIT 1 \gset
:suggestion;
DELETE FROM "Lib"."Author" WHERE id = 5002;
SELECT pg_temp.last_delete() < :before_blocks / 2 AS fewer_blocks;
TABLE seen;
DROP INDEX book_author_idx;
-- ON DELETE CASCADE, and a check that waits for COMMIT; also where functions do it
ALTER TABLE book DROP CONSTRAINT book_author_fkey,
    ADD FOREIGN KEY (author) REFERENCES "Lib"."Author" ON DELETE CASCADE;
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    DELETE FROM "Lib"."Author" WHERE id = 1;
END$$;
SELECT kind, relation, columns, rows_read, suggestion FROM missing_symbol.findings;
ALTER TABLE book DROP CONSTRAINT book_author_fkey,
    ADD FOREIGN KEY (author) REFERENCES "Lib"."Author" ON UPDATE CASCADE;
SELECT missing_symbol.profile_reset();
UPDATE "Lib"."Author" SET id = 7000 WHERE id = 1999;
SELECT kind, shape, relation, columns, suggestion FROM missing_symbol.findings;
ALTER TABLE book DROP CONSTRAINT book_author_fkey,
    ADD FOREIGN KEY (author) REFERENCES "Lib"."Author" DEFERRABLE INITIALLY DEFERRED;
SELECT missing_symbol.profile_reset();
BEGIN;
DELETE FROM "Lib"."Author" WHERE id = 6000;
COMMIT;
SELECT kind, relation, columns, rows_read, suggestion FROM missing_symbol.findings;

--
-- What is prepared: also where EXPLAIN or CREATE TABLE AS executes it, and
-- where it goes while it runs, so long that its memory is given back to the
-- system
--
PREPARE of_author AS SELECT count(*) FROM book WHERE author = 7;
SELECT missing_symbol.profile_start('all', plans => true);
SELECT missing_symbol.profile_reset();
EXECUTE of_author;
EXPLAIN ANALYZE EXECUTE of_author \g /dev/null
CREATE TABLE counted AS EXECUTE of_author;
EXPLAIN ANALYZE CREATE TABLE counted_again AS EXECUTE of_author \g /dev/null
SELECT shape, relation, columns, times_seen FROM missing_symbol.findings;
SELECT level, command, text FROM missing_symbol.queries;
DROP TABLE counted, counted_again;
\i `echo "$PG_ABS_SRCDIR/sql/include/deallocates.sql"`
DO $$BEGIN
    EXECUTE format('PREPARE deallocates AS SELECT /* %s */ deallocates(), count(*) FROM book WHERE price < 0', repeat('x', 36000000));
END$$;
SELECT missing_symbol.profile_start('top', plans => true);
SELECT missing_symbol.profile_reset();
EXPLAIN ANALYZE EXECUTE deallocates \g /dev/null
SELECT relation, columns, times_seen FROM missing_symbol.findings;
-- the same where the EXPLAIN is not listed
DO $$BEGIN
    EXECUTE format('PREPARE deallocates AS SELECT /* %s */ deallocates(), count(*) FROM book WHERE price < 0', repeat('x', 36000000));
END$$;
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    EXECUTE 'EXPLAIN ANALYZE EXECUTE deallocates';
END$$;
TABLE seen;
DROP FUNCTION deallocates;

-- what explain_analyze() runs, and undoes, is not the session's
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    PERFORM missing_symbol.explain_analyze('DELETE FROM "Lib"."Author" WHERE id = 8000',
                                           setup => 'INSERT INTO "Lib"."Author" VALUES (8000)');
END$$;
TABLE seen;
-- and a plan that is looked into after it is
SELECT count(*) FROM book WHERE author = 7;
TABLE seen;

-- no index has system columns
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM book WHERE xmin::text = '1' AND price + tableoid::int = 7;
SELECT kind, columns, suggestion FROM missing_symbol.findings;

--
-- Partitions: one index for all of them
--
CREATE TABLE parts (id int, key int, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5000);
CREATE TABLE parts_2 (v int, gone int, key int, id int);
ALTER TABLE parts_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (5000) TO (10000);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (10000) TO (50000) PARTITION BY RANGE (id);
CREATE TABLE parts_31 PARTITION OF parts_3 FOR VALUES FROM (10000) TO (50000);
INSERT INTO parts SELECT i, i % 1000, i FROM generate_series(1, 30000) i;
VACUUM (ANALYZE) parts;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM parts WHERE key = 7;
SELECT count(*) FROM parts WHERE key = 7 AND id BETWEEN 10001 AND 40000;
SELECT shape, relation, columns, rows_read, rows_discarded, suggestion FROM missing_symbol.findings;
SELECT * FROM pg_temp.follow('seq_scan_discards', 'SELECT count(*) FROM parts WHERE key = 7');
TABLE seen;
DROP TABLE parts;

--
-- Parallel plans: the leader and its workers together
--
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM book WHERE author = 7;
TABLE seen;
-- rows that processes share are planned for one of them, and judged together
CREATE TABLE same AS SELECT i % 1000 AS a, i % 1000 AS b FROM generate_series(1, 2400) i;
ANALYZE same;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM same WHERE a = b;
SELECT kind, split_part(why, ';', 1) AS why FROM missing_symbol.findings;
DROP TABLE same;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

DISCARD ALL;
DROP TABLE book;
DROP SCHEMA "Lib" CASCADE;
