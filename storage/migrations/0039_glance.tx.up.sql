-- What a night gathers of the tables that it filled is a first look, for the plans
-- of those who read right after it: a fifth of the usual sample. Postgres's own
-- housekeeping looks again, and longer.
ALTER FUNCTION gather_grown() SET default_statistics_target = 20;
