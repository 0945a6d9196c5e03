-- One night of the acceptance job in SQL: 2024-03-15 of site cn, as of 02:00 in
-- Shanghai, in one session and one transaction. It writes what the engine
-- writes. It may be simpler than the engine where the marketplace of the
-- benchmark is: an order has at most one appeal and one activation, instants are
-- whole seconds, nothing was recorded after the end of a supervision, and only
-- an appeal that is open now was ever too old.

BEGIN;

SET LOCAL work_mem = '256MB';
SET LOCAL temp_buffers = '256MB';

-- The rules in the order of their files, with what stands after each of them.
CREATE TEMP TABLE rule (ruleset text, no int, outcome text, rule text, carried jsonb, stands bytea) ON COMMIT DROP;

INSERT INTO rule VALUES
    ('acceptance',  1, 'unsupervised', 'cancelled',                           NULL, NULL),
    ('acceptance',  2, 'unsupervised', 'renewal',                             NULL, NULL),
    ('acceptance',  3, 'unsupervised', 'usable at once',                      NULL, NULL),
    ('acceptance',  4, 'wait',         'not paid',                            '{"waits_for": "buyer"}',    '\x2df3c9df37c871ac'),
    ('acceptance',  5, 'accept',       'platform accepted',                   NULL, NULL),
    ('acceptance',  6, 'refund',       'platform refunded',                   NULL, NULL),
    ('acceptance',  7, 'hold',         'under appeal',                        '{"waits_for": "platform"}', '\x51bb3a4391c841dc'),
    ('acceptance',  8, 'accept',       'buyer accepted',                      NULL, NULL),
    ('acceptance',  9, 'wait',         'sent back',                           '{"waits_for": "seller"}',   '\xa3b1c14d839d2038'),
    ('acceptance', 10, 'accept',       'silence after the signature',         NULL, NULL),
    ('acceptance', 11, 'accept',       'code activated and proven',           NULL, NULL),
    ('acceptance', 12, 'accept',       'code activated, proven and reviewed', NULL, NULL),
    ('acceptance', 13, 'wait',         'not shipped',                         '{"waits_for": "seller"}',   '\x770ae3d6daf6302b'),
    ('acceptance', 14, 'wait',         'phone mismatch',                      '{"waits_for": "buyer"}',    '\x6a58c6428dbd137b'),
    ('acceptance', 15, 'wait',         'no signature',                        '{"waits_for": "courier"}',  '\x8ade0ee18335ebc8'),
    ('acceptance', 16, 'wait',         'code not collected',                  '{"waits_for": "buyer"}',    '\xd238c36bdeaa7f96'),
    ('acceptance', 17, 'wait',         'code not activated',                  '{"waits_for": "seller"}',   '\x8d62d487baacce0e'),
    ('acceptance', 18, 'wait',         'proof missing',                       '{"waits_for": "seller"}',   '\x91ad6c1513b1691f'),
    ('acceptance', 19, 'wait',         'not reviewed',                        '{"waits_for": "platform"}', '\x3e9402775b23e55b'),
    ('acceptance', 20, 'wait',         'not answered',                        '{"waits_for": "buyer"}',    '\x56180e29a52d9687'),
    ('acceptance', 21, 'wait',         'otherwise',                           '{"waits_for": "seller"}',   '\xda43ac0a0664f813'),
    ('reminders',   1, 'quiet',        'not paid',                            NULL, '\x0000000000000000'),
    ('reminders',   2, 'remind',       'overdue, its appeal undecided',       '{"notices": ["overdue", "appeal_overdue"], "recipients": ["account_manager", "seller", "platform"]}', '\xdfc4c35a36ec146e'),
    ('reminders',   3, 'remind',       'appeal undecided',                    '{"notices": ["appeal_overdue"], "recipients": ["platform"]}',                                         '\x8b916520af83313c'),
    ('reminders',   4, 'remind',       'overdue, its parcel untraceable',     '{"notices": ["overdue", "phone_mismatch"], "recipients": ["account_manager", "seller"]}',             '\x9825caa1944faa49'),
    ('reminders',   5, 'remind',       'overdue',                             '{"notices": ["overdue"], "recipients": ["account_manager", "seller"]}',                               '\xb9c42615c59d1515'),
    ('reminders',   6, 'remind',       'parcel untraceable',                  '{"notices": ["phone_mismatch"], "recipients": ["seller"]}',                                           '\x5abb90cddf3eb1de'),
    ('reminders',   7, 'quiet',        'otherwise',                           NULL, '\x0000000000000000');

ANALYZE rule;

-- An instant, and a clock that stood still during an appeal, as JSON.
CREATE FUNCTION pg_temp.instant(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(at, '"\""YYYY-MM-DD"T"HH24:MI:SS"Z\""') $$;

CREATE FUNCTION pg_temp.since(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(to_char(at, '"{\"since\":\""YYYY-MM-DD"T"HH24:MI:SS"Z\"}"'), 'null') $$;

CREATE FUNCTION pg_temp.clock(at timestamptz, stopped_at timestamptz, started_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN at IS NULL OR stopped_at IS NULL OR started_at <= at THEN pg_temp.since(at)
        ELSE to_char(at, '"{\"since\":\""YYYY-MM-DD"T"HH24:MI:SS"Z\",\"stopped\":[["')
             || pg_temp.instant(greatest(stopped_at, at)) || coalesce(',' || pg_temp.instant(started_at), '') || ']]}'
        END $$;

-- The platform has three working days, not counting the day of the appeal. The
-- calendar is laid out for sixty days from the day after it.
CREATE TEMP TABLE deadline ON COMMIT DROP AS
WITH opened AS (
    SELECT DISTINCT (opened_at AT TIME ZONE 'Asia/Shanghai')::date AS on_day FROM appeals WHERE decided_at IS NULL
), days AS (
    SELECT on_day, day::date AS day,
           (extract(isodow FROM day) < 6 OR day IN ('2024-02-18', '2024-04-07', '2024-04-28', '2024-05-11'))
           AND day NOT BETWEEN '2024-04-04' AND '2024-04-06' AND day NOT BETWEEN '2024-05-01' AND '2024-05-05' AS worked
    FROM opened, generate_series(on_day + 1, on_day + 60, interval '1 day') day
), rests AS (
    SELECT on_day, min(day) AS from_day, max(day) + 1 AS to_day
    FROM (SELECT on_day, day, day - row_number() OVER (PARTITION BY on_day ORDER BY day)::int AS run FROM days WHERE NOT worked) off
    GROUP BY on_day, run
)
SELECT on_day,
       (SELECT day + 1 FROM days d WHERE d.on_day = o.on_day AND worked ORDER BY day OFFSET 2 LIMIT 1)::timestamp AT TIME ZONE 'Asia/Shanghai' AS due_at,
       (SELECT format('{"since":%s,"stopped":[%s],"known_until":%s}', pg_temp.instant((o.on_day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'),
                      string_agg(format('[%s,%s]', pg_temp.instant(from_day::timestamp AT TIME ZONE 'Asia/Shanghai'),
                                        pg_temp.instant(to_day::timestamp AT TIME ZONE 'Asia/Shanghai')), ',' ORDER BY from_day),
                      pg_temp.instant((o.on_day + 61)::timestamp AT TIME ZONE 'Asia/Shanghai'))
        FROM rests r WHERE r.on_day = o.on_day) AS working
FROM opened o;

ANALYZE deadline;

-- What is known of every order that is due, which rule holds, since when, and
-- when to look again. OFFSET 0 keeps a step's columns from being computed once
-- for each use.
CREATE TEMP TABLE night ON COMMIT DROP AS
WITH known AS (
    SELECT o.id AS subject, o.code, b.code AS buyer, p.code AS product, m.code AS seller, o.order_type, o.access_type, o.delivery_mode, o.charge_mode, o.track, o.cancelled_at, o.invoiced_at,
           o.amount, o.currency, o.placed_at, o.paid_at, o.term_count, o.term_unit, o.placed_at + interval '4320 hours' AS overdue_at,
           d.delivered_at, d.collected_at, d.proof_at, d.reviewed_at, d.accepted_at, d.start_at,
           s.shipped_at, s.signed_at, v.activated_at,
           (s.phone = o.receiver_phone OR regexp_replace(s.phone, '^\+86|\D', '', 'g') = regexp_replace(o.receiver_phone, '^\+86|\D', '', 'g')) IS NOT FALSE AS phone_matches,
           a.opened_at AS stopped_at, a.decided_at AS started_at, a.decision,
           CASE WHEN a.decided_at IS NULL THEN a.opened_at END AS appealed_at,
           greatest(d.rejected_at, CASE WHEN a.decision = 'back' THEN a.decided_at END) AS sent_back_at
    FROM due
    JOIN orders o ON o.id = due.subject
    JOIN buyers b ON b.id = o.buyer_id
    LEFT JOIN products p ON p.id = o.product_id
    LEFT JOIN sellers m ON m.id = o.seller_id
    LEFT JOIN (SELECT DISTINCT ON (order_id) * FROM deliveries ORDER BY order_id, attempt DESC) d ON d.order_id = o.id
    LEFT JOIN (SELECT DISTINCT ON (order_id) * FROM shipments ORDER BY order_id, attempt DESC) s ON s.order_id = o.id AND s.attempt >= coalesce(d.attempt, 1)
    LEFT JOIN activations v ON v.order_id = o.id
    LEFT JOIN appeals a ON a.order_id = o.id
    WHERE due.job = 'acceptance' AND due.site = 'cn' AND due.look_at <= '2024-03-15 02:00+08'
    OFFSET 0
), handed_back AS (
    SELECT known.*, CASE WHEN sent_back_at >= greatest(delivered_at, shipped_at, signed_at) THEN sent_back_at END AS back_at
    FROM known
    OFFSET 0
), signed AS (
    SELECT handed_back.*, CASE WHEN back_at IS NULL OR signed_at > back_at THEN signed_at END AS window_at
    FROM handed_back
    OFFSET 0
), silent AS (
    SELECT signed.*,
           CASE WHEN access_type = 'hardware' AND phone_matches AND (track = '' OR reviewed_at IS NOT NULL) THEN
               window_at + interval '240 hours'
               + CASE WHEN started_at > window_at AND stopped_at < window_at + interval '240 hours' THEN started_at - greatest(stopped_at, window_at) ELSE interval '0' END
           END AS silence_at
    FROM signed
    OFFSET 0
), ruled AS (
    SELECT silent.*, CASE
        WHEN cancelled_at IS NOT NULL THEN 1
        WHEN order_type = 'renewal' THEN 2
        WHEN access_type IN ('image', 'container', 'api', 'agent', 'ai_asset', 'data_asset', 'content', 'consulting')
             OR access_type = 'saas' AND delivery_mode = 'instant' THEN 3
        WHEN paid_at IS NULL THEN 4
        WHEN decision = 'accept' THEN 5
        WHEN decision = 'refund' THEN 6
        WHEN appealed_at IS NOT NULL THEN 7
        WHEN accepted_at IS NOT NULL AND back_at IS NULL AND (reviewed_at IS NOT NULL OR track = '' AND delivery_mode <> 'identification_code') THEN 8
        WHEN back_at IS NOT NULL THEN 9
        WHEN silence_at <= '2024-03-15 02:00+08' THEN 10
        WHEN delivery_mode = 'online_code' AND track = '' AND activated_at IS NOT NULL AND proof_at IS NOT NULL THEN 11
        WHEN delivery_mode = 'online_code' AND track <> '' AND activated_at IS NOT NULL AND proof_at IS NOT NULL AND reviewed_at IS NOT NULL THEN 12
        WHEN access_type = 'hardware' AND shipped_at IS NULL AND window_at IS NULL THEN 13
        WHEN access_type = 'hardware' AND NOT phone_matches THEN 14
        WHEN access_type = 'hardware' AND window_at IS NULL THEN 15
        WHEN delivery_mode = 'online_code' AND delivered_at IS NOT NULL AND collected_at IS NULL AND activated_at IS NULL THEN 16
        WHEN delivery_mode = 'online_code' AND collected_at IS NOT NULL AND activated_at IS NULL THEN 17
        WHEN delivery_mode = 'online_code' AND activated_at IS NOT NULL AND proof_at IS NULL THEN 18
        WHEN (track <> '' OR delivery_mode = 'identification_code') AND reviewed_at IS NULL
             AND coalesce(delivered_at, window_at, proof_at, accepted_at) IS NOT NULL THEN 19
        WHEN coalesce(delivered_at, window_at) IS NOT NULL THEN 20
        ELSE 21 END AS no
    FROM silent
    OFFSET 0
), dated AS (
    SELECT ruled.*,
           CASE no
               WHEN 1 THEN cancelled_at
               WHEN 2 THEN placed_at
               WHEN 3 THEN placed_at
               WHEN 4 THEN placed_at
               WHEN 5 THEN started_at
               WHEN 6 THEN started_at
               WHEN 7 THEN appealed_at
               WHEN 8 THEN greatest(accepted_at, CASE WHEN track <> '' OR delivery_mode = 'identification_code' THEN reviewed_at END)
               WHEN 9 THEN back_at
               WHEN 10 THEN greatest(silence_at, CASE WHEN track <> '' THEN reviewed_at END)
               WHEN 11 THEN greatest(activated_at, proof_at)
               WHEN 12 THEN greatest(activated_at, proof_at, reviewed_at)
               WHEN 13 THEN greatest(paid_at, started_at)
               WHEN 14 THEN greatest(shipped_at, started_at)
               WHEN 15 THEN greatest(shipped_at, started_at)
               WHEN 16 THEN greatest(delivered_at, started_at)
               WHEN 17 THEN greatest(collected_at, started_at)
               WHEN 18 THEN greatest(activated_at, started_at)
               WHEN 19 THEN greatest(least(delivered_at, window_at, proof_at, accepted_at), started_at)
               WHEN 20 THEN greatest(least(delivered_at, window_at), started_at)
               ELSE greatest(paid_at, started_at) END AS due_at,
           CASE WHEN no IN (13, 14, 15, 19, 20, 21) THEN silence_at END AS look_at,
           no IN (1, 2, 3, 5, 6, 8, 10, 11, 12) AS final
    FROM ruled
    OFFSET 0
), ended AS (
    SELECT dated.*, CASE WHEN final THEN due_at ELSE '2024-03-15 02:00+08' END AS upto,
           CASE WHEN no IN (2, 3) THEN placed_at ELSE '2024-03-15 02:00+08' END AS known_at
    FROM dated
    OFFSET 0
), reminded AS (
    SELECT ended.*, deadline.working, deadline.due_at AS deadline_at, CASE
        WHEN paid_at IS NULL THEN 1
        WHEN overdue_at <= upto AND deadline.due_at <= upto THEN 2
        WHEN deadline.due_at <= upto THEN 3
        WHEN overdue_at <= upto AND access_type = 'hardware' AND shipped_at IS NOT NULL AND NOT phone_matches AND appealed_at IS NULL THEN 4
        WHEN overdue_at <= upto THEN 5
        WHEN access_type = 'hardware' AND shipped_at IS NOT NULL AND NOT phone_matches AND appealed_at IS NULL THEN 6
        ELSE 7 END AS reminder
    FROM ended
    LEFT JOIN deadline ON deadline.on_day = (appealed_at AT TIME ZONE 'Asia/Shanghai')::date
    OFFSET 0
)
SELECT reminded.*,
       CASE reminder
           WHEN 2 THEN greatest(overdue_at, deadline_at)
           WHEN 3 THEN deadline_at
           WHEN 4 THEN greatest(overdue_at, shipped_at)
           WHEN 5 THEN overdue_at
           ELSE shipped_at END AS reminded_at,
       CASE WHEN paid_at IS NOT NULL THEN
           least(CASE WHEN overdue_at > upto THEN overdue_at END, CASE WHEN deadline_at > upto THEN deadline_at END)
       END AS remind_at
FROM reminded;

ANALYZE night;

-- Decisions, with the facts they were taken from.
INSERT INTO decisions (subject, ruleset, business_date, run_id, outcome, rule, due_at, look_at, facts, carried)
SELECT n.subject, r.ruleset, '2024-03-15', 1, r.outcome, r.rule, d.due_at, d.look_at,
       format('{"buyer":"%s","seller":"%s","product":"%s","order_type":"%s","access_type":"%s","delivery_mode":"%s","charge_mode":"%s","track":"%s","cancelled":%s,"invoiced":%s,"amount":"%s %s",'
              '"placed_for":%s,"paid_for":%s,"supervised_for":%s,"delivered_for":%s,"shipped_for":%s,"signed_for":%s,"phone_matches":%s,'
              '"collected_for":%s,"activated_for":%s,"proof_for":%s,"reviewed_for":%s,"buyer_accepted_for":%s,"sent_back_for":%s,'
              '"appeal_open_for":%s,"appeal_working_for":%s,"appeal_accepted_for":%s,"appeal_refunded_for":%s}',
              n.buyer, n.seller, n.product, n.order_type, n.access_type, n.delivery_mode, n.charge_mode, n.track,
              CASE WHEN n.cancelled_at IS NULL THEN 'false' ELSE 'true' END, CASE WHEN n.invoiced_at <= n.known_at THEN 'true' ELSE 'false' END,
              CASE WHEN scale(trim_scale(n.amount)) < 2 THEN round(n.amount, 2) ELSE trim_scale(n.amount) END, n.currency,
              pg_temp.since(n.placed_at), pg_temp.since(CASE WHEN n.paid_at <= n.known_at THEN n.paid_at END), pg_temp.clock(n.placed_at, n.stopped_at, n.started_at),
              pg_temp.clock(n.delivered_at, n.stopped_at, n.started_at), pg_temp.since(n.shipped_at), pg_temp.clock(n.window_at, n.stopped_at, n.started_at),
              CASE WHEN n.phone_matches THEN 'true' ELSE 'false' END,
              pg_temp.since(n.collected_at), pg_temp.clock(n.activated_at, n.stopped_at, n.started_at), pg_temp.clock(n.proof_at, n.stopped_at, n.started_at),
              pg_temp.clock(n.reviewed_at, n.stopped_at, n.started_at), pg_temp.since(n.accepted_at), pg_temp.since(n.back_at),
              pg_temp.since(n.appealed_at), coalesce(n.working, 'null'),
              pg_temp.since(CASE WHEN n.decision = 'accept' THEN n.started_at END), pg_temp.since(CASE WHEN n.decision = 'refund' THEN n.started_at END))::jsonb,
       r.carried
FROM night n
CROSS JOIN LATERAL (
    SELECT 'acceptance', n.no, n.due_at, n.look_at
    UNION ALL
    SELECT 'reminders', n.reminder, n.reminded_at, n.remind_at WHERE n.reminder BETWEEN 2 AND 6
) d (ruleset, no, due_at, look_at)
JOIN rule r ON r.ruleset = d.ruleset AND r.no = d.no
ON CONFLICT DO NOTHING;

-- What happened in the trade, each once, and who hears of it.
CREATE TEMP TABLE happened ON COMMIT DROP AS
SELECT CASE no WHEN 6 THEN 'refunded' ELSE 'accepted' END AS kind, code, subject, '{buyer,seller}'::text[] AS recipients, due_at AS at
FROM night WHERE no IN (5, 6, 8, 10, 11, 12)
UNION ALL
SELECT 'overdue', code, subject, '{account_manager,seller}', overdue_at
FROM night WHERE reminder IN (2, 4, 5)
UNION ALL
SELECT 'appeal_overdue', code, subject, CASE reminder WHEN 2 THEN '{account_manager,seller,platform}' ELSE '{platform}' END::text[], deadline_at
FROM night WHERE reminder IN (2, 3)
UNION ALL
SELECT 'phone_mismatch', code, subject, '{seller}', shipped_at
FROM night WHERE reminder IN (4, 6);

INSERT INTO event_keys (key, run_id, business_date)
SELECT kind || '/cn/' || code, 1, '2024-03-15' FROM happened
ON CONFLICT DO NOTHING;

INSERT INTO notices (key, business_date, site, kind, subject, recipients, at, run_id)
SELECT kind || '/cn/' || code, '2024-03-15', 'cn', kind, subject, recipients, at, 1 FROM happened
ON CONFLICT DO NOTHING;

-- The ends of supervisions, with what the buyer may use until the last second of a day.
INSERT INTO completions (order_id, outcome, completed_at, valid_from, valid_until, run_id, business_date)
SELECT subject, CASE no WHEN 6 THEN 'refund' ELSE 'accept' END, due_at, valid_from,
       ((valid_from AT TIME ZONE 'Asia/Shanghai')::date + term_count * ('1 ' || term_unit)::interval + interval '23:59:59') AT TIME ZONE 'Asia/Shanghai', 1, '2024-03-15'
FROM (SELECT night.*, CASE WHEN term_count IS NOT NULL AND charge_mode = 'PERIOD' AND no <> 6 THEN
          coalesce(start_at, CASE WHEN delivery_mode = 'online_code' THEN activated_at END, due_at) END AS valid_from
      FROM night WHERE no IN (5, 6, 8, 10, 11, 12) OFFSET 0) ended
ON CONFLICT DO NOTHING;

-- What is settled is looked at no more, the rest when its answer can change.
DELETE FROM due USING night WHERE due.job = 'acceptance' AND due.subject = night.subject AND night.final;

UPDATE due
SET look_at = coalesce(least(n.look_at, n.remind_at), 'infinity'), stands = a.stands || r.stands
FROM night n
JOIN rule a ON a.ruleset = 'acceptance' AND a.no = n.no
JOIN rule r ON r.ruleset = 'reminders' AND r.no = n.reminder
WHERE due.job = 'acceptance' AND due.subject = n.subject AND NOT n.final;

COMMIT;
