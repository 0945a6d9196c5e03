-- Bills of the month that were made before overdue ones were followed are followed
-- from now on, as those made since: what is not repaid of them stands with their
-- buyers, who are looked at on the last day of the first of them. Repayments pay the
-- oldest purchases first, so that a bill is open while more is owed than was bought
-- after it.
WITH unpaid AS (
    SELECT m.buyer_id, m.at, m.due_at, m.owed
    FROM due d
    JOIN buyers b ON b.id = d.subject
    JOIN accounts o ON o.site = d.site AND o.name = 'buyer:' || replace(replace(b.code, '%', '%25'), ':', '%3A') || ':month_end' AND o.balance < 0
    JOIN month_bills m ON m.buyer_id = b.id AND m.currency = o.currency
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS amount FROM postings p
        WHERE p.from_account = o.name AND p.site = o.site AND p.currency = o.currency AND p.at >= m.at AND p.business_date >= m.at::date - 2) later
    WHERE d.job = 'billing' AND (d.stands IS NULL OR convert_from(d.stands, 'UTF8')::jsonb->'Bills' IS NULL) AND -o.balance > later.amount),
bills AS (
    SELECT buyer_id, min(due_at) AS due_at, jsonb_agg(jsonb_build_object(
        'At', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'DueAt', to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'Owed', trim_scale(owed)::text) ORDER BY at) AS list
    FROM unpaid GROUP BY buyer_id)
UPDATE due d
SET stands = convert_to((coalesce(convert_from(d.stands, 'UTF8')::jsonb, '{}') || jsonb_build_object('Bills', bills.list))::text, 'UTF8'),
    look_at = CASE WHEN EXISTS (SELECT FROM parked p WHERE p.job = d.job AND p.subject = d.subject AND p.requeued_at IS NULL) THEN d.look_at ELSE least(d.look_at, bills.due_at) END
FROM bills
WHERE d.job = 'billing' AND d.subject = bills.buyer_id;
