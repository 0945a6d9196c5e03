package jobs_test

import (
	"testing"

	"nightshift/storage"
)

// A marketplace of n orders, of which a third is due on 2024-03-15 02:00 in
// Shanghai: accepted by silence, by a code that was proven, by the buyer or by
// the platform, or refunded. The rest waits or is on hold, each for a reason of
// its own. Out of every hundred orders, "k" says which kind one is of.
const (
	placed = `timestamptz '2024-02-13 10:00+08' + i * 37 % 604800 * interval '1 second' - CASE WHEN i % 100 IN (96, 97, 99) THEN 200 ELSE 0 END * interval '24 hours'`

	marketBuyers = `INSERT INTO buyers (site, code) SELECT 'cn', 'b' || i FROM generate_series(1, 1000) i`

	marketSellers = `INSERT INTO sellers (site, code) SELECT 'cn', 's' || i FROM generate_series(1, 200) i`

	marketProducts = `INSERT INTO products (site, code, seller_id) SELECT 'cn', 'p' || i, 1 + i % 200 FROM generate_series(1, 1000) i`

	marketOrders = `
		INSERT INTO orders (id, site, code, buyer_id, seller_id, product_id, order_type, access_type, delivery_mode, charge_mode, track, placed_at, paid_at, cancelled_at,
		                    invoiced_at, term_count, term_unit, receiver_phone, amount, currency)
		SELECT i, 'cn', 'A-' || i, 1 + i % 1000, 1 + (i % 1000 + 1) % 200, 1 + i % 1000, CASE k WHEN 88 THEN 'renewal' ELSE 'new' END, access_type,
		       CASE WHEN k BETWEEN 45 AND 63 THEN 'online_code' WHEN k = 72 THEN 'instant' WHEN k = 91 THEN 'identification_code'
		            WHEN access_type IN ('saas', 'human_service', 'data_file') THEN 'offline' ELSE '' END,
		       CASE WHEN access_type IN ('saas', 'license') THEN 'PERIOD' ELSE 'ONE_TIME' END,
		       CASE WHEN k IN (43, 44, 51, 98) THEN 'empowerment' ELSE '' END,
		       placed_at, CASE WHEN k <> 90 THEN placed_at + interval '5 minutes' END, CASE WHEN k = 89 THEN placed_at + interval '2 days' END,
		       CASE WHEN i % 3 = 0 THEN placed_at + interval '1 hour' END,
		       CASE WHEN access_type IN ('saas', 'license') THEN 1 + i % 12 END, CASE WHEN access_type IN ('saas', 'license') THEN 'month' END,
		       '138' || lpad((i % 10000000)::text, 8, '0'), 99.00 + i % 100, 'CNY'
		FROM (SELECT i, i % 100 AS k, ` + placed + ` AS placed_at,
		             CASE WHEN i % 100 < 45 OR i % 100 = 97 THEN 'hardware'
		                  WHEN i % 100 BETWEEN 45 AND 62 OR i % 100 = 91 THEN 'license'
		                  WHEN i % 100 BETWEEN 63 AND 72 THEN 'saas'
		                  WHEN i % 100 = 86 THEN (ARRAY['image', 'container', 'api', 'agent', 'ai_asset', 'content', 'consulting'])[1 + i / 100 % 7]
		                  WHEN i % 100 = 87 THEN 'data_asset' WHEN i % 100 = 94 THEN 'data_file' WHEN i % 100 = 95 THEN 'orchestration'
		                  ELSE 'human_service' END AS access_type
		      FROM generate_series(1, ?) i) o`

	marketDeliveries = `
		INSERT INTO deliveries (order_id, attempt, delivered_at, collected_at, proof_at, reviewed_at, accepted_at, rejected_at)
		SELECT id, 1,
		       CASE WHEN k >= 45 THEN placed_at + interval '1 day' END,
		       CASE WHEN k BETWEEN 45 AND 55 OR k BETWEEN 60 AND 63 THEN placed_at + interval '2 days' END,
		       CASE WHEN k BETWEEN 45 AND 51 THEN placed_at + interval '5 days' END,
		       CASE WHEN k IN (43, 51, 98) THEN placed_at + interval '6 days' END,
		       CASE WHEN k IN (63, 81, 82, 98) THEN placed_at + interval '7 days' END,
		       CASE WHEN k IN (83, 84, 85) THEN placed_at + interval '3 days' END
		FROM (SELECT id, placed_at, id % 100 AS k FROM orders) o
		WHERE k = 43 OR k BETWEEN 45 AND 71 OR k BETWEEN 73 AND 85 OR k IN (91, 92, 93, 94, 98, 99)
		UNION ALL
		SELECT id, 2, placed_at + interval '8 days', NULL, NULL, NULL, NULL, NULL FROM orders WHERE id % 100 = 85
		ORDER BY 1, 2`

	marketShipments = `
		INSERT INTO shipments (order_id, attempt, shipped_at, signed_at, phone)
		SELECT id, 1, placed_at + interval '1 day',
		       CASE WHEN k < 20 OR k IN (41, 42, 43, 44) THEN placed_at + interval '4 days' WHEN k < 33 THEN placed_at + interval '22 days' END,
		       CASE WHEN k IN (41, 42, 97) THEN '139' || lpad((id % 10000000)::text, 8, '0') WHEN id % 7 = 0 THEN '+86 ' || receiver_phone ELSE receiver_phone END
		FROM (SELECT id, placed_at, receiver_phone, id % 100 AS k FROM orders) o
		WHERE k < 33 OR k BETWEEN 37 AND 44 OR k = 97
		ORDER BY id`

	marketActivations = `
		INSERT INTO activations (site, code, order_id, activated_at)
		SELECT 'cn', 'C-' || id, id, placed_at + interval '3 days' FROM orders WHERE id % 100 BETWEEN 45 AND 55 OR id % 100 = 63 ORDER BY id`

	marketAppeals = `
		INSERT INTO appeals (order_id, code, opened_at, decided_at, decision)
		SELECT id, 'P-' || id, opened_at, CASE WHEN decision IS NOT NULL THEN opened_at + interval '2 days' END, decision
		FROM (SELECT id, placed_at + CASE WHEN id % 100 = 92 THEN 23 WHEN id % 100 = 99 THEN 220 ELSE 6 END * interval '24 hours' AS opened_at,
		             CASE WHEN id % 100 IN (18, 19) THEN 'continue' WHEN id % 100 = 94 THEN 'back' WHEN id % 200 = 93 THEN 'accept' WHEN id % 200 = 193 THEN 'refund' END AS decision
		      FROM orders WHERE id % 100 IN (18, 19, 92, 93, 94, 99)) a
		ORDER BY id`

	marketDue = `INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', site, id, placed_at FROM orders ORDER BY id`
)

// marketplace fills a database with n orders that no night has looked at yet.
func marketplace(t testing.TB, s *storage.Store, n int) {
	t.Helper()
	marketFacts(t, s, n)
	exec(t, s, marketDue)
}

// marketFacts is the marketplace without anything to look at.
func marketFacts(t testing.TB, s *storage.Store, n int) {
	t.Helper()
	exec(t, s, marketBuyers)
	exec(t, s, marketSellers)
	exec(t, s, marketProducts)
	exec(t, s, marketOrders, n)
	for _, statement := range []string{marketDeliveries, marketShipments, marketActivations, marketAppeals} {
		exec(t, s, statement)
	}
}
