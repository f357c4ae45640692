--
-- once: calls with a token, which count once however often they are repeated.
-- Against others: test/specs/once.spec; clients that are cut off, crashes:
-- test/t/once.pl.  Without a worker, so that nothing happens by itself.
--
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.worker = off;
SET missing_symbol.test_clock = '2026-01-10 12:00:00+00';
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null '(null)'
CREATE SCHEMA once;
SET search_path = once;
SET client_min_messages = error;	-- fillfactor

CREATE TABLE views (page text PRIMARY KEY, count bigint NOT NULL CHECK (count < 1000), last_seen timestamptz);
-- tokens of tables here
CREATE VIEW known AS SELECT target, token, claimed_at FROM missing_symbol.tokens WHERE target::text !~ '\.';
CREATE VIEW outcome AS SELECT outcome, count FROM missing_symbol.last_increment();
CREATE VIEW aside AS
    SELECT 'buffered' AS store, target, key, delta FROM missing_symbol.buffered WHERE target::text !~ '\.'
    UNION ALL SELECT 'spilled', target, key, delta FROM missing_symbol.spilled WHERE target::text !~ '\.';

--
-- A token counts once
--
SELECT missing_symbol.increment_once('views', 'request 1', '/a');
TABLE outcome;
SELECT missing_symbol.increment('views', '/a');
-- what there is now, and nothing counted
SELECT missing_symbol.increment_once('views', 'request 1', '/a');
TABLE outcome;
-- whatever else the call says
SELECT missing_symbol.increment_once_by('views', 'request 1', 50, '/b');
TABLE outcome;
SELECT missing_symbol.increment_once('views', 'request 2', '/a'), missing_symbol.increment_once('views', 'request 2', '/a');
SELECT count(missing_symbol.increment_once('views', 'request ' || i % 3, '/c')) FROM generate_series(1, 9) i;
SELECT * FROM views ORDER BY page;
-- the first 128 bits of SHA-256 over its text
SELECT target, token = encode(substring(sha256('request 1') FOR 16), 'hex')::uuid AS sha256, claimed_at FROM known ORDER BY 2 DESC, token LIMIT 1;
-- a token of one table is none of another
CREATE TABLE others (LIKE views INCLUDING ALL);
SELECT missing_symbol.increment_once('others', 'request 1', '/a');
SELECT count(*) FROM known;

--
-- Types of tokens: each is its text
--
SELECT missing_symbol.increment_once('views', 42, '/int'), missing_symbol.increment_once('views', '42', '/int'),
    missing_symbol.increment_once('views', 42::bigint, '/int'), missing_symbol.increment_once('views', 42::smallint, '/int'::varchar),
    missing_symbol.increment_once('views', '42'::varchar, VARIADIC '{/int}'::text[]);
SELECT missing_symbol.increment_once('views', '6b27dfa4-0d52-4c7a-8d2e-0f6a3a3b9b1c'::uuid, '/uuid'),
    missing_symbol.increment_once('views', '6b27dfa4-0d52-4c7a-8d2e-0f6a3a3b9b1c', '/uuid'),
    missing_symbol.increment_once('views', '6B27DFA4-0D52-4C7A-8D2E-0F6A3A3B9B1C'::uuid, '/uuid'::text);
SELECT count(*) FROM known WHERE target = 'views'::regclass AND token = encode(substring(sha256('6b27dfa4-0d52-4c7a-8d2e-0f6a3a3b9b1c') FOR 16), 'hex')::uuid;
PREPARE untyped AS SELECT missing_symbol.increment_once('views', $1, $2);
EXECUTE untyped('untyped', '/u');
EXECUTE untyped('untyped', '/u');
PREPARE mixed AS SELECT missing_symbol.increment_once_by('views', $1, $2, $3);
EXECUTE mixed('mixed', 3, '/u');
EXECUTE mixed('mixed', 3, '/u');
SELECT missing_symbol.increment_once(target => 'views', token => 'named'::text, VARIADIC key => '{/named}'::text[]);
CREATE TABLE days (page text, day date, n int, count bigint, PRIMARY KEY (page, day, n));
SELECT missing_symbol.increment_once('days', 7, '/a', '2026-01-01', 1), missing_symbol.increment_once('days', '8', '/a', '2026-01-01'::date, 1),
    missing_symbol.increment_once('days', 8, '/a', '2026-01-01', 1);
SELECT missing_symbol.increment_once('views', NULL, '/a');
SELECT missing_symbol.increment_once('views', '', '/a');
SELECT missing_symbol.increment_once(NULL, 'x', '/a');
SELECT missing_symbol.increment_once('views', 'wrong key', '/a', '/b');
SELECT missing_symbol.increment_once_by('views', 'no amount', NULL, '/a');
SELECT missing_symbol.increment_once('views', 1.5, '/a');

-- columns by name
SELECT missing_symbol.increment_row_once('views', 'row 1', '{"page": "/row"}'), missing_symbol.increment_row_once('views', 'row 1', '{"page": "/row"}', 7),
    missing_symbol.increment_row_once('views', 2, '{"page": "/row"}', 7), missing_symbol.increment_row_once('views', 2, '{"page": "/row"}', 7);
SELECT missing_symbol.increment_row_once('views', 'row 3', NULL);

--
-- What is not counted uses up no token
--
SELECT missing_symbol.forget_tokens('views'), missing_symbol.forget_tokens('others'), missing_symbol.forget_tokens('days');
TABLE known;
-- a row that is not there
SELECT missing_symbol.configure('views', '{"insert": false}');
SELECT missing_symbol.increment_once('views', 'absent', '/not there');
TABLE outcome;
TABLE known;
SELECT missing_symbol.configure('views', '{"insert": null}');
SELECT missing_symbol.increment_once('views', 'absent', '/not there');
-- nothing to add
SELECT missing_symbol.increment_once_by('views', 'zero', 0, '/a');
TABLE outcome;
-- too early
SELECT missing_symbol.track('views', throttle => '1 hour');
SELECT missing_symbol.increment_once('views', 'throttled', '/not there');
TABLE outcome;
SELECT missing_symbol.increment_once('views', 'absent', '/not there');
TABLE outcome;
SET missing_symbol.test_clock = '2026-01-10 14:00:00+00';
SELECT missing_symbol.increment_once('views', 'throttled', '/not there');
SELECT missing_symbol.track('views', throttle => '0');
-- suppressed by a trigger
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON views FOR EACH ROW WHEN (NEW.page = '/ignored') EXECUTE FUNCTION suppress();
SELECT missing_symbol.increment_once('views', 'ignored', '/ignored');
TABLE outcome;
-- an error, and what it was
SELECT missing_symbol.increment_once_by('views', 'failed', 1000, '/failed');
SELECT missing_symbol.increment_once_by('views', 'failed', 999, '/failed');
DROP TRIGGER suppress ON views;
SELECT missing_symbol.increment_once('views', 'ignored', '/ignored');
SELECT count(*) FROM known;

--
-- ROLLBACK gives it back, and so do savepoints
--
BEGIN;
SELECT missing_symbol.increment_once('views', 'undone', '/undone');
SELECT missing_symbol.increment_once('views', 'undone', '/undone');
ROLLBACK;
BEGIN;
SELECT missing_symbol.increment_once('views', 'outer', '/undone');
SAVEPOINT s;
SELECT missing_symbol.increment_once('views', 'undone', '/undone'), missing_symbol.increment_once('views', 'outer', '/undone');
ROLLBACK TO s;
SELECT missing_symbol.increment_once('views', 'undone', '/undone');
SAVEPOINT t;
SELECT missing_symbol.increment_once('views', 'inner', '/undone');
RELEASE t;
COMMIT;
SELECT missing_symbol.increment_once('views', token, '/undone') FROM unnest('{outer,undone,inner}'::text[]) token;

--
-- Batches
--
SELECT missing_symbol.forget_tokens('views') > 0 AS forgotten;
TRUNCATE views;
SELECT * FROM missing_symbol.increment_rows_once('views', '{a,b,c,d}', '[{"page": "/1"}, {"page": "/2"}, {"page": "/1"}, {"page": "/3"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', '{a,b,c,d,e}', '[{"page": "/1"}, {"page": "/2"}, {"page": "/1"}, {"page": "/3"}, {"page": "/1"}]', '{1,1,1,1,10}');
-- equal tokens: the first counts
SELECT * FROM missing_symbol.increment_rows_once('views', ARRAY['f', 'f', 'g', 'f'], '[{"page": "/1"}, {"page": "/2"}, {"page": "/2"}, {"page": "/4"}]', '{100,200,300,400}');
SELECT page, count FROM views ORDER BY page;
-- claimed in their order, whatever that of the batch is
SELECT incremented, inserted FROM missing_symbol.increment_rows_once('others', ARRAY(SELECT i FROM generate_series(1, 20) i),
    (SELECT jsonb_agg(jsonb_build_object('page', '/order')) FROM generate_series(1, 20)));
SELECT count(*), array_agg(token ORDER BY ctid) = array_agg(token ORDER BY token) AS in_order FROM missing_symbol.tokens WHERE target = 'others'::regclass;
SELECT * FROM missing_symbol.increment_rows_once('views', ARRAY[1, 2]::bigint[], '[{"page": "/1"}, {"page": "/2"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', ARRAY[1, 2], '[{"page": "/1"}, {"page": "/2"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', ARRAY['6b27dfa4-0d52-4c7a-8d2e-0f6a3a3b9b1c'::uuid], '[{"page": "/1"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', NULL::text[], NULL);
SELECT * FROM missing_symbol.increment_rows_once('views', '{}', '[]');
SELECT * FROM missing_symbol.increment_rows_once('views', '{x}', '[]');
SELECT * FROM missing_symbol.increment_rows_once('views', '{x,NULL}', '[{"page": "/1"}, {"page": "/2"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', '{x,""}', '[{"page": "/1"}, {"page": "/2"}]');
SELECT * FROM missing_symbol.increment_rows_once('views', '{1.5}'::numeric[], '[{"page": "/1"}]');
PREPARE batch AS SELECT duplicate FROM missing_symbol.increment_rows_once('views', $1, $2);
EXECUTE batch('{1,3}', '[{"page": "/1"}, {"page": "/2"}]');
-- a row that counts nothing uses up nothing, with what is merged into it
SELECT missing_symbol.configure('views', '{"insert": false}');
SELECT * FROM missing_symbol.increment_rows_once('views', '{h,i,j,k}', '[{"page": "/1"}, {"page": "/none"}, {"page": "/none"}, {"page": "/2"}]');
SELECT missing_symbol.configure('views', '{"insert": null}');
SELECT * FROM missing_symbol.increment_rows_once('views', '{h,i,j,k}', '[{"page": "/1"}, {"page": "/none"}, {"page": "/none"}, {"page": "/2"}]');
-- under a throttle the first of a key counts
SELECT missing_symbol.track('views', throttle => '1 hour');
SELECT * FROM missing_symbol.increment_rows_once('views', '{l,m,n}', '[{"page": "/new"}, {"page": "/new"}, {"page": "/1"}]');
SELECT count(*) FROM known WHERE token IN (SELECT encode(substring(sha256(t::bytea) FOR 16), 'hex')::uuid FROM unnest('{l,m,n}'::text[]) t);
SELECT missing_symbol.track('views', throttle => '0');
SELECT * FROM missing_symbol.increment_rows_once('views', '{l,m,n}', '[{"page": "/new"}, {"page": "/new"}, {"page": "/1"}]');
-- what fails undoes all
SELECT * FROM missing_symbol.increment_rows_once('views', '{o,p}', '[{"page": "/new"}, {"page": "/1"}]', '{1,1000}');
SELECT * FROM missing_symbol.increment_rows_once('views', '{o,p}', '[{"page": "/new"}, {"page": "/1"}]');
-- what a limit refuses is told as in other batches, and uses up nothing
CREATE TABLE limited (LIKE views INCLUDING ALL);
SELECT missing_symbol.configure('limited', '{"at_most": 2}');
SELECT * FROM missing_symbol.increment_rows_once('limited', '{a,b,c}', '[{"page": "/1"}, {"page": "/2"}, {"page": "/3"}]', '{1,3,1}');
SELECT * FROM missing_symbol.increment_rows_once('limited', '{a,b,c}', '[{"page": "/1"}, {"page": "/2"}, {"page": "/3"}]');

--
-- Every way to its row
--
CREATE TABLE deferred (LIKE views INCLUDING ALL);
CREATE TABLE buffered (LIKE views INCLUDING ALL);
SELECT missing_symbol.track('deferred', apply => 'commit'), missing_symbol.track('buffered', apply => 'buffer');
BEGIN;
SELECT missing_symbol.increment_once('deferred', 'd', '/a');
TABLE outcome;
-- what there is, with what waits
SELECT missing_symbol.increment_once('deferred', 'd', '/a');
SAVEPOINT s;
SELECT missing_symbol.increment_once('deferred', 'e', '/a');
ROLLBACK TO s;
COMMIT;
SELECT page, count FROM deferred;
SELECT missing_symbol.increment_once('deferred', 'd', '/a'), missing_symbol.increment_once('deferred', 'e', '/a'), missing_symbol.value('deferred', '/a');
-- what is buffered is set aside in the transaction of its token, logged
BEGIN;
SELECT missing_symbol.increment_once('buffered', 'd', '/a');
TABLE outcome;
SAVEPOINT s;
SELECT missing_symbol.increment_once('buffered', 'e', '/a');
SELECT missing_symbol.increment('buffered', '/a');
ROLLBACK TO s;
TABLE aside;
COMMIT;
SELECT missing_symbol.increment_once('buffered', 'd', '/a');
SELECT * FROM missing_symbol.increment_rows_once('buffered', '{d,e,f}', '[{"page": "/a"}, {"page": "/a"}, {"page": "/b"}]');
SELECT * FROM aside ORDER BY 1, 2, 3;
SELECT missing_symbol.flush();
SELECT page, count FROM buffered ORDER BY page;
-- what would fail does so now
SELECT missing_symbol.increment_once('buffered', 'g', NULL);
SELECT missing_symbol.configure('buffered', '{"insert": false}');
SELECT missing_symbol.increment_once('buffered', 'g', '/none');
TABLE outcome;
SELECT target, count(*) FROM known GROUP BY 1 ORDER BY 1;
-- a partitioned table, and a partition is another target
CREATE TABLE parts (page text PRIMARY KEY, count bigint) PARTITION BY HASH (page);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT missing_symbol.increment_once('parts', 'p', '/a'), missing_symbol.increment_once('parts', 'p', '/a'), missing_symbol.increment_once('parts_0', 'p', '/a');
-- counts that are no bigint
CREATE TABLE amounts (k int PRIMARY KEY, count numeric);
SELECT missing_symbol.increment_once('amounts', 'a', 1);
SELECT missing_symbol.increment_amount('amounts', 0.5, 1), missing_symbol.increment_once('amounts', 'a', 1);
TABLE outcome;
-- what a trigger counts once
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM missing_symbol.increment_once('others', 'from a trigger', '/t'); RETURN NULL; END $$;
CREATE TRIGGER again AFTER INSERT OR UPDATE ON amounts FOR EACH ROW EXECUTE FUNCTION again();
SELECT missing_symbol.increment_once('amounts', 'b', 1), missing_symbol.increment_once('amounts', 'c', 2);
SELECT page, count FROM others WHERE page = '/t';
-- one that has the tokens of its table forgotten, and then suppresses the row
CREATE FUNCTION forgets() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM missing_symbol.forget_tokens('amounts'); RETURN NULL; END $$;
CREATE TRIGGER forgets BEFORE INSERT OR UPDATE ON amounts FOR EACH ROW EXECUTE FUNCTION forgets();
SELECT missing_symbol.increment_once('amounts', 'd', 1);
TABLE outcome;
SELECT count(*) FROM known WHERE target = 'amounts'::regclass;

--
-- Expiry: a token is known for token_days, whether it is still there or not
--
TRUNCATE views;
SELECT missing_symbol.forget_tokens('views') > 0 AS forgotten;
SHOW missing_symbol.token_days;
SET missing_symbol.token_days = 1;
SET missing_symbol.test_clock = '2026-01-10 12:00:00+00';
SELECT missing_symbol.increment_once('views', 'old', '/old'), missing_symbol.increment_once('views', 'older', '/old');
SET missing_symbol.test_clock = '2026-01-17 12:00:00+00';
SELECT missing_symbol.increment_once('views', 'old', '/old');
TABLE outcome;
SET missing_symbol.test_clock = '2026-01-17 12:00:00.000001+00';
SELECT missing_symbol.increment_once('views', 'old', '/old'), missing_symbol.increment_once('views', 'old', '/old');
BEGIN;
SELECT missing_symbol.increment_once('views', 'older', '/old');
ROLLBACK;
SELECT claimed_at FROM known WHERE target = 'views'::regclass ORDER BY 1;
-- it is nobody's where nothing is counted
SELECT missing_symbol.increment_once_by('views', 'older', 1000, '/old');
SELECT missing_symbol.configure('views', '{"insert": false}');
SELECT missing_symbol.increment_once('views', 'older', '/none');
SELECT claimed_at FROM known WHERE target = 'views'::regclass ORDER BY 1;
SELECT missing_symbol.configure('views', '{"insert": null}');
-- a clock that was set back
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
SELECT missing_symbol.increment_once('views', 'old', '/old');
CALL missing_symbol.expire_tokens();
SELECT claimed_at FROM known WHERE target = 'views'::regclass ORDER BY 1;
SET missing_symbol.test_clock = '2026-01-17 13:00:00+00';
SET client_min_messages = notice;
CALL missing_symbol.expire_tokens();
SET missing_symbol.test_clock = '2026-01-24 12:00:00.000002+00';
SELECT missing_symbol.increment_once('views', 'new', '/new');
CALL missing_symbol.expire_tokens();
CALL missing_symbol.expire_tokens();
-- whoever has called it may go on: what is deleted is committed
SET missing_symbol.test_clock = '2026-01-16 12:00:00+00';
SELECT missing_symbol.increment_once('views', 'expires', '/new');
SET missing_symbol.test_clock = '2026-01-24 12:00:00.000002+00';
DO $$ BEGIN CALL missing_symbol.expire_tokens(); ASSERT pg_current_xact_id_if_assigned() IS NULL; END $$;
SELECT claimed_at FROM known WHERE target = 'views'::regclass ORDER BY 1;
BEGIN;
CALL missing_symbol.expire_tokens();
ROLLBACK;
SET client_min_messages = error;
-- fold() does it by the way
SET missing_symbol.test_clock = '2026-02-24 12:00:00+00';
SELECT missing_symbol.increment_once('views', 'newer', '/new');
BEGIN;
SELECT missing_symbol.fold();
COMMIT;
SELECT count(*) FROM known;
SELECT missing_symbol.fold();
SELECT claimed_at FROM known;

--
-- Who may: who may count; and the owner forgets
--
CREATE ROLE regress_once_counter;
CREATE ROLE regress_once_reader;
GRANT USAGE ON SCHEMA once TO regress_once_counter, regress_once_reader;
GRANT SELECT ON views TO regress_once_reader;
GRANT SELECT, INSERT, UPDATE ON views TO regress_once_counter;
SET ROLE regress_once_reader;
SELECT missing_symbol.increment_once('views', 'newer', '/new');
SELECT missing_symbol.increment_once('views', 'reader', '/new');
SELECT * FROM missing_symbol.increment_rows_once('views', '{newer,reader}', '[{"page": "/1"}, {"page": "/2"}]');
SELECT missing_symbol.forget_tokens('views');
SELECT count(*) FROM missing_symbol.tokens;
SET ROLE regress_once_counter;
SELECT missing_symbol.increment_once('views', 'newer', '/new'), missing_symbol.increment_once('views', 'counter', '/new');
SELECT missing_symbol.forget_tokens('views');
INSERT INTO missing_symbol.tokens VALUES ('views', '6b27dfa4-0d52-4c7a-8d2e-0f6a3a3b9b1c', now());
DELETE FROM missing_symbol.tokens;
CALL missing_symbol.expire_tokens();
RESET ROLE;
SELECT count(*) FROM known;
-- the role that row security keeps from a row gets no count of it
ALTER TABLE views ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON views USING (page <> '/new') WITH CHECK (page <> '/new');
SET ROLE regress_once_counter;
SELECT missing_symbol.increment_once('views', 'newer', '/new');
SELECT missing_symbol.increment_once('views', 'secured', '/new');
SELECT missing_symbol.increment_once('views', 'secured', '/seen'), missing_symbol.increment_once('views', 'secured', '/seen');
RESET ROLE;
ALTER TABLE views DISABLE ROW LEVEL SECURITY;
BEGIN READ ONLY;
SELECT missing_symbol.increment_once('views', 'read only', '/a');
ROLLBACK;
CREATE TEMP TABLE session_views (page text PRIMARY KEY, count bigint);
SELECT missing_symbol.increment_once('session_views', 'a', '/a');
SELECT missing_symbol.forget_tokens(NULL);
SELECT missing_symbol.forget_tokens(0);
-- fold() expires what its caller may count in: no other role keeps claims waiting
SET missing_symbol.test_clock = '2026-03-24 12:00:00+00';
SET ROLE regress_once_reader;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT count(*) > 0 AS kept FROM known WHERE target = 'views'::regclass;
SET ROLE regress_once_counter;
SELECT missing_symbol.fold();
RESET ROLE;
SELECT count(*) > 0 AS kept FROM known WHERE target = 'views'::regclass;
SET missing_symbol.test_clock = '2026-02-24 12:00:00+00';

-- a repeated request is answered, whatever the sum has come to
CREATE TABLE huge (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('huge', apply => 'buffer');
SELECT missing_symbol.increment_once_by('huge', 'first', 9223372036854775807, 'a'), missing_symbol.increment_once_by('huge', 'second', 2, 'a');
SELECT missing_symbol.increment_once_by('huge', 'second', 2, 'a'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.value('huge', 'a');
-- what is over in between is not
SELECT missing_symbol.increment_once_by('huge', 'third', -3, 'a');
SELECT missing_symbol.value('huge', 'a');
-- tokens of a smallint array; an index that keeps another table's token out
SELECT * FROM missing_symbol.increment_rows_once('others', '{1,2,1}'::smallint[], '[{"page": "/s"}, {"page": "/s"}, {"page": "/s"}]');
SELECT missing_symbol.increment_once('others', 2, '/s'), (missing_symbol.last_increment()).outcome;
SET client_min_messages = error;
BEGIN;
TRUNCATE missing_symbol.tokens;
CREATE UNIQUE INDEX by_token ON missing_symbol.tokens (token);
SELECT missing_symbol.increment_once('others', 'shared', '/s');
SELECT missing_symbol.increment_once('huge', 'shared', 'b');
ROLLBACK;
RESET client_min_messages;
DROP TABLE huge;

-- what outlives nobody: the tokens of a table go with it, not those of others
SELECT missing_symbol.increment_once('others', 'stays', '/a');
DROP TABLE views;
SELECT target, count(*) FROM known GROUP BY 1;
TRUNCATE others;
SELECT missing_symbol.increment_once('others', 'stays', '/a');
BEGIN;
SELECT missing_symbol.increment_once('others', 'in here', '/a'), missing_symbol.forget_tokens('others'), missing_symbol.increment_once('others', 'in here', '/a');
COMMIT;
SELECT target, duplicate FROM missing_symbol.counter_stats WHERE target = 'others'::regclass;

SET client_min_messages = warning;
DROP SCHEMA once CASCADE;
SELECT count(*) FROM missing_symbol.tokens;
DROP ROLE regress_once_counter, regress_once_reader;
