-- What a night gathers of the tables that it filled is a first look, for the plans
-- of those who read right after it: a fifth of the usual sample. Postgres's own
-- housekeeping looks again, and longer.
CREATE OR REPLACE FUNCTION gather_grown() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET default_statistics_target = 20 AS $$
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
