--
-- Keys of NULLS NOT DISTINCT, from 15 on
--
SELECT current_setting('server_version_num')::int < 150000 AS too_old \gset
\if :too_old
\echo SKIPPED: this PostgreSQL does not know NULLS NOT DISTINCT
\quit
\endif
\set SHOW_CONTEXT never
\pset null '(null)'
CREATE TABLE nnd (a text, b int, count int, UNIQUE NULLS NOT DISTINCT (a, b));
SELECT missing_symbol.increment('nnd', 'x', 1), missing_symbol.increment('nnd', 'x', 1);
-- null is refused all the same: what it would conflict with depends on the index
SELECT missing_symbol.increment('nnd', 'x', NULL);
SELECT missing_symbol.increment_row('nnd', '{"a": "x", "b": null}');
SELECT missing_symbol.increment_rows('nnd', '[{"a": "x", "b": 1}, {"a": null, "b": 1}]');
SELECT missing_symbol.value('nnd', 'x', NULL);
-- and a row that others have made with it stays theirs
INSERT INTO nnd VALUES ('x', NULL, 5);
SELECT missing_symbol.increment('nnd', 'x', 1);
SELECT missing_symbol.increment_many('nnd', ARRAY[NULL, 1]);
TABLE nnd ORDER BY b;
-- next to a primary key such an index may still refuse a row
CREATE TABLE nnd2 (k int DEFAULT 0 PRIMARY KEY, other int, count int, UNIQUE NULLS NOT DISTINCT (other));
SELECT missing_symbol.increment('nnd2', 1), missing_symbol.increment('nnd2', 1);
SELECT missing_symbol.increment('nnd2', 2);
TABLE nnd2;
-- a trigger cannot bring it in either
CREATE FUNCTION nnd_null() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := NULL; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON nnd FOR EACH ROW EXECUTE FUNCTION nnd_null();
\set VERBOSITY sqlstate
SELECT missing_symbol.increment('nnd', 'y', 1);
SELECT missing_symbol.increment('nnd', 'x', 2);
SELECT missing_symbol.increment('nnd', 'x', 1);
\set VERBOSITY default
TABLE nnd ORDER BY b;
DROP TABLE nnd, nnd2;
DROP FUNCTION nnd_null;

--
-- Named by configure() null is a value
--
SET client_min_messages = error;
SET missing_symbol.worker = off;
CREATE SCHEMA nnd;
CREATE TABLE nnd.t (a text, b int, count bigint NOT NULL DEFAULT 0, note text, UNIQUE NULLS NOT DISTINCT (a, b));
INSERT INTO nnd.t VALUES ('own', NULL, 7);
SELECT missing_symbol.configure('nnd.t', '{"index": "t_a_b_key"}'), missing_symbol.track('nnd.t', fill => '{note}');
SELECT missing_symbol.increment('nnd.t', 'x', NULL), missing_symbol.increment('nnd.t', 'x', NULL), missing_symbol.increment('nnd.t', 'own', NULL),
       missing_symbol.increment('nnd.t', NULL, NULL), missing_symbol.increment('nnd.t', NULL, 1), missing_symbol.increment('nnd.t', 'x', 1), missing_symbol.increment('nnd.t', NULL, NULL);
SELECT missing_symbol.value('nnd.t', 'x', NULL), missing_symbol.value('nnd.t', NULL, NULL), missing_symbol.value('nnd.t', NULL, 1), missing_symbol.value('nnd.t', 'x', 1), missing_symbol.value('nnd.t', NULL, 2);
SELECT missing_symbol.increment_row('nnd.t', '{"a": null, "b": null, "note": "none"}'), missing_symbol.increment_by('nnd.t', 10, 'x', NULL);
SELECT missing_symbol.increment_rows('nnd.t', '[{"a": "x", "b": null}, {"a": null, "b": null}, {"a": "x", "b": null}, {"a": "new", "b": null}, {"a": null, "b": 5}, {"a": null, "b": 1}, {"a": "new", "b": null}]');
TABLE nnd.t ORDER BY a, b;
-- it must be given
SELECT missing_symbol.increment_row('nnd.t', '{"a": "x"}');
-- what waits
CREATE FUNCTION nnd.look() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', COALESCE(a, 'null'), COALESCE(b::text, 'null'), count, missing_symbol.value('nnd.t', a, b)), ', ' ORDER BY a, b) FROM missing_symbol.total(NULL::nnd.t)
$$;
BEGIN;
SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('nnd.t', 'x', NULL), missing_symbol.increment('nnd.t', NULL, NULL), missing_symbol.increment('nnd.t', 'late', NULL), missing_symbol.increment('nnd.t', NULL, 9);
SAVEPOINT s;
SELECT missing_symbol.increment('nnd.t', 'x', NULL), missing_symbol.increment('nnd.t', NULL, NULL), missing_symbol.increment('nnd.t', 'late', NULL), missing_symbol.increment('nnd.t', NULL, 10);
SELECT nnd.look();
ROLLBACK TO s;
SELECT nnd.look();
SELECT missing_symbol.discard('nnd.t', NULL, NULL), missing_symbol.discard_row('nnd.t', '{"a": "late", "b": null}');
SELECT nnd.look();
ROLLBACK TO s;
COMMIT;
SELECT nnd.look();
SELECT missing_symbol.track('nnd.t', apply => 'buffer');
SELECT missing_symbol.increment('nnd.t', 'x', NULL), missing_symbol.increment('nnd.t', NULL, NULL), missing_symbol.increment('nnd.t', 'buffered', NULL), missing_symbol.increment('nnd.t', NULL, 11);
SELECT missing_symbol.increment('nnd.t', 'buffered', NULL), missing_symbol.increment('nnd.t', 'other', NULL);
SELECT key, delta FROM missing_symbol.buffered ORDER BY key, delta;
SELECT nnd.look();
SELECT missing_symbol.discard('nnd.t', 'other', NULL);
SELECT missing_symbol.configure('nnd.t', '{"index": null}');
SELECT missing_symbol.fold('nnd.t');
SELECT nnd.look();
SELECT a, b, count, note FROM nnd.t WHERE a IS NULL OR a = 'buffered' ORDER BY a, b;
-- an equal index that takes nulls apart, and expressions beside
CREATE TABLE nnd.mixed (a text, b int, c int, count int);
CREATE UNIQUE INDEX mixed_key ON nnd.mixed (lower(a), b, COALESCE(c, 0)) NULLS NOT DISTINCT WHERE a <> 'no' OR a IS NULL;
CREATE UNIQUE INDEX mixed_other ON nnd.mixed (lower(a), b, COALESCE(c, 0)) WHERE a <> 'no' OR a IS NULL;
SELECT missing_symbol.configure('nnd.mixed', '{"index": "mixed_key"}'), missing_symbol.track('nnd.mixed', key => '{a,b,c}', spill => true);
SELECT missing_symbol.increment('nnd.mixed', 'A', NULL, NULL), missing_symbol.increment('nnd.mixed', 'a', NULL, 0), missing_symbol.increment('nnd.mixed', NULL, 1, NULL),
       missing_symbol.increment('nnd.mixed', NULL, 1, 0), missing_symbol.increment('nnd.mixed', 'a', 1, 1), missing_symbol.value('nnd.mixed', 'a', NULL, NULL);
SELECT missing_symbol.value('nnd.mixed', 'a', NULL, NULL), missing_symbol.value('nnd.mixed', NULL, 1, 0);
SELECT missing_symbol.increment('nnd.mixed', 'no', NULL, NULL);
TABLE nnd.mixed ORDER BY a, b, c;
-- a trigger may bring it in
CREATE FUNCTION nnd.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := NULL; RETURN NEW; END $$;
CREATE TRIGGER none BEFORE INSERT ON nnd.mixed FOR EACH ROW EXECUTE FUNCTION nnd.none();
SELECT missing_symbol.increment('nnd.mixed', 'a', 5, NULL), missing_symbol.increment('nnd.mixed', 'z', 5, NULL), missing_symbol.increment('nnd.mixed', 'Z', 6, NULL);
TABLE nnd.mixed ORDER BY a, b, c;
-- what waits with a null, and an index of which null is no value any more
CREATE TABLE nnd.waits (a int, b int, count int NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE UNIQUE INDEX waits_key ON nnd.waits (a, b) NULLS NOT DISTINCT;
SELECT missing_symbol.configure('nnd.waits', '{"index": "waits_key"}'), missing_symbol.track('nnd.waits', apply => 'buffer');
SELECT missing_symbol.increment('nnd.waits', 1, NULL);
BEGIN;
DROP INDEX nnd.waits_key;
CREATE UNIQUE INDEX waits_key ON nnd.waits (a, b);
\set VERBOSITY default
SELECT * FROM missing_symbol.total(NULL::nnd.waits);
\set VERBOSITY terse
ROLLBACK;
-- prune() knows such keys
CALL missing_symbol.prune('nnd.waits', '1 day', dry_run => true);
ALTER TABLE nnd.waits ADD last_seen timestamptz DEFAULT '2020-01-01';
INSERT INTO nnd.waits (a, b) VALUES (1, NULL), (2, NULL), (NULL, NULL);
CALL missing_symbol.prune('nnd.waits', '1 day');
SELECT a, b, count FROM nnd.waits ORDER BY a, b;
-- a count of hundreds (15, too) is not counted by one
CREATE TABLE nnd.hundreds (k int PRIMARY KEY, count numeric(5, -2));
SELECT missing_symbol.increment('nnd.hundreds', 1);
SELECT missing_symbol.increment_by('nnd.hundreds', 300, 1), missing_symbol.increment_amount('nnd.hundreds', 200, 1);
SELECT missing_symbol.increment_many('nnd.hundreds', ARRAY[1, 2]);
SELECT missing_symbol.track('nnd.hundreds', apply => 'buffer');
SELECT missing_symbol.increment_row('nnd.hundreds', '{"k": 1}');
DROP SCHEMA nnd CASCADE;
