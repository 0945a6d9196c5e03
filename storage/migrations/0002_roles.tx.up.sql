-- What the application's role may do, what nobody may do, and the few things
-- that the application asks the owner to do for it.

-- Rights. Facts are upserted by imports; state is worked on; history is only
-- ever added to. Whatever is not granted here the role cannot do: it owns
-- nothing, so that it can neither alter nor detach nor disarm a table.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO nightshift_app;

GRANT SELECT, INSERT, UPDATE ON
    sellers, buyers, products, orders, deliveries, shipments, activations, appeals, subscriptions
    TO nightshift_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON order_lines TO nightshift_app;

GRANT SELECT, INSERT, UPDATE ON runs, parked TO nightshift_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON shards, due, documents, document_parts TO nightshift_app;

GRANT SELECT, INSERT ON
    decisions, notices, completions, event_keys, rule_versions, corrections, imports
    TO nightshift_app;

-- What happened before: a dry run asks its own copy and the real keys alike.
CREATE VIEW events_seen AS SELECT key FROM event_keys;
GRANT SELECT ON events_seen TO nightshift_app;

-- The same law for everybody else: history does not change, whoever asks.

CREATE FUNCTION keep_history() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: history is only added to', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record what is right as a new row.';
END $$;

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['decisions', 'notices', 'completions', 'event_keys', 'rule_versions', 'corrections', 'imports'] LOOP
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION keep_history()', history);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION keep_history()', history);
    END LOOP;
END $$;

-- Months. A month is made beside the table and then attached, which lets reads
-- and writes of the other months go on.

CREATE FUNCTION ensure_month(history text, day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', day::timestamp)::date;
    month text := format('%s_%s', history, to_char(first::timestamp, 'YYYY_MM'));
BEGIN
    IF history NOT IN ('decisions', 'notices') THEN
        RAISE EXCEPTION 'make a month of %: it is not kept by month', history;
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE relname = month AND relnamespace = 'public'::regnamespace) THEN
        RETURN;
    END IF;
    -- Whoever waited here looks again, in the catalogue itself: to_regclass
    -- could answer from a cache that is older than the wait.
    PERFORM pg_advisory_xact_lock(hashtext('ensure_month'), hashtext(month));
    IF EXISTS (SELECT FROM pg_class WHERE relname = month AND relnamespace = 'public'::regnamespace) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', month, history);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.keep_history()', month);
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   history, month, first, (first + interval '1 month')::date);
END $$;

-- Scratch. A dry run is the same code on empty copies of the tables a run
-- writes; it finds them first under the same names.

CREATE FUNCTION scratch_open(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    copied text;
BEGIN
    IF name !~ '^scratch_[0-9a-z]{1,40}$' THEN
        RAISE EXCEPTION 'open scratch %: not a name of a scratch schema', name;
    END IF;
    EXECUTE format('CREATE SCHEMA %I', name);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO nightshift_app', name);
    FOREACH copied IN ARRAY ARRAY['runs', 'shards', 'due', 'decisions', 'notices', 'event_keys', 'completions', 'parked',
                                  'rule_versions', 'documents', 'document_parts'] LOOP
        EXECUTE format('CREATE UNLOGGED TABLE %I.%I (LIKE public.%I INCLUDING ALL)', name, copied, copied);
    END LOOP;
    EXECUTE format('CREATE VIEW %I.events_seen AS SELECT key FROM %I.event_keys UNION ALL SELECT key FROM public.event_keys', name, name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO nightshift_app', name);
END $$;

CREATE FUNCTION scratch_close(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF name !~ '^scratch_[0-9a-z]{1,40}$' THEN
        RAISE EXCEPTION 'close scratch %: not a name of a scratch schema', name;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', name);
END $$;

REVOKE ALL ON FUNCTION ensure_month(text, date), scratch_open(text), scratch_close(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_month(text, date), scratch_open(text), scratch_close(text) TO nightshift_app;
