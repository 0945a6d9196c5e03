-- What is charged by use is frozen and released for what its buyer owes: of these calls
-- the subject is an instance, not a subscription.
ALTER TABLE outbox ADD metered boolean NOT NULL DEFAULT false;
