-- Follows the suggestion of a finding to the letter, and compares what is
-- executed then with what was before.
CREATE FUNCTION pg_temp.executed(query text, OUT indexes text[], OUT blocks bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
    SELECT array_agg(value #>> '{}') INTO indexes
    FROM jsonb_path_query((plan -> 0 -> 'Plan')::jsonb, '$.**."Index Name"') value;
    SELECT sum((plan -> 0 -> 'Plan' ->> name)::bigint) INTO blocks
    FROM unnest('{Shared Hit Blocks,Shared Read Blocks,Temp Read Blocks,Temp Written Blocks}'::text[]) name;
END$$;
CREATE FUNCTION pg_temp.follow(query text, OUT used boolean, OUT fewer_blocks boolean) LANGUAGE plpgsql AS $$
DECLARE
    before record;
    after record;
    finding record;
BEGIN
    FOR finding IN
        SELECT DISTINCT ON (suggestion) suggestion, relation FROM missing_symbol.findings WHERE suggestion IS NOT NULL
    LOOP
        PERFORM pg_temp.executed(query);
        SELECT * INTO before FROM pg_temp.executed(query);
        EXECUTE finding.suggestion;
        EXECUTE 'ANALYZE ' || finding.relation;
        PERFORM pg_temp.executed(query);
        SELECT * INTO after FROM pg_temp.executed(query);
        used := COALESCE(NOT after.indexes <@ COALESCE(before.indexes, '{}'), false);
        fewer_blocks := after.blocks < before.blocks;
        IF NOT used OR NOT fewer_blocks THEN
            RAISE WARNING '%: % % -> % %', finding.suggestion, before.indexes, before.blocks, after.indexes, after.blocks;
        END IF;
    END LOOP;
END$$;
