-- Pages for page.sh, into the directory :pages

\set QUIET on
SET client_min_messages = warning;
\o /dev/null

-- an application, of which much is hostile
CREATE TABLE author (id serial PRIMARY KEY, name text);
CREATE TABLE "book <b>&amp;" (id serial PRIMARY KEY, author int, title text, price numeric, published boolean);
INSERT INTO author (name) SELECT 'author ' || i FROM generate_series(1, 1000) i;
INSERT INTO "book <b>&amp;" (author, title, price, published)
SELECT i % 1000 + 1, 'book ' || i, i % 1000, i % 2 = 0 FROM generate_series(1, 50000) i;
ANALYZE;
SET application_name = '<i>app</i>';
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start(plans => true);
SET missing_symbol.unit_gap = -1;
SET missing_symbol.slow_threshold = 0;
SELECT missing_symbol.profile_mark('</script><img src=x onerror="document.title = ''hacked''">');
BEGIN;
SELECT id, author, title FROM "book <b>&amp;" WHERE id BETWEEN 100 AND 119 ORDER BY id;
SELECT format('SELECT name FROM author WHERE id = %s /* route=''%%2Fbooks'' */', i) FROM generate_series(1, 20) i \gexec
SELECT count(*) FROM "book <b>&amp;" WHERE author = 7;
COMMIT;
SELECT missing_symbol.profile_mark('POST /books/<id>');
BEGIN;
SELECT title FROM "book <b>&amp;" WHERE id = 5;
UPDATE "book <b>&amp;" SET price = price + 1 WHERE id = 5;
SAVEPOINT s;
INSERT INTO "book <b>&amp;" (id) VALUES (1) ON CONFLICT DO NOTHING;
\set ON_ERROR_STOP 0
SELECT 1 / 0 AS "<svg onload=alert(1)>";
\set ON_ERROR_STOP 1
ROLLBACK TO s;
DELETE FROM author WHERE id = 1000;
COMMIT;
SELECT missing_symbol.profile_mark(U&'mark \00E9\20AC\+01F600 \202Edne');
SELECT count(*) FROM pg_class;
SELECT version();
SELECT author, count(*), sum(price), avg(price), min(price), max(price), 'a long one, so that some of it has to be folded' AS why,
    count(DISTINCT title), bool_or(published), string_agg(title, ', ' ORDER BY title) FILTER (WHERE id < 100) AS titles
FROM "book <b>&amp;" GROUP BY author ORDER BY 3 DESC LIMIT 5;
SELECT count(*) FROM "book <b>&amp;" WHERE lower(title) LIKE 'book%';
CREATE TABLE copied AS SELECT * FROM "book <b>&amp;" WHERE published;
SELECT c.title FROM copied c JOIN author a ON a.id = c.author WHERE c.title LIKE '%77%';
SELECT missing_symbol.profile_report('html') \g (format=unaligned tuples_only=on) :pages/application.html

-- ten thousand statements, in many units
SET missing_symbol.profile_memory = '64MB';
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_start();
SELECT CASE WHEN i % 50 = 0 THEN format('SELECT missing_symbol.profile_mark(%L)', 'request ' || i)
    ELSE format('SELECT %s AS %I FROM author WHERE id = %1$s', i, 'column ' || (i * 7 % 307) || repeat(' more', i % 60)) END
FROM generate_series(1, 10200) i \gexec
SELECT missing_symbol.profile_report('html') \g (format=unaligned tuples_only=on) :pages/large.html
-- in milliseconds, of three times: other work on the machine is not the page's
SELECT extract(epoch FROM clock_timestamp()) AS t0 \gset
SELECT missing_symbol.profile_report('html');
SELECT extract(epoch FROM clock_timestamp()) AS t1 \gset
SELECT missing_symbol.profile_report('html');
SELECT extract(epoch FROM clock_timestamp()) AS t2 \gset
SELECT missing_symbol.profile_report('html');
SELECT extract(epoch FROM clock_timestamp()) AS t3 \gset
SELECT round(1000 * t) FROM (VALUES (:t1 - :t0), (:t2 - :t1), (:t3 - :t2)) v (t) \g (format=unaligned tuples_only=on) :pages/large.ms

-- nothing
SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
SELECT missing_symbol.profile_report('html') \g (format=unaligned tuples_only=on) :pages/empty.html

-- counters
CREATE TABLE page_views (
    page        text PRIMARY KEY,
    count       bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    modified_at timestamptz NOT NULL
);
CREATE INDEX ON page_views (modified_at);
CREATE TABLE daily ("page <b>&amp;" text, day date, count bigint NOT NULL, PRIMARY KEY ("page <b>&amp;", day));
SELECT missing_symbol.increment_by('page_views', (i * i) % 977 + 1, '/page/' || (i % 37) || repeat('/long', i % 37)) FROM generate_series(1, 2000) i;
SELECT missing_symbol.increment_by('page_views', 100000, '</script><img src=x onerror="document.title = 1">' || repeat('wide', 40));
SELECT missing_symbol.increment_by('daily', (i * i) % 97 + 1, '/page/' || (i % 7), date '2026-08-01' + i % 70 - i % 3)
FROM generate_series(1, 2000) i;
SELECT missing_symbol.counter_report('page_views', 'html') \g (format=unaligned tuples_only=on) :pages/counters.html
SELECT missing_symbol.counter_report('daily', 'html') \g (format=unaligned tuples_only=on) :pages/days.html
