--
-- discard: what has not reached its row, thrown away; and keys that never could
-- reach one.  What it does against others is in test/specs/discard.spec, against
-- a crash in test/t/discard.pl.  Without a worker, so that nothing happens by
-- itself.
--
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.worker = off;
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null '(null)'
CREATE SCHEMA discard;
SET search_path = discard;
SET client_min_messages = error;	-- fillfactor

CREATE TABLE views (page text PRIMARY KEY, count bigint CHECK (count < 1000), note text);
CREATE VIEW aside AS
    SELECT 'buffered' AS store, target, key, delta, NULL AS error FROM missing_symbol.buffered WHERE target::text !~ '\.'
    UNION ALL SELECT 'spilled', target, key, delta, error FROM missing_symbol.spilled WHERE target::text !~ '\.';

--
-- What this transaction has deferred
--
SELECT missing_symbol.track('views', apply => 'commit', fill => '{note}');
SELECT missing_symbol.increment('views', '/a');
BEGIN;
SELECT missing_symbol.discard('views', '/a'), missing_symbol.discard_all('views');
SELECT missing_symbol.increment('views', '/a'), missing_symbol.increment_by('views', 5, '/b');
SELECT missing_symbol.discard('views', '/a');
SELECT missing_symbol.discard('views', '/a'), missing_symbol.value('views', '/a'), missing_symbol.value('views', '/b');
SELECT * FROM missing_symbol.total(NULL::views) ORDER BY page;
-- what is counted after it counts
SELECT missing_symbol.increment_by('views', 10, '/a');
COMMIT;
TABLE views;
-- all of it
BEGIN;
SELECT missing_symbol.increment('views', page) FROM unnest('{/a,/b,/c}'::text[]) page;
SELECT missing_symbol.discard_all('views');
SELECT * FROM missing_symbol.total(NULL::views) ORDER BY page;
COMMIT;
SELECT page, count FROM views ORDER BY page;

-- a savepoint brings back what was deferred before it, and that alone
BEGIN;
SELECT missing_symbol.increment_row('views', '{"page": "/s", "note": "outer"}', 2);
SAVEPOINT a;
SELECT missing_symbol.increment_by('views', 3, '/s');
SAVEPOINT b;
SELECT missing_symbol.increment_row('views', '{"page": "/s", "note": "inner"}', 4);
SELECT missing_symbol.discard('views', '/s'), missing_symbol.value('views', '/s');
SELECT missing_symbol.increment_by('views', 100, '/s'), missing_symbol.value('views', '/s');
ROLLBACK TO b;
SELECT missing_symbol.value('views', '/s');
SELECT missing_symbol.discard_all('views'), missing_symbol.value('views', '/s');
RELEASE b;
SELECT missing_symbol.value('views', '/s');
SELECT * FROM missing_symbol.total(NULL::views) ORDER BY page;
SELECT missing_symbol.increment_by('views', 50, '/s'), missing_symbol.value('views', '/s');
ROLLBACK TO a;
SELECT missing_symbol.value('views', '/s');
SAVEPOINT c;
SELECT missing_symbol.discard('views', '/s');
SAVEPOINT d;
SELECT missing_symbol.increment_row('views', '{"page": "/s", "note": "last"}', 7);
RELEASE d;
RELEASE c;
SELECT missing_symbol.value('views', '/s');
COMMIT;
SELECT * FROM views WHERE page = '/s';
-- discarded once at each level, and in an exception block
BEGIN;
SELECT missing_symbol.increment('views', '/t');
SAVEPOINT a;
SELECT missing_symbol.discard('views', '/t'), missing_symbol.increment_by('views', 2, '/t');
SAVEPOINT b;
SELECT missing_symbol.discard('views', '/t'), missing_symbol.increment_by('views', 3, '/t');
SAVEPOINT c;
SELECT missing_symbol.discard('views', '/t'), missing_symbol.discard('views', '/t'), missing_symbol.value('views', '/t');
RELEASE b;
SELECT missing_symbol.value('views', '/t');
ROLLBACK TO a;
SELECT missing_symbol.value('views', '/t');
DO $$
BEGIN
    PERFORM missing_symbol.discard('discard.views', '/t');
    RAISE EXCEPTION 'undone';
EXCEPTION WHEN raise_exception THEN
    PERFORM missing_symbol.increment('discard.views', '/t');
END
$$;
SELECT missing_symbol.value('views', '/t');
COMMIT;
SELECT * FROM views WHERE page = '/t';
-- nothing is left at the commit: neither rows nor deltas
BEGIN;
SELECT missing_symbol.increment('views', '/u');
SAVEPOINT a;
SELECT missing_symbol.discard('views', '/u');
RELEASE a;
SAVEPOINT b;
SELECT missing_symbol.increment('views', '/u');
SELECT missing_symbol.discard_all('views');
COMMIT;
SELECT * FROM views WHERE page = '/u';
TABLE aside;
-- what amounts to too much together does not once it is discarded
BEGIN;
SELECT missing_symbol.increment_by('views', 9223372036854775807, '/max');
SAVEPOINT a;
SELECT missing_symbol.discard('views', '/max');
SELECT missing_symbol.increment_by('views', 9223372036854775807, '/max'), missing_symbol.value('views', '/max');
ROLLBACK;
-- each role's
CREATE ROLE regress_discard_counts;
CREATE ROLE regress_discard_deletes;
CREATE ROLE regress_discard_none;
GRANT USAGE ON SCHEMA discard TO regress_discard_counts, regress_discard_deletes, regress_discard_none;
GRANT SELECT, INSERT, UPDATE ON views TO regress_discard_counts;
BEGIN;
SET LOCAL ROLE regress_discard_counts;
SELECT missing_symbol.increment('views', '/r');
RESET ROLE;
SELECT missing_symbol.increment('views', '/r');
SAVEPOINT a;
SELECT missing_symbol.discard('views', '/r');
ROLLBACK TO a;
SELECT missing_symbol.value('views', '/r');
SELECT missing_symbol.discard('views', '/r'), missing_symbol.value('views', '/r');
COMMIT;
SELECT * FROM views WHERE page = '/r';
-- not what is beyond the limit, which is in its row
SET missing_symbol.pending_limit = 0;
BEGIN;
SELECT missing_symbol.increment('views', '/over');
SELECT missing_symbol.discard('views', '/over');
COMMIT;
RESET missing_symbol.pending_limit;
SELECT * FROM views WHERE page = '/over';
-- in a trigger, as the transaction commits: what is not applied yet
CREATE TABLE also (page text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('also', apply => 'commit');
CREATE FUNCTION discards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        RAISE NOTICE '%: % discarded', NEW.page, missing_symbol.discard_all(TG_ARGV[0]::regclass);
    EXCEPTION WHEN object_in_use THEN
        RAISE NOTICE '%: %', NEW.page, SQLERRM;
    END;
    RETURN NULL;
END
$$;
CREATE TRIGGER discards AFTER INSERT ON also FOR EACH ROW EXECUTE FUNCTION discards('discard.also');
SET client_min_messages = notice;
BEGIN;
SELECT missing_symbol.increment('also', page) FROM unnest('{/a,/b,/c}'::text[]) page;
COMMIT;
SET client_min_messages = error;
TABLE also;

-- keys that are equal without being the same, and of several columns
CREATE TABLE many (a numeric, b text, day date, hits missing_symbol.counter, PRIMARY KEY (b, a, day));
SELECT missing_symbol.track('many', key => '{a,b,day}', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('many', 1.0, 'x', '2026-01-01'::date), missing_symbol.increment('many', 2, 'x', '2026-01-01'::date);
SELECT missing_symbol.discard('many', '1.00', 'x', '2026-01-01');
SELECT missing_symbol.discard_row('many', '{"b": "x", "day": "2026-01-01", "a": 2.000}');
COMMIT;
TABLE many;

--
-- What is set aside
--
SELECT missing_symbol.track('views', apply => 'buffer', spill => true);
TRUNCATE views;
SELECT missing_symbol.increment('views', '/a') FROM generate_series(1, 3);
SELECT missing_symbol.increment('views', '/b');
-- what fails is spilled
SELECT missing_symbol.increment_by('views', 1000, page) FROM unnest('{/b,/c}'::text[]) page;
SELECT missing_symbol.fold('views');
SELECT missing_symbol.increment('views', '/b') FROM generate_series(1, 2);
SELECT store, key, delta, error IS NOT NULL AS failed FROM aside ORDER BY 1, 2, 3;
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
BEGIN;
SELECT missing_symbol.increment('views', '/b');
SELECT missing_symbol.discard('views', '/b');
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
SAVEPOINT a;
SELECT missing_symbol.increment('views', '/b');
SELECT missing_symbol.discard_all('views');
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
ROLLBACK TO a;
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
ROLLBACK;
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT missing_symbol.discard('views', '/b'), missing_symbol.discard('views', '/b');
SELECT missing_symbol.value('views', '/b');
COMMIT;
SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page;
SELECT missing_symbol.discard('views', '/nowhere');
SELECT missing_symbol.discard_all('views');
TABLE aside;
SELECT missing_symbol.fold('views');
SELECT page, count FROM views ORDER BY page;
-- appended at once, in this transaction
BEGIN;
SET LOCAL missing_symbol.pending_limit = 0;
SELECT missing_symbol.increment('views', '/now');
SELECT store, key, delta FROM aside;
SAVEPOINT a;
SELECT missing_symbol.discard('views', '/now');
TABLE aside;
ROLLBACK TO a;
SELECT store, key, delta FROM aside;
ROLLBACK;

--
-- Rights: those of a DELETE, whoever has counted
--
SET ROLE regress_discard_counts;
SELECT missing_symbol.increment('views', '/r');
\set VERBOSITY default
SELECT missing_symbol.discard('views', '/r');
SELECT missing_symbol.discard_all('views');
\set VERBOSITY terse
SET ROLE regress_discard_none;
SELECT missing_symbol.discard('views', '/r');
SELECT missing_symbol.discard_row('views', '{"page": "/r"}');
SELECT missing_symbol.discard_all('views');
RESET ROLE;
GRANT DELETE ON views TO regress_discard_deletes;
SET ROLE regress_discard_deletes;
SELECT missing_symbol.discard('views', '/r'), missing_symbol.discard_all('views');
SELECT missing_symbol.discard_all('views');
RESET ROLE;
GRANT SELECT (count) ON views TO regress_discard_deletes;
SET ROLE regress_discard_deletes;
SELECT missing_symbol.discard('views', '/r');
BEGIN;
SELECT missing_symbol.discard_all('views');
ROLLBACK;
RESET ROLE;
GRANT SELECT (page) ON views TO regress_discard_deletes;
SET ROLE regress_discard_deletes;
SELECT missing_symbol.discard('views', '/r');
RESET ROLE;
-- row security: its owner alone, whom it may apply to as well
GRANT DELETE, SELECT ON views TO regress_discard_counts;
SELECT missing_symbol.increment('views', '/r') FROM generate_series(1, 2);
ALTER TABLE views ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON views USING (true);
SET ROLE regress_discard_counts;
\set VERBOSITY default
SELECT missing_symbol.discard('views', '/r');
SELECT missing_symbol.discard_all('views');
\set VERBOSITY terse
SET row_security = off;
SELECT missing_symbol.discard('views', '/r');
RESET row_security;
RESET ROLE;
CREATE TABLE owned (page text PRIMARY KEY, count bigint);
ALTER TABLE owned OWNER TO regress_discard_counts;
SELECT missing_symbol.track('owned', apply => 'buffer');
SELECT missing_symbol.increment('owned', page) FROM unnest('{/a,/b}'::text[]) page;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE regress_discard_counts;
SELECT missing_symbol.discard('owned', '/a'), missing_symbol.discard_all('owned');
RESET ROLE;
ALTER ROLE regress_discard_counts BYPASSRLS;
SET ROLE regress_discard_counts;
SELECT missing_symbol.discard('views', '/r');
RESET ROLE;
ALTER TABLE views DISABLE ROW LEVEL SECURITY;

--
-- What can never be merged
--
-- its parent is gone
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE likes (post int PRIMARY KEY REFERENCES posts, count bigint);
SELECT missing_symbol.track('likes', apply => 'buffer');
INSERT INTO posts VALUES (1), (2);
SELECT missing_symbol.increment('likes', post) FROM generate_series(1, 2) post;
DELETE FROM posts WHERE id = 1;
SELECT missing_symbol.fold('likes');
SELECT key, delta, error FROM aside;
SELECT missing_symbol.discard('likes', 1);
SELECT * FROM missing_symbol.total(NULL::likes);
-- its partition is dropped
CREATE TABLE days (day date PRIMARY KEY, count bigint) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
SELECT missing_symbol.track('days', apply => 'buffer');
SELECT missing_symbol.increment('days', '2026-01-05'::date);
DROP TABLE days_1;
SELECT missing_symbol.fold('days');
SELECT key, delta, error FROM aside;
SELECT missing_symbol.discard('days', '2026-01-05');
-- a domain has come to refuse the key: it is only looked for
CREATE DOMAIN site AS text;
CREATE TABLE sites (site site PRIMARY KEY, count bigint);
SELECT missing_symbol.track('sites', apply => 'buffer');
SELECT missing_symbol.increment('sites', site) FROM unnest('{evil,worse}'::text[]) site;
ALTER DOMAIN site ADD CHECK (VALUE NOT IN ('evil', 'worse')) NOT VALID;
SELECT missing_symbol.fold('sites');
SELECT key, delta, error FROM aside ORDER BY key;
SELECT missing_symbol.discard('sites', 'evil'), missing_symbol.discard_row('sites', '{"site": "worse"}');
-- a column that was given is gone, or cannot be read any more
CREATE TABLE notes (page text PRIMARY KEY, count bigint, a text, b text);
SELECT missing_symbol.track('notes', apply => 'buffer');
SELECT missing_symbol.increment_row('notes', '{"page": "/a", "a": "x", "b": "no number"}');
ALTER TABLE notes DROP a, ALTER b TYPE int USING 0;
SELECT missing_symbol.fold('notes');
SELECT key, delta, error FROM aside;
SELECT missing_symbol.discard('notes', '/a');
-- the key has other columns, or its column is gone, or there is no key: all or
-- nothing, as that reads no key
CREATE TABLE keys (a int, b int, count bigint, PRIMARY KEY (a, b));
SELECT missing_symbol.track('keys', apply => 'buffer');
SELECT missing_symbol.increment('keys', 1, 2), missing_symbol.increment('keys', 1, 3);
ALTER TABLE keys DROP b, ADD PRIMARY KEY (a);
SELECT missing_symbol.discard('keys', 1);
\set VERBOSITY default
SELECT * FROM missing_symbol.total(NULL::keys);
\set VERBOSITY terse
ALTER TABLE keys DROP CONSTRAINT keys_pkey;
SELECT missing_symbol.discard('keys', 1);
BEGIN;
SELECT missing_symbol.discard_all('keys');
ROLLBACK;
CREATE RULE nothing AS ON DELETE TO keys DO INSTEAD NOTHING;
SELECT missing_symbol.discard_all('keys');
-- nor can another key be read, where one's text does not tell which it is
CREATE TABLE numbers (n numeric PRIMARY KEY, count bigint);
INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
SELECT 'numbers', -3750763034362895579, ARRAY[key], current_user, 1, now(), now(), gen_random_uuid() FROM unnest('{1.0,no number}'::text[]) key;
SELECT missing_symbol.discard('numbers', 1);
SELECT missing_symbol.discard_all('numbers');
-- deferred, and the key has changed since
CREATE TABLE changes (k int PRIMARY KEY, count bigint);
SELECT missing_symbol.track('changes', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('changes', 1);
ALTER TABLE changes ALTER k TYPE text;
SAVEPOINT a;
SELECT missing_symbol.discard('changes', '1');
ROLLBACK TO a;
SELECT missing_symbol.discard_all('changes');
COMMIT;
TABLE changes;
-- a table that is none to count in
SELECT missing_symbol.discard_all('aside'), missing_symbol.discard_all('views_pkey');
TABLE aside;

--
-- Where it is named
--
SELECT missing_symbol.increment('views', '/a');
\set VERBOSITY default
SELECT missing_symbol.track('views', key => '{page}');
SELECT missing_symbol.track('views', apply => 'now', spill => false, throttle => '1 hour');
SET client_min_messages = warning;
ALTER TABLE views RENAME count TO counted;
SELECT missing_symbol.fold();
SELECT missing_symbol.flush();
ALTER TABLE views RENAME counted TO count;
SET client_min_messages = error;
\set VERBOSITY terse
SELECT missing_symbol.discard_all('views');
SELECT missing_symbol.track('views', key => '{page}');

--
-- Mistakes
--
SELECT missing_symbol.discard(NULL, 'x');
SELECT missing_symbol.discard_row(NULL, '{}');
SELECT missing_symbol.discard_all(NULL);
SELECT missing_symbol.discard(0, 'x');
SELECT missing_symbol.discard_all(0);
SELECT missing_symbol.discard('views', NULL::text);
SELECT missing_symbol.discard('views');
SELECT missing_symbol.discard('views', '/a', '/b');
SELECT missing_symbol.discard('many', 1.0, 'x');
SELECT missing_symbol.discard('likes', 'x');
SELECT missing_symbol.discard('aside', 'x');
\set VERBOSITY default
SELECT missing_symbol.discard_row('views', NULL);
SELECT missing_symbol.discard_row('views', '["/a"]');
SELECT missing_symbol.discard_row('views', '{"page": "/a", "note": "x"}');
SELECT missing_symbol.discard_row('views', '{"page": "/a", "nowhere": "x"}');
SELECT missing_symbol.discard_row('views', '{"page": null}');
SELECT missing_symbol.discard_row('many', '{"a": 1}');
SELECT missing_symbol.discard_row('many', '{"a": 1, "b": "x", "day": "never"}');
\set VERBOSITY terse
BEGIN READ ONLY;
SELECT missing_symbol.discard('views', '/a');
ROLLBACK;
BEGIN READ ONLY;
SELECT missing_symbol.discard_all('views');
ROLLBACK;
-- keys of other types, by name and by position
CREATE TABLE lists (k text[], c "char", count bigint, PRIMARY KEY (k, c));
SELECT missing_symbol.track('lists', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment_row('lists', '{"k": ["a", null, "b c"], "c": "x"}');
SELECT missing_symbol.discard_row('lists', '{"k": ["a", null, "b c"], "c": "y"}'), missing_symbol.discard_row('lists', '{"k": ["a", null, "b c"], "c": "x"}');
SELECT missing_symbol.increment_row('lists', '{"k": ["a", null, "b c"], "c": "x"}');
SELECT missing_symbol.discard('lists', '{a,NULL,"b c"}', 'x');
COMMIT;
TABLE lists;
-- in code of what is being merged
SELECT missing_symbol.track('also', apply => 'buffer');
DELETE FROM also;
SELECT missing_symbol.increment('also', '/a');
SET client_min_messages = notice;
SELECT missing_symbol.fold('also');
SET client_min_messages = error;
TABLE also;
-- in code that compares keys
CREATE TYPE own AS (n int);
CREATE FUNCTION own_cmp(own, own) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('discard.tries', true) = 'yes' THEN
        PERFORM missing_symbol.discard_all('discard.owns');
    END IF;
    RETURN pg_catalog.btint4cmp($1.n, $2.n);
END
$$;
CREATE FUNCTION own_lt(own, own) RETURNS bool LANGUAGE sql AS 'SELECT $1.n < $2.n';
CREATE FUNCTION own_eq(own, own) RETURNS bool LANGUAGE sql AS 'SELECT $1.n = $2.n';
CREATE OPERATOR <# (FUNCTION = own_lt, LEFTARG = own, RIGHTARG = own);
CREATE OPERATOR =# (FUNCTION = own_eq, LEFTARG = own, RIGHTARG = own);
CREATE OPERATOR CLASS own_ops FOR TYPE own USING btree AS OPERATOR 1 <#, OPERATOR 3 =#, FUNCTION 1 own_cmp(own, own);
CREATE TABLE owns (k own, count bigint);
CREATE UNIQUE INDEX ON owns (k own_ops);
SELECT missing_symbol.track('owns', key => '{k}', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('owns', ROW(1)::own), missing_symbol.increment('owns', ROW(2)::own);
SAVEPOINT a;
SET LOCAL discard.tries = yes;
\set VERBOSITY default
SELECT missing_symbol.increment('owns', ROW(2)::own);
\set VERBOSITY terse
ROLLBACK TO a;
SELECT missing_symbol.discard('owns', ROW(2)::own);
COMMIT;
TABLE owns;

--
-- Keys that are too wide for their index can never reach a row: refused at the
-- call, in every mode
--
CREATE TABLE wide (k text PRIMARY KEY, count bigint);
CREATE FUNCTION wide(bytes int) RETURNS text LANGUAGE sql AS
    'SELECT substr(string_agg(md5(i::text), '''' ORDER BY i), 1, bytes) FROM generate_series(1, bytes / 32 + 1) i';
SELECT missing_symbol.increment('wide', wide(4800));
SELECT missing_symbol.track('wide', apply => 'commit');
SELECT missing_symbol.increment('wide', wide(4800));
SELECT missing_symbol.track('wide', apply => 'buffer');
\set VERBOSITY default
SELECT missing_symbol.increment('wide', wide(4800));
\set VERBOSITY terse
SELECT * FROM missing_symbol.increment_many('wide', ARRAY['narrow', wide(4800)]);
-- of a value that is not in its row either
CREATE TABLE texts (t text);
ALTER TABLE texts ALTER t SET STORAGE EXTERNAL;
INSERT INTO texts SELECT wide(4800);
SELECT missing_symbol.increment('wide', t) FROM texts;
BEGIN;
SET LOCAL missing_symbol.pending_limit = 0;
SELECT missing_symbol.increment('wide', wide(4800));
ROLLBACK;
TABLE aside;
-- what is compressed well enough has room; and the widest that has some, whole
SELECT missing_symbol.increment('wide', repeat('x', 100000));
SELECT missing_symbol.increment('wide', wide(n)) FROM generate_series(2500, 2691, 191) n;
SELECT missing_symbol.increment('wide', wide(2693));
SELECT missing_symbol.fold('wide');
SELECT length(k), count FROM wide ORDER BY 1;
TABLE aside;
-- of several columns, and with more in the index
CREATE TABLE wider (a text, b text, c text, count bigint);
CREATE UNIQUE INDEX ON wider (a, b) INCLUDE (c);
SELECT missing_symbol.track('wider', apply => 'buffer');
SELECT missing_symbol.increment('wider', wide(1300), wide(1300));
SELECT missing_symbol.increment('wider', wide(1400), wide(1400));
SELECT missing_symbol.fold('wider');
SELECT length(a), length(b), count FROM wider;

-- a key is given whole, though what counts may leave out its last columns
CREATE TABLE daily (page text, day date DEFAULT '2026-01-01', count bigint, PRIMARY KEY (page, day));
SELECT missing_symbol.track('daily', apply => 'buffer'), missing_symbol.configure('daily', '{"defaults": ["day"]}');
SELECT missing_symbol.increment('daily', '/a');
SELECT missing_symbol.discard('daily', '/a');
SELECT missing_symbol.discard_row('daily', '{"page": "/a"}');
SELECT missing_symbol.discard_row('daily', '{"page": "/a", "day": "2026-01-01"}');

--
-- A test suite begins each test anew: before it empties the tables
--
SELECT missing_symbol.increment('views', '/a'), missing_symbol.increment('also', '/b');
SELECT sum(missing_symbol.discard_all(target)) FROM missing_symbol.tracked WHERE target::text !~ '\.';
TRUNCATE views, also;
SELECT missing_symbol.fold('views'), missing_symbol.fold('also');
TABLE views;
TABLE also;

--
-- At the COMMIT: what waits still is discarded; what has come to its row is there
--
CREATE TABLE late (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE FUNCTION discard_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% %: % and %', TG_OP, NEW.k, missing_symbol.discard('late', NEW.k), missing_symbol.discard_all('also');
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION discard_late();
SELECT missing_symbol.track('late', apply => 'commit'), missing_symbol.track('also', apply => 'commit');
BEGIN;
SELECT missing_symbol.increment('also', '/b'), missing_symbol.increment('late', 'a'), missing_symbol.increment('late', 'b');
INSERT INTO late VALUES ('a', 5);
SET client_min_messages = notice;
COMMIT;
SET client_min_messages = warning;
TABLE late ORDER BY k;
TABLE also;

DROP SCHEMA discard CASCADE;
DROP ROLE regress_discard_counts, regress_discard_deletes, regress_discard_none;
