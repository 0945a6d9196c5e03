-- Billing: what a buyer can pay with, what was deducted, and from what.

-- What must be known of each table is kept as rows from here on, so that a later
-- table is one row more and no function is written anew.
CREATE TABLE schema_laws (
    name     name PRIMARY KEY,
    by_month boolean NOT NULL DEFAULT false, -- kept by month of its business date
    append   boolean NOT NULL DEFAULT false, -- history: rows are only ever added
    copied   boolean NOT NULL DEFAULT false, -- a dry run writes a copy of its own
    gathered boolean NOT NULL DEFAULT false  -- filled in bulk: statistics are gathered at once
);
INSERT INTO schema_laws (name, by_month, append, copied, gathered) VALUES
    ('sellers', false, false, false, true), ('buyers', false, false, false, true), ('products', false, false, false, true),
    ('orders', false, false, false, true), ('order_lines', false, false, false, true), ('deliveries', false, false, false, true),
    ('shipments', false, false, false, true), ('activations', false, false, false, true), ('appeals', false, false, false, true),
    ('subscriptions', false, false, false, true), ('corrections', false, true, false, false), ('imports', false, true, false, false),
    ('runs', false, false, true, false), ('shards', false, false, true, false), ('due', false, false, true, true),
    ('decisions', true, true, true, false), ('notices', true, true, true, false), ('event_keys', false, true, true, false),
    ('completions', false, true, true, false), ('rule_versions', false, true, true, false), ('parked', false, false, true, false),
    ('documents', false, false, true, false), ('document_parts', false, false, true, false);

-- keep_law makes a new table's law hold: call it after its row is in schema_laws.
CREATE FUNCTION keep_law(kept name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    law public.schema_laws;
BEGIN
    SELECT * INTO STRICT law FROM public.schema_laws WHERE name = kept;
    IF law.append THEN
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON public.%I FOR EACH ROW EXECUTE FUNCTION public.keep_history()', kept);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.keep_history()', kept);
        EXECUTE format('GRANT SELECT, INSERT ON public.%I TO nightshift_app', kept);
    ELSE
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON public.%I TO nightshift_app', kept);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION keep_law(name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION ensure_month(history text, day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', day::timestamp)::date;
    month text := format('%s_%s', history, to_char(first::timestamp, 'YYYY_MM'));
BEGIN
    IF NOT EXISTS (SELECT FROM public.schema_laws l WHERE l.name = history AND l.by_month) THEN
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

-- ensure_months makes the month of every history that is kept by month.
CREATE FUNCTION ensure_months(day date) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.ensure_month(name::text, day) FROM public.schema_laws WHERE by_month ORDER BY name
$$;

CREATE OR REPLACE FUNCTION scratch_open(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    copy record;
BEGIN
    IF name !~ '^scratch_[0-9a-z]{1,40}$' THEN
        RAISE EXCEPTION 'open scratch %: not a name of a scratch schema', name;
    END IF;
    EXECUTE format('CREATE SCHEMA %I', name);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO nightshift_app', name);
    FOR copy IN SELECT l.name FROM public.schema_laws l WHERE l.copied ORDER BY l.name LOOP
        EXECUTE format('CREATE UNLOGGED TABLE %I.%I (LIKE public.%I INCLUDING ALL)', name, copy.name, copy.name);
    END LOOP;
    EXECUTE format('CREATE VIEW %I.events_seen AS SELECT key FROM %I.event_keys UNION ALL SELECT key FROM public.event_keys', name, name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO nightshift_app', name);
END $$;

CREATE OR REPLACE FUNCTION gather_statistics(facts text, touched bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known real := (SELECT c.reltuples FROM pg_class c WHERE c.oid = to_regclass(format('public.%I', facts)));
BEGIN
    IF NOT EXISTS (SELECT FROM public.schema_laws l WHERE l.name = facts AND l.gathered) THEN
        RAISE EXCEPTION 'gather statistics of %: it is not filled by imports', facts;
    END IF;
    -- Never gathered, or more than a tenth of the rows are new: what was gathered no longer holds.
    IF touched > 0 AND (known <= 0 OR touched > known / 10) THEN
        EXECUTE format('ANALYZE public.%I', facts);
    END IF;
END $$;

REVOKE ALL ON FUNCTION ensure_months(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_months(date) TO nightshift_app;
GRANT SELECT ON schema_laws TO nightshift_app;

-- How an order is to be paid, and whether its product may be bought on credit.
ALTER TABLE products ADD credit_allowed boolean NOT NULL DEFAULT true;
ALTER TABLE orders
    ADD auto_pay boolean NOT NULL DEFAULT false, -- paid by itself when it is placed
    ADD pay_at   timestamptz,                    -- when the buyer asked to pay it by hand
    ADD pay_with text;                           -- the instruments the buyer named, by code
CREATE INDEX orders_unpaid ON orders (buyer_id) WHERE paid_at IS NULL AND cancelled_at IS NULL;

-- What a buyer was given to pay with, or to pay less. It is given once: what is
-- left of it is in the books.
CREATE TABLE instruments (
    id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    site          text NOT NULL CHECK (site ~ '^[a-z][a-z0-9_-]{0,15}$'),
    code          text NOT NULL CHECK (code <> ''),
    buyer_id      bigint NOT NULL REFERENCES buyers,
    kind          text NOT NULL CHECK (kind IN ('discount', 'voucher', 'coupon', 'card')),
    seller_id     bigint REFERENCES sellers,      -- who gave it; empty for the platform
    borne_by      text NOT NULL DEFAULT 'platform' CHECK (borne_by IN ('platform', 'seller')),
    amount        numeric(38,12) CHECK (amount >= 0),
    currency      text CHECK (currency ~ '^[A-Z]{3}$'),
    rate          numeric(38,12) CHECK (rate >= 0 AND rate <= 1),
    discount_kind text CHECK (discount_kind IN ('commercial', 'promotional', 'coupon')),
    granted_at    timestamptz NOT NULL,
    valid_from    timestamptz,
    valid_until   timestamptz,
    restricted    boolean NOT NULL DEFAULT false,
    min_spend     numeric(38,12) CHECK (min_spend >= 0),
    products      text,
    charge_modes  text,
    order_types   text,
    not_with      text,
    UNIQUE (site, code),
    CHECK ((kind = 'discount') = (rate IS NOT NULL)),
    CHECK ((kind = 'discount') = (discount_kind IS NOT NULL)),
    CHECK ((kind = 'discount') = (amount IS NULL)),
    CHECK (valid_until >= valid_from),
    CHECK (borne_by = 'platform' OR seller_id IS NOT NULL),
    CHECK (amount IS NULL OR currency IS NOT NULL)
);
CREATE INDEX instruments_buyer ON instruments (buyer_id);

-- What was charged for one event of the trade: price = what the discount took
-- off + what is due + what rounding dropped.
CREATE TABLE deductions (
    key           text NOT NULL,
    business_date date NOT NULL,
    site          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('order', 'renewal', 'usage', 'charge', 'repurchase')),
    subject       bigint NOT NULL,               -- the order, the instance, the charge
    buyer_id      bigint NOT NULL,
    seller_id     bigint,
    product_id    bigint,
    item          text,
    used_from     timestamptz,
    used_until    timestamptz,
    at            timestamptz NOT NULL,
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price         numeric(38,12) NOT NULL,
    discount      text,
    discounted    numeric(38,12) NOT NULL,       -- taken off by the discount
    due           numeric(38,12) NOT NULL,
    dropped       numeric(38,12) NOT NULL,
    refused       jsonb,                         -- the instruments that were not used, and why
    run_id        bigint,
    PRIMARY KEY (key, business_date),
    CHECK (price = discounted + due + dropped)
) PARTITION BY RANGE (business_date);
CREATE INDEX deductions_date ON deductions USING brin (business_date) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX deductions_buyer ON deductions (buyer_id, business_date);

-- Which sources paid it, in their order. They add up to what is due.
CREATE TABLE deduction_sources (
    key           text NOT NULL,
    no            int NOT NULL,
    business_date date NOT NULL,
    instrument    text NOT NULL,
    kind          text NOT NULL,
    account       text NOT NULL,
    amount        numeric(38,12) NOT NULL CHECK (amount > 0),
    rule          text NOT NULL,
    PRIMARY KEY (key, no, business_date)
) PARTITION BY RANGE (business_date);
CREATE INDEX deduction_sources_date ON deduction_sources USING brin (business_date) WITH (pages_per_range = 32, autosummarize = on);

-- What became of an order that the marketplace reported as unpaid.
CREATE TABLE order_ends (
    order_id      bigint PRIMARY KEY,
    outcome       text NOT NULL CHECK (outcome IN ('paid', 'cancelled')),
    at            timestamptz NOT NULL,
    run_id        bigint,
    business_date date NOT NULL
);

INSERT INTO schema_laws (name, by_month, append, copied, gathered) VALUES
    ('instruments', false, false, false, true),
    ('deductions', true, true, true, false), ('deduction_sources', true, true, true, false),
    ('order_ends', false, true, true, false);
SELECT keep_law('instruments'), keep_law('deductions'), keep_law('deduction_sources'), keep_law('order_ends');

-- What a job's subjects are called, and when there is first something to decide.
CREATE VIEW subjects AS
    SELECT 'acceptance' AS job, id AS subject, site, code, placed_at AS begins FROM orders
    UNION ALL
    SELECT 'billing', id, site, code, '-infinity'::timestamptz FROM buyers;
GRANT SELECT ON subjects TO nightshift_app;
