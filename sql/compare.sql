-- compare: two statements side by side, every run undone.
SET client_min_messages = warning;
CREATE SCHEMA compared;
SET search_path = compared;
CREATE TABLE item (id int PRIMARY KEY, k int, v text);
INSERT INTO item SELECT i, i % 10, 'v' || i FROM generate_series(1, 1000) i;
CREATE TABLE copied AS SELECT * FROM item WHERE false;
VACUUM ANALYZE item, copied;

-- what does not depend on time: equality, columns, rows, notes
CREATE FUNCTION told(a text, b text, runs int = 2, prepared bool = false, writes bool = false)
RETURNS TABLE (variant text, runs_done int, rows bigint, same bool, note text)
LANGUAGE sql AS $$
    SELECT c.variant, c.runs_done, c.rows, c.same_result, n
    FROM missing_symbol.compare(a, b, runs, prepared, writes) c
    LEFT JOIN unnest(c.notes) n ON true
    ORDER BY 1, 5
$$;
SELECT variant, runs_done, median_ms > 0 AS median, mean_ms > 0 AS mean, stddev_ms >= 0 AS stddev,
       p95_ms >= median_ms AS p95, blocks > 0 AS blocks, rows, wal_bytes, dead_rows,
       ratio > 0 AS ratio, ratio_low <= ratio AS low, ratio_high >= ratio AS high, same_result, notes
FROM missing_symbol.compare('SELECT * FROM item', 'TABLE item', 20);
SELECT variant, runs_done FROM missing_symbol.compare('SELECT 1', 'SELECT 1');
SELECT variant, runs_done FROM missing_symbol.compare('SELECT 1', 'SELECT 1', writes => true);
SELECT verdict, ratio > 0 AS ratio, ratio_low, ratio_high
FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 7) WHERE variant = 'b';
SELECT verdict ~ '^too few', ratio_low > 0 AS low
FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 8) WHERE variant = 'b';
-- one is a hundred times as much work
SELECT verdict ~ '^b takes [0-9.]+ times as long as a$' AS longer, ratio_low > 5 AS low
FROM missing_symbol.compare('SELECT count(*) FROM generate_series(1, 1000)', 'SELECT count(*) + 1000 - 100000 FROM generate_series(1, 100000)', 20)
WHERE variant = 'b';
SELECT verdict ~ '^b is [0-9.]+ times as fast as a$' AS faster, ratio_high < 0.2 AS high
FROM missing_symbol.compare('SELECT count(*) + 1000 - 100000 FROM generate_series(1, 100000)', 'SELECT count(*) FROM generate_series(1, 1000)', 20, prepared => true)
WHERE variant = 'b';

-- the same rows in any order
SELECT * FROM told('SELECT * FROM item', 'SELECT * FROM item ORDER BY v DESC');
SELECT * FROM told('SELECT * FROM item', 'SELECT * FROM item', prepared => true);
SELECT variant, same, regexp_replace(note, '\(.*', '(row)') AS note, count(*)
FROM told('SELECT k FROM item', 'SELECT DISTINCT k FROM item') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM told('SELECT * FROM item', 'SELECT * FROM item WHERE id <> 77');
SELECT * FROM told('SELECT * FROM item WHERE id < 5 OR id = 20', 'SELECT * FROM item WHERE id < 4 OR id = 30');
SELECT variant, same, regexp_replace(note, '[ab]: \(.*', 'one (row)') AS note, count(*)
FROM told('SELECT id FROM item', 'SELECT -id FROM item') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM told('VALUES (1), (1), (2)', 'VALUES (1), (2), (2)');
SELECT * FROM told('VALUES (NULL::text)', 'VALUES ('''')');
SELECT * FROM told('SELECT NULL::int, 1', 'SELECT 1, NULL::int');
SELECT * FROM told('SELECT 1', 'SELECT 1::bigint');
SELECT * FROM told('SELECT 1::numeric', 'SELECT 1.0::numeric');
SELECT * FROM told('SELECT 1, 2', 'SELECT 1');
SELECT * FROM told('SELECT FROM item', 'SELECT FROM item');
SELECT * FROM told('SELECT v::json FROM (VALUES (''{"a": 1}'')) t(v)', 'SELECT v::json FROM (VALUES (''{"a":  1}'')) t(v)');
SELECT variant, same, length(note) FROM told('SELECT repeat(''x'', 1000)', 'SELECT repeat(''y'', 1000)');
-- too many rows to look for examples
SELECT * FROM told('SELECT 1 FROM generate_series(1, 100001) i', 'SELECT 2 FROM generate_series(1, 100001) i', 1);
-- volatile functions are named, and may well differ
SELECT variant, same, note FROM told('SELECT count(random()) FROM item', 'SELECT count(clock_timestamp()) FROM item');
SELECT note FROM told('SELECT random()', 'SELECT 1') WHERE note ~ 'volatile';

-- writes are refused, however they hide
SELECT * FROM missing_symbol.compare('SELECT 1', 'UPDATE item SET v = 1');
CREATE FUNCTION hidden() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    UPDATE item SET v = v;
    RETURN 1;
END$$;
SELECT * FROM missing_symbol.compare('SELECT hidden()', 'SELECT 1');
CREATE FUNCTION caught() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL transaction_read_only = off;
    RETURN 'written';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END$$;
SELECT caught();
SELECT * FROM told('SELECT caught()', 'SELECT ''25001''');
CREATE SEQUENCE ticket;
\set VERBOSITY sqlstate
SELECT * FROM missing_symbol.compare('INSERT INTO item VALUES (0)', 'SELECT 1');
SELECT * FROM missing_symbol.compare('DELETE FROM item', 'SELECT 1');
SELECT * FROM missing_symbol.compare('WITH d AS (DELETE FROM item RETURNING 1) SELECT count(*) FROM d', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT * FROM item FOR UPDATE', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT * FROM (SELECT * FROM item FOR UPDATE) i', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT nextval(''ticket'')', 'SELECT 1');
-- and what cannot be compared
SELECT * FROM missing_symbol.compare(NULL, 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT 1', NULL);
SELECT * FROM missing_symbol.compare('SELECT 1', '');
SELECT * FROM missing_symbol.compare('SELECT 1; SELECT 2', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT 1 FROM', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT $1', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 0);
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1', -1);
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 1000001);
SELECT * FROM missing_symbol.compare('VACUUM item', 'SELECT 1', writes => true);
SELECT * FROM missing_symbol.compare('CREATE TABLE x AS SELECT 1', 'SELECT 1', writes => true);
SELECT * FROM missing_symbol.compare('SELECT 1 INTO x', 'SELECT 1', writes => true);
SELECT * FROM missing_symbol.compare('EXPLAIN SELECT 1', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1 / 0');
\set VERBOSITY default
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT nowhere FROM item');
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1 / 0');
SELECT * FROM missing_symbol.compare('EXPLAIN SELECT 1', 'SELECT 1');
SELECT * FROM missing_symbol.compare('SELECT $1::int', 'SELECT 1');
-- in a transaction that is read-only already the error says no more than it should
BEGIN READ ONLY;
SELECT * FROM missing_symbol.compare('SELECT hidden()', 'SELECT 1', writes => true);
ROLLBACK;

-- writes, each undone
CREATE FUNCTION checksum() RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(ctid::text || xmin || i::text, ',' ORDER BY ctid)) || (SELECT count(*) FROM copied) FROM item i
$$;
SELECT checksum() AS before \gset
SELECT variant, runs_done, rows, wal_bytes > 1000 AS wal, dead_rows, same_result, ARRAY(SELECT unnest(notes) ORDER BY 1) AS notes
FROM missing_symbol.compare('UPDATE item SET v = v || 1 WHERE id <= 100', 'UPDATE item SET v = v || 1 WHERE id BETWEEN 1 AND 100', writes => true);
SELECT variant, rows, dead_rows, same_result, ARRAY(SELECT unnest(notes) ORDER BY 1) AS notes
FROM missing_symbol.compare('INSERT INTO copied SELECT * FROM item RETURNING id', 'INSERT INTO copied SELECT * FROM item WHERE id < 999 RETURNING id', 3, writes => true);
SELECT variant, rows, dead_rows, same_result, ARRAY(SELECT unnest(notes) ORDER BY 1) AS notes
FROM missing_symbol.compare('DELETE FROM item', 'DELETE FROM item WHERE true', 3, true, writes => true);
-- what the others left is pruned, and then does not count: 19 sees more of it
VACUUM item;
SELECT variant, rows, dead_rows, same_result, ARRAY(SELECT unnest(notes) ORDER BY 1) AS notes
FROM missing_symbol.compare('SELECT hidden()', 'SELECT nextval(''ticket'') - nextval(''ticket'') + 2', 3, writes => true);
SELECT checksum() = :'before' AS undone;
-- the caller's transaction goes on
BEGIN;
INSERT INTO copied VALUES (1, 1, 'mine');
SELECT rows, same_result FROM missing_symbol.compare('DELETE FROM copied', 'DELETE FROM copied', 3, writes => true);
SELECT rows, same_result FROM missing_symbol.compare('TABLE copied', 'TABLE copied', 3);
SAVEPOINT a;
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT 1 / 0');
ROLLBACK TO a;
SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS still;
COMMIT;
TABLE copied;
SHOW plan_cache_mode;
SHOW transaction_read_only;
-- without writes no transaction id is taken
BEGIN;
SELECT count(*) FROM missing_symbol.compare('SELECT * FROM item', 'SELECT * FROM item', 3);
SELECT pg_current_xact_id_if_assigned() IS NULL AS none;
COMMIT;

-- plans in functions are of the mode that was asked for
CREATE FUNCTION mode() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_setting(''plan_cache_mode'')';
SELECT * FROM told('SELECT mode()', 'SELECT ''force_custom_plan''');
SELECT * FROM told('SELECT mode()', 'SELECT ''force_generic_plan''', prepared => true);

-- it stops early, but for one round
SET missing_symbol.compare_time = 1;
SELECT variant, runs_done, note FROM told('SELECT pg_sleep(0.01)', 'SELECT pg_sleep(0.01)', 50) WHERE note !~ 'volatile' OR note IS NULL;
\set VERBOSITY sqlstate
SET missing_symbol.compare_time = 0;
\set VERBOSITY default
SET missing_symbol.compare_time = '1min';
SHOW missing_symbol.compare_time;
RESET missing_symbol.compare_time;
SHOW missing_symbol.compare_time;
SET statement_timeout = '1s';
\set VERBOSITY sqlstate
SELECT * FROM missing_symbol.compare('SELECT pg_sleep(0.01)', 'SELECT pg_sleep(0.01)', 1000);
\set VERBOSITY default
RESET statement_timeout;

-- rules, partitions, as the caller, not in the profile
CREATE RULE also AS ON INSERT TO copied DO ALSO UPDATE item SET v = NULL WHERE id = new.id;
SELECT variant, rows, dead_rows, same_result, ARRAY(SELECT unnest(notes) ORDER BY 1) AS notes
FROM missing_symbol.compare('INSERT INTO copied VALUES (1)', 'INSERT INTO copied VALUES (2)', 3, writes => true);
CREATE ROLE regress_compare_plain;
SET ROLE regress_compare_plain;
SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT * FROM compared.item');
SELECT variant, runs_done FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 9);
RESET ROLE;
DROP ROLE regress_compare_plain;
SET missing_symbol.profile = 'off';
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_start('all');
SELECT count(*) FROM missing_symbol.compare('SELECT hidden()', 'SELECT 1', writes => true);
DO $$BEGIN PERFORM missing_symbol.compare('SELECT 1', 'SELECT 1', 9); END$$;
SELECT level, status, text FROM missing_symbol.queries ORDER BY number;
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();
DROP SCHEMA compared CASCADE;
