/* missing_symbol--1.1--1.2.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION missing_symbol UPDATE TO '1.2'" to load this file. \quit

-- All room of the buffer is used up and given back again and again: autovacuum
-- does not pause there.
ALTER TABLE missing_symbol.buffered SET (autovacuum_vacuum_cost_delay = 0);

-- What folds came to is in the statistics of the tables; what a library of
-- before may still write there nobody reads.
DELETE FROM missing_symbol.folds;
COMMENT ON TABLE missing_symbol.folds IS 'not used any more';

-- 5: the worker's lock on our schema (WORKER_LOCK)
CREATE OR REPLACE VIEW missing_symbol.buffer_stats AS
    SELECT s.buffered,
           missing_symbol.clock() OPERATOR(pg_catalog.-) s.oldest AS oldest_age,
           s.spilled, s.errors, s.fallbacks, s.folds, s.folded,
           s.rows_written, s.since, w.pid AS worker_pid,
           CASE WHEN w.pid IS NOT NULL THEN
                CASE WHEN a.state OPERATOR(pg_catalog.=) 'active'
                     THEN 'folding' ELSE 'waiting' END
                WHEN pg_catalog.pg_is_in_recovery() THEN 'standby'
                WHEN s.buffered OPERATOR(pg_catalog.=) 0
                     AND coalesce(pg_catalog.current_setting('missing_symbol.worker_refused', true),
                                  'off') OPERATOR(pg_catalog.=) 'off' THEN 'none'
                ELSE 'missing'
           END AS worker_state
    FROM missing_symbol.buffer_stats() s
    LEFT JOIN pg_catalog.pg_locks w
         ON w.locktype OPERATOR(pg_catalog.=) 'object'
        AND w.database OPERATOR(pg_catalog.=)
            (SELECT d.oid FROM pg_catalog.pg_database d
             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
        AND w.classid OPERATOR(pg_catalog.=)
            'pg_catalog.pg_namespace'::pg_catalog.regclass
        AND w.objid OPERATOR(pg_catalog.=)
            (SELECT n.oid FROM pg_catalog.pg_namespace n
             WHERE n.nspname OPERATOR(pg_catalog.=) 'missing_symbol')
        AND w.objsubid OPERATOR(pg_catalog.=) 5
        AND w.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
        AND w.granted
    LEFT JOIN pg_catalog.pg_stat_activity a
         ON a.pid OPERATOR(pg_catalog.=) w.pid;
COMMENT ON COLUMN missing_symbol.buffer_stats.fallbacks IS 'increments of this session that should have been buffered and could not';
COMMENT ON COLUMN missing_symbol.buffer_stats.errors IS 'those of them that could not be merged when that was tried; what never can, discard() throws away';
COMMENT ON COLUMN missing_symbol.buffer_stats.folds IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.folded IS 'spilled and buffered increments that were merged or discarded, as rows deleted from their tables, those of transactions that were rolled back, too';
COMMENT ON COLUMN missing_symbol.buffer_stats.rows_written IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.since IS 'since when folded is counted: stats_reset of pg_stat_database';
COMMENT ON COLUMN missing_symbol.buffer_stats.worker_state IS 'folding; waiting; none: nothing is buffered; missing: something is, but no worker is there, or this session could not start one; standby';

-- What a delta says of itself (origin.c)
COMMENT ON COLUMN missing_symbol.spilled.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
COMMENT ON COLUMN missing_symbol.buffered.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';

-- What cannot be merged, or is not wanted
CREATE FUNCTION missing_symbol.discard(target pg_catalog.regclass, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_discard_any';
COMMENT ON FUNCTION missing_symbol.discard(pg_catalog.regclass, VARIADIC "any") IS
    'throw away the increments of a key that have not reached its row: spilled, buffered, or deferred by this transaction; the number thrown away';

CREATE FUNCTION missing_symbol.discard(target pg_catalog.regclass, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_discard_text';
COMMENT ON FUNCTION missing_symbol.discard(pg_catalog.regclass, VARIADIC pg_catalog.text[]) IS
    'throw away the increments of a key, given as literals or untyped parameters, that have not reached its row; the number thrown away';

CREATE FUNCTION missing_symbol.discard_row(target pg_catalog.regclass, key pg_catalog.jsonb)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_discard_row';
COMMENT ON FUNCTION missing_symbol.discard_row(pg_catalog.regclass, pg_catalog.jsonb) IS
    'throw away the increments of a key, columns by name, that have not reached its row; the number thrown away';

CREATE FUNCTION missing_symbol.discard_all(target pg_catalog.regclass)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_discard_all';
COMMENT ON FUNCTION missing_symbol.discard_all(pg_catalog.regclass) IS
    'throw away the increments of all keys of a table that have not reached their rows; the number thrown away';
