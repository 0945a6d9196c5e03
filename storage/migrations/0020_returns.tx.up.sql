-- Hardware that is sent back: approved by its seller, on its way, accepted or
-- objected to.
ALTER TABLE refunds
    DROP CONSTRAINT refunds_request_check,
    ADD CONSTRAINT refunds_request_check CHECK (request IN ('unconditional', 'negotiated', 'failed', 'granted', 'return')),
    ADD sent_at     timestamptz, -- the buyer entered the logistics of the return
    ADD taken_at    timestamptz, -- the seller accepted what came back,
    ADD objected_at timestamptz, -- or objected to it
    ADD CHECK (sent_at >= approved_at),
    ADD CHECK (request = 'return' OR (sent_at IS NULL AND taken_at IS NULL AND objected_at IS NULL));
ALTER TABLE refund_results
    DROP CONSTRAINT refund_results_outcome_check,
    ADD CONSTRAINT refund_results_outcome_check CHECK (outcome IN ('refund', 'refuse', 'withdraw'));

-- Why an order could not be paid: the instruments that were not used.
ALTER TABLE decisions ADD refused jsonb;
CREATE OR REPLACE VIEW decisions_seen AS SELECT * FROM decisions;
