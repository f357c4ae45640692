/* missing_symbol--1.1--1.2.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION missing_symbol UPDATE TO '1.2'" to load this file. \quit

-- Further columns at the end of a result: the function stays the same one, with
-- the views that use it and the rights on it.  A library of before that is still
-- loaded knows nothing of them: what it has for a number more is a number; but
-- not for what is no number, so describe() is another C function, which it lacks.
UPDATE pg_catalog.pg_proc
SET proallargtypes = proallargtypes OPERATOR(pg_catalog.||)
        ARRAY['pg_catalog.jsonb', 'pg_catalog.text[]']::pg_catalog.regtype[]::pg_catalog.oid[],
    proargmodes = proargmodes OPERATOR(pg_catalog.||) '{o,o}'::pg_catalog."char"[],
    proargnames = proargnames OPERATOR(pg_catalog.||) '{settings,left_alone}'::pg_catalog.text[],
    prosrc = 'ms_describe_target'
WHERE oid OPERATOR(pg_catalog.=) 'missing_symbol.describe(pg_catalog.regclass)'::pg_catalog.regprocedure;
UPDATE pg_catalog.pg_proc
SET proallargtypes = proallargtypes OPERATOR(pg_catalog.||) 'pg_catalog.int8'::pg_catalog.regtype::pg_catalog.oid,
    proargmodes = proargmodes OPERATOR(pg_catalog.||) '{o}'::pg_catalog."char"[],
    proargnames = proargnames OPERATOR(pg_catalog.||) '{absent}'::pg_catalog.text[]
WHERE oid OPERATOR(pg_catalog.=) ANY (ARRAY[
    'missing_symbol.counter_stats()',
    'missing_symbol.buffer_stats()']::pg_catalog.regprocedure[]::pg_catalog.oid[]);

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
           END AS worker_state,
           s.absent
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
COMMENT ON COLUMN missing_symbol.buffer_stats.folds IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.folded IS 'spilled and buffered increments that were merged, as rows deleted from their tables, those of transactions that were rolled back, too';
COMMENT ON COLUMN missing_symbol.buffer_stats.rows_written IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.since IS 'since when folded is counted: stats_reset of pg_stat_database';
COMMENT ON COLUMN missing_symbol.buffer_stats.worker_state IS 'folding; waiting; none: nothing is buffered; missing: something is, but no worker is there, or this session could not start one; standby';

COMMENT ON COLUMN missing_symbol.buffer_stats.absent IS 'of those, and of deferred ones, how many were dropped: their row was gone, and none is made';
CREATE OR REPLACE VIEW missing_symbol.counter_stats AS
    SELECT target, calls, inserted, incremented, throttled, spilled, deferred,
           buffered, ignored, fallbacks, lock_waits, early_applies, folded, hint,
           absent
    FROM missing_symbol.counter_stats();

-- What a delta says of itself (origin.c)
COMMENT ON COLUMN missing_symbol.spilled.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
COMMENT ON COLUMN missing_symbol.buffered.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';

-- What configure() was told, beside tracked: a library of before reads the
-- columns of that into as many as it knows.
CREATE TABLE missing_symbol.settings (
    target      pg_catalog.regclass PRIMARY KEY,
    settings    pg_catalog.jsonb NOT NULL
);
COMMENT ON TABLE missing_symbol.settings IS
    'further settings of targets; written by configure() and untrack()';
COMMENT ON COLUMN missing_symbol.settings.target IS 'the table that holds the counters';
COMMENT ON COLUMN missing_symbol.settings.settings IS 'an object: each setting by its name';
GRANT SELECT ON missing_symbol.settings TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.settings', '');

CREATE FUNCTION missing_symbol.configure(
    target      pg_catalog.regclass,
    settings    pg_catalog.jsonb)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_configure';
COMMENT ON FUNCTION missing_symbol.configure(pg_catalog.regclass, pg_catalog.jsonb) IS
    'further settings of a table of yours; a JSON null clears one, what is not named stays';
COMMENT ON FUNCTION missing_symbol.untrack(pg_catalog.regclass) IS
    'forget all that track() and configure() were told of a table of yours';

COMMENT ON FUNCTION missing_symbol.describe(pg_catalog.regclass) IS
    'how a table counts: key, columns, settings, path and why, what keeps increments from being HOT, and columns of customary names that are not taken';

CREATE FUNCTION missing_symbol.local_time(
    "time"      pg_catalog.timestamptz,
    zone        pg_catalog.text)
RETURNS pg_catalog.timestamp
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_local_time';
COMMENT ON FUNCTION missing_symbol.local_time(pg_catalog.timestamptz, pg_catalog.text) IS
    'internal: what the clocks of a zone show at a time, as a column of type timestamp has it, whatever a session says of abbreviations';
