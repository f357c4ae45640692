-- explain(): the plan of a statement that is not run, with indexes that are not there.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE plant (id int, kind int, name text, seen date);
INSERT INTO plant SELECT i, i % 500, 'plant ' || i, '2026-01-01'::date + i % 100 FROM generate_series(1, 20000) i;
VACUUM (ANALYZE) plant;
CREATE FUNCTION pg_temp.plan(statement text, params text[] DEFAULT NULL, setup text DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(line, '  \(cost=.*\)', '') FROM missing_symbol.explain(statement, params, setup) line
$$;

-- generic without values, custom with them
SELECT * FROM pg_temp.plan('SELECT * FROM plant WHERE kind = $1');
SELECT * FROM pg_temp.plan('SELECT * FROM plant WHERE kind = $1', '{7}');
SELECT line ~ '^Seq Scan on plant  \(cost=0.00..\d+\.\d\d rows=40 width=\d+\)$' AS costs FROM missing_symbol.explain('SELECT * FROM plant WHERE kind = 7') line LIMIT 1;
-- indexes of each kind
SELECT * FROM pg_temp.plan('SELECT * FROM plant WHERE kind = $1', '{7}', 'CREATE INDEX ON plant (kind)');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE kind = 7', NULL, 'SET enable_bitmapscan = off; CREATE INDEX ON plant (kind) INCLUDE (id)');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE upper(name) = ''X'' ORDER BY seen DESC LIMIT 3', NULL, 'CREATE INDEX ON plant (upper(name), seen DESC)');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE name LIKE ''plant 77%''', NULL, 'CREATE INDEX ON plant (seen); CREATE INDEX ON plant (name text_pattern_ops) WHERE id > 0');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE name LIKE ''plant 77%'' AND id > 5', NULL, 'CREATE INDEX ON plant (seen); CREATE INDEX ON plant (name text_pattern_ops) WHERE id > 0');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE name = ''plant 77''', NULL, 'CREATE INDEX ON plant USING hash (name)');
SELECT * FROM pg_temp.plan('DELETE FROM plant WHERE id = 7', NULL, 'CREATE UNIQUE INDEX ON plant (id)');
-- nothing was made, run or left
SELECT count(*) FROM pg_indexes WHERE tablename = 'plant';
SELECT count(*) FROM plant;
SHOW enable_bitmapscan;
SELECT count(*) FROM pg_locks WHERE relation = 'plant'::regclass;
SELECT * FROM pg_temp.plan('SELECT 1 / (id - id) FROM plant WHERE kind = 1');
BEGIN READ ONLY;
SELECT * FROM pg_temp.plan('UPDATE plant SET id = 1', NULL, 'CREATE INDEX ON plant (id)');
COMMIT;
-- what it is not for
\set VERBOSITY terse
SELECT * FROM missing_symbol.explain(NULL);
SELECT * FROM missing_symbol.explain('SELECT 1; SELECT 2');
SELECT * FROM missing_symbol.explain('VACUUM plant');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE TABLE t ()');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (nothing)');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON nothing (id)');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant USING gist (name)');
SELECT * FROM missing_symbol.explain('SELECT * FROM plant WHERE kind = $1', '{7,8}');
SELECT * FROM missing_symbol.explain('SELECT * FROM plant WHERE nothing');
-- rows of a plan tell of the data: who may not read is told nothing
CREATE ROLE regress_explain_nobody;
SET ROLE regress_explain_nobody;
SELECT * FROM missing_symbol.explain('SELECT * FROM plant WHERE kind = 7');
RESET ROLE;
DROP ROLE regress_explain_nobody;

--
-- compare(): with parameters, and with an index or a setting on one side
--
SELECT variant, runs_done, rows, same_result FROM missing_symbol.compare('SELECT * FROM plant WHERE kind = $1', 'SELECT * FROM plant WHERE kind IN ($1)', 2, params => '{3}');
SELECT variant, runs_done, rows, same_result FROM missing_symbol.compare('SELECT * FROM plant WHERE kind = $1', 'SELECT * FROM plant WHERE kind IN ($1)', 2, true, params => '{3}');
CREATE FUNCTION pg_temp.fewer(setup_a text, setup_b text, prepared bool, OUT blocks text) LANGUAGE sql AS $$
    SELECT CASE WHEN min(c.blocks) FILTER (WHERE variant = 'a') < min(c.blocks) FILTER (WHERE variant = 'b') THEN 'a'
                WHEN min(c.blocks) FILTER (WHERE variant = 'a') > min(c.blocks) FILTER (WHERE variant = 'b') THEN 'b' END
    FROM missing_symbol.compare('SELECT * FROM wide WHERE id = $1', 'SELECT * FROM wide WHERE id = $1', 2, prepared,
                                params => '{7}', setup_a => setup_a, setup_b => setup_b) c
$$;
CREATE TABLE wide AS SELECT i AS id, repeat('x', 500) AS v FROM generate_series(1, 1000) i;
ANALYZE wide;
SELECT pg_temp.fewer(NULL, 'CREATE INDEX ON wide (id)', false), pg_temp.fewer('CREATE INDEX ON wide (id)', NULL, true),
       pg_temp.fewer('SET enable_bitmapscan = off; SET enable_indexscan = off; CREATE INDEX ON wide (id)', 'CREATE INDEX ON wide (id)', false),
       pg_temp.fewer('CREATE INDEX ON wide (id)', 'CREATE INDEX ON wide (id)', false) IS NULL AS both;
SELECT count(*) FROM pg_indexes WHERE tablename = 'wide';
SHOW enable_indexscan;
SELECT pg_temp.fewer('ANALYZE wide', NULL, false);
SELECT pg_temp.fewer(NULL, 'CREATE INDEX ON nothing (id)', false);
SELECT * FROM missing_symbol.compare('DELETE FROM wide', 'DELETE FROM wide', writes => true, setup_a => 'CREATE INDEX ON wide (id)');
SELECT * FROM missing_symbol.compare('SELECT $1::int', 'SELECT 1', params => '{7}');
DROP TABLE wide;
DROP TABLE plant;
