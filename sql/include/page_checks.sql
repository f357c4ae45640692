-- what is true of every page
CREATE FUNCTION page_checks(page text) RETURNS TABLE (what text, ok bool)
LANGUAGE sql AS $$
    WITH p AS MATERIALIZED (
        SELECT regexp_replace(regexp_replace(page, '<style>.*?</style>', ''), '<script>.*?</script>', '') AS body,
            substring(page FROM '<style>(.*?)</style>') AS style,
            substring(page FROM '<script>(.*?)</script>') AS script),
    tags AS MATERIALIZED (
        SELECT t[1] AS tag, regexp_replace(t[1], '[ >].*', '') AS begins FROM p, regexp_matches(body, '(<[^>]*>)', 'g') t),
    ids AS MATERIALIZED (
        SELECT substring(tag FROM ' id="([^"]*)"') AS id FROM tags WHERE tag ~ ' id="'),
    elements AS MATERIALIZED (
        SELECT ltrim(begins, '</') AS name, count(*) FILTER (WHERE begins ~ '^<[^/]' AND tag !~ '/>$') AS begin,
            count(*) FILTER (WHERE begins ~ '^</') AS ended
        FROM tags GROUP BY 1)
    SELECT c.* FROM p, LATERAL (VALUES
        ('it is a document', page ~ '^<!DOCTYPE html>\n<html lang="en">' AND page ~ '</html>$'),
        ('it is ASCII', page !~ '[^\n\t -~]'),
        ('its policy allows its style and script, and nothing else',
         strpos(page, format('content="default-src ''none''; style-src ''sha256-%s''; script-src ''sha256-%s''; base-uri ''none''; form-action ''none''"',
             encode(sha256(convert_to(p.style, 'UTF8')), 'base64'), encode(sha256(convert_to(p.script, 'UTF8')), 'base64'))) > 0),
        ('the two are there once', NOT EXISTS (
            SELECT FROM elements WHERE name IN ('style', 'script', 'link', 'base', 'iframe', 'object', 'embed', 'img', 'form'))),
        ('no attribute is style or script', NOT EXISTS (SELECT FROM tags WHERE tag ~ '\s(style|on\w+)\s*=')),
        ('nothing is loaded', NOT EXISTS (SELECT FROM tags WHERE tag ~ '\s(src|srcset|action|data|xlink:href)\s*=')),
        ('links lead into it', NOT EXISTS (
            SELECT FROM tags WHERE tag ~ ' href=' AND COALESCE(substring(tag FROM ' href="#([^"]*)"'), '') NOT IN (SELECT id FROM ids))),
        ('an id is there once', NOT EXISTS (SELECT FROM ids GROUP BY id HAVING count(*) > 1)),
        ('every element ends', NOT EXISTS (
            SELECT FROM elements WHERE begin <> ended AND name NOT IN ('!DOCTYPE', 'meta')))) c (what, ok);
$$;
