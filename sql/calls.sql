--
-- Calls without casts, amounts, and batches of nothing
--
\set last '(missing_symbol.last_increment()).outcome, (missing_symbol.last_increment()).count, (missing_symbol.last_increment()).first_seen, (missing_symbol.last_increment()).last_seen'
\pset null '(null)'
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
-- the same with DETAIL and HINT
CREATE FUNCTION pg_temp.told(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement INTO answer;
    RETURN answer;
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || coalesce(' / ' || nullif(detail, ''), '') || coalesce(' / ' || nullif(hint, ''), '');
END
$$;
-- and in short
CREATE FUNCTION pg_temp.answer(statement text) RETURNS text
LANGUAGE sql AS $$ SELECT regexp_replace(pg_temp.try(statement), '^([0-9A-Z]{5}): .*', '\1') $$;
CREATE SCHEMA calls;
CREATE TABLE calls.daily (page text, day date, count int, PRIMARY KEY (page, day));
CREATE TABLE calls.user_url (user_id int, url text, count int, PRIMARY KEY (user_id, url));
CREATE TABLE calls.three (a text, b int, c date, count int, PRIMARY KEY (a, b, c));
CREATE TABLE calls.four (a text, b int, c date, d text, count int, PRIMARY KEY (a, b, c, d));
CREATE TABLE calls.arrays (a text, b int[], count int, PRIMARY KEY (a, b));

--
-- A key of which some values are typed, and others not
--
PREPARE page_today AS SELECT missing_symbol.increment('calls.daily', $1, date '2026-11-21');
EXECUTE page_today('/a');
PREPARE day_of_page AS SELECT missing_symbol.increment('calls.daily', '/a'::text, $1);
EXECUTE day_of_page('2026-11-21');
PREPARE url_of_user AS SELECT missing_symbol.increment('calls.user_url', 7, $1);
EXECUTE url_of_user('/a');
PREPARE user_of_url AS SELECT missing_symbol.increment('calls.user_url', $1, '/a'::text);
EXECUTE user_of_url('7');
PREPARE middle AS SELECT missing_symbol.increment('calls.three', $1, 7, $2);
EXECUTE middle('x', '2026-11-21');
PREPARE outer_two AS SELECT missing_symbol.increment('calls.three', 'x'::text, $1, date '2026-11-21');
EXECUTE outer_two('7');
PREPARE last_one AS SELECT missing_symbol.increment($1, 'x', 7, $2);
EXECUTE last_one('calls.three', '2026-11-21');
PREPARE first_one AS SELECT missing_symbol.increment($1, $2, 7, date '2026-11-21');
EXECUTE first_one('calls.three', 'x');
PREPARE value_of_day AS SELECT missing_symbol.value('calls.daily', $1, date '2026-11-21');
EXECUTE value_of_day('/a');
PREPARE value_of_url AS SELECT missing_symbol.value('calls.user_url', 7, $1);
EXECUTE value_of_url('/a');
PREPARE value_of_three AS SELECT missing_symbol.value('calls.three', $1, 7, $2);
EXECUTE value_of_three('x', '2026-11-21');
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;
TABLE calls.daily;
TABLE calls.user_url;
TABLE calls.three;

-- every form of two and of three values: typed, text, literal
SELECT f || ', ' || g AS key, pg_temp.answer(format('SELECT missing_symbol.increment(''calls.user_url'', %s, %s)', f, g)) AS count,
       pg_temp.answer(format('SELECT missing_symbol.value(''calls.user_url'', %s, %s)', f, g)) AS value
FROM (VALUES ('8'), ('8::bigint'), ('''8'''), ('''8''::text'), ('''8''::varchar'), ('NULL')) AS a (f),
     (VALUES ('''/b'''), ('''/b''::text'), ('''/b''::char(5)'), ('''/b''::name'), ('NULL'), ('NULL::int')) AS b (g);
SELECT f || ', ' || g || ', ' || h AS key, pg_temp.answer(format('SELECT missing_symbol.increment(''calls.three'', %s, %s, %s)', f, g, h)) AS count,
       pg_temp.answer(format('SELECT missing_symbol.value(''calls.three'', %s, %s, %s)', f, g, h)) AS value
FROM (VALUES ('''y'''), ('''y''::varchar')) AS a (f),
     (VALUES ('8'), ('''8''')) AS b (g),
     (VALUES ('''2026-11-22'''), ('''2026-11-22''::text'), ('date ''2026-11-22'''), ('timestamp ''2026-11-22''')) AS c (h);
-- errors name the column, whatever the form
SELECT missing_symbol.increment('calls.user_url', 'x', 'x'::name);
SELECT missing_symbol.increment('calls.user_url', '/c'::text, 9);
SELECT missing_symbol.increment('calls.user_url', 9, NULL);
SELECT missing_symbol.increment('calls.daily', 1, '/a', date '2026-11-21');
-- VARIADIC is of no consequence where there is nothing variadic
SELECT missing_symbol.increment('calls.arrays', 'x', ARRAY[1]), missing_symbol.increment('calls.arrays', 'x', VARIADIC ARRAY[1]),
       missing_symbol.value('calls.arrays', 'x'::text, VARIADIC ARRAY[1]);
-- by name
SELECT missing_symbol.increment(target => 'calls.user_url', key2 => '/d', key1 => 9);
SELECT missing_symbol.increment(target => 'calls.user_url', VARIADIC key => ARRAY['9', '/d']);

-- what still takes a cast: more columns, and an amount
\set VERBOSITY sqlstate
PREPARE four AS SELECT missing_symbol.increment('calls.four', $1, 7, date '2026-11-21', 'd'::text);
PREPARE by AS SELECT missing_symbol.increment_by('calls.user_url', 2, 7, $1);
\set VERBOSITY default
PREPARE four AS SELECT missing_symbol.increment('calls.four', $1::text, 7, date '2026-11-21', 'd'::text);
EXECUTE four('a');
PREPARE by AS SELECT missing_symbol.increment_by('calls.user_url', 2, 7, $1::text);
EXECUTE by('/a');
DEALLOCATE ALL;

--
-- Batches: keys as the text of an array, and none at all
--
CREATE TABLE calls.ints (k int PRIMARY KEY, count int);
CREATE TABLE calls.texts (k text PRIMARY KEY, count int);
CREATE TABLE calls.keys_of_arrays (k int[] PRIMARY KEY, count int);
PREPARE many AS SELECT * FROM missing_symbol.increment_many('calls.ints', $1);
EXECUTE many('{1,2,1}');
EXECUTE many('{}');
EXECUTE many(NULL);
PREPARE many_by AS SELECT * FROM missing_symbol.increment_many('calls.texts', $1, $2);
EXECUTE many_by('{a,"b,c",NULL2}', '{1,2,3}');
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;
SELECT inserted, incremented FROM missing_symbol.increment_many('calls.texts', '{{a,b},{c,d}}');
SELECT inserted, incremented FROM missing_symbol.increment_many(target => 'calls.keys_of_arrays', keys => '{"{1,2}","{3}"}');
SELECT inserted, incremented FROM missing_symbol.increment_many('calls.texts', ARRAY['a']);
SELECT inserted, incremented FROM missing_symbol.increment_many('calls.texts', ARRAY[]::text[]);
TABLE calls.ints ORDER BY k;
SELECT * FROM calls.texts ORDER BY k COLLATE "C";
TABLE calls.keys_of_arrays ORDER BY k;
\set VERBOSITY sqlstate
SELECT missing_symbol.increment_many('calls.ints', '{1');
\set VERBOSITY default
SELECT missing_symbol.increment_many('calls.ints', '{1,x}');
SELECT missing_symbol.increment_many('calls.ints', '{1,NULL}');
SELECT missing_symbol.increment_many('calls.ints', '{1,2}', '{1}');
SELECT missing_symbol.increment_many('calls.user_url', '{1}');
-- an aggregate over no rows
SELECT * FROM missing_symbol.increment_rows('calls.texts', (SELECT jsonb_agg(t) FROM calls.texts AS t WHERE k = 'none'));
SELECT * FROM missing_symbol.increment_many('calls.texts', (SELECT array_agg(k) FROM calls.texts WHERE k = 'none'));
SELECT * FROM missing_symbol.increment_many('calls.texts', (SELECT array_agg(k) FROM calls.texts WHERE k = 'none'),
                                            (SELECT array_agg(1::bigint) FROM calls.texts WHERE k = 'none'));
SELECT * FROM missing_symbol.increment_many('calls.texts', NULL);
SELECT * FROM missing_symbol.increment_many('calls.texts', NULL, '{1}');
SELECT * FROM missing_symbol.increment_many(NULL, NULL);
SELECT * FROM missing_symbol.increment_rows('calls.four', NULL);
SELECT * FROM missing_symbol.increment_many('calls.none', NULL);

--
-- Amounts
--
CREATE TABLE calls.spend (k text PRIMARY KEY, count numeric, note text);
CREATE TABLE calls.cents (k text PRIMARY KEY, count numeric(8,2), last_seen timestamptz);
CREATE TABLE calls.counters (k text PRIMARY KEY, c missing_symbol.counter);
SELECT missing_symbol.increment_amount('calls.spend', 0.25, 'a'), missing_symbol.increment_amount('calls.spend', 0.5, 'a'),
       missing_symbol.increment_amount('calls.spend', -0.75, 'a'), missing_symbol.increment_amount('calls.spend', 3, 'a');
SELECT missing_symbol.increment_amount('calls.spend', 1e30, 'b'), missing_symbol.increment_amount('calls.spend', 1e-30, 'b');
SELECT missing_symbol.increment_amount('calls.spend', 0.1, '{"k": "c", "note": "given"}'::jsonb), :last;
SELECT missing_symbol.increment_amount('calls.cents', 0.25, 'a'), missing_symbol.increment_amount('calls.cents', 0.75, 'a'),
       missing_symbol.increment_amount('calls.cents', 1, 'a'), :last;
PREPARE amount AS SELECT missing_symbol.increment_amount('calls.spend', $1, $2);
EXECUTE amount(0.0000001, 'd');
SELECT name, parameter_types FROM pg_prepared_statements;
DEALLOCATE ALL;
PREPARE amount AS SELECT missing_symbol.increment_amount('calls.spend', $1, VARIADIC ARRAY[$2]);
EXECUTE amount(0.0000001, 'd');
DEALLOCATE ALL;
-- sum(bigint) is numeric
SELECT k, missing_symbol.increment_amount('calls.spend', sum(count), k) FROM calls.ints GROUP BY k ORDER BY k;
TABLE calls.spend ORDER BY k;
TABLE calls.cents;
-- whole amounts, with columns of whole numbers
SELECT missing_symbol.increment_amount('calls.ints', 2, 5), missing_symbol.increment_amount('calls.ints', 2.00, 5),
       missing_symbol.increment_amount('calls.counters', -7, 'a');
-- a domain over numeric does not round, either
CREATE DOMAIN calls.tenths AS numeric(5,1);
CREATE TABLE calls.tens (k text PRIMARY KEY, count calls.tenths NOT NULL);
SELECT missing_symbol.increment_amount('calls.tens', 0.5, 'a'), missing_symbol.increment_amount('calls.tens', 3, 'a');
SELECT pg_temp.told($$SELECT missing_symbol.increment_amount('calls.tens', 0.04, 'a')$$);
SELECT amount, pg_temp.told(format('SELECT missing_symbol.increment_amount(%L, %L, %L)', target, amount, '5'))
FROM (VALUES ('calls.ints'), ('calls.counters'), ('calls.spend'), ('calls.cents')) AS t (target),
     (VALUES ('2.5'), ('3000000000'), ('9223372036854775808'), ('0'), ('0.000'), ('0.001'), ('NaN'), (NULL)) AS a (amount);
SELECT k, count FROM calls.spend WHERE k = '5';
-- row, detail columns and triggers as with any increment
CREATE TABLE calls.strict (k text PRIMARY KEY, count numeric CHECK (count < 1), needed text NOT NULL);
SELECT missing_symbol.increment_amount('calls.strict', 0.5, 'a');
\set VERBOSITY terse
SELECT missing_symbol.increment_amount('calls.strict', 0.5, '{"k": "a", "needed": "n"}'::jsonb);
SELECT missing_symbol.increment_amount('calls.strict', 0.5, 'a');
\set VERBOSITY default
SELECT missing_symbol.increment_amount('calls.strict', 0.5, NULL::jsonb);
CREATE TABLE calls.parts (k int PRIMARY KEY, count numeric) PARTITION BY HASH (k);
CREATE TABLE calls.parts_0 PARTITION OF calls.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT missing_symbol.increment_amount('calls.parts', 0.5, 1), missing_symbol.increment_amount('calls.parts', 0.25, 1),
       missing_symbol.increment('calls.parts', 2), missing_symbol.increment_amount('calls.parts', 1.5, 2);
-- a throttled one counts nothing
SELECT missing_symbol.track('calls.cents', throttle => '1 hour');
SELECT missing_symbol.increment_amount('calls.cents', 0.25, 'a'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.track('calls.cents', throttle => '0');

-- what waits is exact, too
SET client_min_messages = error;
SET missing_symbol.worker = off;
CREATE TABLE calls.later (k text PRIMARY KEY, count numeric);
CREATE FUNCTION pg_temp.amounts(settings text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT missing_symbol.untrack(''calls.later''), missing_symbol.track(''calls.later'', ' || settings || ')';
    RETURN NEXT pg_temp.told('SELECT missing_symbol.increment_amount(''calls.later'', 0.5, ''a'')');
    RETURN NEXT pg_temp.told('SELECT missing_symbol.increment_amount(''calls.later'', 1e19, ''a'')');
    RETURN NEXT pg_temp.told('SELECT missing_symbol.increment_amount(''calls.later'', 2.0, ''a'')');
    RETURN NEXT (missing_symbol.last_increment()).outcome;
    RETURN NEXT (SELECT count FROM missing_symbol.total(NULL::calls.later) WHERE k = 'a');
END
$$;
SELECT pg_temp.amounts($$apply => 'now'$$);
DELETE FROM calls.later;
SELECT pg_temp.amounts($$apply => 'commit'$$);
SELECT pg_temp.amounts($$spill => true$$);
SELECT pg_temp.amounts($$apply => 'buffer'$$);
SELECT missing_symbol.flush();
TABLE calls.later;
SELECT missing_symbol.untrack('calls.later');
SET missing_symbol.apply = 'commit';
SELECT missing_symbol.increment_amount('calls.later', 0.5, 'a');
RESET missing_symbol.apply;
SELECT missing_symbol.increment_amount('calls.later', 0.5, 'a');
RESET client_min_messages;

--
-- value() of a numeric count is exact, or an error
--
CREATE TABLE calls.num (k int PRIMARY KEY, count numeric);
INSERT INTO calls.num VALUES (1, 5), (2, 5.00), (3, 0.5), (4, 1.5), (5, 1e30), (6, 9223372036854775807),
    (7, 9223372036854775808), (8, -9223372036854775808), (9, -9223372036854775809), (10, 'NaN'), (11, NULL);
SELECT k, count, pg_temp.answer(format('SELECT missing_symbol.value(''calls.num'', %s)', k)) AS value FROM calls.num ORDER BY k;
SELECT missing_symbol.value('calls.num', 3);
-- increments of such a count are counted, and return what a bigint can hold
SELECT k, missing_symbol.increment('calls.num', k), :last FROM generate_series(1, 5) AS k;
-- with what this transaction has deferred
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('calls.num', 3), missing_symbol.increment_by('calls.num', -1, 7), missing_symbol.increment_by('calls.num', 1, 6);
SELECT k, pg_temp.answer(format('SELECT missing_symbol.value(''calls.num'', %s)', k)) AS value FROM (VALUES (3), (6), (7)) AS v (k);
SELECT * FROM missing_symbol.total(NULL::calls.num) WHERE k IN (3, 6, 7) ORDER BY k;
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA calls CASCADE;
