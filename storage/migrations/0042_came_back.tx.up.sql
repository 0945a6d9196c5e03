-- Cash that comes back to a buyer by a journal that billing did not book, such as that
-- of a renewal taken back, is open until billing has paid with it what is owed for use.
-- Of such a fact the id is the journal's.
ALTER TABLE unbooked DROP CONSTRAINT unbooked_kind_check;
ALTER TABLE unbooked ADD CONSTRAINT unbooked_kind_check CHECK (kind IN ('money', 'instrument', 'charge', 'order', 'refund', 'completion', 'back'));
