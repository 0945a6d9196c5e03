-- Undo: the end of a supervision that a wrong version of the rules came to is
-- reversed by a record of its own. The supervision goes on, and may end again:
-- that is another completion of the same order.
ALTER TABLE completions
    ADD no int NOT NULL DEFAULT 0 CHECK (no >= 0), -- how often the order's end was reversed before
    DROP CONSTRAINT completions_pkey,
    ADD PRIMARY KEY (order_id, no);

CREATE TABLE reversals (
    order_id      bigint NOT NULL,
    no            int NOT NULL,
    business_date date NOT NULL,
    at            timestamptz NOT NULL,
    undone        text NOT NULL CHECK (undone <> ''), -- the version of the rules, such as acceptance@3
    actor         text NOT NULL CHECK (actor <> ''),
    because       text NOT NULL CHECK (because <> ''),
    PRIMARY KEY (order_id, no),
    FOREIGN KEY (order_id, no) REFERENCES completions
);
INSERT INTO schema_laws (name, append) VALUES ('reversals', true);
SELECT keep_law('reversals');
