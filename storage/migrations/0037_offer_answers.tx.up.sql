-- What people answered to offers holds as long as the offer, also when the months of
-- their decisions have left for the archive.
CREATE TABLE offer_answers (
    offer_id bigint NOT NULL REFERENCES offers,
    no       bigint GENERATED ALWAYS AS IDENTITY,
    outcome  text NOT NULL CHECK (outcome IN ('grant', 'decline')),
    at       timestamptz NOT NULL,
    actor    text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (offer_id, no)
);
INSERT INTO schema_laws (name, append) VALUES ('offer_answers', true);
SELECT keep_law('offer_answers');
INSERT INTO offer_answers (offer_id, outcome, at, actor)
    SELECT subject, outcome, due_at, actor FROM decisions WHERE ruleset = 'offers' AND actor IS NOT NULL ORDER BY due_at, business_date, no;
