-- Statistics. After many rows came at once Postgres plans for the table as it
-- was, until its own housekeeping comes by. Imports and the nights right after
-- them ask for fresh statistics; only the owner may gather them.

CREATE FUNCTION gather_statistics(facts text, touched bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known real := (SELECT c.reltuples FROM pg_class c WHERE c.oid = to_regclass(format('public.%I', facts)));
BEGIN
    IF facts NOT IN ('sellers', 'buyers', 'products', 'orders', 'order_lines', 'deliveries', 'shipments', 'activations',
                     'appeals', 'subscriptions', 'due') THEN
        RAISE EXCEPTION 'gather statistics of %: it is not filled by imports', facts;
    END IF;
    -- Never gathered, or more than a tenth of the rows are new: what was gathered no longer holds.
    IF touched > 0 AND (known <= 0 OR touched > known / 10) THEN
        EXECUTE format('ANALYZE public.%I', facts);
    END IF;
END $$;

REVOKE EXECUTE ON FUNCTION gather_statistics(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gather_statistics(text, bigint) TO nightshift_app;
