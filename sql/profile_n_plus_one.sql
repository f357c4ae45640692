-- N+1 candidates, and budgets.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.unit_gap = -1;	-- a slow machine is not a pausing client
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE book (id int PRIMARY KEY, author int, title text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 100) i;
INSERT INTO book SELECT i, i % 10 + 1, 'book ' || i FROM generate_series(1, 1000) i;
PREPARE author (int) AS SELECT name FROM author WHERE id = $1;
PREPARE candidates AS
    SELECT unit, repeats, "similar", duplicate, first_number AS first,
           last_number AS last, transactions AS xacts, evidence,
           source_rows AS src, text, source,
           regexp_replace(hint, '; one transaction.*', '') AS hint
    FROM missing_symbol.n_plus_one;
\pset format unaligned

-- as a loop over books asks for their authors
SELECT missing_symbol.profile_start();
SELECT * FROM book WHERE id <= 6;
\set ECHO none
\o /dev/null
SELECT format('SELECT name FROM author WHERE id = %s', i)
FROM generate_series(1, 6) i \gexec
\o
\set ECHO all
EXECUTE candidates;

-- four are none; a fifth in another unit is none either
SELECT missing_symbol.profile_reset();
SELECT name FROM author WHERE id = 1;
SELECT name FROM author WHERE id = 2;
SELECT name FROM author WHERE id = 3;
SELECT name FROM author WHERE id = 4;
SELECT missing_symbol.profile_mark('another');
SELECT name FROM author WHERE id = 5;
EXECUTE candidates;

-- three statements in between are allowed, four are not; BEGIN, COMMIT, SET,
-- what a driver sends and pings are none; the same parameters are duplicates
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT unnest(ARRAY['BEGIN', format('EXECUTE author (%s)', i % 3), 'COMMIT',
                    'SET work_mem = ''4MB''',
                    'SELECT ' || repeat('id + ', i) || '1 FROM book WHERE id = 1',
                    'SELECT ' || repeat('id * ', i) || '1 FROM book WHERE id = 1',
                    'SELECT ' || repeat('id - ', i) || '1 FROM book WHERE id = 1',
                    'LISTEN something', 'SELECT 1', 'SHOW work_mem'])
FROM generate_series(1, 6) i \gexec
\o
\set ECHO all
EXECUTE candidates;
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT unnest(ARRAY[format('EXECUTE author (%s)', i),
                    'SELECT ' || repeat('id + ', i) || '1 FROM book WHERE id = 1',
                    'SELECT ' || repeat('id * ', i) || '1 FROM book WHERE id = 1',
                    'SELECT ' || repeat('id - ', i) || '1 FROM book WHERE id = 1',
                    'SELECT ' || repeat('id / ', i) || '1 FROM book WHERE id = 1'])
FROM generate_series(1, 6) i \gexec
\o
\set ECHO all
EXECUTE candidates;

-- writes, each in a transaction of its own
SELECT missing_symbol.profile_reset();
\set ECHO none
SELECT format('UPDATE book SET title = title WHERE id = %s', i)
FROM generate_series(1, 5) i \gexec
SELECT format('INSERT INTO author VALUES (%s, NULL)', i)
FROM generate_series(1001, 1005) i \gexec
\set ECHO all
EXECUTE candidates;
SELECT commit_ms > 0 AS commits_cost, total_ms > 0 AS calls_cost,
       hint ~ '; one transaction instead of [58] saves about [0-9.]+ ms of commits$' = (commit_ms > 0.2) OR commit_ms <= 0.2 AS saved
FROM missing_symbol.n_plus_one;

-- pages, batches, failures and retries are no candidates
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format(page, i * 20)
FROM (VALUES ('SELECT * FROM book ORDER BY id LIMIT 20 OFFSET %s'),
             ('SELECT * FROM book WHERE id > %s ORDER BY id LIMIT 20'),
             ('INSERT INTO author VALUES (%1$s + 5000, NULL), (%1$s + 6000, NULL)')) v (page),
     generate_series(1, 6) i \gexec
SELECT 'DECLARE c CURSOR WITH HOLD FOR TABLE book' \gexec
SELECT 'FETCH 10 FROM c' FROM generate_series(1, 6) i \gexec
SELECT 'CLOSE c' \gexec
\o
\set ECHO all
SELECT 1 / 0;
SELECT 2 / 0;
SELECT 3 / 0;
SELECT 4 / 0;
SELECT 5 / 0;
EXECUTE candidates;

-- a transaction that failed and was run again
CREATE FUNCTION fail(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001';
END$$;
SELECT missing_symbol.profile_reset();
\set ECHO none
\set VERBOSITY sqlstate
\o /dev/null
SELECT unnest(ARRAY['BEGIN', 'SELECT title FROM book WHERE id = 7',
                    'SELECT fail(1)', 'ROLLBACK'])
FROM generate_series(1, 6) i \gexec
\o
\set VERBOSITY default
\set ECHO all
EXECUTE candidates;

-- that hides nothing else: ten equal lookups before the failure are ten; so are
-- those after a transaction that did not fail
SELECT missing_symbol.profile_reset();
BEGIN;
\set ECHO none
\o /dev/null
SELECT 'SELECT title FROM book WHERE id = 7' FROM generate_series(1, 10) \gexec
\o
\set ECHO all
INSERT INTO author VALUES (1, 'again');
ROLLBACK;
EXECUTE candidates;
\set VERBOSITY terse
SELECT missing_symbol.assert_no_n_plus_one();
\set VERBOSITY default
-- ten that are run again twice, with different parameters and with equal ones
SELECT missing_symbol.profile_reset();
\set ECHO none
\set VERBOSITY sqlstate
\o /dev/null
SELECT text FROM generate_series(1, 3) attempt,
    LATERAL (SELECT 0, 'BEGIN' UNION ALL
             SELECT i, format('SELECT title FROM book WHERE id = %s', i % 7) FROM generate_series(1, 10) i UNION ALL
             SELECT 11, CASE WHEN attempt < 3 THEN 'SELECT fail(1)' END UNION ALL
             SELECT 12, 'COMMIT') s (i, text)
ORDER BY attempt, i \gexec
\o
\set VERBOSITY default
\set ECHO all
EXECUTE candidates;
-- five, committed; the same five in a transaction that fails for other reasons
SELECT missing_symbol.profile_reset();
\set ECHO none
\set VERBOSITY sqlstate
\o /dev/null
SELECT text FROM generate_series(1, 2) attempt,
    LATERAL (SELECT 0, 'BEGIN' UNION ALL
             SELECT i, format('SELECT title FROM book WHERE id = %s', i) FROM generate_series(1, 5) i UNION ALL
             SELECT 11, CASE WHEN attempt = 2 THEN 'SELECT fail(1)' END UNION ALL
             SELECT 12, 'COMMIT') s (i, text)
ORDER BY attempt, i \gexec
\o
\set VERBOSITY default
\set ECHO all
EXECUTE candidates;

-- what is sent once runs others many times: with level all these count
SELECT missing_symbol.profile_start('all');
SELECT missing_symbol.profile_reset();
DO $$BEGIN
    FOR i IN 1 .. 10 LOOP
        PERFORM name FROM author WHERE id = i;
    END LOOP;
END$$;
EXECUTE candidates;
SELECT count(*) FROM missing_symbol.queries WHERE level = 1;
SELECT missing_symbol.profile_start('top');

-- a pause of the client begins another unit
SET missing_symbol.unit_gap = 0;
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format('SELECT name FROM author WHERE id = %s', i)
FROM generate_series(1, 6) i \gexec
\o
\set ECHO all
EXECUTE candidates;
SET missing_symbol.unit_gap = -1;

-- budgets: what was sent since the last mark
\set VERBOSITY terse
SELECT missing_symbol.profile_reset();
BEGIN;
SELECT name FROM author WHERE id = 1;
SELECT name FROM author WHERE id = 2;
SELECT 1;
COMMIT;
SELECT missing_symbol.assert_max_queries(2);
SELECT missing_symbol.assert_max_queries(1);
SELECT missing_symbol.assert_max_duration('1 hour');
SELECT missing_symbol.assert_max_duration('1 month');
DO $$BEGIN
    PERFORM missing_symbol.assert_max_duration('0');
EXCEPTION WHEN SQLSTATE 'MS001' THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '[0-9.]+ ms', 'N ms');
END$$;
SELECT missing_symbol.assert_no_n_plus_one();
SELECT missing_symbol.assert_no_errors();
SELECT missing_symbol.profile_mark('next');
SELECT missing_symbol.assert_max_queries(0);
SELECT 1 / 0;
SELECT missing_symbol.assert_no_errors();
SELECT missing_symbol.assert_max_queries(0);
SELECT missing_symbol.profile_mark('next');
SELECT missing_symbol.assert_no_errors();
EXECUTE author (1);
EXECUTE author (2);
EXECUTE author (3);
SELECT missing_symbol.assert_no_n_plus_one();
SELECT missing_symbol.assert_no_n_plus_one(3);
SELECT missing_symbol.assert_no_n_plus_one(4);
SELECT missing_symbol.assert_no_n_plus_one(3, '1 hour');
SELECT missing_symbol.assert_no_n_plus_one(1);
SELECT missing_symbol.assert_no_n_plus_one(min_repeats => 2);
-- DETAIL has the offending queries
\i `echo "$PG_ABS_SRCDIR/sql/include/detail_of.sql"`
SELECT missing_symbol.profile_mark('detail');
SELECT 1 / 0;
SELECT count(*) FROM author;
EXECUTE author (1);
EXECUTE author (2);
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.assert_max_queries(1000);
SELECT missing_symbol.profile_start();
SELECT missing_symbol.assert_max_queries(0);
SELECT missing_symbol.profile_reset();
SELECT 1 / 0;
SELECT count(*) FROM author;
EXECUTE author (1);
EXECUTE author (2);
SELECT detail_of('missing_symbol.assert_max_queries(3)');
SELECT detail_of('missing_symbol.assert_no_errors()');
SELECT detail_of('missing_symbol.assert_no_n_plus_one(2)');

-- arrays made in memory, each where the one before may have been
PREPARE among (int[]) AS SELECT count(*) FROM author WHERE id = ANY($1);
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format('EXECUTE among (array_append(%L, %s + (random() * 0)::int))', '{1}', i)
FROM generate_series(1, 8) i \gexec
\o
\set ECHO all
SELECT text, repeats, duplicate FROM missing_symbol.n_plus_one;
DEALLOCATE among;

-- the ring may have dropped rows
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_mark('many');
SELECT 1 / 0;
\set ECHO none
\o /dev/null
SELECT format('SELECT name FROM author WHERE id = %s', i)
FROM generate_series(1, 1000) i \gexec
\o
\set ECHO all
SELECT min(number) > 1 AS dropped FROM missing_symbol.queries;
SELECT missing_symbol.assert_max_queries(1000);
SELECT missing_symbol.assert_max_queries(1001);
SELECT missing_symbol.assert_no_errors();
SELECT missing_symbol.assert_no_n_plus_one(1000);
SELECT missing_symbol.assert_no_n_plus_one(1001);
SELECT detail_of('missing_symbol.assert_no_errors()');

-- the summary and the report
SELECT missing_symbol.profile_mark('summary');
SELECT regexp_replace(missing_symbol.profile_summary(), '[0-9.]+ ms', 'N ms', 'g')
    ~ '^1\d\d\d queries, N ms, slowest N ms \(.+\), 1 N\+1 candidate, 1 failed, \d+ rows dropped$' AS summary;
SELECT regexp_replace(line, '[0-9.]+ (us|ms|rows)', 'N \1', 'g')
FROM missing_symbol.profile_report() line
WHERE line ~ '^[A-Z][A-Za-z+1 ]*$|^Worst|^Lost|^Own';
SELECT bool_or(line ~ '^ +[0-9.]+ ms +\d+ #+$') AS bars
FROM missing_symbol.profile_report() line;
SELECT key, jsonb_typeof(value)
FROM missing_symbol.profile_report('json') report, jsonb_each(report::jsonb)
WHERE key <> 'round_trips'
ORDER BY key;
SELECT jsonb_pretty(report::jsonb -> 'n_plus_one' -> 0 -> 'repeats')
FROM missing_symbol.profile_report('json') report;
SELECT missing_symbol.profile_report('yaml');
RESET missing_symbol.profile_memory;
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();
DROP TABLE author, book;
DROP FUNCTION fail, detail_of;
