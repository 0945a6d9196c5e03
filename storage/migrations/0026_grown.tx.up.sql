-- Statistics after a night. A month's history is empty until its first night, and
-- Postgres plans for it as such until its own housekeeping comes by: what reads the
-- night right after it would take minutes. How much a table grew is asked of its
-- file, since what was counted arrives late.

CREATE FUNCTION gather_grown() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    grown regclass;
BEGIN
    FOR grown IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND pg_relation_size(c.oid) > (c.relpages * 1.1 + 64) * current_setting('block_size')::bigint
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown); -- qualified, since the path is not ours
    END LOOP;
END $$;

REVOKE EXECUTE ON FUNCTION gather_grown() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gather_grown() TO nightshift_app;
