-- Whether the counters hold what GROUP BY finds in the requests, each of them

CREATE VIEW expected AS
    SELECT missing_symbol.hash(symbol, debugid, filename, code_file, code_id) AS hash,
        count(*) AS hits
    FROM request JOIN answer USING (n)
    WHERE outcome IN ('inserted', 'incremented')
    GROUP BY 1;
CREATE VIEW counted AS
    SELECT hash, missing_symbol.hits(hits) AS hits FROM missing_symbol.symbols;

SELECT format('Checked: %s requests = %s inserted + %s incremented + %s ignored + %s refused,',
              (SELECT count(*) FROM request),
              count(*) FILTER (WHERE outcome = 'inserted'),
              count(*) FILTER (WHERE outcome = 'incremented'),
              count(*) FILTER (WHERE outcome = 'ignored'),
              count(*) FILTER (WHERE outcome = 'refused'))
FROM answer;
SELECT format('and %s counters of %s hits, each as GROUP BY counts it.',
              count(*), sum(hits))
FROM counted;

DO $$
BEGIN
    ASSERT (SELECT count(*) FROM request) =
        (SELECT count(*) FROM answer
         WHERE outcome IN ('inserted', 'incremented', 'ignored', 'refused')),
        'a request has no outcome';
    ASSERT (SELECT count(*) FROM answer WHERE outcome = 'inserted') =
        (SELECT count(*) FROM counted),
        'not as many counters as insertions';
    ASSERT NOT EXISTS (TABLE expected EXCEPT TABLE counted) AND
        NOT EXISTS (TABLE counted EXCEPT TABLE expected),
        'counters differ from the requests';
END
$$;
