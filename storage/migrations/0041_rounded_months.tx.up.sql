-- Where the total of a buyer's month is rounded, what counts to it and no job can add
-- up by itself is noted line by line: renewals, which another job deducts, and all
-- lines where the rounded total is shared out among them. It holds what is open; that
-- a month was rounded is said by event_keys alone.
CREATE TABLE unrounded (
    buyer_id bigint NOT NULL,
    month    date NOT NULL CHECK (month = date_trunc('month', month::timestamp)::date), -- its first day
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    key      text NOT NULL COLLATE "C",          -- of the deduction
    at       timestamptz NOT NULL,
    due      numeric(38,12) NOT NULL,
    PRIMARY KEY (buyer_id, month, currency, key)
);
INSERT INTO schema_laws (name, copied, seen) VALUES ('unrounded', true, true);
SELECT keep_law('unrounded');
GRANT DELETE ON unrounded TO nightshift_app;
CREATE VIEW unrounded_seen AS SELECT * FROM unrounded;
GRANT SELECT ON unrounded_seen TO nightshift_app;

-- What each line of a month was charged with when its total was shared out. The sum
-- of what they lost is posted under the key of the month's rounding.
CREATE TABLE rounded_lines (
    buyer_id      bigint NOT NULL,
    month         date NOT NULL CHECK (month = date_trunc('month', month::timestamp)::date),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    key           text NOT NULL COLLATE "C",
    at            timestamptz NOT NULL,
    due           numeric(38,12) NOT NULL,       -- exact
    charged       numeric(38,12) NOT NULL,       -- its part of the rounded total
    run_id        bigint,
    business_date date NOT NULL,
    PRIMARY KEY (buyer_id, month, currency, key)
);
CREATE INDEX rounded_lines_date ON rounded_lines USING brin (business_date) WITH (pages_per_range = 32, autosummarize = on);
INSERT INTO schema_laws (name, append, copied) VALUES ('rounded_lines', true, true);
SELECT keep_law('rounded_lines');
