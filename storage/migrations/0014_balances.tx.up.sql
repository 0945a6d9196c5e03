-- The names of accounts are kept in the order of their bytes, the codes of buyers
-- are not: unless it says so, the search for a buyer's limit follows the name,
-- finds no index and reads every buyer there is, for each account on credit.
CREATE OR REPLACE FUNCTION credit_limit(of_site text, account text, in_currency text, since timestamptz, upto timestamptz) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH limits AS (
        SELECT '-infinity'::timestamptz AS from_at, b.credit_limit AS amount, b.currency
        FROM public.buyers b
        WHERE b.site = of_site COLLATE "default" AND b.code = replace(replace(split_part(account, ':', 2), '%3A', ':'), '%25', '%') COLLATE "default"
        UNION ALL
        SELECT l.from_at, l.amount, l.currency
        FROM public.credit_limits l JOIN public.buyers b ON b.id = l.buyer_id
        WHERE b.site = of_site COLLATE "default" AND b.code = replace(replace(split_part(account, ':', 2), '%3A', ':'), '%25', '%') COLLATE "default")
    SELECT coalesce(max(amount), 0)
    FROM limits
    WHERE currency = in_currency AND from_at <= upto AND from_at >= (SELECT max(from_at) FROM limits WHERE from_at <= since)
$$;

-- Which accounts were taken past their floor is asked of those below it alone,
-- usually none: not of all that moved, joined with all that was kept.
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
            SELECT site, name, currency, sum(change) AS change,
                   public.account_floor(site, name, currency, min(spent_at), max(spent_at)) AS floor
            FROM moved GROUP BY site, name, currency ORDER BY site, name, currency),
        kept AS (
            INSERT INTO %I.accounts AS a (site, name, currency, balance, floor, lowest)
            SELECT site, name, currency, change, floor, CASE WHEN floor IS NOT NULL THEN least(floor, change) END FROM net
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
