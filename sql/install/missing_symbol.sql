/*
 * The interface of missing_symbol as it is: every object of the extension with
 * what it says of itself, in the order of the rooms of src/.
 *
 * The build makes missing_symbol--VERSION.sql of it, which CREATE EXTENSION
 * runs.  Who has an older version comes here by the update scripts beside this
 * directory, missing_symbol--A--B.sql: a change is made in both, and
 * test/t/upgrade.pl shows that they say the same.
 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION missing_symbol" to load this file. \quit

-- A plain CREATE SCHEMA: it fails where somebody squats on the name, and the
-- schema goes with the extension.
CREATE SCHEMA missing_symbol;
COMMENT ON SCHEMA missing_symbol IS
    'upsert counters and query profiling: the objects of the extension missing_symbol';
GRANT USAGE ON SCHEMA missing_symbol TO PUBLIC;

--
-- counter: the clock, and the type
--

CREATE FUNCTION missing_symbol.clock()
RETURNS pg_catalog.timestamptz
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_clock_sql';
COMMENT ON FUNCTION missing_symbol.clock() IS
    'the clock that increments read: clock_timestamp(), or missing_symbol.test_clock where a test has set it';

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
CREATE FUNCTION missing_symbol.counter(count pg_catalog.int8 DEFAULT '1')
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

--
-- target: a table that holds counters
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
COMMENT ON COLUMN missing_symbol.tracked.apply IS 'when an increment reaches its row: now, commit, or buffer';
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

CREATE FUNCTION missing_symbol.untrack(target pg_catalog.regclass)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_untrack';
COMMENT ON FUNCTION missing_symbol.untrack(pg_catalog.regclass) IS
    'forget all that track() and configure() were told of a table of yours';

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
    OUT hot_obstacles   pg_catalog.text[],
    OUT settings        pg_catalog.jsonb,
    OUT left_alone      pg_catalog.text[],
    OUT warnings        pg_catalog.text[])
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_describe_target';
COMMENT ON FUNCTION missing_symbol.describe(pg_catalog.regclass) IS
    'how a table counts: key, columns, settings, path and why, what keeps increments from being HOT, columns of customary names that are not taken, and what may not be as it was meant';

CREATE FUNCTION missing_symbol.forget_dropped()
RETURNS pg_catalog.event_trigger
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_forget_dropped';
COMMENT ON FUNCTION missing_symbol.forget_dropped() IS
    'event trigger: a dropped table is not tracked any more';

CREATE EVENT TRIGGER missing_symbol_forget_dropped ON sql_drop
    EXECUTE FUNCTION missing_symbol.forget_dropped();
-- also where session_replication_role is replica: a row that outlived its
-- table would be dumped as a bare number, and might fit a later table
ALTER EVENT TRIGGER missing_symbol_forget_dropped ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER missing_symbol_forget_dropped IS
    'removes the row of a dropped table from missing_symbol.tracked';

--
-- apply: what the engine's own statements call
--

CREATE FUNCTION missing_symbol.reached(condition pg_catalog.bool)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_reached';
COMMENT ON FUNCTION missing_symbol.reached(pg_catalog.bool) IS
    'internal: tells the engine that a statement of its own has reached an existing row; returns its argument';

CREATE FUNCTION missing_symbol.seen()
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_seen';
COMMENT ON FUNCTION missing_symbol.seen() IS
    'internal: tells the engine that a statement of its own has seen a row, before locking it; returns true';

CREATE FUNCTION missing_symbol.local_time(
    "time"      pg_catalog.timestamptz,
    zone        pg_catalog.text)
RETURNS pg_catalog.timestamp
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_local_time';
COMMENT ON FUNCTION missing_symbol.local_time(pg_catalog.timestamptz, pg_catalog.text) IS
    'internal: what the clocks of a zone show at a time, as a column of type timestamp has it, whatever a session says of abbreviations';

CREATE FUNCTION missing_symbol.counted(
    c           missing_symbol.counter,
    by          pg_catalog.int8,
    first_seen  pg_catalog.timestamptz,
    last_seen   pg_catalog.timestamptz)
RETURNS missing_symbol.counter
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_counted';
COMMENT ON FUNCTION missing_symbol.counted(missing_symbol.counter, pg_catalog.int8, pg_catalog.timestamptz, pg_catalog.timestamptz) IS
    'internal: a counter after an increment of the engine''s own statements; a null counter is a new one, null times mean now';

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

--
-- calls: counting, one key or many
--

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

CREATE FUNCTION missing_symbol.increment_row(target pg_catalog.regclass, fields pg_catalog.jsonb, by pg_catalog.int8 DEFAULT '1')
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
    OUT buffered    pg_catalog.int8,
    OUT ignored     pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_many';
COMMENT ON FUNCTION missing_symbol.increment_many(pg_catalog.regclass, pg_catalog.anyarray, pg_catalog.int8[]) IS
    'add to many counters in one call, keys of one column; duplicates are merged, rows are locked in the order of the key; how many keys had which outcome';

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

CREATE FUNCTION missing_symbol.increment_rows(
    target          pg_catalog.regclass,
    rows            pg_catalog.jsonb,
    by              pg_catalog.int8[] DEFAULT NULL,
    OUT inserted    pg_catalog.int8,
    OUT incremented pg_catalog.int8,
    OUT throttled   pg_catalog.int8,
    OUT spilled     pg_catalog.int8,
    OUT deferred    pg_catalog.int8,
    OUT buffered    pg_catalog.int8,
    OUT ignored     pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_increment_rows';
COMMENT ON FUNCTION missing_symbol.increment_rows(pg_catalog.regclass, pg_catalog.jsonb, pg_catalog.int8[]) IS
    'add to many counters in one call, an array of objects with columns by name; duplicates are merged, rows are locked in the order of the key; how many keys had which outcome';

CREATE FUNCTION missing_symbol.last_increment(
    OUT outcome     pg_catalog.text,
    OUT count       pg_catalog.int8,
    OUT first_seen  pg_catalog.timestamptz,
    OUT last_seen   pg_catalog.timestamptz,
    OUT counts      pg_catalog.jsonb,
    OUT applied     pg_catalog."numeric",
    OUT retry_after pg_catalog."interval")
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_last_increment_counts';
COMMENT ON FUNCTION missing_symbol.last_increment() IS
    'outcome, count and times of the latest single increment of this session, all its counts where there are several; where a limit judged it, the amount that was counted, and how long until the rest can be; no side effect';

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

-- Likewise
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

-- What a session's increments came to
CREATE FUNCTION missing_symbol.counter_stats(
    OUT target          pg_catalog.regclass,
    OUT calls           pg_catalog.int8,
    OUT inserted        pg_catalog.int8,
    OUT incremented     pg_catalog.int8,
    OUT throttled       pg_catalog.int8,
    OUT spilled         pg_catalog.int8,
    OUT deferred        pg_catalog.int8,
    OUT buffered        pg_catalog.int8,
    OUT ignored         pg_catalog.int8,
    OUT fallbacks       pg_catalog.int8,
    OUT lock_waits      pg_catalog.int8,
    OUT early_applies   pg_catalog.int8,
    OUT folded          pg_catalog.int8,
    OUT hint            pg_catalog.text,
    OUT absent          pg_catalog.int8,
    OUT duplicate       pg_catalog.int8,
    OUT refused         pg_catalog.int8)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_counter_stats';
COMMENT ON FUNCTION missing_symbol.counter_stats() IS
    'internal: the rows of view counter_stats';

CREATE VIEW missing_symbol.counter_stats AS
    SELECT target, calls, inserted, incremented, throttled, spilled, deferred,
           buffered, ignored, fallbacks, lock_waits, early_applies, folded, hint,
           absent, duplicate, refused
    FROM missing_symbol.counter_stats();
COMMENT ON VIEW missing_symbol.counter_stats IS
    'what this session''s increments came to, by target: counters by outcome, waits for locks, and what would help';
GRANT SELECT ON missing_symbol.counter_stats TO PUBLIC;

--
-- tokens: which requests have been counted
--

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

--
-- aside: increments that do not reach their row at once
--

-- Written by the engine only, after checking rights on the target; nobody is
-- granted anything.  Each has this one index.
CREATE TABLE missing_symbol.spilled (
    target      pg_catalog.regclass NOT NULL,
    hash        pg_catalog.int8 NOT NULL,
    key         pg_catalog.text[] NOT NULL,
    role        pg_catalog.name NOT NULL,
    delta       pg_catalog.int8 NOT NULL,
    first_seen  pg_catalog.timestamptz NOT NULL,
    last_seen   pg_catalog.timestamptz NOT NULL,
    fields      pg_catalog.jsonb,
    id          pg_catalog.uuid NOT NULL,
    error       pg_catalog.text,
    PRIMARY KEY (target, hash, id)
);
COMMENT ON TABLE missing_symbol.spilled IS
    'increments set aside because their row was locked; value() and total() include them, fold() merges them';
COMMENT ON COLUMN missing_symbol.spilled.target IS 'the table that holds the counter';
COMMENT ON COLUMN missing_symbol.spilled.hash IS 'of the key, for the index';
COMMENT ON COLUMN missing_symbol.spilled.key IS 'values of the key, in the order of its index''s columns';
COMMENT ON COLUMN missing_symbol.spilled.role IS 'the role that counted; where it is gone, the owner of the table stands in';
COMMENT ON COLUMN missing_symbol.spilled.delta IS 'how much was counted';
COMMENT ON COLUMN missing_symbol.spilled.first_seen IS 'when it was counted, first';
COMMENT ON COLUMN missing_symbol.spilled.last_seen IS 'when it was counted, last';
COMMENT ON COLUMN missing_symbol.spilled.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
COMMENT ON COLUMN missing_symbol.spilled.id IS 'random';
COMMENT ON COLUMN missing_symbol.spilled.error IS 'why it could not be merged; it is tried again';
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.spilled', '');

-- Its unlogged twin: the same columns up to fields.  All its room is used up
-- and given back again and again: autovacuum does not pause there.
CREATE UNLOGGED TABLE missing_symbol.buffered (
    target      pg_catalog.regclass NOT NULL,
    hash        pg_catalog.int8 NOT NULL,
    key         pg_catalog.text[] NOT NULL,
    role        pg_catalog.name NOT NULL,
    delta       pg_catalog.int8 NOT NULL,
    first_seen  pg_catalog.timestamptz NOT NULL,
    last_seen   pg_catalog.timestamptz NOT NULL,
    fields      pg_catalog.jsonb
) WITH (autovacuum_vacuum_cost_delay = 0);
CREATE INDEX buffered_target_hash_idx ON missing_symbol.buffered (target, hash);
COMMENT ON TABLE missing_symbol.buffered IS
    'increments of targets with apply = buffer, until the worker, fold() or flush() merges them; value() and total() include them; a crash empties it';
COMMENT ON COLUMN missing_symbol.buffered.target IS 'the table that holds the counter';
COMMENT ON COLUMN missing_symbol.buffered.hash IS 'of the key, for the index';
COMMENT ON COLUMN missing_symbol.buffered.key IS 'values of the key, in the order of its index''s columns';
COMMENT ON COLUMN missing_symbol.buffered.role IS 'the role that counted; where it is gone, the owner of the table stands in';
COMMENT ON COLUMN missing_symbol.buffered.delta IS 'how much was counted';
COMMENT ON COLUMN missing_symbol.buffered.first_seen IS 'when it was counted, first';
COMMENT ON COLUMN missing_symbol.buffered.last_seen IS 'when it was counted, last';
COMMENT ON COLUMN missing_symbol.buffered.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.buffered', '');

-- What folds came to is in the statistics of the tables; what a library of
-- before 1.2 may still write here nobody reads.
CREATE UNLOGGED TABLE missing_symbol.folds (
    since       pg_catalog.timestamptz NOT NULL,
    folds       pg_catalog.int8 NOT NULL,
    deltas      pg_catalog.int8 NOT NULL,
    rows        pg_catalog.int8 NOT NULL,
    fallbacks   pg_catalog.int8 NOT NULL
);
COMMENT ON TABLE missing_symbol.folds IS 'not used any more';
COMMENT ON COLUMN missing_symbol.folds.since IS 'when it was written, or the first of the rows that were made one';
COMMENT ON COLUMN missing_symbol.folds.folds IS 'folds that merged anything';
COMMENT ON COLUMN missing_symbol.folds.deltas IS 'increments merged';
COMMENT ON COLUMN missing_symbol.folds.rows IS 'rows of targets written by it';
COMMENT ON COLUMN missing_symbol.folds.fallbacks IS 'increments that should have been buffered and could not';

CREATE FUNCTION missing_symbol.fold(target pg_catalog.regclass DEFAULT NULL)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_fold';
COMMENT ON FUNCTION missing_symbol.fold(pg_catalog.regclass) IS
    'merge spilled and buffered increments of a table, or of all that you may count in, into their rows; waits for no row; the number merged';

CREATE FUNCTION missing_symbol.flush()
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_flush';
COMMENT ON FUNCTION missing_symbol.flush() IS
    'merge all increments that are spilled or buffered, of tables that you may count in; waits for rows that are locked; the number merged';

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

CREATE FUNCTION missing_symbol.buffer_stats(
    OUT buffered        pg_catalog.int8,
    OUT oldest          pg_catalog.timestamptz,
    OUT spilled         pg_catalog.int8,
    OUT errors          pg_catalog.int8,
    OUT fallbacks       pg_catalog.int8,
    OUT folds           pg_catalog.int8,
    OUT folded          pg_catalog.int8,
    OUT rows_written    pg_catalog.int8,
    OUT since           pg_catalog.timestamptz,
    OUT absent          pg_catalog.int8)
LANGUAGE C STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_buffer_stats';
COMMENT ON FUNCTION missing_symbol.buffer_stats() IS
    'internal: the row of view buffer_stats';
REVOKE ALL ON FUNCTION missing_symbol.buffer_stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION missing_symbol.buffer_stats() TO pg_monitor;

-- 5: the worker's lock on our schema (WORKER_LOCK)
CREATE VIEW missing_symbol.buffer_stats AS
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
COMMENT ON VIEW missing_symbol.buffer_stats IS
    'what is buffered in this database, what has become of it, and the worker; for pg_monitor';
COMMENT ON COLUMN missing_symbol.buffer_stats.buffered IS 'increments that are buffered, those of one key in one transaction as one';
COMMENT ON COLUMN missing_symbol.buffer_stats.oldest_age IS 'how long ago the oldest of them was counted';
COMMENT ON COLUMN missing_symbol.buffer_stats.spilled IS 'increments that are spilled';
COMMENT ON COLUMN missing_symbol.buffer_stats.errors IS 'those of them that could not be merged when that was tried; what never can, discard() throws away';
COMMENT ON COLUMN missing_symbol.buffer_stats.fallbacks IS 'increments of this session that should have been buffered and could not';
COMMENT ON COLUMN missing_symbol.buffer_stats.folds IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.folded IS 'spilled and buffered increments that were merged or discarded, as rows deleted from their tables, those of transactions that were rolled back, too';
COMMENT ON COLUMN missing_symbol.buffer_stats.rows_written IS 'not known any more: NULL';
COMMENT ON COLUMN missing_symbol.buffer_stats.since IS 'since when folded is counted: stats_reset of pg_stat_database';
COMMENT ON COLUMN missing_symbol.buffer_stats.worker_pid IS 'process of the worker';
COMMENT ON COLUMN missing_symbol.buffer_stats.worker_state IS 'folding; waiting; none: nothing is buffered; missing: something is, but no worker is there, or this session could not start one; standby';
COMMENT ON COLUMN missing_symbol.buffer_stats.absent IS 'of those, and of deferred ones, how many were dropped: their row was gone, and none is made';
GRANT SELECT ON missing_symbol.buffer_stats TO pg_monitor;

--
-- calls, of whole tables: retention, sightings, reading with what is set aside
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

CREATE FUNCTION missing_symbol.hash(
    symbol      pg_catalog.text,
    debugid     pg_catalog.text,
    filename    pg_catalog.text,
    code_file   pg_catalog.text DEFAULT NULL,
    code_id     pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ms_hash';
COMMENT ON FUNCTION missing_symbol.hash(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
    'the key of a sighting: md5 in hexadecimal over the UTF-8 of its parts joined by colons, nulls left out';

-- An ordinary target, with room on its pages so that increments are HOT: no
-- index but the key's.  Nobody is granted anything: whose requests these are
-- is for the owner to show, and to count takes INSERT, UPDATE and SELECT.
CREATE TABLE missing_symbol.symbols (
    hash        pg_catalog.text COLLATE pg_catalog."C" PRIMARY KEY,
    symbol      pg_catalog.text NOT NULL,
    debugid     pg_catalog.text NOT NULL,
    filename    pg_catalog.text NOT NULL,
    code_file   pg_catalog.text,
    code_id     pg_catalog.text,
    hits        missing_symbol.counter NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE missing_symbol.symbols IS
    'symbol files that were asked for and missed; counted by record()';
COMMENT ON COLUMN missing_symbol.symbols.hash IS 'key: missing_symbol.hash() of what was given';
COMMENT ON COLUMN missing_symbol.symbols.symbol IS 'debug file, such as xul.pdb';
COMMENT ON COLUMN missing_symbol.symbols.debugid IS 'debug id: hexadecimal digits';
COMMENT ON COLUMN missing_symbol.symbols.filename IS 'symbol file asked for, such as xul.sym';
COMMENT ON COLUMN missing_symbol.symbols.code_file IS 'file that runs, such as xul.dll; null where it was not given or empty';
COMMENT ON COLUMN missing_symbol.symbols.code_id IS 'its code id; null where it was not given or empty';
COMMENT ON COLUMN missing_symbol.symbols.hits IS 'how often, and when first and last';
SELECT pg_catalog.pg_extension_config_dump('missing_symbol.symbols', '');

CREATE FUNCTION missing_symbol.record(
    symbol      pg_catalog.text,
    debugid     pg_catalog.text,
    filename    pg_catalog.text,
    code_file   pg_catalog.text DEFAULT NULL,
    code_id     pg_catalog.text DEFAULT NULL,
    by          pg_catalog.int8 DEFAULT '1',
    target      pg_catalog.regclass DEFAULT 'missing_symbol.symbols')
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_record';
COMMENT ON FUNCTION missing_symbol.record(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int8, pg_catalog.regclass) IS
    'count a sighting, by the rules of the symbol server; the new count, or null where nothing was counted';

CREATE VIEW missing_symbol.missing_pdbs AS
    SELECT symbol AS debug_file, debugid AS debug_id, code_file, code_id
    FROM missing_symbol.symbols
    WHERE symbol COLLATE pg_catalog."C" OPERATOR(pg_catalog.~~*) '%.pdb'
      AND filename COLLATE pg_catalog."C" OPERATOR(pg_catalog.~~*) '%.sym'
      AND missing_symbol.last_seen(hits) OPERATOR(pg_catalog.>=)
          (missing_symbol.clock() OPERATOR(pg_catalog.-) '24 hours'::pg_catalog.interval)
    ORDER BY missing_symbol.last_seen(hits) DESC, hash;
COMMENT ON VIEW missing_symbol.missing_pdbs IS
    'the daily report: Windows debug files missed in the last 24 hours, the latest first; for COPY (TABLE missing_symbol.missing_pdbs) TO STDOUT (FORMAT csv, HEADER)';
COMMENT ON COLUMN missing_symbol.missing_pdbs.debug_file IS 'symbol';
COMMENT ON COLUMN missing_symbol.missing_pdbs.debug_id IS 'debugid';
COMMENT ON COLUMN missing_symbol.missing_pdbs.code_file IS 'code_file; an empty field where it is not known';
COMMENT ON COLUMN missing_symbol.missing_pdbs.code_id IS 'code_id; an empty field where it is not known';

CREATE FUNCTION missing_symbol.total(pg_catalog.anyelement)
RETURNS SETOF pg_catalog.anyelement
LANGUAGE C STABLE PARALLEL UNSAFE ROWS 1000
AS 'MODULE_PATHNAME', 'ms_total';
COMMENT ON FUNCTION missing_symbol.total(pg_catalog.anyelement) IS
    'all counters of a table, as its rows, with spilled, buffered and deferred increments included: FROM missing_symbol.total(NULL::page_views)';

CREATE FUNCTION missing_symbol.counter_report(target pg_catalog.regclass, format pg_catalog.text DEFAULT 'text')
RETURNS SETOF pg_catalog.text
LANGUAGE C STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_counter_report';
COMMENT ON FUNCTION missing_symbol.counter_report(pg_catalog.regclass, pg_catalog.text) IS
    'a table''s counters to read, line by line: the most counted, days, what waits, storage, and what would help; or in one row as json or html';

--
-- profile: measuring a session
--

CREATE FUNCTION missing_symbol.profile_start(
    level pg_catalog.text DEFAULT 'top',
    plans pg_catalog.bool DEFAULT NULL,
    params pg_catalog.bool DEFAULT NULL,
    scope pg_catalog.text DEFAULT 'session')
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_start';
COMMENT ON FUNCTION missing_symbol.profile_start(pg_catalog.text, pg_catalog.bool, pg_catalog.bool, pg_catalog.text) IS
    'profile this session from the next statement on, until profile_stop() or DISCARD ALL, or the transaction, whatever the settings say; level top or all';

CREATE FUNCTION missing_symbol.profile_stop()
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_stop';
COMMENT ON FUNCTION missing_symbol.profile_stop() IS
    'stop profiling this session, whatever the settings say; what has been measured stays';

CREATE FUNCTION missing_symbol.profile_reset()
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_reset';
COMMENT ON FUNCTION missing_symbol.profile_reset() IS
    'forget what has been measured in this session';

CREATE FUNCTION missing_symbol.profile_mark(label pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_profile_mark';
COMMENT ON FUNCTION missing_symbol.profile_mark(pg_catalog.text) IS
    'begin something new, a request or a test: the statements that follow bear this label, and budgets count from here';

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

--
-- report: what is shown of a profile
--

CREATE FUNCTION missing_symbol.queries(
    OUT number pg_catalog.int8,
    OUT label pg_catalog.text,
    OUT transaction pg_catalog.int8,
    OUT level pg_catalog.int4,
    OUT userid pg_catalog.oid,
    OUT text pg_catalog.text,
    OUT params pg_catalog.text,
    OUT command pg_catalog.text,
    OUT plan_ms pg_catalog.float8,
    OUT exec_ms pg_catalog.float8,
    OUT commit_ms pg_catalog.float8,
    OUT rows pg_catalog.int8,
    OUT shared_blks_hit pg_catalog.int8,
    OUT shared_blks_read pg_catalog.int8,
    OUT shared_blks_dirtied pg_catalog.int8,
    OUT shared_blks_written pg_catalog.int8,
    OUT local_blks_hit pg_catalog.int8,
    OUT local_blks_read pg_catalog.int8,
    OUT local_blks_dirtied pg_catalog.int8,
    OUT local_blks_written pg_catalog.int8,
    OUT temp_blks_read pg_catalog.int8,
    OUT temp_blks_written pg_catalog.int8,
    OUT wal_bytes pg_catalog.int8,
    OUT started_at pg_catalog.timestamptz,
    OUT committed pg_catalog.bool,
    OUT queryid pg_catalog.int8,
    OUT status pg_catalog.text,
    OUT sqlstate pg_catalog.text,
    OUT class pg_catalog.text,
    OUT round_trip pg_catalog.int8,
    OUT tags pg_catalog.jsonb,
    OUT application pg_catalog.text)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_queries_view';
COMMENT ON FUNCTION missing_symbol.queries() IS
    'the rows of the view queries';

CREATE VIEW missing_symbol.queries AS
    SELECT * FROM missing_symbol.queries();
COMMENT ON VIEW missing_symbol.queries IS
    'the last statements of this session, in order, as far as they were profiled';

CREATE FUNCTION missing_symbol.query_stats(
    OUT text pg_catalog.text,
    OUT queryid pg_catalog.int8,
    OUT userid pg_catalog.oid,
    OUT toplevel pg_catalog.bool,
    OUT calls pg_catalog.int8,
    OUT errors pg_catalog.int8,
    OUT total_exec_time pg_catalog.float8,
    OUT mean_exec_time pg_catalog.float8,
    OUT median_exec_time pg_catalog.float8,
    OUT stddev_exec_time pg_catalog.float8,
    OUT min pg_catalog.float8,
    OUT max pg_catalog.float8,
    OUT p95 pg_catalog.float8,
    OUT p99 pg_catalog.float8,
    OUT spike pg_catalog.float8,
    OUT rows pg_catalog.int8,
    OUT shared_blks_hit pg_catalog.int8,
    OUT shared_blks_read pg_catalog.int8,
    OUT shared_blks_dirtied pg_catalog.int8,
    OUT shared_blks_written pg_catalog.int8,
    OUT local_blks_hit pg_catalog.int8,
    OUT local_blks_read pg_catalog.int8,
    OUT local_blks_dirtied pg_catalog.int8,
    OUT local_blks_written pg_catalog.int8,
    OUT temp_blks_read pg_catalog.int8,
    OUT temp_blks_written pg_catalog.int8,
    OUT blk_read_time pg_catalog.float8,
    OUT blk_write_time pg_catalog.float8,
    OUT wal_records pg_catalog.int8,
    OUT wal_fpi pg_catalog.int8,
    OUT wal_bytes pg_catalog.int8,
    OUT histogram pg_catalog.float8[],
    OUT class pg_catalog.text,
    OUT label pg_catalog.text,
    OUT example_tags pg_catalog.jsonb,
    OUT application pg_catalog.text)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_query_stats_view';
COMMENT ON FUNCTION missing_symbol.query_stats() IS
    'the rows of the view query_stats';

CREATE VIEW missing_symbol.query_stats AS
    SELECT * FROM missing_symbol.query_stats();
COMMENT ON VIEW missing_symbol.query_stats IS
    'what this session ran, per statement shape; times in milliseconds; histogram: {{from, to, calls}, ...}';

CREATE FUNCTION missing_symbol.n_plus_one(
    OUT unit pg_catalog.int8,
    OUT text pg_catalog.text,
    OUT repeats pg_catalog.int8,
    OUT "similar" pg_catalog.int8,
    OUT duplicate pg_catalog.int8,
    OUT total_ms pg_catalog.float8,
    OUT commit_ms pg_catalog.float8,
    OUT first_number pg_catalog.int8,
    OUT last_number pg_catalog.int8,
    OUT transactions pg_catalog.int8,
    OUT source pg_catalog.text,
    OUT source_rows pg_catalog.int8,
    OUT evidence pg_catalog.text,
    OUT hint pg_catalog.text,
    OUT userid pg_catalog.oid,
    OUT shapes pg_catalog.int4,
    OUT inside pg_catalog.text,
    OUT label pg_catalog.text,
    OUT example_tags pg_catalog.jsonb,
    OUT application pg_catalog.text)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_n_plus_one_view';
COMMENT ON FUNCTION missing_symbol.n_plus_one() IS
    'the rows of the view n_plus_one';

CREATE VIEW missing_symbol.n_plus_one AS
    SELECT * FROM missing_symbol.n_plus_one();
COMMENT ON VIEW missing_symbol.n_plus_one IS
    'candidates for N+1: shapes that this session ran again and again in one unit of work';

CREATE FUNCTION missing_symbol.findings(
    OUT kind pg_catalog.text,
    OUT shape pg_catalog.text,
    OUT queryid pg_catalog.int8,
    OUT userid pg_catalog.oid,
    OUT relation pg_catalog.text,
    OUT columns pg_catalog.text[],
    OUT rows_read pg_catalog.int8,
    OUT rows_discarded pg_catalog.int8,
    OUT ratio pg_catalog.float8,
    OUT times_seen pg_catalog.int8,
    OUT suggestion pg_catalog.text,
    OUT why pg_catalog.text,
    OUT label pg_catalog.text,
    OUT proved pg_catalog.bool,
    OUT cost_before pg_catalog.float8,
    OUT cost_after pg_catalog.float8)
RETURNS SETOF pg_catalog.record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_findings_rows';
COMMENT ON FUNCTION missing_symbol.findings() IS
    'the rows of the view findings';

CREATE VIEW missing_symbol.findings AS
    SELECT * FROM missing_symbol.findings();
COMMENT ON VIEW missing_symbol.findings IS
    'what is wrong with the plans of this session''s statements, and the statement that fixes it, ready to run; filled while plans are profiled';

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

GRANT SELECT ON
    missing_symbol.queries,
    missing_symbol.query_stats,
    missing_symbol.n_plus_one,
    missing_symbol.findings,
    missing_symbol.advice,
    missing_symbol.slow_runs
    TO PUBLIC;

CREATE FUNCTION missing_symbol.profile_summary()
RETURNS pg_catalog.text
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_profile_summary';
COMMENT ON FUNCTION missing_symbol.profile_summary() IS
    'this session''s profile in one line';

CREATE FUNCTION missing_symbol.profile_summary(label pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_profile_summary_label';
COMMENT ON FUNCTION missing_symbol.profile_summary(pg_catalog.text) IS
    'what came under a label of profile_mark(), in one line';

CREATE FUNCTION missing_symbol.profile_report(format pg_catalog.text DEFAULT 'text')
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_profile_report';
COMMENT ON FUNCTION missing_symbol.profile_report(pg_catalog.text) IS
    'this session''s profile to read, line by line; or in one row as json or html';

-- Budgets: a limit that is null is an error
CREATE FUNCTION missing_symbol.assert_max_queries(n pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_max_queries';
COMMENT ON FUNCTION missing_symbol.assert_max_queries(pg_catalog.int8) IS
    'error MS001 if more queries were sent since the last mark; 55000 if profiling is off';

CREATE FUNCTION missing_symbol.assert_max_duration(duration pg_catalog.interval)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_max_duration';
COMMENT ON FUNCTION missing_symbol.assert_max_duration(pg_catalog.interval) IS
    'error MS001 if statements took longer since the last mark; 55000 if profiling is off';

CREATE FUNCTION missing_symbol.assert_no_n_plus_one(
    min_repeats pg_catalog.int4 DEFAULT 5,
    min_duration pg_catalog.interval DEFAULT '0',
    evidence pg_catalog.text DEFAULT 'burst',
    ignore pg_catalog.text[] DEFAULT '{}')
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_no_n_plus_one';
COMMENT ON FUNCTION missing_symbol.assert_no_n_plus_one(pg_catalog.int4, pg_catalog.interval, pg_catalog.text, pg_catalog.text[]) IS
    'error MS001 if there are N+1 candidates of that evidence since the last mark; 55000 if profiling is off';

CREATE FUNCTION missing_symbol.assert_no_errors()
RETURNS pg_catalog.void
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'ms_assert_no_errors';
COMMENT ON FUNCTION missing_symbol.assert_no_errors() IS
    'error MS001 if a statement has failed since the last mark; 55000 if profiling is off';

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

--
-- trial: what-if and comparison
--

CREATE FUNCTION missing_symbol.explain(
    statement pg_catalog.text,
    params pg_catalog.text[] DEFAULT NULL,
    setup pg_catalog.text DEFAULT NULL)
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_explain';
COMMENT ON FUNCTION missing_symbol.explain(pg_catalog.text, pg_catalog.text[], pg_catalog.text) IS
    'the plan of a statement that is not run, generic without params; setup: SET, and CREATE INDEX of which nothing is made';

CREATE FUNCTION missing_symbol.explain_analyze(
    query pg_catalog.text,
    params pg_catalog.text[] DEFAULT NULL,
    setup pg_catalog.text DEFAULT NULL,
    format pg_catalog.text DEFAULT 'text')
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ms_explain_analyze';
COMMENT ON FUNCTION missing_symbol.explain_analyze(pg_catalog.text, pg_catalog.text[], pg_catalog.text, pg_catalog.text) IS
    'run one statement, after setup, under EXPLAIN (ANALYZE, BUFFERS, WAL, SETTINGS), and undo both; format text, json, yaml or xml';

CREATE FUNCTION missing_symbol.compare(
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
COMMENT ON FUNCTION missing_symbol.compare(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.bool, pg_catalog.bool, pg_catalog.text[], pg_catalog.text, pg_catalog.text) IS
    'which of two statements is faster, from rounds that run both in random order and are undone; and whether they return the same rows';
