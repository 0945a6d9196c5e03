-- A line of the bank that no payment explains is settled by a person: who, when, why,
-- and where it was booked, if it was. For good: the list of what does not match has
-- only the others.
CREATE TABLE bank_clearings (
    site      text NOT NULL,
    key       text NOT NULL,
    account   text,                                     -- the other side of the bank; empty: nothing was booked
    at        timestamptz NOT NULL,
    actor     text NOT NULL CHECK (actor <> ''),
    because   text NOT NULL CHECK (because <> ''),
    signed_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (site, key),
    FOREIGN KEY (site, key) REFERENCES bank_lines
);
INSERT INTO schema_laws (name, append, gathered) VALUES ('bank_clearings', true, false);
SELECT keep_law('bank_clearings');
CREATE TRIGGER sign_clearing BEFORE INSERT ON bank_clearings FOR EACH ROW EXECUTE FUNCTION sign_act();
