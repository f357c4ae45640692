-- What sqlsmith finds besides PostgreSQL's own test tables: the extension,
-- as a plain role that may count.
CREATE EXTENSION missing_symbol;
CREATE ROLE smith LOGIN;
ALTER ROLE smith SET statement_timeout = '2s';
CREATE TABLE hits (k text PRIMARY KEY, hits missing_symbol.counter) WITH (fillfactor = 80);
CREATE TABLE views (site int, page text, count bigint, first_seen timestamptz, modified_at timestamptz,
                    PRIMARY KEY (site, page));
INSERT INTO hits SELECT i, missing_symbol.counter(i) FROM generate_series(1, 100) i;
INSERT INTO views SELECT i % 3, i, i FROM generate_series(1, 100) i;
SELECT missing_symbol.track('views', apply => 'commit');
GRANT ALL ON ALL TABLES IN SCHEMA public TO smith;
GRANT SELECT, INSERT, UPDATE ON missing_symbol.symbols TO smith;
GRANT CREATE ON SCHEMA public TO smith;
ANALYZE;
