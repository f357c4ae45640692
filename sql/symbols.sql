--
-- Sightings: record, hash, symbols, missing_pdbs
--
\set last '(missing_symbol.last_increment()).outcome, (missing_symbol.last_increment()).count, (missing_symbol.last_increment()).first_seen, (missing_symbol.last_increment()).last_seen'
SHOW search_path;
SELECT getdatabaseencoding();
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
\pset null '(null)'
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';

\i `echo "$PG_ABS_SRCDIR/sql/include/try.sql"`
-- the outcome of a sighting, or the SQLSTATE it is refused with
CREATE FUNCTION pg_temp.outcome(symbol text, debugid text, filename text, code_file text = NULL, code_id text = NULL)
RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.record(symbol, debugid, filename, code_file, code_id);
    RETURN (missing_symbol.last_increment()).outcome;
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

--
-- hash: the old service's vectors, each of which must come out
--
CREATE TABLE vectors (n int, symbol text, debugid text, filename text, code_file text, code_id text, hash text);
INSERT INTO vectors VALUES
    (1, 'foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, NULL, '1f5ef757d84fa2edf17796268058843a'),
    (2, 'foo.pdb', 'ABCDEF12345', 'foo.sym', '', '', '7c05260e040394cae50c5f193129d8b6'),
    (3, 'foo.pdb', 'ABCDEF12345', 'foo.sym', 'x', NULL, 'fbc4dbac527a1fa60da72ef9c9431dcd'),
    (4, 'foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, 'x', 'fbc4dbac527a1fa60da72ef9c9431dcd'),
    (5, 'foo.pdb', 'ABCDEF12345', 'foo.sym', 'libsystem_pthread.dylib', 'id', 'b526b50496823227d18b4963c13068ee'),
    (6, 'xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', 'xul.dll', 'deadbeef', 'f947970ce5ee745817ccdf7a3ea1c4bf'),
    (7, 'xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', '', '', '833e50ba56433150b4177b912c472db0');
SELECT n, missing_symbol.hash(symbol, debugid, filename, code_file, code_id),
       missing_symbol.hash(symbol, debugid, filename, code_file, code_id) = hash AS as_before
FROM vectors ORDER BY n;
SELECT missing_symbol.hash('foo.pdb', 'ABCDEF12345', 'foo.sym'),
       missing_symbol.hash(filename => 'foo.sym', symbol => 'foo.pdb', debugid => 'ABCDEF12345', code_id => 'x');
-- it has no rules: any text, any part missing, any length
SELECT missing_symbol.hash(a, b, c, d, e) = md5(concat_ws(':', a, b, c, d, e)) AS same
FROM (VALUES
    ('', '', '', '', ''), (NULL, NULL, NULL, NULL, NULL), (NULL, 'b', NULL, '', NULL),
    ('日本語.pdb', 'AB', '日本語.sym', '😀', 'é'),
    (repeat('x', 1013), 'b', 'c', 'd', 'e'), (repeat('x', 1014), 'b', 'c', 'd', 'e'),
    (repeat('x', 1016), 'b', 'c', 'd', 'e'), (repeat('é', 500000), repeat('b', 100), 'c', NULL, repeat('e', 3000))
    ) AS t (a, b, c, d, e);
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE oid = 'missing_symbol.hash'::regproc;

--
-- record: the vectors, counted
--
SELECT n, missing_symbol.record(symbol, debugid, filename, code_file, code_id) AS count,
       :last
FROM vectors ORDER BY n;
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym');
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', '', '', by => 40);
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', '', '', -2);
SELECT missing_symbol.record(symbol => 'xul.pdb', debugid => '44E4EC8C2F41492B9369D6B9A059577C2', filename => 'xul.sym',
                             code_file => 'xul.dll', code_id => 'deadbeef', target => 'missing_symbol.symbols');
TABLE missing_symbol.symbols ORDER BY hash;
-- each key is the old service's, with '' and NULL as given
SELECT count(*) AS rows, count(v.hash) AS known
FROM missing_symbol.symbols s LEFT JOIN (SELECT DISTINCT hash FROM vectors) v USING (hash);
-- as drivers call it
PREPARE untyped AS SELECT missing_symbol.record($1, $2, $3, $4, $5);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
EXECUTE untyped('foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, NULL);
DEALLOCATE untyped;

--
-- Rules: what is ignored
--
TRUNCATE missing_symbol.symbols;
SELECT what, pg_temp.outcome(symbol, debugid, filename, code_file, code_id) AS outcome
FROM (VALUES
    ('file.ptr', 'foo.pdb', 'ABCDEF12345', 'file.ptr', NULL, NULL),
    ('33 zeros', 'foo.pdb', repeat('0', 33), 'foo.sym', NULL, NULL),
    ('symbol of 151', repeat('s', 151), 'ABCDEF12345', 'foo.sym', NULL, NULL),
    ('debugid of 151', 'foo.pdb', repeat('A', 151), 'foo.sym', NULL, NULL),
    ('filename of 151', 'foo.pdb', 'ABCDEF12345', repeat('f', 147) || '.sym', NULL, NULL),
    ('code_file of 151', 'foo.pdb', 'ABCDEF12345', 'foo.sym', repeat('c', 151), NULL),
    ('code_id of 151', 'foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, repeat('c', 151)),
    ('symbol of 151 characters', repeat('語', 151), 'ABCDEF12345', 'foo.sym', NULL, NULL),
    ('code_file of 151 characters', 'foo.pdb', 'ABCDEF12345', 'foo.sym', repeat('é', 151), NULL),
    ('no suffix', 'foo.pdb', 'ABCDEF12345', 'foo', NULL, NULL),
    ('empty filename', 'foo.pdb', 'ABCDEF12345', '', NULL, NULL),
    ('short filename', 'foo.pdb', 'ABCDEF12345', 'sym', NULL, NULL),
    ('.pdb', 'foo.pdb', 'ABCDEF12345', 'foo.pdb', NULL, NULL),
    ('.SYM', 'foo.pdb', 'ABCDEF12345', 'foo.SYM', NULL, NULL),
    ('.symx', 'foo.pdb', 'ABCDEF12345', 'foo.symx', NULL, NULL),
    ('.gz', 'foo.pdb', 'ABCDEF12345', 'foo.gz', NULL, NULL),
    ('.dbg', 'foo.pdb', 'ABCDEF12345', 'foo.dbg', NULL, NULL),
    ('.tar.gz', 'foo.pdb', 'ABCDEF12345', 'foo.tar.gz', NULL, NULL)
    ) AS t (what, symbol, debugid, filename, code_file, code_id);
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'file.ptr');
SELECT outcome, count, first_seen, last_seen FROM missing_symbol.last_increment();
SELECT count(*) FROM missing_symbol.symbols;

-- and what is not, though it comes near
SELECT what, pg_temp.outcome(symbol, debugid, filename, code_file, code_id) AS outcome
FROM (VALUES
    ('32 zeros', 'foo.pdb', repeat('0', 32), 'foo.sym', NULL, NULL),
    ('34 zeros', 'foo.pdb', repeat('0', 34), 'foo.sym', NULL, NULL),
    ('file.ptr as symbol', 'file.ptr', 'ABCDEF12345', 'foo.sym', NULL, NULL),
    ('my-file.ptr.sym', 'foo.pdb', 'ABCDEF12345', 'my-file.ptr.sym', NULL, NULL),
    ('all of 150', repeat('s', 150), repeat('A', 150), repeat('f', 146) || '.sym', repeat('c', 150), repeat('i', 150)),
    ('150 characters', repeat('語', 150), 'ABCDEF12345', repeat('語', 146) || '.sym', repeat('é', 150), repeat('😀', 150)),
    ('spaces, CJK, emoji', ' x y ', 'ABCDEF12345', '日本語 😀.sym', 'ÿ', '<|>'),
    ('punctuation', '!$&()*+,-./:;=?@_', 'ABCDEF12345', '!$&()*+,-./:;=?@_.sym', '\^`><{}[]#%"''~|', E'\x01\x7f'),
    ('after U+00FF', 'Ā.pdb', 'ABCDEF12345', 'Ā.sym', NULL, NULL),
    ('.sym alone', '', 'ABCDEF12345', '.sym', NULL, NULL),
    ('.dl_', 'foo.dll', 'ABCDEF12345', 'foo.dl_', NULL, NULL),
    ('.ex_', 'foo.exe', 'ABCDEF12345', 'foo.ex_', NULL, NULL),
    ('.pd_', 'foo.pdb', 'ABCDEF12345', 'foo.pd_', NULL, NULL),
    ('.dbg.gz', 'foo', 'ABCDEF12345', 'foo.dbg.gz', NULL, NULL),
    ('.tar.bz2', 'foo', 'ABCDEF12345', 'foo.tar.bz2', NULL, NULL),
    ('PE id', 'foo.pdb', '5A1B2C3D9000', 'foo.sym', NULL, NULL),
    ('lower case', 'foo.pdb', 'abcdef0123456789', 'foo.sym', NULL, NULL)
    ) AS t (what, symbol, debugid, filename, code_file, code_id);
SELECT count(*) FROM missing_symbol.symbols;

-- refused characters: of the first 1024, just these
SELECT string_agg(to_hex(n), ' ' ORDER BY n) FILTER (WHERE pg_temp.outcome('a' || chr(n), 'AB', 'a.sym') = '22023') AS in_symbol,
       bool_and(pg_temp.outcome('a' || chr(n), 'AB', 'a.sym') = pg_temp.outcome('a', 'AB', chr(n) || 'a.sym')
                OR pg_temp.outcome('a' || chr(n), 'AB', 'a.sym') IN ('inserted', 'incremented')
                   AND pg_temp.outcome('a', 'AB', chr(n) || 'a.sym') IN ('inserted', 'incremented')) AS filename_alike
FROM generate_series(1, 1024) AS n;
SELECT DISTINCT pg_temp.outcome('a', 'AB', 'a.sym', chr(n), chr(n)) IN ('inserted', 'incremented') AS details_free
FROM generate_series(1, 1024) AS n;
SELECT pg_temp.outcome('a' || c, 'AB', 'a' || c || '.sym') AS outcome, count(*)
FROM unnest(ARRAY['߿', 'ࠀ', '퟿', '', '�', '𐀀', '😀', chr(1114111)]) AS c GROUP BY 1;

-- refused debug ids
SELECT debugid, pg_temp.try(format('SELECT missing_symbol.record(''foo.pdb'', %L, ''foo.sym'')', debugid)) AS answer
FROM (VALUES (''), (' '), ('G'), ('ABCDEF12345 '), ('0x12'), ('44E4EC8C-2F41-492B-9369-D6B9A059577C'), ('ＡＢ'), ('/'), (':'), ('@'), ('`'), ('g'))
    AS t (debugid);

-- which rule comes first: the order of the old service
SELECT what, pg_temp.outcome(symbol, debugid, filename) AS outcome
FROM (VALUES
    ('bad debugid before file.ptr', 'foo.pdb', 'xyz', 'file.ptr'),
    ('file.ptr before bad character', 'foo|', 'AB', 'file.ptr'),
    ('suffix before bad character', 'foo|', 'AB', 'foo.exe'),
    ('bad character before length', repeat('s', 200) || '|', 'AB', 'foo.sym')
    ) AS t (what, symbol, debugid, filename);

-- the messages in full
SELECT missing_symbol.record('a<b.pdb', 'ABCDEF12345', 'foo.sym');
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foé.sym');
SELECT missing_symbol.record('foo.pdb', 'ABC-DEF', 'foo.sym');
SELECT pg_temp.try(format('SELECT missing_symbol.record(''foo.pdb'', %L, ''foo.sym'')', repeat('é', 5000))) = '22023: debugid of a sighting is not hexadecimal: "' || repeat('é', 50) || '"' AS clipped;

--
-- Bad calls: nothing is counted, the session lives on
--
TRUNCATE missing_symbol.symbols;
CREATE TABLE no_key (hash text, count int);
CREATE TABLE other_key (word text PRIMARY KEY, count int);
CREATE TABLE more_key (hash text, product text, count int, PRIMARY KEY (hash, product));
CREATE TABLE needs_more (hash text PRIMARY KEY, product text NOT NULL, count int);
CREATE TABLE short (hash varchar(32) PRIMARY KEY, symbol varchar(7), count int);
CREATE VIEW a_view AS SELECT 1 AS hash;
SELECT statement, pg_temp.try('SELECT missing_symbol.record(' || statement || ')') AS answer
FROM (VALUES
    ($$NULL, 'AB', 'foo.sym'$$), ($$'foo.pdb', NULL, 'foo.sym'$$), ($$'foo.pdb', 'AB', NULL$$),
    ($$'foo.pdb', 'AB', 'foo.sym', by => 0$$), ($$'foo.pdb', 'AB', 'foo.sym', by => NULL$$),
    ($$'foo.pdb', 'AB', 'foo.sym', target => NULL$$), ($$'foo.pdb', 'AB', 'foo.sym', target => 'nowhere'$$),
    ($$'foo.pdb', 'AB', 'foo.sym', target => 0$$), ($$'foo.pdb', 'AB', 'foo.sym', target => 'a_view'$$),
    ($$'foo.pdb', 'AB', 'foo.sym', target => 'no_key'$$), ($$'foo.pdb', 'AB', 'foo.sym', target => 'other_key'$$),
    ($$'foo.pdb', 'AB', 'foo.sym', target => 'more_key'$$), ($$'foo.pdb', 'AB', 'foo.sym', target => 'needs_more'$$),
    ($$'foo12.pdb', 'AB', 'foo.sym', target => 'short'$$), ($$'foo.pdb', 'AB', 'foo.sym', target => 'short'$$),
    ($$'foo.pdb', 'AB', 'foo.sym', by => 9223372036854775807$$), ($$'foo.pdb', 'AB', 'foo.sym'$$),
    ($$'foo.pdb', 'AB', 'foo.sym', by => -9223372036854775807$$)
    ) AS t (statement);
SELECT missing_symbol.hits(hits) FROM missing_symbol.symbols;
BEGIN READ ONLY;
SELECT pg_temp.try($$SELECT missing_symbol.record('foo.pdb', 'AB', 'foo.sym')$$),
       pg_temp.try($$SELECT missing_symbol.record('foo.pdb', 'AB', 'file.ptr')$$);
ROLLBACK;
BEGIN;
SELECT missing_symbol.record('rolled.pdb', 'AB', 'back.sym');
ROLLBACK;
SELECT count(*) FROM missing_symbol.symbols;
DROP TABLE no_key, other_key, more_key, needs_more, short;
DROP VIEW a_view;

--
-- The old service's own table
--
CREATE TABLE download_missingsymbol (
    id serial PRIMARY KEY,
    hash varchar(32) NOT NULL UNIQUE,
    symbol varchar(150) NOT NULL,
    debugid varchar(150) NOT NULL,
    filename varchar(150) NOT NULL,
    code_file varchar(150),
    code_id varchar(150),
    count integer NOT NULL DEFAULT 1 CHECK (count >= 0),
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL
);
CREATE INDEX ON download_missingsymbol (modified_at);
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SELECT n, missing_symbol.record(symbol, debugid, filename, code_file, code_id, target => 'download_missingsymbol')
FROM vectors ORDER BY n;
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT n, missing_symbol.record(symbol, debugid, filename, code_file, code_id, target => 'download_missingsymbol')
FROM vectors ORDER BY n;
SELECT id, hash, symbol, debugid, filename, code_file, code_id, count, created_at, modified_at
FROM download_missingsymbol ORDER BY id;
-- no increment has used a sequence value
SELECT last_value FROM download_missingsymbol_id_seq;
-- its statement and ours count the same rows
INSERT INTO download_missingsymbol (hash, symbol, debugid, filename, code_file, code_id, count, created_at, modified_at)
VALUES ('1f5ef757d84fa2edf17796268058843a', 'foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, NULL, 1, clock_timestamp(), clock_timestamp())
ON CONFLICT (hash) DO UPDATE SET count = download_missingsymbol.count + 1, modified_at = clock_timestamp();
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', target => 'download_missingsymbol');
-- its widths are the rules': 150 characters go in
SELECT missing_symbol.record(repeat('語', 150), repeat('A', 150), repeat('語', 146) || '.sym', repeat('é', 150), repeat('😀', 150),
                             target => 'download_missingsymbol');
SELECT pg_temp.try($$SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', by => -5, target => 'download_missingsymbol')$$);
-- once in 24 hours, as the guard in front of it did
SET missing_symbol.test_clock = '2026-11-22 00:00:00+00';
SET client_min_messages = error;
SELECT missing_symbol.track('download_missingsymbol', throttle => '24 hours');
RESET client_min_messages;
CREATE FUNCTION pg_temp.seen_at(clock text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('missing_symbol.test_clock', clock, false);
    answer := missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', 'xul.dll', 'deadbeef',
                                    target => 'download_missingsymbol');
    RETURN concat_ws(' ', (missing_symbol.last_increment()).outcome, answer);
END
$$;
SELECT clock, pg_temp.seen_at(clock)
FROM (VALUES ('2026-11-23 00:00:00+00'), ('2026-11-23 23:59:59.999999+00'), ('2026-11-24 00:00:00+00'),
             ('2026-11-24 00:00:00.000001+00'), ('2026-11-20 00:00:00+00')) AS t (clock);
SELECT missing_symbol.untrack('download_missingsymbol');

--
-- One row for a file, however much is known of it: the key named, the
-- details filled
--
TRUNCATE download_missingsymbol RESTART IDENTITY;
CREATE UNIQUE INDEX ON download_missingsymbol (symbol, debugid, filename);
SET client_min_messages = error;
SELECT missing_symbol.track('download_missingsymbol', key => '{symbol,debugid,filename}', fill => '{code_file,code_id}');
RESET client_min_messages;
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', 'foo.dll', target => 'download_missingsymbol');
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', '', 'deadbeef', target => 'download_missingsymbol');
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', 'foo.dll', 'deadbeef', target => 'download_missingsymbol');
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', 'other.dll', 'other', target => 'download_missingsymbol');
SELECT id, hash = missing_symbol.hash('foo.pdb', 'ABCDEF12345', 'foo.sym', 'foo.dll') AS hash_of_first,
       code_file, code_id, count, created_at, modified_at FROM download_missingsymbol;
SELECT missing_symbol.untrack('download_missingsymbol');

-- a table of one's own needs no hash, and takes the columns it has, in types
-- that text goes into
CREATE DOMAIN debug_id AS text CHECK (VALUE ~ '^[0-9A-Fa-f]+$');
CREATE TABLE own (
    debugid debug_id, symbol varchar(200), filename char(20), code_id bytea,
    first_seen timestamptz, hits bigint,
    PRIMARY KEY (symbol, debugid, filename));
CREATE TABLE by_uuid (hash uuid PRIMARY KEY, file text GENERATED ALWAYS AS (hash::text || '.sym') STORED, hits missing_symbol.counter)
    WITH (fillfactor = 50);
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', 'foo.dll', target => 'own'),
       missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, '\x00ff', target => 'own'),
       missing_symbol.record('foo.pdb', 'ABCDEF12346', 'foo.sym', NULL, '\x00ff', target => 'own');
TABLE own ORDER BY debugid;
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', target => 'by_uuid'),
       missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', target => 'by_uuid');
TABLE by_uuid;
DROP TABLE own, by_uuid;
-- what the database fills of them is left to it
CREATE TABLE filled (symbol text, debugid text, filename text GENERATED ALWAYS AS (symbol || '.sym') STORED, code_id bigint GENERATED ALWAYS AS IDENTITY,
    hits bigint NOT NULL, PRIMARY KEY (symbol, debugid));
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', NULL, 'ABC', target => 'filled'),
       missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym', target => 'filled'),
       missing_symbol.record('bar.pdb', 'ABCDEF12345', 'bar.sym', target => 'filled');
SELECT * FROM filled ORDER BY symbol;
DROP TABLE filled;
DROP DOMAIN debug_id;

--
-- Both paths give the same answers and the same rows
--
CREATE FUNCTION pg_temp.traffic(target regclass, fast text)
RETURNS TABLE (n int, recorded bigint, outcome text, count bigint, first_seen timestamptz, last_seen timestamptz, stored jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    EXECUTE format('TRUNCATE %s RESTART IDENTITY', target);
    PERFORM set_config('missing_symbol.fast_path', fast, true);
    n := 0;
    FOR r IN
        SELECT * FROM (VALUES
            ('2026-11-21 01:00+00', 'a.pdb', 'AB', 'a.sym', NULL, NULL, 1), ('2026-11-21 02:00+00', 'a.pdb', 'AB', 'a.sym', '', '', 1),
            ('2026-11-21 03:00+00', 'a.pdb', 'AB', 'a.sym', 'a.dll', '', 2), ('2026-11-22 02:30+00', 'a.pdb', 'AB', 'a.sym', 'a.dll', '', 3),
            ('2026-11-21 00:30+00', 'a.pdb', 'AB', 'a.sym', 'a.dll', NULL, 5), ('2026-11-23 01:00+00', 'a.pdb', 'AB', 'file.ptr', NULL, NULL, 1),
            ('2026-11-23 02:00+00', 'a.pdb', 'AB', 'a.sym', NULL, NULL, -1), ('2026-11-24 02:00+00', 'b.pdb', 'CD', 'b.sym', 'b.dll', 'id', 1),
            ('2026-11-25 01:59:59+00', 'b.pdb', 'CD', 'b.sym', 'b.dll', 'id', 1), ('2026-11-25 02:00+00', 'b.pdb', 'CD', 'b.sym', 'b.dll', 'id', 1)
            ) AS t (clock, symbol, debugid, filename, code_file, code_id, amount)
    LOOP
        n := n + 1;
        PERFORM set_config('missing_symbol.test_clock', r.clock, false);
        recorded := missing_symbol.record(r.symbol, r.debugid, r.filename, r.code_file, r.code_id, by => r.amount, target => target);
        SELECT l.outcome, l.count, l.first_seen, l.last_seen INTO outcome, count, first_seen, last_seen FROM missing_symbol.last_increment() l;
        RETURN NEXT;
    END LOOP;
    recorded := NULL; outcome := NULL; count := NULL; first_seen := NULL; last_seen := NULL;
    n := 100;
    FOR stored IN EXECUTE format('SELECT to_jsonb(t) FROM %s AS t ORDER BY hash', target) LOOP
        n := n + 1;
        RETURN NEXT;
    END LOOP;
END
$$;
DROP INDEX download_missingsymbol_symbol_debugid_filename_idx;
SELECT n, recorded, outcome, count, first_seen, last_seen FROM pg_temp.traffic('missing_symbol.symbols', 'on') WHERE n < 100;
SET client_min_messages = error;
CREATE FUNCTION pg_temp.differences(target regclass, OUT fast bigint, OUT differ bigint)
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE fast_answers AS SELECT * FROM pg_temp.traffic(target, 'on');
    CREATE TEMP TABLE general_answers AS SELECT * FROM pg_temp.traffic(target, 'off');
    SELECT count(*) INTO fast FROM fast_answers;
    SELECT count(*) INTO differ
    FROM fast_answers f FULL JOIN general_answers g USING (n)
    WHERE f::text IS DISTINCT FROM g::text;
    DROP TABLE fast_answers, general_answers;
END
$$;
SELECT * FROM pg_temp.differences('missing_symbol.symbols');
SELECT * FROM pg_temp.differences('download_missingsymbol');
SELECT missing_symbol.track('missing_symbol.symbols', throttle => '24 hours'),
       missing_symbol.track('download_missingsymbol', throttle => '24 hours');
SELECT n, recorded, outcome, count, first_seen, last_seen FROM pg_temp.traffic('missing_symbol.symbols', 'on') WHERE n < 100;
SELECT * FROM pg_temp.differences('missing_symbol.symbols');
SELECT * FROM pg_temp.differences('download_missingsymbol');
SELECT missing_symbol.untrack('missing_symbol.symbols'), missing_symbol.untrack('download_missingsymbol');
RESET client_min_messages;

--
-- The built-in target
--
SELECT key, count, hot_obstacles FROM missing_symbol.describe('missing_symbol.symbols');
TRUNCATE missing_symbol.symbols;
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';

-- the report: the last 24 hours, to the microsecond, the latest first
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM (VALUES
        ('2026-11-20 00:59:59.999999+00', 'too_old.pdb', 'AB', 'too_old.sym', NULL, NULL),
        ('2026-11-20 01:00:00+00', 'just.pdb', 'AB01', 'just.sym', '', ''),
        ('2026-11-20 12:00:00+00', 'no_pdb.so', 'AB', 'no_pdb.sym', NULL, NULL),
        ('2026-11-20 12:00:00+00', 'no_sym.pdb', 'AB', 'no_sym.pd_', NULL, NULL),
        ('2026-11-20 12:00:00+00', 'xpdb', 'AB', 'x.sym', NULL, NULL),
        ('2026-11-20 13:00:00+00', 'UPPER.PDB', 'AB02', 'UPPER.sym', 'UPPER.DLL', '5A1B2C3D9000'),
        ('2026-11-20 13:00:00+00', 'Mixed.Pdb', 'AB03', 'Mixed.sym', 'a, "b".dll', NULL),
        ('2026-11-20 14:00:00+00', '日本語.pdb', 'AB04', '日本語.sym', NULL, 'ÿ'),
        ('2026-11-19 00:00:00+00', 'again.pdb', 'AB05', 'again.sym', 'again.dll', 'id'),
        ('2026-11-21 00:59:59+00', 'again.pdb', 'AB05', 'again.sym', 'again.dll', 'id')
        ) AS t (clock, symbol, debugid, filename, code_file, code_id)
    LOOP
        PERFORM set_config('missing_symbol.test_clock', r.clock, true);
        PERFORM missing_symbol.record(r.symbol, r.debugid, r.filename, r.code_file, r.code_id);
    END LOOP;
END
$$;
SHOW missing_symbol.test_clock;
TABLE missing_symbol.missing_pdbs;
COPY (TABLE missing_symbol.missing_pdbs) TO STDOUT (FORMAT csv, HEADER);

-- rights: nobody has any until the owner gives some
CREATE ROLE regress_symbols_server;
CREATE ROLE regress_symbols_report;
SELECT relname, relacl FROM pg_class WHERE relnamespace = 'missing_symbol'::regnamespace AND relname IN ('symbols', 'missing_pdbs') ORDER BY 1;
SET ROLE regress_symbols_server;
SELECT pg_temp.try($$SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym')$$),
       pg_temp.try($$SELECT count(*) FROM missing_symbol.symbols$$),
       pg_temp.try($$SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'file.ptr')$$),
       missing_symbol.hash('foo.pdb', 'ABCDEF12345', 'foo.sym');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON missing_symbol.symbols TO regress_symbols_server;
GRANT SELECT ON missing_symbol.missing_pdbs TO regress_symbols_report;
SET ROLE regress_symbols_server;
SELECT missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym'), missing_symbol.record('foo.pdb', 'ABCDEF12345', 'foo.sym');
SET ROLE regress_symbols_report;
SELECT count(*), pg_temp.try($$SELECT count(*) FROM missing_symbol.symbols$$) FROM missing_symbol.missing_pdbs;
RESET ROLE;
REVOKE ALL ON missing_symbol.symbols FROM regress_symbols_server;
REVOKE ALL ON missing_symbol.missing_pdbs FROM regress_symbols_report;
DROP ROLE regress_symbols_server, regress_symbols_report;

-- increments are HOT: new versions find room on the page, and no index is on
-- what changes
TRUNCATE missing_symbol.symbols;
SELECT count(missing_symbol.record('f' || n || '.pdb', 'AB', 'f.sym')) FROM generate_series(1, 200) AS n;
CREATE TEMP TABLE before AS
    SELECT hash, ctid AS old_ctid, split_part(trim('(' FROM ctid::text), ',', 1)::int AS page FROM missing_symbol.symbols;
SELECT count(missing_symbol.record('f' || n || '.pdb', 'AB', 'f.sym')) FROM generate_series(1, 200, 20) AS n;
SELECT count(*) AS counted, count(*) FILTER (WHERE s.ctid <> b.old_ctid) AS moved,
       count(*) FILTER (WHERE split_part(trim('(' FROM s.ctid::text), ',', 1)::int = b.page) AS on_their_page
FROM missing_symbol.symbols s JOIN before b USING (hash) WHERE missing_symbol.hits(hits) = 2;
SELECT reloptions FROM pg_class WHERE oid = 'missing_symbol.symbols'::regclass;
SELECT extconfig::text LIKE '%' || 'missing_symbol.symbols'::regclass::oid || '%' AS dumped FROM pg_extension WHERE extname = 'missing_symbol';

-- every object of the extension is commented
SELECT pg_describe_object(d.classid, d.objid, 0) AS uncommented
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'missing_symbol')
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
  -- from 16 on, row and array types are listed too
  AND NOT (d.classid = 'pg_type'::regclass
           AND d.objid IN (SELECT oid FROM pg_type WHERE typrelid <> 0 OR typelem <> 0))
ORDER BY 1;

TRUNCATE missing_symbol.symbols;
DROP TABLE vectors, download_missingsymbol;
