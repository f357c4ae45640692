-- N+1 and classes: what is new in 1.2.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.unit_gap = -1;	-- a slow machine is not a pausing client
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE book (id int PRIMARY KEY, author int, title text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 100) i;
INSERT INTO book SELECT i, i % 10 + 1, 'book ' || i FROM generate_series(1, 1000) i;
PREPARE author (int) AS SELECT name FROM author WHERE id = $1;
\pset format unaligned

-- what functions, procedures and triggers run, and where; the rows of a loop
-- come while it runs; checks of foreign keys do not count
SELECT missing_symbol.profile_start('all');
CREATE PROCEDURE titles() LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    FOR b IN SELECT * FROM book WHERE id <= 20 LOOP
        PERFORM name FROM author WHERE id = b.author;
        PERFORM count(*) FROM book WHERE author = b.author;
        PERFORM title FROM book WHERE id = b.id;
        PERFORM title || 'x' FROM book WHERE id = b.id;
        PERFORM title || 'y' FROM book WHERE id = b.id;
        PERFORM title || 'z' FROM book WHERE id = b.id;
    END LOOP;
END$$;
SELECT missing_symbol.profile_reset();
CALL titles();
SELECT repeats, evidence, source_rows, source, text, inside FROM missing_symbol.n_plus_one ORDER BY text;
CREATE TABLE noted (id int PRIMARY KEY, author int NOT NULL REFERENCES author);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE author SET name = name WHERE id = NEW.author;
    RETURN NULL;
END$$;
CREATE TRIGGER note AFTER INSERT ON noted FOR EACH ROW EXECUTE FUNCTION note();
SELECT missing_symbol.profile_reset();
INSERT INTO noted SELECT i, i FROM generate_series(1, 8) i;
SELECT repeats, evidence, text, inside, hint FROM missing_symbol.n_plus_one;
DROP TABLE noted;
DROP FUNCTION note;
DROP PROCEDURE titles;
SELECT missing_symbol.profile_start('top');

-- hints by what the statement is; a table that was written to in between
CREATE SEQUENCE numbers;
CREATE FUNCTION looked_up(n int) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT name FROM author WHERE id = n';
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT 'SELECT missing_symbol.profile_reset()' UNION ALL (
SELECT format(statement, i)
FROM (VALUES ('SELECT name FROM author WHERE id = 1 + 0 * %s FOR UPDATE'),
             ('SELECT looked_up(%s)'), ('SELECT nextval(''numbers'')'),
             ('SELECT count(*) FROM book WHERE author = %s'),
             ('SELECT title FROM book WHERE id IN (%s, 0)'),
             ('SELECT title, 1 FROM book WHERE id = 1'),
             ('SELECT random() < %s FROM author WHERE id = 1')) v (statement),
     generate_series(1, 6) i ORDER BY statement, i) \gexec
\o
\set ECHO all
SELECT text, regexp_replace(hint, '; one transaction.*', '') AS hint FROM missing_symbol.n_plus_one;
UPDATE book SET title = title WHERE id = 1;
SELECT hint FROM missing_symbol.n_plus_one WHERE text ~ '^select title, ';
DROP FUNCTION looked_up;
DROP SEQUENCE numbers;

-- what is no query is no candidate, and says what it is
SELECT missing_symbol.profile_reset();
BEGIN;
SET LOCAL work_mem = '4MB';
SELECT set_config('work_mem', '5MB', true);
SELECT 1;
SELECT relname FROM pg_class WHERE oid = 1259;
PREPARE one AS SELECT 1;
EXECUTE one;
SHOW work_mem;
DECLARE c CURSOR FOR TABLE author;
FETCH 1 FROM c;
CLOSE c;
DEALLOCATE one;
EXECUTE author (1);
SELECT count(*) FROM author, pg_class WHERE oid = 1259 AND id = 1;
COMMIT;
SELECT number, class, text FROM missing_symbol.queries;
SELECT class, sum(calls) FROM missing_symbol.query_stats GROUP BY class ORDER BY class;


-- labels: what came under one, in any number of sections
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_mark('checkout');
\set ECHO none
\o /dev/null
SELECT format('SELECT name FROM author WHERE id = %s', i) FROM generate_series(1, 6) i \gexec
\o
\set ECHO all
SELECT missing_symbol.profile_mark('cart');
SELECT count(*) FROM book;
SELECT missing_symbol.profile_mark('checkout');
SELECT count(*) FROM author;
SELECT label, repeats, text FROM missing_symbol.n_plus_one;
SELECT label, calls, text FROM missing_symbol.query_stats ORDER BY text;
SELECT regexp_replace(regexp_replace(missing_symbol.profile_summary(label), '[0-9.]+ ms', 'N ms', 'g'), '\(.*\)', '(...)')
FROM unnest('{checkout,cart,nothing}'::text[]) label;
SELECT missing_symbol.profile_summary(NULL::text) IS NULL AS strict;
-- more of them than are kept: it cannot be told
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_reset();
SELECT count(missing_symbol.profile_mark('m' || i)::text) FROM generate_series(1, 300) i;
SELECT missing_symbol.profile_summary('m1') ~ '^0 queries' AS told;
SELECT missing_symbol.profile_summary('m300');
RESET missing_symbol.profile_memory;
SELECT missing_symbol.profile_mark(NULL);
SELECT missing_symbol.profile_reset();

-- tags in comments, before, behind, and behind the semicolon; no hints
SELECT name FROM author WHERE id = 1 /*action='%2Fcart%20%22x%22',traceparent='00-5bd6-01'*/;
/* application:web, controller:cart */ SELECT name FROM author WHERE id = 2;
/*a:1*/ SELECT name FROM author WHERE id = 3 /* b='2' */;
/*+ SeqScan(author) */ SELECT name FROM author WHERE id = 4;
SELECT name FROM author WHERE id = 5 /* just words */;
SELECT name FROM author WHERE id = 6 /*a='%00',b='%',c='%FF',d='it\'s'*/;
SET application_name = 'shop';
SELECT name FROM author WHERE id = 7;
SELECT tags, application, text FROM missing_symbol.queries ORDER BY number;
SELECT example_tags IS NOT NULL AS tags, application FROM missing_symbol.n_plus_one;
SELECT count(*) FROM author /* d='4' */;
SELECT example_tags, application FROM missing_symbol.query_stats WHERE text = 'select count(*) from author';
RESET application_name;
-- a text that is cut keeps its comment
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format('SELECT name FROM author WHERE id = 1 AND name <> %L /*e=''5''*/', repeat('x', 100000)) \gexec
\o
\set ECHO all
SELECT tags, length(text) < 100000 AS cut FROM missing_symbol.queries WHERE tags IS NOT NULL;
RESET missing_symbol.profile_memory;
-- applications that are too many are others
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT unnest(ARRAY[format('SET application_name = %L', 'app ' || i), 'SELECT count(*) FROM author']) FROM generate_series(1, 20) i \gexec
\o
\set ECHO all
RESET application_name;
SELECT application, count(*) FROM missing_symbol.queries WHERE class = 'query' AND application ~ '^app 1$|others' GROUP BY 1 ORDER BY 1;

-- budgets
\set VERBOSITY terse
SELECT missing_symbol.profile_reset();
SELECT name FROM author WHERE id = 1;
SELECT name FROM author WHERE id = 2;
SELECT count(*) FROM book;
UPDATE book SET title = 'secret' WHERE id = 1;
SELECT 1;
SHOW work_mem;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM book;
FETCH 1 FROM c;
COMMIT;
PREPARE checks AS
SELECT * FROM missing_symbol.check_queries(max => 5)
UNION ALL SELECT * FROM missing_symbol.check_queries(min => 6)
UNION ALL SELECT * FROM missing_symbol.check_queries(min => 2, max => 3, command => 'Select', relation => 'author')
UNION ALL SELECT * FROM missing_symbol.check_queries(max => 1, command => 'select', relation => 'book')
UNION ALL SELECT * FROM missing_symbol.check_queries(max => 0, pattern => '^update book')
UNION ALL SELECT * FROM missing_symbol.check_queries(max => 0, pattern => 'secret')
UNION ALL SELECT * FROM missing_symbol.check_queries(max => 3, ignore => '{"from author","^declare"}')
UNION ALL SELECT * FROM missing_symbol.check_queries(max => 5, classes => '{ping,driver,control}')
UNION ALL SELECT * FROM missing_symbol.check_queries(relation => 'pg_class')
UNION ALL SELECT * FROM missing_symbol.check_no_errors()
UNION ALL SELECT name, 0, min, max, ok, offenders FROM missing_symbol.check_duration('1 hour')
UNION ALL SELECT name, found, min, max, ok, regexp_replace(offenders, '[0-9.]+ ms', 'N ms') FROM missing_symbol.check_no_n_plus_one(2);
EXECUTE checks;
SELECT missing_symbol.assert_queries(max => 4);
SELECT missing_symbol.assert_queries(min => 6);
SELECT missing_symbol.assert_queries(min => 5, max => 5);
SELECT missing_symbol.assert_queries(max => NULL);
SELECT missing_symbol.assert_queries(classes => '{query,sometimes}');
SELECT missing_symbol.assert_queries(classes => '{query,NULL}');
SELECT missing_symbol.assert_queries(pattern => '(');
SELECT missing_symbol.assert_no_n_plus_one(2, ignore => '{"from author"}');
SELECT missing_symbol.assert_no_n_plus_one(2, evidence => 'strong');
SELECT missing_symbol.assert_no_n_plus_one(2);
SELECT missing_symbol.assert_no_n_plus_one(evidence => 'weak');
SELECT missing_symbol.assert_no_n_plus_one('2');
-- DETAIL is the client's, and has its literals
\set VERBOSITY default
\i `echo "$PG_ABS_SRCDIR/sql/include/detail_of.sql"`
SELECT detail_of('missing_symbol.assert_max_queries(4)');
SELECT detail_of('missing_symbol.assert_queries(max => 4)');
\set VERBOSITY terse

-- pauses: what comes in between is only counted
SELECT missing_symbol.profile_mark('paused');
SELECT count(*) FROM book;
SELECT missing_symbol.profile_pause();
SELECT count(*) FROM author;
SELECT name FROM author WHERE id = 3;
EXECUTE author (4);
BEGIN;
SELECT 1 / 0;
ROLLBACK;
SELECT missing_symbol.assert_max_queries(1);
SELECT missing_symbol.check_no_errors();
SELECT missing_symbol.profile_resume();
SELECT count(*) FROM book WHERE id = 1;
SELECT found, ok FROM missing_symbol.check_queries(max => 2);
SELECT missing_symbol.assert_no_errors();
SELECT class, count(*) FROM missing_symbol.queries WHERE label = 'paused' GROUP BY 1;
SELECT j::json ->> 'queries' AS queries, j::json ->> 'paused' AS paused FROM missing_symbol.profile_report('json') j;
SELECT missing_symbol.profile_pause();
SELECT missing_symbol.profile_mark('another');
SELECT count(*) FROM book WHERE id = 2;
SELECT missing_symbol.assert_queries(min => 1, max => 1);

-- budgets of labels
SELECT found, ok FROM missing_symbol.check_queries(max => 2, label => 'paused')
UNION ALL SELECT found, ok FROM missing_symbol.check_queries(max => 0, label => 'another')
UNION ALL SELECT found, ok FROM missing_symbol.check_queries(max => 0, label => 'never');
SELECT missing_symbol.assert_queries(max => 1, label => 'paused', pattern => 'x');

-- never green where the answer was forgotten
SET missing_symbol.profile_memory = '512kB';
SELECT missing_symbol.profile_mark(NULL);
SELECT missing_symbol.profile_reset();
\set ECHO none
\o /dev/null
SELECT format('SELECT id AS c%s FROM book WHERE id = 1', i) FROM generate_series(1, 200) i \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_queries(min => 201, max => 201);
SELECT missing_symbol.assert_queries(max => 1000, pattern => 'x');
SELECT missing_symbol.assert_queries(max => 1000, relation => 'book');
SELECT missing_symbol.profile_mark('more');
\set ECHO none
\o /dev/null
SELECT format('SELECT id AS c%s FROM book WHERE id = 1', i % 60) FROM generate_series(1, 240) i \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_no_n_plus_one();
-- nor where what an earlier unit of the section repeated is gone: rows of five
-- kinds, a short run; what was no N+1 is none
CREATE FUNCTION lookups(query text, times int, since text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT sent FROM (
    SELECT 1 AS part, 0 AS i, 'SELECT missing_symbol.profile_mark(NULL)' AS sent
    UNION ALL SELECT 2, 0, since WHERE since IS NOT NULL
    UNION ALL SELECT 3, i, format(query, i % 5, i) FROM generate_series(1, times) i
    -- each takes a job, and so begins a unit
    UNION ALL SELECT 4, i, unnest(ARRAY['SELECT id FROM author WHERE id = 0 FOR UPDATE SKIP LOCKED',
        format('SELECT id AS x%s FROM author WHERE id = 1', i), format('SELECT id AS x%s FROM author WHERE id = 1', i)])
    FROM generate_series(1, 120) i) v ORDER BY part, i
$$;
\set ECHO none
\o /dev/null
SELECT lookups('SELECT title AS t%s FROM book WHERE id = %s', 20, 'SELECT * FROM author WHERE id <= 36') \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_no_n_plus_one();
\set ECHO none
\o /dev/null
SELECT lookups('SELECT title FROM book WHERE id = 0%s + %s', 4, NULL) \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_no_n_plus_one();
SELECT missing_symbol.assert_no_n_plus_one(min_repeats => 5);
SELECT missing_symbol.assert_no_n_plus_one(min_repeats => 4);
\set ECHO none
\o /dev/null
SELECT lookups('SELECT title AS t%s FROM book WHERE id = %s', 6, 'SELECT * FROM author WHERE id <= 50') \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_no_n_plus_one();
DROP FUNCTION lookups;
-- what other sections have left makes room
\set ECHO none
\o /dev/null
SELECT CASE i WHEN 0 THEN 'SELECT missing_symbol.profile_mark(NULL)'
    ELSE format('SELECT id AS y%s FROM book WHERE id = 1', i % 10) END FROM generate_series(0, 40) i \gexec
\o
\set ECHO all
SELECT missing_symbol.assert_queries(min => 40, max => 40, pattern => '^select id as y');
SELECT missing_symbol.assert_no_n_plus_one();
RESET missing_symbol.profile_memory;
SELECT missing_symbol.profile_mark(NULL);
SELECT missing_symbol.profile_reset();

-- one and the same statement, and another table: of another schema, or partition
CREATE SCHEMA gate_a CREATE TABLE shop (id int);
CREATE SCHEMA gate_b CREATE TABLE shop (id int);
CREATE TABLE parted (id int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
SET search_path = gate_a;
SELECT count(*) FROM shop;
SET search_path = gate_b;
SELECT count(*) FROM shop;
RESET search_path;
SELECT count(*) FROM parted WHERE id = 5;
SELECT count(*) FROM parted WHERE id = 15;
SELECT missing_symbol.assert_queries(min => 2, max => 2, relation => 'parted');
SELECT missing_symbol.assert_queries(max => 1, relation => 'parted_1');
SELECT missing_symbol.assert_queries(max => 0, relation => 'parted_2');
SELECT missing_symbol.assert_queries(max => 0, relation => 'gate_b.shop');
SELECT missing_symbol.assert_queries(max => 0, relation => 'book');
-- in a section that has it of one table only that is known
SELECT missing_symbol.profile_mark(NULL);
SET search_path = gate_b;
SELECT count(*) FROM shop;
RESET search_path;
SELECT found FROM missing_symbol.check_queries(relation => 'gate_a.shop')
UNION ALL SELECT found FROM missing_symbol.check_queries(relation => 'gate_b.shop');
DROP TABLE gate_a.shop, gate_b.shop, parted;
DROP SCHEMA gate_a, gate_b;
SELECT missing_symbol.profile_reset();

-- texts of other roles: no way round by patterns
CREATE ROLE regress_profile_gate;
SET ROLE regress_profile_gate;
SELECT 'hidden' AS hidden FROM (VALUES (1)) one;
RESET ROLE;
CREATE ROLE regress_profile_gate_other;
SET ROLE regress_profile_gate_other;
SELECT missing_symbol.assert_queries(max => 0, pattern => 'hidden');
SELECT ok, offenders ~ 'hidden' AS leaks FROM missing_symbol.check_queries(max => 0);
RESET ROLE;
DROP ROLE regress_profile_gate, regress_profile_gate_other;
\set VERBOSITY default
DROP FUNCTION detail_of;

-- of one transaction: it stops and is empty at its end, whatever that is
SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();
SELECT missing_symbol.profile_start(scope => 'transaction');
SELECT missing_symbol.profile_start(scope => 'moment');
SELECT missing_symbol.profile_summary();
BEGIN;
SELECT missing_symbol.profile_start(scope => 'transaction');
SAVEPOINT s;
UPDATE author SET name = name WHERE id = 1;
ROLLBACK TO s;
SELECT name FROM author WHERE id = 1;
SELECT class, text, committed FROM missing_symbol.queries;
COMMIT;
SELECT missing_symbol.profile_summary();
SELECT name FROM author WHERE id = 1;
SELECT count(*) FROM missing_symbol.queries;
BEGIN;
SELECT missing_symbol.profile_start(scope => 'transaction');
SELECT name FROM author WHERE id = 1;
SELECT 1 / 0;
SELECT missing_symbol.profile_summary();
ROLLBACK;
SELECT missing_symbol.profile_summary();
SELECT missing_symbol.assert_no_errors();
-- in a session that is profiled by its setting that goes on
SET missing_symbol.profile = 'top';
BEGIN;
SELECT missing_symbol.profile_start(scope => 'transaction');
SELECT name FROM author WHERE id = 1;
COMMIT;
SELECT name FROM author WHERE id = 2;
SELECT text FROM missing_symbol.queries;
SET missing_symbol.profile = 'off';

SELECT missing_symbol.profile_stop();
SELECT missing_symbol.profile_reset();
DROP TABLE author, book;
