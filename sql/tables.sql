--
-- Tables of every kind, and what plain SQL would do to them
--
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
-- count and tell the outcome
CREATE FUNCTION pg_temp.inc(target text, VARIADIC key text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    n := missing_symbol.increment(target, VARIADIC key);
    RETURN concat_ws(' ', COALESCE(n::text, '(null)'), (missing_symbol.last_increment()).outcome);
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
CREATE SCHEMA tab;

--
-- Partitions
--
CREATE TABLE tab.hashed (k text, count bigint, last_seen timestamptz, PRIMARY KEY (k)) PARTITION BY HASH (k);
CREATE TABLE tab.hashed0 PARTITION OF tab.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE tab.hashed1 (gone int, last_seen timestamptz, also_gone text, count bigint, k text NOT NULL);
ALTER TABLE tab.hashed1 DROP gone, DROP also_gone;
ALTER TABLE tab.hashed ATTACH PARTITION tab.hashed1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE tab.hashed2 PARTITION OF tab.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY HASH (k);
CREATE TABLE tab.hashed2a PARTITION OF tab.hashed2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT i, pg_temp.inc('tab.hashed', 'k' || i), pg_temp.inc('tab.hashed', 'k' || i) FROM generate_series(1, 6) i;
SELECT * FROM missing_symbol.increment_many('tab.hashed', ARRAY['k1', 'k7', 'k3', 'k7', 'k8', 'k1']);
SELECT k, count, missing_symbol.value('tab.hashed', k) FROM tab.hashed ORDER BY k;
SELECT count(DISTINCT tableoid) FROM tab.hashed;
-- a partition as the target itself, also with rows that are not its own
SELECT k, pg_temp.inc('tab.hashed1', k) FROM tab.hashed1 ORDER BY k LIMIT 1;
SELECT pg_temp.inc('tab.hashed1', k) FROM tab.hashed0 ORDER BY k LIMIT 1;

CREATE TABLE tab.daily (day date, path text, count int NOT NULL, created_at timestamptz, modified_at timestamptz, PRIMARY KEY (path, day)) PARTITION BY RANGE (day);
CREATE TABLE tab.daily_jan (modified_at timestamptz, path text NOT NULL, count int NOT NULL, junk int, day date NOT NULL, created_at timestamptz);
ALTER TABLE tab.daily_jan DROP junk;
ALTER TABLE tab.daily ATTACH PARTITION tab.daily_jan FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE tab.daily_feb PARTITION OF tab.daily FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT pg_temp.inc('tab.daily', '/', '2026-01-31'), pg_temp.inc('tab.daily', '/', '2026-01-31'), pg_temp.inc('tab.daily', '/', '2026-02-01'),
       pg_temp.inc('tab.daily', '/', '2026-03-01');
CREATE TABLE tab.daily_rest PARTITION OF tab.daily DEFAULT;
SELECT pg_temp.inc('tab.daily', '/', '2026-03-01'), pg_temp.inc('tab.daily', '/', '2026-03-01');
SELECT tableoid::regclass, * FROM tab.daily ORDER BY day;
ALTER TABLE tab.daily DETACH PARTITION tab.daily_jan;
SELECT pg_temp.inc('tab.daily', '/', '2026-01-31'), pg_temp.inc('tab.daily_jan', '/', '2026-01-31');
-- the count, and so each increment, is part of the key
CREATE TABLE tab.by_count (k int, count int, PRIMARY KEY (k, count)) PARTITION BY LIST (count);
SELECT pg_temp.inc('tab.by_count', '1', '1');
CREATE TABLE tab.by_time (k int, count int, created_at timestamptz, modified_at timestamptz, UNIQUE (k, created_at));
SELECT pg_temp.inc('tab.by_time', '1', '2026-01-01');
CREATE UNIQUE INDEX ON tab.by_time (k, modified_at);
SELECT pg_temp.try($$SELECT missing_symbol.track('tab.by_time', key => '{k,modified_at}')$$);
SELECT missing_symbol.track('tab.by_time', key => '{k,created_at}', first_seen => '');
SELECT pg_temp.inc('tab.by_time', '1', '2026-01-01'), pg_temp.inc('tab.by_time', '1', '2026-01-01');
TABLE tab.by_time;
CREATE TABLE tab.listed (kind text, k int, count int, UNIQUE (k, kind)) PARTITION BY LIST (kind);
CREATE TABLE tab.listed_a PARTITION OF tab.listed FOR VALUES IN ('a', 'b');
CREATE TABLE tab.listed_null PARTITION OF tab.listed FOR VALUES IN (NULL);
SELECT pg_temp.inc('tab.listed', '1', 'a'), pg_temp.inc('tab.listed', '1', 'b'), pg_temp.inc('tab.listed', '1', 'a'), pg_temp.inc('tab.listed', '1', 'c'),
       pg_temp.inc('tab.listed', '1', NULL);
SELECT * FROM tab.listed ORDER BY kind;
-- a partition that fills what the parent does not know of
CREATE FUNCTION tab.fill_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := 'by trigger';
    RETURN NEW;
END
$$;
CREATE TABLE tab.noted (k int PRIMARY KEY, note text NOT NULL, count int) PARTITION BY RANGE (k);
CREATE TABLE tab.noted1 PARTITION OF tab.noted FOR VALUES FROM (0) TO (10);
CREATE TABLE tab.noted2 PARTITION OF tab.noted FOR VALUES FROM (10) TO (20);
CREATE TRIGGER fill BEFORE INSERT ON tab.noted1 FOR EACH ROW EXECUTE FUNCTION tab.fill_note();
SELECT pg_temp.inc('tab.noted', '1'), pg_temp.inc('tab.noted', '1'), pg_temp.inc('tab.noted', '11');
TABLE tab.noted;

--
-- Inheritance: a child's row is not the parent's
--
CREATE TABLE tab.parent (k int PRIMARY KEY, count int);
CREATE TABLE tab.child (PRIMARY KEY (k)) INHERITS (tab.parent);
INSERT INTO tab.child VALUES (1, 100);
SELECT pg_temp.inc('tab.parent', '1'), pg_temp.inc('tab.parent', '1'), missing_symbol.value('tab.parent', 1);
SELECT pg_temp.inc('tab.child', '1'), missing_symbol.value('tab.child', 1);
SELECT tableoid::regclass, * FROM tab.parent ORDER BY 1;

--
-- Row security
--
CREATE ROLE regress_ms_row;
GRANT USAGE ON SCHEMA tab TO regress_ms_row;
CREATE TABLE tab.secure (k text PRIMARY KEY, owner name DEFAULT current_user, count int CHECK (count < 1000), last_seen timestamptz);
GRANT SELECT, INSERT, UPDATE ON tab.secure TO regress_ms_row;
INSERT INTO tab.secure VALUES ('hidden', 'somebody', 1), ('visible', 'regress_ms_row', 1), ('full', 'regress_ms_row', 10), ('frozen', 'frozen', 1);
ALTER TABLE tab.secure ENABLE ROW LEVEL SECURITY;
CREATE POLICY sel ON tab.secure FOR SELECT USING (owner IN (current_user, 'frozen'));
CREATE POLICY ins ON tab.secure FOR INSERT WITH CHECK (owner = current_user AND k <> 'forbidden');
CREATE POLICY upd ON tab.secure FOR UPDATE USING (owner = current_user) WITH CHECK (count <= 10);
SET ROLE regress_ms_row;
SELECT k, pg_temp.inc('tab.secure', k)
FROM (VALUES ('visible'), ('visible'), ('new'), ('new'), ('hidden'), ('forbidden'), ('full'), ('frozen')) v(k);
SELECT pg_temp.try($$SELECT missing_symbol.increment_many('tab.secure', '{visible,new,newer}'::text[])$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment_many('tab.secure', '{visible,hidden,newest}'::text[])$$);
SELECT pg_temp.try($$SELECT missing_symbol.increment_many('tab.secure', '{visible,newest}'::text[])$$);
SELECT missing_symbol.value('tab.secure', 'visible'), missing_symbol.value('tab.secure', 'hidden');
SET row_security = off;
SELECT pg_temp.inc('tab.secure', 'visible');
RESET row_security;
RESET ROLE;
-- whoever is not subject to it counts everything; the owner is only if forced
SELECT k, pg_temp.inc('tab.secure', k) FROM (VALUES ('hidden'), ('forbidden'), ('full'), ('visible')) v(k);
ALTER TABLE tab.secure OWNER TO regress_ms_row;
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.secure', 'hidden');
ALTER TABLE tab.secure FORCE ROW LEVEL SECURITY;
SELECT pg_temp.inc('tab.secure', 'hidden'), pg_temp.inc('tab.secure', 'visible');
ALTER TABLE tab.secure NO FORCE ROW LEVEL SECURITY;
SELECT pg_temp.inc('tab.secure', 'hidden');
RESET ROLE;
SELECT k, NULLIF(owner, current_user) AS owner, count FROM tab.secure ORDER BY k;
-- policies of settings, of roles that change, of functions, and beside triggers
CREATE ROLE regress_ms_team;
GRANT USAGE ON SCHEMA tab TO regress_ms_row;
CREATE TABLE tab.tenants (k text PRIMARY KEY, tenant text DEFAULT current_setting('tab.tenant'), count int, last_seen timestamptz,
    open bool DEFAULT true, shown int GENERATED ALWAYS AS (count * 10) STORED);
GRANT SELECT, INSERT, UPDATE ON tab.tenants TO regress_ms_row;
ALTER TABLE tab.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tab.tenants USING (tenant = current_setting('tab.tenant'));
CREATE POLICY few ON tab.tenants AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (shown < 50 AND open);
SET ROLE regress_ms_row;
SET tab.tenant = 'one';
SELECT pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'b');
SET tab.tenant = 'two';
SELECT pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'c'), pg_temp.inc('tab.tenants', 'c');
SET tab.tenant = 'one';
SELECT pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'a'), pg_temp.inc('tab.tenants', 'c');
-- a policy's function is called with the rights and the path of who counts
RESET ROLE;
SET search_path = tab;
CREATE FUNCTION tab.tenant() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('tab.tenant'); END $$;
CREATE SCHEMA tab2;
CREATE FUNCTION tab2.tenant() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 'two'; END $$;
GRANT USAGE ON SCHEMA tab2 TO regress_ms_row;
CREATE FUNCTION tab.may(text) RETURNS bool LANGUAGE sql STABLE AS $$ SELECT $1 = tenant() $$;
ALTER POLICY few ON tab.tenants WITH CHECK (shown < 100 AND open);
ALTER POLICY own ON tab.tenants USING (tab.may(tenant));
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b'), pg_temp.inc('tab.tenants', 'c');
SET search_path = tab2;
SELECT pg_temp.inc('tab.tenants', 'b'), pg_temp.inc('tab.tenants', 'c');
RESET search_path;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION tab.may FROM PUBLIC;
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b');
-- who is in a role no more
RESET ROLE;
ALTER POLICY own ON tab.tenants TO regress_ms_team USING (true);
GRANT regress_ms_team TO regress_ms_row;
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b');
RESET ROLE;
REVOKE regress_ms_team FROM regress_ms_row;
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b');
RESET ROLE;
GRANT regress_ms_team TO regress_ms_row;
-- what a BEFORE trigger makes of a row is judged; of a row that is hidden it hears nothing
CREATE FUNCTION tab.close() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'trigger sees %', OLD.k;
    NEW.open := NEW.k <> 'c';
    RETURN NEW;
END
$$;
CREATE TRIGGER close BEFORE UPDATE ON tab.tenants FOR EACH ROW EXECUTE FUNCTION tab.close();
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b'), pg_temp.inc('tab.tenants', 'c');
RESET ROLE;
ALTER POLICY own ON tab.tenants TO regress_ms_team USING (tenant = 'one');
SET client_min_messages = error;
SELECT missing_symbol.track('tab.tenants', throttle => '1 hour');
RESET client_min_messages;
SET ROLE regress_ms_row;
SELECT pg_temp.inc('tab.tenants', 'b'), pg_temp.inc('tab.tenants', 'c');
RESET ROLE;
SELECT k, tenant, count, open, shown FROM tab.tenants ORDER BY k;
DROP TABLE tab.tenants;
DROP SCHEMA tab2 CASCADE;
DROP ROLE regress_ms_team;

--
-- Columns that the database fills
--
CREATE TABLE tab.filled (
    gone int,
    id int GENERATED ALWAYS AS IDENTITY,
    id2 int GENERATED BY DEFAULT AS IDENTITY (START 100),
    id3 serial,
    k text UNIQUE,
    doubled bigint GENERATED ALWAYS AS (count * 2) STORED,
    shouted text GENERATED ALWAYS AS (upper(k) || count) STORED,
    constant text DEFAULT 'constant',
    made_at timestamptz DEFAULT '2020-01-01 00:00:00+00',
    role name DEFAULT current_user,
    count bigint DEFAULT 77,
    also_gone text DEFAULT 'x',
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL
);
ALTER TABLE tab.filled DROP gone, DROP also_gone;
SELECT pg_temp.inc('tab.filled', 'a'), pg_temp.inc('tab.filled', 'a'), pg_temp.inc('tab.filled', 'b'), pg_temp.inc('tab.filled', 'a');
SELECT missing_symbol.increment_row('tab.filled', '{"k": "c", "constant": null, "id2": 7, "made_at": "2021-01-01T00:00:00Z"}');
SELECT missing_symbol.increment_row('tab.filled', '{"k": "c", "constant": "not filled"}');
SELECT pg_temp.try(format($$SELECT missing_symbol.increment_row('tab.filled', '{"k": "c", "%s": 1}')$$, field))
FROM (VALUES ('id'), ('doubled'), ('shouted'), ('count'), ('created_at'), ('modified_at'), ('gone'), ('........pg.dropped.1........'), ('ctid')) v(field);
SELECT id, id2, id3, k, doubled, shouted, constant, made_at, count FROM tab.filled ORDER BY id;
-- ten thousand increments and one value of each sequence
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM missing_symbol.increment('tab.filled', 'a'); END LOOP; END $$;
SELECT last_value FROM tab.filled_id3_seq;
SELECT k, doubled, shouted FROM tab.filled WHERE k = 'a';
-- columns added later, with a default that no row has on its page
ALTER TABLE tab.filled ADD added text DEFAULT 'added', ADD later int;
SELECT pg_temp.inc('tab.filled', 'a'), pg_temp.inc('tab.filled', 'd');
SELECT k, count, added, later FROM tab.filled ORDER BY k;
-- values that are stored out of line stay as they are
CREATE TABLE tab.wide (k int PRIMARY KEY, big text, count int);
ALTER TABLE tab.wide ALTER big SET STORAGE EXTERNAL;
SELECT missing_symbol.increment_row('tab.wide', jsonb_build_object('k', 1, 'big', repeat('0123456789', 1000)));
SELECT pg_temp.inc('tab.wide', '1'), pg_temp.inc('tab.wide', '1');
SELECT count, length(big), big = repeat('0123456789', 1000) FROM tab.wide;

--
-- A key that the database fills: its rows are counted, and no others made
--
SET statement_timeout = '180s';
CREATE TABLE tab.hashed_url (url text, h text GENERATED ALWAYS AS (md5(url)) STORED UNIQUE, count int NOT NULL DEFAULT 0);
CREATE TABLE tab.posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, count int NOT NULL DEFAULT 0);
SET client_min_messages = error;
SELECT missing_symbol.track('tab.hashed_url', key => '{h}'), missing_symbol.track('tab.posts', key => '{id}');
RESET client_min_messages;
SELECT pg_temp.inc('tab.hashed_url', md5('/')), pg_temp.inc('tab.posts', '1');
INSERT INTO tab.hashed_url (url) VALUES ('/');
INSERT INTO tab.posts (title) VALUES ('first');
SELECT pg_temp.inc('tab.hashed_url', md5('/')), pg_temp.inc('tab.hashed_url', '/'), pg_temp.inc('tab.posts', '1'), pg_temp.inc('tab.posts', '2');
SELECT missing_symbol.increment_by('tab.posts', 10, 1), missing_symbol.increment_row('tab.posts', '{"id": 1}', 100),
       missing_symbol.increment_many('tab.posts', '{1}'::int[], '{1000}'), missing_symbol.increment_rows('tab.posts', '[{"id": 1}]', '{10000}'),
       missing_symbol.increment_row('tab.hashed_url', jsonb_build_object('h', md5('/')));
SELECT pg_temp.try(statement)
FROM unnest(ARRAY[$$SELECT missing_symbol.increment_row('tab.posts', '{"id": 2}')$$,
                  $$SELECT missing_symbol.increment_many('tab.posts', '{1,2}'::int[])$$,
                  $$SELECT missing_symbol.increment_row('tab.hashed_url', '{"h": "x", "url": "/"}')$$,
                  $$SELECT missing_symbol.increment_row('tab.hashed_url', '{"url": "/"}')$$]) statement;
-- told at the call where that can be known, at the commit else
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('tab.posts', 1);
SELECT pg_temp.inc('tab.posts', '2');
COMMIT;
SELECT id, count, missing_symbol.value('tab.posts', id) FROM tab.posts;
SELECT url, count FROM tab.hashed_url;
INSERT INTO tab.posts (title) VALUES ('second') RETURNING id;
-- a trigger changes nothing about that
CREATE TRIGGER fill BEFORE INSERT ON tab.posts FOR EACH ROW EXECUTE FUNCTION tab.fill_note();
SELECT pg_temp.inc('tab.posts', '3');
-- nothing that the database fills is the counter's
CREATE TABLE tab.from_ms (
    k int PRIMARY KEY, count int, seen_ms bigint DEFAULT 0,
    first_seen timestamptz GENERATED ALWAYS AS (timestamptz '2020-01-01 00:00:00+00') STORED,
    last_seen timestamptz GENERATED ALWAYS AS (CASE WHEN seen_ms > 0 THEN timestamptz '2021-01-01 00:00:00+00' ELSE timestamptz '2022-01-01 00:00:00+00' END) STORED,
    hits int GENERATED ALWAYS AS (count) STORED,
    n missing_symbol.counter GENERATED ALWAYS AS (NULL) STORED,
    always int GENERATED ALWAYS AS IDENTITY
);
SELECT pg_temp.inc('tab.from_ms', '1'), pg_temp.inc('tab.from_ms', '1');
TABLE tab.from_ms;
SELECT count, first_seen, last_seen FROM missing_symbol.describe('tab.from_ms');
SELECT part, pg_temp.try(format('SELECT missing_symbol.track(''tab.from_ms'', %s => %L)', part, col))
FROM (VALUES ('count', 'hits'), ('count', 'n'), ('count', 'always'), ('first_seen', 'first_seen'), ('last_seen', 'last_seen')) v(part, col);

--
-- Several unique indexes on the same columns
--
-- the one with the columns' own equality is the key, whichever was first
CREATE TYPE tab.price AS (n numeric);
CREATE TABLE tab.image_last (k tab.price UNIQUE, count int);
CREATE UNIQUE INDEX ON tab.image_last (k record_image_ops);
CREATE TABLE tab.image_first (k tab.price, count int);
CREATE UNIQUE INDEX ON tab.image_first (k record_image_ops);
CREATE UNIQUE INDEX ON tab.image_first (k);
SELECT t, pg_temp.inc(t, '(1.0)'), pg_temp.inc(t, '(1.00)'), pg_temp.inc(t, '(2)') FROM unnest('{tab.image_last,tab.image_first}'::text[]) t;
TABLE tab.image_last;
TABLE tab.image_first;
-- another one that finds more keys equal refuses what would be two of them
CREATE FUNCTION tab.ci_cmp(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT bttextcmp(lower($1), lower($2))';
CREATE FUNCTION tab.ci_lt(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) < lower($2)';
CREATE FUNCTION tab.ci_eq(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) = lower($2)';
CREATE FUNCTION tab.ci_gt(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) > lower($2)';
CREATE FUNCTION tab.ci_le(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) <= lower($2)';
CREATE FUNCTION tab.ci_ge(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) >= lower($2)';
CREATE OPERATOR tab.<# (FUNCTION = tab.ci_lt, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR tab.=# (FUNCTION = tab.ci_eq, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR tab.># (FUNCTION = tab.ci_gt, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR tab.<=# (FUNCTION = tab.ci_le, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR tab.>=# (FUNCTION = tab.ci_ge, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR CLASS tab.ci_ops FOR TYPE text USING btree AS
    OPERATOR 1 tab.<#, OPERATOR 2 tab.<=#, OPERATOR 3 tab.=#, OPERATOR 4 tab.>=#, OPERATOR 5 tab.>#, FUNCTION 1 tab.ci_cmp(text, text);
CREATE TABLE tab.two_classes (k text, count int);
CREATE UNIQUE INDEX two_classes_ci ON tab.two_classes (k tab.ci_ops);
CREATE UNIQUE INDEX two_classes_k ON tab.two_classes (k);
SELECT pg_temp.inc('tab.two_classes', 'A'), pg_temp.inc('tab.two_classes', 'a'), pg_temp.inc('tab.two_classes', 'A'), pg_temp.inc('tab.two_classes', 'b');
TABLE tab.two_classes;
DROP INDEX tab.two_classes_k;
SELECT pg_temp.inc('tab.two_classes', 'A'), pg_temp.inc('tab.two_classes', 'a'), pg_temp.inc('tab.two_classes', 'B');
-- one with another order only is the same key
CREATE UNIQUE INDEX ON tab.two_classes (k text_pattern_ops);
CREATE UNIQUE INDEX ON tab.two_classes (k);
SELECT pg_temp.inc('tab.two_classes', 'A'), pg_temp.inc('tab.two_classes', 'c'), pg_temp.inc('tab.two_classes', 'c'), pg_temp.inc('tab.two_classes', 'C');
RESET statement_timeout;
-- in another order of columns: the primary key, else the table's order, not
-- the one with the lower OID
CREATE TABLE tab.pk_order (a int, b int, count int, PRIMARY KEY (b, a), UNIQUE (a, b));
CREATE TABLE tab.col_order (a int, b int, count int);
CREATE UNIQUE INDEX a_index ON tab.col_order (b, a);
CREATE UNIQUE INDEX b_index ON tab.col_order (a, b);
SELECT t, d.key, pg_temp.inc(t, '1', '2') FROM unnest('{tab.pk_order,tab.col_order}'::text[]) t, missing_symbol.describe(t::regclass) d;
REINDEX INDEX CONCURRENTLY tab.pk_order_pkey;
REINDEX INDEX CONCURRENTLY tab.a_index;
SELECT t, d.key, pg_temp.inc(t, '1', '2') FROM unnest('{tab.pk_order,tab.col_order}'::text[]) t, missing_symbol.describe(t::regclass) d;
TABLE tab.pk_order;
TABLE tab.col_order;

--
-- Names that the search path does not find, or finds elsewhere
--
CREATE COLLATION tab.of_mine FROM "C";
CREATE TABLE tab.collated (k text COLLATE tab.of_mine PRIMARY KEY, count int);
SET search_path = tab, public;
SELECT pg_temp.inc('tab.collated', 'a');
SET search_path = '';
SELECT pg_temp.inc('tab.collated', 'b'), pg_temp.inc('tab.collated', 'a');
RESET search_path;

--
-- Constraints
--
CREATE TABLE tab.sites (id int PRIMARY KEY);
INSERT INTO tab.sites VALUES (1), (2);
CREATE TABLE tab.visits (
    site int REFERENCES tab.sites,
    day int,
    count int CHECK (count BETWEEN 0 AND 5),
    total int DEFAULT 1,
    PRIMARY KEY (site, day),
    CONSTRAINT even CHECK (day % 2 = 0)
);
SELECT pg_temp.inc('tab.visits', '1', '2'), pg_temp.inc('tab.visits', '1', '2'), pg_temp.inc('tab.visits', '3', '2'), pg_temp.inc('tab.visits', '2', '3');
SELECT pg_temp.try('SELECT missing_symbol.increment_by(''tab.visits'', 4, 1, 2)'), pg_temp.try('SELECT missing_symbol.increment_by(''tab.visits'', -3, 1, 2)'),
       pg_temp.try('SELECT missing_symbol.increment_by(''tab.visits'', 3, 1, 2)'), pg_temp.try('SELECT missing_symbol.increment_by(''tab.visits'', 6, 1, 4)'),
       pg_temp.try('SELECT missing_symbol.increment_by(''tab.visits'', -1, 1, 4)');
TABLE tab.visits;
-- what refers to a counter does not mind its being counted
CREATE TABLE tab.notes (site int, day int, note text, FOREIGN KEY (site, day) REFERENCES tab.visits ON UPDATE CASCADE);
INSERT INTO tab.notes VALUES (1, 2, 'x');
SELECT missing_symbol.increment_by('tab.visits', -1, 1, 2);
-- deferred: at COMMIT, or when they are set immediate
CREATE TABLE tab.deferred (
    site int REFERENCES tab.sites DEFERRABLE INITIALLY DEFERRED,
    k int PRIMARY KEY,
    count int
);
SELECT missing_symbol.track('tab.deferred', fill => '{site}', count => 'count');
BEGIN;
SELECT missing_symbol.increment_row('tab.deferred', '{"k": 1, "site": 9}');
SELECT missing_symbol.increment_row('tab.deferred', '{"k": 2, "site": 1}');
COMMIT;
TABLE tab.deferred;
BEGIN;
SELECT missing_symbol.increment_row('tab.deferred', '{"k": 1, "site": 9}');
INSERT INTO tab.sites VALUES (9);
COMMIT;
BEGIN;
SELECT missing_symbol.increment('tab.deferred', 2);
SELECT missing_symbol.increment_row('tab.deferred', '{"k": 2, "site": 8}');
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
TABLE tab.deferred;
-- another unique key, deferrable, is not the one that counts
CREATE TABLE tab.unique2 (k int PRIMARY KEY, name text, count int, CONSTRAINT name_key UNIQUE (name) DEFERRABLE INITIALLY DEFERRED);
SELECT pg_temp.inc('tab.unique2', '1');
SELECT missing_symbol.increment_row('tab.unique2', '{"k": 2, "name": "x"}');
BEGIN;
SELECT missing_symbol.increment_row('tab.unique2', '{"k": 3, "name": "x"}');
SELECT missing_symbol.increment('tab.unique2', 3);
COMMIT;
BEGIN;
SELECT missing_symbol.increment_row('tab.unique2', '{"k": 3, "name": "x"}');
UPDATE tab.unique2 SET name = 'y' WHERE k = 3;
COMMIT;
TABLE tab.unique2;
-- nor is one that is not deferrable: the row is new, and violates it
CREATE TABLE tab.unique3 (k int PRIMARY KEY, name text NOT NULL UNIQUE DEFAULT 'the only one', count int);
SELECT missing_symbol.track('tab.unique3', key => '{k}', count => 'count');
SELECT pg_temp.inc('tab.unique3', '1'), pg_temp.inc('tab.unique3', '1'), pg_temp.inc('tab.unique3', '2');
-- an exclusion constraint
CREATE TABLE tab.excluded (k int PRIMARY KEY, area box, count int, EXCLUDE USING gist (area WITH &&));
SELECT missing_symbol.increment_row('tab.excluded', '{"k": 1, "area": "(0,0),(1,1)"}');
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('tab.excluded', '{"k": 2, "area": "(0,0),(2,2)"}')$$);
SELECT pg_temp.inc('tab.excluded', '1'), pg_temp.inc('tab.excluded', '2');

--
-- Which index is the key
--
CREATE TABLE tab.keys (a int, b int, c int, count int);
CREATE UNIQUE INDEX keys_a ON tab.keys (a);
CREATE UNIQUE INDEX keys_a2 ON tab.keys (a);
CREATE UNIQUE INDEX keys_partial ON tab.keys (b) WHERE c > 0;
CREATE UNIQUE INDEX keys_expression ON tab.keys ((b + 1), c);
CREATE INDEX keys_plain ON tab.keys (count);
SELECT pg_temp.inc('tab.keys', '1'), pg_temp.inc('tab.keys', '1');
-- the partial index and the one on an expression are kept, and may refuse
SELECT pg_temp.try($$SELECT missing_symbol.increment_row('tab.keys', '{"a": 2, "b": 5, "c": 1}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('tab.keys', '{"a": 3, "b": 5, "c": 2}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('tab.keys', '{"a": 4, "b": 5, "c": -1}')$$),
       pg_temp.try($$SELECT missing_symbol.increment_row('tab.keys', '{"a": 5, "b": 5, "c": -1}')$$);
SET enable_seqscan = off;
SELECT a, count FROM tab.keys WHERE count = 2;
SELECT a, count FROM tab.keys WHERE b + 1 = 6 ORDER BY c;
RESET enable_seqscan;
-- the same column with two collations: only its own is the key
CREATE COLLATION tab.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE tab.collated (k text, count int);
CREATE UNIQUE INDEX ON tab.collated (k COLLATE "C");
SELECT pg_temp.inc('tab.collated', 'a');
CREATE UNIQUE INDEX ON tab.collated (k);
SELECT pg_temp.inc('tab.collated', 'a'), pg_temp.inc('tab.collated', 'A'), pg_temp.inc('tab.collated', 'a');
CREATE TABLE tab.collated2 (k text PRIMARY KEY, count int);
CREATE UNIQUE INDEX collated2_nocase ON tab.collated2 (k COLLATE tab.nocase);
SELECT pg_temp.inc('tab.collated2', 'a'), pg_temp.inc('tab.collated2', 'A'), pg_temp.inc('tab.collated2', 'a');

--
-- Temporary and unlogged tables
--
CREATE TEMPORARY TABLE counts (k int PRIMARY KEY, count int);
SELECT missing_symbol.increment('counts', 1), missing_symbol.increment('pg_temp.counts', 1), missing_symbol.value('counts', 1);
SELECT * FROM missing_symbol.increment_many('counts', ARRAY[2, 1, 2]);
-- also in a transaction that is read-only
BEGIN READ ONLY;
SELECT missing_symbol.increment('counts', 1), missing_symbol.increment('counts', 3);
COMMIT;
TABLE counts ORDER BY k;
CREATE TEMPORARY TABLE counts2 (k int PRIMARY KEY, count int) ON COMMIT DELETE ROWS;
BEGIN;
SELECT missing_symbol.increment('counts2', 1), missing_symbol.increment('counts2', 1);
TABLE counts2;
COMMIT;
SELECT missing_symbol.increment('counts2', 1);
TABLE counts2;
BEGIN;
CREATE TEMPORARY TABLE counts3 (k int PRIMARY KEY, count int) ON COMMIT DROP;
SELECT missing_symbol.increment('counts3', 1);
COMMIT;
BEGIN;
CREATE TEMPORARY TABLE counts3 (count text, k text PRIMARY KEY, hits int) ON COMMIT DROP;
SELECT missing_symbol.increment('counts3', 'x');
COMMIT;
DROP TABLE counts, counts2;
CREATE UNLOGGED TABLE tab.unlogged (k int PRIMARY KEY, hits missing_symbol.counter) WITH (fillfactor = 50);
SELECT pg_temp.inc('tab.unlogged', '1'), pg_temp.inc('tab.unlogged', '1');

--
-- Names, and a search_path that knows nothing
--
CREATE SCHEMA "Weird schema";
CREATE TABLE "Weird schema"."Weird ""Table""" ("a'Key" text, "K2" int, "count" int, PRIMARY KEY ("a'Key", "K2"));
SELECT pg_temp.inc('"Weird schema"."Weird ""Table"""', 'it''s', '1'), pg_temp.inc('"Weird schema"."Weird ""Table"""', 'it''s', '1');
SET search_path = '';
SELECT missing_symbol.increment('"Weird schema"."Weird ""Table"""', 'it''s', 1), missing_symbol.increment('tab.hashed', 'k1'),
       missing_symbol.value('tab.hashed', 'k1');
SET search_path = tab;
SELECT missing_symbol.increment('hashed', 'k1'), missing_symbol.increment('filled', 'a');
RESET search_path;
TABLE "Weird schema"."Weird ""Table""";
-- operators and functions that get in the way
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.refuse(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
CREATE FUNCTION hostile.refuse8(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
CREATE FUNCTION hostile.clock() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.refuse);
CREATE OPERATOR hostile.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.refuse8);
SET search_path = hostile, missing_symbol, pg_catalog;
SELECT increment('tab.hashed', 'k1'), increment('tab.filled', 'a'), value('tab.hashed', 'k1');
RESET search_path;
-- no plan is made with a sequential scan, also not for another search_path
BEGIN;
SELECT seq_scan AS before FROM pg_catalog.pg_stat_xact_user_tables WHERE relname = 'noted1' \gset
SELECT missing_symbol.increment('tab.noted', 1);
SET LOCAL search_path = hostile;
SELECT missing_symbol.increment('tab.noted', 1);
SELECT relname, seq_scan - :before AS seq_scans FROM pg_catalog.pg_stat_xact_user_tables WHERE relname = 'noted1';
ROLLBACK;

-- schemas that swap names, which a table is not told of
CREATE SCHEMA tab_blue;
CREATE SCHEMA tab_green;
CREATE TABLE tab_blue.c (k text PRIMARY KEY, count int);
CREATE TABLE tab_green.c (k text PRIMARY KEY, count int);
INSERT INTO tab_blue.c VALUES ('was blue', 1);
INSERT INTO tab_green.c VALUES ('was green', 1000);
SELECT pg_temp.inc('tab_blue.c', 'was blue'), pg_temp.inc('tab_green.c', 'was green');
SELECT missing_symbol.value('tab_blue.c', 'was blue'), missing_symbol.value('tab_green.c', 'was green');
ALTER SCHEMA tab_blue RENAME TO tab_swap;
ALTER SCHEMA tab_green RENAME TO tab_blue;
ALTER SCHEMA tab_swap RENAME TO tab_green;
SELECT pg_temp.inc('tab_blue.c', 'was green'), pg_temp.inc('tab_green.c', 'was blue');
SELECT missing_symbol.value('tab_blue.c', 'was green'), missing_symbol.value('tab_green.c', 'was blue');
SELECT * FROM missing_symbol.total(NULL::tab_blue.c);
TABLE tab_blue.c;
TABLE tab_green.c;
-- a collation, which its plans are not told of
CREATE COLLATION tab.mine (LOCALE = 'C');
CREATE TABLE tab.renamed (k text COLLATE tab.mine PRIMARY KEY, count int);
SELECT pg_temp.inc('tab.renamed', 'a');
ALTER COLLATION tab.mine RENAME TO yours;
SET search_path = tab;
SELECT pg_temp.inc('tab.renamed', 'b');
RESET search_path;

--
-- Logical replication: without a replica identity nothing can be updated
--
CREATE TABLE tab.published (k int NOT NULL, count int);
CREATE UNIQUE INDEX published_k ON tab.published (k);
SELECT pg_temp.inc('tab.published', '1');
SET client_min_messages = error;
CREATE PUBLICATION regress_ms_pub FOR TABLE tab.published;
RESET client_min_messages;
SELECT pg_temp.inc('tab.published', '1');
SELECT pg_temp.try('UPDATE tab.published SET count = 2');
ALTER TABLE tab.published REPLICA IDENTITY USING INDEX published_k;
SELECT pg_temp.inc('tab.published', '1'), pg_temp.inc('tab.published', '2');
DROP PUBLICATION regress_ms_pub;

SET client_min_messages = warning;
DROP SCHEMA tab, tab_blue, tab_green, hostile, "Weird schema" CASCADE;
DROP ROLE regress_ms_row;
