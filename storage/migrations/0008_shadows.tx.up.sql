-- Shadows: what rule files that are decided beside those in force would have
-- answered otherwise. Nothing is ever done because of it.
CREATE TABLE shadow_differences (
    business_date date NOT NULL,
    run_id        bigint NOT NULL,
    subject       bigint NOT NULL,
    shadow        bytea NOT NULL,   -- the content hash, in rule_versions
    ruleset       text NOT NULL,
    was           text NOT NULL,    -- decided
    was_rule      text NOT NULL,
    was_due       timestamptz,
    would         text,             -- by the shadow
    would_rule    text,
    would_due     timestamptz,
    trouble       text,             -- why it could not decide
    PRIMARY KEY (business_date, run_id, subject, shadow),
    CHECK ((would IS NULL) = (trouble IS NOT NULL))
) PARTITION BY RANGE (business_date);

INSERT INTO schema_laws (name, by_month, append, copied) VALUES ('shadow_differences', true, true, true);
SELECT keep_law('shadow_differences');
