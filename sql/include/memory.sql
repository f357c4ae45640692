\set ECHO errors
-- Whether the work_mem suggested for the statement in :q holds it, and whether a
-- quarter of it would have.
SET work_mem = '1MB';
SELECT missing_symbol.profile_reset() \g /dev/null
:q \g /dev/null
SELECT DISTINCT 'spilled' AS kind, enough, much FROM missing_symbol.findings, pg_temp.enough(:'q') WHERE kind ~ 'spilled$';
SET work_mem = '1MB';
\set ECHO all
