SELECT format('  refused: %s', error)
FROM (SELECT DISTINCT ON (error) error, n FROM answer
      WHERE outcome = 'refused' ORDER BY error, n) e
ORDER BY n LIMIT 3;
SELECT '' WHERE EXISTS (SELECT FROM answer WHERE outcome = 'refused');
