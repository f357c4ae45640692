/* missing_symbol--1.1--1.2.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION missing_symbol UPDATE TO '1.2'" to load this file. \quit

-- Further columns at the end of a result: the function stays the same one, with
-- the views that use it and the rights on it.  A library of before that is still
-- loaded knows nothing of them: what it has for a number more is a number; but
-- not for what is no number, so describe() and last_increment() are other C
-- functions, which it lacks.
UPDATE pg_catalog.pg_proc
SET proallargtypes = proallargtypes OPERATOR(pg_catalog.||)
        ARRAY['pg_catalog.jsonb', 'pg_catalog.text[]', 'pg_catalog.text[]']::pg_catalog.regtype[]::pg_catalog.oid[],
    proargmodes = proargmodes OPERATOR(pg_catalog.||) '{o,o,o}'::pg_catalog."char"[],
    proargnames = proargnames OPERATOR(pg_catalog.||) '{settings,left_alone,warnings}'::pg_catalog.text[],
    prosrc = 'ms_describe_target'
WHERE oid OPERATOR(pg_catalog.=) 'missing_symbol.describe(pg_catalog.regclass)'::pg_catalog.regprocedure;
UPDATE pg_catalog.pg_proc p
SET proallargtypes = p.proallargtypes OPERATOR(pg_catalog.||)
        pg_catalog.array_fill('pg_catalog.int8'::pg_catalog.regtype::pg_catalog.oid, ARRAY[pg_catalog.cardinality(n.names)]),
    proargmodes = p.proargmodes OPERATOR(pg_catalog.||)
        pg_catalog.array_fill('o'::pg_catalog."char", ARRAY[pg_catalog.cardinality(n.names)]),
    proargnames = p.proargnames OPERATOR(pg_catalog.||) n.names
FROM (VALUES
    ('missing_symbol.counter_stats()', '{absent,duplicate,refused}'::pg_catalog.text[]),
    ('missing_symbol.buffer_stats()', '{absent}')
) n (function, names)
WHERE p.oid OPERATOR(pg_catalog.=) n.function::pg_catalog.regprocedure;

UPDATE pg_catalog.pg_proc
SET proallargtypes = proallargtypes OPERATOR(pg_catalog.||)
        ARRAY['pg_catalog.jsonb', 'pg_catalog."numeric"', 'pg_catalog."interval"']::pg_catalog.regtype[]::pg_catalog.oid[],
    proargmodes = proargmodes OPERATOR(pg_catalog.||) '{o,o,o}'::pg_catalog."char"[],
    proargnames = proargnames OPERATOR(pg_catalog.||) '{counts,applied,retry_after}'::pg_catalog.text[],
    prosrc = 'ms_last_increment_counts'
WHERE oid OPERATOR(pg_catalog.=) 'missing_symbol.last_increment()'::pg_catalog.regprocedure;
COMMENT ON FUNCTION missing_symbol.last_increment() IS
    'outcome, count and times of the latest single increment of this session, all its counts where there are several; where a limit judged it, the amount that was counted, and how long until the rest can be; no side effect';

-- Likewise the views of a profile
UPDATE pg_catalog.pg_proc p
SET proallargtypes = p.proallargtypes OPERATOR(pg_catalog.||) n.types::pg_catalog.regtype[]::pg_catalog.oid[],
    proargmodes = p.proargmodes OPERATOR(pg_catalog.||)
        pg_catalog.array_fill('o'::pg_catalog."char", ARRAY[pg_catalog.cardinality(n.names)]),
    proargnames = p.proargnames OPERATOR(pg_catalog.||) n.names,
    prosrc = n.symbol
FROM (VALUES
    ('missing_symbol.queries()', 'ms_queries_view',
     '{class,round_trip,tags,application}'::pg_catalog.text[],
     '{pg_catalog.text,pg_catalog.int8,pg_catalog.jsonb,pg_catalog.text}'::pg_catalog.text[]),
    ('missing_symbol.query_stats()', 'ms_query_stats_view',
     '{class,label,example_tags,application}',
     '{pg_catalog.text,pg_catalog.text,pg_catalog.jsonb,pg_catalog.text}'),
    ('missing_symbol.n_plus_one()', 'ms_n_plus_one_view',
     '{shapes,inside,label,example_tags,application}',
     '{pg_catalog.int4,pg_catalog.text,pg_catalog.text,pg_catalog.jsonb,pg_catalog.text}'),
    ('missing_symbol.findings()', 'ms_findings_rows',
     '{label,proved,cost_before,cost_after}',
     '{pg_catalog.text,pg_catalog.bool,pg_catalog.float8,pg_catalog.float8}')
) n (function, symbol, names, types)
WHERE p.oid OPERATOR(pg_catalog.=) n.function::pg_catalog.regprocedure;

CREATE OR REPLACE VIEW missing_symbol.queries AS
    SELECT * FROM missing_symbol.queries();
CREATE OR REPLACE VIEW missing_symbol.query_stats AS
    SELECT * FROM missing_symbol.query_stats();
CREATE OR REPLACE VIEW missing_symbol.n_plus_one AS
    SELECT * FROM missing_symbol.n_plus_one();
CREATE OR REPLACE VIEW missing_symbol.findings AS
    SELECT * FROM missing_symbol.findings();
-- statements are planned again in a subtransaction
ALTER FUNCTION missing_symbol.findings() PARALLEL UNSAFE;

CREATE FUNCTION missing_symbol.advice(
    OUT relation pg_catalog.text,
    OUT suggestion pg_catalog.text,
    OUT proved pg_catalog.bool,
    OUT benefit_ms pg_catalog.float8,
    OUT statements pg_catalog.int8,
    OUT calls pg_catalog.int8,
    OUT shapes pg_catalog.text[],
    OUT replaces pg_catalog.text[],
    OUT writes pg_catalog.int8,
    OUT writes_ms pg_catalog.float8,
    OUT hot_lost pg_catalog.bool)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_advice_view';
COMMENT ON FUNCTION missing_symbol.advice() IS
    'the rows of the view advice';

CREATE VIEW missing_symbol.advice AS
    SELECT * FROM missing_symbol.advice();
COMMENT ON VIEW missing_symbol.advice IS
    'the indexes that the findings suggest, for all statements of the profile together: what each would save, replace, and cost the writes';
GRANT SELECT ON missing_symbol.advice TO PUBLIC;

CREATE FUNCTION missing_symbol.slow_runs(
    OUT number pg_catalog.int8,
    OUT label pg_catalog.text,
    OUT shape pg_catalog.text,
    OUT queryid pg_catalog.int8,
    OUT userid pg_catalog.oid,
    OUT toplevel pg_catalog.bool,
    OUT started_at pg_catalog.timestamptz,
    OUT duration_ms pg_catalog.float8,
    OUT plan_ms pg_catalog.float8,
    OUT exec_ms pg_catalog.float8,
    OUT rows pg_catalog.int8,
    OUT status pg_catalog.text,
    OUT sqlstate pg_catalog.text,
    OUT text pg_catalog.text,
    OUT params pg_catalog.text,
    OUT tags pg_catalog.jsonb,
    OUT application pg_catalog.text,
    OUT plan_text pg_catalog.text,
    OUT plan pg_catalog.jsonb)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_slow_runs_view';
COMMENT ON FUNCTION missing_symbol.slow_runs() IS
    'the rows of the view slow_runs';

CREATE VIEW missing_symbol.slow_runs AS
    SELECT * FROM missing_symbol.slow_runs();
COMMENT ON VIEW missing_symbol.slow_runs IS
    'statements of the profile that took longer than missing_symbol.slow_threshold, the slowest first: each with its parameters where these are kept, and its plan as text and as a tree';
GRANT SELECT ON missing_symbol.slow_runs TO PUBLIC;

CREATE FUNCTION missing_symbol.explain(
    statement pg_catalog.text,
    params pg_catalog.text[] DEFAULT NULL,
    setup pg_catalog.text DEFAULT NULL)
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_explain';
COMMENT ON FUNCTION missing_symbol.explain(pg_catalog.text, pg_catalog.text[], pg_catalog.text) IS
    'the plan of a statement that is not run, generic without params; setup: SET, and CREATE INDEX of which nothing is made';

CREATE FUNCTION missing_symbol.profile_summary(label pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_profile_summary_label';
COMMENT ON FUNCTION missing_symbol.profile_summary(pg_catalog.text) IS
    'what came under a label of profile_mark(), in one line';

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
COMMENT ON COLUMN missing_symbol.buffer_stats.errors IS 'those of them that could not be merged when that was tried; what never can, discard() throws away';
COMMENT ON COLUMN missing_symbol.buffer_stats.folds IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.folded IS 'spilled and buffered increments that were merged or discarded, as rows deleted from their tables, those of transactions that were rolled back, too';
COMMENT ON COLUMN missing_symbol.buffer_stats.rows_written IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.since IS 'since when folded is counted: stats_reset of pg_stat_database';
COMMENT ON COLUMN missing_symbol.buffer_stats.worker_state IS 'folding; waiting; none: nothing is buffered; missing: something is, but no worker is there, or this session could not start one; standby';

COMMENT ON COLUMN missing_symbol.buffer_stats.absent IS 'of those, and of deferred ones, how many were dropped: their row was gone, and none is made';
CREATE OR REPLACE VIEW missing_symbol.counter_stats AS
    SELECT target, calls, inserted, incremented, throttled, spilled, deferred,
           buffered, ignored, fallbacks, lock_waits, early_applies, folded, hint,
           absent, duplicate, refused
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
    'how a table counts: key, columns, settings, path and why, what keeps increments from being HOT, columns of customary names that are not taken, and what may not be as it was meant';

CREATE FUNCTION missing_symbol.local_time(
    "time"      pg_catalog.timestamptz,
    zone        pg_catalog.text)
RETURNS pg_catalog.timestamp
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_local_time';
COMMENT ON FUNCTION missing_symbol.local_time(pg_catalog.timestamptz, pg_catalog.text) IS
    'internal: what the clocks of a zone show at a time, as a column of type timestamp has it, whatever a session says of abbreviations';

CREATE FUNCTION missing_symbol.added(
    stored      pg_catalog.anyelement,
    amount      pg_catalog.anyelement,
    type        pg_catalog.regtype,
    typmod      pg_catalog.int4,
    "column"    pg_catalog.text,
    target      pg_catalog.text)
RETURNS pg_catalog.anyelement
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_added';
COMMENT ON FUNCTION missing_symbol.added(pg_catalog.anyelement, pg_catalog.anyelement, pg_catalog.regtype, pg_catalog.int4, pg_catalog.text, pg_catalog.text) IS
    'internal: a count column of a type after an increment; null is 0; an error names the column';

-- A key of two or three columns, of which some values are typed and others not:
-- an untyped parameter becomes text.  The VARIADIC forms take what is all one
-- or all the other, and keys of more columns.
CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, pg_catalog.text, "any") IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, "any", pg_catalog.text) IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 pg_catalog.text, key2 pg_catalog.text, key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, "any") IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any", key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, pg_catalog.text, "any", pg_catalog.text) IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any", key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, pg_catalog.text, "any", "any") IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text, key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, "any", pg_catalog.text, pg_catalog.text) IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text, key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, "any", pg_catalog.text, "any") IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, key1 "any", key2 "any", key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, "any", "any", pg_catalog.text) IS
    'increment() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any")
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, pg_catalog.text, "any") IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, "any", pg_catalog.text) IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 pg_catalog.text, key2 pg_catalog.text, key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, "any") IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any", key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, pg_catalog.text, "any", pg_catalog.text) IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 pg_catalog.text, key2 "any", key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, pg_catalog.text, "any", "any") IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text, key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, "any", pg_catalog.text, pg_catalog.text) IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 "any", key2 pg_catalog.text, key3 "any")
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, "any", pg_catalog.text, "any") IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, key1 "any", key2 "any", key3 pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, "any", "any", pg_catalog.text) IS
    'value() of a key of which some values are typed, and others literals, untyped parameters or text';

-- Keys of a batch as the text of an array
CREATE FUNCTION missing_symbol.increment_many(
    target          pg_catalog.regclass,
    keys            pg_catalog.text,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT buffered    pg_catalog.int8,
    OUT ignored     pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_many_text';
COMMENT ON FUNCTION missing_symbol.increment_many(pg_catalog.regclass, pg_catalog.text, pg_catalog.int8[]) IS
    'increment_many() of an array given as a literal or an untyped parameter';

-- Amounts that may have a fraction
CREATE FUNCTION missing_symbol.increment_amount(target pg_catalog.regclass, amount pg_catalog.numeric, VARIADIC key "any")
RETURNS pg_catalog.numeric
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_amount_any';
COMMENT ON FUNCTION missing_symbol.increment_amount(pg_catalog.regclass, pg_catalog.numeric, VARIADIC "any") IS
    'add an amount, with a fraction too where the count column is numeric, to the counter of a key; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_amount(target pg_catalog.regclass, amount pg_catalog.numeric, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.numeric
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_amount_text';
COMMENT ON FUNCTION missing_symbol.increment_amount(pg_catalog.regclass, pg_catalog.numeric, VARIADIC pg_catalog.text[]) IS
    'add an amount, with a fraction too where the count column is numeric, to the counter of a key given as literals or untyped parameters; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_amount(target pg_catalog.regclass, amount pg_catalog.numeric, fields pg_catalog.jsonb)
RETURNS pg_catalog.numeric
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_amount_row';
COMMENT ON FUNCTION missing_symbol.increment_amount(pg_catalog.regclass, pg_catalog.numeric, pg_catalog.jsonb) IS
    'add an amount, with a fraction too where the count column is numeric, to the counter whose key is among the fields, columns by name; the new count, or null where nothing was counted';

-- In JSON a counter is an object, also within to_json(), row_to_json() and the
-- like.  Its times are written in the session's zone.
CREATE FUNCTION missing_symbol.counter_json(missing_symbol.counter)
RETURNS pg_catalog.json
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_json';
COMMENT ON FUNCTION missing_symbol.counter_json(missing_symbol.counter) IS
    'a counter as an object of count, first_seen and last_seen';

CREATE CAST (missing_symbol.counter AS pg_catalog.json)
    WITH FUNCTION missing_symbol.counter_json(missing_symbol.counter);
COMMENT ON CAST (missing_symbol.counter AS pg_catalog.json) IS
    'a counter as an object of count, first_seen and last_seen';

CREATE FUNCTION missing_symbol.counter_jsonb(missing_symbol.counter)
RETURNS pg_catalog.jsonb
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_jsonb';
COMMENT ON FUNCTION missing_symbol.counter_jsonb(missing_symbol.counter) IS
    'a counter as an object of count, first_seen and last_seen';

CREATE CAST (missing_symbol.counter AS pg_catalog.jsonb)
    WITH FUNCTION missing_symbol.counter_jsonb(missing_symbol.counter);
COMMENT ON CAST (missing_symbol.counter AS pg_catalog.jsonb) IS
    'a counter as an object of count, first_seen and last_seen';

-- A count compared with a number.  Not in the operator family: counters that a
-- number is equal to are not equal to each other.
CREATE FUNCTION missing_symbol.counter_eq_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_eq_int8';
COMMENT ON FUNCTION missing_symbol.counter_eq_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of = operator';

CREATE FUNCTION missing_symbol.int8_eq_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_eq_counter';
COMMENT ON FUNCTION missing_symbol.int8_eq_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of = operator';

CREATE FUNCTION missing_symbol.counter_ne_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_ne_int8';
COMMENT ON FUNCTION missing_symbol.counter_ne_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of <> operator';

CREATE FUNCTION missing_symbol.int8_ne_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_ne_counter';
COMMENT ON FUNCTION missing_symbol.int8_ne_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of <> operator';

CREATE FUNCTION missing_symbol.counter_lt_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_lt_int8';
COMMENT ON FUNCTION missing_symbol.counter_lt_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of < operator';

CREATE FUNCTION missing_symbol.int8_lt_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_lt_counter';
COMMENT ON FUNCTION missing_symbol.int8_lt_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of < operator';

CREATE FUNCTION missing_symbol.counter_le_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_le_int8';
COMMENT ON FUNCTION missing_symbol.counter_le_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of <= operator';

CREATE FUNCTION missing_symbol.int8_le_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_le_counter';
COMMENT ON FUNCTION missing_symbol.int8_le_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of <= operator';

CREATE FUNCTION missing_symbol.counter_gt_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_gt_int8';
COMMENT ON FUNCTION missing_symbol.counter_gt_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of > operator';

CREATE FUNCTION missing_symbol.int8_gt_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_gt_counter';
COMMENT ON FUNCTION missing_symbol.int8_gt_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of > operator';

CREATE FUNCTION missing_symbol.counter_ge_int8(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_ge_int8';
COMMENT ON FUNCTION missing_symbol.counter_ge_int8(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of >= operator';

CREATE FUNCTION missing_symbol.int8_ge_counter(pg_catalog.int8, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_int8_ge_counter';
COMMENT ON FUNCTION missing_symbol.int8_ge_counter(pg_catalog.int8, missing_symbol.counter) IS
    'implementation of >= operator';

CREATE OPERATOR missing_symbol.= (
    FUNCTION = missing_symbol.counter_eq_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.=),
    NEGATOR = OPERATOR(missing_symbol.<>),
    RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel
);
COMMENT ON OPERATOR missing_symbol.= (missing_symbol.counter, pg_catalog.int8) IS
    'count equal';

CREATE OPERATOR missing_symbol.= (
    FUNCTION = missing_symbol.int8_eq_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.=),
    NEGATOR = OPERATOR(missing_symbol.<>),
    RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel
);
COMMENT ON OPERATOR missing_symbol.= (pg_catalog.int8, missing_symbol.counter) IS
    'count equal';

CREATE OPERATOR missing_symbol.<> (
    FUNCTION = missing_symbol.counter_ne_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.<>),
    NEGATOR = OPERATOR(missing_symbol.=),
    RESTRICT = pg_catalog.neqsel,
    JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR missing_symbol.<> (missing_symbol.counter, pg_catalog.int8) IS
    'count not equal';

CREATE OPERATOR missing_symbol.<> (
    FUNCTION = missing_symbol.int8_ne_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<>),
    NEGATOR = OPERATOR(missing_symbol.=),
    RESTRICT = pg_catalog.neqsel,
    JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR missing_symbol.<> (pg_catalog.int8, missing_symbol.counter) IS
    'count not equal';

CREATE OPERATOR missing_symbol.< (
    FUNCTION = missing_symbol.counter_lt_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.>),
    NEGATOR = OPERATOR(missing_symbol.>=),
    RESTRICT = pg_catalog.scalarltsel,
    JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR missing_symbol.< (missing_symbol.counter, pg_catalog.int8) IS
    'count less than';

CREATE OPERATOR missing_symbol.< (
    FUNCTION = missing_symbol.int8_lt_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.>),
    NEGATOR = OPERATOR(missing_symbol.>=),
    RESTRICT = pg_catalog.scalarltsel,
    JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR missing_symbol.< (pg_catalog.int8, missing_symbol.counter) IS
    'count less than';

CREATE OPERATOR missing_symbol.<= (
    FUNCTION = missing_symbol.counter_le_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.>=),
    NEGATOR = OPERATOR(missing_symbol.>),
    RESTRICT = pg_catalog.scalarlesel,
    JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR missing_symbol.<= (missing_symbol.counter, pg_catalog.int8) IS
    'count less than or equal';

CREATE OPERATOR missing_symbol.<= (
    FUNCTION = missing_symbol.int8_le_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.>=),
    NEGATOR = OPERATOR(missing_symbol.>),
    RESTRICT = pg_catalog.scalarlesel,
    JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR missing_symbol.<= (pg_catalog.int8, missing_symbol.counter) IS
    'count less than or equal';

CREATE OPERATOR missing_symbol.> (
    FUNCTION = missing_symbol.counter_gt_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.<),
    NEGATOR = OPERATOR(missing_symbol.<=),
    RESTRICT = pg_catalog.scalargtsel,
    JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR missing_symbol.> (missing_symbol.counter, pg_catalog.int8) IS
    'count greater than';

CREATE OPERATOR missing_symbol.> (
    FUNCTION = missing_symbol.int8_gt_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<),
    NEGATOR = OPERATOR(missing_symbol.<=),
    RESTRICT = pg_catalog.scalargtsel,
    JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR missing_symbol.> (pg_catalog.int8, missing_symbol.counter) IS
    'count greater than';

CREATE OPERATOR missing_symbol.>= (
    FUNCTION = missing_symbol.counter_ge_int8,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8,
    COMMUTATOR = OPERATOR(missing_symbol.<=),
    NEGATOR = OPERATOR(missing_symbol.<),
    RESTRICT = pg_catalog.scalargesel,
    JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR missing_symbol.>= (missing_symbol.counter, pg_catalog.int8) IS
    'count greater than or equal';

CREATE OPERATOR missing_symbol.>= (
    FUNCTION = missing_symbol.int8_ge_counter,
    LEFTARG = pg_catalog.int8,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<=),
    NEGATOR = OPERATOR(missing_symbol.<),
    RESTRICT = pg_catalog.scalargesel,
    JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR missing_symbol.>= (pg_catalog.int8, missing_symbol.counter) IS
    'count greater than or equal';

CREATE FUNCTION missing_symbol.counter_smaller(missing_symbol.counter, missing_symbol.counter)
RETURNS missing_symbol.counter
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_smaller';
COMMENT ON FUNCTION missing_symbol.counter_smaller(missing_symbol.counter, missing_symbol.counter) IS
    'smaller of two';

CREATE AGGREGATE missing_symbol.min(missing_symbol.counter) (
    SFUNC = missing_symbol.counter_smaller,
    STYPE = missing_symbol.counter,
    COMBINEFUNC = missing_symbol.counter_smaller,
    SORTOP = OPERATOR(missing_symbol.<),
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE missing_symbol.min(missing_symbol.counter) IS
    'the least counter: by count, then last_seen, then first_seen';

CREATE FUNCTION missing_symbol.counter_larger(missing_symbol.counter, missing_symbol.counter)
RETURNS missing_symbol.counter
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_larger';
COMMENT ON FUNCTION missing_symbol.counter_larger(missing_symbol.counter, missing_symbol.counter) IS
    'larger of two';

CREATE AGGREGATE missing_symbol.max(missing_symbol.counter) (
    SFUNC = missing_symbol.counter_larger,
    STYPE = missing_symbol.counter,
    COMBINEFUNC = missing_symbol.counter_larger,
    SORTOP = OPERATOR(missing_symbol.>),
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE missing_symbol.max(missing_symbol.counter) IS
    'the greatest counter: by count, then last_seen, then first_seen';

-- What cannot be merged, or is not wanted

-- Limits that a call names
CREATE FUNCTION missing_symbol.allow(target pg_catalog.regclass, at_most pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_any';
COMMENT ON FUNCTION missing_symbol.allow(pg_catalog.regclass, pg_catalog.int8, VARIADIC "any") IS
    'count by 1 if the count is then at most so much, in the window of the table if it has one; whether it was counted';

CREATE FUNCTION missing_symbol.allow(target pg_catalog.regclass, at_most pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_text';
COMMENT ON FUNCTION missing_symbol.allow(pg_catalog.regclass, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.allow_by(target pg_catalog.regclass, by pg_catalog.int8, at_most pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_by_any';
COMMENT ON FUNCTION missing_symbol.allow_by(pg_catalog.regclass, pg_catalog.int8, pg_catalog.int8, VARIADIC "any") IS
    'count by an amount, all of it or nothing, if the count is then at most so much; whether it was counted';

CREATE FUNCTION missing_symbol.allow_by(target pg_catalog.regclass, by pg_catalog.int8, at_most pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_by_text';
COMMENT ON FUNCTION missing_symbol.allow_by(pg_catalog.regclass, pg_catalog.int8, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.allow_row(target pg_catalog.regclass, fields pg_catalog.jsonb, at_most pg_catalog.int8, by pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_row';
COMMENT ON FUNCTION missing_symbol.allow_row(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8, pg_catalog.int8) IS
    'the same with columns by name: the key, and what a new row needs';

CREATE FUNCTION missing_symbol.allow_rate(target pg_catalog.regclass, rate pg_catalog.int8, per pg_catalog."interval", burst pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_rate_any';
COMMENT ON FUNCTION missing_symbol.allow_rate(pg_catalog.regclass, pg_catalog.int8, pg_catalog."interval", pg_catalog.int8, VARIADIC "any") IS
    'take one from a token bucket that gets so many per interval and holds a burst, and count it; whether there was one';

CREATE FUNCTION missing_symbol.allow_rate(target pg_catalog.regclass, rate pg_catalog.int8, per pg_catalog."interval", burst pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_rate_text';
COMMENT ON FUNCTION missing_symbol.allow_rate(pg_catalog.regclass, pg_catalog.int8, pg_catalog."interval", pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.allow_rate_row(target pg_catalog.regclass, fields pg_catalog.jsonb, rate pg_catalog.int8, per pg_catalog."interval", burst pg_catalog.int8, by pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_allow_rate_row';
COMMENT ON FUNCTION missing_symbol.allow_rate_row(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8, pg_catalog."interval", pg_catalog.int8, pg_catalog.int8) IS
    'the same with columns by name, and by an amount';

CREATE FUNCTION missing_symbol.remaining(
    target pg_catalog.regclass, at_most pg_catalog.int8, VARIADIC key "any",
    OUT remaining pg_catalog."numeric", OUT reopens_at pg_catalog.timestamptz)
LANGUAGE C STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_remaining_any';
COMMENT ON FUNCTION missing_symbol.remaining(pg_catalog.regclass, pg_catalog.int8, VARIADIC "any") IS
    'what is left up to a limit, NULL: that of the table, and when its window is over, NULL: none is open; counts nothing';

CREATE FUNCTION missing_symbol.remaining(
    target pg_catalog.regclass, at_most pg_catalog.int8, VARIADIC key pg_catalog.text[],
    OUT remaining pg_catalog."numeric", OUT reopens_at pg_catalog.timestamptz)
LANGUAGE C STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_remaining_text';
COMMENT ON FUNCTION missing_symbol.remaining(pg_catalog.regclass, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.remaining_row(
    target pg_catalog.regclass, key pg_catalog.jsonb, at_most pg_catalog.int8 DEFAULT NULL,
    OUT remaining pg_catalog."numeric", OUT reopens_at pg_catalog.timestamptz)
LANGUAGE C STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_remaining_row';
COMMENT ON FUNCTION missing_symbol.remaining_row(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8) IS
    'the same with the key''s columns by name';

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

-- A count is read and begins again
CREATE FUNCTION missing_symbol.reset(target pg_catalog.regclass, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_reset_any';
COMMENT ON FUNCTION missing_symbol.reset(pg_catalog.regclass, VARIADIC "any") IS
    'the count of a key, with what is set aside, which is then 0; its times and its window begin now';

CREATE FUNCTION missing_symbol.reset(target pg_catalog.regclass, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_reset_text';
COMMENT ON FUNCTION missing_symbol.reset(pg_catalog.regclass, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.reset_row(target pg_catalog.regclass, key pg_catalog.jsonb)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_reset_row';
COMMENT ON FUNCTION missing_symbol.reset_row(pg_catalog.regclass, pg_catalog.jsonb) IS
    'the same with the key''s columns by name';

CREATE FUNCTION missing_symbol.set_count(target pg_catalog.regclass, n pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_set_count_any';
COMMENT ON FUNCTION missing_symbol.set_count(pg_catalog.regclass, pg_catalog.int8, VARIADIC "any") IS
    'let the count of a key be n, whether it was there or not; the count that it had, with what is set aside';

CREATE FUNCTION missing_symbol.set_count(target pg_catalog.regclass, n pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_set_count_text';
COMMENT ON FUNCTION missing_symbol.set_count(pg_catalog.regclass, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'the same for a key given as literals or untyped parameters';

CREATE FUNCTION missing_symbol.set_count_row(target pg_catalog.regclass, fields pg_catalog.jsonb, n pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_set_count_row';
COMMENT ON FUNCTION missing_symbol.set_count_row(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8) IS
    'the same with columns by name: the key, and what a new row needs';

CREATE FUNCTION missing_symbol.reset_all(pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000
AS 'MODULE_PATHNAME', 'ms_reset_all';
COMMENT ON FUNCTION missing_symbol.reset_all(pg_catalog.anyelement) IS
    'the rows of a table with what is set aside, which then all begin again, as reset() has it; nobody counts in it until the commit';

-- Which requests have been counted

-- Written by the engine only, after checking rights on the target; nobody is
-- granted anything.  The primary key alone tells who counts.  Rows live for
-- token_days: what expires is vacuumed before it is much.
CREATE TABLE missing_symbol.tokens (
    target      pg_catalog.regclass,
    token       pg_catalog.uuid,
    claimed_at  pg_catalog.timestamptz NOT NULL,
    PRIMARY KEY (target, token)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE missing_symbol.tokens IS
    'tokens with which something was counted: a call with one of them counts nothing until it has expired';
COMMENT ON COLUMN missing_symbol.tokens.target IS 'the table that holds the counter';
COMMENT ON COLUMN missing_symbol.tokens.token IS 'the first 128 bits of SHA-256 over the text of the token';
COMMENT ON COLUMN missing_symbol.tokens.claimed_at IS 'when it counted';
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.tokens', '');

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.text, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_any';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.text, VARIADIC "any") IS
    'count 1 for a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.text, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_text';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.text, VARIADIC pg_catalog.text[]) IS
    'count 1 for a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.uuid, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_any';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.uuid, VARIADIC "any") IS
    'count 1 for a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.uuid, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_text';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.uuid, VARIADIC pg_catalog.text[]) IS
    'count 1 for a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_any';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.int8, VARIADIC "any") IS
    'count 1 for a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once(target pg_catalog.regclass, token pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_text';
COMMENT ON FUNCTION missing_symbol.increment_once(pg_catalog.regclass, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'count 1 for a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.text, by pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_any';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.text, pg_catalog.int8, VARIADIC "any") IS
    'add an amount to the counter of a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.text, by pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_text';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.text, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'add an amount to the counter of a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.uuid, by pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_any';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.uuid, pg_catalog.int8, VARIADIC "any") IS
    'add an amount to the counter of a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.uuid, by pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_text';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.uuid, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'add an amount to the counter of a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.int8, by pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_any';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.int8, pg_catalog.int8, VARIADIC "any") IS
    'add an amount to the counter of a key, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_once_by(target pg_catalog.regclass, token pg_catalog.int8, by pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_once_by_text';
COMMENT ON FUNCTION missing_symbol.increment_once_by(pg_catalog.regclass, pg_catalog.int8, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'add an amount to the counter of a key given as literals or untyped parameters, unless something was counted with the same token before; the count, or null where it is not known or nothing was counted';

CREATE FUNCTION missing_symbol.increment_row_once(target pg_catalog.regclass, token pg_catalog.text, fields pg_catalog.jsonb, by pg_catalog.int8 DEFAULT '1')
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_row_once';
COMMENT ON FUNCTION missing_symbol.increment_row_once(pg_catalog.regclass, pg_catalog.text, pg_catalog.jsonb, pg_catalog.int8) IS
    'increment_row(), unless something was counted with the same token before';

CREATE FUNCTION missing_symbol.increment_row_once(target pg_catalog.regclass, token pg_catalog.uuid, fields pg_catalog.jsonb, by pg_catalog.int8 DEFAULT '1')
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_row_once';
COMMENT ON FUNCTION missing_symbol.increment_row_once(pg_catalog.regclass, pg_catalog.uuid, pg_catalog.jsonb, pg_catalog.int8) IS
    'increment_row(), unless something was counted with the same token before';

CREATE FUNCTION missing_symbol.increment_row_once(target pg_catalog.regclass, token pg_catalog.int8, fields pg_catalog.jsonb, by pg_catalog.int8 DEFAULT '1')
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_row_once';
COMMENT ON FUNCTION missing_symbol.increment_row_once(pg_catalog.regclass, pg_catalog.int8, pg_catalog.jsonb, pg_catalog.int8) IS
    'increment_row(), unless something was counted with the same token before';

CREATE FUNCTION missing_symbol.increment_rows_once(
    target          pg_catalog.regclass,
    tokens          pg_catalog.anyarray,
    rows            pg_catalog.jsonb,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT ignored     pg_catalog.int8,
    OUT absent      pg_catalog.int8,
    OUT duplicate   pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_rows_once';
COMMENT ON FUNCTION missing_symbol.increment_rows_once(pg_catalog.regclass, pg_catalog.anyarray, pg_catalog.jsonb, pg_catalog.int8[]) IS
    'increment_rows() without the rows with whose token something was counted before; equal tokens: the first row counts';

CREATE FUNCTION missing_symbol.increment_rows_once(
    target          pg_catalog.regclass,
    tokens          pg_catalog.text,
    rows            pg_catalog.jsonb,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT ignored     pg_catalog.int8,
    OUT absent      pg_catalog.int8,
    OUT duplicate   pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_rows_once';
COMMENT ON FUNCTION missing_symbol.increment_rows_once(pg_catalog.regclass, pg_catalog.text, pg_catalog.jsonb, pg_catalog.int8[]) IS
    'increment_rows_once() with the tokens as the text of an array';

CREATE FUNCTION missing_symbol.forget_tokens(target pg_catalog.regclass)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_forget_tokens';
COMMENT ON FUNCTION missing_symbol.forget_tokens(pg_catalog.regclass) IS
    'forget the tokens of a table of yours: they may count again; the number forgotten';

CREATE PROCEDURE missing_symbol.expire_tokens()
LANGUAGE C
AS 'MODULE_PATHNAME', 'ms_expire_tokens';
COMMENT ON PROCEDURE missing_symbol.expire_tokens() IS
    'delete the tokens that are older than missing_symbol.token_days, committing after each batch';

-- Budgets and pauses of a profile
CREATE FUNCTION missing_symbol.profile_pause()
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_pass_over';
COMMENT ON FUNCTION missing_symbol.profile_pause() IS
    'statements that follow are only counted, as of class paused, until profile_resume(), profile_mark() or profile_reset()';

CREATE FUNCTION missing_symbol.profile_resume()
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_go_on';
COMMENT ON FUNCTION missing_symbol.profile_resume() IS
    'statements that follow are profiled again, after profile_pause()';

CREATE FUNCTION missing_symbol.assert_queries(
    min pg_catalog.int8 DEFAULT 0,
    max pg_catalog.int8 DEFAULT 9223372036854775807,
    command pg_catalog.text DEFAULT NULL,
    relation pg_catalog.regclass DEFAULT NULL,
    pattern pg_catalog.text DEFAULT NULL,
    classes pg_catalog.text[] DEFAULT '{query}',
    ignore pg_catalog.text[] DEFAULT NULL,
    label pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_queries';
COMMENT ON FUNCTION missing_symbol.assert_queries(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.regclass, pg_catalog.text, pg_catalog.text[], pg_catalog.text[], pg_catalog.text) IS
    'error MS001 if fewer or more queries were sent since the last mark, or under a label: of a command, on a table, that match a pattern; 55000 if that cannot be told';

CREATE TYPE missing_symbol.budget AS (
    name pg_catalog.text,
    found pg_catalog.float8,
    min pg_catalog.float8,
    max pg_catalog.float8,
    ok pg_catalog.bool,
    offenders pg_catalog.text
);
COMMENT ON TYPE missing_symbol.budget IS
    'what a budget has come to: what was found, its limits, is it ok, and what was too much';

-- Budgets as one row: a raised error costs a pooled client its connection
CREATE FUNCTION missing_symbol.check_queries(
    min pg_catalog.int8 DEFAULT 0,
    max pg_catalog.int8 DEFAULT 9223372036854775807,
    command pg_catalog.text DEFAULT NULL,
    relation pg_catalog.regclass DEFAULT NULL,
    pattern pg_catalog.text DEFAULT NULL,
    classes pg_catalog.text[] DEFAULT '{query}',
    ignore pg_catalog.text[] DEFAULT NULL,
    label pg_catalog.text DEFAULT NULL)
RETURNS missing_symbol.budget
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_check_queries';
COMMENT ON FUNCTION missing_symbol.check_queries(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.regclass, pg_catalog.text, pg_catalog.text[], pg_catalog.text[], pg_catalog.text) IS
    'assert_queries() as one row: what was found, the limits, is it ok';

CREATE FUNCTION missing_symbol.check_duration(
    duration pg_catalog.interval)
RETURNS missing_symbol.budget
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_check_duration';
COMMENT ON FUNCTION missing_symbol.check_duration(pg_catalog.interval) IS
    'assert_max_duration() as one row, in milliseconds: what was found, the limits, is it ok';

CREATE FUNCTION missing_symbol.check_no_n_plus_one(
    min_repeats pg_catalog.int4 DEFAULT 5,
    min_duration pg_catalog.interval DEFAULT '0',
    evidence pg_catalog.text DEFAULT 'burst',
    ignore pg_catalog.text[] DEFAULT '{}')
RETURNS missing_symbol.budget
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_check_no_n_plus_one';
COMMENT ON FUNCTION missing_symbol.check_no_n_plus_one(pg_catalog.int4, pg_catalog.interval, pg_catalog.text, pg_catalog.text[]) IS
    'assert_no_n_plus_one() as one row: the number of candidates, is it ok';

CREATE FUNCTION missing_symbol.check_no_errors()
RETURNS missing_symbol.budget
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_check_no_errors';
COMMENT ON FUNCTION missing_symbol.check_no_errors() IS
    'assert_no_errors() as one row: how many statements have failed, is it ok';

-- A function with further arguments stays the same one: who calls it, in a view
-- or a function, calls it so.
-- (..._of() are made to be copied from, and dropped below.)
CREATE FUNCTION missing_symbol.profile_start_of(
    level pg_catalog.text DEFAULT 'top',
    plans pg_catalog.bool DEFAULT NULL,
    params pg_catalog.bool DEFAULT NULL,
    scope pg_catalog.text DEFAULT 'session')
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_start';
CREATE FUNCTION missing_symbol.assert_no_n_plus_one_of(
    min_repeats pg_catalog.int4 DEFAULT 5,
    min_duration pg_catalog.interval DEFAULT '0',
    evidence pg_catalog.text DEFAULT 'burst',
    ignore pg_catalog.text[] DEFAULT '{}')
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_no_n_plus_one';
CREATE FUNCTION missing_symbol.compare_of(
    a pg_catalog.text,
    b pg_catalog.text,
    runs pg_catalog.int4 DEFAULT NULL,
    prepared pg_catalog.bool DEFAULT false,
    writes pg_catalog.bool DEFAULT false,
    params pg_catalog.text[] DEFAULT NULL,
    setup_a pg_catalog.text DEFAULT NULL,
    setup_b pg_catalog.text DEFAULT NULL,
    OUT variant pg_catalog.text,
    OUT runs_done pg_catalog.int4,
    OUT median_ms pg_catalog.float8,
    OUT mean_ms pg_catalog.float8,
    OUT stddev_ms pg_catalog.float8,
    OUT p95_ms pg_catalog.float8,
    OUT blocks pg_catalog.int8,
    OUT rows pg_catalog.int8,
    OUT wal_bytes pg_catalog.int8,
    OUT dead_rows pg_catalog.int8,
    OUT ratio pg_catalog.float8,
    OUT ratio_low pg_catalog.float8,
    OUT ratio_high pg_catalog.float8,
    OUT same_result pg_catalog.bool,
    OUT verdict pg_catalog.text,
    OUT notes pg_catalog.text[])
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_compare';
UPDATE pg_catalog.pg_proc p
SET pronargs = n.pronargs, pronargdefaults = n.pronargdefaults, proargtypes = n.proargtypes,
    proallargtypes = n.proallargtypes, proargmodes = n.proargmodes,
    proargnames = n.proargnames, proargdefaults = n.proargdefaults
FROM pg_catalog.pg_proc n
WHERE p.oid OPERATOR(pg_catalog.=) 'missing_symbol.compare(pg_catalog.text,pg_catalog.text,pg_catalog.int4,pg_catalog.bool,pg_catalog.bool)'::pg_catalog.regprocedure
  AND n.oid OPERATOR(pg_catalog.=) 'missing_symbol.compare_of(pg_catalog.text,pg_catalog.text,pg_catalog.int4,pg_catalog.bool,pg_catalog.bool,pg_catalog.text[],pg_catalog.text,pg_catalog.text)'::pg_catalog.regprocedure;
DROP FUNCTION missing_symbol.compare_of(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.bool, pg_catalog.bool, pg_catalog.text[], pg_catalog.text, pg_catalog.text);
UPDATE pg_catalog.pg_proc p
SET pronargs = n.pronargs, pronargdefaults = n.pronargdefaults, proargtypes = n.proargtypes,
    proargnames = n.proargnames, proargdefaults = n.proargdefaults
FROM pg_catalog.pg_proc n
WHERE (p.oid OPERATOR(pg_catalog.=) 'missing_symbol.assert_no_n_plus_one(pg_catalog.int4,pg_catalog.interval)'::pg_catalog.regprocedure
       AND n.oid OPERATOR(pg_catalog.=) 'missing_symbol.assert_no_n_plus_one_of(pg_catalog.int4,pg_catalog.interval,pg_catalog.text,pg_catalog.text[])'::pg_catalog.regprocedure)
    OR (p.oid OPERATOR(pg_catalog.=) 'missing_symbol.profile_start(pg_catalog.text,pg_catalog.bool,pg_catalog.bool)'::pg_catalog.regprocedure
        AND n.oid OPERATOR(pg_catalog.=) 'missing_symbol.profile_start_of(pg_catalog.text,pg_catalog.bool,pg_catalog.bool,pg_catalog.text)'::pg_catalog.regprocedure);
DROP FUNCTION missing_symbol.profile_start_of(pg_catalog.text, pg_catalog.bool, pg_catalog.bool, pg_catalog.text);
DROP FUNCTION missing_symbol.assert_no_n_plus_one_of(pg_catalog.int4, pg_catalog.interval, pg_catalog.text, pg_catalog.text[]);
COMMENT ON FUNCTION missing_symbol.assert_no_n_plus_one(pg_catalog.int4, pg_catalog.interval, pg_catalog.text, pg_catalog.text[]) IS
    'error MS001 if there are N+1 candidates of that evidence since the last mark; 55000 if profiling is off';
COMMENT ON FUNCTION missing_symbol.profile_start(pg_catalog.text, pg_catalog.bool, pg_catalog.bool, pg_catalog.text) IS
    'profile this session from the next statement on, until profile_stop() or DISCARD ALL, or the transaction, whatever the settings say; level top or all';

COMMENT ON FUNCTION missing_symbol.profile_report(pg_catalog.text) IS
    'this session''s profile to read, line by line; or in one row as json or html';

CREATE FUNCTION missing_symbol.counter_report(target pg_catalog.regclass, format pg_catalog.text DEFAULT 'text')
RETURNS SETOF pg_catalog.text
LANGUAGE C STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_counter_report';
COMMENT ON FUNCTION missing_symbol.counter_report(pg_catalog.regclass, pg_catalog.text) IS
    'a table''s counters to read, line by line: the most counted, days, what waits, storage, and what would help; or in one row as json or html';
