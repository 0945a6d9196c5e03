-- Old history leaves for files. A month of it is written to a file; the database
-- lets go of what nobody stands on only for somebody who tells it the digest of
-- that file, and only where it comes to the same digest itself. What left comes
-- back the same way. The books stay: balances are the sums of their postings.

ALTER TABLE schema_laws ADD leaves boolean NOT NULL DEFAULT false; -- old months of it may leave
UPDATE schema_laws SET leaves = true WHERE name IN ('decisions', 'notices', 'shadow_differences');

-- Who took what out, and who brought it back. Each act seals the one before it.
CREATE TABLE archive_acts (
    no        bigint PRIMARY KEY CHECK (no > 0),
    history   text NOT NULL,
    month     date NOT NULL CHECK (month = date_trunc('month', month::timestamp)::date),
    act       text NOT NULL CHECK (act IN ('left', 'returned')),
    lines     bigint NOT NULL CHECK (lines >= 0),  -- of the whole month
    stayed    bigint NOT NULL CHECK (stayed >= 0), -- rows that something stands on
    digest    bytea NOT NULL CHECK (length(digest) = 32),
    sha256    bytea NOT NULL CHECK (length(sha256) = 32), -- over this act and the one before it
    actor     text NOT NULL CHECK (actor <> ''),
    signed_by text NOT NULL DEFAULT session_user,
    at        timestamptz NOT NULL DEFAULT now(),
    CHECK (stayed <= lines)
);
INSERT INTO schema_laws (name, append) VALUES ('archive_acts', true);
SELECT keep_law('archive_acts');
REVOKE INSERT ON archive_acts FROM nightshift_app; -- the functions below write it, for everybody

-- month_lines is a month of a history as it is archived: a row a line, as JSON, in
-- the order of their bytes.
CREATE FUNCTION month_lines(history text, day date) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first date := date_trunc('month', day::timestamp)::date;
BEGIN
    IF NOT EXISTS (SELECT FROM public.schema_laws l WHERE l.name = history AND l.append) THEN
        RAISE EXCEPTION 'read a month of %: it is no history', history;
    END IF;
    RETURN QUERY EXECUTE format('
        SELECT row_to_json(h)::text FROM public.%I h WHERE h.business_date >= $1 AND h.business_date < $2 ORDER BY row_to_json(h)::text COLLATE "C"', history)
        USING first, (first + interval '1 month')::date;
END $$;

-- month_digest is what an archive of the month comes to: SHA-256, line by line,
-- each over the digest before it and that of the line.
CREATE FUNCTION month_digest(history text, day date, OUT lines bigint, OUT digest bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line text;
BEGIN
    lines := 0;
    digest := decode(repeat('00', 32), 'hex');
    FOR line IN SELECT public.month_lines(history, day) LOOP
        lines := lines + 1;
        digest := sha256(digest || sha256(convert_to(line, 'UTF8')));
    END LOOP;
END $$;

-- act_on_month notes an act in the chain of acts.
CREATE FUNCTION act_on_month(of_history text, day date, what text, count bigint, remained bigint, sum bytea, who text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before public.archive_acts;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('archive_acts'));
    SELECT * INTO before FROM public.archive_acts ORDER BY no DESC LIMIT 1;
    INSERT INTO public.archive_acts (no, history, month, act, lines, stayed, digest, sha256, actor)
    VALUES (coalesce(before.no, 0) + 1, of_history, day, what, count, remained, sum,
            sha256(coalesce(before.sha256, decode(repeat('00', 32), 'hex')) || convert_to(concat_ws('/', of_history, day::text, what, count, remained), 'UTF8') || sum), who);
END $$;

-- archive_month lets go of a month whose archive has the digest that is given. What
-- stands stays: of decisions the newest of each subject, unless its supervision
-- has ended. It answers how many rows stayed.
CREATE FUNCTION archive_month(history text, day date, given bytea, who text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    first date := date_trunc('month', day::timestamp)::date;
    month text := format('%s_%s', history, to_char(first::timestamp, 'YYYY_MM'));
    gone text := month || '_left';
    is_now record;
    remained bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM public.schema_laws l WHERE l.name = history AND l.leaves) THEN
        RAISE EXCEPTION 'archive a month of %: it does not leave the database', history USING ERRCODE = 'restrict_violation';
    END IF;
    IF first + interval '4 months' > now() THEN
        RAISE EXCEPTION 'archive % of %: three months have not passed since its end', to_char(first::timestamp, 'YYYY-MM'), history USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM public.runs r WHERE r.business_date >= first AND r.business_date < first + interval '1 month' AND r.state <> 'completed') THEN
        RAISE EXCEPTION 'archive % of %: a run of it is not completed', to_char(first::timestamp, 'YYYY-MM'), history USING ERRCODE = 'restrict_violation';
    END IF;
    IF to_regclass(format('public.%I', month)) IS NULL THEN
        RAISE EXCEPTION 'archive % of %: there is no such month', to_char(first::timestamp, 'YYYY-MM'), history USING ERRCODE = 'restrict_violation';
    END IF;
    EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', month);
    SELECT * INTO is_now FROM public.month_digest(history, first);
    IF given IS NULL OR is_now.digest <> given THEN
        RAISE EXCEPTION 'archive % of %: the archive is not what the database holds', to_char(first::timestamp, 'YYYY-MM'), history
            USING ERRCODE = 'restrict_violation', DETAIL = format('The database comes to %s lines and %s.', is_now.lines, encode(is_now.digest, 'hex'));
    END IF;
    EXECUTE format('CREATE TEMP TABLE stays ON COMMIT DROP AS SELECT h.* FROM public.%I h WHERE %s', month, CASE history WHEN 'decisions' THEN '
        NOT EXISTS (SELECT FROM public.decisions l WHERE l.subject = h.subject AND l.ruleset = h.ruleset AND (l.business_date, l.no) > (h.business_date, h.no))
        AND NOT (h.ruleset IN (''acceptance'', ''reminders'') AND EXISTS (
            SELECT FROM public.completions c WHERE c.order_id = h.subject AND NOT EXISTS (SELECT FROM public.reversals r WHERE (r.order_id, r.no) = (c.order_id, c.no))))'
        ELSE 'false' END);
    EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', history, month);
    EXECUTE format('ALTER TABLE public.%I RENAME TO %I', month, gone);
    PERFORM public.ensure_month(history, first);
    EXECUTE format('INSERT INTO public.%I SELECT * FROM pg_temp.stays', history);
    GET DIAGNOSTICS remained = ROW_COUNT;
    DROP TABLE pg_temp.stays;
    EXECUTE format('DROP TABLE public.%I', gone);
    PERFORM public.act_on_month(history, first, 'left', is_now.lines, remained, is_now.digest, who);
    RETURN remained;
END $$;

-- return_month notes that a month is whole again, where it is what had left.
CREATE FUNCTION return_month(of_history text, day date, who text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', day::timestamp)::date;
    newest public.archive_acts;
    is_now record;
BEGIN
    SELECT * INTO newest FROM public.archive_acts a WHERE a.history = of_history AND a.month = first ORDER BY no DESC LIMIT 1;
    IF newest.act IS DISTINCT FROM 'left' THEN
        RAISE EXCEPTION 'bring back % of %: it has not left', to_char(first::timestamp, 'YYYY-MM'), of_history USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT * INTO is_now FROM public.month_digest(of_history, first);
    IF is_now.digest <> newest.digest THEN
        RAISE EXCEPTION 'bring back % of %: it is not what had left', to_char(first::timestamp, 'YYYY-MM'), of_history
            USING ERRCODE = 'restrict_violation', DETAIL = format('%s lines had left, %s are there.', newest.lines, is_now.lines);
    END IF;
    PERFORM public.act_on_month(of_history, first, 'returned', is_now.lines, is_now.lines, is_now.digest, who);
END $$;

REVOKE ALL ON FUNCTION month_lines(text, date), month_digest(text, date), act_on_month(text, date, text, bigint, bigint, bytea, text),
    archive_month(text, date, bytea, text), return_month(text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION month_lines(text, date), month_digest(text, date), archive_month(text, date, bytea, text), return_month(text, date, text) TO nightshift_app;
