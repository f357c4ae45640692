-- Slow runs: who sees them, and what is not done as another.
\i `echo "$PG_ABS_SRCDIR/sql/include/profile_off.sql"`
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE ROLE regress_slow_plain;
CREATE ROLE regress_slow_owner;
CREATE ROLE regress_slow_member IN ROLE regress_slow_owner;
CREATE ROLE regress_slow_stats IN ROLE pg_read_all_stats;
CREATE SCHEMA hidden AUTHORIZATION regress_slow_owner;
GRANT CREATE ON SCHEMA public TO regress_slow_owner, regress_slow_plain;
SET ROLE regress_slow_owner;
CREATE TABLE hidden.salary (person text, amount int);
INSERT INTO hidden.salary VALUES ('boss', 1000), ('clerk', 10);
ALTER TABLE hidden.salary ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION public.rank_of(who text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN (SELECT count(*) FROM hidden.salary WHERE person = 'boss' AND who <> person);
END$$;
RESET ROLE;
PREPARE seen AS
SELECT number, toplevel, userid::regrole, shape, text, params, status, rows, plan IS NOT NULL AS plan, plan_text IS NOT NULL AS plan_text,
       queryid IS NULL AS no_id, label
FROM missing_symbol.slow_runs WHERE text !~ 'slow_threshold|profile_' ORDER BY number;
GRANT EXECUTE ON FUNCTION public.rank_of TO PUBLIC;

-- a plain role profiles what a SECURITY DEFINER function does: that it was slow is all that it learns
SET ROLE regress_slow_plain;
SELECT missing_symbol.profile_start('all', plans => true, params => true);
SET missing_symbol.slow_threshold = 0;
SELECT public.rank_of('me');
SET missing_symbol.slow_threshold = -1;
EXECUTE seen;
SELECT kind, shape, userid::regrole, relation, suggestion, why ~ 'salary|boss' AS leaked
FROM missing_symbol.findings WHERE shape !~ 'slow_threshold' ORDER BY shape COLLATE "C";
SELECT bool_or(row_to_json(r)::text ~ 'salary|boss') AS leaked FROM missing_symbol.slow_runs r;
SELECT bool_or(line ~ 'salary|boss') AS leaked FROM missing_symbol.profile_report() line;
SELECT missing_symbol.profile_report('json') ~ 'salary|boss' AS leaked;
SELECT missing_symbol.profile_report('html') ~ 'salary|boss' AS leaked;

-- its members, and who may read all statistics, see it; whoever reads, also in a function
RESET ROLE;
SET ROLE regress_slow_member;
SELECT regexp_replace(text, '^SELECT [(]', '(') AS text, plan #>> '{plans,0,part}' AS part, plan #>> '{plans,0,plans,0,relation}' AS relation FROM missing_symbol.slow_runs WHERE NOT toplevel;
RESET ROLE;
SET ROLE regress_slow_stats;
SELECT count(*) FROM missing_symbol.slow_runs WHERE text ~ 'boss' AND plan_text ~ 'hidden.salary';
RESET ROLE;
SET ROLE regress_slow_plain;
CREATE FUNCTION public.peek() RETURNS SETOF text LANGUAGE sql AS $$SELECT plan_text FROM missing_symbol.slow_runs WHERE NOT toplevel$$;
SELECT * FROM public.peek();
RESET ROLE;
CREATE FUNCTION public.peek_as_owner() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$SELECT regexp_replace(text, '^SELECT [(]', '(') FROM missing_symbol.slow_runs WHERE NOT toplevel$$;
SET ROLE regress_slow_plain;
SELECT * FROM public.peek_as_owner();

-- code of others does not run as the reader: types, operators and casts of theirs are only named
RESET ROLE;
SELECT missing_symbol.profile_start('top', plans => true), missing_symbol.profile_reset();
CREATE TABLE public.ran (who name, what text);
GRANT INSERT ON public.ran TO PUBLIC;
SET ROLE regress_slow_plain;
CREATE DOMAIN public.trap AS text;
ALTER DOMAIN public.trap ADD CHECK (value <> 'x');
CREATE FUNCTION public.noting(text, text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO public.ran VALUES (current_user, 'operator');
    RETURN true;
END$$;
CREATE OPERATOR public.=~~= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.noting);
CREATE FUNCTION public.format_type(oid, int) RETURNS text LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO public.ran VALUES (current_user, 'format_type');
    RETURN 'x';
END$$;
CREATE TABLE public.own (name text, kind public.trap);
INSERT INTO public.own VALUES ('a', 'b');
SET search_path = public, pg_catalog;
SET missing_symbol.slow_threshold = 0;
SELECT count(*) FROM own WHERE name =~~= 'c' AND kind = 'b'::public.trap;
SET missing_symbol.slow_threshold = -1;
RESET search_path;
RESET ROLE;
DELETE FROM public.ran;
SET search_path = public, pg_catalog;
SELECT text, plan #>> '{plans,0,filter}' AS filter FROM missing_symbol.slow_runs WHERE text ~ 'FROM own' ORDER BY number;
SELECT count(*) FROM missing_symbol.findings WHERE shape ~ 'own';
SELECT * FROM public.ran;
RESET search_path;

-- values of parameters are not in plans, unless they are kept
SET plan_cache_mode = force_custom_plan;
PREPARE q(text) AS SELECT count(*) FROM public.own WHERE name = $1;
SELECT missing_symbol.profile_start('top', plans => true, params => false);
SET missing_symbol.slow_threshold = 0;
EXECUTE q('x');
SET missing_symbol.slow_threshold = -1;
SELECT plan #>> '{plans,0,filter}' AS filter FROM missing_symbol.slow_runs WHERE text ~ 'EXECUTE q';
RESET plan_cache_mode;

-- no lock is waited for: whatever has a table locked, its plan shows
BEGIN;
LOCK TABLE public.own;
SET LOCAL lock_timeout = '1ms';
SELECT count(*) FROM missing_symbol.slow_runs WHERE plan_text ~ 'public.own';
ROLLBACK;

SELECT missing_symbol.profile_stop(), missing_symbol.profile_reset();
DROP FUNCTION public.rank_of, public.peek, public.peek_as_owner;
DROP TABLE public.own, public.ran;
DROP OPERATOR public.=~~= (text, text);
DROP FUNCTION public.noting, public.format_type;
DROP DOMAIN public.trap;
DROP SCHEMA hidden CASCADE;
REVOKE CREATE ON SCHEMA public FROM regress_slow_owner, regress_slow_plain;
DROP ROLE regress_slow_plain, regress_slow_member, regress_slow_owner, regress_slow_stats;
