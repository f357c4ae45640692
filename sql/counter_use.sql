--
-- A counter column as clients use it: JSON, the least and the greatest,
-- compared with numbers; and what the catalogs say of the type
--
\pset null '(null)'
SET TimeZone = 'UTC';
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE FUNCTION pg_temp.scans(query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Scan' THEN RETURN NEXT trim(line); END IF;
    END LOOP;
END
$$;
CREATE TABLE words (word text PRIMARY KEY, hits missing_symbol.counter);
INSERT INTO words VALUES
    ('a', '5 [2026-11-21 01:00:00+00,2026-11-21 02:00:00+00]'),
    ('b', '5 [2026-11-21 01:00:00+00,2026-11-21 03:00:00.000001+00]'),
    ('c', '-7 [2000-01-01 00:00:00+00,2026-11-21 02:00:00+00]'),
    ('d', '9223372036854775807 [0044-03-15 12:00:00+00 BC,2026-11-21 02:00:00+00]'),
    ('e', NULL);

--
-- JSON
--
SELECT word, hits::json, hits::jsonb FROM words ORDER BY word;
SELECT row_to_json(w), to_jsonb(w) FROM words AS w WHERE word IN ('a', 'e') ORDER BY word;
SELECT jsonb_agg(hits ORDER BY word) -> 0 ->> 'count', json_build_object('hits', min(hits::text)) FROM words;
-- the times are those of the session's zone, as core's, and the same times
SET TimeZone = 'Asia/Kathmandu';
SELECT hits::json, (hits::jsonb ->> 'last_seen')::timestamptz = missing_symbol.last_seen(hits) AS same,
       hits::jsonb -> 'last_seen' = to_jsonb(missing_symbol.last_seen(hits)) AS as_core
FROM words WHERE word <> 'e' ORDER BY word;
SET TimeZone = 'UTC';
-- only where it is asked for
SELECT pg_temp.try('SELECT json_array_length(hits) FROM words'), pg_temp.try('SELECT jsonb_pretty(hits) FROM words');

--
-- min and max
--
SELECT missing_symbol.min(hits), missing_symbol.max(hits) FROM words;
SELECT missing_symbol.min(hits), missing_symbol.max(hits) FROM words WHERE word IN ('b', 'a');
SELECT missing_symbol.min(hits), missing_symbol.max(hits) FROM words WHERE word = 'e';
SELECT missing_symbol.min(hits) OPERATOR(missing_symbol.=) (SELECT hits FROM words ORDER BY hits LIMIT 1) AS min_is_first,
       missing_symbol.max(hits) OPERATOR(missing_symbol.=) (SELECT hits FROM words ORDER BY hits DESC NULLS LAST LIMIT 1) AS max_is_last
FROM words;
SET search_path = public, missing_symbol;
SELECT max(hits) FROM words;
SELECT max(hits) OVER (ORDER BY word ROWS 1 PRECEDING) FROM words;
-- by an index, and in parallel
CREATE INDEX words_hits ON words (hits);
SET enable_seqscan = off;
SELECT pg_temp.scans('SELECT min(hits) FROM words'), pg_temp.scans('SELECT max(hits) FROM words');
SELECT min(hits), max(hits) FROM words;
RESET enable_seqscan;
DROP INDEX words_hits;
CREATE TABLE many AS SELECT format('%s [2026-11-21 01:00:00+00,2026-11-21 02:00:00+00]', i)::counter AS c FROM generate_series(1, 10000) AS i;
ALTER TABLE many SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT min(c), max(c) FROM many;
SELECT min(c), max(c) FROM many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

--
-- Compared with a number: the count
--
SELECT word, hits = 5 AS eq, hits <> 5 AS ne, hits < 5 AS lt, hits <= 5 AS le, hits > 5 AS gt, hits >= 5 AS ge,
       5 = hits AS "5 eq", 5 <> hits AS "5 ne", 5 < hits AS "5 lt", 5 <= hits AS "5 le", 5 > hits AS "5 gt", 5 >= hits AS "5 ge"
FROM words ORDER BY word;
SELECT word, hits = 9223372036854775807, hits = (-7)::smallint, hits = NULL::bigint FROM words WHERE word IN ('c', 'd') ORDER BY word;
SELECT word FROM words WHERE hits IN (5, -7) ORDER BY word;
SELECT word FROM words WHERE hits BETWEEN -7 AND 5 ORDER BY word;
SELECT word FROM words WHERE NOT hits > 5 ORDER BY word;
SELECT a.word, b.n FROM words AS a JOIN (VALUES (5::bigint), (6)) AS b (n) ON a.hits = b.n ORDER BY 1;
SELECT pg_temp.try('SELECT hits = 5.5 FROM words');
-- a parameter without a type is a counter, as ever
PREPARE as_ever AS SELECT word FROM words WHERE hits > $1 ORDER BY word;
PREPARE number AS SELECT word FROM words WHERE hits > $1::bigint ORDER BY word;
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE as_ever('5 [2026-11-21 01:00:00+00,2026-11-21 02:00:00+00]');
EXECUTE number(5);
DEALLOCATE ALL;
-- estimates from the statistics that there are
ANALYZE words;
ANALYZE many;
SELECT count(*) FROM many WHERE c > 9000;
SELECT count(*) FROM many WHERE 100 >= c;
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE NOT 100 < c;
RESET search_path;
-- without the schema in search_path they are named
SELECT word FROM words WHERE hits OPERATOR(missing_symbol.>=) 5 ORDER BY word;
SELECT pg_temp.try('SELECT hits > 5 FROM words');

--
-- Parts as columns of their own, for clients that know no counter
--
CREATE TABLE pages (
    page text PRIMARY KEY,
    c missing_symbol.counter,
    hits bigint GENERATED ALWAYS AS (missing_symbol.hits(c)) STORED,
    first_seen timestamptz GENERATED ALWAYS AS (missing_symbol.first_seen(c)) STORED,
    last_seen timestamptz GENERATED ALWAYS AS (missing_symbol.last_seen(c)) STORED
) WITH (fillfactor = 80);
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SELECT missing_symbol.increment('pages', '/a');
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT missing_symbol.increment_by('pages', 4, '/a');
SELECT missing_symbol.value('pages', '/a');
SELECT page, hits, first_seen, last_seen FROM pages WHERE hits > 4 ORDER BY last_seen;
SELECT key, count, first_seen, last_seen, hot_obstacles FROM missing_symbol.describe('pages');

--
-- What the catalogs say
--
SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod
FROM pg_cast
WHERE 'missing_symbol.counter'::regtype IN (castsource, casttarget)
ORDER BY casttarget::regtype::text COLLATE "C";

-- operators: each has the commutator and the negator it should, and these point back
SELECT o.oid::regoperator, c.oprname AS commutator, n.oprname AS negator, o.oprcanmerge AS merge,
       o.oprcanhash AS hash, o.oprrest, o.oprjoin
FROM pg_operator o LEFT JOIN pg_operator c ON c.oid = o.oprcom LEFT JOIN pg_operator n ON n.oid = o.oprnegate
WHERE o.oprnamespace = 'missing_symbol'::regnamespace ORDER BY o.oid::regoperator::text COLLATE "C";
SELECT o.oid::regoperator AS wrong
FROM pg_operator o
WHERE o.oprnamespace = 'missing_symbol'::regnamespace
  AND (NOT EXISTS (SELECT 1 FROM pg_operator c
                   WHERE c.oid = o.oprcom AND c.oprcom = o.oid AND c.oprleft = o.oprright AND c.oprright = o.oprleft)
       AND o.oprcom <> 0
       OR NOT EXISTS (SELECT 1 FROM pg_operator n
                      WHERE n.oid = o.oprnegate AND n.oprnegate = o.oid AND n.oprleft = o.oprleft AND n.oprright = o.oprright)
       AND o.oprnegate <> 0
       OR o.oprcode::oid NOT IN (SELECT oid FROM pg_proc WHERE prorettype = o.oprresult)
       OR o.oprkind <> 'b');
-- and the family is of counters among themselves
SELECT amopopr::regoperator FROM pg_amop
WHERE amopopr IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'missing_symbol'::regnamespace AND oprleft <> oprright);

-- functions: what each promises
SELECT p.oid::regprocedure, p.provolatile AS volatile, p.proisstrict AS strict, p.proparallel AS parallel, p.proleakproof AS leakproof
FROM pg_proc p
WHERE pronamespace = 'missing_symbol'::regnamespace
  AND 'missing_symbol.counter'::regtype IN (prorettype, proargtypes[0], proargtypes[1])
ORDER BY p.oid::regprocedure::text COLLATE "C";

DROP TABLE words, many, pages;
