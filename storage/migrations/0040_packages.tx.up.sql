-- Whether a package is bought again by itself, for which it has a price, or its
-- buyer only told that little is left; and the purchase that packages came with.
ALTER TABLE packs ADD authorised boolean NOT NULL DEFAULT true, ADD purchase text,
    DROP CONSTRAINT packs_check2, ADD CHECK (threshold IS NULL OR price IS NOT NULL OR NOT authorised);
CREATE INDEX packs_purchase ON packs (purchase) WHERE purchase IS NOT NULL; -- to count those of one
