-- what a statement answers, or the SQLSTATE and message it fails with, and the detail and hint below
CREATE FUNCTION pg_temp.try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement INTO answer;
    RETURN COALESCE(answer, '(null)');
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || COALESCE(E'\n    ' || NULLIF(detail, ''), '') || COALESCE(E'\n    ' || NULLIF(hint, ''), '');
END
$$;
