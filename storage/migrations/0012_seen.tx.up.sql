-- A dry run of billing sees what was decided, paid and given back before it
-- beside what it writes itself.
UPDATE schema_laws SET seen = true WHERE name IN ('decisions', 'completions', 'order_ends', 'deductions', 'deduction_sources');
DO $$
DECLARE
    shown text;
BEGIN
    FOREACH shown IN ARRAY ARRAY['decisions', 'completions', 'order_ends', 'deductions', 'deduction_sources'] LOOP
        EXECUTE format('CREATE VIEW %I AS SELECT * FROM %I', shown || '_seen', shown);
        EXECUTE format('GRANT SELECT ON %I TO nightshift_app', shown || '_seen');
    END LOOP;
END $$;
