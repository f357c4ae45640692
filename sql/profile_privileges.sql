-- Who sees which statement's text: the role it ran as, and pg_read_all_stats.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET missing_symbol.unit_gap = -1;
CREATE ROLE regress_profile_app;
CREATE ROLE regress_profile_definer;
CREATE ROLE regress_profile_stats IN ROLE pg_read_all_stats;
CREATE ROLE regress_profile_member IN ROLE regress_profile_definer;
CREATE FUNCTION secret(n int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE 'SELECT count(*) FROM (SELECT ' || quote_literal('pass' || n) || ') password';
    BEGIN
        EXECUTE 'SELECT 1 / 0 FROM pg_class password';
    EXCEPTION WHEN division_by_zero THEN
        RETURN n;
    END;
END$$;
ALTER FUNCTION secret OWNER TO regress_profile_definer;
PREPARE seen AS
    SELECT number, level, userid::regrole, text, params, queryid IS NULL AS no_id, sqlstate
    FROM missing_symbol.queries;

-- a plain role can profile, and read what it ran
SET ROLE regress_profile_app;
SELECT missing_symbol.profile_start('all', params => true);
SELECT secret(1);
EXECUTE seen;
SELECT userid::regrole, toplevel, text FROM missing_symbol.query_stats
ORDER BY userid::regrole::text, text;
SELECT bool_or(line ~ 'password|pass1') AS leaked, bool_or(line ~ 'insufficient') AS hidden
FROM missing_symbol.profile_report() line;
SELECT report ~ 'password|pass1' AS leaked, report ~ 'insufficient' AS hidden
FROM missing_symbol.profile_report('json') report;

-- what another role did in this session, by SET ROLE
RESET ROLE;
SET ROLE regress_profile_definer;
SELECT 'secret' FROM generate_series(1, 2) secret_source;
SELECT 'secret' FROM (VALUES (1)) secret_one WHERE 1 = 1;
SELECT 'secret' FROM (VALUES (1)) secret_one WHERE 1 = 2;
SELECT 'secret' FROM (VALUES (1)) secret_one WHERE 1 = 3;
SELECT 'secret' FROM (VALUES (1)) secret_one WHERE 1 = 4;
SELECT 'secret' FROM (VALUES (1)) secret_one WHERE 1 = 5;
SELECT 1 / 0 AS secret;
SELECT secret_column;
RESET ROLE;
SET ROLE regress_profile_app;
SELECT number, level, text FROM missing_symbol.queries WHERE number > 5;
SELECT text, source, repeats, userid::regrole FROM missing_symbol.n_plus_one;
-- no way round by budgets
CREATE FUNCTION pg_temp.detail_of(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE 'SELECT ' || call;
EXCEPTION WHEN SQLSTATE 'MS001' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(detail, '[0-9.]+ ms', 'N ms', 'g');
END$$;
SELECT pg_temp.detail_of('missing_symbol.assert_no_errors()');
SELECT pg_temp.detail_of('missing_symbol.assert_no_n_plus_one()');
SELECT pg_temp.detail_of('missing_symbol.assert_max_queries(1)') ~ 'SELECT ''secret''' AS leaked;

-- a member of that role, one with pg_read_all_stats
RESET ROLE;
SET ROLE regress_profile_member;
SELECT count(*) > 0 AS sees FROM missing_symbol.queries WHERE text ~ 'password';
SELECT count(*) > 0 AS sees FROM missing_symbol.queries
WHERE text = 'SELECT secret(1)';
RESET ROLE;
SET ROLE regress_profile_stats;
SELECT count(*) FROM missing_symbol.queries WHERE text ~ 'insufficient';
SELECT count(*) > 0 AS sees FROM missing_symbol.queries WHERE text ~ 'password';
RESET ROLE;

-- the line for the log is the administrator's alone, whatever messages a role
-- asks for
SET missing_symbol.profile_log = 'summary';
SET ROLE regress_profile_app;
SET client_min_messages = log;
SELECT missing_symbol.profile_mark('one');
SELECT 1 AS something;
RESET ROLE;
SET missing_symbol.profile_log = 'json';
SET ROLE regress_profile_app;
SELECT missing_symbol.profile_mark('two');
RESET ROLE;

-- DISCARD ALL leaves nothing
DISCARD ALL;
SET client_min_messages = warning;
SELECT count(*) FROM missing_symbol.queries;
SELECT count(*) FROM missing_symbol.query_stats;
SELECT count(*) FROM missing_symbol.n_plus_one;
SELECT missing_symbol.profile_summary();

-- settings: the log is the administrator's
SET ROLE regress_profile_app;
SET missing_symbol.profile_log = 'json';
SET missing_symbol.profile_memory = '1MB';
RESET missing_symbol.profile_memory;
RESET ROLE;
DROP FUNCTION secret;
DROP ROLE regress_profile_member, regress_profile_app, regress_profile_definer,
    regress_profile_stats;
