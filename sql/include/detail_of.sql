-- the DETAIL of a budget that fails: the offending queries
CREATE FUNCTION detail_of(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE 'SELECT ' || call;
    RETURN 'passed';
EXCEPTION WHEN SQLSTATE 'MS001' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(detail, '[0-9.]+ ms', 'N ms', 'g');
END$$;
