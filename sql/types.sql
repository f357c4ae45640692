--
-- Types of keys and of counts
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ('sad', 'happy');
CREATE TYPE types.pair AS (a int, b text);
CREATE DOMAIN types.short AS text CHECK (length(VALUE) <= 3);
CREATE DOMAIN types.positive AS int CHECK (VALUE > 0);
SET client_min_messages = warning;
CREATE EXTENSION citext SCHEMA types;
RESET client_min_messages;
CREATE COLLATION types.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- For each type: two values that are equal in its index's eyes, and another.
-- Each is counted typed, as a literal, by JSON and in a batch.
CREATE FUNCTION pg_temp.count_by(type text, one text, same text, other text, opclass text DEFAULT '')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    batch record;
BEGIN
    EXECUTE format('CREATE TABLE types.t (k %s, count bigint)', type);
    EXECUTE format('CREATE UNIQUE INDEX ON types.t (k %s)', opclass);
    EXECUTE format('SELECT missing_symbol.increment(''types.t'', %L::%s)', one, regexp_replace(type, ' collate .*', '')) INTO result;
    EXECUTE format('SELECT concat_ws('' '', %L, missing_symbol.increment(''types.t'', %L))', result, same) INTO result;
    EXECUTE format('SELECT concat_ws('' '', %L, missing_symbol.increment(''types.t'', %L::text))', result, same) INTO result;
    EXECUTE format('SELECT concat_ws('' '', %L, missing_symbol.increment_row(''types.t'', jsonb_build_object(''k'', %L::text)))', result, one) INTO result;
    EXECUTE format('SELECT concat_ws('' '', %L, missing_symbol.increment_by(''types.t'', 7, %L))', result, other) INTO result;
    EXECUTE format('SELECT * FROM missing_symbol.increment_many(''types.t'', ARRAY[%L, %L, %L, %L]::text[])', other, one, same, one) INTO batch;
    EXECUTE format('SELECT concat_ws('' '', %L, missing_symbol.value(''types.t'', %L), ''|'', string_agg(k::text || ''='' || count, '', '' ORDER BY k, count)) FROM types.t', result, same) INTO result;
    DROP TABLE types.t;
    RETURN concat(result, ' ', batch);
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT type, pg_temp.count_by(type, one, same, other)
FROM (VALUES ('smallint', '1', '01', '-2'),
             ('integer', '1', ' 1 ', '-2147483648'),
             ('bigint', '9223372036854775807', '9223372036854775807', '-1'),
             ('numeric', '1.0', '1.00', '1.01'),
             ('numeric(5,2)', '1.001', '1', '2'),
             ('real', '0', '-0', 'NaN'),
             ('double precision', '-0', '0', 'Infinity'),
             ('boolean', 't', 'yes', 'f'),
             ('text', 'x', 'x', 'y'),
             ('varchar(3)', 'abc', 'abc', 'abc'''),
             ('varchar(3)', 'abc', 'abc   ', 'ab'),
             ('char(3)', 'a', 'a  ', 'ab'),
             ('name', 'x', 'x', 'y'),
             ('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}', '00000000-0000-0000-0000-000000000000'),
             ('types.citext', 'Word', 'wORD', 'other'),
             ('text collate types.nocase', 'Word', 'wORD', 'other'),
             ('varchar(4) collate types.nocase', 'Word', 'wORD', 'othe'),
             ('types.mood', 'sad', 'sad', 'happy'),
             ('types.short', 'abc', 'abc', 'ab'),
             ('types.positive', '1', '01', '2'),
             ('date', '2026-01-01', 'Jan 1, 2026', 'infinity'),
             ('timestamptz', '2026-01-01 00:00:00+00', '2026-01-01 02:00:00+02', '-infinity'),
             ('timestamp(0)', '2026-01-01 00:00:00', '2026-01-01 00:00:00.4', '2026-01-01 00:00:01'),
             ('interval', '1 month', '30 days', '1 day'),
             ('bytea', '\x00ff', '\x00FF', '\x'),
             ('inet', '10.0.0.1', '10.0.0.1/32', '::1'),
             ('int[]', '{1,2}', '[1:2]={1,2}', '{}'),
             ('text[]', '{a,NULL}', '{"a",null}', '{}'),
             ('types.pair', '(1,x)', '( 1,"x")', '(1,)'),
             ('types.citext[]', '{A}', '{a}', '{b}'),
             ('int4range', '[1,3)', '[1,2]', 'empty'),
             ('tsvector', 'a b', 'b a', 'c'),
             ('jsonb', '{"a": 1, "b": 2}', '{"b":2,"a":1}', '[]'),
             ('pg_lsn', '1/10000000', '01/10000000', '2/10000000'),
             ('oid', '1', '01', '4294967295')) AS v(type, one, same, other);
-- other operator classes and orders
SELECT pg_temp.count_by('text', 'x', 'x', 'y', 'text_pattern_ops'),
       pg_temp.count_by('varchar', 'x', 'x', 'y', 'varchar_pattern_ops DESC'),
       pg_temp.count_by('bpchar', 'x', 'x ', 'y', 'bpchar_pattern_ops'),
       pg_temp.count_by('types.pair', '(1,x)', '( 1,"x")', '(2,y)', 'record_image_ops'),
       pg_temp.count_by('types.citext', 'Word', 'Word', 'wORD', 'text_ops'),
       pg_temp.count_by('int', '1', '01', '2', 'DESC NULLS LAST');

-- the values of a key come as other types: as an assignment converts them
CREATE TABLE types.v (k varchar(5) PRIMARY KEY, count int);
CREATE TABLE types.i (k int PRIMARY KEY, count int);
CREATE TABLE types.n (k numeric(4,1) PRIMARY KEY, count int);
SELECT expression, pg_temp.try(format('SELECT missing_symbol.increment(%L, %s)', target, expression))
FROM (VALUES ('types.v', '''abc''::text'), ('types.v', '''abcdef'''), ('types.v', '''abcde   '''), ('types.v', '''abcdef''::varchar'),
             ('types.v', '12345'), ('types.v', '123456'), ('types.v', 'true'), ('types.v', '''x''::types.short'),
             ('types.i', '1::smallint'), ('types.i', '1::bigint'), ('types.i', '2147483648'), ('types.i', '1.4'), ('types.i', '0.6::float8'),
             ('types.i', '''1'''), ('types.i', '''1''::text'), ('types.i', '''x'''), ('types.i', 'true'), ('types.i', '''2026-01-01''::date'),
             ('types.i', '1::types.positive'), ('types.i', 'ARRAY[1]'), ('types.i', 'ROW(1)'), ('types.i', '''1''::unknown'),
             ('types.n', '1.04'), ('types.n', '1'), ('types.n', '999.99'), ('types.n', '1000'), ('types.n', '''NaN''')) AS v(target, expression);
TABLE types.v ORDER BY k;
TABLE types.i ORDER BY k;
TABLE types.n ORDER BY k;
-- the same conversion again and again, and from one type to the next
SELECT missing_symbol.increment('types.i', v.k::bigint), missing_symbol.increment('types.i', v.k::text),
       missing_symbol.increment('types.i', v.k::numeric)
FROM generate_series(100, 102) AS v(k);
-- domains and enums refuse what is not theirs
CREATE TABLE types.d (k types.short PRIMARY KEY, m types.mood DEFAULT 'sad', p types.positive, count int);
SELECT pg_temp.try($$SELECT missing_symbol.increment('types.d', 'four')$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.d', 'four'::text)$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.d', 1234)$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('types.d', '{"k": "ok", "m": "angry"}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('types.d', '{"k": "ok", "p": -1}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('types.d', '{"k": "ok", "p": 1}')$$);
ALTER DOMAIN types.short ADD CONSTRAINT no_x CHECK (VALUE <> 'x');
SELECT pg_temp.try($$SELECT missing_symbol.increment('types.d', 'x')$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.d', 'x'::text)$$);
ALTER DOMAIN types.short DROP CONSTRAINT no_x;
SELECT pg_temp.try($$SELECT missing_symbol.increment('types.d', 'x')$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.d', 'x'::text)$$);
ALTER TYPE types.mood ADD VALUE 'angry';
SELECT missing_symbol.increment_row('types.d', '{"k": "new", "m": "angry"}');
TABLE types.d ORDER BY k;
-- a domain that is not null: what is not given has its default, or fails
CREATE DOMAIN types.required AS text NOT NULL;
CREATE TABLE types.r (k text PRIMARY KEY, r types.required DEFAULT 'filled', count int);
SELECT missing_symbol.increment('types.r', 'a'), missing_symbol.increment_row('types.r', '{"k": "b"}'),
       missing_symbol.increment_row('types.r', '{"k": "c", "r": "given"}');
ALTER TABLE types.r ALTER r DROP DEFAULT;
SELECT pg_temp.try($$SELECT missing_symbol.increment('types.r', 'd')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('types.r', '{"k": "d"}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('types.r', '{"k": "d", "r": null}')$$);
SELECT missing_symbol.increment('types.r', 'a'), missing_symbol.increment_row('types.r', '{"k": "a"}');
TABLE types.r ORDER BY k;

-- keys of many columns; columns that are only included
CREATE TABLE types.included (a int, b text, c text, count bigint);
CREATE UNIQUE INDEX ON types.included (b, a) INCLUDE (c);
SELECT missing_symbol.increment('types.included', 'b', 1), missing_symbol.increment_row('types.included', '{"a": 1, "b": "b", "c": "c"}'),
       missing_symbol.increment_row('types.included', '{"a": 2, "b": "b", "c": "c"}');
TABLE types.included ORDER BY a;
SELECT format('CREATE TABLE types.wide (%s, count bigint, PRIMARY KEY (%s))',
              string_agg(format('c%s int', i), ', ' ORDER BY i), string_agg('c' || i, ', ' ORDER BY i DESC))
FROM generate_series(1, 32) i \gexec
SELECT missing_symbol.increment('types.wide', VARIADIC array_agg(i::text)) FROM generate_series(1, 32) i;
SELECT missing_symbol.increment('types.wide', VARIADIC array_agg(i)) FROM generate_series(1, 32) i;
SELECT missing_symbol.increment('types.wide', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32);
SELECT missing_symbol.increment_row('types.wide', jsonb_object_agg('c' || i, 33 - i)) FROM generate_series(1, 32) i;
SELECT pg_temp.try($$SELECT missing_symbol.increment('types.wide', VARIADIC array_agg(i)) FROM generate_series(1, 31) i$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.wide', VARIADIC array_agg(i)) FROM generate_series(1, 40) i$$),
       pg_temp.try($$SELECT missing_symbol.increment('types.wide', VARIADIC array_agg(i::text)) FROM generate_series(1, 40) i$$);
SELECT c1, c2, c31, c32, count FROM types.wide;

-- columns named like what statements use
CREATE TABLE types."select" ("t" text, "l" types.pair, "c" int, "now" int, "Count" int, "locked" bool, "$1" text DEFAULT 'x', "order" int, PRIMARY KEY ("t", "order"));
SELECT missing_symbol.track('types."select"', count => 'Count', fill => '{now,c,l,locked}');
SELECT missing_symbol.increment('types."select"', 'k', 1);
SELECT missing_symbol.increment_row('types."select"', '{"t": "k", "order": 1, "l": {"a": 1, "b": "x"}, "now": 5, "locked": false}');
TABLE types."select";

-- counts
CREATE DOMAIN types.amount AS bigint NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN types.small AS smallint;
CREATE DOMAIN types.counted AS missing_symbol.counter CHECK (missing_symbol.hits(VALUE) < 1000);
CREATE FUNCTION pg_temp.count_in(type text, amounts bigint[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    amount bigint;
    results text[];
    result text;
BEGIN
    EXECUTE format('CREATE TABLE types.t (k text PRIMARY KEY, hits %s)', type);
    FOREACH amount IN ARRAY amounts LOOP
        results := results || pg_temp.try(format('SELECT missing_symbol.increment_by(''types.t'', %s, ''k'')', amount))
                           || pg_temp.try(format('SELECT missing_symbol.increment_row(''types.t'', ''{"k": "j"}'', %s)', amount));
    END LOOP;
    EXECUTE 'SELECT string_agg(k || ''='' || hits, '', '' ORDER BY k) FROM types.t' INTO result;
    DROP TABLE types.t;
    RETURN array_to_string(results, ', ') || ' | ' || COALESCE(result, '(none)');
END
$$;
\pset format unaligned
SELECT type, pg_temp.count_in(type, amounts)
FROM (VALUES ('smallint', '{1,2,-5,32767,32767,-32768,-32768,40000}'::bigint[]),
             ('integer', '{1,2,-5,2147483647,4,-2147483648,-2147483647,9223372036854775807}'),
             ('bigint', '{1,2,-5,9223372036854775807,9223372036854775807,-9223372036854775808,-9223372036854775808}'),
             ('numeric', '{1,-3,9223372036854775807,9223372036854775807,-1}'),
             ('numeric(3)', '{1,-3,999,900,-999}'),
             ('numeric(20,2)', '{1,-3,9223372036854775807,1}'),
             ('missing_symbol.counter', '{1,2,-5,9223372036854775807,9223372036854775807}'),
             ('types.amount', '{1,99,1,-100,-1}'),
             ('types.small', '{1,32767,-3}'),
             ('types.counted', '{1,998,1,-3}'),
             ('integer CHECK (hits > 0)', '{1,-1,-2,5}')) AS v(type, amounts);
-- types that cannot count
SELECT type, pg_temp.count_in(type, '{1}')
FROM (VALUES ('real'), ('double precision'), ('text'), ('money'), ('oid'), ('types.pair'), ('interval')) AS v(type);
\pset format aligned
-- a numeric count that is no bigint is counted; only value() must say it
CREATE TABLE types.num (k int PRIMARY KEY, count numeric);
INSERT INTO types.num VALUES (1, 9223372036854775807), (2, 'NaN'), (3, 0.5), (4, -9223372036854775808.7);
SELECT k, missing_symbol.increment('types.num', k), (missing_symbol.last_increment()).outcome FROM generate_series(1, 5) k;
SELECT k, pg_temp.try(format('SELECT missing_symbol.value(''types.num'', %s)', k)) AS value FROM generate_series(1, 5) k;
TABLE types.num ORDER BY k;

--
-- Columns by name: as jsonb_populate_record reads them, whatever the names of the object before
--
CREATE TABLE types.fields (k int PRIMARY KEY, count bigint, t text, v varchar(3), c char(5), b bool, n numeric, n1 numeric(5, 1),
    i2 smallint, i4 int, i8 bigint, f4 real, f8 float8, d date, tz timestamptz, iv interval, m types.mood, u uuid, x bytea, p point, na name, q "char");
CREATE TABLE types.more (LIKE types.fields, j jsonb, js json, a int[], dom types.positive, r int4range, pair types.pair, PRIMARY KEY (k));
CREATE FUNCTION pg_temp.fields(more bool) RETURNS TABLE (f jsonb) LANGUAGE sql AS $$
    SELECT f::jsonb || jsonb_build_object('k', row_number() OVER ()) FROM (VALUES
        (false, '{"t": "a", "v": "abc", "c": "x", "b": true, "q": "q"}'),
        (false, '{"t": "b", "v": "abd", "c": "y", "b": "off"}'),
        (false, '{"t": 1.50, "v": 12, "c": false, "b": null}'),
        (false, '{"t": null}'),
        (false, '{"n": 1.50, "n1": 1.25, "i2": 7, "i4": "8", "i8": 1e2, "f4": 0.1, "f8": "1e-3"}'),
        (false, '{"n": "NaN", "n1": "3.04", "i2": -7, "i4": -2147483648, "i8": 9223372036854775807, "f4": 1e10, "f8": 12345678901234567890}'),
        (false, '{"d": "2026-01-02", "tz": "2026-01-02 03:04:05+00", "iv": "1 day", "m": "happy", "u": "00000000-0000-0000-0000-000000000001"}'),
        (false, '{"x": "\\x00ff", "p": "(1,2)", "na": "a name", "t": "\u00e9\n"}'),
        (false, '{"d": "2026-01-02", "tz": "2026-01-02 03:04:05+00", "iv": "1 day", "m": "sad", "v": ""}'),
        (false, '{"d": "2026-01-03"}'), (false, '{"d": "2026-01-03"}'), (false, '{"d": "02026-1-3"}'), (false, '{"d": "2026/01/04"}'), (false, '{"d": "2026-01-02"}'),
        (true, '{"j": {"a": [1]}, "js": [1, "x"], "t": {"b": null}, "v": [1]}'),
        (true, '{"j": "text", "js": "text", "a": [1, 2], "dom": 3, "r": "[1,3)", "pair": {"a": 1, "b": "x"}}'),
        (true, '{"a": "{3,4}", "pair": "(2,y)", "t": "c", "j": null, "js": 1.0}')) v(more, f)
    WHERE NOT v.more OR fields.more
$$;
SELECT count(missing_symbol.increment_row('types.fields', f)) FROM pg_temp.fields(false);
SELECT inserted FROM missing_symbol.increment_rows('types.more', (SELECT jsonb_agg(f) FROM pg_temp.fields(true)));
UPDATE types.fields SET count = NULL;
UPDATE types.more SET count = NULL;
SELECT whole::text FROM types.fields whole EXCEPT SELECT jsonb_populate_record(NULL::types.fields, f)::text FROM pg_temp.fields(false);
SELECT whole::text FROM types.more whole EXCEPT SELECT jsonb_populate_record(NULL::types.more, f)::text FROM pg_temp.fields(true);
SELECT f, pg_temp.try(format('SELECT missing_symbol.increment_row(''types.fields'', %L)', f::jsonb || '{"k": 0}')) AS error
FROM (VALUES ('{"i4": 1.5}'), ('{"i2": 40000}'), ('{"v": "long"}'), ('{"m": "glad"}'), ('{"b": 1}'), ('{"n1": 12345}'), ('{"t": 1, "d": 0}'), ('{"d": [1]}'), ('{"d": "2026-02-30"}'), ('{"d": "2026-02-30"}'),
      ('{"k2": 1}'), ('{"' || repeat('k', 64) || '": 1}'), ('{"": 1}')) v(f);

SET client_min_messages = warning;
DROP SCHEMA types CASCADE;
