SELECT CASE source WHEN 'machine' THEN 'this machine' ELSE source END AS " ",
    count(*) AS requests,
    count(*) FILTER (WHERE outcome = 'inserted') AS inserted,
    count(*) FILTER (WHERE outcome = 'incremented') AS incremented,
    count(*) FILTER (WHERE outcome = 'ignored') AS ignored,
    count(*) FILTER (WHERE outcome = 'refused') AS refused
FROM request JOIN answer USING (n)
GROUP BY source ORDER BY source = 'file', source;
