-- counter_report(): a table's counters as text, JSON and a page.
\i `echo "$PG_ABS_SRCDIR/sql/include/session.sql"`
\i `echo "$PG_ABS_SRCDIR/sql/include/page_checks.sql"`
-- without what other versions store in other sizes
CREATE FUNCTION report(target regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(line, '^Storage: .*', 'Storage: ...') FROM missing_symbol.counter_report(target) line;
$$;
CREATE FUNCTION report_json(target regclass) RETURNS jsonb LANGUAGE sql AS $$
    SELECT r::jsonb - 'storage' FROM missing_symbol.counter_report(target, 'json') r;
$$;

-- a table of the customary names, and what keeps it from being HOT
CREATE TABLE report_views (page text PRIMARY KEY, count bigint NOT NULL, created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL);
CREATE INDEX report_views_at ON report_views (modified_at);
SELECT count(missing_symbol.increment_by('report_views', i, '/page/' || i)) FROM generate_series(1, 25) i;
SET missing_symbol.test_clock = '2026-01-02 13:00:00.123456+00';
SELECT missing_symbol.increment_by('report_views', 1, E'</script>\n<img src=x onerror=alert(1)>');
SELECT report('report_views');
SELECT r - '{top,remedies,session}'::text[] AS report, r #> '{session,inserted}' AS inserted,
    jsonb_array_length(r -> 'top') AS top, r #> '{top,0}' AS first, (SELECT jsonb_agg(x -> 'statement') FROM jsonb_array_elements(r -> 'remedies') x) AS statements
FROM report_json('report_views') r;
SELECT what FROM missing_symbol.counter_report('report_views', 'html') page, page_checks(page) WHERE NOT ok;
SELECT count(*) AS rows, bool_and(page ~ '<h1>Counters of public.report_views</h1>' AND page ~ '<rect class="bar" x="0" y="3" width="100.0%"'
    AND page ~ '<pre class="remedy"><code>DROP INDEX public.report_views_at;</code></pre>') AS ok
FROM missing_symbol.counter_report('report_views', 'html') page;

-- nothing to tell: a type counter, room in its pages; and an empty table
CREATE TABLE report_hits (a int, b text, hits missing_symbol.counter NOT NULL, PRIMARY KEY (a, b)) WITH (fillfactor = 70);
SELECT report('report_hits');
SELECT what FROM missing_symbol.counter_report('report_hits', 'html') page, page_checks(page) WHERE NOT ok;
SELECT missing_symbol.increment('report_hits', 1, 'x'), missing_symbol.increment('report_hits', 1, 'x');
SELECT report('report_hits');

-- names and keys are text, whatever is in them; days are those of the key
CREATE TABLE "report <b>&amp;'" ("pa""ge <i>" text, day date, count bigint NOT NULL, PRIMARY KEY ("pa""ge <i>", day)) WITH (fillfactor = 70);
SELECT count(missing_symbol.increment_by('"report <b>&amp;''"', i, '<u>' || i % 3 || chr(8364), '2025-12-28'::date + i % 7)) FROM generate_series(1, 40) i;
SELECT count(missing_symbol.increment_by('"report <b>&amp;''"', 5, 'x', d)) FROM (VALUES (date 'infinity'), ('2026-03-01')) v (d);
SELECT report('"report <b>&amp;''"');
SELECT missing_symbol.counter_report('"report <b>&amp;''"', 'html') AS page \gset
SELECT what FROM page_checks(:'page') WHERE NOT ok;
SELECT :'page' ~ '<h1>Counters of public\.&quot;report &lt;b&gt;&amp;amp;&#39;&quot;</h1>' AS name,
    :'page' ~ 'data-h="pa&quot;ge &lt;i&gt;"><code>&lt;u&gt;[0-9]&#x20AC;</code>' AS key,
    (SELECT count(*) FROM regexp_matches(:'page', '<rect class="bar" [^>]*><title>2025-12-[23][0-9]: [0-9]+</title>', 'g')) AS december,
    :'page' ~ '<title>2025-12-28 to 2026-03-01</title>' AS span;

-- counts that are no whole numbers
CREATE TABLE report_kinds (k text PRIMARY KEY, n numeric NOT NULL DEFAULT 0, r float8 NOT NULL DEFAULT 0) WITH (fillfactor = 70);
INSERT INTO report_kinds VALUES ('a', 1.5, 2.5), ('b', 'NaN', 'NaN'), ('c', 1e300, 'infinity');
SELECT missing_symbol.configure('report_kinds', '{"counts": ["n"]}');
SELECT r -> 'total' AS total, jsonb_path_query_array(r, '$.top[*].count') AS counts FROM report_json('report_kinds') r;
SELECT missing_symbol.configure('report_kinds', '{"counts": ["r"]}');
SELECT r -> 'total' AS total, jsonb_path_query_array(r, '$.top[*].count') AS counts FROM report_json('report_kinds') r;
SELECT what FROM missing_symbol.counter_report('report_kinds', 'html') page, page_checks(page) WHERE NOT ok;
-- what waits is counted, and told
SELECT missing_symbol.track('report_views', apply => 'commit', spill => true);
BEGIN;
SELECT missing_symbol.increment_by('report_views', 1000, '/page/1');
SELECT r -> 'total' AS total, r #> '{top,0,count}' AS most, r -> 'waiting' AS waiting FROM report_json('report_views') r;
ROLLBACK;
SET missing_symbol.worker = off;
SELECT missing_symbol.track('report_views', apply => 'buffer');
SELECT missing_symbol.increment_by('report_views', 1000, '/page/1');
SELECT r -> 'total' AS total, r #> '{top,0,count}' AS most, r -> 'waiting' AS waiting FROM report_json('report_views') r;
SELECT missing_symbol.flush();
SELECT r -> 'total' AS total, r -> 'waiting' AS waiting FROM report_json('report_views') r;

-- partitions; a table that is larger than its rows need
CREATE TABLE report_parts (k int PRIMARY KEY, count bigint NOT NULL) PARTITION BY HASH (k);
CREATE TABLE report_parts_0 PARTITION OF report_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 70);
CREATE TABLE report_parts_1 PARTITION OF report_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 70);
INSERT INTO report_parts SELECT i, i FROM generate_series(1, 10) i;
SELECT line FROM report('report_parts') line WHERE line ~ '^public|^counted|/';
SELECT (r #> '{storage,bytes}')::int > 0 AS size FROM (SELECT missing_symbol.counter_report('report_parts', 'json')::jsonb) v (r);
CREATE TABLE report_large (k int PRIMARY KEY, count bigint NOT NULL) WITH (fillfactor = 70, autovacuum_enabled = off);
INSERT INTO report_large SELECT i, 1 FROM generate_series(1, 40000) i;
DELETE FROM report_large WHERE k < 39990;
SELECT count(*) FROM report_json('report_large') r, jsonb_array_elements(r -> 'remedies') x WHERE x ->> 'statement' ~ '^VACUUM (FULL|\(ANALYZE\)) public.report_large;$';
VACUUM FULL report_large;
SELECT count(*) FROM report_json('report_large') r, jsonb_array_elements(r -> 'remedies') x WHERE x ->> 'statement' ~ '^VACUUM FULL';

-- nobody's code runs as the reader: a type's cast, what search_path has first
CREATE TYPE report_mood AS ENUM ('sad', 'ok');
CREATE FUNCTION report_mood_text(report_mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a cast was run'; END $$;
CREATE CAST (report_mood AS text) WITH FUNCTION report_mood_text(report_mood) AS IMPLICIT;
CREATE TABLE report_moods (mood report_mood PRIMARY KEY, count bigint NOT NULL) WITH (fillfactor = 70);
INSERT INTO report_moods VALUES ('sad', 3), ('ok', 4);
CREATE SCHEMA report_evil;
CREATE FUNCTION report_evil.hit() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil was run'; END $$;
CREATE FUNCTION report_evil.format(text, bigint) RETURNS text LANGUAGE sql AS 'SELECT report_evil.hit()::text';
CREATE FUNCTION report_evil.sum_state(numeric, bigint) RETURNS numeric LANGUAGE sql AS 'SELECT report_evil.hit()::numeric';
CREATE AGGREGATE report_evil.sum(bigint) (SFUNC = report_evil.sum_state, STYPE = numeric);
SET search_path = report_evil, public, pg_catalog;
SELECT line FROM public.report('public.report_moods') line WHERE line ~ '^public|#';
RESET search_path;

-- rights: the caller's
CREATE ROLE regress_report_reader;
SET ROLE regress_report_reader;
SELECT count(*) FROM missing_symbol.counter_report('report_views');
RESET ROLE;
GRANT SELECT ON report_views TO regress_report_reader;
ALTER TABLE report_views ENABLE ROW LEVEL SECURITY;
CREATE POLICY two ON report_views USING (page IN ('/page/2', '/page/3'));
SET ROLE regress_report_reader;
SELECT r -> 'counters' AS counters, r -> 'total' AS total, r -> 'waiting' AS waiting
FROM missing_symbol.counter_report('report_views', 'json') v (j), LATERAL (SELECT j::jsonb) w (r);
SELECT line FROM missing_symbol.counter_report('report_views') line WHERE line ~ '^Waiting';
RESET ROLE;

-- what it is not for
CREATE TABLE report_none (a text);
SELECT count(*) FROM missing_symbol.counter_report('report_none');
SELECT missing_symbol.counter_report('report_views', 'yaml');
SELECT count(*) FROM missing_symbol.counter_report(NULL);

DROP TABLE report_views, report_hits, "report <b>&amp;'", report_kinds, report_parts, report_large, report_moods, report_none;
DROP TYPE report_mood CASCADE;
DROP SCHEMA report_evil CASCADE;
DROP FUNCTION page_checks, report, report_json;
DROP ROLE regress_report_reader;
