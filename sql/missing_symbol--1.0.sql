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
-- Targets and increments (target.c, tracked.c, increment.c)
--

-- Written by track() and untrack() only, for the owner of the target; nobody
-- is granted write access.
CREATE TABLE missing_symbol.tracked (
    target      pg_catalog.regclass PRIMARY KEY,
    key         pg_catalog.name[],
    count       pg_catalog.name,
    first_seen  pg_catalog.name,
    last_seen   pg_catalog.name,
    apply       pg_catalog.text,
    throttle    pg_catalog.interval,
    fill        pg_catalog.name[],
    spill       pg_catalog.bool
);
COMMENT ON TABLE missing_symbol.tracked IS
    'how targets count, where what their tables tell does not serve; written by track() and untrack()';
COMMENT ON COLUMN missing_symbol.tracked.target IS 'the table that holds the counters';
COMMENT ON COLUMN missing_symbol.tracked.key IS 'columns of the unique index that identifies a counter, in the order of key values';
COMMENT ON COLUMN missing_symbol.tracked.count IS 'column that counts';
COMMENT ON COLUMN missing_symbol.tracked.first_seen IS 'column that holds the time of the insertion; an empty string means none';
COMMENT ON COLUMN missing_symbol.tracked.last_seen IS 'column that holds the time of the latest increment; an empty string means none';
COMMENT ON COLUMN missing_symbol.tracked.apply IS 'when an increment reaches its row: now';
COMMENT ON COLUMN missing_symbol.tracked.throttle IS 'a key is counted at most once in this time';
COMMENT ON COLUMN missing_symbol.tracked.fill IS 'detail columns that get a value when seen again, where they are null';
COMMENT ON COLUMN missing_symbol.tracked.spill IS 'whether an increment of a locked row is set aside';
GRANT SELECT ON missing_symbol.tracked TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.tracked', '');

CREATE FUNCTION missing_symbol.track(
    target      pg_catalog.regclass,
    key         pg_catalog.name[] DEFAULT NULL,
    count       pg_catalog.name DEFAULT NULL,
    first_seen  pg_catalog.name DEFAULT NULL,
    last_seen   pg_catalog.name DEFAULT NULL,
    apply       pg_catalog.text DEFAULT NULL,
    throttle    pg_catalog.interval DEFAULT NULL,
    fill        pg_catalog.name[] DEFAULT NULL,
    spill       pg_catalog.bool DEFAULT NULL)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_track';
COMMENT ON FUNCTION missing_symbol.track(pg_catalog.regclass, pg_catalog.name[], pg_catalog.name, pg_catalog.name, pg_catalog.name, pg_catalog.text, pg_catalog.interval, pg_catalog.name[], pg_catalog.bool) IS
    'say how a table of yours counts; null leaves a setting as it is';

CREATE FUNCTION missing_symbol.untrack(target pg_catalog.regclass)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_untrack';
COMMENT ON FUNCTION missing_symbol.untrack(pg_catalog.regclass) IS
    'forget all that track() was told of a table of yours';

CREATE FUNCTION missing_symbol.describe(
    target              pg_catalog.regclass,
    OUT key             pg_catalog.name[],
    OUT count           pg_catalog.name,
    OUT first_seen      pg_catalog.name,
    OUT last_seen       pg_catalog.name,
    OUT apply           pg_catalog.text,
    OUT throttle        pg_catalog.interval,
    OUT fill            pg_catalog.name[],
    OUT spill           pg_catalog.bool,
    OUT path            pg_catalog.text,
    OUT reason          pg_catalog.text,
    OUT hot_obstacles   pg_catalog.text[])
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_describe';
COMMENT ON FUNCTION missing_symbol.describe(pg_catalog.regclass) IS
    'how a table counts: key, columns, settings, path and why, and what keeps increments from being HOT';

CREATE FUNCTION missing_symbol.forget_dropped()
RETURNS pg_catalog.event_trigger
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_forget_dropped';
COMMENT ON FUNCTION missing_symbol.forget_dropped() IS
    'event trigger: a dropped table is not tracked any more';
CREATE EVENT TRIGGER missing_symbol_forget_dropped ON sql_drop
    EXECUTE FUNCTION missing_symbol.forget_dropped();
COMMENT ON EVENT TRIGGER missing_symbol_forget_dropped IS
    'removes the row of a dropped table from missing_symbol.tracked';

CREATE FUNCTION missing_symbol.reached(condition pg_catalog.bool)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_reached';
COMMENT ON FUNCTION missing_symbol.reached(pg_catalog.bool) IS
    'internal: tells the engine that a statement of its own has reached an existing row; returns its argument';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_any';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, VARIADIC "any") IS
    'add 1 to the counter of a key, inserting it if it is not there; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment(target pg_catalog.regclass, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_text';
COMMENT ON FUNCTION missing_symbol.increment(pg_catalog.regclass, VARIADIC pg_catalog.text[]) IS
    'add 1 to the counter of a key given as literals or untyped parameters, inserting it if it is not there; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_by(target pg_catalog.regclass, by pg_catalog.int8, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_by_any';
COMMENT ON FUNCTION missing_symbol.increment_by(pg_catalog.regclass, pg_catalog.int8, VARIADIC "any") IS
    'add any amount but zero to the counter of a key, inserting it if it is not there; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_by(target pg_catalog.regclass, by pg_catalog.int8, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_by_text';
COMMENT ON FUNCTION missing_symbol.increment_by(pg_catalog.regclass, pg_catalog.int8, VARIADIC pg_catalog.text[]) IS
    'add any amount but zero to the counter of a key given as literals or untyped parameters; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_row(target pg_catalog.regclass, fields pg_catalog.jsonb, by pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_row';
COMMENT ON FUNCTION missing_symbol.increment_row(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8) IS
    'add to the counter whose key is among the fields, columns by name; a new counter gets all of them; the new count, or null where nothing was counted';

CREATE FUNCTION missing_symbol.increment_many(
    target          pg_catalog.regclass,
    keys            pg_catalog.anyarray,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT ignored     pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_many';
COMMENT ON FUNCTION missing_symbol.increment_many(pg_catalog.regclass, pg_catalog.anyarray, pg_catalog.int8[]) IS
    'add to many counters in one call, keys of one column; duplicates are merged, rows are locked in the order of the key; how many keys had which outcome';

CREATE FUNCTION missing_symbol.increment_rows(
    target          pg_catalog.regclass,
    rows            pg_catalog.jsonb,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT ignored     pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_rows';
COMMENT ON FUNCTION missing_symbol.increment_rows(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8[]) IS
    'add to many counters in one call, an array of objects with columns by name; duplicates are merged, rows are locked in the order of the key; how many keys had which outcome';

CREATE FUNCTION missing_symbol.last_increment(
    OUT outcome     pg_catalog.text,
    OUT count       pg_catalog.int8,
    OUT first_seen  pg_catalog.timestamptz,
    OUT last_seen   pg_catalog.timestamptz)
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_last_increment';
COMMENT ON FUNCTION missing_symbol.last_increment() IS
    'outcome, count and times of the latest single increment of this session; no side effect';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, VARIADIC key "any")
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_any';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, VARIADIC "any") IS
    'the exact count of a key that this transaction may see; null where there is no such counter';

CREATE FUNCTION missing_symbol.value(target pg_catalog.regclass, VARIADIC key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE C STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_value_text';
COMMENT ON FUNCTION missing_symbol.value(pg_catalog.regclass, VARIADIC pg_catalog.text[]) IS
    'the exact count of a key given as literals or untyped parameters; null where there is no such counter';

--
-- Sightings (symbols.c)
--

--
-- Profiling (profile_*.c, findings.c, explain.c, compare.c)
--
