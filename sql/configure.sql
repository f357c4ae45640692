--
-- configure(), what columns of type timestamp hold, and which columns a table
-- tells of by their names
--
\set last '(missing_symbol.last_increment()).outcome, (missing_symbol.last_increment()).count, (missing_symbol.last_increment()).first_seen, (missing_symbol.last_increment()).last_seen'
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.test_clock = '2026-07-01 12:00:00+00';
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset null '(null)'
\i `echo "$PG_ABS_SRCDIR/sql/include/try_hint.sql"`
CREATE SCHEMA conf;

--
-- Settings: merged, cleared one by one, all gone with untrack()
--
CREATE TABLE conf.views (page text PRIMARY KEY, count bigint, created_at timestamp, modified_at timestamp(0));
SELECT settings FROM missing_symbol.describe('conf.views');
SELECT missing_symbol.configure('conf.views', '{"zone": "Asia/Kolkata"}');
SELECT settings FROM missing_symbol.describe('conf.views');
SELECT missing_symbol.configure('conf.views', '{}'), missing_symbol.track('conf.views', fill => '{}');
SELECT * FROM missing_symbol.settings WHERE target = 'conf.views'::regclass;
SELECT missing_symbol.configure('conf.views', '{"zone": null}');
SELECT count(*) FROM missing_symbol.settings WHERE target = 'conf.views'::regclass;
SELECT missing_symbol.configure('conf.views', '{"zone": "UTC"}');
SELECT missing_symbol.untrack('conf.views');
SELECT count(*) FROM missing_symbol.settings WHERE target = 'conf.views'::regclass;
SET client_min_messages = notice;
SELECT missing_symbol.untrack('conf.views');
SET client_min_messages = error;
-- refused
\pset format unaligned
SELECT statement, pg_temp.try(format('SELECT missing_symbol.configure(''conf.views'', %s)', statement))
FROM unnest(ARRAY['NULL', $$'[]'$$, $$'1'$$, $$'{"color": 1}'$$, $$'{"zone": "UTC", "colour": null}'$$, $$'{"zone": 5}'$$, $$'{"zone": ["UTC"]}'$$,
                  $$'{"zone": "Nowhere/At all"}'$$, $$'{"zone": "EST"}'$$, $$'{"zone": ""}'$$,
                  $$'{"zone": "Europe/Pari5"}'$$, $$'{"zone": "Foo/Bar5"}'$$]) statement;
SELECT pg_temp.try($$SELECT missing_symbol.configure(NULL, '{}')$$),
       pg_temp.try($$SELECT missing_symbol.configure(4294967295::oid::regclass, '{}')$$),
       pg_temp.try($$SELECT missing_symbol.configure('pg_class', '{}')$$);
CREATE TEMPORARY TABLE temporary (k int PRIMARY KEY, count int);
SELECT pg_temp.try($$SELECT missing_symbol.configure('temporary', '{"zone": "UTC"}')$$);
SELECT count(*) FROM missing_symbol.settings;
-- only for the owner
CREATE ROLE regress_ms_configure;
GRANT USAGE ON SCHEMA conf TO regress_ms_configure;
SET ROLE regress_ms_configure;
SELECT pg_temp.try($$SELECT missing_symbol.configure('conf.views', '{"zone": "UTC"}')$$),
       pg_temp.try($$DELETE FROM missing_symbol.settings$$);
RESET ROLE;
SET default_transaction_read_only = on;
SELECT pg_temp.try($$SELECT missing_symbol.configure('conf.views', '{"zone": "UTC"}')$$);
RESET default_transaction_read_only;
\pset format aligned
-- they are rolled back, and go with their table
BEGIN;
SELECT missing_symbol.configure('conf.views', '{"zone": "UTC"}');
ROLLBACK;
SELECT count(*) FROM missing_symbol.settings;
CREATE TABLE conf.dropped (k int PRIMARY KEY, count int);
SELECT missing_symbol.configure('conf.dropped', '{"zone": "UTC"}');
DROP TABLE conf.dropped;
SELECT count(*) FROM missing_symbol.settings;

--
-- Columns of type timestamp hold UTC, whatever a session's zone is
--
CREATE FUNCTION conf.look(regclass) RETURNS TABLE (page text, count bigint, first text, last text, total bigint, total_last text, value bigint)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT t.page, r.count, r.created_at::text, r.modified_at::text, t.count, t.modified_at::text, missing_symbol.value(%L, t.page)
        FROM missing_symbol.total(NULL::%s) t LEFT JOIN %s r USING (page) ORDER BY page COLLATE "C"', $1, $1, $1);
END
$$;
SELECT missing_symbol.increment('conf.views', '/now'), :last;
SET missing_symbol.test_clock = '2026-07-01 12:00:01.6+00';
SELECT missing_symbol.increment('conf.views', '/now'), missing_symbol.increment_row('conf.views', '{"page": "/row"}');
SELECT :last;
SELECT * FROM missing_symbol.increment_many('conf.views', '{/many,/now,/many}'::text[]);
SELECT * FROM missing_symbol.increment_rows('conf.views', '[{"page": "/rows"}, {"page": "/now"}]');
SELECT * FROM conf.look('conf.views');
-- last_seen does not go back
SET missing_symbol.test_clock = '2026-07-01 11:00:00+00';
SELECT missing_symbol.increment('conf.views', '/now'), :last;
-- at the commit; in a session of another zone then
SET missing_symbol.test_clock = '2026-07-01 13:00:00+00';
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('conf.views', '/now'), missing_symbol.increment('conf.views', '/commit');
SET missing_symbol.test_clock = '2026-07-01 14:00:00+00';
SELECT missing_symbol.increment('conf.views', '/commit');
SELECT * FROM conf.look('conf.views');
SET LOCAL TimeZone = 'Asia/Tokyo';
COMMIT;
SELECT * FROM conf.look('conf.views');
-- buffered, and merged later by who comes
SET missing_symbol.worker = off;
SELECT missing_symbol.track('conf.views', apply => 'buffer');
SELECT missing_symbol.increment('conf.views', '/now'), missing_symbol.increment('conf.views', '/buffer');
SET missing_symbol.test_clock = '2026-07-01 15:00:00+00';
SELECT missing_symbol.increment('conf.views', '/buffer');
SELECT * FROM conf.look('conf.views') WHERE page IN ('/now', '/buffer');
SET TimeZone = 'Asia/Tokyo';
SELECT missing_symbol.fold('conf.views');
SELECT * FROM conf.look('conf.views') WHERE page IN ('/now', '/buffer');
-- so with spill
SELECT missing_symbol.track('conf.views', apply => 'now', spill => true);
SET missing_symbol.test_clock = '2026-07-01 16:00:00+00';
SELECT missing_symbol.increment('conf.views', '/now'), missing_symbol.increment('conf.views', '/spill');
SELECT * FROM conf.look('conf.views') WHERE page IN ('/now', '/spill');
-- a delta as another session's lock would have left it
INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
VALUES ('conf.views', 0, '{/spill}', current_user, 10, '2026-07-01 17:00:00+00', '2026-07-01 18:00:00+00', md5('x')::uuid);
SELECT count, modified_at FROM missing_symbol.total(NULL::conf.views) WHERE page = '/spill';
SELECT missing_symbol.fold('conf.views');
SELECT * FROM conf.look('conf.views') WHERE page = '/spill';
-- removed by age
CALL missing_symbol.prune('conf.views', '2 hours 59 minutes', dry_run => true);
CALL missing_symbol.prune('conf.views', '2 hours 59 minutes');
SELECT page, modified_at FROM conf.views ORDER BY page COLLATE "C";

--
-- In a zone that configure() has said
--
CREATE TABLE conf.zoned (page text PRIMARY KEY, count bigint, created_at timestamp(3), modified_at timestamp) WITH (fillfactor = 70);
SELECT missing_symbol.configure('conf.zoned', '{"zone": "Europe/Paris"}');
SELECT missing_symbol.increment('conf.zoned', '/now'), :last;
SET missing_symbol.test_clock = '2026-07-01 16:00:01.23456+00';
SET TimeZone = 'America/New_York';
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('conf.zoned', '/now'), missing_symbol.increment('conf.zoned', '/commit');
SELECT * FROM conf.look('conf.zoned');
COMMIT;
SELECT missing_symbol.track('conf.zoned', apply => 'buffer');
SELECT missing_symbol.increment('conf.zoned', '/now'), missing_symbol.increment('conf.zoned', '/buffer');
SELECT * FROM conf.look('conf.zoned');
SELECT missing_symbol.fold('conf.zoned');
SELECT missing_symbol.track('conf.zoned', apply => '');
SELECT * FROM conf.look('conf.zoned');
-- an hour comes twice: the column stands still
SET missing_symbol.test_clock = '2026-10-25 00:30:00+00';
SELECT missing_symbol.increment('conf.zoned', '/twice');
SET missing_symbol.test_clock = '2026-10-25 01:15:00+00';
SELECT missing_symbol.increment('conf.zoned', '/twice');
SELECT * FROM conf.look('conf.zoned') WHERE page = '/twice';
SET missing_symbol.test_clock = '2026-10-25 01:45:00+00';
SELECT missing_symbol.increment('conf.zoned', '/twice');
SELECT * FROM conf.look('conf.zoned') WHERE page = '/twice';
CALL missing_symbol.prune('conf.zoned', '30 minutes');
SELECT page FROM conf.zoned;
-- a session's zone and abbreviations mean nothing
SET timezone_abbreviations = 'Australia';
SET TimeZone = '<EUROPE/PARIS>+9';
SELECT missing_symbol.increment('conf.zoned', '/paris');
SET TimeZone = 'UTC+9';
SELECT missing_symbol.configure('conf.zoned', '{"zone": null}');
SELECT missing_symbol.increment('conf.zoned', '/utc');
SELECT * FROM conf.look('conf.zoned');
RESET timezone_abbreviations;
SET TimeZone = 'America/New_York';
SELECT missing_symbol.local_time('2026-07-01 12:00:00+00', 'Europe/Paris'), missing_symbol.local_time('infinity', 'Europe/Paris');
SELECT pg_temp.try($$SELECT missing_symbol.local_time(now(), 'CEST')$$);

--
-- A throttle goes by real time
--
\pset format unaligned
SELECT pg_temp.try($$SELECT missing_symbol.track('conf.zoned', throttle => '1 hour')$$);
\pset format aligned
ALTER TABLE conf.zoned ALTER modified_at TYPE timestamptz(0) USING modified_at AT TIME ZONE 'UTC';
SELECT missing_symbol.track('conf.zoned', throttle => '1 hour');
SET missing_symbol.test_clock = '2026-10-25 02:44:59+00';
SELECT missing_symbol.increment('conf.zoned', '/twice'), :last;
SET missing_symbol.test_clock = '2026-10-25 03:45:00.7+00';
SELECT missing_symbol.increment('conf.zoned', '/twice'), :last;

--
-- Names
--
CREATE FUNCTION conf.inferred(columns text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TABLE conf.t (%s)', columns);
    answer := pg_temp.try($q$SELECT concat_ws(' ', key, count, first_seen, last_seen, left_alone) FROM missing_symbol.describe('conf.t')$q$);
    DROP TABLE conf.t;
    RETURN answer;
END
$$;
\pset format unaligned
-- what release 1.1 could infer stays
SELECT columns, conf.inferred(columns) FROM unnest(ARRAY[
    'k int PRIMARY KEY, count int, view_count int, created_at timestamptz, inserted_at timestamptz, modified_at timestamptz, updated_at timestamptz',
    'k int PRIMARY KEY, count int, updated_at timestamptz, inserted_at timestamptz',
    'k int PRIMARY KEY, count int, updated_at timestamp, inserted_at timestamp',
    'k int PRIMARY KEY, hits int, created_at timestamp, first_seen timestamptz, updated_at timestamp',
    'k int PRIMARY KEY, n missing_symbol.counter, views int, created_at timestamp, updated_at timestamp']) columns;
-- what it could not
SELECT columns, conf.inferred(columns) FROM unnest(ARRAY[
    'k int PRIMARY KEY, count int, created_at timestamp, updated_at timestamp',
    'k int PRIMARY KEY, count int, created_at timestamp, modified_at timestamp, updated_at timestamp',
    'k int PRIMARY KEY, views int, inserted_at timestamp, updated_at timestamp',
    'k int PRIMARY KEY, total numeric, first_seen_at timestamptz, last_seen_at timestamptz',
    'k int PRIMARY KEY, n bigint, first_seen timestamp, last_seen timestamp, inserted_at timestamp',
    'k int PRIMARY KEY, like_count smallint, created_at date, updated_at text',
    'k int PRIMARY KEY, count text, view_count int',
    'k int PRIMARY KEY, count text, hits real',
    'k int PRIMARY KEY, view_count int, like_count int',
    'k int PRIMARY KEY, total int, n int',
    'n int PRIMARY KEY, total int',
    'n int PRIMARY KEY, amount int',
    'k int PRIMARY KEY, amount int NOT NULL DEFAULT 0, note text DEFAULT 0, day date',
    'k int PRIMARY KEY, amount int NOT NULL DEFAULT 0, price int, big bigserial',
    'id serial, k int PRIMARY KEY, amount int NOT NULL DEFAULT 0',
    'k int PRIMARY KEY, amount numeric(10,2) NOT NULL DEFAULT 0.00',
    'k int PRIMARY KEY, amount int DEFAULT 0',
    'k int PRIMARY KEY, price int NOT NULL DEFAULT 1',
    'k int PRIMARY KEY, amount int NOT NULL DEFAULT 0, spend double precision NOT NULL DEFAULT 0',
    'k int PRIMARY KEY, spend double precision NOT NULL DEFAULT 0',
    'k int, a int NOT NULL DEFAULT 0, b bigint NOT NULL DEFAULT 0, UNIQUE (k, a)',
    'k int PRIMARY KEY, amount int NOT NULL DEFAULT 0, doubled_count int GENERATED ALWAYS AS (amount * 2) STORED, updated_at timestamp GENERATED ALWAYS AS (timestamp ''2020-01-01'') STORED',
    'k int, updated_at timestamp, views int, PRIMARY KEY (k, updated_at)',
    'k int, created_at timestamptz, views int, PRIMARY KEY (k, created_at)',
    'k int PRIMARY KEY, views int, inserted_at timestamptz, first_seen_at timestamptz']) columns;
-- which columns a call of track() leaves open goes by the same rule
CREATE TABLE conf.t (k int PRIMARY KEY, q int, updated_at timestamptz, seen timestamptz);
SELECT missing_symbol.track('conf.t', count => 'q');
SELECT count, first_seen, last_seen FROM missing_symbol.describe('conf.t');
-- one column for both times
SELECT pg_temp.try($$SELECT missing_symbol.track('conf.t', first_seen => 'seen', last_seen => 'seen')$$);
SELECT missing_symbol.track('conf.t', last_seen => 'seen');
SELECT pg_temp.try($$SELECT missing_symbol.track('conf.t', first_seen => 'seen')$$);
DROP TABLE conf.t;
-- a key that the database fills is not inserted by who counts: his posts are not changed by being counted
CREATE TABLE conf.posts (id bigserial PRIMARY KEY, view_count int NOT NULL DEFAULT 0, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
SELECT missing_symbol.track('conf.posts', key => '{id}');
SELECT count, first_seen, last_seen FROM missing_symbol.describe('conf.posts');
-- both times in one call
CREATE TABLE conf.lacking (k int PRIMARY KEY, count int, inserted_at timestamp NOT NULL, updated_at timestamp NOT NULL);
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.lacking', 1)$$);
SELECT missing_symbol.track('conf.lacking', first_seen => 'inserted_at', last_seen => 'updated_at');
SELECT missing_symbol.increment('conf.lacking', 1);
TABLE conf.lacking;
CREATE TABLE conf.lacking_one (k int PRIMARY KEY, count int, modified_at timestamptz, at timestamptz NOT NULL);
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.lacking_one', 1)$$);

--
-- Count only what exists
--
CREATE TABLE conf.articles (slug text PRIMARY KEY, title text NOT NULL, likes_count int NOT NULL DEFAULT 0, liked_by text,
    created_at timestamp DEFAULT '2020-01-01', updated_at timestamp DEFAULT '2020-01-01', last_seen timestamptz);
INSERT INTO conf.articles (slug, title) VALUES ('a', 'A'), ('b', 'B'), ('gone', 'Gone');
SELECT statement, pg_temp.try(format('SELECT missing_symbol.configure(''conf.articles'', %s)', statement))
FROM unnest(ARRAY[$$'{"insert": "no"}'$$, $$'{"insert": 0}'$$]) statement;
\pset format aligned
SELECT missing_symbol.configure('conf.articles', '{"insert": false}');
SELECT count, first_seen, last_seen, settings FROM missing_symbol.describe('conf.articles');
SELECT missing_symbol.increment('conf.articles', 'a'), :last;
SELECT missing_symbol.increment('conf.articles', 'none'), :last;
SELECT missing_symbol.increment_by('conf.articles', 5, 'none'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment_row('conf.articles', '{"slug": "none", "title": "T"}'), (missing_symbol.last_increment()).outcome;
SELECT * FROM missing_symbol.increment_many('conf.articles', '{a,none,b,never,none}'::text[]);
SELECT * FROM missing_symbol.increment_rows('conf.articles', '[{"slug": "none"}, {"slug": "b"}]');
SELECT missing_symbol.value('conf.articles', 'a'), missing_symbol.value('conf.articles', 'none');
-- at the commit: asked at the call, and again
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('conf.articles', 'a'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('conf.articles', 'none'), (missing_symbol.last_increment()).outcome;
SELECT * FROM missing_symbol.increment_many('conf.articles', '{a,none,gone}'::text[]);
SELECT missing_symbol.value('conf.articles', 'a'), missing_symbol.value('conf.articles', 'none');
INSERT INTO conf.articles (slug, title) VALUES ('made', 'Made');
SELECT missing_symbol.increment('conf.articles', 'made'), (missing_symbol.last_increment()).outcome;
DELETE FROM conf.articles WHERE slug = 'gone';
SELECT slug, likes_count FROM missing_symbol.total(NULL::conf.articles) ORDER BY slug;
SELECT missing_symbol.value('conf.articles', 'gone');
COMMIT;
SELECT slug, likes_count FROM conf.articles ORDER BY slug;
-- buffered: what is there by the merge
SELECT missing_symbol.track('conf.articles', apply => 'buffer', fill => '{liked_by}');
SELECT missing_symbol.increment('conf.articles', 'none'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('conf.articles', 'a'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment_row('conf.articles', '{"slug": "b", "liked_by": "me"}'), missing_symbol.increment('conf.articles', 'made'),
       missing_symbol.increment_by('conf.articles', 10, 'made');
SELECT missing_symbol.increment('conf.articles', 'made');
SELECT * FROM missing_symbol.increment_many('conf.articles', '{b,none}'::text[]);
DELETE FROM conf.articles WHERE slug = 'made';
SELECT slug, likes_count FROM missing_symbol.total(NULL::conf.articles) ORDER BY slug;
SELECT missing_symbol.value('conf.articles', 'made');
SELECT missing_symbol.fold('conf.articles');
SELECT slug, likes_count, liked_by, created_at, updated_at, last_seen IS NOT NULL AS seen FROM conf.articles ORDER BY slug;
SELECT (SELECT count(*) FROM missing_symbol.buffered) AS buffered, (SELECT count(*) FROM missing_symbol.spilled) AS spilled;
-- with spill
SELECT missing_symbol.track('conf.articles', apply => 'now', fill => '{}', spill => true);
SELECT missing_symbol.increment('conf.articles', 'none'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('conf.articles', 'a'), (missing_symbol.last_increment()).outcome;
INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
SELECT 'conf.articles', 0, ARRAY[key], current_user, 10, '2026-07-01 17:00:00+00', '2026-07-01 18:00:00+00', md5(key || i)::uuid
FROM unnest('{a,none}'::text[]) key, generate_series(1, 2) i;
SELECT missing_symbol.fold('conf.articles');
SELECT slug, likes_count FROM conf.articles ORDER BY slug;
SELECT (SELECT count(*) FROM missing_symbol.buffered) AS buffered, (SELECT count(*) FROM missing_symbol.spilled) AS spilled;
SELECT absent, ignored FROM missing_symbol.counter_stats WHERE target = 'conf.articles'::regclass;
-- not while new keys may wait
SELECT missing_symbol.configure('conf.articles', '{"insert": null}'), missing_symbol.track('conf.articles', spill => false, apply => 'buffer');
SELECT missing_symbol.increment('conf.articles', 'a');
SELECT pg_temp.try($$SELECT missing_symbol.configure('conf.articles', '{"insert": false}')$$);
SELECT missing_symbol.configure('conf.articles', '{"zone": "UTC"}'), missing_symbol.fold('conf.articles');
-- nor while this transaction has deferred some
BEGIN;
SELECT missing_symbol.increment('conf.articles', 'a');
SELECT pg_temp.try($$SELECT missing_symbol.configure('conf.articles', '{"insert": false}')$$);
ROLLBACK;
SELECT missing_symbol.configure('conf.articles', '{"insert": false, "zone": null}'), missing_symbol.track('conf.articles', apply => '');
-- whoever counts so needs no right to insert
GRANT SELECT, UPDATE (likes_count, last_seen) ON conf.articles TO regress_ms_configure;
SET ROLE regress_ms_configure;
SELECT missing_symbol.increment('conf.articles', 'a'), missing_symbol.increment('conf.articles', 'none');
RESET ROLE;
SELECT missing_symbol.configure('conf.articles', '{"insert": true}');
SET ROLE regress_ms_configure;
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.articles', 'a')$$);
RESET ROLE;
SELECT missing_symbol.increment_row('conf.articles', '{"slug": "none", "title": "T"}');
-- a hidden row is none
CREATE TABLE conf.hidden (k text PRIMARY KEY, count int, owner text);
INSERT INTO conf.hidden VALUES ('mine', 0, 'regress_ms_configure'), ('yours', 0, 'you');
SELECT missing_symbol.configure('conf.hidden', '{"insert": false}');
ALTER TABLE conf.hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON conf.hidden USING (owner = current_user);
GRANT SELECT, UPDATE ON conf.hidden TO regress_ms_configure;
SET ROLE regress_ms_configure;
SELECT * FROM missing_symbol.increment_many('conf.hidden', '{mine,yours,nobodys}'::text[]);
RESET ROLE;
SELECT k, count FROM conf.hidden ORDER BY k;
-- a partitioned table
CREATE TABLE conf.parts (k int PRIMARY KEY, count int) PARTITION BY RANGE (k);
CREATE TABLE conf.part PARTITION OF conf.parts FOR VALUES FROM (0) TO (10);
INSERT INTO conf.parts VALUES (1, 0);
SELECT missing_symbol.configure('conf.parts', '{"insert": false}');
SELECT * FROM missing_symbol.increment_many('conf.parts', '{1,2,100}'::int[]);
-- a key that an identity or a sequence fills makes no rows, whatever is said
INSERT INTO conf.posts DEFAULT VALUES;
SELECT missing_symbol.configure('conf.posts', '{"insert": true}');
SELECT * FROM missing_symbol.increment_many('conf.posts', '{1,2}'::int[]);
SELECT id, view_count FROM conf.posts;
CREATE TABLE conf.by_default (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, count int, modified_at timestamptz);
INSERT INTO conf.by_default DEFAULT VALUES;
SELECT missing_symbol.track('conf.by_default', key => '{id}');
SELECT missing_symbol.increment('conf.by_default', 1), missing_symbol.increment('conf.by_default', 2), (missing_symbol.last_increment()).outcome;
INSERT INTO conf.by_default DEFAULT VALUES RETURNING id;
SELECT id, count, modified_at IS NOT NULL AS modified FROM conf.by_default ORDER BY id;

--
-- Key columns that may be left out: their default at the call
--
CREATE TABLE conf.daily (page text, tenant text DEFAULT current_setting('conf.tenant'), kind text DEFAULT 'view', count bigint,
    note text, PRIMARY KEY (page, tenant, kind)) WITH (fillfactor = 70);
SET conf.tenant = 'a';
\pset format unaligned
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.daily', '/')$$);
SELECT missing_symbol.configure('conf.daily', '{"defaults": ["kind", "tenant"]}');
SELECT settings FROM missing_symbol.describe('conf.daily');
SELECT missing_symbol.increment('conf.daily', '/'), missing_symbol.increment('conf.daily', '/', 'b'), missing_symbol.increment('conf.daily', '/', 'a', 'view'),
       missing_symbol.increment('conf.daily', '/'::text), missing_symbol.increment_by('conf.daily', 10, '/', 'a'), missing_symbol.increment_by('conf.daily', 100, '/');
SELECT missing_symbol.value('conf.daily', '/'), missing_symbol.value('conf.daily', '/', 'b'), missing_symbol.value('conf.daily', '/', 'b', 'click'),
       missing_symbol.value('conf.daily', '/'::text);
SET conf.tenant = 'b';
SELECT missing_symbol.increment('conf.daily', '/'), missing_symbol.value('conf.daily', '/');
SELECT missing_symbol.increment_row('conf.daily', '{"page": "/row"}'), missing_symbol.increment_row('conf.daily', '{"page": "/row", "kind": "click", "note": "n"}');
SELECT inserted, incremented FROM missing_symbol.increment_many('conf.daily', '{/,/many,/}'::text[]);
SELECT inserted, incremented FROM missing_symbol.increment_rows('conf.daily', '[{"page": "/rows"}, {"page": "/", "tenant": "a"}, {"page": "/rows", "tenant": "b", "kind": "view"}]');
SELECT statement, pg_temp.try('SELECT missing_symbol.' || statement)
FROM unnest(ARRAY[$$increment('conf.daily', '/', 'a', 'view', 'more')$$, $$increment('conf.daily', VARIADIC '{}'::text[])$$, $$increment('conf.daily', '/', NULL)$$,
                  $$increment_row('conf.daily', '{"page": "/", "tenant": null}')$$, $$increment_row('conf.daily', '{"tenant": "a"}')$$]) statement;
SELECT * FROM conf.daily ORDER BY page COLLATE "C", tenant, kind;
-- what waits has the key of its call
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('conf.daily', '/wait'), missing_symbol.increment_row('conf.daily', '{"page": "/wait"}');
SET LOCAL conf.tenant = 'c';
SELECT missing_symbol.increment('conf.daily', '/wait');
SELECT missing_symbol.value('conf.daily', '/wait'), missing_symbol.value('conf.daily', '/wait', 'b');
COMMIT;
SELECT missing_symbol.track('conf.daily', apply => 'buffer');
SELECT missing_symbol.increment('conf.daily', '/wait'), missing_symbol.increment_row('conf.daily', '{"page": "/wait", "note": "later"}');
SET conf.tenant = 'd';
SELECT missing_symbol.value('conf.daily', '/wait', 'b'), missing_symbol.value('conf.daily', '/wait');
SELECT missing_symbol.fold('conf.daily');
SELECT missing_symbol.track('conf.daily', apply => '');
SELECT * FROM conf.daily WHERE page = '/wait' ORDER BY tenant;
-- which columns
SELECT defaults, pg_temp.try(format('SELECT missing_symbol.configure(''conf.daily'', %L)', jsonb_build_object('defaults', defaults::jsonb)))
FROM unnest(ARRAY['"kind"', '{"kind": 1}', '["kind", 1]', '["page"]', '["note"]', '["nothing"]', '["tenant"]', '[]', '["kind"]', 'null']) defaults;
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.daily', '/', 'a')$$);
-- the order of key values is what track() says
SELECT missing_symbol.configure('conf.daily', '{"defaults": ["kind"]}');
SELECT pg_temp.try($$SELECT missing_symbol.track('conf.daily', key => '{kind,page,tenant}')$$);
SELECT missing_symbol.track('conf.daily', key => '{tenant,page,kind}');
SELECT missing_symbol.increment('conf.daily', 'a', '/order'), missing_symbol.value('conf.daily', 'a', '/order');
ALTER TABLE conf.daily ALTER kind DROP DEFAULT;
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.daily', 'a', '/order', 'view')$$);
SELECT missing_symbol.configure('conf.daily', '{"defaults": null}');
SELECT missing_symbol.increment('conf.daily', 'a', '/order', 'view');
-- and which defaults
CREATE FUNCTION conf.own() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'own'::text $$;
CREATE FUNCTION conf.date_trunc() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'own'::text $$;
CREATE FUNCTION conf.to_char() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'own'::text $$;
CREATE TYPE conf.mood AS ENUM ('a');
CREATE FUNCTION conf.mood_json(conf.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE 'code of others'; END $$;
CREATE CAST (conf.mood AS json) WITH FUNCTION conf.mood_json(conf.mood);
CREATE VIEW conf.code AS SELECT conf.mood_json('a');
CREATE DOMAIN conf.checked AS text CHECK (conf.own() IS NOT NULL);
CREATE FUNCTION conf.default_ok(type text, expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TABLE conf.t (k int, d %s DEFAULT %s, count int, PRIMARY KEY (k, d))', type, expression);
    PERFORM missing_symbol.track('conf.t', key => '{k,d}');
    BEGIN
        PERFORM missing_symbol.configure('conf.t', '{"defaults": ["d"]}');
        answer := 'ok';
    EXCEPTION WHEN invalid_parameter_value THEN
        GET STACKED DIAGNOSTICS answer = PG_EXCEPTION_DETAIL;
    END;
    DROP TABLE conf.t;
    RETURN answer;
END
$$;
SELECT type, expression, conf.default_ok(type, expression)
FROM (VALUES ('date', 'CURRENT_DATE'), ('date', 'now()'), ('timestamptz', 'now()'), ('timestamptz', 'CURRENT_TIMESTAMP'), ('timestamp', $$timezone('UTC', now())$$),
             ('timestamptz', $$now() + interval '1 day'$$), ('timestamptz', $$date_trunc('hour', now())$$), ('timestamp', 'CURRENT_DATE'), ('timestamptz', $$'2020-01-01'$$),
             ('time', 'LOCALTIME'), ('timestamptz', 'clock_timestamp()'), ('int', 'NULL'), ('float', 'random()'), ('text', 'conf.own()'), ('conf.checked', $$'x'$$), ('text', 'CURRENT_USER'), ('text', $$to_char(now(), 'YYYY-MM')$$), ('text', 'now()::text'), ('text', 'now()::date::text'),
             ('text', 'CURRENT_DATE::text'), ('int', 'extract(year from now())::int'), ('int', 'extract(year from CURRENT_DATE)::int'), ('name', 'current_database()'),
             ('text', $$to_json('a'::conf.mood)::text$$), ('text', $$json_build_object('a', 'a'::conf.mood)::text$$), ('text', $$row_to_json(row('a'::conf.mood))::text$$),
             ('text', $$table_to_xml('conf.code', true, true, '')::text$$), ('conf.mood', $$'a'$$), ('text', $$to_char(now(), 'US')$$), ('text', 'txid_current()::text'),
             ('timestamptz', $$date_trunc('milliseconds', now())$$), ('text', $$lower('A') || to_char(CURRENT_DATE, 'YYYY')$$), ('date', $$'today'::text::date$$),
             ('text', 'conf.date_trunc()'), ('text', 'conf.to_char()')) v(type, expression);
-- today
CREATE TABLE conf.days (page text, day date DEFAULT CURRENT_DATE, count int, PRIMARY KEY (page, day));
SELECT missing_symbol.configure('conf.days', '{"defaults": ["day"]}');
BEGIN;
SELECT missing_symbol.increment('conf.days', '/'), missing_symbol.increment('conf.days', '/', current_date);
SELECT page, day = current_date AS today, count, missing_symbol.value('conf.days', '/') FROM conf.days;
COMMIT;

--
-- A primary key that nothing fills, beside another key
--
SELECT columns, conf.inferred(columns) FROM unnest(ARRAY[
    'id text PRIMARY KEY, slug text UNIQUE, clicks_count int',
    'a int, b int, c int, d int, count int, PRIMARY KEY (a, b), UNIQUE (c, d)',
    'id text PRIMARY KEY DEFAULT ''x'', slug text UNIQUE, count int',
    'id text PRIMARY KEY, a text, b text, count int, UNIQUE (a, b)',
    'a text, b text, id text UNIQUE, count int, PRIMARY KEY (a, b)',
    'id serial PRIMARY KEY, slug text UNIQUE, count int',
    'id text PRIMARY KEY, count int, UNIQUE (id)']) columns;
CREATE TABLE conf.links (id text PRIMARY KEY, slug text UNIQUE, count int);
SELECT pg_temp.try($$SELECT missing_symbol.increment('conf.links', 'promo')$$);
SELECT count(*) FROM conf.links;
\pset format aligned

SET client_min_messages = warning;
DROP SCHEMA conf CASCADE;
DROP ROLE regress_ms_configure;
SELECT count(*) FROM missing_symbol.settings;
