/* missing_symbol--1.0--1.1.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION missing_symbol UPDATE TO '1.1'" to load this file. \quit

--
-- Retention (prune.c)
--

CREATE PROCEDURE missing_symbol.prune(
    target      pg_catalog.regclass,
    older_than  pg_catalog.interval,
    batch       pg_catalog.int4 DEFAULT 1000,
    dry_run     pg_catalog.bool DEFAULT false)
LANGUAGE C
AS 'MODULE_PATHNAME', 'ms_prune';
COMMENT ON PROCEDURE missing_symbol.prune(pg_catalog.regclass, pg_catalog.interval, pg_catalog.int4, pg_catalog.bool) IS
    'remove the counters of a table that have not been seen for so long, committing after each batch; dry_run only tells how many';

--
-- Budgets (profile_budget.c): a limit that is null is an error
--

ALTER FUNCTION missing_symbol.assert_max_queries(pg_catalog.int8) CALLED ON NULL INPUT;
ALTER FUNCTION missing_symbol.assert_max_duration(pg_catalog.interval) CALLED ON NULL INPUT;
ALTER FUNCTION missing_symbol.assert_no_n_plus_one(pg_catalog.int4, pg_catalog.interval) CALLED ON NULL INPUT;
