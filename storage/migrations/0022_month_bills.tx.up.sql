-- What buyers on account were billed when a month had ended: once a month, for
-- all that is owed on account. What is repaid is in the books.
CREATE TABLE month_bills (
    buyer_id      bigint NOT NULL,
    month         date NOT NULL CHECK (month = date_trunc('month', month::timestamp)::date), -- its first day
    site          text NOT NULL,
    owed          numeric(38,12) NOT NULL CHECK (owed > 0),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    at            timestamptz NOT NULL,  -- the end of the month
    due_at        timestamptz NOT NULL,
    rule          text NOT NULL,
    because       text NOT NULL,
    facts         jsonb NOT NULL,
    run_id        bigint,
    business_date date NOT NULL,
    PRIMARY KEY (buyer_id, month),
    CHECK (due_at >= at)
);
CREATE INDEX month_bills_date ON month_bills USING brin (business_date) WITH (pages_per_range = 32, autosummarize = on);
INSERT INTO schema_laws (name, append, copied) VALUES ('month_bills', true, true);
SELECT keep_law('month_bills');
