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
