-- What people were told about nights: a digest, an alarm. Each is told once,
-- also by another machine.
CREATE TABLE messages (
    key     text PRIMARY KEY CHECK (key <> ''),  -- digest/cn/2026-04-01, alarm/cn/billing/2026-03-31
    site    text NOT NULL CHECK (site <> ''),
    told_at timestamptz NOT NULL DEFAULT now(),
    text    text NOT NULL
);
INSERT INTO schema_laws (name, append) VALUES ('messages', true);
SELECT keep_law('messages');
