-- What a voucher may be limited to besides: goods that are sold by the seller alone
-- or jointly, and purchases for months or years.
ALTER TABLE instruments ADD models text, ADD term_units text; -- between spaces; empty: any
