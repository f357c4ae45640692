/* missing_symbol--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION missing_symbol" to load this file. \quit

-- A plain CREATE SCHEMA: it fails where somebody squats on the name, and the
-- schema goes with the extension.
CREATE SCHEMA missing_symbol;
COMMENT ON SCHEMA missing_symbol IS
    'upsert counters and query profiling: the objects of the extension missing_symbol';
GRANT USAGE ON SCHEMA missing_symbol TO PUBLIC;

CREATE FUNCTION missing_symbol.clock()
RETURNS pg_catalog.timestamptz
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_clock_sql';
COMMENT ON FUNCTION missing_symbol.clock() IS
    'the clock that increments read: clock_timestamp(), or missing_symbol.test_clock where a test has set it';

--
-- Type counter (counter.c)
--

--
-- Targets and increments (target.c, increment.c)
--

--
-- Sightings (symbols.c)
--

--
-- Profiling (profile_*.c, findings.c, explain.c, compare.c)
--
