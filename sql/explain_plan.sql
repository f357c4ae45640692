-- explain(): the plan of a statement that is not run, with indexes that are not there.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE plant (id int, kind int, name text, seen date);
INSERT INTO plant SELECT i, i % 500, 'plant ' || i, '2026-01-01'::date + i % 100 FROM generate_series(1, 20000) i;
VACUUM (ANALYZE) plant;
CREATE FUNCTION pg_temp.plan(statement text, params text[] DEFAULT NULL, setup text DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(line, '  \(cost=.*\)', ''), 'pg_temp_\d+', 'pg_temp') FROM missing_symbol.explain(statement, params, setup) line
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
-- what CREATE INDEX refuses
SELECT format('CREATE TABLE many (%s)', string_agg(format('c%s int', i), ', ')) FROM generate_series(1, 60) i \gexec
SELECT count(*) FROM (SELECT string_agg(format('c%s = 1', i), ' AND ') AS conditions, string_agg('c' || i, ', ') AS columns FROM generate_series(1, 60) i) c,
    missing_symbol.explain('SELECT * FROM many WHERE ' || conditions, NULL, format('SET enable_seqscan = off; CREATE INDEX ON many (%s)', columns));
SELECT count(*) FROM (SELECT string_agg('c' || i, ', ') AS columns FROM generate_series(2, 33) i) c,
    missing_symbol.explain('SELECT * FROM many', NULL, format('CREATE INDEX ON many (c1) INCLUDE (%s)', columns));
DROP TABLE many;
CREATE VIEW plants AS SELECT * FROM plant;
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plants (id)');
DROP VIEW plants;
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (kind) INCLUDE (upper(name))');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant ((tableoid))');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (kind) WHERE xmin IS NULL');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (random())');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (id) WHERE seen < current_date');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant (id COLLATE "C")');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant USING hash (id, kind)');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE UNIQUE INDEX ON plant USING hash (id)');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant USING hash (id) INCLUDE (kind)');
SELECT * FROM missing_symbol.explain('SELECT 1', NULL, 'CREATE INDEX ON plant USING hash (id DESC)');
-- as the planner sees an index: with the defaults of arguments, and the row as a whole
SET enable_seqscan = off;
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE make_interval(days => kind) = ''7 days''', NULL, 'CREATE INDEX ON plant (make_interval(days => kind))');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE kind = 7 AND (id > 5) = true', NULL, 'CREATE INDEX ON plant (kind) WHERE (id > 5) = true');
SELECT * FROM pg_temp.plan('SELECT id FROM plant p WHERE p = ROW(1, 1, ''plant 1'', ''2026-01-02'')::plant', NULL, 'CREATE INDEX ON plant ((plant))');
RESET enable_seqscan;
-- an index of one partition is not of the others
CREATE TABLE herb (year int, kind int) PARTITION BY RANGE (year);
CREATE TABLE herb_25 PARTITION OF herb FOR VALUES FROM (2025) TO (2026);
CREATE TABLE herb_26 PARTITION OF herb FOR VALUES FROM (2026) TO (2027);
INSERT INTO herb SELECT 2025 + i % 2, i % 500 FROM generate_series(1, 20000) i;
ANALYZE herb;
SET enable_bitmapscan = off;
SELECT * FROM pg_temp.plan('SELECT * FROM herb WHERE kind = 7', NULL, 'CREATE INDEX ON herb (kind)');
SELECT * FROM pg_temp.plan('SELECT * FROM herb WHERE kind = 7', NULL, 'CREATE INDEX ON herb_26 (kind)');
SELECT * FROM pg_temp.plan('SELECT * FROM herb WHERE kind = 7', NULL, 'CREATE INDEX ON ONLY herb (kind)');
SELECT variant, blocks > 20 AS all_of_it FROM missing_symbol.compare('SELECT * FROM herb WHERE kind = 8 AND year = 2026', 'SELECT * FROM herb WHERE kind = 8 AND year = 2026', 2,
    setup_b => 'CREATE INDEX ON herb (kind, year)');
RESET enable_bitmapscan;
DROP TABLE herb;
-- functions that the planner calls have their queries planned without it, and keep these plans
CREATE FUNCTION pg_temp.of_kind(int) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM plant WHERE kind = $1); END';
CREATE FUNCTION pg_temp.explains() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM * FROM missing_symbol.explain('SELECT * FROM plant WHERE kind = 7', NULL, 'CREATE INDEX ON plant (kind)');
    RETURN 7;
END$$;
SELECT * FROM pg_temp.plan('SELECT * FROM plant WHERE kind = 7 AND id = pg_temp.of_kind(7)', NULL, 'CREATE INDEX ON plant (kind)');
SELECT pg_temp.of_kind(7);
SELECT * FROM pg_temp.plan('SELECT p.id FROM plant p, plant q WHERE p.id = pg_temp.explains() AND p.kind = 7 AND q.kind = 8', NULL, 'CREATE INDEX ON plant (kind)');
-- rows of a plan tell of the data: who may not read is told nothing
CREATE ROLE regress_explain_nobody;
SET ROLE regress_explain_nobody;
SELECT * FROM missing_symbol.explain('SELECT * FROM plant WHERE kind = 7');
RESET ROLE;
-- and the cost of an index tells of its columns
GRANT SELECT (id) ON plant TO regress_explain_nobody;
SET ROLE regress_explain_nobody;
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE id = 7', NULL, 'CREATE INDEX ON plant (id)');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE id = 7', NULL, 'CREATE INDEX ON plant (id) WHERE id = 7 OR kind > 400');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE id = 7', NULL, 'CREATE INDEX ON plant (id) INCLUDE (name)');
SELECT * FROM pg_temp.plan('SELECT id FROM plant WHERE id = 7', NULL, 'CREATE INDEX ON plant ((plant))');
RESET ROLE;
REVOKE ALL ON plant FROM regress_explain_nobody;
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
