--
-- Several counters in a row: counts, latest, greatest, least and fill of
-- configure(), now, in batches, at the commit, spilled and buffered
--
\pset null '(null)'
\set SHOW_CONTEXT never
SET client_min_messages = error;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET lc_monetary = 'C';
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SET missing_symbol.worker = off;
CREATE FUNCTION pg_temp.told(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement INTO answer;
    RETURN COALESCE(answer, '(null)');
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || SQLERRM, NULLIF(detail, ''), NULLIF(hint, ''));
END
$$;
CREATE SCHEMA counts;
CREATE TABLE counts.daily (
    user_id int,
    model text,
    requests bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL,
    spend double precision NOT NULL DEFAULT 0,
    ip inet,
    max_ms int,
    min_ms int,
    referrer text,
    note text DEFAULT 'none',
    first_seen timestamptz,
    last_seen timestamptz,
    PRIMARY KEY (user_id, model)
) WITH (fillfactor = 50);

--
-- Settings
--
SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests", "tokens", "spend"], "latest": ["ip"], "greatest": ["max_ms"], "least": ["min_ms"], "fill": ["referrer"]}');
SELECT count, first_seen, last_seen, fill, settings, warnings FROM missing_symbol.describe('counts.daily');
\pset format unaligned
SELECT settings, pg_temp.told(format('SELECT missing_symbol.configure(''counts.daily'', %L)', settings))
FROM unnest(ARRAY['{"counts": ["none"]}', '{"counts": "requests"}', '{"counts": ["ip"]}', '{"counts": ["requests", "ip"]}',
                  '{"counts": ["requests", "requests"]}', '{"counts": ["requests", "user_id"]}', '{"greatest": ["tokens"]}',
                  '{"latest": ["last_seen"]}', '{"least": ["referrer"]}', '{"fill": ["tokens"]}', '{"fill": ["none"]}', '{"fill": [1]}']) AS settings;
CREATE TABLE counts.types (k int PRIMARY KEY, n int, a json, b json, s int GENERATED ALWAYS AS IDENTITY, g int GENERATED ALWAYS AS (1) STORED, took interval);
SELECT settings, pg_temp.told(format('SELECT missing_symbol.configure(''counts.types'', %L)', settings))
FROM unnest(ARRAY['{"counts": ["took"]}', '{"counts": ["n", "s"]}', '{"counts": ["n", "g"]}', '{"greatest": ["a"]}', '{"latest": ["a"]}',
                  '{"counts": ["n", "took"], "latest": null}']) AS settings;
SELECT pg_temp.told($$SELECT missing_symbol.track('counts.types', count => 'took')$$);
SELECT pg_temp.told($$SELECT missing_symbol.track('counts.types', count => 'n')$$), pg_temp.told($$SELECT missing_symbol.configure('counts.types', '{"counts": ["k"]}')$$);
SELECT pg_temp.told($$SELECT missing_symbol.track('counts.types', count => '')$$);
\pset format aligned
DROP TABLE counts.types;
-- fill is that of track()
SELECT missing_symbol.track('counts.daily', fill => '{note}');
SELECT fill FROM missing_symbol.describe('counts.daily');
SELECT missing_symbol.configure('counts.daily', '{"fill": null}');
SELECT fill FROM missing_symbol.describe('counts.daily');
SELECT missing_symbol.configure('counts.daily', '{"fill": ["referrer"]}');
-- a default is compared, too
ALTER TABLE counts.daily ALTER min_ms SET DEFAULT 0;
SELECT warnings FROM missing_symbol.describe('counts.daily');
SET client_min_messages = warning;
SELECT missing_symbol.configure('counts.daily', '{}');
SET client_min_messages = error;
ALTER TABLE counts.daily ALTER min_ms DROP DEFAULT;

--
-- Now
--
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "requests": 1, "tokens": 120, "spend": 0.25, "ip": "::1", "max_ms": 320, "min_ms": 20}');
SELECT * FROM missing_symbol.last_increment();
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "requests": 2, "tokens": 80, "spend": 0.125, "ip": "10.0.0.1", "max_ms": 100, "min_ms": 10, "referrer": "a", "note": "new"}');
SELECT * FROM missing_symbol.last_increment();
-- a null is not given; without requests it is "by"
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "tokens": null, "spend": 0.5, "ip": null, "max_ms": null, "referrer": "b"}');
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "tokens": -5}', 10);
SELECT missing_symbol.increment('counts.daily', 7, 'm'), missing_symbol.increment_by('counts.daily', 5, 7, 'm'), missing_symbol.increment_amount('counts.daily', 2, 7, 'm');
SELECT counts FROM missing_symbol.last_increment();
TABLE counts.daily;
SELECT missing_symbol.increment('counts.daily', 8, 'm'), missing_symbol.value('counts.daily', 8, 'm');
SELECT counts FROM missing_symbol.last_increment();
-- nothing is counted by what is all 0
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 9, "model": "m", "requests": 0, "tokens": 0, "spend": 0.0, "ip": "::2"}'), outcome, counts
FROM missing_symbol.last_increment();
SELECT outcome, counts FROM missing_symbol.last_increment();
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 9, "model": "m", "requests": 0, "tokens": 0, "spend": 0.5}');
SELECT counts FROM missing_symbol.last_increment();
SELECT * FROM counts.daily ORDER BY user_id;
-- refused
\pset format unaligned
SELECT pg_temp.told($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "requests": 2}', 2)$$);
SELECT pg_temp.told($$SELECT missing_symbol.increment_amount('counts.daily', 2, '{"user_id": 7, "model": "m", "requests": 2}'::jsonb)$$);
SELECT pg_temp.told($$SELECT missing_symbol.increment_rows('counts.daily', '[{"user_id": 7, "model": "m", "requests": 2}]', '{1}')$$);
SELECT v, pg_temp.told(format($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "spend": %s}')$$, v))
FROM unnest(ARRAY['"NaN"', '"Infinity"', '"-Infinity"', '1e308']) AS v;
SELECT v, pg_temp.told(format($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "spend": %s}')$$, v))
FROM unnest(ARRAY['1e308', '1e308', '-1e308']) AS v;
SELECT pg_temp.told($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "tokens": 9223372036854775807}')$$),
       pg_temp.told($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "requests": 9223372036854775807}')$$),
       pg_temp.told($$SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 7, "model": "m", "last_seen": "2026-11-21"}')$$);
-- a table with one count takes it as ever
CREATE TABLE counts.one (k int PRIMARY KEY, count int);
SELECT pg_temp.told($$SELECT missing_symbol.increment_row('counts.one', '{"k": 1, "count": 5}')$$);
\pset format aligned
DROP TABLE counts.one;

--
-- Every type, to its bounds
--
CREATE DOMAIN counts.small AS numeric(6,2);
CREATE TABLE counts.every (
    k int PRIMARY KEY, i integer, b bigint, s smallint, n numeric, p numeric(6,2), r real, d double precision, m money, t interval, o counts.small
) WITH (fillfactor = 50);
SELECT missing_symbol.configure('counts.every', '{"counts": ["i", "b", "s", "n", "p", "r", "d", "m", "t", "o"]}');
SELECT missing_symbol.increment_row('counts.every', '{"k": 1, "i": 1, "b": 2, "s": 3, "n": 0.1, "p": 0.25, "r": 0.5, "d": 0.0625, "m": "1.50", "t": "1 mon 1 day 01:00", "o": 0.01}') FROM generate_series(1, 3);
SELECT counts FROM missing_symbol.last_increment();
SELECT missing_symbol.increment('counts.every', 2);
SELECT counts FROM missing_symbol.last_increment();
-- what is null counts from 0
INSERT INTO counts.every (k, i) VALUES (3, NULL);
SELECT missing_symbol.increment_row('counts.every', '{"k": 3, "i": 1, "b": 2, "s": 3, "n": 0.1, "p": 0.25, "r": 0.5, "d": 0.0625, "m": "1.50", "t": "1 mon", "o": 0.01}'), missing_symbol.increment('counts.every', 3);
SELECT * FROM counts.every ORDER BY k;
SELECT field, left(pg_temp.told(format($$SELECT missing_symbol.increment_row('counts.every', '{"k": 1, %s}')$$, field)), 90)
FROM unnest(ARRAY['"i": 2147483645', '"i": 2147483640', '"b": 9223372036854775807', '"s": 32767', '"s": -32768', '"n": "NaN"', '"p": 9999.9', '"p": 10000', '"r": 3e38',
                  '"r": 3.4e38', '"d": "infinity"', '"m": "92233720368547758.07"', '"t": "178956970 years"', '"t": "2147483647 days"', '"o": 9999.99', '"i": "x"']) AS field;
SELECT * FROM counts.every ORDER BY k;
DROP TABLE counts.every;
-- the first can be one of floats, or a numeric, or a counter
CREATE TABLE counts.first (k int PRIMARY KEY, d double precision, r real, n numeric(8,3), c missing_symbol.counter, b bigint);
SELECT missing_symbol.configure('counts.first', '{"counts": ["d", "b"]}');
SELECT missing_symbol.increment_row('counts.first', '{"k": 1, "d": 0.5, "b": 7}'), missing_symbol.increment('counts.first', 1), missing_symbol.increment_amount('counts.first', 0.25, 1),
       missing_symbol.increment_amount('counts.first', 0.25, 1), missing_symbol.increment_by('counts.first', -2, 1);
SELECT missing_symbol.value('counts.first', 1), missing_symbol.increment_amount('counts.first', 0.1, 1), pg_temp.told($$SELECT missing_symbol.value('counts.first', 1)$$);
SELECT pg_temp.told($$SELECT missing_symbol.increment_amount('counts.first', 'NaN', 1)$$), left(pg_temp.told($$SELECT missing_symbol.increment_amount('counts.first', 1e400, 1)$$), 40);
SELECT missing_symbol.configure('counts.first', '{"counts": ["r", "d"]}');
SELECT missing_symbol.increment_row('counts.first', '{"k": 1, "r": 0.1, "d": 1}'), missing_symbol.increment('counts.first', 1), counts FROM missing_symbol.last_increment();
SELECT counts FROM missing_symbol.last_increment();
SELECT missing_symbol.configure('counts.first', '{"counts": ["n", "d"]}');
SELECT missing_symbol.increment_row('counts.first', '{"k": 1, "n": 0.125, "d": 1}'), missing_symbol.increment('counts.first', 1);
SELECT counts FROM missing_symbol.last_increment();
SELECT missing_symbol.configure('counts.first', '{"counts": ["c", "d"], "latest": ["b"]}');
SELECT missing_symbol.increment_row('counts.first', '{"k": 1, "d": 1, "b": 3}', 4), pg_temp.told($$SELECT missing_symbol.increment_row('counts.first', '{"k": 1, "c": 1}')$$);
SELECT counts FROM missing_symbol.last_increment();
TABLE counts.first;
DROP TABLE counts.first;

--
-- The same as a plain upsert of five columns, one by one, in batches, and
-- whenever it comes to the row
--
CREATE TABLE counts.input AS
SELECT i, i * 7919 % 13 AS k, 1 + i % 3 AS requests, i * 31 % 100 AS tokens, (i * 17 % 2048 - 512) / 1024.0 AS spend,
       CASE WHEN i % 3 > 0 THEN ('10.0.0.' || i % 200)::inet END AS ip, CASE WHEN i % 4 > 0 THEN i * 101 % 997 END AS max_ms, CASE WHEN i % 5 > 0 THEN i * 103 % 991 END AS min_ms,
       CASE WHEN i % 7 = 0 THEN 'r' || i END AS referrer
FROM generate_series(1, 2000) AS i;
CREATE TABLE counts.native (k int PRIMARY KEY, requests bigint NOT NULL, tokens int NOT NULL, spend double precision NOT NULL, ip inet, max_ms int, min_ms int, referrer text);
INSERT INTO counts.native AS n SELECT k, requests, tokens, spend, ip, max_ms, min_ms, referrer FROM counts.input WHERE false;
CREATE PROCEDURE counts.count_native()
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM counts.input ORDER BY i LOOP
        INSERT INTO counts.native AS n VALUES (r.k, r.requests, r.tokens, r.spend, r.ip, r.max_ms, r.min_ms, r.referrer)
        ON CONFLICT (k) DO UPDATE SET requests = n.requests + excluded.requests, tokens = n.tokens + excluded.tokens, spend = n.spend + excluded.spend,
            ip = COALESCE(excluded.ip, n.ip), max_ms = GREATEST(n.max_ms, excluded.max_ms), min_ms = LEAST(n.min_ms, excluded.min_ms), referrer = COALESCE(n.referrer, excluded.referrer);
    END LOOP;
END
$$;
CALL counts.count_native();
CREATE TABLE counts.counted (LIKE counts.native INCLUDING ALL, last_seen timestamptz) WITH (fillfactor = 50);
SELECT missing_symbol.configure('counts.counted', '{"counts": ["requests", "tokens", "spend"], "latest": ["ip"], "greatest": ["max_ms"], "least": ["min_ms"], "fill": ["referrer"]}');
CREATE FUNCTION counts.fields(counts.input) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb($1) - ''i''';
CREATE FUNCTION counts.differences(target text DEFAULT 'counts.counted') RETURNS TABLE (native text, counted text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT n::text, c::text FROM counts.native AS n FULL JOIN (SELECT k, requests, tokens, spend, ip, max_ms, min_ms, referrer FROM %s) AS c USING (k)
        WHERE n::text IS DISTINCT FROM c::text', target);
END
$$;
SELECT count(missing_symbol.increment_row('counts.counted', counts.fields(input))) FROM (SELECT * FROM counts.input ORDER BY i) AS input;
SELECT * FROM counts.differences();
-- batches of 100
TRUNCATE counts.counted;
SELECT sum(b.inserted) AS inserted, sum(b.incremented) AS incremented
FROM (SELECT jsonb_agg(counts.fields(input) ORDER BY i) AS rows FROM counts.input GROUP BY i / 100 ORDER BY i / 100) AS batches, missing_symbol.increment_rows('counts.counted', rows) AS b;
SELECT * FROM counts.differences();
-- all at once
TRUNCATE counts.counted;
SELECT * FROM missing_symbol.increment_rows('counts.counted', (SELECT jsonb_agg(counts.fields(input) ORDER BY i) FROM counts.input));
SELECT * FROM counts.differences();
-- at the commit, with savepoints; the rows that others see come after it
CREATE PROCEDURE counts.count_in_blocks(every int)
LANGUAGE plpgsql AS $$
DECLARE
    r counts.input;
    n int := 0;
BEGIN
    FOR r IN SELECT * FROM counts.input ORDER BY i LOOP
        n := n + 1;
        PERFORM set_config('missing_symbol.test_clock', ('2026-11-21 03:00:00+00'::timestamptz + n * interval '1 second')::text, false);
        BEGIN
            PERFORM missing_symbol.increment_row('counts.counted', counts.fields(r));
            IF n % 2 = 0 THEN
                RAISE EXCEPTION 'undone';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            PERFORM missing_symbol.increment_row('counts.counted', counts.fields(r));
        END;
        IF n % every = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;
TRUNCATE counts.counted;
SELECT missing_symbol.track('counts.counted', apply => 'commit');
CALL counts.count_in_blocks(300);
SELECT * FROM counts.differences();
TRUNCATE counts.counted;
BEGIN;
SELECT count(missing_symbol.increment_row('counts.counted', counts.fields(input))) FROM (SELECT * FROM counts.input ORDER BY i) AS input;
SELECT count(*) FROM counts.counted;
SELECT * FROM counts.differences('missing_symbol.total(NULL::counts.counted)');
SELECT (SELECT sum(missing_symbol.value('counts.counted', k)) FROM counts.native) = (SELECT sum(requests) FROM counts.native) AS same;
SAVEPOINT s;
SELECT missing_symbol.increment_row('counts.counted', '{"k": 1, "requests": 100, "tokens": 100, "spend": 100, "max_ms": 100000, "min_ms": -1, "ip": "::5"}');
ROLLBACK TO s;
COMMIT;
SELECT * FROM counts.differences();
-- buffered
TRUNCATE counts.counted;
SELECT missing_symbol.track('counts.counted', apply => 'buffer');
CALL counts.count_in_blocks(10);
SELECT count(*) FROM counts.counted;
SELECT count(*) > 100 AS buffered FROM missing_symbol.buffered;
SELECT * FROM counts.differences('missing_symbol.total(NULL::counts.counted)');
SELECT (SELECT sum(missing_symbol.value('counts.counted', k)) FROM counts.native) = (SELECT sum(requests) FROM counts.native) AS same;
SELECT missing_symbol.fold('counts.counted') > 100 AS folded;
SELECT * FROM counts.differences();
-- 100,000 rows in one call
SELECT missing_symbol.track('counts.counted', apply => 'now');
TRUNCATE counts.counted;
SELECT * FROM missing_symbol.increment_rows('counts.counted',
    (SELECT jsonb_agg(jsonb_build_object('k', i % 90000, 'requests', 1, 'tokens', i % 7, 'spend', 0.25, 'max_ms', i)) FROM generate_series(1, 100000) i));
SELECT sum(requests), sum(tokens), sum(spend), sum(max_ms) FROM counts.counted;
SELECT 100000, sum(i % 7), 25000, sum(i) FILTER (WHERE i > 10000) FROM generate_series(1, 100000) i;

--
-- What is set aside
--
TRUNCATE counts.daily;
SET missing_symbol.test_clock = '2026-11-22 01:00:00+00';
SELECT missing_symbol.track('counts.daily', apply => 'buffer');
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "requests": 3, "tokens": 10, "spend": 0.5, "ip": "::1", "max_ms": 5, "note": "first"}');
SET missing_symbol.test_clock = '2026-11-22 02:00:00+00';
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "requests": 0, "tokens": 10, "spend": 0.25, "ip": "::2", "max_ms": 4, "note": "second"}');
SELECT missing_symbol.increment('counts.daily', 1, 'm');
SELECT delta, fields->''->2 AS merged, fields - '' AS others FROM missing_symbol.buffered ORDER BY 2;
SELECT * FROM missing_symbol.total(NULL::counts.daily);
-- a column is the same one under another name, as its setting has it
ALTER TABLE counts.daily RENAME spend TO spent;
SELECT pg_temp.told($$SELECT missing_symbol.fold('counts.daily')$$);
SELECT pg_temp.told($$SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests", "spent"]}')$$);
-- the first count's amounts would be another's
SELECT pg_temp.told($$SELECT missing_symbol.configure('counts.daily', '{"counts": ["tokens", "requests", "spent"]}')$$);
SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests", "tokens", "spent"]}');
SELECT user_id, requests, tokens, spent, ip, max_ms, note FROM missing_symbol.total(NULL::counts.daily);
SELECT pg_temp.told($$SELECT missing_symbol.untrack('counts.daily')$$);
CREATE TABLE counts.told (k int PRIMARY KEY, count bigint, sum bigint);
SELECT missing_symbol.track('counts.told', apply => 'buffer'), missing_symbol.increment('counts.told', 1);
SELECT pg_temp.told($$SELECT missing_symbol.configure('counts.told', '{"counts": ["sum", "count"]}')$$);
SELECT missing_symbol.fold('counts.told');
SELECT missing_symbol.configure('counts.told', '{"counts": ["sum", "count"]}');
TABLE counts.told;
-- a detail of before is no amount
ALTER TABLE counts.daily ADD extra int;
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "extra": 1000}');
SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests", "tokens", "spent", "extra"]}');
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "extra": 1}');
SELECT missing_symbol.fold('counts.daily');
SELECT user_id, requests, tokens, spent, ip, max_ms, note, extra, last_seen FROM counts.daily;
-- what was counted before the row's last_seen is not the latest
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "ip": "::9"}');
UPDATE counts.daily SET last_seen = '2026-11-22 03:00:00+00';
SELECT ip FROM missing_symbol.total(NULL::counts.daily);
SELECT missing_symbol.fold('counts.daily');
SELECT ip, last_seen FROM counts.daily;
UPDATE counts.daily SET ip = NULL;
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "ip": "::10"}');
SELECT missing_symbol.fold('counts.daily');
SELECT ip, last_seen FROM counts.daily;
-- a column that is dropped takes its amounts along; a type of fewer values is an error
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "requests": 1, "tokens": 3000000000, "extra": 5}');
ALTER TABLE counts.daily DROP extra;
SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests", "tokens", "spent"]}');
ALTER TABLE counts.daily ALTER tokens TYPE int;
SELECT missing_symbol.fold('counts.daily');
SELECT delta, error FROM missing_symbol.spilled;
ALTER TABLE counts.daily ALTER tokens TYPE bigint;
SELECT missing_symbol.fold('counts.daily');
SELECT requests, tokens FROM counts.daily;
-- where a column has come to have fewer decimals, sums are rounded, not amounts
CREATE TABLE counts.scaled (k int PRIMARY KEY, count bigint NOT NULL, spend numeric(12,4)) WITH (fillfactor = 70);
SELECT missing_symbol.configure('counts.scaled', '{"counts": ["count", "spend"]}');
SELECT missing_symbol.track('counts.scaled', apply => 'buffer');
SELECT missing_symbol.increment_row('counts.scaled', '{"k": 1, "spend": 0.0049}');
SELECT missing_symbol.increment_row('counts.scaled', '{"k": 1, "spend": 0.0049}');
ALTER TABLE counts.scaled ALTER spend TYPE numeric(12,2);
SELECT missing_symbol.fold('counts.scaled');
TABLE counts.scaled;
-- and so does one in this transaction
BEGIN;
SELECT missing_symbol.track('counts.daily', apply => 'commit');
SELECT missing_symbol.increment_row('counts.daily', '{"user_id": 1, "model": "m", "tokens": 1}');
SAVEPOINT s;
SELECT missing_symbol.configure('counts.daily', '{"counts": ["requests"]}');
ROLLBACK TO s;
SELECT missing_symbol.configure('counts.daily', '{"counts": ["spent", "tokens", "requests"]}');
ROLLBACK TO s;
ALTER TABLE counts.daily ALTER tokens TYPE numeric;
COMMIT;
SELECT missing_symbol.discard('counts.daily', 1, 'm');
-- latest needs a time, where increments wait
CREATE TABLE counts.untimed (k int PRIMARY KEY, count int, ip inet, seen timestamp);
SELECT missing_symbol.configure('counts.untimed', '{"latest": ["ip"]}');
\pset format unaligned
SELECT setting, pg_temp.told('SELECT missing_symbol.track(''counts.untimed'', ' || setting || ')')
FROM unnest(ARRAY['apply => ''commit''', 'apply => ''buffer''', 'spill => true', 'last_seen => ''seen''', 'spill => true']) AS setting;
\pset format aligned
SET missing_symbol.apply = 'commit';
SELECT missing_symbol.increment_row('counts.untimed', '{"k": 1, "ip": "::1"}'), missing_symbol.increment_row('counts.untimed', '{"k": 1, "ip": "::2"}');
TABLE counts.untimed;
RESET missing_symbol.apply;

--
-- Amounts with a fraction wait, too
--
CREATE TABLE counts.spend (k text PRIMARY KEY, count numeric(10,3));
SELECT missing_symbol.track('counts.spend', apply => 'buffer');
SELECT missing_symbol.increment_amount('counts.spend', 0.125, 'a'), missing_symbol.increment('counts.spend', 'a'), missing_symbol.increment_amount('counts.spend', 0.5, 'a');
SELECT missing_symbol.increment_amount('counts.spend', 0.375, 'a'), missing_symbol.increment_amount('counts.spend', 1e6, 'b');
SELECT missing_symbol.value('counts.spend', 'a'), missing_symbol.value('counts.spend', 'b');
BEGIN;
SELECT missing_symbol.increment_amount('counts.spend', 0.5, 'a');
SELECT pg_temp.told($$SELECT missing_symbol.value('counts.spend', 'a')$$);
SELECT * FROM missing_symbol.total(NULL::counts.spend) ORDER BY k;
ROLLBACK;
-- of a count that has become one of whole numbers
ALTER TABLE counts.spend ALTER count TYPE bigint;
SELECT pg_temp.told($$SELECT missing_symbol.fold('counts.spend')$$);
ALTER TABLE counts.spend ALTER count TYPE numeric(10,3);
SELECT missing_symbol.fold('counts.spend');
SELECT * FROM counts.spend ORDER BY k;

--
-- Other tables: partitions, domains, generated columns, triggers, no rows made
--
CREATE DOMAIN counts.amount AS double precision CHECK (value < 1000);
CREATE TABLE counts.parted (k int PRIMARY KEY, requests int, spend counts.amount, max_ms text COLLATE "C", last_seen timestamptz) PARTITION BY HASH (k);
CREATE TABLE counts.parted_0 PARTITION OF counts.parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE counts.parted_1 PARTITION OF counts.parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT missing_symbol.configure('counts.parted', '{"counts": ["requests", "spend"], "greatest": ["max_ms"]}');
SELECT reason FROM missing_symbol.describe('counts.parted');
SELECT missing_symbol.increment_row('counts.parted', jsonb_build_object('k', k, 'requests', k, 'spend', 0.5, 'max_ms', m)) FROM generate_series(1, 3) AS k, unnest(ARRAY['B', 'a', 'C']) AS m ORDER BY k, m COLLATE "C";
SELECT * FROM counts.parted ORDER BY k;
SELECT left(pg_temp.told($$SELECT missing_symbol.increment_row('counts.parted', '{"k": 1, "spend": 998.5}')$$), 80);
-- of a domain are the sums, not what is added
SELECT left(pg_temp.told($$SELECT missing_symbol.increment_rows('counts.parted', '[{"k": 4, "spend": 600}, {"k": 4, "spend": 600}]')$$), 80);
CREATE DOMAIN counts.left_over AS int CHECK (value >= 0);
CREATE TABLE counts.stock (k int PRIMARY KEY, count int, boxes counts.left_over);
SELECT missing_symbol.configure('counts.stock', '{"counts": ["count", "boxes"]}'), missing_symbol.track('counts.stock', apply => 'buffer');
SELECT missing_symbol.increment_row('counts.stock', '{"k": 1, "boxes": 5}');
SELECT missing_symbol.increment_by('counts.stock', -1, 1);
SELECT missing_symbol.fold('counts.stock');
TABLE counts.stock;
-- a partition whose columns have other numbers
CREATE TABLE counts.months (day date, k int, requests int, spend double precision, min_ms int, ip text, last_seen timestamptz, PRIMARY KEY (k, day)) PARTITION BY RANGE (day);
CREATE TABLE counts.november (ip text, gone int, min_ms int, last_seen timestamptz, spend double precision, requests int, k int NOT NULL, day date NOT NULL);
ALTER TABLE counts.november DROP gone;
ALTER TABLE counts.months ATTACH PARTITION counts.november FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
SELECT missing_symbol.configure('counts.months', '{"counts": ["requests", "spend"], "least": ["min_ms"], "latest": ["ip"]}');
SELECT missing_symbol.increment_row('counts.months', '{"k": 1, "day": "2026-11-29", "requests": 2, "spend": 0.5, "min_ms": 7, "ip": "a"}'),
       missing_symbol.increment_row('counts.months', '{"k": 1, "day": "2026-11-29", "spend": 0.25, "min_ms": 9, "ip": "b"}'), missing_symbol.increment('counts.months', 1, '2026-11-29');
SELECT counts FROM missing_symbol.last_increment();
SELECT missing_symbol.track('counts.months', apply => 'buffer');
SELECT missing_symbol.increment_row('counts.months', '{"k": 1, "day": "2026-11-29", "spend": 0.25, "min_ms": 3, "ip": "c"}'), missing_symbol.increment_row('counts.months', '{"k": 2, "day": "2026-11-29", "spend": 1, "ip": "d"}');
SELECT k, day, requests, spend, min_ms, ip FROM missing_symbol.total(NULL::counts.months) ORDER BY k;
SELECT missing_symbol.fold('counts.months');
SELECT k, day, requests, spend, min_ms, ip FROM counts.months ORDER BY k;
CREATE TABLE counts.generated (k int PRIMARY KEY, requests int, tokens int, both_of bigint GENERATED ALWAYS AS (requests + tokens) STORED);
SELECT missing_symbol.configure('counts.generated', '{"counts": ["requests", "tokens"]}');
SELECT missing_symbol.increment_row('counts.generated', '{"k": 1, "requests": 2, "tokens": 3}'), missing_symbol.increment('counts.generated', 1), missing_symbol.increment_row('counts.generated', '{"k": 1, "tokens": 5}');
TABLE counts.generated;
CREATE TABLE counts.likes (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, likes int NOT NULL DEFAULT 0, shares int NOT NULL DEFAULT 0);
INSERT INTO counts.likes DEFAULT VALUES;
SELECT missing_symbol.track('counts.likes', key => '{id}', count => 'likes');
SELECT missing_symbol.configure('counts.likes', '{"counts": ["likes", "shares"], "insert": false}');
SELECT missing_symbol.increment_row('counts.likes', '{"id": 1, "shares": 2}'), missing_symbol.increment_row('counts.likes', '{"id": 2, "shares": 2}');
SELECT outcome, counts FROM missing_symbol.last_increment();
TABLE counts.likes;
-- who may count: a new row has all counts, an old one what is given
CREATE ROLE regress_ms_counts;
GRANT USAGE ON SCHEMA counts TO regress_ms_counts;
GRANT SELECT, INSERT ON counts.untimed TO regress_ms_counts;
GRANT UPDATE (count, seen) ON counts.untimed TO regress_ms_counts;
SET ROLE regress_ms_counts;
SELECT pg_temp.told($$SELECT missing_symbol.increment('counts.untimed', 1)$$), pg_temp.told($$SELECT missing_symbol.increment_row('counts.untimed', '{"k": 1, "ip": "::1"}')$$);
RESET ROLE;
-- a throttled one adds nothing
CREATE TABLE counts.rarely (k int PRIMARY KEY, count int, bytes bigint, last_seen timestamptz);
SELECT missing_symbol.track('counts.rarely', throttle => '1 hour'), missing_symbol.configure('counts.rarely', '{"counts": ["count", "bytes"]}');
SELECT missing_symbol.increment_row('counts.rarely', '{"k": 1, "bytes": 5}'), missing_symbol.increment_row('counts.rarely', '{"k": 1, "bytes": 5}'), (missing_symbol.last_increment()).outcome;
SELECT * FROM missing_symbol.increment_rows('counts.rarely', '[{"k": 2, "bytes": 5}, {"k": 2, "bytes": 6}]');
SELECT counts FROM missing_symbol.last_increment();
SELECT * FROM counts.rarely ORDER BY k;
-- nobody's call of what the statements use does harm
SELECT missing_symbol.added(NULL::int, NULL, 'int', -1, 'c', 't'), missing_symbol.added(1::bigint, 2::bigint, 'int2', -1, 'c', 't'), missing_symbol.added(0.5, NULL, 'numeric', -1, 'c', 't');
SELECT pg_temp.told(format('SELECT missing_symbol.added(%s)', arguments))
FROM unnest(ARRAY[$$'a'::text, 'b', 'text', -1, 'c', 't'$$, $$1, 1, 'bigint', -1, 'c', 't'$$, $$1, 1, NULL, -1, 'c', 't'$$, $$1::bigint, 1::bigint, 'int4', -1, 'c', NULL$$,
                  $$2147483647::bigint, 1::bigint, 'int4', NULL, 'c', 't'$$, $$2147483647::bigint, 1::bigint, 'int4', -1, 'c', 't'$$, $$1, 1, 4294967295::oid, -1, 'c', 't'$$]) AS arguments;
-- what last_increment() tells is there when the row is not, with what it had out of line
CREATE TABLE counts.wide (k int PRIMARY KEY, n int, wide numeric);
ALTER TABLE counts.wide ALTER wide SET STORAGE EXTERNAL;
SELECT missing_symbol.configure('counts.wide', '{"counts": ["n", "wide"]}');
INSERT INTO counts.wide VALUES (1, 0, repeat('7', 20000)::numeric);
SELECT missing_symbol.increment('counts.wide', 1);
TRUNCATE counts.wide;
SELECT counts->>'n' AS n, length(counts->>'wide') FROM missing_symbol.last_increment();
-- code that compares values, and counts the same while those that wait are merged
CREATE TYPE counts.ver AS (n int);
CREATE FUNCTION counts.ver_cmp(counts.ver, counts.ver) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('counts.nested', true) = 'on' THEN
        PERFORM set_config('counts.nested', 'off', true);
        PERFORM missing_symbol.increment_row('counts.vers', '{"k": 1, "tokens": 1000, "v": {"n": 1}}') FROM generate_series(1, 20);
        PERFORM missing_symbol.increment_row('counts.vers', '{"k": 2, "tokens": 1000}');
    END IF;
    RETURN pg_catalog.btint4cmp($1.n, $2.n);
END
$$;
CREATE FUNCTION counts.ver_lt(counts.ver, counts.ver) RETURNS bool LANGUAGE sql AS 'SELECT $1.n < $2.n';
CREATE FUNCTION counts.ver_eq(counts.ver, counts.ver) RETURNS bool LANGUAGE sql AS 'SELECT $1.n = $2.n';
CREATE OPERATOR counts.<# (FUNCTION = counts.ver_lt, LEFTARG = counts.ver, RIGHTARG = counts.ver);
CREATE OPERATOR counts.=# (FUNCTION = counts.ver_eq, LEFTARG = counts.ver, RIGHTARG = counts.ver);
CREATE OPERATOR CLASS counts.ver_ops DEFAULT FOR TYPE counts.ver USING btree AS OPERATOR 1 counts.<#, OPERATOR 3 counts.=#, FUNCTION 1 counts.ver_cmp(counts.ver, counts.ver);
CREATE TABLE counts.vers (k int PRIMARY KEY, n int DEFAULT 0, tokens int DEFAULT 0, v counts.ver);
SELECT missing_symbol.configure('counts.vers', '{"counts": ["n", "tokens"], "greatest": ["v"]}');
SELECT missing_symbol.track('counts.vers', apply => 'commit');
BEGIN;
SELECT count(missing_symbol.increment_row('counts.vers', jsonb_build_object('k', 1, 'tokens', i, 'v', jsonb_build_object('n', i)))) FROM generate_series(1, 9) i;
SET LOCAL counts.nested = on;
SELECT missing_symbol.increment_row('counts.vers', '{"k": 1, "tokens": 10, "v": {"n": 5}}');
COMMIT;
SELECT * FROM counts.vers ORDER BY k;
BEGIN;
SELECT count(missing_symbol.increment_row('counts.vers', jsonb_build_object('k', 1, 'tokens', i, 'v', jsonb_build_object('n', i)))) FROM generate_series(1, 5) i;
SAVEPOINT s;
SELECT count(missing_symbol.increment_row('counts.vers', jsonb_build_object('k', 1, 'tokens', i, 'v', jsonb_build_object('n', i)))) FROM generate_series(1, 5) i;
SET LOCAL counts.nested = on;
SELECT k, n, tokens, v FROM missing_symbol.total(NULL::counts.vers) ORDER BY k;
COMMIT;
SELECT * FROM counts.vers ORDER BY k;
DROP OWNED BY regress_ms_counts;
DROP ROLE regress_ms_counts;
SET client_min_messages = warning;
DROP SCHEMA counts CASCADE;
