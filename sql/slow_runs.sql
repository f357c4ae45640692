-- Statements that took long, and their plans.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET search_path = public;
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE book (id int PRIMARY KEY, author int, price numeric, published bool);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 50) i;
INSERT INTO book SELECT i, i % 50 + 1, i % 100, i % 3 = 0 FROM generate_series(1, 1000) i;
CREATE INDEX book_author ON book (author);
VACUUM ANALYZE author;
VACUUM ANALYZE book;

-- below the threshold nothing is kept, above it all is; the default is a second
SHOW missing_symbol.slow_threshold;
RESET missing_symbol.slow_threshold;
SHOW missing_symbol.slow_threshold;
SELECT missing_symbol.profile_start(plans => true);
SELECT 1 AS fast;
SELECT pg_sleep(1.1);
SELECT text, rows, duration_ms >= 1100 AS long, abs(duration_ms - plan_ms - exec_ms) < 0.001 AS adds_up,
       abs(extract(epoch FROM clock_timestamp() - started_at)) < 600 AS now
FROM missing_symbol.slow_runs WHERE text ~ 'sleep|fast';
SELECT kind, shape, relation, times_seen, suggestion, why ~ '^the slowest one took 1[1-9][0-9][0-9]\.[0-9] ms' AS told
FROM missing_symbol.findings WHERE shape ~ 'sleep';
-- a setting of a user, with a unit
SET missing_symbol.slow_threshold = '2s';
SHOW missing_symbol.slow_threshold;
\set VERBOSITY sqlstate
SET missing_symbol.slow_threshold = -2;
\set VERBOSITY default
SELECT pg_sleep(1.01);
SELECT count(*) FROM missing_symbol.slow_runs WHERE text ~ '1.01';

-- any statement
SET missing_symbol.slow_threshold = 0;
SELECT missing_symbol.profile_reset();
PREPARE runs AS
SELECT text, params, rows, status, sqlstate,
       regexp_replace(regexp_replace(plan_text, 'cost=[0-9.]+ rows=[0-9]+ width=[0-9]+', 'C', 'g'), 'cost=\S+', 'C', 'g') AS plan
FROM missing_symbol.slow_runs WHERE text !~ 'slow_threshold|profile_|EXECUTE runs' ORDER BY number;
\x on
SELECT count(*), a.name FROM book b JOIN author a ON a.id = b.author
WHERE b.price > 90 AND published AND b.author = 7 GROUP BY a.name HAVING count(*) > 1 ORDER BY 2 LIMIT 3;
UPDATE book SET price = price + 1 WHERE id = 5;
\o /dev/null
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT FROM author WHERE id = (SELECT count(*) + 100 FROM book WHERE price > 98);
\o
SELECT f FROM generate_series(1, 3) f(f) WHERE f > 2;
SELECT 1 / 0;
SELECT no_column;
SET missing_symbol.slow_threshold = -1;
EXECUTE runs;
SELECT (SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(plan) key) AS keys,
       (plan #> '{plans,0}') - '{startup_cost,total_cost,width}'::text[] AS input
FROM missing_symbol.slow_runs WHERE text ~ '^UPDATE';

-- estimates: by how much they were off; not where rows were left alone
CREATE TABLE grown (id int, k int);
ALTER TABLE grown SET (autovacuum_enabled = off);
INSERT INTO grown SELECT i, i FROM generate_series(1, 10) i;
ANALYZE grown;
INSERT INTO grown SELECT i, 1 FROM generate_series(1, 10000) i;
SET missing_symbol.slow_threshold = 0;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM grown WHERE k = 1;
SELECT id FROM author ORDER BY id LIMIT 1;
SELECT count(*) FROM author WHERE name > 'b';
SET missing_symbol.slow_threshold = -1;
SELECT text, (plan #> '{plans,0,off}')::float8 >= 10 AS off, plan #> '{plans,0,share}' AS share,
       plan #> '{plans,0,removed}' AS removed
FROM missing_symbol.slow_runs WHERE text ~ '^SELECT (count|id)' ORDER BY number;

-- prepared statements, cursors, commands: the plan of what they run
SET missing_symbol.slow_threshold = 0;
SELECT missing_symbol.profile_reset();
SET plan_cache_mode = force_generic_plan;
PREPARE p(int) AS SELECT name FROM author WHERE id = $1;
EXECUTE p(3);
DEALLOCATE p;
RESET plan_cache_mode;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM author ORDER BY id;
FETCH 3 FROM c;
FETCH 4 FROM c;
COMMIT;
CREATE TEMP TABLE made AS SELECT * FROM author WHERE id < 4;
COPY (SELECT name FROM author WHERE id = 2) TO stdout;
DO $$BEGIN PERFORM 1; END$$;
SET missing_symbol.slow_threshold = -1;
SELECT text, rows, (plan ->> 'node') AS node, plan ->> 'relation' AS relation, plan ->> 'index_cond' AS index_cond,
       plan ->> 'filter' AS filter, plan ->> 'rows' AS came
FROM missing_symbol.slow_runs WHERE plan IS NOT NULL OR text ~ '^DO' ORDER BY number;
\x off
-- commands are no finding by themselves
SELECT shape, times_seen FROM missing_symbol.findings WHERE kind = 'slow_run' ORDER BY shape COLLATE "C";

-- without plans there is a plan, and no rows
SELECT missing_symbol.profile_start(plans => false), missing_symbol.profile_reset();
SET missing_symbol.slow_threshold = 0;
SELECT name FROM author WHERE id = 4;
SET missing_symbol.slow_threshold = -1;
SELECT plan - '{startup_cost,total_cost,width}'::text[] AS plan FROM missing_symbol.slow_runs WHERE text ~ 'id = 4';
SELECT why ~ 'slow_runs has its plan$' AS told FROM missing_symbol.findings WHERE shape = 'select name from author where id = ?' AND kind = 'slow_run';

-- labels, tags
SELECT missing_symbol.profile_mark('checkout');
SET missing_symbol.slow_threshold = 0;
SELECT count(*) AS labelled FROM author /*controller='cart'*/;
SET missing_symbol.slow_threshold = -1;
SELECT label, tags, application = current_setting('application_name') AS application FROM missing_symbol.slow_runs WHERE text ~ 'labelled';
SELECT label FROM missing_symbol.findings WHERE shape ~ 'labelled';

-- nested ones, where they are listed
SELECT missing_symbol.profile_start('all', plans => true);
CREATE FUNCTION names(n int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM author WHERE id < n);
END$$;
SET missing_symbol.slow_threshold = 0;
SELECT names(9);
SET missing_symbol.slow_threshold = -1;
SELECT toplevel, regexp_replace(text, '^SELECT [(]', '(') AS text, plan ->> 'node' AS node FROM missing_symbol.slow_runs WHERE text ~ 'names[(]9|count.*< n' ORDER BY number;

-- the slowest, and not all of one shape
SELECT missing_symbol.profile_start('top', plans => true), missing_symbol.profile_reset();
SET missing_symbol.slow_threshold = 0;
\set ECHO none
\o /dev/null
SELECT 'SELECT count(*) FROM author WHERE id < ' || i FROM generate_series(1, 20) i \gexec
\o
\set ECHO all
SET missing_symbol.slow_threshold = -1;
SELECT count(*) FROM missing_symbol.slow_runs WHERE text ~ 'count';
SELECT times_seen FROM missing_symbol.findings WHERE shape ~ 'count';
SELECT line ~ ' 1[6-9] slow runs forgotten' AS told FROM missing_symbol.profile_report() line WHERE line ~ '^Lost';
SELECT (missing_symbol.profile_report('json')::jsonb #>> '{lost,slow_runs_forgotten}')::int >= 16 AS told
FROM (SELECT 1) one;
SELECT missing_symbol.profile_summary() ~ ', 1[6-9] slow runs forgotten' AS told;
SELECT substring(page FROM '<section id="slow">(.*?)</section>') ~ '<p class="note">Not kept: 1[6-9][.] ' AS told FROM missing_symbol.profile_report('html') page;
SELECT bool_and(duration_ms <= before) AS ordered
FROM (SELECT duration_ms, lag(duration_ms, 1, 'Infinity') OVER () AS before FROM missing_symbol.slow_runs) r;

-- a bounded memory: many shapes, long texts, long conditions, many nodes
SELECT missing_symbol.profile_reset();
SET missing_symbol.slow_threshold = 0;
\set ECHO none
\o /dev/null
SELECT format('SELECT count(*), %s FROM author', string_agg('max(id)', ', ')) FROM generate_series(1, 100) i, generate_series(1, i) GROUP BY i ORDER BY i \gexec
SELECT format('SELECT pg_sleep(0.1), count(*), %L FROM author', repeat('text ', 2000)) \gexec
SELECT format('SELECT pg_sleep(0.1) FROM book WHERE id IN (%s) LIMIT 1', string_agg(i::text, ', ')) FROM generate_series(1, 2000) i \gexec
SELECT format('SELECT pg_sleep(0.1) FROM book WHERE %s LIMIT 1', string_agg('price = ' || i, ' OR ')) FROM generate_series(1, 300) i \gexec
SELECT 'SELECT pg_sleep(0.1), count(*) FROM author a0 ' || string_agg(format('UNION ALL SELECT NULL, count(*) FROM author WHERE id < %s', i), ' ') FROM generate_series(1, 150) i \gexec
\o
\set ECHO all
SET missing_symbol.slow_threshold = -1;
SELECT count(*) BETWEEN 30 AND 64 AS bounded, bool_or(duration_ms < 90) AS fast_ones FROM missing_symbol.slow_runs;
SELECT octet_length(text), left(text, 30) AS text, plan ->> 'node' AS node FROM missing_symbol.slow_runs WHERE text ~ 'text text';
SELECT left(text, 42) AS text, plan #>> '{plans,0,index_cond}' AS index_cond, plan #>> '{plans,0,filter}' AS filter
FROM missing_symbol.slow_runs WHERE text ~ '^SELECT pg_sleep.*WHERE (id IN|price =)' ORDER BY 1;
SELECT left(text, 48) AS text, plan ->> 'left_out' AS left_out, plan_text ~ E'\n\\(\\d+ more nodes were not kept\\)$' AS told
FROM missing_symbol.slow_runs WHERE text ~ '^SELECT pg_sleep.*a0 UNION';

-- an array of rows is a value that is not known
SET missing_symbol.slow_threshold = 0;
SELECT count(*) AS listed FROM author WHERE id = ANY (ARRAY(SELECT author FROM book WHERE author = author.id OFFSET 0));
SET missing_symbol.slow_threshold = -1;
SELECT plan #>> '{plans,0,filter}' AS filter FROM missing_symbol.slow_runs WHERE text ~ 'AS listed';

-- emptied with the profile
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM missing_symbol.slow_runs;
BEGIN;
SELECT missing_symbol.profile_start(scope => 'transaction', plans => true);
SET LOCAL missing_symbol.slow_threshold = 0;
SELECT count(*) FROM author;
SELECT text FROM missing_symbol.slow_runs WHERE text ~ 'author';
COMMIT;
SELECT count(*) FROM missing_symbol.slow_runs;
DISCARD ALL;
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`

-- what it was about is gone, or has another name
SELECT missing_symbol.profile_start(plans => true);
CREATE TYPE mood AS ENUM ('fine', 'sad');
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION always(pair, int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * $1; END';
CREATE TABLE gone (id int PRIMARY KEY, feeling mood, "other NAME" int);
INSERT INTO gone VALUES (1, 'fine', 1), (2, 'sad', 2);
SET missing_symbol.slow_threshold = 0;
SELECT count(*) FROM gone WHERE "other NAME" = 1;
SELECT count(*) FROM gone WHERE feeling = 'fine';
SELECT count(*) FROM gone WHERE always(ROW (1, 2)::pair, id);
SELECT count(*) FROM gone WHERE twice(id) = 2;
SELECT count(*) FROM gone WHERE feeling::text = 'fine';
SET missing_symbol.slow_threshold = -1;
PREPARE gone AS
SELECT text, plan #>> '{plans,0,relation}' AS relation, plan #>> '{plans,0,alias}' AS alias, plan #>> '{plans,0,filter}' AS filter
FROM missing_symbol.slow_runs WHERE text ~ 'FROM gone' ORDER BY number;
EXECUTE gone;
ALTER TABLE gone RENAME COLUMN "other NAME" TO renamed;
ALTER TABLE gone RENAME TO moved;
ALTER TYPE pair ALTER ATTRIBUTE a TYPE text;
EXECUTE gone;
DROP TABLE moved;
DROP FUNCTION twice;
DROP FUNCTION always;
DROP TYPE mood, pair;
EXECUTE gone;
-- no table of the reader's is taken for one of the statement
CREATE TABLE gone (x int);
EXECUTE gone;
DROP TABLE gone;
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
DROP TABLE author, book, grown;
DROP FUNCTION names;
