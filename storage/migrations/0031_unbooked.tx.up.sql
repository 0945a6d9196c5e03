-- What was reported about a buyer and is not booked or decided yet. A night reads
-- this and not the buyer's whole history; it holds all that is open and may hold
-- what is not any more: whether a fact is booked is said by event_keys,
-- order_ends and refund_results alone.
CREATE TABLE unbooked (
    buyer_id bigint NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('money', 'instrument', 'charge', 'order', 'refund', 'completion')),
    fact     bigint NOT NULL,       -- the id of the fact; of a completion, its order's
    at       timestamptz NOT NULL,  -- the first instant that it is about
    PRIMARY KEY (buyer_id, kind, fact)
);
INSERT INTO schema_laws (name, copied, gathered, seen) VALUES ('unbooked', true, false, true);
SELECT keep_law('unbooked');
GRANT DELETE ON unbooked TO nightshift_app;
CREATE VIEW unbooked_seen AS SELECT * FROM unbooked;
GRANT SELECT ON unbooked_seen TO nightshift_app;

INSERT INTO unbooked
    SELECT buyer_id, 'money', id, at FROM money m
    WHERE NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'money/' || m.site || '/' || m.code)
    UNION ALL
    SELECT buyer_id, 'instrument', id, granted_at FROM instruments i
    WHERE i.kind <> 'discount' AND NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'issue/' || i.site || '/' || i.code)
    UNION ALL
    SELECT buyer_id, 'charge', id, at FROM charges c
    WHERE NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'charge/' || c.site || '/' || c.code)
    UNION ALL
    SELECT buyer_id, 'order', id, placed_at FROM orders o
    WHERE o.paid_at IS NULL AND o.cancelled_at IS NULL AND NOT EXISTS (SELECT FROM order_ends e WHERE e.order_id = o.id)
    UNION ALL
    SELECT o.buyer_id, 'refund', r.id, r.requested_at FROM refunds r JOIN orders o ON o.id = r.order_id
    WHERE r.refunded_at IS NULL AND NOT EXISTS (SELECT FROM refund_results b WHERE b.refund_id = r.id)
    UNION ALL
    SELECT o.buyer_id, 'completion', o.id, c.completed_at FROM completions c JOIN orders o ON o.id = c.order_id
    WHERE c.outcome = 'refund' AND o.paid_at IS NULL AND NOT EXISTS (SELECT FROM refund_results b WHERE b.refund_id = -o.id)
    ON CONFLICT DO NOTHING;

-- Facts that are added are open. What is added in one statement is noted in one.
CREATE FUNCTION note_unbooked() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'money' THEN INSERT INTO public.unbooked SELECT buyer_id, 'money', id, at FROM added;
    WHEN 'instruments' THEN INSERT INTO public.unbooked SELECT buyer_id, 'instrument', id, granted_at FROM added WHERE kind <> 'discount';
    WHEN 'charges' THEN INSERT INTO public.unbooked SELECT buyer_id, 'charge', id, at FROM added;
    WHEN 'orders' THEN INSERT INTO public.unbooked SELECT buyer_id, 'order', id, placed_at FROM added WHERE paid_at IS NULL AND cancelled_at IS NULL;
    WHEN 'refunds' THEN
        INSERT INTO public.unbooked SELECT o.buyer_id, 'refund', r.id, r.requested_at
        FROM added r JOIN public.orders o ON o.id = r.order_id WHERE r.refunded_at IS NULL;
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER note_unbooked AFTER INSERT ON money REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unbooked();
CREATE TRIGGER note_unbooked AFTER INSERT ON instruments REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unbooked();
CREATE TRIGGER note_unbooked AFTER INSERT ON charges REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unbooked();
CREATE TRIGGER note_unbooked AFTER INSERT ON orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unbooked();
CREATE TRIGGER note_unbooked AFTER INSERT ON refunds REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unbooked();

-- Orders and refunds are reported again: paid or given back elsewhere, or, rarely,
-- open again, or somebody else's.
CREATE FUNCTION note_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.unbooked WHERE buyer_id = OLD.buyer_id AND kind = 'order' AND fact = OLD.id;
    IF NEW.paid_at IS NULL AND NEW.cancelled_at IS NULL THEN
        INSERT INTO public.unbooked VALUES (NEW.buyer_id, 'order', NEW.id, NEW.placed_at) ON CONFLICT DO NOTHING;
    END IF;
    IF OLD.buyer_id <> NEW.buyer_id THEN
        UPDATE public.unbooked SET buyer_id = NEW.buyer_id
        WHERE buyer_id = OLD.buyer_id AND (kind = 'refund' AND fact IN (SELECT id FROM public.refunds WHERE order_id = NEW.id) OR kind = 'completion' AND fact = NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_order AFTER UPDATE OF paid_at, cancelled_at, buyer_id, placed_at ON orders FOR EACH ROW
    WHEN ((OLD.paid_at IS NULL AND OLD.cancelled_at IS NULL, OLD.buyer_id, OLD.placed_at) IS DISTINCT FROM (NEW.paid_at IS NULL AND NEW.cancelled_at IS NULL, NEW.buyer_id, NEW.placed_at))
    EXECUTE FUNCTION note_order();

CREATE FUNCTION note_refund() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.unbooked WHERE buyer_id = (SELECT buyer_id FROM public.orders WHERE id = OLD.order_id) AND kind = 'refund' AND fact = OLD.id;
    INSERT INTO public.unbooked SELECT buyer_id, 'refund', NEW.id, NEW.requested_at FROM public.orders
        WHERE id = NEW.order_id AND NEW.refunded_at IS NULL AND NOT EXISTS (SELECT FROM public.refund_results WHERE refund_id = NEW.id)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER note_refund AFTER UPDATE OF order_id, refunded_at, requested_at ON refunds FOR EACH ROW
    WHEN ((OLD.order_id, OLD.refunded_at IS NULL, OLD.requested_at) IS DISTINCT FROM (NEW.order_id, NEW.refunded_at IS NULL, NEW.requested_at))
    EXECUTE FUNCTION note_refund();
REVOKE EXECUTE ON FUNCTION note_unbooked(), note_order(), note_refund() FROM PUBLIC;

-- Instruments and packages that are over are found no more. A package that stops
-- its instance counts for as long as the instance.
DROP INDEX instruments_buyer;
CREATE INDEX instruments_buyer ON instruments (buyer_id, coalesce(valid_until, 'infinity'));
DROP INDEX packs_buyer;
CREATE INDEX packs_buyer ON packs (buyer_id, (CASE WHEN stop_when_used_up THEN 'infinity' ELSE valid_until END));
DROP INDEX packs_bought_buyer;
CREATE INDEX packs_bought_buyer ON packs_bought (buyer_id, (CASE WHEN stop_when_used_up THEN 'infinity' ELSE valid_until END));
-- Orders that are not paid are found by what is open.
DROP INDEX orders_unpaid;
