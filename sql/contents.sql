--
-- What the extension is made of
--
\pset null '(null)'
-- its objects, as pg_depend has them
CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid, d.objsubid, i.type, i.schema, i.identity
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e',
    pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE e.extname = 'missing_symbol';

-- everything is in schema missing_symbol, but for what has no schema
SELECT type, identity FROM members
WHERE schema IS DISTINCT FROM 'missing_symbol' AND type <> 'cast' ORDER BY 1, 2;
-- 18 has json's schema in its name
SELECT replace(identity, 'pg_catalog.', '') AS identity FROM members WHERE type = 'cast' ORDER BY 1;
-- and everything in schema missing_symbol is the extension's
SELECT pg_describe_object(o.classid, o.objid, 0)
FROM (SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class WHERE relnamespace = 'missing_symbol'::regnamespace AND relkind NOT IN ('i', 't', 'I', 'c')
      UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'missing_symbol'::regnamespace
      UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'missing_symbol'::regnamespace
      UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass WHERE opcnamespace = 'missing_symbol'::regnamespace
      UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily WHERE opfnamespace = 'missing_symbol'::regnamespace
      UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = 'missing_symbol'::regnamespace AND typelem = 0 AND typrelid = 0) o
WHERE NOT EXISTS (SELECT FROM members m WHERE m.classid = o.classid AND m.objid = o.objid);

-- every object has a comment, and every column of a table
SELECT type, identity FROM members
WHERE obj_description(objid, classid::regclass::name) IS NULL
    AND type NOT IN ('operator of access method', 'function of access method')
    -- array types, row types and toast tables have none
    AND NOT (classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND (t.typelem <> 0 OR t.typrelid <> 0)))
ORDER BY 1, 2;
SELECT c.oid::regclass AS relation, a.attname
FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE col_description(c.oid, a.attnum) IS NULL
ORDER BY 1, a.attnum;

-- functions: none runs with its owner's rights, none has settings of its own
SELECT p.oid::regprocedure FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
WHERE p.prosecdef OR p.proconfig IS NOT NULL ORDER BY 1;
-- and none has a body in SQL, which would look up names at each call
SELECT p.oid::regprocedure, l.lanname FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('c', 'internal') AND p.prokind <> 'a' ORDER BY 1;
-- the C functions that write are parallel unsafe
SELECT p.proname, p.proparallel, p.provolatile FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
WHERE p.proname ~ '^(increment|track|untrack|record|value|fold|flush|discard)' AND (p.proparallel <> 'u' OR p.provolatile = 'i') ORDER BY 1;

-- tables: nobody but the owner may write
SELECT c.oid::regclass, a.grantee::regrole, a.privilege_type
FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid,
    aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) a
WHERE a.grantee <> c.relowner AND a.privilege_type <> 'SELECT' AND c.relkind IN ('r', 'v', 'S', 'p')
ORDER BY 1, 2, 3;
-- and everyone may look into the schema, not create in it
SELECT grantee, privilege_type FROM pg_namespace n, aclexplode(nspacl) WHERE nspname = 'missing_symbol' AND grantee = 0;

-- tables with data are dumped; folds has what this server has done
SELECT c.oid::regclass
FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind IN ('r', 'p')
WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'missing_symbol' AND c.oid = ANY (e.extconfig))
ORDER BY 1;

-- autovacuum does not pause in the buffer; and increments of sightings are HOT
SELECT c.oid::regclass, c.reloptions
FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
WHERE c.reloptions IS NOT NULL ORDER BY c.relname;

-- operator classes are complete
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcnamespace = 'missing_symbol'::regnamespace ORDER BY opcmethod, opcname;

--
-- Create and drop
--
SELECT extname, nspname, extrelocatable FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'missing_symbol';
SET client_min_messages = warning;
CREATE TABLE counts (k text PRIMARY KEY, n missing_symbol.counter);
SELECT missing_symbol.increment('counts', 'x');
-- what uses the type keeps the extension
\set VERBOSITY terse
DROP EXTENSION missing_symbol;
DROP SCHEMA missing_symbol;
DROP SCHEMA missing_symbol CASCADE;
\set VERBOSITY default
DROP TABLE counts;
CREATE TABLE plain (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('plain', throttle => '0');
SELECT missing_symbol.increment('plain', 'x');
DROP EXTENSION missing_symbol;
SELECT count(*) FROM pg_namespace WHERE nspname = 'missing_symbol';
SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'missing_symbol%';
SELECT count(*) FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.oid = d.refobjid);
-- other tables can still be dropped, and made
DROP TABLE plain;
CREATE TABLE plain (k text PRIMARY KEY, count bigint);
-- not where somebody squats on the schema
CREATE SCHEMA missing_symbol;
\set SHOW_CONTEXT never
CREATE EXTENSION missing_symbol;
\set SHOW_CONTEXT errors
DROP SCHEMA missing_symbol;
-- nor into another one
CREATE SCHEMA other;
\set VERBOSITY terse
CREATE EXTENSION missing_symbol SCHEMA other;
\set VERBOSITY default
DROP SCHEMA other;
-- again, in the session that used the one that is gone
CREATE EXTENSION missing_symbol;
ALTER EXTENSION missing_symbol SET SCHEMA public;
SELECT missing_symbol.increment('plain', 'x'), missing_symbol.increment('plain', 'x');
SELECT count(*) FROM missing_symbol.tracked;
BEGIN;
DROP EXTENSION missing_symbol;
ROLLBACK;
SELECT missing_symbol.increment('plain', 'x');
BEGIN;
DROP EXTENSION missing_symbol;
CREATE EXTENSION missing_symbol;
SELECT missing_symbol.increment('plain', 'x');
COMMIT;
SELECT missing_symbol.increment('plain', 'x');
DROP TABLE plain;
DROP VIEW members;
