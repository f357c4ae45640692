--
-- The type counter
--
SHOW search_path;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
\pset null '(null)'

\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE FUNCTION pg_temp.try_input(input text) RETURNS text
LANGUAGE sql AS $$
    SELECT pg_temp.try(format('SELECT %L::missing_symbol.counter', input))
$$;

--
-- Text
--
SELECT '42 [2026-11-21 01:00:00+00,2026-11-21 02:00:00+00]'::missing_symbol.counter;
SELECT input, pg_temp.try_input(input) AS answer
FROM (VALUES
    (E' \t42[2026-11-21 01:00:00.000001 Z , 2026-11-21 02:00:00.999999+00 ]\n '),
    ('+7 [2026-11-21,2026-11-21]'),
    ('-7 [2026-11-21T01:00:00Z,2026-11-21T01:00:00Z]'),
    ('0 [2026-11-21 01:00:00+01,2026-11-21 00:00:00+00]'),
    ('1 [2026-11-21 01:00 Europe/Berlin,2026-11-21 01:00 America/New_York]'),
    ('1 [2026-11-21 01:00 PST,2026-11-21 01:00:00-08:00]'),
    ('1 [4714-11-24 00:00:00+00 BC,0001-01-01 00:00:00+00]'),
    ('9223372036854775807 [4714-11-24 00:00:00+00 BC,294276-12-31 23:59:59.999999+00]'),
    ('-9223372036854775808 [294276-12-31 23:59:59.999999+00,294276-12-31 23:59:59.999999+00]')
    ) AS t (input);

-- bad text
SELECT left(input, 60) AS input, left(pg_temp.try_input(input), 120) AS answer
FROM (VALUES
    (''), (' '), ('42'), ('x'), ('42x'), ('4 2 [2026-11-21,2026-11-21]'),
    ('42 []'), ('42 [,]'), ('42 [2026-11-21]'), ('42 [2026-11-21,]'),
    ('42 [,2026-11-21]'), ('42 [2026-11-21,2026-11-21'),
    ('42 2026-11-21,2026-11-21]'), ('42 (2026-11-21,2026-11-21)'),
    ('42 [2026-11-21,2026-11-21)'), ('42 [2026-11-21,2026-11-21] x'),
    ('42 [2026-11-21,2026-11-21]]'), ('42 [[2026-11-21,2026-11-21]'),
    ('42 [2026-11-21,2026-11-21,2026-11-21]'),
    ('42.0 [2026-11-21,2026-11-21]'), ('1e3 [2026-11-21,2026-11-21]'),
    ('0x10 [2026-11-21,2026-11-21]'), ('- 1 [2026-11-21,2026-11-21]'),
    ('[2026-11-21,2026-11-21]'),
    -- what depends on DateStyle or the clock is no stored value
    ('1 [now,now]'), ('1 [today,tomorrow]'), ('1 [epoch,epoch]'),
    ('1 [11/21/2026,11/21/2026]'), ('1 [21.11.2026,21.11.2026]'),
    ('1 [Nov 21 2026,Nov 21 2026]'), ('1 [26-11-21,26-11-21]'),
    ('1 [20261121,20261121]'), ('1 [01:00:00,01:00:00]'),
    ('1 [12:00 today,12:00 today]'), ('1 ["2026-11-21","2026-11-21"]'),
    ('1 [2026-11-21 x,2026-11-21]'),
    ('1 [' || repeat('2026-11-21 ', 100) || ',2026-11-21]'),
    -- ranges
    ('9223372036854775808 [2026-11-21,2026-11-21]'),
    ('-9223372036854775809 [2026-11-21,2026-11-21]'),
    (repeat('9', 40) || ' [2026-11-21,2026-11-21]'),
    ('1 [2026-13-21,2026-11-21]'), ('1 [2026-02-30,2026-11-21]'),
    ('1 [2026-11-21 25:00,2026-11-21]'),
    ('1 [2026-11-21 01:00:00+99,2026-11-21]'),
    ('1 [2026-11-21 01:00 No/Where,2026-11-21]'),
    ('1 [294277-01-01 00:00:00+00,294277-01-01 00:00:00+00]'),
    ('1 [4714-11-23 00:00:00+00 BC,2026-11-21]'),
    ('1 [0000-01-01,2026-11-21]'),
    ('1 [-infinity,2026-11-21]'), ('1 [2026-11-21,infinity]'),
    ('1 [infinity,infinity]'), ('1 [infinity,-infinity]'),
    ('1 [2026-11-21 01:00:00.000001+00,2026-11-21 01:00:00+00]'),
    ('1 [2026-11-21 01:00:00+00,2026-11-21 01:00:00+01]')
    ) AS t (input);

-- the whole report, and what it hints at
SELECT missing_symbol.counter('5');
SELECT missing_symbol.hits(missing_symbol.counter(count => '5'));

-- soft errors, where the server has them (16); hard ones, with the same codes,
-- where it has not
CREATE FUNCTION pg_temp.input_error(input text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT sql_error_code FROM pg_input_error_info($1, $2)'
            INTO answer USING input, 'missing_symbol.counter';
    ELSE
        PERFORM input::missing_symbol.counter;
    END IF;
    RETURN answer;
EXCEPTION WHEN others THEN
    IF current_setting('server_version_num')::int >= 160000 THEN
        RAISE;
    END IF;
    RETURN SQLSTATE;
END
$$;
SELECT input, pg_temp.input_error(input)
FROM (VALUES
    ('1 [2026-11-21,2026-11-21]'), ('5'), ('1 [x,2026-11-21]'), ('1 [2026-11-21,now]'),
    ('9223372036854775808 [2026-11-21,2026-11-21]'),
    ('1 [2026-13-21,2026-11-21]'), ('1 [2026-11-21 01:00 No/Where,2026-11-21]'),
    ('1 [2026-11-21 01:00:00+99,2026-11-21]'), ('1 [294277-01-01,294277-01-01]'),
    ('1 [2026-11-21,infinity]'), ('1 [2026-11-22,2026-11-21]')
    ) AS t (input);

-- what the engine's own statements call makes no counter that is none
SELECT missing_symbol.counted(NULL, 1, '2026-11-22', '2026-11-21');
SELECT missing_symbol.counted(NULL, 1, NULL, 'infinity');
SELECT missing_symbol.counted('1 [2026-11-21,2026-11-21]', 1, NULL, 'infinity');
SELECT missing_symbol.counted('1 [2026-11-21,2026-11-21]', 1, NULL, '-infinity');

--
-- Round trips: counters whose text is hard to read back
--
CREATE TABLE sample (id int, c missing_symbol.counter);
INSERT INTO sample
SELECT row_number() OVER (ORDER BY a.n, b.n),
       format('%s [%s,%s]', a.n * 1000003 - 5, a.t, b.t)::missing_symbol.counter
FROM (VALUES
    (1, '4714-11-24 00:00:00+00 BC'), (2, '0044-03-15 12:00:00.000001+00 BC'),
    (3, '0001-12-31 23:59:59.999999+00 BC'), (4, '0001-01-01 00:00:00+00'),
    (5, '0099-02-28 01:02:03.4+00'), (6, '1883-11-18 17:00:00.5+00'),
    (7, '1900-01-01 00:00:00.123456+00'), (8, '1937-06-30 23:40:28+00'),
    (9, '1972-01-06 23:59:59.999999+00'), (10, '1999-12-31 23:59:59.999999+00'),
    (11, '2000-01-01 00:00:00+00'), (12, '2026-10-25 00:30:00+00'),
    (13, '2026-10-25 01:30:00+00'), (14, '2026-11-01 05:30:00.000001+00'),
    (15, '2026-11-01 06:30:00.000001+00'), (16, '2026-04-04 14:59:59.99999+00'),
    (17, '2026-04-04 15:30:00+00'), (18, '12026-07-01 00:00:00+00'),
    (19, '294276-12-31 23:59:59.999999+00')) AS a (n, t),
    (VALUES
    (6, '1883-11-18 17:00:00.5+00'), (13, '2026-10-25 01:30:00+00'),
    (15, '2026-11-01 06:30:00.000001+00'),
    (19, '294276-12-31 23:59:59.999999+00')) AS b (n, t)
WHERE a.n <= b.n;
SELECT count(*) FROM sample;

-- in every zone of this machine and every DateStyle, and in zones whose
-- offset no input function can read
CREATE FUNCTION pg_temp.round_trips(out zones_enough bool, out checked_all bool, out failed text)
LANGUAGE plpgsql AS $$
DECLARE
    zone text;
    style text;
    zones int := 0;
    checked bigint := 0;
    good bigint;
BEGIN
    FOR zone IN
        SELECT name FROM (SELECT name FROM pg_timezone_names
                          UNION SELECT unnest('{<X>+20,<X>-15:59,<Y>-16}'::text[])) AS z
        ORDER BY name COLLATE "C"
    LOOP
        PERFORM set_config('TimeZone', zone, true);
        zones := zones + 1;
        FOREACH style IN ARRAY '{"ISO, MDY","German, DMY","SQL, DMY","Postgres, YMD"}'::text[]
        LOOP
            -- the other styles in a sample of the zones
            CONTINUE WHEN style <> 'ISO, MDY' AND zones % 8 <> 0;
            PERFORM set_config('DateStyle', style, true);
            SELECT count(*) INTO good FROM sample
            WHERE missing_symbol.counter_send(c::text::missing_symbol.counter)
                = missing_symbol.counter_send(c);
            checked := checked + good;
            IF good <> (SELECT count(*) FROM sample) THEN
                failed := concat_ws(', ', failed, zone || '/' || style);
            END IF;
        END LOOP;
    END LOOP;
    zones_enough := zones > 300;
    checked_all := checked > zones * (SELECT count(*) FROM sample);
END
$$;
SELECT * FROM pg_temp.round_trips();
RESET TimeZone;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- the text itself: ISO, whatever DateStyle
BEGIN;
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL TimeZone = 'Europe/Berlin';
SELECT '1 [2026-10-25 00:30:00+00,2026-10-25 01:30:00+00]'::missing_symbol.counter;
SET LOCAL DateStyle = 'SQL, MDY';
SET LOCAL TimeZone = 'Africa/Monrovia';
SELECT '1 [1971-01-01 00:00:00+00,1972-01-06 23:59:59.000001+00]'::missing_symbol.counter;
SET LOCAL TimeZone = 'Asia/Kolkata';
SELECT '1 [0044-03-15 12:00:00+00 BC,2026-11-21 00:00:00+00]'::missing_symbol.counter;
SET LOCAL TimeZone = '<X>+20';
SELECT '1 [2026-11-21 00:00:00+00,2026-11-21 00:00:00+00]'::missing_symbol.counter;
COMMIT;

-- binary
SELECT missing_symbol.counter_send('1 [2000-01-01 00:00:00+00,2000-01-01 00:00:00.000002+00]');
CREATE TABLE copied (LIKE sample);
\copy sample TO 'results/counter.bin' (FORMAT binary)
SET TimeZone = 'Asia/Kathmandu';
SET DateStyle = 'SQL, DMY';
\copy copied FROM 'results/counter.bin' (FORMAT binary)
SELECT count(*) AS differ FROM sample s FULL JOIN copied c USING (id)
WHERE missing_symbol.counter_send(s.c) IS DISTINCT FROM missing_symbol.counter_send(c.c);
TRUNCATE copied;
\copy sample TO 'results/counter.txt'
SET TimeZone = 'America/St_Johns';
SET DateStyle = 'German, MDY';
\copy copied FROM 'results/counter.txt'
SELECT count(*) AS differ FROM sample s FULL JOIN copied c USING (id)
WHERE missing_symbol.counter_send(s.c) IS DISTINCT FROM missing_symbol.counter_send(c.c);
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- bad binary: each is what COPY BINARY writes for a bytea
CREATE TABLE bad_binary (b bytea);
CREATE TABLE from_binary (c missing_symbol.counter);
CREATE FUNCTION pg_temp.bytes(count bigint, first_seen bigint, last_seen bigint) RETURNS bytea
LANGUAGE sql AS 'SELECT int8send(count) || int8send(first_seen) || int8send(last_seen)';
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO bad_binary SELECT pg_temp.bytes(1, 0, 2);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
SELECT * FROM from_binary;
-- reversed
UPDATE bad_binary SET b = pg_temp.bytes(1, 2, 0);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
-- -infinity, infinity
UPDATE bad_binary SET b = pg_temp.bytes(1, -9223372036854775808, 0);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
UPDATE bad_binary SET b = pg_temp.bytes(1, 0, 9223372036854775807);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
-- one microsecond out of range, on either side
UPDATE bad_binary SET b = pg_temp.bytes(1, -211813488000000001, 0);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
UPDATE bad_binary SET b = pg_temp.bytes(1, 0, 9223371331200000000);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
-- too short, too long
UPDATE bad_binary SET b = int8send(1) || int8send(0);
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
UPDATE bad_binary SET b = pg_temp.bytes(1, 0, 2) || '\x00';
\copy bad_binary TO 'results/counter.bin' (FORMAT binary)
\copy from_binary FROM 'results/counter.bin' (FORMAT binary)
\set VERBOSITY default
SELECT count(*) FROM from_binary;

--
-- Counting
--
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SELECT missing_symbol.counter(), missing_symbol.counter(5),
       missing_symbol.counter(count => -5);
SELECT missing_symbol.counter(NULL::int);
CREATE TABLE hits (key text PRIMARY KEY, hits missing_symbol.counter);
INSERT INTO hits VALUES ('k', missing_symbol.counter());
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
UPDATE hits SET hits = hits OPERATOR(missing_symbol.+) 2::smallint;
UPDATE hits SET hits = hits OPERATOR(missing_symbol.+) 3;
UPDATE hits SET hits = hits OPERATOR(missing_symbol.-) 1::bigint;
TABLE hits;
-- last_seen never goes back
SET missing_symbol.test_clock = '1999-12-31 00:00:00+00';
UPDATE hits SET hits = hits OPERATOR(missing_symbol.+) 1;
UPDATE hits SET hits = hits OPERATOR(missing_symbol.-) 10;
TABLE hits;
SELECT hits OPERATOR(missing_symbol.+) NULL, hits OPERATOR(missing_symbol.-) NULL,
       NULL::missing_symbol.counter OPERATOR(missing_symbol.+) 1
FROM hits;

-- plain upsert: the type alone counts
SET missing_symbol.test_clock = '2026-11-21 03:00:00+00';
TRUNCATE hits;
INSERT INTO hits AS t VALUES ('k', missing_symbol.counter())
ON CONFLICT (key) DO UPDATE SET hits = t.hits OPERATOR(missing_symbol.+) 1;
SET missing_symbol.test_clock = '2026-11-21 04:00:00+00';
INSERT INTO hits AS t VALUES ('k', missing_symbol.counter())
ON CONFLICT (key) DO UPDATE SET hits = t.hits OPERATOR(missing_symbol.+) 1;
-- as users write it, with the schema in search_path
BEGIN;
SET LOCAL search_path = public, missing_symbol;
INSERT INTO hits AS t VALUES ('k', counter())
ON CONFLICT (key) DO UPDATE SET hits = t.hits + 1;
PREPARE untyped AS
    INSERT INTO hits AS t VALUES ($1, counter(count => $2))
    ON CONFLICT (key) DO UPDATE SET hits = t.hits + $2
    RETURNING hits(hits);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
EXECUTE untyped('k', 10);
EXECUTE untyped('l', 10);
DEALLOCATE untyped;
UPDATE hits SET hits = hits - '1';
SELECT key, hits, hits(hits), first_seen(hits), last_seen(hits), (hits).last_seen FROM hits AS t ORDER BY t.hits;
SELECT count(*) FROM hits WHERE hits < (SELECT hits + 1 FROM hits WHERE key = 'k');
-- never ambiguous, never a counter + counter
SELECT pg_temp.try('SELECT counter() + counter()'),
       pg_temp.try('SELECT counter() + 1.5');
COMMIT;
-- without it the operators are not found, and nothing else is found instead
SELECT pg_temp.try('UPDATE hits SET hits = hits + 1');

-- the clock is read anew by each call
SET missing_symbol.test_clock = '';
DO $$
DECLARE
    a missing_symbol.counter;
    b missing_symbol.counter;
BEGIN
    a := missing_symbol.counter();
    PERFORM pg_sleep(0.001);
    b := a OPERATOR(missing_symbol.+) 1;
    ASSERT missing_symbol.first_seen(a) = missing_symbol.last_seen(a);
    ASSERT missing_symbol.first_seen(b) = missing_symbol.first_seen(a);
    ASSERT missing_symbol.last_seen(b) > missing_symbol.last_seen(a);
    ASSERT missing_symbol.first_seen(a) >= now();
    ASSERT missing_symbol.last_seen(b) <= clock_timestamp();
END
$$;
SET missing_symbol.test_clock = '2026-11-21 05:00:00+00';

-- overflow; the smallest bigint is subtracted right
SELECT statement, pg_temp.try('SELECT ' || statement) AS answer
FROM (VALUES
    ('missing_symbol.counter(9223372036854775807) OPERATOR(missing_symbol.+) 0'),
    ('missing_symbol.counter(9223372036854775807) OPERATOR(missing_symbol.+) 1'),
    ('missing_symbol.counter(-9223372036854775808) OPERATOR(missing_symbol.-) 1'),
    ('missing_symbol.counter(-9223372036854775808) OPERATOR(missing_symbol.+) 9223372036854775807'),
    ('missing_symbol.counter(-1) OPERATOR(missing_symbol.-) (-9223372036854775808)'),
    ('missing_symbol.counter(0) OPERATOR(missing_symbol.-) (-9223372036854775808)'),
    ('missing_symbol.merge(missing_symbol.counter(9223372036854775807), missing_symbol.counter(1))'),
    ('missing_symbol.merge(missing_symbol.counter(9223372036854775807), missing_symbol.counter(-1))'),
    ('missing_symbol.merge(missing_symbol.counter(1), NULL)')
    ) AS t (statement);

-- casts: to bigint, by assignment, and no other
CREATE TABLE plain (n bigint, i int);
INSERT INTO plain (n) VALUES (missing_symbol.counter(7));
SELECT n FROM plain;
SELECT pg_temp.try('INSERT INTO plain (i) VALUES (missing_symbol.counter(7))'),
       pg_temp.try('SELECT missing_symbol.counter(7) + 0'),
       missing_symbol.counter(7)::bigint;

--
-- merge and sum
--
SELECT missing_symbol.merge('2 [2026-11-21 02:00:00+00,2026-11-21 03:00:00+00]',
                            '3 [2026-11-21 01:00:00+00,2026-11-21 02:30:00+00]');
SELECT missing_symbol.sum(c) FROM sample;
SELECT missing_symbol.sum(c) FROM sample WHERE false;
SELECT missing_symbol.sum(c) FROM (VALUES (NULL::missing_symbol.counter),
    ('2 [2026-11-21,2026-11-22]'), (NULL), ('-5 [2026-11-20,2026-11-20]')) AS t (c);
SELECT pg_temp.try($$
    SELECT missing_symbol.sum(c) FROM (VALUES (missing_symbol.counter(9223372036854775807)),
                                              (missing_symbol.counter(1))) AS t (c)$$);
-- the rows summed stay as they are
SELECT count(*) AS changed FROM sample s JOIN copied c USING (id)
WHERE missing_symbol.counter_send(s.c) <> missing_symbol.counter_send(c.c);
-- over a window
SELECT id, missing_symbol.hits(missing_symbol.sum(c) OVER (ORDER BY id)) AS running,
       missing_symbol.hits(missing_symbol.sum(c) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)) AS two
FROM sample ORDER BY id LIMIT 4;
-- parallel as serial
CREATE TABLE many (g int, c missing_symbol.counter) WITH (parallel_workers = 2);
INSERT INTO many
SELECT n % 7, format('%s [%s,%s]', n, '2026-01-01 00:00:00+00'::timestamptz + n * interval '1.000001 s',
                     '2026-02-01 00:00:00+00'::timestamptz + (n * 7919) % 20000 * interval '1.000001 s')::missing_symbol.counter
FROM generate_series(1, 20000) AS n;
ANALYZE many;
CREATE FUNCTION pg_temp.plan_has(statement text, what text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found bool := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        found := found OR line ~ what;
    END LOOP;
    RETURN found;
END
$$;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial_sum AS SELECT g, missing_symbol.sum(c) AS c FROM many GROUP BY g;
SELECT * FROM serial_sum ORDER BY g;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT pg_temp.plan_has('SELECT g, missing_symbol.sum(c) FROM many GROUP BY g', 'Partial') AS partial,
       pg_temp.plan_has('SELECT g, missing_symbol.sum(c) FROM many GROUP BY g', 'Gather') AS gather;
SELECT count(*) AS groups, count(*) FILTER (WHERE s.c OPERATOR(missing_symbol.=) p.c) AS same
FROM serial_sum s JOIN (SELECT g, missing_symbol.sum(c) AS c FROM many GROUP BY g) p USING (g);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;

--
-- Order and hash
--
SELECT a, b,
       a OPERATOR(missing_symbol.<) b AS lt, a OPERATOR(missing_symbol.<=) b AS le,
       a OPERATOR(missing_symbol.=) b AS eq, a OPERATOR(missing_symbol.<>) b AS ne,
       a OPERATOR(missing_symbol.>=) b AS ge, a OPERATOR(missing_symbol.>) b AS gt,
       missing_symbol.counter_cmp(a, b) AS cmp, missing_symbol.counter_cmp(b, a) AS pmc,
       missing_symbol.counter_hash(a) = missing_symbol.counter_hash(b) AS hash,
       missing_symbol.counter_hash_extended(a, 7) = missing_symbol.counter_hash_extended(b, 7) AS hash_extended
FROM (VALUES
    ('1 [2026-01-01,2026-01-02]'::missing_symbol.counter, '1 [2026-01-01,2026-01-02]'::missing_symbol.counter),
    ('1 [2026-01-01,2026-01-09]', '2 [2026-01-01,2026-01-02]'),
    ('1 [2026-01-01,2026-01-02]', '1 [2026-01-01,2026-01-03]'),
    ('1 [2026-01-01,2026-01-02]', '1 [2026-01-02,2026-01-02]'),
    ('-9223372036854775808 [2026-01-01,2026-01-02]', '9223372036854775807 [2026-01-01,2026-01-02]')
    ) AS t (a, b);
SELECT missing_symbol.counter_hash_extended(c, 0) & 4294967295
       = (missing_symbol.counter_hash(c)::bigint & 4294967295) AS extended_agrees
FROM sample WHERE id = 1;

-- a total order, the same by sort, by index and by parts
SELECT bool_and(a.id = b.id) AS same
FROM (SELECT id, row_number() OVER (ORDER BY c) AS n FROM sample) a
JOIN (SELECT id, row_number() OVER (ORDER BY missing_symbol.hits(c), missing_symbol.last_seen(c),
                                             missing_symbol.first_seen(c)) AS n FROM sample) b USING (n);
CREATE INDEX sample_c ON sample (c);
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;
SELECT pg_temp.plan_has('SELECT id FROM sample ORDER BY c', 'Index.*sample_c') AS by_index,
       (SELECT array_agg(id) FROM (SELECT id FROM sample ORDER BY c) t)
       = (SELECT array_agg(id ORDER BY missing_symbol.hits(c), missing_symbol.last_seen(c),
                           missing_symbol.first_seen(c)) FROM sample) AS same;
SELECT id FROM sample
WHERE c OPERATOR(missing_symbol.>=) '5000010 [0099-02-28 01:02:03.4+00,1883-11-18 17:00:00.5+00]'
  AND c OPERATOR(missing_symbol.<) '5000010 [0099-02-28 01:02:03.4+00,2026-11-01 06:30:00.000001+00]'
ORDER BY id;
RESET enable_sort;
DROP INDEX sample_c;
CREATE INDEX sample_hash ON sample USING hash (c);
SELECT pg_temp.plan_has($$SELECT id FROM sample
    WHERE c OPERATOR(missing_symbol.=) '5000010 [0099-02-28 01:02:03.4+00,1883-11-18 17:00:00.5+00]'$$, 'Index.*sample_hash') AS by_index;
SELECT id FROM sample
WHERE c OPERATOR(missing_symbol.=) '5000010 [0099-02-28 01:02:03.4+00,1883-11-18 17:00:00.5+00]';
DROP INDEX sample_hash;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- each way to join and to make distinct
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT pg_temp.plan_has('SELECT count(*) FROM sample a JOIN copied b ON a.c OPERATOR(missing_symbol.=) b.c', 'Hash Join') AS hash_join;
SELECT count(*) FROM sample a JOIN copied b ON a.c OPERATOR(missing_symbol.=) b.c;
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT pg_temp.plan_has('SELECT count(*) FROM sample a JOIN copied b ON a.c OPERATOR(missing_symbol.=) b.c', 'Merge Join') AS merge_join;
SELECT count(*) FROM sample a JOIN copied b ON a.c OPERATOR(missing_symbol.=) b.c;
RESET enable_nestloop;
RESET enable_hashjoin;
SET enable_sort = off;
SELECT pg_temp.plan_has('SELECT DISTINCT c FROM (TABLE sample UNION ALL TABLE copied) t', 'HashAggregate') AS hashed,
       (SELECT count(*) FROM (SELECT DISTINCT c FROM (TABLE sample UNION ALL TABLE copied) t) u);
RESET enable_sort;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT c FROM (TABLE sample UNION ALL TABLE copied) t) u;
RESET enable_hashagg;

--
-- The catalogs
--
SELECT amname, opcname, opcdefault, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE opcintype = 'missing_symbol.counter'::regtype ORDER BY amname;
SELECT typlen, typbyval, typalign, typstorage FROM pg_type WHERE oid = 'missing_symbol.counter'::regtype;

DROP TABLE sample, copied, bad_binary, from_binary, hits, plain, many, serial_sum;
