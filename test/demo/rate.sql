SELECT format('  %s requests in %s s, %s a second',
              count(*), round(:ms / 1000.0, 1), count(*) * 1000 / greatest(:ms, 1))
FROM request WHERE source = :'source';
