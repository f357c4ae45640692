-- View advice: suggestions for all statements of a profile together.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.advice_time = '1min';	-- as slow as it may be here
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE work AS
    SELECT i AS id, i % 15 AS e, i / 15 % 20 AS f, i % 1000 AS b, i % 900 AS c, i AS d, 0 AS n, repeat('x', 200) AS filler
    FROM generate_series(1, 20000) i;
ALTER TABLE work SET (autovacuum_enabled = off);
CREATE INDEX work_e ON work (e);
CREATE INDEX work_d ON work (d);
VACUUM (ANALYZE) work;
SELECT count(*) FROM missing_symbol.advice;
SELECT missing_symbol.profile_start(plans => true);
\o /dev/null
-- three of one index, which replaces the one on e
SELECT sum(id) FROM work WHERE e = 1 AND f = 2;
SELECT sum(id) FROM work WHERE b = 5;
SELECT sum(id) FROM work WHERE b = 5 AND c = 5;
SELECT sum(id) FROM work WHERE b = 6;
SELECT sum(id) FROM work WHERE c = 6;
-- HOT now: of n always, of b not any more
UPDATE work SET n = n + 1 WHERE d = 7;
UPDATE work SET b = 8 WHERE d = 7;
UPDATE work SET d = 7, f = 8 WHERE d = 7;
INSERT INTO work VALUES (1);
DELETE FROM work WHERE d = 8;
\o
SELECT suggestion, proved, benefit_ms > 0 AS saves, statements, calls, replaces, writes, writes_ms > 0 AS cost, hot_lost
FROM missing_symbol.advice ORDER BY 1;
SELECT shapes FROM missing_symbol.advice ORDER BY suggestion;
SELECT array_agg(benefit_ms) = array_agg(benefit_ms ORDER BY benefit_ms DESC) AS ordered FROM missing_symbol.advice;
-- who may not see the statements sees nothing
CREATE ROLE regress_advice_nobody;
SET ROLE regress_advice_nobody;
SELECT count(*) FROM missing_symbol.advice;
RESET ROLE;
DROP ROLE regress_advice_nobody;
-- not one new index, and one that is not proved
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'work_d'::regclass;
SELECT missing_symbol.profile_reset();
\o /dev/null
SELECT max(n) FROM work WHERE d = 77;
SELECT max(n) FROM work WHERE d + 1 = 77;
SELECT max(n) FROM work WHERE b = 5 OR c = 5;
\o
SELECT relation, suggestion, proved, benefit_ms > 0 AS saves, replaces, writes, hot_lost FROM missing_symbol.advice ORDER BY 2;
-- the table is gone
DROP TABLE work;
SELECT count(*) FROM missing_symbol.advice;
DISCARD ALL;
