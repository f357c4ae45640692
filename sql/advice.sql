-- Advice that is proved: for each kind of condition the index that helps,
-- created to the letter and analysed, is used and has fewer blocks read; or
-- there is none, and why.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
\i `echo "$PG_ABS_SRCDIR/sql/include/follow.sql"`
\set advised `echo "$PG_ABS_SRCDIR/sql/include/advised.sql"`
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET default_statistics_target = 40;	-- all rows of 12,000: nothing is left to chance
CREATE TABLE note (
    id int, tenant int, deleted timestamptz, name text, active boolean, amount int, data jsonb,
    created timestamptz, status text, a int, b text, owner int, ip inet, tags text[], point point);
ALTER TABLE note SET (autovacuum_enabled = off);
INSERT INTO note
SELECT i, 1, CASE WHEN i % 500 = 0 THEN '2026-01-01'::timestamptz END, 'name ' || md5(i::text), i % 20 <> 0, i % 1000,
    jsonb_build_object('k', i % 2000), '2020-01-01'::timestamptz + i * interval '1 minute',
    CASE WHEN i % 100 = 0 THEN 'open' ELSE 'done' END, i % 1000, 'b' || i % 900, i % 777,
    format('10.%s.%s.1', i % 250, i % 200)::inet, ARRAY['t' || i % 1000, 'u' || i % 37], point(i, i)
FROM generate_series(1, 12000) i;
VACUUM (ANALYZE) note;
SELECT missing_symbol.profile_start(plans => true);

-- beside a column that selects nothing
\set q 'SELECT count(*) FROM note WHERE active AND amount > 995'
\i :advised
\set q 'SELECT count(*) FROM note WHERE tenant = 1 AND data @> ''{"k": 7}'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE created > ''2000-01-01'' AND amount > 995'
\i :advised
\set q 'SELECT count(*) FROM note WHERE id > 0 AND amount = 995'
\i :advised
-- what is excluded
\set q 'SELECT max(id) FROM note WHERE status <> ''done'''
\i :advised
\set q 'SELECT max(id) FROM note WHERE status NOT IN (''done'', ''gone'')'
\i :advised
\set q 'SELECT max(id) FROM note WHERE deleted IS NOT NULL'
\i :advised
-- an index for each arm
\set q 'SELECT count(*) FROM note WHERE a = 5 OR b = ''b7'''
\i :advised
-- rows compared, in an order
\set q 'SELECT id FROM note WHERE (created, id) < (''2020-01-01 12:00'', 5) ORDER BY created DESC, id DESC LIMIT 10'
\i :advised
-- collations that are not the column's
\set q 'SELECT count(*) FROM note WHERE upper(b COLLATE "C") = ''B7'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE b COLLATE "C" < ''b1'' AND id < 5000'
\i :advised
\set q 'SELECT max(id) FROM note WHERE status COLLATE "C" <> ''done'''
\i :advised
-- the first of an order
\set q 'SELECT id FROM note WHERE owner = 5 ORDER BY created DESC LIMIT 5'
\i :advised
\set q 'SELECT id FROM note ORDER BY created DESC LIMIT 10'
\i :advised
\set q 'SELECT id FROM note ORDER BY deleted DESC NULLS LAST, created LIMIT 10'
\i :advised
\set q 'SELECT id FROM note WHERE status = ''open'' ORDER BY created DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED'
\i :advised
\set q 'SELECT id FROM note ORDER BY created LIMIT 3 FOR UPDATE'
\i :advised
-- patterns, networks, arrays
\set q 'SELECT count(*) FROM note WHERE name ~ ''^name 77'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE ip <<= ''10.5.0.0/16'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE tags @> ARRAY[''t5'']'
\i :advised
\set q 'SELECT count(*) FROM note WHERE point <@ box ''((1, 1), (9, 9))'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE ''t5'' = ANY (tags)'
\i :advised
-- values that are too long for a btree
CREATE TABLE letter AS SELECT repeat('x', 600) || i AS body FROM generate_series(1, 10000) i;
ANALYZE letter;
SELECT 'SELECT count(*) FROM letter WHERE body = ''' || repeat('x', 600) || '70''' AS q \gset
\i :advised
DROP TABLE letter;
-- more columns where nothing else helps: rows that are everywhere
CREATE TABLE spread AS SELECT i AS id, i % 11 AS k, i AS v, repeat('x', 400) AS filler FROM generate_series(1, 12000) i;
ALTER TABLE spread SET (autovacuum_enabled = off);
VACUUM (ANALYZE) spread;
\set q 'SELECT sum(v) FROM spread WHERE k = 3'
\i :advised
\set q 'SELECT sum(s.v) FROM spread s WHERE s.k = 4 AND s.v > 0'
\i :advised
\set q 'SELECT * FROM spread WHERE k = 3'
\i :advised
DROP TABLE spread;
-- more conditions than an index has columns
SELECT 'SELECT count(*) FROM note WHERE amount = 7 AND ' || string_agg(format('id + %s = %s', i, i + 7), ' AND ') AS q
FROM generate_series(1, 33) i \gset
\i :advised
-- a parameter, whose value is known
PREPARE by_amount(int) AS SELECT count(*) FROM note WHERE amount = $1;
\set q 'EXECUTE by_amount(7)'
\i :advised
-- and one that is not: nothing is proved, but few rows came
PREPARE by_name(text) AS SELECT count(*) FROM note WHERE name = $1;
SELECT format('EXECUTE by_name(%L)', repeat('name ', 20)) AS q \gset
\i :advised
-- more than 32 of them, and a text of more than 4 kB
SELECT format('PREPARE many AS SELECT count(*) FROM note WHERE amount = $1 AND id NOT IN (%s)', string_agg('$' || i, ', ')) AS made,
    format('EXECUTE many(7, %s)', string_agg(i::text, ', ')) AS q
FROM generate_series(2, 33) i \gset
:made;
\i :advised
SELECT format('SELECT count(*) /* %s */ FROM note WHERE amount = 7', repeat('x', 4040)) AS q \gset
\i :advised
SELECT format('SELECT count(*) /* %s */ FROM note WHERE amount = 7', repeat('x', 4060)) AS q \gset
\i :advised
-- values of types that are not the server's own, in custom plans and generic ones
CREATE TYPE state AS ENUM ('new', 'open', 'done');
CREATE DOMAIN ref AS text CHECK (VALUE LIKE 'ref%');
CREATE TYPE pair AS (a int, b int);
CREATE TABLE ticket AS
SELECT i AS id, (CASE WHEN i % 300 = 0 THEN 'new' ELSE 'done' END)::state AS state, ('ref' || i)::ref AS ref, ROW(i, 5)::pair AS pair,
    repeat('x', 100) AS filler
FROM generate_series(1, 12000) i;
ANALYZE ticket;
PREPARE by_state(state) AS SELECT count(*) FROM ticket WHERE state = $1;
PREPARE by_states(state[]) AS SELECT count(*) FROM ticket WHERE state = ANY ($1);
PREPARE by_ref(ref) AS SELECT count(*) FROM ticket WHERE ref = $1;
PREPARE by_pair(pair) AS SELECT count(*) FROM ticket WHERE id = ($1).a AND pair = $1;
\set q 'EXECUTE by_state(''new'')'
\i :advised
\set q 'EXECUTE by_states(''{new}'')'
\i :advised
\set q 'EXECUTE by_ref(''ref77'')'
\i :advised
SET plan_cache_mode = force_generic_plan;
\set q 'EXECUTE by_state(''new'')'
\i :advised
\set q 'EXECUTE by_ref(''ref77'')'
\i :advised
RESET plan_cache_mode;
-- what a row consists of can be altered: it is not kept
\set q 'EXECUTE by_pair(''(77,5)'')'
\i :advised
DEALLOCATE ALL;
DROP TABLE ticket;
DROP TYPE state, pair;
DROP DOMAIN ref;
-- rows of each key in every block: fewer are only read where the index has the column that is wanted
CREATE TABLE everywhere AS SELECT i AS id, i % 60 AS k, i AS v, repeat('x', 50) AS filler FROM generate_series(1, 12000) i;
ALTER TABLE everywhere SET (autovacuum_enabled = off);
VACUUM (ANALYZE) everywhere;
SELECT missing_symbol.profile_reset();
SELECT max(filler) FROM everywhere WHERE k = 7 \g /dev/null
SELECT suggestion, proved, why FROM missing_symbol.findings;
\set q 'SELECT max(v) FROM everywhere WHERE k = 8'
\i :advised
DROP TABLE everywhere;
-- no time to prove anything
SET missing_symbol.advice_time = 0;
\set q 'SELECT count(*) FROM note WHERE amount = 8'
\i :advised
-- of two conditions nothing is measured but by statistics
\set q 'SELECT count(*) FROM note WHERE amount = 8 AND created > ''2020-01-01'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE amount < 8 AND created > ''2020-01-01'''
\i :advised
SET missing_symbol.advice_time = '1min';
-- an expression has no statistics
\set q 'SELECT count(*) FROM note WHERE upper(name) = ''NAME 7'''
\i :advised

--
-- Nothing helps, and nothing is suggested
--
\set q 'SELECT count(*) FROM note WHERE tenant = 1 AND name ILIKE ''%zzz%'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE tenant = 1 AND active AND status LIKE ''%x%'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE deleted IS NULL AND name ILIKE ''%abc%'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE id > 0 AND created > ''2000-01-01'' AND name LIKE ''%zzz%'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE note::text = ''x'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE xmin::text = ''1'''
\i :advised
\set q 'SELECT count(*) FROM note WHERE amount = 5.5'
\i :advised
\set q 'SELECT id FROM note ORDER BY random() LIMIT 1'
\i :advised
-- of columns that cannot have them there are no statistics
CREATE TABLE odd AS SELECT i % 20 AS a, i % 20 AS b, point(1, 1) AS p, '{}'::json AS j FROM generate_series(1, 20000) i;
ANALYZE odd;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM odd WHERE a = 5 AND b = 5 AND p IS NOT NULL AND j IS NOT NULL;
SELECT kind, suggestion FROM missing_symbol.findings ORDER BY 1;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM odd o, odd p WHERE o.p IS NOT NULL AND o.j IS NULL AND o.a = p.a;
SELECT kind, suggestion FROM missing_symbol.findings ORDER BY 1;
DROP TABLE odd;
-- nor of more than eight columns, and none of a whole row
SELECT format('CREATE TABLE many AS SELECT %s FROM generate_series(1, 10000) i', string_agg(format('i %% 20 AS c%s', n), ', ')) AS made,
    format('SELECT count(*) FROM many m JOIN many o ON o.c1 = m.c1 + 100 WHERE %s', string_agg(format('m.c%s = 5', n), ' AND ')) AS q
FROM generate_series(1, 40) n \gset many_
:many_made;
ANALYZE many;
SELECT missing_symbol.profile_reset();
:many_q;
SELECT suggestion FROM missing_symbol.findings WHERE kind = 'row_estimate_off';
SELECT suggestion FROM missing_symbol.findings WHERE kind = 'row_estimate_off' \gexec
DROP TABLE many;
CREATE TABLE part (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE part_1 (v int, id int);
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES FROM (0) TO (100000);
INSERT INTO part SELECT i, i FROM generate_series(1, 12000) i;
ANALYZE part_1;
\set q 'SELECT count(*) FROM part WHERE part::text = ''(7,7)'''
\i :advised
\set q 'SELECT count(*) FROM part WHERE part = ROW(7, 7)::part'
\i :advised
DROP TABLE part;

--
-- An index is there
--
CREATE INDEX note_owner ON note (owner);
CREATE INDEX note_active ON note (active);
CREATE INDEX note_a ON note (a);
SET enable_indexscan = off;
SET enable_bitmapscan = off;
\set q 'SELECT max(id) FROM note WHERE owner = 5'
\i :advised
RESET enable_indexscan;
RESET enable_bitmapscan;
-- it would be chosen now
SELECT count(*) FROM missing_symbol.findings;
SET random_page_cost = 100;
\set q 'SELECT max(id) FROM note WHERE owner < 20'
\i :advised
RESET random_page_cost;
-- what it has in front is not compared
\set q 'SELECT max(id) FROM note WHERE owner + 0 = 5'
\i :advised
-- it is compared with another type
\set q 'SELECT max(id) FROM note WHERE owner = 5.0'
\i :advised
-- statistics are old, and say that it finds most rows
CREATE TABLE aged AS SELECT i AS id, CASE WHEN i % 10 < 6 THEN 1 ELSE i END AS k, repeat('x', 50) AS filler FROM generate_series(1, 12000) i;
ALTER TABLE aged SET (autovacuum_enabled = off);
CREATE INDEX aged_k ON aged (k);
ANALYZE aged;
UPDATE aged SET k = id WHERE k = 1 AND id > 100;
SELECT missing_symbol.profile_reset();
SELECT max(filler) FROM aged WHERE k = 1 \g /dev/null
SELECT suggestion, regexp_replace(why, '(cost of|without of|expects) \d+', '\1 N', 'g') AS why FROM missing_symbol.findings WHERE kind = 'seq_scan_discards';
ANALYZE aged;
SELECT count(*) FROM missing_symbol.findings WHERE kind = 'seq_scan_discards';
DROP TABLE aged;
-- one that is broken
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'note_a'::regclass;
\set q 'SELECT max(id) FROM note WHERE a = 5'
\i :advised
DROP INDEX note_owner, note_active, note_a;

--
-- BRIN knows pages only: no memory helps
--
CREATE INDEX note_brin ON note USING brin (id);
SET enable_seqscan = off;
SET work_mem = '64kB';
\set q 'SELECT count(*) FROM note WHERE id BETWEEN 100 AND 900'
\i :advised
CREATE INDEX note_brin_amount ON note USING brin (amount);
\set q 'SELECT max(id) FROM note WHERE amount = 7'
\i :advised
RESET enable_seqscan;
RESET work_mem;
DROP INDEX note_brin, note_brin_amount;

--
-- Index-only scans of a table that has not been vacuumed
--
CREATE TABLE seen AS SELECT i FROM generate_series(1, 20000) i;
ALTER TABLE seen SET (autovacuum_enabled = off);
CREATE INDEX seen_i ON seen (i);
ANALYZE seen;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT missing_symbol.profile_reset();
-- (of rows that others do not see yet no page can be said to be visible)
BEGIN;
UPDATE seen SET i = i;
SELECT count(*) FROM seen WHERE i > 5;
SELECT kind, relation, rows_read >= 19995 AS all, suggestion, proved, why FROM missing_symbol.findings WHERE kind = 'heap_fetches';
COMMIT;
VACUUM seen;
SELECT count(*) FROM missing_symbol.findings WHERE kind = 'heap_fetches';
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE seen;

--
-- work_mem that does, and not much more of it
--
CREATE FUNCTION pg_temp.spills(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Temp Written Blocks')::bigint > 0;
END$$;
CREATE FUNCTION pg_temp.enough(query text, OUT enough boolean, OUT much boolean) LANGUAGE plpgsql AS $$
DECLARE
    mb int := (SELECT max(substring(suggestion FROM '= ''(\d+)MB')::int) FROM missing_symbol.findings);
BEGIN
    PERFORM set_config('work_mem', mb || 'MB', false);
    enough := NOT pg_temp.spills(query);
    PERFORM set_config('work_mem', mb * 1024 / 4 || 'kB', false);
    much := NOT pg_temp.spills(query);
END$$;
\set memory `echo "$PG_ABS_SRCDIR/sql/include/memory.sql"`
\set q 'SELECT count(*) FROM (SELECT i FROM generate_series(1, 200000) i OFFSET 0) i'
\i :memory
\set q 'SELECT count(DISTINCT i) FROM (SELECT i FROM generate_series(1, 200000) i OFFSET 0) i'
\i :memory
-- above a gigabyte, by the width that is planned: none
SET work_mem = '64kB';
SELECT missing_symbol.profile_reset();
WITH k AS MATERIALIZED (SELECT i, NULL::char(60000) AS filler FROM generate_series(1, 20000) i)
SELECT count(*) FROM (SELECT i FROM k ORDER BY i DESC OFFSET 0) sorted;
SELECT kind, suggestion, regexp_replace(why, '\d{4,} MB', 'N MB') AS why FROM missing_symbol.findings;
-- of one process that has all rows
SET max_parallel_workers_per_gather = 1;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\set q 'SELECT * FROM (SELECT name, data, tags FROM note ORDER BY name OFFSET 0) n OFFSET 11999'
\i :memory
RESET work_mem;
DROP TABLE note;
DISCARD ALL;
