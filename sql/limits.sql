--
-- Limits: bounds, windows, token buckets; what is allowed, and what is left
--
\set last 'SELECT outcome, count, applied, retry_after FROM missing_symbol.last_increment();'
SET TimeZone = 'UTC';
SET missing_symbol.test_clock = '2026-07-01 12:00:00+00';
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset null '(null)'
\i `echo "$PG_ABS_SRCDIR/sql/include/try_hint.sql"`
CREATE SCHEMA limits;
SET search_path = limits;

--
-- Bounds: a change is judged against the one that it moves towards
--
CREATE TABLE stock (sku text PRIMARY KEY, count smallint NOT NULL);
SELECT missing_symbol.configure('stock', '{"at_least": 0, "at_most": 10}');
SELECT missing_symbol.increment_by('stock', 8, 'a');
:last
SELECT missing_symbol.increment_by('stock', 3, 'a');
:last
SELECT missing_symbol.increment_by('stock', -9, 'a');
:last
SELECT missing_symbol.increment_by('stock', -8, 'a');
:last
-- a row that is not there is a count of 0, and none is made
SELECT missing_symbol.increment_by('stock', -1, 'b'), missing_symbol.increment_by('stock', 11, 'b');
:last
SELECT * FROM stock;
-- over the limit one may still lower, and not raise
UPDATE stock SET count = 20;
SELECT missing_symbol.increment_by('stock', -1, 'a'), missing_symbol.increment('stock', 'a');
UPDATE stock SET count = -5;
SELECT missing_symbol.increment_by('stock', 1, 'a'), missing_symbol.increment_by('stock', -1, 'a');
-- what fits; of nothing that is a refusal
SELECT missing_symbol.configure('stock', '{"on_limit": "saturate"}');
SELECT missing_symbol.increment_by('stock', 30000, 'a');
:last
SELECT missing_symbol.increment_by('stock', 1, 'a');
:last
SELECT missing_symbol.increment_by('stock', 70000, 'b');
:last
SELECT missing_symbol.increment_by('stock', -70000, 'b');
:last
-- a key of a batch is one amount; refused ones are throttled here
SELECT * FROM missing_symbol.increment_rows('stock', '[{"sku": "a"}, {"sku": "b"}, {"sku": "c"}, {"sku": "c"}]', '{1,4,7,8}');
SELECT * FROM stock ORDER BY sku;
SELECT missing_symbol.configure('stock', '{"on_limit": null}');
SELECT * FROM missing_symbol.increment_many('stock', '{d,d,e,a,b}'::text[], '{9,2,1,-10,1}');
SELECT * FROM stock ORDER BY sku;
SELECT calls, inserted, incremented, throttled, refused FROM missing_symbol.counter_stats WHERE target = 'stock'::regclass;
-- what is refused leaves no token
SELECT missing_symbol.increment_once_by('stock', 'request-1', -20, 'b'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment_once_by('stock', 'request-1', -1, 'b'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment_once_by('stock', 'request-1', -1, 'b'), (missing_symbol.last_increment()).outcome;
-- of the types that can be counted in
CREATE TABLE kinds (k text PRIMARY KEY, count numeric(6,2), i int, f real, d float8, typed missing_symbol.counter);
SELECT missing_symbol.configure('kinds', '{"counts": ["count", "i", "f", "d"], "at_least": -1.25, "at_most": 2.5}');
SELECT missing_symbol.increment_amount('kinds', 2.25, 'a'), missing_symbol.increment_amount('kinds', 0.26, 'a'),
       missing_symbol.increment_amount('kinds', -3.5, 'a'), missing_symbol.increment_amount('kinds', -0.01, 'a');
:last
SELECT missing_symbol.configure('kinds', '{"limit_on": "f", "on_limit": "saturate", "at_most": 0.3, "at_least": null}');
SELECT missing_symbol.increment_row('kinds', '{"k": "a", "f": 0.1, "i": 1}');
:last
SELECT missing_symbol.increment_row('kinds', '{"k": "a", "f": 0.7, "i": 1}');
:last
SELECT missing_symbol.increment_row('kinds', '{"k": "a", "f": 0.1, "i": 1}');
:last
-- what does not touch the count that is limited is not judged
SELECT missing_symbol.increment_row('kinds', '{"k": "a", "i": 5}');
:last
SELECT missing_symbol.configure('kinds', '{"limit_on": "i", "on_limit": null, "at_most": 8}');
SELECT missing_symbol.increment_row('kinds', '{"k": "a", "i": 2, "d": 1}');
:last
SELECT count, i, f, d FROM kinds;

--
-- Windows
--
CREATE TABLE calls (client text PRIMARY KEY, count bigint, window_start timestamptz NOT NULL, created_at timestamptz, modified_at timestamptz);
\pset format unaligned
SELECT pg_temp.try($$SELECT missing_symbol.configure('calls', '{"per": "1 minute"}')$$);
\pset format aligned
SELECT missing_symbol.configure('calls', '{"per": "1 minute", "window": "window_start", "at_most": 2}');
SELECT missing_symbol.increment('calls', 'x'), missing_symbol.increment('calls', 'x'), missing_symbol.increment('calls', 'x');
:last
SELECT * FROM calls;
SET missing_symbol.test_clock = '2026-07-01 12:00:59.999999+00';
SELECT missing_symbol.increment('calls', 'x');
:last
SET missing_symbol.test_clock = '2026-07-01 12:01:00+00';
SELECT missing_symbol.increment('calls', 'x');
:last
SELECT * FROM calls;
-- a clock that is set back opens no window again
SET missing_symbol.test_clock = '2026-07-01 11:59:00+00';
SELECT missing_symbol.increment('calls', 'x'), missing_symbol.increment('calls', 'x');
:last
SELECT * FROM calls;
-- more than all a window lets: never
SELECT missing_symbol.increment_by('calls', 3, 'x');
:last
-- aligned: at multiples of it in UTC, weeks on Mondays
SELECT missing_symbol.configure('calls', '{"aligned": true}');
SET missing_symbol.test_clock = '2026-07-01 12:02:05+00';
SELECT missing_symbol.increment('calls', 'x'), missing_symbol.increment_by('calls', 2, 'x');
:last
SELECT window_start FROM calls;
SELECT missing_symbol.configure('calls', '{"per": "7 days"}');
DELETE FROM calls;
SELECT missing_symbol.increment('calls', 'x');
SELECT window_start FROM calls;
SET missing_symbol.test_clock = '1999-12-31 12:00:00+00';
SELECT missing_symbol.increment('calls', 'y');
SELECT client, window_start, to_char(window_start, 'FMDay') FROM calls ORDER BY client;
-- a window that never ends, and one that is over as ever
SET missing_symbol.test_clock = '2026-07-01 12:00:00+00';
UPDATE calls SET window_start = 'infinity', count = 2 WHERE client = 'x';
UPDATE calls SET window_start = '-infinity', count = 2 WHERE client = 'y';
SELECT missing_symbol.increment('calls', 'x'), missing_symbol.increment('calls', 'y');
SELECT * FROM missing_symbol.remaining('calls', NULL, 'x');
-- a counter keeps its times as a window begins; other counts go on
CREATE TABLE typed (k int PRIMARY KEY, c missing_symbol.counter, total bigint, w timestamptz);
SELECT missing_symbol.configure('typed', '{"counts": ["c", "total"], "at_most": 1, "per": "1 hour", "window": "w"}');
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": 5}'), missing_symbol.increment_row('typed', '{"k": 1, "total": 5}');
SET missing_symbol.test_clock = '2026-07-01 13:00:00+00';
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": 5}');
SELECT * FROM typed;
-- and so it does where another count is limited
SELECT missing_symbol.configure('typed', '{"limit_on": "total", "at_most": 6}');
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": 1}', 7), missing_symbol.increment_row('typed', '{"k": 1, "total": 1}', 7);
SET missing_symbol.test_clock = '2026-07-01 14:00:00+00';
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": 1}', 7);
:last
SELECT * FROM typed;
-- a window that time does not reach the end of; what a trigger keeps
UPDATE typed SET w = '294276-12-31 23:59:59+00', total = 6;
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": 1}', 7);
:last
SELECT * FROM missing_symbol.remaining('typed', NULL, 1);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON typed FOR EACH ROW EXECUTE FUNCTION keep();
SELECT missing_symbol.increment_row('typed', '{"k": 1, "total": -1}', 7);
:last
SET missing_symbol.test_clock = '2026-07-01 13:00:00+00';
-- of what is let in part: when the rest of it could be, if it ever could
CREATE TABLE pieces (k text PRIMARY KEY, count int, w timestamptz);
SELECT missing_symbol.configure('pieces', '{"at_most": 5, "on_limit": "saturate", "per": "1 hour", "window": "w"}');
SELECT missing_symbol.increment_by('pieces', 8, 'a');
:last
SELECT missing_symbol.increment_by('pieces', 5, 'a');
:last
SELECT missing_symbol.increment_by('pieces', 8, 'a');
:last
SELECT missing_symbol.increment_by('pieces', 11, 'b');
:last
UPDATE pieces SET count = 3 WHERE k = 'b';
SELECT missing_symbol.increment_by('pieces', 7, 'b');
:last
UPDATE pieces SET count = 3 WHERE k = 'b';
SELECT missing_symbol.increment_by('pieces', 8, 'b');
:last

--
-- At the call
--
CREATE TABLE plans (tenant text, what text, count int, w timestamptz, note text, PRIMARY KEY (tenant, what));
SELECT missing_symbol.allow('plans', 2, 'a', 'api'), missing_symbol.allow('plans', 2, 'a', 'api'::text), missing_symbol.allow('plans', 2, 'a', 'api'),
       missing_symbol.allow('plans', 3, 'a', 'api'), missing_symbol.allow('plans', 0, 'b', 'api'), missing_symbol.allow('plans', -1, 'b', 'api');
:last
SELECT missing_symbol.configure('plans', '{"per": "1 day", "window": "w", "at_most": 5, "on_limit": "saturate"}');
-- its limit is the call's, all or nothing
SELECT missing_symbol.allow_by('plans', 4, 8, 'a', 'api'), missing_symbol.allow_by('plans', 5, 8, 'a'::text, 'api'::text), missing_symbol.allow_by('plans', 4, 8, 'a', 'api');
:last
SELECT missing_symbol.allow_row('plans', '{"tenant": "c", "what": "api", "note": "new"}', 3), missing_symbol.allow_row('plans', '{"tenant": "c", "what": "api"}', 3, by => 3);
SELECT * FROM missing_symbol.remaining('plans', 3, 'c', 'api');
SELECT * FROM missing_symbol.remaining('plans', NULL, 'c'::text, 'api'::text);
SELECT * FROM missing_symbol.remaining('plans', 7, 'a', 'api');
SELECT * FROM missing_symbol.remaining_row('plans', '{"tenant": "c", "what": "api"}'), missing_symbol.remaining_row('plans', '{"tenant": "nobody", "what": "api"}', 9) n;
SET missing_symbol.test_clock = '2026-07-02 13:00:00+00';
SELECT * FROM missing_symbol.remaining('plans', 7, 'a', 'api');
SELECT * FROM plans ORDER BY tenant;
-- counts now, whatever the session says
SET missing_symbol.apply = 'commit';
SELECT missing_symbol.allow('plans', 3, 'c', 'api'), missing_symbol.increment('plans', 'c', 'api');
RESET missing_symbol.apply;

--
-- A token bucket: 7 a minute, and 3 at once
--
CREATE TABLE buckets (client text PRIMARY KEY, count bigint, full_at timestamptz);
SELECT missing_symbol.configure('buckets', '{"bucket": "full_at"}');
SELECT missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a'), missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a'::text),
       missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a'), missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a');
:last
SET missing_symbol.test_clock = '2026-07-02 13:00:08.571427+00';
SELECT missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a');
:last
SET missing_symbol.test_clock = '2026-07-02 13:00:08.571428+00';
SELECT missing_symbol.allow_rate('buckets', 7, '1 minute', 3, 'a');
:last
SELECT missing_symbol.allow_rate_row('buckets', '{"client": "a"}', 7, '1 minute', 3, by => 2);
:last
-- more than it holds: never
SELECT missing_symbol.allow_rate_row('buckets', '{"client": "b"}', 7, '1 minute', 3, by => 4);
:last
SELECT * FROM buckets;
-- the slowest and the fastest
SELECT missing_symbol.allow_rate('buckets', 1, '36525 days', 1, 'slow'), missing_symbol.allow_rate('buckets', 1, '36525 days', 1, 'slow');
:last
SELECT missing_symbol.allow_rate('buckets', 1000000, '1 second', 1, 'fast'), missing_symbol.allow_rate('buckets', 1000000, '1 second', 1, 'fast');
:last
-- with bounds, too
SELECT missing_symbol.configure('buckets', '{"at_most": 5}');
SELECT missing_symbol.allow_rate('buckets', 10, '1 second', 10, 'c') FROM generate_series(1, 6);
:last
-- neither a new window nor time would let it
ALTER TABLE buckets ADD w timestamptz;
SELECT missing_symbol.configure('buckets', '{"per": "1 hour", "window": "w"}');
SELECT missing_symbol.allow_rate_row('buckets', '{"client": "d"}', 10, '1 second', 2, by => 2) FROM generate_series(1, 2);
:last
UPDATE buckets SET count = 5 WHERE client = 'd';
SELECT missing_symbol.allow_rate_row('buckets', '{"client": "d"}', 10, '1 second', 2, by => 3);
:last
SELECT missing_symbol.allow_rate_row('buckets', '{"client": "d"}', 10, '1 second', 2, by => 1);
:last
SELECT missing_symbol.configure('buckets', '{"per": null, "window": null}');
UPDATE buckets SET full_at = 'infinity' WHERE client = 'a';
SELECT missing_symbol.allow_rate('buckets', 10, '1 second', 10, 'a');
:last

--
-- Tables of other kinds
--
-- partitioned
CREATE TABLE parts (k int, count bigint, w timestamptz, PRIMARY KEY (k)) PARTITION BY HASH (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 (w timestamptz, count bigint, k int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT missing_symbol.configure('parts', '{"at_most": 2, "per": "1 hour", "window": "w"}');
SELECT * FROM missing_symbol.increment_many('parts', ARRAY[1, 2, 3, 4, 5], '{1,2,3,1,2}');
SELECT * FROM missing_symbol.increment_rows_once('parts', ARRAY['a', 'b'], '[{"k": 2}, {"k": 3}]', '{1,3}');
SELECT * FROM missing_symbol.increment_many('parts', ARRAY[1, 2, 3, 4, 5]);
SET missing_symbol.test_clock = '2026-07-02 14:00:08.571428+00';
SELECT * FROM missing_symbol.increment_many('parts', ARRAY[1, 2, 3, 4, 5]);
SELECT * FROM parts ORDER BY k;
-- generated columns, triggers that ignore, rows that are not to be made
CREATE TABLE made (k text PRIMARY KEY, count int, w timestamptz, half int GENERATED ALWAYS AS (count / 2) STORED);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.k = 'no' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER nothing BEFORE INSERT OR UPDATE ON made FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT missing_symbol.configure('made', '{"at_most": 6, "per": "1 hour", "window": "w"}');
SELECT missing_symbol.increment_by('made', 4, 'a'), missing_symbol.increment_by('made', 3, 'a'), missing_symbol.increment_by('made', 2, 'a');
SELECT * FROM made;
SELECT missing_symbol.increment('made', 'no');
:last
SELECT missing_symbol.configure('made', '{"insert": false}');
SELECT missing_symbol.allow('made', 5, 'new');
:last
-- row security: what a role does not see it cannot count
CREATE TABLE rows (k text PRIMARY KEY, owner name, count int);
INSERT INTO rows VALUES ('mine', 'regress_ms_limits', 1), ('other', 'nobody', 1);
ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rows USING (owner = current_user) WITH CHECK (true);
SELECT missing_symbol.configure('rows', '{"at_most": 2}');
CREATE ROLE regress_ms_limits;
GRANT USAGE ON SCHEMA limits TO regress_ms_limits;
GRANT SELECT, INSERT, UPDATE ON rows TO regress_ms_limits;
SET ROLE regress_ms_limits;
SELECT missing_symbol.increment('rows', 'mine'), missing_symbol.increment('rows', 'mine');
\pset format unaligned
SELECT pg_temp.try($$SELECT missing_symbol.increment('limits.rows', 'other')$$);
RESET ROLE;

--
-- Refused
--
CREATE TABLE bad (k text PRIMARY KEY, count int, other text, w timestamptz, w0 timestamptz(0), cost money, created_at timestamptz, gen timestamptz GENERATED ALWAYS AS (w) STORED);
SELECT settings, pg_temp.try(format('SELECT missing_symbol.configure(''bad'', %L)', settings))
FROM unnest(ARRAY[
    '{"at_least": 2, "at_most": 1}', '{"at_most": "1"}', '{"at_most": 1.5}', '{"at_most": 3000000000}', '{"at_least": true}',
    '{"limit_on": "other"}', '{"limit_on": "nothing"}', '{"limit_on": 1}', '{"on_limit": "explode"}', '{"counts": ["count", "cost"], "limit_on": "cost", "at_most": 1}',
    '{"per": "1 month", "window": "w"}', '{"per": "0", "window": "w"}', '{"per": "-1 second", "window": "w"}', '{"per": "40000 days", "window": "w"}', '{"per": "soon", "window": "w"}', '{"per": 60}',
    '{"window": "w"}', '{"aligned": true}', '{"aligned": "yes"}', '{"per": "1 day", "window": "other"}', '{"per": "1 day", "window": "w0"}', '{"per": "1 day", "window": "gen"}',
    '{"per": "1 day", "window": "nothing"}', '{"per": "1 day", "window": "k"}', '{"bucket": "w", "window": "w", "per": "1 day"}', '{"bucket": "count"}']) settings;
-- a column of a limit is no time of the counter
SELECT missing_symbol.configure('bad', '{"per": "1 day", "window": "created_at"}');
SELECT first_seen FROM missing_symbol.describe('bad');
SELECT pg_temp.try($$SELECT missing_symbol.track('bad', first_seen => 'created_at')$$);
-- what would be set aside
SELECT what, pg_temp.try(format('SELECT missing_symbol.track(''bad'', %s)', what))
FROM unnest(ARRAY['throttle => ''1 hour'', last_seen => ''w''', 'apply => ''commit''', 'apply => ''buffer''', 'spill => true', 'apply => ''now''']) what;
SELECT missing_symbol.untrack('bad');
SELECT what, pg_temp.try(format('SELECT missing_symbol.track(''bad'', apply => '''', throttle => ''0'', spill => false), missing_symbol.track(''bad'', %s)', what)),
       pg_temp.try($$SELECT missing_symbol.configure('bad', '{"at_most": 1}')$$),
       pg_temp.try($$SELECT missing_symbol.allow('bad', 1, 'a')$$)
FROM unnest(ARRAY['throttle => ''1 hour'', last_seen => ''w''', 'apply => ''commit''', 'apply => ''buffer''', 'spill => true']) what;
SELECT missing_symbol.untrack('bad');
BEGIN;
SET missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('bad', 'a');
SELECT pg_temp.try($$SELECT missing_symbol.configure('bad', '{"at_most": 1}')$$), pg_temp.try($$SELECT missing_symbol.allow('bad', 1, 'a')$$),
       pg_temp.try($$SELECT missing_symbol.remaining('bad', 1, 'a')$$);
ROLLBACK;
-- what a column cannot hold, or has
CREATE TABLE ends (k text PRIMARY KEY, count numeric(6,2), f real);
SELECT missing_symbol.configure('ends', '{"counts": ["count", "f"], "limit_on": "f", "at_least": -5, "at_most": 5}');
INSERT INTO ends VALUES ('a', 1, '-Infinity'), ('b', 1, 'Infinity'), ('c', 1, 'NaN');
SELECT k, pg_temp.try(format('SELECT missing_symbol.increment_row(''ends'', ''{"k": "%s", "f": %s}'')', k, f))
FROM unnest('{a,b,c,a}'::text[], '{1,-1,1,-1}'::int[]) AS x (k, f);
SELECT missing_symbol.configure('ends', '{"limit_on": null, "at_least": null, "at_most": null}');
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[$$configure('ends', '{"at_most": 10000}')$$, $$allow_by('ends', 10000, 20000, 'd')$$, $$increment_amount('ends', 9999, 'a')$$]) call;
CREATE TABLE bare (client text PRIMARY KEY, full_at timestamptz);
SELECT pg_temp.try($$SELECT missing_symbol.configure('bare', '{"bucket": "full_at"}')$$);
-- arguments
SELECT call, pg_temp.try('SELECT missing_symbol.' || call)
FROM unnest(ARRAY[
    $$allow('bad', NULL, 'a')$$, $$allow('bad', 1, NULL)$$, $$allow('bad', 1, VARIADIC NULL::text[])$$, $$allow(NULL, 1, 'a')$$, $$allow('bad', 1, 'a', 'b')$$,
    $$allow_by('bad', NULL, 1, 'a')$$, $$allow_by('bad', 0, 1, 'a')$$, $$allow_by('bad', -1, 1, 'a')$$, $$allow_row('bad', NULL, 1)$$, $$allow_row('bad', '{"k": "a", "count": 1}', 1)$$,
    $$remaining('bad', NULL, 'a')$$, $$remaining('bad', 1, NULL)$$, $$remaining_row('bad', NULL, 1)$$,
    $$allow_rate('bad', 1, '1 day', 1, 'a')$$, $$allow_rate('buckets', 0, '1 day', 1, 'a')$$, $$allow_rate('buckets', 1, '1 day', 0, 'a')$$,
    $$allow_rate('buckets', 1, '1 month', 1, 'a')$$, $$allow_rate('buckets', 1, '0', 1, 'a')$$, $$allow_rate('buckets', 1000001, '1 second', 1, 'a')$$, $$allow_rate('buckets', 1, '1 day', 40000, 'a')$$,
    $$allow_rate('buckets', 1, '1 day', 9223372036854775807, 'a')$$, $$allow_rate('buckets', NULL, '1 day', 1, 'a')$$, $$allow_rate('buckets', 1, NULL, 1, 'a')$$, $$allow_rate('buckets', 1, '1 day', NULL, 'a')$$,
    $$increment_row('buckets', '{"client": "a", "full_at": "2026-01-01"}')$$]) call;
-- to the ends of bigint
SELECT missing_symbol.allow_by('buckets', 9223372036854775807, 9223372036854775807, 'full'), missing_symbol.allow_by('buckets', 9223372036854775807, 9223372036854775807, 'full'),
       missing_symbol.allow_by('bad', 9223372036854775807, 9223372036854775806, 'full');
DROP SCHEMA limits CASCADE;
DROP ROLE regress_ms_limits;
