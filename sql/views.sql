--
-- Views that core's ON CONFLICT takes are targets, too: counted as it counts.
-- What it does with a row that a view does not show differs between minor
-- versions, so that is compared with what it does here.
--
SET TimeZone = 'UTC';
SET missing_symbol.test_clock = '2026-03-01 12:00:00+00';
SET missing_symbol.worker = off;
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\i `echo "$PG_ABS_SRCDIR/sql/include/try_detail.sql"`
CREATE SCHEMA views;

--
-- The view's names, of the table's key; columns that it computes are none of the counter's
--
CREATE TABLE views.pages (id bigserial, path text PRIMARY KEY, hits bigint NOT NULL DEFAULT 0, tenant text NOT NULL DEFAULT 'a',
                          created_at timestamptz, seen timestamptz, secret text DEFAULT 's');
CREATE VIEW views.shown AS SELECT hits AS n_views, upper(path) AS count, path AS page, created_at, seen AS last_seen, tenant FROM views.pages WHERE tenant = 'a';
SELECT key, count, first_seen, last_seen, apply, path, reason FROM missing_symbol.describe('views.shown');
SELECT missing_symbol.increment('views.shown', '/a'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('views.shown', '/a'), (missing_symbol.last_increment()).outcome;
SET missing_symbol.test_clock = '2026-03-01 13:00:00+00';
SELECT missing_symbol.increment_by('views.shown', 5, '/a'), missing_symbol.increment_amount('views.shown', -1, '/a'), missing_symbol.increment('views.shown', 'b'::text);
SELECT last_increment.* FROM missing_symbol.last_increment();
SELECT missing_symbol.increment_row('views.shown', '{"page": "/c", "created_at": "2026-01-01"}');
SELECT missing_symbol.increment_row('views.shown', '{"page": "/c", "tenant": "a"}', 3);
SELECT * FROM missing_symbol.increment_many('views.shown', '{/a,/d,/a,b}', ARRAY[1, 2, 3, 4]);
SELECT * FROM missing_symbol.increment_rows('views.shown', '[{"page": "/e", "tenant": "a"}, {"page": "/a"}]');
SELECT path, hits, tenant, created_at, seen, secret FROM views.pages ORDER BY path;
SELECT missing_symbol.value('views.shown', '/a'), missing_symbol.value('views.shown', '/none'), missing_symbol.value('views.pages', '/a');
SELECT page, n_views, count, last_seen FROM missing_symbol.total(NULL::views.shown) ORDER BY page;
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('views.shown', '{"page": "/a", "count": "X"}')$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('views.shown', '{"page": "/a", "secret": "X"}')$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.shown', NULL)$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.shown', 'a', 'b')$$);
-- errors say of which relation they speak
\set SHOW_CONTEXT always
SELECT missing_symbol.increment_many('views.shown', ARRAY['/a', NULL]);
SELECT missing_symbol.track('views.shown', count => 'count');
\set SHOW_CONTEXT never
SELECT target, inserted > 0 AS inserted, incremented > 0 AS incremented FROM missing_symbol.counter_stats WHERE target = 'views.shown'::regclass;

--
-- A view of a view, of a partitioned table, of the only row; a sighting
--
CREATE TABLE views.daily (day date, page text, count numeric NOT NULL DEFAULT 0, PRIMARY KEY (day, page)) PARTITION BY RANGE (day);
CREATE TABLE views.daily_1 PARTITION OF views.daily FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE views.daily_2 (page text NOT NULL, count numeric NOT NULL DEFAULT 0, day date NOT NULL);
ALTER TABLE views.daily ATTACH PARTITION views.daily_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE VIEW views.inner_daily AS SELECT count AS total, page AS p, day AS d, day + 1 AS after FROM views.daily WHERE page <> 'x';
CREATE VIEW views.outer_daily AS SELECT d AS date, total, p FROM views.inner_daily WHERE d < '2026-02-20';
SELECT key, count, reason FROM missing_symbol.describe('views.outer_daily');
SELECT missing_symbol.increment('views.outer_daily', '2026-01-05'::date, '/a'), missing_symbol.increment_amount('views.outer_daily', 0.5, '2026-02-05'::date, '/a'),
       missing_symbol.increment('views.outer_daily', '2026-01-05'::date, '/a'), missing_symbol.increment('views.inner_daily', '2026-01-05'::date, '/a');
SELECT tableoid::regclass, * FROM views.daily ORDER BY day;
SELECT * FROM missing_symbol.total(NULL::views.outer_daily) ORDER BY date;
CREATE TABLE views.sighted (hash varchar(32) PRIMARY KEY, symbol text, debugid text, filename text, hits missing_symbol.counter);
CREATE VIEW views.sightings AS SELECT * FROM views.sighted;
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', target => 'views.sightings') FROM generate_series(1, 2);
SELECT symbol, hits FROM views.sightings;

--
-- A row that the view does not show: as core, whatever that is; and what it checks
--
INSERT INTO views.pages (path, hits, tenant) VALUES ('/hidden', 10, 'b');
CREATE VIEW views.checked AS SELECT path, hits, tenant FROM views.pages WHERE tenant = 'a' AND hits < 3 WITH CHECK OPTION;
CREATE VIEW views.secure WITH (security_barrier) AS SELECT path, hits, tenant FROM views.pages WHERE tenant = 'a';
CREATE FUNCTION pg_temp.same(ours text, cores text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    a text := pg_temp.try(ours);
    row_a text := (SELECT p::text FROM views.pages p WHERE path = '/hidden');
    b text;
    row_b text;
BEGIN
    UPDATE views.pages SET hits = 10 WHERE path = '/hidden';
    b := pg_temp.try(cores);
    row_b := (SELECT p::text FROM views.pages p WHERE path = '/hidden');
    UPDATE views.pages SET hits = 10 WHERE path = '/hidden';
    IF a = b AND row_a = row_b THEN
        RETURN true;
    END IF;
    RAISE WARNING '% % and % %', a, row_a, b, row_b;
    RETURN false;
END
$$;
SELECT v, pg_temp.same(format('SELECT missing_symbol.increment(%L, %L)', v, '/hidden'),
                       format('INSERT INTO %s AS t (path, hits) VALUES (%L, 1) ON CONFLICT (path) DO UPDATE SET hits = t.hits + 1 RETURNING hits', v, '/hidden'))
FROM unnest('{views.secure,views.checked}'::text[]) v;
SELECT missing_symbol.value('views.secure', '/hidden'), missing_symbol.value('views.checked', '/hidden');
SELECT missing_symbol.increment('views.checked', '/f'), missing_symbol.increment('views.checked', '/f');
SELECT SPLIT_PART(pg_temp.try($$SELECT missing_symbol.increment('views.checked', '/f')$$), ':', 1), SPLIT_PART(pg_temp.try($$SELECT missing_symbol.increment_by('views.checked', 7, '/g')$$), ':', 1);
SELECT path, hits FROM views.pages WHERE path IN ('/f', '/g');

--
-- Defaults of the view's own columns, or else the table's
--
ALTER VIEW views.secure ALTER tenant SET DEFAULT 'a';
ALTER TABLE views.pages ALTER tenant SET DEFAULT 'c';
SELECT missing_symbol.increment('views.secure', '/default'), missing_symbol.increment('views.pages', '/table');
SELECT path, tenant FROM views.pages WHERE path IN ('/default', '/table') ORDER BY path;
ALTER TABLE views.pages ALTER tenant SET DEFAULT 'a';

-- a view behind it has defaults, too: a key that one fills is none
CREATE TABLE views.filled (k text PRIMARY KEY, hits bigint NOT NULL DEFAULT 0);
CREATE VIEW views.filled_1 AS SELECT * FROM views.filled;
CREATE VIEW views.filled_2 AS SELECT hits, k FROM views.filled_1;
SELECT missing_symbol.increment('views.filled_2', 'a');
ALTER VIEW views.filled_1 ALTER k SET DEFAULT gen_random_uuid()::text;
SELECT split_part(pg_temp.try($$SELECT missing_symbol.increment('views.filled_2', 'a')$$), E'\n', 1);
ALTER VIEW views.filled_1 ALTER k DROP DEFAULT;
SELECT missing_symbol.increment('views.filled_2', 'a');

--
-- What the table fills: an identity, and what it computes, of columns that the view has in other places
--
CREATE TABLE views.made (a int, b int, c int, k text PRIMARY KEY, n bigint NOT NULL DEFAULT 0, g text GENERATED ALWAYS AS (k || 'x') STORED,
                         id int GENERATED ALWAYS AS IDENTITY, other int GENERATED BY DEFAULT AS IDENTITY);
CREATE VIEW views.made_view AS SELECT other, id, g, n, k FROM views.made;
SELECT key, count FROM missing_symbol.describe('views.made_view');
SELECT missing_symbol.increment('views.made_view', 'a'), missing_symbol.increment('views.made_view', 'a');
SELECT missing_symbol.increment_row('views.made_view', '{"k": "b", "other": 70}');
SELECT k, n, g, other FROM views.made_view ORDER BY k;
SELECT pg_temp.try(format('SELECT missing_symbol.track(%L, %s)', 'views.made_view', s)) FROM unnest(ARRAY[
    $$fill => '{g}'$$, $$fill => '{id}'$$, $$fill => '{other}'$$, $$count => 'id'$$, $$count => 'g'$$]) s;
CREATE TABLE views.wide (a int, b int, c int, n bigint NOT NULL DEFAULT 0, src text NOT NULL, g text GENERATED ALWAYS AS (src || 'x') STORED UNIQUE);
CREATE VIEW views.wide_view AS SELECT g, n FROM views.wide;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.wide_view', 'a')$$);
SELECT pg_temp.try($$SELECT missing_symbol.track('views.wide_view', key => '{g}')$$);

--
-- Settings are the view's own, and not all serve
--
CREATE TABLE views.spends (k text PRIMARY KEY, a int NOT NULL DEFAULT 7, b numeric NOT NULL DEFAULT 7, ip text, top int, at timestamptz, note text);
CREATE VIEW views.spend AS SELECT k AS who, a AS x, b AS y, ip, top, at, note, lower(note) AS low FROM views.spends;
SELECT missing_symbol.track('views.spends', count => 'a', apply => 'commit');
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.spend', 'ann')$$);
SELECT missing_symbol.configure('views.spend', '{"counts": ["y", "x"], "latest": ["ip"], "greatest": ["top"], "fill": ["note"]}');
SELECT missing_symbol.track('views.spend', last_seen => 'at');
SELECT key, count, last_seen, apply, fill, settings FROM missing_symbol.describe('views.spend');
SELECT missing_symbol.increment_row('views.spend', '{"who": "ann", "y": 0.5, "x": 2, "ip": "::1", "top": 5}'),
       missing_symbol.increment_row('views.spend', '{"who": "ann", "y": 0.25, "top": 3, "note": "N"}'),
       missing_symbol.increment_row('views.spend', '{"who": "ann", "x": 1, "ip": "::2", "note": "O"}'), missing_symbol.increment('views.spend', 'ann');
SELECT counts FROM missing_symbol.last_increment();
SELECT * FROM views.spends;
SELECT pg_temp.try(format('SELECT missing_symbol.track(%L, %s)', 'views.spend', s)) FROM unnest(ARRAY[
    $$apply => 'commit'$$, $$apply => 'buffer'$$, 'spill => true', $$fill => '{low}'$$, $$count => 'low'$$, $$key => '{x}'$$, $$key => '{low}'$$]) s;
SELECT pg_temp.try(format('SELECT missing_symbol.configure(%L, %L)', 'views.spend', s)) FROM unnest('{
    "{\"at_most\": 5}", "{\"bucket\": \"at\"}", "{\"limit_on\": \"x\"}", "{\"index\": \"spends_pkey\"}", "{\"defaults\": [\"who\"]}", "{\"latest\": [\"low\"]}"}'::text[]) s;
SELECT settings FROM missing_symbol.describe('views.spend');
-- which are refused whatever the table's indexes; and no hint names what is refused
CREATE TABLE views.partial (k text, hits int NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX partial_k ON views.partial (k) WHERE hits > 0;
CREATE UNIQUE INDEX partial_c ON views.partial (k COLLATE "POSIX");
CREATE VIEW views.of_partial AS SELECT * FROM views.partial;
SELECT pg_temp.try($$SELECT missing_symbol.configure('views.of_partial', '{"index": "partial_k"}')$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.of_partial', 'a')$$);
DO $$ BEGIN IF current_setting('server_version_num')::int >= 150000 THEN EXECUTE 'CREATE UNIQUE INDEX ON views.partial (k) NULLS NOT DISTINCT'; ELSE CREATE UNIQUE INDEX ON views.partial (k); END IF; END $$;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.of_partial', NULL)$$);
-- a throttle; and counting only what is there, which core's UPDATE does
SELECT missing_symbol.track('views.spend', throttle => '1 hour');
SELECT pg_temp.try($$SELECT missing_symbol.configure('views.spend', '{"insert": false}')$$);
SELECT missing_symbol.increment('views.spend', 'ann'), outcome, count FROM missing_symbol.last_increment();
SELECT outcome, count, last_seen FROM missing_symbol.last_increment();
SET missing_symbol.test_clock = '2026-03-01 15:00:00+00';
SELECT missing_symbol.increment('views.spend', 'ann');
SELECT missing_symbol.track('views.spend', throttle => '0');
SELECT missing_symbol.configure('views.spend', '{"insert": false}');
SELECT missing_symbol.increment('views.spend', 'ann'), missing_symbol.increment('views.spend', 'bob');
SELECT outcome FROM missing_symbol.last_increment();
SELECT * FROM missing_symbol.increment_many('views.spend', '{ann,bob,cid}');
SELECT missing_symbol.untrack('views.spend');
SELECT settings IS NULL AS cleared FROM missing_symbol.describe('views.pages');
-- a column that needs a value, and that the view does not show
CREATE TABLE views.needy (k text PRIMARY KEY, hits int NOT NULL DEFAULT 0, need text NOT NULL);
INSERT INTO views.needy VALUES ('a', 0, 'x');
CREATE VIEW views.needs AS SELECT k, hits FROM views.needy;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.needs', 'a')$$);
SELECT missing_symbol.configure('views.needs', '{"insert": false}');
SELECT missing_symbol.increment('views.needs', 'a'), missing_symbol.increment('views.needs', 'b');
-- the database fills the key
CREATE TABLE views.posts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, likes_count int NOT NULL DEFAULT 0, state text DEFAULT 'shown');
INSERT INTO views.posts (state) VALUES ('shown'), ('gone');
CREATE VIEW views.public_posts AS SELECT id AS post, likes_count FROM views.posts WHERE state = 'shown';
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.public_posts', 1)$$);
SELECT missing_symbol.track('views.public_posts', key => '{post}');
SELECT missing_symbol.increment('views.public_posts', 1), missing_symbol.increment('views.public_posts', 2), missing_symbol.increment('views.public_posts', 3);
SELECT * FROM views.posts ORDER BY id;
-- an identity beside the key, and one whose value the view says
CREATE TABLE views.numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k text UNIQUE NOT NULL, place int GENERATED BY DEFAULT AS IDENTITY, hits bigint NOT NULL DEFAULT 0);
CREATE VIEW views.numbers AS SELECT place, hits, k, id FROM views.numbered;
SELECT missing_symbol.increment('views.numbers', 'a'), missing_symbol.increment('views.numbers', 'a'), key, count FROM missing_symbol.describe('views.numbers');
ALTER VIEW views.numbers ALTER place SET DEFAULT 7;
SELECT missing_symbol.increment('views.numbers', 'b');
SELECT k, place, hits FROM views.numbered ORDER BY k;
-- a session's setting is for tables
SET missing_symbol.apply = commit;
BEGIN;
SELECT missing_symbol.increment('views.shown', '/now'), (missing_symbol.last_increment()).outcome;
SELECT hits FROM views.pages WHERE path = '/now';
COMMIT;
SELECT apply FROM missing_symbol.describe('views.shown');
RESET missing_symbol.apply;
-- what waits for the table is not shown by a view of it
SELECT missing_symbol.track('views.pages', apply => 'buffer');
SELECT missing_symbol.increment('views.pages', '/now'), missing_symbol.increment('views.shown', '/now');
SELECT missing_symbol.value('views.pages', '/now'), missing_symbol.value('views.shown', '/now');
SELECT missing_symbol.fold('views.pages'), missing_symbol.value('views.shown', '/now');
SELECT missing_symbol.untrack('views.pages');

--
-- What is for tables alone says so
--
SELECT s, pg_temp.try(s) FROM unnest(ARRAY[
    $$SELECT missing_symbol.increment_once('views.shown', 'token', '/a')$$,
    $$SELECT missing_symbol.increment_rows_once('views.shown', '{t}', '[{"page": "/a"}]')$$,
    $$SELECT missing_symbol.allow('views.shown', 5, '/a')$$,
    $$SELECT missing_symbol.remaining('views.shown', 5, '/a')$$,
    $$SELECT missing_symbol.reset('views.shown', '/a')$$,
    $$SELECT missing_symbol.set_count('views.shown', 5, '/a')$$,
    $$SELECT missing_symbol.reset_all(NULL::views.shown)$$,
    $$SELECT missing_symbol.discard('views.shown', '/a')$$,
    $$SELECT missing_symbol.discard_row('views.shown', '{"page": "/a"}')$$,
    $$SELECT missing_symbol.counter_report('views.shown')$$]) s;
CALL missing_symbol.prune('views.shown', '1 day', dry_run => true);

--
-- Other views are refused, and say why
--
CREATE VIEW views.joined AS SELECT p.path, p.hits FROM views.pages p JOIN views.posts q ON true;
CREATE VIEW views.grouped AS SELECT path, sum(hits) AS hits FROM views.pages GROUP BY path;
CREATE VIEW views.above AS SELECT * FROM views.grouped;
CREATE VIEW views.triggered AS SELECT path, hits FROM views.pages;
CREATE FUNCTION views.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON views.triggered FOR EACH ROW EXECUTE FUNCTION views.nothing();
CREATE VIEW views.ruled AS SELECT path, hits FROM views.pages;
CREATE RULE nothing AS ON UPDATE TO views.ruled DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW views.stored AS SELECT path, hits FROM views.pages;
CREATE VIEW views.system AS SELECT oid, relpages FROM pg_catalog.pg_class;
CREATE VIEW views.inward AS SELECT 1 AS k, 1 AS hits;
CREATE VIEW views.outward AS SELECT * FROM views.inward;
CREATE OR REPLACE VIEW views.inward AS SELECT * FROM views.outward;
CREATE VIEW views.keyless AS SELECT hits, tenant FROM views.pages;
CREATE VIEW views.computed AS SELECT lower(path) AS path, hits FROM views.pages;
CREATE VIEW views.countless AS SELECT path, hits + 1 AS hits, tenant FROM views.pages;
CREATE TABLE views.parent (k int PRIMARY KEY, hits int NOT NULL);
CREATE TABLE views.child () INHERITS (views.parent);
CREATE VIEW views.parents AS SELECT * FROM views.parent;
CREATE VIEW views.only_parents AS SELECT * FROM ONLY views.parent;
CREATE TABLE views.rules (k int PRIMARY KEY, hits int NOT NULL);
CREATE RULE nothing AS ON INSERT TO views.rules DO ALSO NOTHING;
CREATE VIEW views.of_rules AS SELECT * FROM views.rules;
CREATE FOREIGN DATA WRAPPER regress_views_none;
CREATE SERVER regress_views_none FOREIGN DATA WRAPPER regress_views_none;
CREATE FOREIGN TABLE views.afar (k int, hits int) SERVER regress_views_none;
CREATE VIEW views.of_afar AS SELECT * FROM views.afar;
SELECT v, pg_temp.try(format('SELECT missing_symbol.increment(%L, %L)', 'views.' || v, '1'))
FROM unnest('{joined,grouped,above,triggered,ruled,stored,system,inward,outward,keyless,computed,countless,parents,only_parents,of_rules,of_afar}'::text[]) v;
SELECT pg_temp.try($$SELECT missing_symbol.track('views.joined', count => 'hits')$$);
-- the children are no more
DROP TABLE views.child;
SELECT missing_symbol.increment('views.parents', 1);
CREATE TABLE views.child () INHERITS (views.parent);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.parents', 1)$$) LIKE '42809:%' AS refused;
DROP FOREIGN DATA WRAPPER regress_views_none CASCADE;

--
-- Nothing that was found out outlives a change
--
CREATE TABLE views.base (k text PRIMARY KEY, other text, hits int NOT NULL DEFAULT 0, more int NOT NULL DEFAULT 0);
CREATE VIEW views.change AS SELECT k, other, hits FROM views.base;
CREATE VIEW views.change_too AS SELECT * FROM views.change;
PREPARE all_three AS SELECT missing_symbol.increment('views.change', $1) AS view, missing_symbol.increment('views.change_too', $1) AS too, missing_symbol.increment('views.base', $1) AS base;
EXECUTE all_three('a');
ALTER VIEW views.change RENAME COLUMN k TO name;
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('views.change', '{"k": "a"}')$$), missing_symbol.increment_row('views.change', '{"name": "a"}'), missing_symbol.increment_row('views.change_too', '{"k": "a"}');
ALTER TABLE views.base RENAME COLUMN k TO key;
EXECUTE all_three('a');
CREATE OR REPLACE VIEW views.change AS SELECT key AS name, other, more AS hits FROM views.base;
EXECUTE all_three('a');
SELECT key, hits, more FROM views.base;
-- the table's indexes
ALTER TABLE views.base DROP CONSTRAINT base_pkey;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.change', 'a')$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.change_too', 'a')$$);
CREATE UNIQUE INDEX base_key ON views.base (key);
EXECUTE all_three('a');
CREATE UNIQUE INDEX base_other ON views.base (other);
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.change', 'a')$$);
SELECT missing_symbol.track('views.change', key => '{name}');
SELECT missing_symbol.increment('views.change', 'a'), pg_temp.try($$SELECT missing_symbol.increment('views.change_too', 'a')$$);
ALTER INDEX views.base_other RENAME TO base_another;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.change_too', 'a')$$);
DROP INDEX views.base_another;
SELECT missing_symbol.increment('views.change_too', 'a');
DROP INDEX views.base_key;
ALTER TABLE views.base ADD CONSTRAINT base_late UNIQUE (key) DEFERRABLE;
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.change_too', 'a')$$);
ALTER TABLE views.base DROP CONSTRAINT base_late, ADD CONSTRAINT base_now UNIQUE (key);
SELECT missing_symbol.increment('views.change_too', 'a');
-- swapped by rename: a view goes with its table
CREATE TABLE views.base_new (LIKE views.base INCLUDING ALL);
ALTER TABLE views.base RENAME TO base_old;
ALTER TABLE views.base_new RENAME TO base;
SELECT missing_symbol.increment('views.change', 'a'), missing_symbol.increment('views.base', 'a'), reason FROM missing_symbol.describe('views.change');
ALTER VIEW views.change RENAME TO renamed;
SELECT missing_symbol.increment('views.renamed', 'a'), missing_symbol.increment('views.change_too', 'a');
-- a table that becomes a view, and the other way
CREATE OR REPLACE VIEW views.renamed AS SELECT key AS name, other, more AS hits FROM views.base_old WHERE more > 5 OR other IS NULL;
SELECT missing_symbol.increment('views.renamed', 'a');
CREATE TRIGGER instead INSTEAD OF UPDATE ON views.renamed FOR EACH ROW EXECUTE FUNCTION views.nothing();
SELECT pg_temp.try($$SELECT missing_symbol.increment('views.renamed', 'a')$$), pg_temp.try($$SELECT missing_symbol.increment('views.change_too', 'a')$$);
DROP TRIGGER instead ON views.renamed;
SELECT missing_symbol.increment('views.renamed', 'a');
SELECT 'views.renamed'::regclass::oid AS dropped \gset
DROP VIEW views.renamed CASCADE;
SELECT pg_temp.try(format('SELECT missing_symbol.increment(%s::regclass, %L)', :dropped, 'a')) = '42P01: table with OID ' || :dropped || ' does not exist' || E'\n    It may have been dropped; name an existing table.' AS is_gone;
SELECT count(*) FROM missing_symbol.tracked WHERE target = :dropped;
-- within a transaction that is undone
CREATE VIEW views.change AS SELECT key AS name, hits FROM views.base;
SELECT missing_symbol.increment('views.change', 'b');
BEGIN;
CREATE OR REPLACE VIEW views.change AS SELECT key AS name, more AS hits FROM views.base;
SELECT missing_symbol.increment('views.change', 'b');
ROLLBACK;
SELECT missing_symbol.increment('views.change', 'b');

--
-- Who may count: the caller in the view, its owner in the table
--
CREATE ROLE regress_views_owner;
CREATE ROLE regress_views_caller;
GRANT USAGE, CREATE ON SCHEMA views TO regress_views_owner;
GRANT USAGE ON SCHEMA views TO regress_views_caller;
CREATE TABLE views.private (k text PRIMARY KEY, hits int NOT NULL DEFAULT 0, who text DEFAULT 'caller', last_seen timestamptz);
SET ROLE regress_views_owner;
CREATE VIEW views.door AS SELECT k, hits, who, last_seen FROM views.private WHERE who = 'caller';
RESET ROLE;
CREATE FUNCTION pg_temp.call(role name, statement text DEFAULT $$SELECT missing_symbol.increment('views.door', 'a')$$) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    answer := pg_temp.try(statement);
    RESET ROLE;
    RETURN answer;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.try TO PUBLIC;
SELECT pg_temp.call('regress_views_caller');
GRANT INSERT (k, hits, last_seen), UPDATE (hits, last_seen), SELECT (k, hits, last_seen) ON views.door TO regress_views_caller;
SELECT pg_temp.call('regress_views_caller');
GRANT INSERT, UPDATE ON views.private TO regress_views_owner;
SELECT pg_temp.call('regress_views_caller');
GRANT SELECT ON views.private TO regress_views_owner;
SELECT pg_temp.call('regress_views_caller'), pg_temp.call('regress_views_caller'), pg_temp.call('regress_views_caller', $$SELECT missing_symbol.value('views.door', 'a')$$);
REVOKE INSERT ON views.private FROM regress_views_owner;
SELECT pg_temp.call('regress_views_caller');
GRANT INSERT ON views.private TO regress_views_owner;
SELECT pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment('views.private', 'a')$$),
       pg_temp.call('regress_views_caller', $$SELECT missing_symbol.value('views.private', 'a')$$),
       pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment_row('views.door', '{"k": "a", "who": "x"}')$$),
       pg_temp.call('regress_views_caller', $$SELECT count(*) FROM missing_symbol.total(NULL::views.door)$$),
       pg_temp.call('regress_views_caller', $$SELECT missing_symbol.track('views.door', count => 'hits')$$),
       pg_temp.call('regress_views_owner', $$SELECT missing_symbol.track('views.door', count => 'hits')$$),
       pg_temp.call('regress_views_owner', $$SELECT missing_symbol.increment('views.door', 'a')$$);
REVOKE UPDATE (hits) ON views.door FROM regress_views_caller;
SELECT pg_temp.call('regress_views_caller');
GRANT UPDATE (hits) ON views.door TO regress_views_caller;
REVOKE SELECT (hits) ON views.door FROM regress_views_caller;
SELECT pg_temp.call('regress_views_caller'), pg_temp.call('regress_views_caller', $$SELECT missing_symbol.value('views.door', 'a')$$);
GRANT SELECT ON views.door TO regress_views_caller;
-- row security is of the view's owner, too
ALTER TABLE views.private ENABLE ROW LEVEL SECURITY;
SELECT pg_temp.call('regress_views_caller'), pg_temp.call('regress_views_caller', $$SELECT missing_symbol.value('views.door', 'a')$$);
CREATE POLICY short ON views.private TO regress_views_owner USING (length(k) < 3);
SELECT pg_temp.call('regress_views_caller'), pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment('views.door', 'long')$$);
SELECT * FROM views.private;
-- security_invoker: as the caller in both
SELECT current_setting('server_version_num')::int < 150000 AS before_15 \gset
DO $$ BEGIN IF current_setting('server_version_num')::int >= 150000 THEN ALTER VIEW views.door SET (security_invoker = true); END IF; END $$;
SELECT :'before_15' OR pg_temp.call('regress_views_caller') = '42501: permission denied for table private' AS refused;
GRANT INSERT, UPDATE, SELECT ON views.private TO regress_views_caller;
SELECT :'before_15' OR pg_temp.call('regress_views_caller') LIKE '42501: new row violates row-level security policy%' AS refused;
CREATE POLICY callers ON views.private TO regress_views_caller USING (k = 'a');
SELECT :'before_15' OR pg_temp.call('regress_views_caller') = '5' AS counted;
SELECT :'before_15' OR pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment('views.door', 'b')$$) LIKE '42501: new row violates row-level security policy%' AS refused;
REVOKE ALL ON views.private FROM regress_views_caller;
-- a barrier keeps what it hides from errors, too
CREATE TABLE views.secrets (k text PRIMARY KEY, hits smallint NOT NULL DEFAULT 0, mine boolean DEFAULT true);
INSERT INTO views.secrets VALUES ('mine', 32767, true), ('theirs', 32767, false);
CREATE VIEW views.barrier WITH (security_barrier) AS SELECT k, hits FROM views.secrets WHERE mine;
GRANT INSERT, UPDATE, SELECT ON views.barrier TO regress_views_caller;
SELECT pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment('views.barrier', 'mine')$$),
       pg_temp.call('regress_views_caller', $$SELECT missing_symbol.value('views.barrier', 'theirs')$$),
       pg_temp.call('regress_views_caller', $$SELECT missing_symbol.increment('views.barrier', 'theirs')$$) ~ '^(22003: smallint out of range|55000: conflicting row is not visible through view "barrier")$' AS as_core;

--
-- The same as plain ON CONFLICT, on a copy
--
CREATE TABLE views.ours (k int PRIMARY KEY, grp int NOT NULL, count bigint, note text, first_seen timestamptz, last_seen timestamptz);
INSERT INTO views.ours SELECT i, i % 3, i, NULL FROM generate_series(1, 30, 4) i;
CREATE TABLE views.cores (LIKE views.ours INCLUDING ALL);
INSERT INTO views.cores SELECT * FROM views.ours;
CREATE VIEW views.our_view AS SELECT note AS detail, k AS key, count, grp, first_seen, last_seen FROM views.ours WHERE grp < 2;
CREATE VIEW views.core_view AS SELECT note AS detail, k AS key, count, grp, first_seen, last_seen FROM views.cores WHERE grp < 2;
ALTER VIEW views.our_view ALTER grp SET DEFAULT 1;
ALTER VIEW views.core_view ALTER grp SET DEFAULT 1;
SELECT missing_symbol.track('views.our_view', fill => '{detail}');
DO $$
DECLARE
    r record;
    a text;
    b text;
BEGIN
    FOR r IN SELECT i, (i * 7919) % 41 AS key, (i * 104729) % 5 AS grp, (i * 31) % 7 - 3 AS amount FROM generate_series(1, 400) i LOOP
        CONTINUE WHEN r.amount = 0;
        PERFORM set_config('missing_symbol.test_clock', ('2026-03-01 12:00:00+00'::timestamptz + r.i * '1 second'::interval)::text, false);
        IF r.i % 2 = 0 THEN
            a := pg_temp.try(format('SELECT missing_symbol.increment_by(%L, %s, %s)', 'views.our_view', r.amount, r.key));
            b := pg_temp.try(format('INSERT INTO views.core_view AS t (key, count, first_seen, last_seen) VALUES (%s, %s, %L, %3$L)
                ON CONFLICT (key) DO UPDATE SET count = COALESCE(t.count, 0) + %2$s, last_seen = GREATEST(t.last_seen, %3$L) RETURNING count', r.key, r.amount, missing_symbol.clock()));
        ELSE
            a := pg_temp.try(format('SELECT missing_symbol.increment_row(%L, %L, %s)', 'views.our_view', jsonb_build_object('key', r.key, 'grp', r.grp, 'detail', r.i), r.amount));
            b := pg_temp.try(format('INSERT INTO views.core_view AS t (key, count, first_seen, last_seen, grp, detail) VALUES (%s, %s, %L, %3$L, %s, %L)
                ON CONFLICT (key) DO UPDATE SET count = COALESCE(t.count, 0) + %2$s, last_seen = GREATEST(t.last_seen, %3$L), detail = COALESCE(t.detail, excluded.detail) RETURNING count',
                r.key, r.amount, missing_symbol.clock(), r.grp, r.i));
        END IF;
        IF replace(a, 'our_view', 'core_view') IS DISTINCT FROM b THEN
            RAISE EXCEPTION 'key %: % but %', r.key, a, b;
        END IF;
    END LOOP;
END
$$;
SELECT count(*) > 35 AS many FROM views.ours;
(TABLE views.ours EXCEPT TABLE views.cores) UNION ALL (TABLE views.cores EXCEPT TABLE views.ours);

SET client_min_messages = error;
DROP OWNED BY regress_views_owner, regress_views_caller CASCADE;
DROP ROLE regress_views_owner, regress_views_caller;
DROP SCHEMA views CASCADE;
SELECT count(*) FROM missing_symbol.tracked WHERE target::regclass::text LIKE 'views.%';
