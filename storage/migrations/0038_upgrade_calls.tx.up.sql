-- A paid upgrade is called for like a new instance, and fails like one.
ALTER TABLE calls DROP CONSTRAINT calls_activity_check,
    ADD CONSTRAINT calls_activity_check CHECK (activity IN ('newInstance', 'upgrade', 'queryInstance'));
