-- What a change order upgrades: its fee is the new price less the old one, for the
-- days that are left. A change order that comes without an amount is priced by it.
CREATE TABLE upgrades (
    order_id        bigint PRIMARY KEY REFERENCES orders,
    subscription_id bigint NOT NULL REFERENCES subscriptions,
    old_price       numeric(38,12) NOT NULL CHECK (old_price >= 0), -- a day
    new_price       numeric(38,12) NOT NULL CHECK (new_price >= 0), -- a day
    currency        text CHECK (currency ~ '^[A-Z]{3}$'),           -- empty: the site's
    discount        numeric(38,12) NOT NULL DEFAULT 1 CHECK (discount >= 0 AND discount <= 1)
);
INSERT INTO schema_laws (name, append, copied, gathered, seen) VALUES ('upgrades', false, false, true, false);
SELECT keep_law('upgrades');
