-- Made-up Windows modules, where no real ones were asked for: the daily report
-- is about nothing else.

INSERT INTO request (source, symbol, debugid, filename, code_file, code_id)
SELECT 'made up', 'madeup-' || name || '.pdb', upper(md5(name)) || '1',
    'madeup-' || name || '.sym', 'madeup-' || name || '.dll', left(md5(name), 13)
FROM (VALUES ('browser', 5), ('codec', 3), ('driver', 1)) AS m (name, requests),
    generate_series(1, requests);
