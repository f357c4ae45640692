-- Records each request of a source, in order, and notes its outcome.

SELECT set_config('demo.source', :'source', false) \g /dev/null

DO $$
DECLARE
    r request;
    outcome text;
    error text;
    done bigint := 0;
    total bigint;
BEGIN
    SELECT count(*) INTO total
    FROM request WHERE source = current_setting('demo.source');

    FOR r IN
        SELECT * FROM request
        WHERE source = current_setting('demo.source') ORDER BY n
    LOOP
        BEGIN
            PERFORM missing_symbol.record(r.symbol, r.debugid, r.filename,
                                          r.code_file, r.code_id);
            SELECT l.outcome, NULL INTO outcome, error
            FROM missing_symbol.last_increment() l;
        EXCEPTION WHEN invalid_parameter_value OR null_value_not_allowed THEN
            outcome := 'refused';
            error := SQLERRM;
        END;
        INSERT INTO answer VALUES (r.n, outcome, error);

        done := done + 1;
        IF done % 2000 = 0 OR done = total AND total > 2000 THEN
            COMMIT;
            RAISE NOTICE '% of % requests', lpad(done::text, length(total::text)), total;
        END IF;
    END LOOP;
END
$$;
