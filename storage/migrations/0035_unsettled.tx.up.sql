-- What sellers sold and is not settled whole: a month reads this and not a
-- seller's history. It holds all that is open and may hold what is not any more;
-- what is settled is said by event_keys alone. A mark tells whoever takes a row
-- out whether something was noted since it was read.
CREATE SEQUENCE unsettled_marks;
GRANT USAGE ON SEQUENCE unsettled_marks TO nightshift_app;
CREATE TABLE unsettled_orders (
    seller_id bigint NOT NULL,
    order_id  bigint NOT NULL,
    mark      bigint NOT NULL DEFAULT nextval('unsettled_marks'),
    PRIMARY KEY (seller_id, order_id)
);
CREATE TABLE unsettled_deductions (
    seller_id     bigint NOT NULL,
    key           text NOT NULL COLLATE "C",
    business_date date NOT NULL,
    mark          bigint NOT NULL DEFAULT nextval('unsettled_marks'),
    PRIMARY KEY (seller_id, key, business_date)
);
INSERT INTO schema_laws (name, copied) VALUES ('unsettled_orders', true), ('unsettled_deductions', true);
SELECT keep_law('unsettled_orders'), keep_law('unsettled_deductions');
GRANT DELETE ON unsettled_orders, unsettled_deductions TO nightshift_app;

-- Who may have a part of an order: who sells it, its product or one of its lines,
-- and who resold it.
CREATE VIEW order_sellers AS
    SELECT id AS order_id, seller_id FROM orders WHERE seller_id IS NOT NULL
    UNION ALL SELECT o.id, p.seller_id FROM orders o JOIN products p ON p.id = o.product_id WHERE o.seller_id IS NULL AND p.seller_id IS NOT NULL
    UNION ALL SELECT l.order_id, l.seller_id FROM order_lines l WHERE l.seller_id IS NOT NULL
    UNION ALL SELECT l.order_id, p.seller_id FROM order_lines l JOIN products p ON p.id = l.product_id WHERE l.seller_id IS NULL AND p.seller_id IS NOT NULL
    UNION ALL SELECT id, partner_id FROM orders WHERE partner_id IS NOT NULL;
GRANT SELECT ON order_sellers TO nightshift_app;

INSERT INTO unsettled_orders (seller_id, order_id) SELECT DISTINCT seller_id, order_id FROM order_sellers;
INSERT INTO unsettled_deductions (seller_id, key, business_date) SELECT seller_id, key, business_date FROM deductions WHERE kind <> 'order' AND seller_id IS NOT NULL;

-- Whatever is reported of an order opens it, and so does what a run finds out of
-- it once it may be settled: that something is given back.
CREATE FUNCTION note_unsettled() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'orders' THEN
        INSERT INTO public.unsettled_orders (seller_id, order_id)
            SELECT coalesce(a.seller_id, p.seller_id), a.id FROM added a LEFT JOIN public.products p ON a.seller_id IS NULL AND p.id = a.product_id
            WHERE coalesce(a.seller_id, p.seller_id) IS NOT NULL
            UNION SELECT partner_id, id FROM added WHERE partner_id IS NOT NULL
            ON CONFLICT (seller_id, order_id) DO UPDATE SET mark = excluded.mark;
        IF TG_OP = 'UPDATE' THEN
            INSERT INTO public.unsettled_orders (seller_id, order_id)
                SELECT DISTINCT s.seller_id, s.order_id FROM public.order_sellers s JOIN public.order_lines l ON l.order_id = s.order_id JOIN added a ON a.id = l.order_id
                ON CONFLICT (seller_id, order_id) DO UPDATE SET mark = excluded.mark;
        END IF;
    WHEN 'deductions' THEN
        INSERT INTO public.unsettled_deductions (seller_id, key, business_date)
            SELECT seller_id, key, business_date FROM added WHERE kind <> 'order' AND seller_id IS NOT NULL;
    WHEN 'unsubscription_results' THEN
        INSERT INTO public.unsettled_deductions (seller_id, key, business_date)
            SELECT d.seller_id, d.key, d.business_date FROM added a JOIN public.deductions d ON d.key = a.paid_by
            WHERE d.kind <> 'order' AND d.seller_id IS NOT NULL
            ON CONFLICT (seller_id, key, business_date) DO UPDATE SET mark = excluded.mark;
    ELSE -- lines of orders, and what was given back of them
        INSERT INTO public.unsettled_orders (seller_id, order_id)
            SELECT DISTINCT s.seller_id, s.order_id FROM public.order_sellers s JOIN added a ON a.order_id = s.order_id
            ON CONFLICT (seller_id, order_id) DO UPDATE SET mark = excluded.mark;
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER note_unsettled AFTER INSERT ON orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled_again AFTER UPDATE ON orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled AFTER INSERT ON order_lines REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled_again AFTER UPDATE ON order_lines REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled AFTER INSERT ON refunds REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled_again AFTER UPDATE ON refunds REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled AFTER INSERT ON refund_results REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled AFTER INSERT ON deductions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();
CREATE TRIGGER note_unsettled AFTER INSERT ON unsubscription_results REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled();

-- A product that goes to another seller takes its orders along.
CREATE FUNCTION note_sold() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.unsettled_orders (seller_id, order_id)
        SELECT NEW.seller_id, id FROM public.orders WHERE product_id = NEW.id AND seller_id IS NULL
        UNION SELECT NEW.seller_id, order_id FROM public.order_lines WHERE product_id = NEW.id AND seller_id IS NULL
        ON CONFLICT (seller_id, order_id) DO UPDATE SET mark = excluded.mark;
    RETURN NULL;
END $$;
CREATE TRIGGER note_sold AFTER UPDATE OF seller_id ON products FOR EACH ROW
    WHEN (NEW.seller_id IS NOT NULL AND NEW.seller_id IS DISTINCT FROM OLD.seller_id) EXECUTE FUNCTION note_sold();
REVOKE EXECUTE ON FUNCTION note_unsettled(), note_sold() FROM PUBLIC;

-- What of the settled counts for the tiers, by product, class and calendar month.
-- A statement adds its own lines ('more') or all that was settled up to it ('all').
CREATE TABLE counted_months (
    site          text NOT NULL,
    seller_id     bigint NOT NULL,
    period        int NOT NULL,
    version       int NOT NULL,
    product       text NOT NULL,   -- by code; empty of what has none
    product_class text NOT NULL,
    month         int NOT NULL,
    amount        numeric(38,12) NOT NULL,
    PRIMARY KEY (seller_id, period, version, product, product_class, month)
);
INSERT INTO schema_laws (name, append, copied) VALUES ('counted_months', true, true);
SELECT keep_law('counted_months');
ALTER TABLE statements ADD COLUMN counts text CHECK (counts IN ('all', 'more'));
CREATE OR REPLACE VIEW statements_seen AS SELECT * FROM statements;
