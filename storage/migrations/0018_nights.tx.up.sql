-- What people say about nights: a site, a job or one run is paused, and goes on.
-- The newest act of a place counts. Append-only: who, when and why stay.
CREATE TABLE halts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site          text NOT NULL CHECK (site <> ''),
    job           text CHECK (job <> ''),          -- empty: every job of the site
    business_date date,                            -- of one run; empty: every date
    act           text NOT NULL CHECK (act IN ('pause', 'resume')),
    actor         text NOT NULL CHECK (actor <> ''),
    because       text NOT NULL CHECK (because <> ''),
    at            timestamptz NOT NULL DEFAULT now(),
    CHECK (business_date IS NULL OR job IS NOT NULL)
);
CREATE INDEX halts_place ON halts (site, job, business_date, id);
INSERT INTO schema_laws (name, append) VALUES ('halts', true);
SELECT keep_law('halts');

CREATE INDEX imports_fresh ON imports (site, kind, at);
