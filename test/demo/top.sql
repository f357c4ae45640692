-- The most missed of a source, with a bar each

WITH seen AS (
    SELECT DISTINCT missing_symbol.hash(symbol, debugid, filename,
                                        code_file, code_id) AS hash
    FROM request JOIN answer USING (n)
    WHERE source = :'source' AND outcome IN ('inserted', 'incremented')
), top AS (
    SELECT symbol, debugid, missing_symbol.hits(hits) AS hits,
        missing_symbol.first_seen(hits) AS first_seen,
        missing_symbol.last_seen(hits) AS last_seen
    FROM missing_symbol.symbols JOIN seen USING (hash)
    ORDER BY 3 DESC, symbol, debugid
    LIMIT 10
)
SELECT hits AS missed,
    rpad(repeat(:'block', greatest(1, (20 * hits / max(hits) OVER ())::int)), 20) AS " ",
    CASE WHEN length(symbol) > 24 THEN left(symbol, 21) || '...'
        ELSE symbol END AS symbol,
    debugid AS "debug id",
    to_char(first_seen, 'HH24:MI:SS.MS') AS "first seen",
    to_char(last_seen, 'HH24:MI:SS.MS') AS "last seen"
FROM top ORDER BY hits DESC, symbol, debugid;
