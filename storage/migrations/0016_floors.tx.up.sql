-- Where a limited account ends is asked of all accounts of a statement at once:
-- a call for each of them was a third of what it costs to move balances. The
-- words of accounts that have a floor are those of rules/market/account.go.
CREATE OR REPLACE FUNCTION keep_balances() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    passed record;
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        PERFORM public.borrow_balances(TG_TABLE_SCHEMA, site, array_agg(name))
        FROM (SELECT site, from_account AS name FROM added UNION SELECT site, to_account FROM added) AS touched
        GROUP BY site;
    END IF;
    EXECUTE format($q$
        WITH moved AS (
            SELECT site, from_account AS name, currency, -amount AS change, at AS spent_at
            FROM added WHERE from_account >= 'buyer:' AND from_account < 'buyer;'
            UNION ALL
            SELECT site, to_account, currency, amount, NULL
            FROM added WHERE to_account >= 'buyer:' AND to_account < 'buyer;'),
        net AS (
            SELECT site, name, currency, sum(change) AS change, min(spent_at) AS since, max(spent_at) AS upto
            FROM moved GROUP BY site, name, currency),
        ends AS (
            SELECT n.site, n.name, n.currency, n.change,
                CASE split_part(n.name, ':', 3)
                WHEN 'cash' THEN 0 WHEN 'held' THEN 0 WHEN 'voucher' THEN 0 WHEN 'coupon' THEN 0 WHEN 'card' THEN 0
                WHEN 'credit' THEN CASE WHEN n.since IS NOT NULL THEN -( -- the largest limit that held at some instant of the span
                    WITH buyer AS (
                        SELECT b.id, b.credit_limit, b.currency FROM public.buyers b
                        WHERE b.site = n.site COLLATE "default" AND b.code = replace(replace(split_part(n.name, ':', 2), '%%3A', ':'), '%%25', '%%') COLLATE "default"),
                    limits AS (
                        SELECT '-infinity'::timestamptz AS from_at, credit_limit AS amount, currency FROM buyer
                        UNION ALL
                        SELECT l.from_at, l.amount, l.currency FROM public.credit_limits l JOIN buyer ON buyer.id = l.buyer_id)
                    SELECT coalesce(max(amount), 0) FROM limits
                    WHERE currency = n.currency AND from_at <= n.upto AND from_at >= (SELECT max(from_at) FROM limits WHERE from_at <= n.since))
                END END AS floor
            FROM net n),
        kept AS (
            INSERT INTO %I.accounts AS a (site, name, currency, balance, floor, lowest)
            SELECT site, name, currency, change, floor, CASE WHEN floor IS NOT NULL THEN least(floor, change) END FROM ends
            ORDER BY site, name, currency
            ON CONFLICT (site, name, currency) DO UPDATE
            SET balance = a.balance + excluded.balance,
                floor = coalesce(excluded.floor, a.floor),
                lowest = CASE WHEN coalesce(excluded.floor, a.floor) IS NOT NULL
                    THEN least(coalesce(excluded.floor, a.floor), a.balance + excluded.balance) END
            RETURNING a.site, a.name, a.currency, a.balance, a.floor),
        below AS MATERIALIZED (SELECT * FROM kept WHERE balance < floor)
        SELECT below.name, below.currency, below.balance, below.floor, net.change
        FROM below JOIN net USING (site, name, currency)
        WHERE net.change < 0
        ORDER BY below.name, below.currency LIMIT 1$q$, TG_TABLE_SCHEMA) INTO passed;
    IF passed.name IS NOT NULL THEN
        RAISE EXCEPTION 'account over its limit: % by % %', passed.name, trim_scale(passed.floor - passed.balance), passed.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_floor', TABLE = 'accounts',
                  DETAIL = format('%s %s %s %s', passed.currency, passed.balance - passed.change, passed.floor, passed.name);
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION account_floor(text, text, text, timestamptz, timestamptz);
DROP FUNCTION credit_limit(text, text, text, timestamptz, timestamptz);

-- Refunds of a night are found by its date.
CREATE INDEX refund_results_date ON refund_results USING brin (business_date) WITH (pages_per_range = 32, autosummarize = on);
