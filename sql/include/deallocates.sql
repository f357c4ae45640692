-- a prepared statement that goes while it runs: so long that its memory is
-- given back to the system, and whoever reads it still does not live on
CREATE FUNCTION deallocates() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    DEALLOCATE deallocates;
    PERFORM 1;
    RETURN 1;
END$$;
