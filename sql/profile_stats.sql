-- Statistics per shape against the same durations in the view queries.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
CREATE TABLE measured (id int PRIMARY KEY, v text);
INSERT INTO measured SELECT i, repeat('x', i) FROM generate_series(1, 100) i;

-- near: within 3.125 % or 31.25 ns
CREATE FUNCTION near(a float8, b float8, share float8) RETURNS bool
LANGUAGE sql IMMUTABLE AS 'SELECT abs(a - b) <= greatest(b * share, CASE WHEN share < 0.01 THEN 1e-9 ELSE 31.25e-6 END)';
CREATE FUNCTION agrees(prefix text, shape text, share float8)
RETURNS TABLE (calls bigint, total bool, mean bool, median bool, stddev bool,
               lowest bool, highest bool, p95 bool, p99 bool, spike bool,
               rows bool, blocks bool, histogram bool)
LANGUAGE sql AS $$
    WITH e AS (
        SELECT count(*) AS calls, sum(exec_ms) AS total, avg(exec_ms) AS mean,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY exec_ms) AS median,
               stddev_pop(exec_ms) AS stddev, min(exec_ms), max(exec_ms),
               percentile_disc(0.95) WITHIN GROUP (ORDER BY exec_ms) AS p95,
               percentile_disc(0.99) WITHIN GROUP (ORDER BY exec_ms) AS p99,
               sum(rows) AS rows, sum(shared_blks_hit) AS hit
        FROM missing_symbol.queries
        WHERE text LIKE prefix || '%' AND level = 0
    )
    SELECT s.calls, near(s.total_exec_time, e.total, 1e-9),
           near(s.mean_exec_time, e.mean, 1e-9),
           near(s.median_exec_time, e.median, share),
           near(s.stddev_exec_time, e.stddev, 1e-6),
           near(s.min, e.min, 1e-9), near(s.max, e.max, 1e-9),
           near(s.p95, e.p95, share), near(s.p99, e.p99, share),
           near(s.spike, s.mean_exec_time / s.median_exec_time, 1e-9),
           s.rows = e.rows, s.shared_blks_hit = e.hit,
           (SELECT sum(s.histogram[i][3]) = s.calls AND
                   min(s.histogram[i][1]) <= s.min AND
                   max(s.histogram[i][2]) > s.max
            FROM generate_subscripts(s.histogram, 1) i)
    FROM missing_symbol.query_stats s, e
    WHERE s.text = shape AND s.calls = e.calls
$$;

SELECT missing_symbol.profile_start();
\set ECHO none
\o /dev/null
SELECT format('SELECT * FROM measured WHERE id <= %s', i)
FROM generate_series(1, 40) i \gexec
\o
\set ECHO all
SELECT * FROM agrees('SELECT * FROM measured', 'select * from measured where id <= ?', 1e-9);

-- more calls than are kept as they are
\set ECHO none
\o /dev/null
SELECT format('SELECT * FROM measured WHERE id <= %s', i % 100)
FROM generate_series(41, 400) i \gexec
\o
\set ECHO all
SELECT * FROM agrees('SELECT * FROM measured', 'select * from measured where id <= ?', 0.03125);

-- a shape for each text, each user, and nested or not
SELECT missing_symbol.profile_reset();
CREATE FUNCTION nested() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM measured;
    RETURN 1;
END$$;
SELECT missing_symbol.profile_start('all');
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM measured;
SELECT  COUNT(*)  -- the same
  FROM measured;
SELECT count(*) FROM measured WHERE id = 1;
SELECT count(*) FROM measured WHERE id IN (1, 2, 3);
SELECT count(*) FROM measured WHERE id IN (4, 5);
SELECT nested();
SELECT 1 / 0;
SELECT 1 / 1;
PREPARE p (int) AS SELECT v FROM measured WHERE id = $1;
EXECUTE p (1);
SELECT v FROM measured WHERE id = 2;
SELECT toplevel, calls, errors, rows, text
FROM missing_symbol.query_stats ORDER BY text, toplevel;

-- what is prepared begins at the word AS, not where a comment or a name has one
SELECT missing_symbol.profile_start('top');
SELECT missing_symbol.profile_reset();
PREPARE s1 /* secret as user tok_1 */ AS SELECT v FROM measured WHERE id = 1;
/* as tok_2 */ PREPARE "as tok_3" AS(SELECT v FROM measured WHERE id = 2);
PREPARE s4 ("char", text[]) -- as tok_4
AS SELECT v FROM measured WHERE id = 3;
EXECUTE s1;
EXECUTE "as tok_3";
EXECUTE s4 ('a', '{b}');
-- one shape whatever the names of what is short-lived, and however many arms
BEGIN;
DECLARE c1 CURSOR FOR SELECT id FROM measured;
DECLARE c2 CURSOR FOR SELECT id FROM measured;
FETCH 5 c1;
FETCH 6 c2;
UPDATE measured SET v = v WHERE CURRENT OF c1;
UPDATE measured SET v = v WHERE CURRENT OF c2;
CREATE TEMP TABLE tmp_3f (a int);
CREATE TEMP TABLE tmp_77 (a int);
DROP TABLE pg_temp.tmp_3f;
DROP TABLE pg_temp.tmp_77;
ROLLBACK;
SELECT count(*) FROM measured WHERE id = 1 OR id = 2;
SELECT count(*) FROM measured WHERE id = 1 OR id = 2 OR id = 3;
SELECT CASE WHEN id = 1 THEN 'a' WHEN id = 2 THEN 'b' END IS NULL AS other FROM measured WHERE id = 1;
SELECT CASE WHEN id = 1 THEN 'a' END IS NULL AS other FROM measured WHERE id = 1;
SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3;
SELECT 1 AS n;
SELECT calls, text FROM missing_symbol.query_stats ORDER BY text COLLATE "C";
SELECT count(*) AS leaks FROM missing_symbol.query_stats WHERE text ~ 'tok_';
DEALLOCATE s1;
DEALLOCATE "as tok_3";
DEALLOCATE s4;

-- shapes that do not fit are added to (others): nothing is lost
SELECT missing_symbol.profile_stop();
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_start();
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format('SELECT id AS c%s FROM measured WHERE id = 1', i) FROM generate_series(1, 1000) i \gexec
\o
\set ECHO all
SELECT sum(calls) AS calls, sum(rows) AS rows, count(*) > 10 AS shapes,
       bool_or(text = '(others)') AS others,
       max(calls) FILTER (WHERE text = '(others)') > 500 AS most_in_others
FROM missing_symbol.query_stats;
SELECT text FROM missing_symbol.queries ORDER BY number DESC LIMIT 1;
SELECT missing_symbol.profile_summary() ~ '^100[01] queries.* rows dropped' AS dropped_is_shown;
-- what is kept and what was dropped is what was sent
SELECT max(number) - count(*) = (regexp_match(missing_symbol.profile_summary(),
                                              '(\d+) rows dropped'))[1]::int AS adds_up
FROM missing_symbol.queries;

RESET missing_symbol.profile_memory;
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();
DROP FUNCTION agrees, near, nested;
DROP TABLE measured;
