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

CREATE TYPE missing_symbol.counter;

CREATE FUNCTION missing_symbol.counter_in(pg_catalog.cstring)
RETURNS missing_symbol.counter
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_in';
COMMENT ON FUNCTION missing_symbol.counter_in(pg_catalog.cstring) IS 'I/O';

CREATE FUNCTION missing_symbol.counter_out(missing_symbol.counter)
RETURNS pg_catalog.cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_out';
COMMENT ON FUNCTION missing_symbol.counter_out(missing_symbol.counter) IS 'I/O';

CREATE FUNCTION missing_symbol.counter_recv(pg_catalog.internal)
RETURNS missing_symbol.counter
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_recv';
COMMENT ON FUNCTION missing_symbol.counter_recv(pg_catalog.internal) IS 'I/O';

CREATE FUNCTION missing_symbol.counter_send(missing_symbol.counter)
RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_send';
COMMENT ON FUNCTION missing_symbol.counter_send(missing_symbol.counter) IS 'I/O';

CREATE TYPE missing_symbol.counter (
    INPUT = missing_symbol.counter_in,
    OUTPUT = missing_symbol.counter_out,
    RECEIVE = missing_symbol.counter_recv,
    SEND = missing_symbol.counter_send,
    INTERNALLENGTH = 24,
    ALIGNMENT = pg_catalog.float8,
    STORAGE = plain
);
COMMENT ON TYPE missing_symbol.counter IS
    'a count, and when it was first and last changed: 42 [first_seen,last_seen]';

-- A fresh counter
CREATE FUNCTION missing_symbol.counter(count pg_catalog.int8 DEFAULT 1)
RETURNS missing_symbol.counter
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_new';
COMMENT ON FUNCTION missing_symbol.counter(pg_catalog.int8) IS
    'a fresh counter, first and last seen now';

-- Parts
CREATE FUNCTION missing_symbol.hits(missing_symbol.counter)
RETURNS pg_catalog.int8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_hits';
COMMENT ON FUNCTION missing_symbol.hits(missing_symbol.counter) IS
    'the count of a counter';

CREATE FUNCTION missing_symbol.first_seen(missing_symbol.counter)
RETURNS pg_catalog.timestamptz
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_first_seen';
COMMENT ON FUNCTION missing_symbol.first_seen(missing_symbol.counter) IS
    'when a counter was made';

CREATE FUNCTION missing_symbol.last_seen(missing_symbol.counter)
RETURNS pg_catalog.timestamptz
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_last_seen';
COMMENT ON FUNCTION missing_symbol.last_seen(missing_symbol.counter) IS
    'when a counter last changed';

CREATE CAST (missing_symbol.counter AS pg_catalog.int8)
    WITH FUNCTION missing_symbol.hits(missing_symbol.counter) AS ASSIGNMENT;
COMMENT ON CAST (missing_symbol.counter AS pg_catalog.int8) IS
    'the count of a counter';

-- Counting.  There is no counter + counter: it would capture hits + $1.
CREATE FUNCTION missing_symbol.counter_plus(missing_symbol.counter, pg_catalog.int8)
RETURNS missing_symbol.counter
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_plus';
COMMENT ON FUNCTION missing_symbol.counter_plus(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of + operator';

CREATE OPERATOR missing_symbol.+ (
    FUNCTION = missing_symbol.counter_plus,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8
);
COMMENT ON OPERATOR missing_symbol.+ (missing_symbol.counter, pg_catalog.int8) IS
    'count up, seen now';

CREATE FUNCTION missing_symbol.counter_minus(missing_symbol.counter, pg_catalog.int8)
RETURNS missing_symbol.counter
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_minus';
COMMENT ON FUNCTION missing_symbol.counter_minus(missing_symbol.counter, pg_catalog.int8) IS
    'implementation of - operator';

CREATE OPERATOR missing_symbol.- (
    FUNCTION = missing_symbol.counter_minus,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = pg_catalog.int8
);
COMMENT ON OPERATOR missing_symbol.- (missing_symbol.counter, pg_catalog.int8) IS
    'count down, seen now';

CREATE FUNCTION missing_symbol.merge(missing_symbol.counter, missing_symbol.counter)
RETURNS missing_symbol.counter
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_merge';
COMMENT ON FUNCTION missing_symbol.merge(missing_symbol.counter, missing_symbol.counter) IS
    'both counters as one: counts added, the earlier first_seen, the later last_seen';

CREATE AGGREGATE missing_symbol.sum(missing_symbol.counter) (
    SFUNC = missing_symbol.merge,
    STYPE = missing_symbol.counter,
    COMBINEFUNC = missing_symbol.merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE missing_symbol.sum(missing_symbol.counter) IS
    'all counters as one: counts added, the earliest first_seen, the latest last_seen';

-- Order: count, then last_seen, then first_seen
CREATE FUNCTION missing_symbol.counter_eq(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_eq';
COMMENT ON FUNCTION missing_symbol.counter_eq(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of = operator';

CREATE FUNCTION missing_symbol.counter_ne(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_ne';
COMMENT ON FUNCTION missing_symbol.counter_ne(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of <> operator';

CREATE FUNCTION missing_symbol.counter_lt(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_lt';
COMMENT ON FUNCTION missing_symbol.counter_lt(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of < operator';

CREATE FUNCTION missing_symbol.counter_le(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_le';
COMMENT ON FUNCTION missing_symbol.counter_le(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of <= operator';

CREATE FUNCTION missing_symbol.counter_gt(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_gt';
COMMENT ON FUNCTION missing_symbol.counter_gt(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of > operator';

CREATE FUNCTION missing_symbol.counter_ge(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.bool
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_ge';
COMMENT ON FUNCTION missing_symbol.counter_ge(missing_symbol.counter, missing_symbol.counter) IS
    'implementation of >= operator';

CREATE OPERATOR missing_symbol.= (
    FUNCTION = missing_symbol.counter_eq,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.=),
    NEGATOR = OPERATOR(missing_symbol.<>),
    RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel,
    HASHES,
    MERGES
);
COMMENT ON OPERATOR missing_symbol.= (missing_symbol.counter, missing_symbol.counter) IS
    'equal';

CREATE OPERATOR missing_symbol.<> (
    FUNCTION = missing_symbol.counter_ne,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<>),
    NEGATOR = OPERATOR(missing_symbol.=),
    RESTRICT = pg_catalog.neqsel,
    JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR missing_symbol.<> (missing_symbol.counter, missing_symbol.counter) IS
    'not equal';

CREATE OPERATOR missing_symbol.< (
    FUNCTION = missing_symbol.counter_lt,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.>),
    NEGATOR = OPERATOR(missing_symbol.>=),
    RESTRICT = pg_catalog.scalarltsel,
    JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR missing_symbol.< (missing_symbol.counter, missing_symbol.counter) IS
    'less than';

CREATE OPERATOR missing_symbol.<= (
    FUNCTION = missing_symbol.counter_le,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.>=),
    NEGATOR = OPERATOR(missing_symbol.>),
    RESTRICT = pg_catalog.scalarlesel,
    JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR missing_symbol.<= (missing_symbol.counter, missing_symbol.counter) IS
    'less than or equal';

CREATE OPERATOR missing_symbol.> (
    FUNCTION = missing_symbol.counter_gt,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<),
    NEGATOR = OPERATOR(missing_symbol.<=),
    RESTRICT = pg_catalog.scalargtsel,
    JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR missing_symbol.> (missing_symbol.counter, missing_symbol.counter) IS
    'greater than';

CREATE OPERATOR missing_symbol.>= (
    FUNCTION = missing_symbol.counter_ge,
    LEFTARG = missing_symbol.counter,
    RIGHTARG = missing_symbol.counter,
    COMMUTATOR = OPERATOR(missing_symbol.<=),
    NEGATOR = OPERATOR(missing_symbol.<),
    RESTRICT = pg_catalog.scalargesel,
    JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR missing_symbol.>= (missing_symbol.counter, missing_symbol.counter) IS
    'greater than or equal';

CREATE FUNCTION missing_symbol.counter_cmp(missing_symbol.counter, missing_symbol.counter)
RETURNS pg_catalog.int4
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_cmp';
COMMENT ON FUNCTION missing_symbol.counter_cmp(missing_symbol.counter, missing_symbol.counter) IS
    'less-equal-greater: by count, then last_seen, then first_seen';

CREATE FUNCTION missing_symbol.counter_sortsupport(pg_catalog.internal)
RETURNS pg_catalog.void
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_sortsupport';
COMMENT ON FUNCTION missing_symbol.counter_sortsupport(pg_catalog.internal) IS
    'sort support';

CREATE FUNCTION missing_symbol.counter_hash(missing_symbol.counter)
RETURNS pg_catalog.int4
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_hash';
COMMENT ON FUNCTION missing_symbol.counter_hash(missing_symbol.counter) IS
    'hash';

CREATE FUNCTION missing_symbol.counter_hash_extended(missing_symbol.counter, pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_counter_hash_extended';
COMMENT ON FUNCTION missing_symbol.counter_hash_extended(missing_symbol.counter, pg_catalog.int8) IS
    'hash with a seed';

CREATE OPERATOR FAMILY missing_symbol.counter_ops USING btree;
COMMENT ON OPERATOR FAMILY missing_symbol.counter_ops USING btree IS
    'counters by count, then last_seen, then first_seen';

CREATE OPERATOR CLASS missing_symbol.counter_ops
DEFAULT FOR TYPE missing_symbol.counter USING btree FAMILY missing_symbol.counter_ops AS
    OPERATOR 1 missing_symbol.<,
    OPERATOR 2 missing_symbol.<=,
    OPERATOR 3 missing_symbol.=,
    OPERATOR 4 missing_symbol.>=,
    OPERATOR 5 missing_symbol.>,
    FUNCTION 1 missing_symbol.counter_cmp(missing_symbol.counter, missing_symbol.counter),
    FUNCTION 2 missing_symbol.counter_sortsupport(pg_catalog.internal),
    FUNCTION 4 pg_catalog.btequalimage(pg_catalog.oid);
COMMENT ON OPERATOR CLASS missing_symbol.counter_ops USING btree IS
    'counters by count, then last_seen, then first_seen';

CREATE OPERATOR FAMILY missing_symbol.counter_ops USING hash;
COMMENT ON OPERATOR FAMILY missing_symbol.counter_ops USING hash IS
    'counters, all three parts';

CREATE OPERATOR CLASS missing_symbol.counter_ops
DEFAULT FOR TYPE missing_symbol.counter USING hash FAMILY missing_symbol.counter_ops AS
    OPERATOR 1 missing_symbol.=,
    FUNCTION 1 missing_symbol.counter_hash(missing_symbol.counter),
    FUNCTION 2 missing_symbol.counter_hash_extended(missing_symbol.counter, pg_catalog.int8);
COMMENT ON OPERATOR CLASS missing_symbol.counter_ops USING hash IS
    'counters, all three parts';

--
-- Targets and increments (target.c, increment.c)
--

--
-- Sightings (symbols.c)
--

--
-- Profiling (profile_*.c, findings.c, explain.c, compare.c)
--
