\set ECHO errors
-- What is found of the statement in :q, and whether its suggestion, created to
-- the letter and analysed, is used and has fewer blocks read.
SELECT missing_symbol.profile_reset() \g /dev/null
:q \g /dev/null
SELECT kind, suggestion, proved, cost_after <= 0.7 * cost_before AS cheaper,
    regexp_replace(why, '(cost|without) of \d+', '\1 of N', 'g') AS why FROM missing_symbol.findings;
BEGIN;
SELECT used, fewer_blocks FROM pg_temp.follow(:'q') WHERE used IS NOT NULL;
ROLLBACK;
\set ECHO all
