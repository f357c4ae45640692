-- The demo's own reports once more, profiled: their page

\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SET missing_symbol.unit_gap = -1;
SELECT missing_symbol.profile_mark('requests, and back');
BEGIN;
SELECT format('SELECT missing_symbol.record(%L, %L, %L, %L, %L)', symbol, debugid, filename, code_file, code_id)
FROM request JOIN answer USING (n)
WHERE source = :'source' AND outcome IN ('inserted', 'incremented') ORDER BY n LIMIT 20 \gexec
ROLLBACK;
SELECT missing_symbol.profile_mark('the ten most missed');
\ir top.sql
SELECT missing_symbol.profile_mark('outcomes');
\ir outcomes.sql
SELECT missing_symbol.profile_mark('the daily report');
SELECT * FROM missing_symbol.missing_pdbs;
\o
SELECT missing_symbol.profile_report('html');
