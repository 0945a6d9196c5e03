-- A month asks of each order what was provisioned for it: its instance, its
-- subscription. Without these it read all of them for every order.
CREATE INDEX instances_order ON instances (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX subscriptions_order ON subscriptions (order_id) WHERE order_id IS NOT NULL;
