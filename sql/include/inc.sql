CREATE FUNCTION pg_temp.inc(target text, VARIADIC key text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    n := missing_symbol.increment(target, VARIADIC key);
    RETURN concat_ws(' ', COALESCE(n::text, '(null)'), (missing_symbol.last_increment()).outcome);
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
