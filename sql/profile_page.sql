-- profile_report('html'): the page, as far as no browser is needed (those
-- parts are "make test-page").
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.unit_gap = -1;
SET missing_symbol.advice_time = '60s';
SET TimeZone = 'UTC';

\i `echo "$PG_ABS_SRCDIR/sql/include/page_checks.sql"`

-- nothing has been profiled
SELECT count(*) AS rows, bool_and(page ~ 'Nothing has been profiled') AS said
FROM missing_symbol.profile_report('html') page;
SELECT what FROM missing_symbol.profile_report('html') page, page_checks(page) WHERE NOT ok;

-- only failures: no times, no histograms
SELECT missing_symbol.profile_start();
\set VERBOSITY sqlstate
SELECT 1 / 0;
SELECT * FROM page_nowhere;
\set VERBOSITY default
SELECT substring(page FROM '<caption>(.*?)</caption>') AS caption, page ~ 'Most execution' AS most, (SELECT count(*) FROM regexp_matches(page, '<td [^>]*>-</td>', 'g')) AS none
FROM missing_symbol.profile_report('html') page;
SELECT what FROM missing_symbol.profile_report('html') page, page_checks(page) WHERE NOT ok;
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();

-- a small application, of which all is hostile
CREATE TABLE page_author (id int PRIMARY KEY, name text);
CREATE TABLE "page <b>&amp;" (id int PRIMARY KEY, author int);
INSERT INTO page_author SELECT i, 'author' FROM generate_series(1, 100) i;
INSERT INTO "page <b>&amp;" SELECT i, i % 1000 FROM generate_series(1, 20000) i;
ANALYZE page_author, "page <b>&amp;";
SET application_name = '<i>app</i>';
SELECT missing_symbol.profile_start(plans => true);
SELECT missing_symbol.profile_mark('</script><img src=x onerror="alert(1)">');
BEGIN;
SELECT count(*) FROM (SELECT id FROM "page <b>&amp;" WHERE id <= 20) s;
SELECT id FROM "page <b>&amp;" WHERE id <= 20 ORDER BY id LIMIT 1;
SELECT id FROM "page <b>&amp;" WHERE id <= 20 \g /dev/null
\o /dev/null
SELECT format('SELECT name FROM page_author WHERE id = %s /* route=''%%3Cimg%%20src%%3Dx%%3E'' */', i) FROM generate_series(1, 20) i \gexec
\o
SELECT count(*) FROM "page <b>&amp;" WHERE author = 7;
COMMIT;
SELECT missing_symbol.profile_mark(U&'mark \00E9\20AC\+01F600 \202Edne\2066');
SELECT 1 AS "</style><style>";
SELECT format('SELECT 2 AS %I', 'caf' || chr(233) || chr(27)) \gexec
\set VERBOSITY sqlstate
SELECT 1 / 0 AS "<svg onload=alert(1)>";
\set VERBOSITY default
SELECT missing_symbol.profile_report('html') AS page \gset
SELECT what FROM page_checks(:'page') WHERE NOT ok;
-- what is in it, escaped
CREATE TABLE page_found AS SELECT what, (SELECT count(*) FROM regexp_matches(:'page', pattern, 'g')) AS times FROM (VALUES
    ('a label', '&lt;/script&gt;&lt;img src=x onerror=&quot;alert\(1\)&quot;&gt;</h3>'),
    ('the other one', 'mark &#xE9;&#x20AC;&#x1F600; &#xFFFD;dne&#xFFFD;</h3>'),
    ('a table', 'from &quot;page &lt;b&gt;&amp;amp;&quot; where'),
    ('a column', '&quot;&lt;/style&gt;&lt;style&gt;&quot;'),
    ('no control character', 'caf&#xE9;&#xFFFD;'),
    ('a tag, as it was sent', 'route=&#39;%3Cimg%20src%3Dx%3E&#39;'),
    ('the index that would help', '<pre class="remedy"><code>CREATE INDEX ON public\.&quot;page &lt;b&gt;&amp;amp;&quot; \(author\);</code></pre>'),
    ('what it would save', '</pre>\s*<dl><dt>rows</dt><dd>20000 read, 19980 thrown away</dd><dt>cost</dt><dd>[0-9.]+ as it is planned now, [0-9.]+ with it, proved</dd>'),
    ('a run, in one mark', '<rect class="m" [^>]*><title>20 of nos\. [0-9]+ to [0-9]+: [^,]*, 20 rows, N\+1</title>'),
    ('its count', '>20&#xD7;</text>'),
    ('what has failed', '<rect class="e"[^>]*><title>[^<]*, failed</title></rect><svg [^>]*><path class="x"'),
    ('its SQLSTATE', '<code>22012</code>'),
    ('no time of what has failed', '<tr id="s[0-9]+"><td class="n" data-h="median ms">-</td>'),
    ('sections', '<section id="(summary|timeline|shapes|n-plus-one|advice|findings|slow|failures|lost)">'),
    ('units', '<details class="unit"')) AS v (what, pattern);
SELECT * FROM page_found;
DROP TABLE page_found;

-- slow runs, with their plans: without constants; what was planned for is ten times less, ten times more, or 9 times
SET missing_symbol.slow_threshold = 0;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE page_slow AS SELECT i AS id, 'the same'::text AS v FROM generate_series(1, 2000) i;
CREATE TABLE page_few AS SELECT i AS id FROM generate_series(1, 2000) i;
CREATE TABLE page_near AS SELECT i AS id FROM generate_series(1, 18) i;
ANALYZE page_slow, page_few, page_near;
DELETE FROM page_few WHERE id > 200;
SELECT missing_symbol.profile_reset();
SELECT count(*) FROM page_slow WHERE v || '' = 'the same' AND id > (SELECT 5 FROM pg_catalog.pg_class LIMIT 1);
SELECT count(*) FROM page_few;
INSERT INTO page_near SELECT id FROM page_near, pg_catalog.generate_series(1, 8);
SELECT count(*) FROM page_near;
SELECT l[1] AS level, regexp_replace(regexp_replace(l[2], '<title>.*?</desc>', ''), '<[^>]*>', '', 'g') AS line, substring(l[2] FROM '<title>.*?</title>') AS title,
    substring(l[2] FROM '<rect class="(\w+)"') AS heat, substring(l[2] FROM 'width="([0-9.]+)%" height="10"') AS width, substring(l[2] FROM '<svg x="([0-9.]+)%"><path class="off"') AS planned
FROM missing_symbol.profile_report('html') page, regexp_split_to_table(substring(page FROM '<section id="slow">(.*?)</section>'), '<details class="unit"') run,
    LATERAL regexp_matches(run, '<li aria-level="(.)">(.*?)</li>', 'g') WITH ORDINALITY m (l, i)
WHERE run ~ 'on <code>public.page_' AND run !~ 'Insert' ORDER BY run ~ 'page_few' DESC, run ~ 'page_near' DESC, i;
SELECT what FROM missing_symbol.profile_report('html') page, page_checks(page) WHERE NOT ok;
DROP TABLE page_slow, page_few, page_near;

-- who may not see a statement sees none of it
CREATE ROLE regress_page_definer;
CREATE ROLE regress_page_reader;
SELECT missing_symbol.profile_reset();
SET ROLE regress_page_definer;
SELECT 'secret' AS hidden_name;
SELECT count(*) AS hidden_name FROM pg_catalog.generate_series(1, 3);
SELECT hidden_name / 0 FROM (VALUES (1)) v (hidden_name);
RESET ROLE;
SET ROLE regress_page_reader;
SELECT page ~ 'secret|hidden_name' AS leaked, page ~ '&lt;insufficient privilege&gt;' AS said, page ~ '<ul class="plan">' AS plan
FROM missing_symbol.profile_report('html') page;
RESET ROLE;
SELECT page ~ 'hidden_name' AS shown, page ~ '<ul class="plan">' AS plan FROM missing_symbol.profile_report('html') page;

-- what the findings suggest, together: the greatest benefit first
SET max_parallel_workers_per_gather = 0;
CREATE TABLE page_work AS SELECT i AS id, i % 15 AS e, i / 15 % 20 AS f, i % 1000 AS b, 0 AS n FROM generate_series(1, 20000) i;
CREATE INDEX page_work_e ON page_work (e);
VACUUM (ANALYZE) page_work;
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start(plans => true);
\o /dev/null
SELECT max(id) FROM page_work WHERE e = 1 AND f = 2;
SELECT format('SELECT max(id) FROM page_work WHERE b = %s', i) FROM generate_series(1, 30) i \gexec
UPDATE page_work SET b = 1001 WHERE b = 3;
\o
WITH v AS (SELECT array_agg(suggestion || ';') AS suggestions FROM missing_symbol.advice),
s AS (SELECT substring(page FROM '<section id="advice">(.*?)</section>') AS section FROM missing_symbol.profile_report('html') page),
d AS (SELECT array_agg(d[1]) AS ddl FROM s, regexp_matches(section, '<pre class="remedy"><code>(.*?)</code></pre>', 'g') d)
SELECT ddl = suggestions AS of_the_view, ddl, section ~ '<h3>public.page_work</h3><span class="tag">would save about [0-9.]+ [mu]s</span> <span class="tag">proved</span>' AS benefit,
    section ~ '<dt>serves</dt><dd>2 statements, 31 calls</dd><dt>cost</dt><dd>[0-9.]+ as it is planned now, [0-9.]+ with it, proved: <code>' AS serves,
    section ~ '<dt>not needed beside it, unless for other statements</dt><dd><code>public.page_work_e</code>' AS replaces,
    section ~ '<dt>is paid for by</dt><dd>1 write of the table, [^<]*; among them an update that can be HOT now' AS writes
FROM v, s, d;
SELECT what FROM missing_symbol.profile_report('html') page, page_checks(page) WHERE NOT ok;
DROP TABLE page_work;
RESET max_parallel_workers_per_gather;

-- units: by marks, and by a statement that begins one
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start();
SELECT 'first' AS first_unit;
SELECT missing_symbol.profile_mark('a mark');
SELECT 'second' AS second_unit;
SELECT id FROM page_author WHERE id = 1 FOR UPDATE SKIP LOCKED;
SELECT 'third' AS third_unit;
SELECT regexp_replace(substring(unit FROM '<h3>(.*?)</h3>'), '[0-9]+$', 'N') AS unit, substring(unit FROM '([0-9]+) statement') AS statements,
    (SELECT string_agg(l[1], '; ') FROM regexp_matches(unit, '<code>(.*?)</code>', 'g') l) AS lanes
FROM missing_symbol.profile_report('html') page,
    regexp_split_to_table(substring(page FROM '<section id="timeline">(.*?)</section>'), '<details class="unit"') WITH ORDINALITY u (unit, n)
WHERE n > 1 ORDER BY n;

-- what runs within another statement is a line of its own
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start('all');
DO $$ BEGIN PERFORM name FROM page_author WHERE id = 1; END $$;
SELECT page ~ '<a href="#s[0-9]+" class="inner"><code>select name from page_author where id = \?</code></a>' AS line,
    page ~ '<span class="tag">within another statement</span>' AS said
FROM missing_symbol.profile_report('html') page;

-- ten thousand statements, most of them of different shapes and long
SET missing_symbol.profile_memory = '96MB';
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start();
\o /dev/null
\set ECHO none
SELECT CASE WHEN i % 40 = 0 THEN format('SELECT missing_symbol.profile_mark(%L)', 'unit ' || i)
    ELSE format('SELECT %s AS %I FROM (VALUES (1)) v', i, repeat('"', 15) || (i * 7 % 997) || repeat(chr(8364), 400)) END
FROM generate_series(1, 10256) i \gexec
\set ECHO all
\o
SELECT missing_symbol.profile_report('html') AS page \gset
SELECT what FROM page_checks(:'page') WHERE NOT ok;
SELECT (SELECT count(*) FROM missing_symbol.queries) >= 10000 AS listed,
    octet_length(:'page') < 3 * 1024 * 1024 AS under_3_mb,
    (SELECT count(*) FROM regexp_matches(:'page', '<rect class="\w+" x="[0-9.]+%"', 'g')) BETWEEN 1000 AND 2000 AS marks,
    :'page' ~ 'Left out: [0-9]+ units that took least' AS units_left_out,
    :'page' ~ 'Left out: [0-9]+ that took less time' AS shapes_left_out,
    :'page' ~ 'Left out: [0-9]+ that were faster' AS runs_left_out,
    (SELECT count(*) FROM regexp_matches(split_part(split_part(:'page', '<section id="timeline">', 2), '</section>', 1), '<details class="unit" open>', 'g')) AS open,
    :'page' ~ 'Not drawn: the page has as many marks as it may' AS not_drawn;
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
RESET missing_symbol.profile_memory;

-- other encodings: the page is the same ASCII in all
CREATE DATABASE regress_page_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_page_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT current_database() AS here \gset
\c regress_page_latin1
SET client_encoding = 'LATIN1';
SET client_min_messages = warning;
CREATE EXTENSION missing_symbol;
SELECT missing_symbol.profile_start();
SELECT missing_symbol.profile_mark('caf' || chr(233));
SELECT 1 AS one;
SELECT page !~ '[^\n\t -~]' AS ascii, page ~ '<h3>caf&#xE9;</h3>' AS right FROM missing_symbol.profile_report('html') page;
\c regress_page_ascii
SET client_min_messages = warning;
CREATE EXTENSION missing_symbol;
SELECT missing_symbol.profile_start();
SELECT missing_symbol.profile_mark(E'caf\xc3\xa9 \xe9\xff');
SELECT 1 AS one;
SELECT page !~ '[^\n\t -~]' AS ascii, page ~ '<h3>caf&#xE9; &#xFFFD;&#xFFFD;</h3>' AS right
FROM missing_symbol.profile_report('html') page;
\c :here
DROP DATABASE regress_page_latin1;
DROP DATABASE regress_page_ascii;
DROP TABLE page_author, "page <b>&amp;";
DROP FUNCTION page_checks;
DROP ROLE regress_page_definer, regress_page_reader;
