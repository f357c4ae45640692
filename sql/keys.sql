--
-- Keys that configure() names: partial unique indexes, expressions, generated
-- columns.  (NULLS NOT DISTINCT: nulls_not_distinct.)
--
SET TimeZone = 'UTC';
SET missing_symbol.test_clock = '2026-03-01 12:00:00+00';
SET missing_symbol.worker = off;
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\i `echo "$PG_ABS_SRCDIR/sql/include/try_detail.sql"`
CREATE SCHEMA keys;

--
-- Soft deletes: who has been deleted is not counted, and may come again
--
CREATE TABLE keys.users (id bigserial PRIMARY KEY, email text NOT NULL, logins int NOT NULL DEFAULT 0, deleted_at timestamptz);
CREATE UNIQUE INDEX users_email ON keys.users (email) WHERE deleted_at IS NULL;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.users', 'ann')$$);
SELECT missing_symbol.configure('keys.users', '{"index": "users_email"}');
SELECT key, count, settings FROM missing_symbol.describe('keys.users');
SELECT missing_symbol.increment('keys.users', 'ann'), missing_symbol.increment('keys.users', 'ann'), missing_symbol.increment('keys.users', 'bob');
UPDATE keys.users SET deleted_at = '2026-01-01 00:00:00+00' WHERE email = 'ann';
SELECT missing_symbol.value('keys.users', 'ann'), missing_symbol.value('keys.users', 'bob');
SELECT missing_symbol.increment('keys.users', 'ann'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment_by('keys.users', 5, 'ann'), missing_symbol.increment_many('keys.users', '{ann,bob,ann,cid}'),
       missing_symbol.increment_rows('keys.users', '[{"email": "cid"}, {"email": "bob", "deleted_at": null}]');
SELECT missing_symbol.value('keys.users', 'ann'), missing_symbol.value('keys.users', 'cid');
SELECT email, logins, deleted_at FROM keys.users ORDER BY 1, 2;
-- a row outside of the index would not be found again
SELECT pg_temp.try(format('SELECT missing_symbol.increment_row(''keys.users'', %L)', fields)) FROM unnest('{
    "{\"email\": \"new\", \"deleted_at\": \"2026-01-01\"}", "{\"email\": \"ann\", \"deleted_at\": \"2026-01-01\"}", "{\"deleted_at\": null}"}'::text[]) fields;
ALTER TABLE keys.users ALTER deleted_at SET DEFAULT now();
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.users', 'new')$$);
SELECT missing_symbol.increment('keys.users', 'bob'), missing_symbol.increment_row('keys.users', '{"email": "new", "deleted_at": null}');
ALTER TABLE keys.users ALTER deleted_at DROP DEFAULT;
SELECT count(*) FROM keys.users;

--
-- Expressions: one key, however it is spelled; the row has the first
--
CREATE TABLE keys.accounts (gone int, id bigserial PRIMARY KEY, email text, gone2 int, count bigint, name text, created_at timestamptz);
ALTER TABLE keys.accounts DROP gone, DROP gone2;
CREATE UNIQUE INDEX accounts_email ON keys.accounts (lower(email));
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.accounts', 'Ann')$$);
SELECT missing_symbol.configure('keys.accounts', '{"index": "accounts_email"}'), missing_symbol.track('keys.accounts', fill => '{name}');
SELECT missing_symbol.increment('keys.accounts', 'Ann'), missing_symbol.increment('keys.accounts', 'aNN');
SELECT missing_symbol.increment_row('keys.accounts', '{"email": "ANN", "name": "Ann"}'), missing_symbol.increment_by('keys.accounts', -1, 'ann');
SELECT missing_symbol.increment_amount('keys.accounts', 10, 'ANn'), missing_symbol.increment_many('keys.accounts', ARRAY['Bob', 'BOB', 'bob', 'ann']);
SELECT missing_symbol.increment_rows('keys.accounts', '[{"email": "C"}, {"email": "c", "name": "Cid"}, {"email": "Ann", "name": "no"}]', '{1,20,300}');
SELECT missing_symbol.value('keys.accounts', 'ann'), missing_symbol.value('keys.accounts', 'BOB'), missing_symbol.value('keys.accounts', 'nobody');
SELECT email, count, name, created_at FROM keys.accounts ORDER BY id;
SELECT pg_temp.try(statement) FROM unnest(ARRAY[$$SELECT missing_symbol.increment('keys.accounts', NULL)$$, $$SELECT missing_symbol.increment_row('keys.accounts', '{"email": null}')$$,
    $$SELECT missing_symbol.increment_row('keys.accounts', '{"name": "x"}')$$, $$SELECT missing_symbol.value('keys.accounts', NULL)$$,
    $$SELECT missing_symbol.increment('keys.accounts', 'a', 'b')$$, $$SELECT missing_symbol.increment_row('keys.accounts', '{"email": "x", "id": 1}')$$]) statement;

-- NULL in a column that the key does not become null by
CREATE TABLE keys.members (member int NOT NULL, team int, count int NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX members_team ON keys.members (member, COALESCE(team, 0));
SELECT missing_symbol.configure('keys.members', '{"index": "members_team"}');
SELECT pg_temp.try(statement) FROM unnest(ARRAY[$$SELECT missing_symbol.increment('keys.members', 1, NULL)$$, $$SELECT missing_symbol.value('keys.members', 1, NULL)$$,
    $$SELECT missing_symbol.discard('keys.members', '1', NULL)$$, $$SELECT missing_symbol.increment_many('keys.members', '{1}'::int[])$$,
    $$SELECT missing_symbol.increment_row('keys.members', '{"member": 1, "team": null}')$$, $$SELECT missing_symbol.increment_row('keys.members', '{"member": 1, "team": 0}')$$,
    $$SELECT missing_symbol.increment_row('keys.members', '{"member": 1}')$$, $$SELECT missing_symbol.increment_row('keys.members', '{"member": null, "team": 1}')$$,
    $$SELECT missing_symbol.track('keys.members', key => '{team}')$$, $$SELECT missing_symbol.track('keys.members', key => '{team,member,count}')$$,
    $$SELECT missing_symbol.track('keys.members', key => '{team,member}')$$,
    $$SELECT missing_symbol.increment('keys.members', NULL, 1)$$, $$SELECT missing_symbol.increment('keys.members', 5::int, 1)$$, $$SELECT missing_symbol.value('keys.members', 0, 1)$$,
    $$SELECT missing_symbol.track('keys.members', key => '{}')$$, $$SELECT missing_symbol.increment('keys.members', NULL, 1)$$]) statement;
TABLE keys.members ORDER BY count;

--
-- Generated columns: computed of what they are made of
--
CREATE TABLE keys.urls (url text NOT NULL, h text GENERATED ALWAYS AS (md5(url)) STORED UNIQUE, count int NOT NULL DEFAULT 0);
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('keys.urls', '{"url": "/"}')$$);
SELECT missing_symbol.track('keys.urls', key => '{h}');
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.urls', '/')$$);
SELECT missing_symbol.configure('keys.urls', '{"index": "urls_h_key"}');
SELECT key FROM missing_symbol.describe('keys.urls');
SELECT missing_symbol.increment('keys.urls', '/'), missing_symbol.increment_row('keys.urls', '{"url": "/"}'), missing_symbol.increment_many('keys.urls', '{/,/a,/a}'), missing_symbol.value('keys.urls', '/');
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('keys.urls', '{"url": "/", "h": "x"}')$$);
SELECT url, h = md5(url) AS h, count FROM keys.urls ORDER BY url;
-- expressions of a generated column, of another type, under another collation, with more in the index
CREATE DOMAIN keys.word AS varchar(5) CHECK (VALUE <> 'bad');
CREATE TABLE keys.mixed (w keys.word, h text GENERATED ALWAYS AS (w || 'H') STORED, j jsonb, live boolean DEFAULT true, note text, hits missing_symbol.counter);
CREATE UNIQUE INDEX mixed_key ON keys.mixed ((lower(h) COLLATE "C") DESC NULLS FIRST, (j ->> 'a'), (length(h) + 1)) INCLUDE (note) WHERE live AND w <> 'no';
SELECT missing_symbol.configure('keys.mixed', '{"index": "mixed_key"}'), missing_symbol.track('keys.mixed', key => '{w,j}');
SELECT missing_symbol.increment('keys.mixed', 'x', '{"a": 1}'::jsonb), missing_symbol.increment('keys.mixed', 'X', '{"a": 1, "b": 2}'::jsonb), missing_symbol.increment('keys.mixed', 'x', '{"a": 2}'::jsonb);
SELECT pg_temp.try(format('SELECT missing_symbol.increment_row(''keys.mixed'', %L)', fields))
FROM unnest(ARRAY['{"w": "bad", "j": {"a": 1}}', '{"w": "no", "j": {"a": 1}}', '{"w": "x", "j": {"a": 1}, "live": false}', '{"w": "x", "j": {"a": 1}, "live": true}', '{"w": "x", "j": {"b": 1}}', '{"w": "toolong", "j": {"a": 1}}']) fields;
SELECT missing_symbol.value('keys.mixed', 'bad', '{"a": 1}'), missing_symbol.value('keys.mixed', 'X', '{"a": 1}'), missing_symbol.discard_row('keys.mixed', '{"w": "bad", "j": {"a": 1}}');
SELECT w, j, missing_symbol.hits(hits) FROM keys.mixed ORDER BY 3 DESC;

--
-- What can be named, and what beside it
--
CREATE TABLE keys.beside (a text, b text COLLATE "C", count int, seen boolean, d text);
CREATE UNIQUE INDEX beside_full ON keys.beside (a);
CREATE UNIQUE INDEX beside_part ON keys.beside (a) WHERE d IS NULL;
CREATE UNIQUE INDEX beside_count ON keys.beside (b) WHERE count > 0;
CREATE UNIQUE INDEX beside_expr ON keys.beside ((count + 1));
CREATE UNIQUE INDEX beside_coll ON keys.beside (a COLLATE "POSIX");
CREATE UNIQUE INDEX beside_row ON keys.beside ((beside.* IS NULL));
CREATE UNIQUE INDEX beside_const ON keys.beside ((1));
CREATE UNIQUE INDEX beside_twice ON keys.beside (a, a);
CREATE INDEX beside_plain ON keys.beside (a);
SELECT i, pg_temp.try(format('SELECT missing_symbol.configure(''keys.beside'', %L)', jsonb_build_object('index', i)))
FROM unnest('{beside_part,beside_count,beside_expr,beside_coll,beside_row,beside_const,beside_twice,beside_plain,nothing,beside_full}'::text[]) i;
SELECT pg_temp.try($$SELECT missing_symbol.configure('keys.beside', '{"index": 1}')$$);
DROP INDEX keys.beside_full, keys.beside_row, keys.beside_const, keys.beside_expr, keys.beside_twice, keys.beside_coll;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.beside', 'x')$$);
-- narrower ones and equal ones do no harm
CREATE UNIQUE INDEX beside_same ON keys.beside (a) WHERE (d IS NULL);
CREATE UNIQUE INDEX beside_narrow ON keys.beside (a) WHERE d IS NULL AND seen;
SELECT missing_symbol.configure('keys.beside', '{"index": "beside_part"}');
SELECT missing_symbol.increment('keys.beside', 'x'), missing_symbol.increment_row('keys.beside', '{"a": "x", "seen": true}');
SELECT pg_temp.try($$SELECT missing_symbol.configure('keys.beside', '{"index": "beside_narrow"}')$$),
       pg_temp.try($$SELECT missing_symbol.track('keys.beside', fill => '{d}')$$);
-- an index that comes later
CREATE UNIQUE INDEX beside_late ON keys.beside (a);
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.beside', 'x')$$);
DROP INDEX keys.beside_late;
-- deferrable
ALTER TABLE keys.beside ADD CONSTRAINT beside_later UNIQUE (b) DEFERRABLE;
SELECT pg_temp.try($$SELECT missing_symbol.configure('keys.beside', '{"index": "beside_later"}')$$);
DROP INDEX keys.beside_part;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.beside', 'x')$$);
SELECT missing_symbol.configure('keys.beside', '{"index": "beside_same"}');
SELECT missing_symbol.increment('keys.beside', 'x');

-- what track() is yet to name is a warning: it can name nothing before
CREATE TABLE keys.unnamed (email text, "N of" bigint, seen timestamptz) WITH (fillfactor = 70);
CREATE UNIQUE INDEX unnamed_key ON keys.unnamed (lower(email));
SELECT pg_temp.try($$SELECT missing_symbol.track('keys.unnamed', key => '{email}', count => 'N of')$$);
SET client_min_messages = warning;
SELECT missing_symbol.configure('keys.unnamed', '{"index": "unnamed_key"}');
SET client_min_messages = error;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.unnamed', 'a')$$);
SELECT missing_symbol.track('keys.unnamed', count => 'N of', last_seen => 'seen');
SELECT missing_symbol.increment('keys.unnamed', 'a'), missing_symbol.increment('keys.unnamed', 'A');

--
-- Whatever waits: at the commit, in the buffer
--
SELECT missing_symbol.track('keys.members', key => '{member,team}');
CREATE FUNCTION keys.wait(spelled int) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', missing_symbol.increment('keys.users', 'ann'), (missing_symbol.last_increment()).outcome, missing_symbol.increment('keys.accounts', CASE spelled WHEN 1 THEN 'Eve' ELSE 'EVE' END),
        missing_symbol.increment_row('keys.accounts', '{"email": "eVE", "name": "Eve"}'), missing_symbol.increment('keys.members', 7, CASE spelled WHEN 1 THEN NULL ELSE 0 END),
        missing_symbol.increment('keys.urls', '/new'), missing_symbol.increment('keys.mixed', CASE spelled WHEN 1 THEN 'y' ELSE 'Y' END, jsonb_build_object('a', 1, 'b', spelled)))
$$;
CREATE FUNCTION keys.look() RETURNS TABLE (t text, k text, n bigint) LANGUAGE sql AS $$
    SELECT 'users', email || COALESCE(deleted_at::date::text, ''), logins FROM missing_symbol.total(NULL::keys.users) UNION ALL
    SELECT 'accounts', email || ' ' || name, count FROM missing_symbol.total(NULL::keys.accounts) UNION ALL
    SELECT 'members', member || ' ' || COALESCE(team::text, 'null'), count FROM missing_symbol.total(NULL::keys.members) UNION ALL
    SELECT 'urls', url || ' ' || (h = md5(url)), count FROM missing_symbol.total(NULL::keys.urls) UNION ALL
    SELECT 'mixed', w || ' ' || j::text || h, missing_symbol.hits(hits) FROM missing_symbol.total(NULL::keys.mixed) ORDER BY 1, 2
$$;
CREATE FUNCTION keys.read() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', missing_symbol.value('keys.users', 'ann'), missing_symbol.value('keys.accounts', 'eve'), missing_symbol.value('keys.members', 7, 0), missing_symbol.value('keys.members', 7, NULL),
        missing_symbol.value('keys.urls', '/new'), missing_symbol.value('keys.mixed', 'Y', '{"a": 1}'))
$$;
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT keys.wait(1);
SAVEPOINT s;
SELECT keys.wait(2);
SELECT keys.read();
ROLLBACK TO s;
SELECT keys.wait(2);
SELECT keys.read();
SELECT * FROM keys.look();
SELECT missing_symbol.discard('keys.accounts', 'EvE'), missing_symbol.discard_row('keys.members', '{"member": 7, "team": 0}'), keys.read();
ROLLBACK TO s;
SELECT keys.wait(2), keys.read();
-- refused at the call
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('keys.users', '{"email": "new", "deleted_at": "2026-01-01"}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('keys.mixed', '{"w": "no", "j": {"a": 1}}')$$),
       regexp_replace(pg_temp.try($$SELECT missing_symbol.increment('keys.accounts', repeat('0123456789', 1000) || (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i))$$), '[0-9]+ bytes', 'N bytes');
COMMIT;
SELECT keys.read();
SELECT * FROM keys.look();
SELECT missing_symbol.track(t, apply => 'buffer') FROM unnest('{keys.users,keys.accounts,keys.members,keys.urls,keys.mixed}'::regclass[]) t;
UPDATE keys.users SET deleted_at = '2026-02-02 00:00:00+00' WHERE email = 'ann' AND deleted_at IS NULL;
DELETE FROM keys.urls;
SELECT keys.wait(1);
SELECT keys.wait(2);
SELECT target::text, key, delta, fields - '' AS fields FROM missing_symbol.buffered ORDER BY target::text COLLATE "C", key, (fields - '')::text COLLATE "C";
SELECT keys.read();
SELECT * FROM keys.look();
-- neither the key nor what it is computed by may change meanwhile
SELECT pg_temp.try($$SELECT missing_symbol.configure('keys.accounts', '{"index": null}')$$), pg_temp.try($$SELECT missing_symbol.untrack('keys.accounts')$$);
BEGIN;
DROP INDEX keys.accounts_email;
CREATE UNIQUE INDEX accounts_email ON keys.accounts (upper(email));
SELECT pg_temp.try($$SELECT missing_symbol.value('keys.accounts', 'eve')$$), pg_temp.try($$SELECT count(*) FROM missing_symbol.total(NULL::keys.accounts)$$);
SELECT missing_symbol.fold('keys.accounts');
SELECT key, delta, error FROM missing_symbol.spilled;
ROLLBACK;
-- but another name, other columns, another order of these
ALTER TABLE keys.mixed ADD more int, DROP note;
CREATE UNIQUE INDEX mixed_key ON keys.mixed ((j ->> 'a'), (length(h) + 1), (lower(h) COLLATE "C")) WHERE live AND w <> 'no';
SELECT missing_symbol.fold(t) FROM unnest('{keys.users,keys.accounts,keys.members,keys.urls,keys.mixed}'::regclass[]) t;
SELECT keys.read();
SELECT * FROM keys.look();
SELECT count(*) FROM missing_symbol.buffered;
SELECT count(*) FROM missing_symbol.spilled;
SELECT missing_symbol.track(t, apply => '') FROM unnest('{keys.users,keys.accounts,keys.members,keys.urls,keys.mixed}'::regclass[]) t;
-- an expression whose text is longer than a name
CREATE TABLE keys.long (at timestamp, count int);
CREATE UNIQUE INDEX long_key ON keys.long (COALESCE(at, '2026-01-01 00:00:00'::timestamp), COALESCE(at, '2027-01-01 00:00:00'::timestamp));
SELECT missing_symbol.configure('keys.long', '{"index": "long_key"}'), missing_symbol.track('keys.long', apply => 'buffer');
SELECT missing_symbol.increment('keys.long', NULL), missing_symbol.increment('keys.long', '2026-01-01'), missing_symbol.increment('keys.long', NULL);
SELECT key, delta FROM missing_symbol.buffered;
SELECT count, missing_symbol.fold('keys.long') FROM missing_symbol.total(NULL::keys.long);
TABLE keys.long ORDER BY at;
-- what a transaction has deferred is of the key it was deferred by
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('keys.users', 'ann');
SELECT missing_symbol.configure('keys.users', '{"index": "users_pkey"}');
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.users', 1)$$);
COMMIT;
SELECT settings FROM missing_symbol.describe('keys.users');

--
-- The same rows as by plain statements
--
CREATE TABLE keys.counted (LIKE keys.accounts INCLUDING ALL, closed boolean NOT NULL DEFAULT false);
DROP INDEX keys.counted_lower_idx;
CREATE TABLE keys.plain (LIKE keys.counted INCLUDING ALL);
CREATE UNIQUE INDEX counted_key ON keys.counted (lower(email), COALESCE(name, '-')) WHERE NOT closed;
CREATE UNIQUE INDEX plain_key ON keys.plain (lower(email), COALESCE(name, '-')) WHERE NOT closed;
SELECT missing_symbol.configure('keys.counted', '{"index": "counted_key"}');
DO $$
DECLARE
    e text;
    n text;
BEGIN
    FOR i IN 1..400 LOOP
        e := (ARRAY['ann', 'Ann', 'ANN', 'bob', 'Bob', 'cid'])[1 + i % 6];
        n := (ARRAY[NULL, '-', 'x'])[1 + i / 7 % 3];
        PERFORM missing_symbol.increment_row('keys.counted', jsonb_build_object('email', e, 'name', n), i % 5 + 1);
        INSERT INTO keys.plain AS t (email, name, count, created_at) VALUES (e, n, i % 5 + 1, missing_symbol.clock())
        ON CONFLICT (lower(email), COALESCE(name, '-')) WHERE NOT closed DO UPDATE SET count = t.count + EXCLUDED.count;
        IF i % 40 = 0 THEN
            UPDATE keys.counted SET closed = true WHERE lower(email) = lower(e);
            UPDATE keys.plain SET closed = true WHERE lower(email) = lower(e);
        END IF;
    END LOOP;
END
$$;
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE closed) > 10 AS closed FROM keys.counted;
(SELECT email, name, count, closed FROM keys.counted EXCEPT ALL SELECT email, name, count, closed FROM keys.plain) UNION ALL
(SELECT email, name, count, closed FROM keys.plain EXCEPT ALL SELECT email, name, count, closed FROM keys.counted);

--
-- Functions that are not what they say: never a new row for each call
--
CREATE SEQUENCE keys.lies;
CREATE FUNCTION keys.lie(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 || nextval('keys.lies') $$;
CREATE TABLE keys.lying (k text, count int);
CREATE UNIQUE INDEX lying_key ON keys.lying (keys.lie(k));
CREATE TABLE keys.lying2 (k text, h text GENERATED ALWAYS AS (keys.lie(k)) STORED UNIQUE, count int);
SELECT missing_symbol.configure('keys.lying', '{"index": "lying_key"}'), missing_symbol.configure('keys.lying2', '{"index": "lying2_h_key"}');
SELECT pg_temp.try(format('SELECT missing_symbol.increment(%L, ''x'')', t)) FROM unnest('{keys.lying,keys.lying2}'::text[]) t;
SELECT (SELECT count(*) FROM keys.lying), (SELECT count(*) FROM keys.lying2);

--
-- Triggers: the key is what they have made of it; the general path's tables
--
CREATE TABLE keys.triggered (k text, count int, live boolean DEFAULT true);
CREATE UNIQUE INDEX triggered_key ON keys.triggered (upper(k)) WHERE live;
CREATE FUNCTION keys.trim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.k := CASE NEW.k WHEN 'null' THEN NULL ELSE trim(NEW.k) END;
    NEW.live := NEW.k IS DISTINCT FROM 'dead';
    RETURN NEW;
END
$$;
CREATE TRIGGER trim BEFORE INSERT ON keys.triggered FOR EACH ROW EXECUTE FUNCTION keys.trim();
SELECT missing_symbol.configure('keys.triggered', '{"index": "triggered_key"}');
SELECT missing_symbol.increment('keys.triggered', ' a'), missing_symbol.increment('keys.triggered', ' A '), missing_symbol.increment('keys.triggered', 'a');
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.triggered', 'null')$$), pg_temp.try($$SELECT missing_symbol.increment('keys.triggered', 'dead')$$);
CREATE FUNCTION keys.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON keys.triggered FOR EACH ROW EXECUTE FUNCTION keys.touch();
SELECT missing_symbol.increment('keys.triggered', ' a'), missing_symbol.increment('keys.triggered', 'A');
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.triggered', 'null')$$), pg_temp.try($$SELECT missing_symbol.increment('keys.triggered', 'dead')$$);
TABLE keys.triggered;
-- partitions, whose columns are arranged in another way
CREATE TABLE keys.parted (day int NOT NULL, email text, count bigint, closed boolean DEFAULT false) PARTITION BY RANGE (day);
CREATE TABLE keys.parted1 (closed boolean DEFAULT false, gone int, email text, day int NOT NULL, count bigint);
ALTER TABLE keys.parted1 DROP gone;
ALTER TABLE keys.parted ATTACH PARTITION keys.parted1 FOR VALUES FROM (0) TO (10);
CREATE TABLE keys.parted2 PARTITION OF keys.parted FOR VALUES FROM (10) TO (20);
CREATE UNIQUE INDEX parted_key ON keys.parted (day, lower(email)) WHERE NOT closed;
SELECT missing_symbol.configure('keys.parted', '{"index": "parted_key"}'), missing_symbol.track('keys.parted', key => '{day,email}');
SELECT missing_symbol.increment('keys.parted', 1, 'A'), missing_symbol.increment('keys.parted', 1, 'a'), missing_symbol.increment('keys.parted', 11, 'A'), missing_symbol.increment('keys.parted', 1, 'a');
UPDATE keys.parted SET closed = true WHERE day = 1;
SELECT missing_symbol.track('keys.parted', spill => true);
SELECT missing_symbol.increment('keys.parted', 1, 'A'), missing_symbol.value('keys.parted', 11, 'a');
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('keys.parted', '{"day": 11, "email": "b", "closed": true}')$$), pg_temp.try($$SELECT missing_symbol.increment('keys.parted', 50, 'A')$$);
SELECT tableoid::regclass, * FROM keys.parted ORDER BY day, closed;

--
-- Rights, and as whom functions run
--
CREATE ROLE regress_keys_owner;
CREATE ROLE regress_keys_counter;
GRANT USAGE, CREATE ON SCHEMA keys TO regress_keys_owner;
GRANT USAGE ON SCHEMA keys TO regress_keys_counter;
CREATE TABLE keys.ran (who text);
GRANT INSERT ON keys.ran TO PUBLIC;
SET ROLE regress_keys_owner;
CREATE FUNCTION keys.note() RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO keys.ran VALUES (current_user || ' ' || current_setting('search_path'))
$$;
CREATE FUNCTION keys.fold(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM keys.note();
    RETURN pg_catalog.lower($1);
END
$$;
CREATE TABLE keys.owned (email text, count bigint, note text, live boolean DEFAULT true);
CREATE UNIQUE INDEX owned_key ON keys.owned (keys.fold(email)) WHERE live;
GRANT SELECT (email, count, live), INSERT (email, count), UPDATE (count) ON keys.owned TO regress_keys_counter;
RESET ROLE;
SELECT missing_symbol.configure('keys.owned', '{"index": "owned_key"}');
SELECT * FROM missing_symbol.describe('keys.owned') WHERE false;
SELECT count(*) AS ran FROM keys.ran;
SET ROLE regress_keys_counter;
SELECT missing_symbol.increment('keys.owned', 'A'), missing_symbol.increment('keys.owned', 'a');
RESET ROLE;
SELECT DISTINCT who FROM keys.ran;
TRUNCATE keys.ran;
-- who looks for a counter has not called the owner's functions
SELECT missing_symbol.value('keys.owned', 'A'), missing_symbol.discard('keys.owned', 'A');
SELECT DISTINCT who FROM keys.ran;
TRUNCATE keys.ran;
-- not by another index, either, whose rows are looked at once more
SET ROLE regress_keys_owner;
CREATE INDEX owned_hash ON keys.owned USING hash (keys.fold(email));
INSERT INTO keys.owned (email, count) SELECT 'other ' || i, 0 FROM generate_series(1, 1000) AS i;
ANALYZE keys.owned;
RESET ROLE;
TRUNCATE keys.ran;
SELECT missing_symbol.value('keys.owned', 'A');
SELECT DISTINCT who FROM keys.ran;
-- what it reads is what the caller may read
CREATE ROLE regress_keys_member NOINHERIT;
GRANT regress_keys_owner TO regress_keys_member;
GRANT USAGE ON SCHEMA keys TO regress_keys_member;
GRANT SELECT (email, live) ON keys.owned TO regress_keys_member;
SET ROLE regress_keys_member;
SELECT pg_temp.try($$SELECT missing_symbol.value('keys.owned', 'a')$$);
RESET ROLE;
GRANT SELECT (count) ON keys.owned TO regress_keys_member;
REVOKE SELECT (live) ON keys.owned FROM regress_keys_member;
SET ROLE regress_keys_member;
SELECT pg_temp.try($$SELECT missing_symbol.value('keys.owned', 'a')$$);
RESET ROLE;
GRANT SELECT (live) ON keys.owned TO regress_keys_member;
SET ROLE regress_keys_member;
SELECT missing_symbol.value('keys.owned', 'a');
RESET ROLE;
ALTER TABLE keys.owned ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_temp.try($$SELECT missing_symbol.value('keys.owned', 'a')$$);
ALTER TABLE keys.owned DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
DROP INDEX keys.owned_hash;
DELETE FROM keys.owned WHERE count = 0;
TRUNCATE keys.ran;
SELECT missing_symbol.track('keys.owned', apply => 'buffer');
SET ROLE regress_keys_counter;
SELECT missing_symbol.increment('keys.owned', 'A'), missing_symbol.increment('keys.owned', 'B');
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('keys.owned', '{"email": "x", "note": "y"}')$$);
RESET ROLE;
SELECT DISTINCT who FROM keys.ran;
TRUNCATE keys.ran;
SELECT email, count FROM missing_symbol.total(NULL::keys.owned) ORDER BY 1;
SELECT DISTINCT who FROM keys.ran;
TRUNCATE keys.ran;
SELECT missing_symbol.fold('keys.owned');
SELECT DISTINCT who FROM keys.ran;
TABLE keys.owned ORDER BY email;
-- at the commit as the counter, with the search_path of the call
SELECT missing_symbol.track('keys.owned', apply => 'commit');
TRUNCATE keys.ran;
BEGIN;
SET LOCAL ROLE regress_keys_counter;
SET LOCAL search_path = keys;
SELECT missing_symbol.increment('keys.owned', 'C');
SET LOCAL search_path = public;
RESET ROLE;
COMMIT;
SELECT DISTINCT who FROM keys.ran;
-- the columns of expressions and predicate are read: SELECT is asked for them
REVOKE SELECT (live) ON keys.owned FROM regress_keys_counter;
SET ROLE regress_keys_counter;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.owned', 'A')$$);
RESET ROLE;
GRANT SELECT (live) ON keys.owned TO regress_keys_counter;
REVOKE INSERT (email) ON keys.owned FROM regress_keys_counter;
SET ROLE regress_keys_counter;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.owned', 'A')$$);
RESET ROLE;
-- an index that is named, and then another has the name
CREATE TABLE keys.swapped (a int, b int, count bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE UNIQUE INDEX swapped_key ON keys.swapped (a) WHERE a > 0;
CREATE UNIQUE INDEX swapped_other ON keys.swapped (b) WHERE b > 0;
SELECT missing_symbol.configure('keys.swapped', '{"index": "swapped_key"}');
SELECT missing_symbol.increment_row('keys.swapped', '{"a": 1, "b": 2}'), missing_symbol.increment_row('keys.swapped', '{"a": 2, "b": 1}'), missing_symbol.increment('keys.swapped', 1);
ALTER INDEX keys.swapped_key RENAME TO swapped_third;
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.swapped', 1)$$);
ALTER INDEX keys.swapped_other RENAME TO swapped_key;
SELECT missing_symbol.increment('keys.swapped', 1);
TABLE keys.swapped ORDER BY a;
-- prune() takes the rows that the index has, asked for their keys
CREATE TABLE keys.pruned (k int, tenant text, email text, count bigint DEFAULT 1, last_seen timestamptz DEFAULT '2020-01-01', live bool DEFAULT true) WITH (fillfactor = 70);
CREATE UNIQUE INDEX pruned_key ON keys.pruned (lower(email), tenant) WHERE live;
SELECT missing_symbol.configure('keys.pruned', '{"index": "pruned_key"}'), missing_symbol.track('keys.pruned', key => '{email,tenant}', apply => 'buffer');
ALTER TABLE keys.pruned DROP k;
INSERT INTO keys.pruned (email, tenant) VALUES ('Old', 'a'), ('Older', 'a'), ('Waits', 'a'), (NULL, 'a'), ('No tenant', NULL);
INSERT INTO keys.pruned (email, tenant, live) VALUES ('Old', 'a', false);
INSERT INTO keys.pruned (email, tenant, last_seen) VALUES ('New', 'a', now());
SELECT missing_symbol.increment('keys.pruned', 'WAITS', 'a');
SET client_min_messages = notice;
CALL missing_symbol.prune('keys.pruned', '1 day', dry_run => true);
CALL missing_symbol.prune('keys.pruned', '1 day', batch => 2);
SET client_min_messages = error;
SELECT email, tenant, live FROM keys.pruned ORDER BY email, tenant, live;
SELECT missing_symbol.fold('keys.pruned');
UPDATE keys.pruned SET last_seen = '2020-01-01' WHERE email = 'Waits';
CALL missing_symbol.prune('keys.pruned', '1 day');
SELECT email, tenant, live FROM keys.pruned ORDER BY email, tenant, live;
-- of a partitioned table, too, which is counted by the general path
CREATE TABLE keys.parts (tenant int, email text, count bigint DEFAULT 1, last_seen timestamptz DEFAULT '2020-01-01') PARTITION BY LIST (tenant);
CREATE TABLE keys.part_1 PARTITION OF keys.parts FOR VALUES IN (1);
CREATE TABLE keys.part_2 (count bigint DEFAULT 1, gone int, last_seen timestamptz DEFAULT '2020-01-01', email text, tenant int);
ALTER TABLE keys.part_2 DROP gone;
ALTER TABLE keys.parts ATTACH PARTITION keys.part_2 FOR VALUES IN (2);
CREATE UNIQUE INDEX parts_key ON keys.parts (lower(email), tenant);
SELECT missing_symbol.configure('keys.parts', '{"index": "parts_key"}'), missing_symbol.track('keys.parts', key => '{email,tenant}');
SELECT path LIKE 'general', reason ~ 'key|fast_path' FROM missing_symbol.describe('keys.parts');
SELECT missing_symbol.increment('keys.parts', 'A', 1), missing_symbol.increment('keys.parts', 'a', 1), missing_symbol.increment('keys.parts', 'A', 2), missing_symbol.value('keys.parts', 'a', 1);
SELECT inserted, incremented FROM missing_symbol.increment_rows('keys.parts', '[{"email": "B", "tenant": 2}, {"email": "b", "tenant": 2}, {"email": "b", "tenant": 1}, {"email": "A", "tenant": 2}]');
SELECT missing_symbol.track('keys.parts', key => '{email,tenant}', apply => 'buffer');
SELECT missing_symbol.increment('keys.parts', 'C', 2), missing_symbol.increment('keys.parts', 'c', 2), missing_symbol.increment('keys.parts', 'a', 1);
SELECT tenant, email, count FROM missing_symbol.total(NULL::keys.parts) ORDER BY tenant, email;
SELECT missing_symbol.fold('keys.parts'), missing_symbol.value('keys.parts', 'C', 2);
SELECT pg_temp.try($$SELECT missing_symbol.increment('keys.parts', 'x', 3)$$);
UPDATE keys.parts SET last_seen = '2020-01-01' WHERE lower(email) = 'a';
CALL missing_symbol.prune('keys.parts', '1 day');
SELECT tableoid::regclass, tenant, email, count FROM keys.parts ORDER BY tenant, email;
-- nothing that a search_path has
CREATE FUNCTION keys.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'not that' $$;
CREATE FUNCTION keys.differ(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT false $$;
CREATE OPERATOR keys.= (LEFTARG = text, RIGHTARG = text, FUNCTION = keys.differ);
SET search_path = keys, pg_catalog;
SELECT missing_symbol.increment('keys.accounts', 'ANN') - missing_symbol.value('keys.accounts', 'ann') AS one, missing_symbol.increment('keys.accounts', 'Path');
RESET search_path;
SELECT email FROM keys.accounts WHERE email ~* 'path';
-- row security
ALTER TABLE keys.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON keys.accounts USING (email !~* '^s') WITH CHECK (email !~* '^s');
GRANT SELECT, INSERT, UPDATE ON keys.accounts TO regress_keys_counter;
GRANT USAGE ON SEQUENCE keys.accounts_id_seq TO regress_keys_counter;
INSERT INTO keys.accounts (email, count) VALUES ('Secret', 1);
SET ROLE regress_keys_counter;
SELECT missing_symbol.increment('keys.accounts', 'PATH'), missing_symbol.value('keys.accounts', 'secret'), pg_temp.try($$SELECT missing_symbol.increment('keys.accounts', 'secret')$$);
RESET ROLE;

\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA keys CASCADE;
DROP ROLE regress_keys_member, regress_keys_owner, regress_keys_counter;
