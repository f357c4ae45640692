--
-- reset(), set_count(), reset_all(): a count is read and begins again
--
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.test_clock = '2026-07-01 12:00:00+00';
SET client_min_messages = error;
SET missing_symbol.worker = off;
\set SHOW_CONTEXT never
\pset null '(null)'
\i `echo "$PG_ABS_SRCDIR/sql/include/try_hint.sql"`
CREATE SCHEMA reset;
SET search_path = reset;

CREATE TABLE usage (tenant text, what text, count bigint NOT NULL, spend numeric, created_at timestamptz, modified_at timestamptz, note text, PRIMARY KEY (tenant, what));
SELECT missing_symbol.configure('usage', '{"counts": ["count", "spend"]}');
-- nothing was counted
SELECT missing_symbol.reset('usage', 'a', 'api');
SELECT missing_symbol.increment_row('usage', '{"tenant": "a", "what": "api", "spend": 0.5, "note": "stays"}', 7);
SET missing_symbol.test_clock = '2026-07-01 13:00:00+00';
SELECT missing_symbol.reset('usage', 'a', 'api'::text), missing_symbol.reset('usage', 'a', 'api');
SELECT * FROM usage;
-- with what is set aside, and what this transaction has deferred, in whatever mode
SELECT missing_symbol.track('usage', apply => 'buffer');
SELECT missing_symbol.increment_by('usage', 3, 'a', 'api'), missing_symbol.increment_by('usage', 5, 'b', 'api');
SELECT missing_symbol.increment_row('usage', '{"tenant": "a", "what": "api", "spend": 0.25}', 2);
SELECT missing_symbol.reset('usage', 'a', 'api'), missing_symbol.reset_row('usage', '{"tenant": "b", "what": "api"}');
SELECT missing_symbol.value('usage', 'a', 'api'), missing_symbol.value('usage', 'b', 'api');
SELECT count(*) FROM missing_symbol.buffered;
SELECT missing_symbol.track('usage', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment_by('usage', 4, 'a', 'api');
SAVEPOINT s;
SELECT missing_symbol.increment_by('usage', 1, 'a', 'api'), missing_symbol.reset('usage', 'a', 'api'), missing_symbol.value('usage', 'a', 'api');
ROLLBACK TO s;
SELECT missing_symbol.value('usage', 'a', 'api');
SELECT missing_symbol.reset('usage', 'a', 'api'), missing_symbol.increment('usage', 'a', 'api');
COMMIT;
SELECT tenant, count, note FROM usage ORDER BY tenant;
-- bill and start again, or neither
SELECT missing_symbol.track('usage', apply => '');
CREATE TABLE bills (tenant text, n bigint);
BEGIN;
INSERT INTO bills SELECT 'a', missing_symbol.reset('usage', 'a', 'api');
ROLLBACK;
SELECT count, (SELECT count(*) FROM bills) FROM usage WHERE tenant = 'a';
INSERT INTO bills SELECT 'a', missing_symbol.reset('usage', 'a', 'api');
SELECT count, bills.n FROM usage, bills WHERE usage.tenant = 'a';

-- a count that is set, of a row that is there or not; its times stay
SELECT missing_symbol.set_count('usage', 10, 'a', 'api'), missing_symbol.set_count('usage', 11, 'a', 'api'::text), missing_symbol.set_count('usage', 3, 'c', 'api'),
       missing_symbol.set_count_row('usage', '{"tenant": "d", "what": "api", "note": "new"}', 0), missing_symbol.set_count('usage', -4, 'c', 'api');
SET missing_symbol.test_clock = '2026-07-01 14:00:00+00';
SELECT missing_symbol.set_count('usage', 12, 'a', 'api');
SELECT * FROM usage ORDER BY tenant;
SELECT missing_symbol.configure('usage', '{"insert": false}');
SELECT missing_symbol.set_count('usage', 12, 'a', 'api'), pg_temp.try($$SELECT missing_symbol.set_count('usage', 12, 'z', 'api')$$);
SELECT missing_symbol.untrack('usage');

-- a throttle and a window are over
CREATE TABLE throttled (k int PRIMARY KEY, c missing_symbol.counter);
SELECT missing_symbol.track('throttled', throttle => '1 hour');
SELECT missing_symbol.increment('throttled', 1), missing_symbol.increment('throttled', 1), missing_symbol.reset('throttled', 1), missing_symbol.increment('throttled', 1),
       missing_symbol.increment('throttled', 1), missing_symbol.set_count('throttled', 5, 1), missing_symbol.increment('throttled', 1);
SELECT * FROM throttled;
CREATE TABLE windows (k int PRIMARY KEY, count int, w timestamptz, b timestamptz);
SELECT missing_symbol.configure('windows', '{"at_most": 2, "per": "1 hour", "window": "w", "bucket": "b", "aligned": true}');
SET missing_symbol.test_clock = '2026-08-01 14:20:00+00';
SELECT missing_symbol.increment_by('windows', 2, 1), missing_symbol.allow_rate('windows', 1, '1 day', 1, 2);
-- a clock that once ran ahead keeps it shut; this is the cure
SET missing_symbol.test_clock = '2026-07-01 14:20:00+00';
SELECT missing_symbol.increment('windows', 1), missing_symbol.allow_rate('windows', 1, '1 day', 1, 2);
SELECT missing_symbol.reset('windows', 1), missing_symbol.reset('windows', 2);
SELECT * FROM windows;
SELECT missing_symbol.increment('windows', 1), missing_symbol.allow_rate('windows', 1, '1 day', 1, 2), missing_symbol.allow_rate('windows', 1, '1 day', 1, 2);
-- what it is set to no bound asks; what is counted then is in its window
SELECT missing_symbol.set_count('windows', 9, 1), missing_symbol.increment('windows', 1), missing_symbol.set_count('windows', 1, 3), missing_symbol.increment('windows', 3), missing_symbol.increment('windows', 3);
SELECT * FROM windows ORDER BY k;

-- whole tables
CREATE TABLE days (k text, day date, count real, c2 int, created_at timestamp, PRIMARY KEY (k, day)) PARTITION BY LIST (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES IN ('2026-07-01');
CREATE TABLE days_2 (c2 int, k text NOT NULL, created_at timestamp, day date NOT NULL, count real);
ALTER TABLE days ATTACH PARTITION days_2 FOR VALUES IN ('2026-07-02');
SELECT missing_symbol.configure('days', '{"counts": ["count", "c2"]}'), missing_symbol.track('days', apply => 'buffer', first_seen => 'created_at');
SELECT * FROM missing_symbol.increment_rows('days', '[{"k": "a", "day": "2026-07-01", "c2": 1}, {"k": "b", "day": "2026-07-02", "c2": 2}]', '{3,4}');
SELECT missing_symbol.flush();
SELECT missing_symbol.increment_row('days', '{"k": "a", "day": "2026-07-01", "c2": 10}', 10), missing_symbol.increment_row('days', '{"k": "new", "day": "2026-07-02"}', 1);
BEGIN;
SELECT * FROM missing_symbol.reset_all(NULL::days) ORDER BY k;
ROLLBACK;
SET missing_symbol.test_clock = '2026-07-01 15:00:00+00';
SELECT * FROM missing_symbol.reset_all(NULL::days) ORDER BY k;
SELECT * FROM days ORDER BY k;
SELECT count(*) FROM missing_symbol.total(NULL::days) WHERE count > 0;
-- keys on expressions, and rows that are no counters
CREATE TABLE mails (mail text, gone boolean, count int);
CREATE UNIQUE INDEX mails_key ON mails (lower(mail)) WHERE NOT gone;
SELECT missing_symbol.configure('mails', '{"index": "mails_key"}');
INSERT INTO mails VALUES ('A@x', false, 5), ('a@X', true, 7);
SELECT missing_symbol.reset_row('mails', '{"mail": "a@x"}'), missing_symbol.set_count('mails', 4, 'A@X'), missing_symbol.increment_row('mails', '{"mail": "b@x", "gone": false}');
SELECT * FROM missing_symbol.reset_all(NULL::mails) ORDER BY count;
SELECT * FROM mails ORDER BY count, mail;

-- who may, and what keeps a row
CREATE ROLE regress_ms_reset;
GRANT USAGE ON SCHEMA reset TO regress_ms_reset;
GRANT SELECT ON usage, days TO regress_ms_reset;
SET ROLE regress_ms_reset;
\pset format unaligned
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[$$reset('reset.usage', 'a', 'api')$$, $$reset('reset.usage', 'nobody', 'api')$$, $$set_count('reset.usage', 1, 'a', 'api')$$, $$reset_all(NULL::reset.days)$$]) call;
RESET ROLE;
GRANT INSERT, UPDATE ON usage, days TO regress_ms_reset;
ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE days ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON usage USING (tenant = 'a');
SELECT missing_symbol.track('usage', apply => 'buffer');
SELECT missing_symbol.increment_by('usage', 6, 'c', 'api');
SET ROLE regress_ms_reset;
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[$$reset('reset.usage', 'a', 'api')$$, $$reset('reset.usage', 'c', 'api')$$, $$reset('reset.usage', 'd', 'api')$$, $$reset_all(NULL::reset.days)$$]) call;
RESET ROLE;
SELECT missing_symbol.reset('usage', 'c', 'api');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON usage FOR EACH ROW EXECUTE FUNCTION keep();
SELECT missing_symbol.set_count('usage', 1, 'new', 'api');
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[$$reset('usage', 'new', 'api')$$, $$set_count('usage', 2, 'new', 'api')$$, $$reset_all(NULL::usage)$$,
    $$reset('usage', 'a')$$, $$reset('usage', NULL, 'api')$$, $$reset(NULL, 'a', 'api')$$, $$set_count('usage', NULL, 'a', 'api')$$, $$set_count('windows', 3000000000, 1)$$, $$reset_all(1)$$,
    $$reset_row('usage', '{"tenant": "a"}')$$, $$reset_row('usage', '{"tenant": "a", "what": "api", "note": "x"}')$$]) call;
-- a trigger that gives a new row another key, which has one
CREATE TABLE low (k text PRIMARY KEY, count int);
CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := pg_catalog.lower(NEW.k); RETURN NEW; END $$;
CREATE TRIGGER low BEFORE INSERT ON low FOR EACH ROW EXECUTE FUNCTION low();
SELECT missing_symbol.set_count('low', 1, 'A'), substr(pg_temp.try($$SELECT missing_symbol.set_count('low', 7, 'A')$$), 1, 5), missing_symbol.set_count('low', 8, 'a');
TABLE low;
-- what is no bigint, or no value of the column
CREATE TABLE cents (k text PRIMARY KEY, count numeric(6,2));
INSERT INTO cents VALUES ('a', 0.25);
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[$$reset('cents', 'a')$$, $$set_count('cents', 0, 'a')$$, $$set_count('cents', 10000, 'a')$$, $$set_count('cents', 10000, 'b')$$, $$set_count('windows', 3000000000, 77)$$]) call;
SET default_transaction_read_only = on;
SELECT pg_temp.try($$SELECT missing_symbol.reset('usage', 'a', 'api')$$), pg_temp.try($$SELECT missing_symbol.reset_all(NULL::usage)$$);
RESET default_transaction_read_only;
DROP SCHEMA reset CASCADE;
DROP ROLE regress_ms_reset;
