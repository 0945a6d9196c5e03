package jobs_test

import (
	"testing"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// Billing waits for its input for some nights, in which deliveries of what it was
// paid for before are accepted and cancelled: made up for, each of its nights decides
// as a punctual one did, since nothing that happened after a request counts for it.
func TestNightsOfBillingThatWereStuckDecideAsPunctualOnesDid(t *testing.T) {
	t.Parallel()
	const nights, paid = 8, 3
	taken := newWorld(17, 40, nights).taken(t)
	t.Run("deliveries", func(t *testing.T) {
		s := storagetest.Open(t, taken)
		exec(t, s, `
			INSERT INTO deliveries (order_id, attempt, delivered_at, collected_at, accepted_at)
			SELECT id, n, placed_at + make_interval(hours => (5 + id % 40 + n * 30)::int), placed_at + make_interval(hours => (6 + id % 40 + n * 30)::int), CASE WHEN n = 2 THEN placed_at + make_interval(hours => (70 + id % 40)::int) END
			FROM orders, generate_series(1, 1 + id % 2) n WHERE access_type <> 'saas' OR id % 3 = 0`)
		exec(t, s, `INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT 'cn', 'TOP-' || id, id, 'top_up', 100000, 'CNY', '2024-05-31' FROM buyers`)
		exec(t, s, `
			INSERT INTO refunds (site, code, order_id, request, requested_at, approved_at)
			SELECT site, 'R-' || code, id, CASE WHEN id % 2 = 0 THEN 'unconditional' ELSE 'negotiated' END, at, CASE WHEN id % 2 = 1 THEN at + interval '7 hours' END
			FROM orders CROSS JOIN LATERAL (SELECT placed_at + make_interval(hours => (30 + id % 60)::int) AS at) r WHERE placed_at < '2024-06-04 04:00+08'`)
	})
	punctual, stuck := anew(t, taken), anew(t, taken)
	night := func(s *storage.Store, job string, n int) {
		mustRun(t, engine(t, s), jobs.Request{Job: job, Site: "cn", On: worldFirst.AddDays(n)})
	}
	for n := range nights {
		for _, s := range []*storage.Store{punctual, stuck} {
			if n == paid {
				exec(t, s, `UPDATE orders SET cancelled_at = timestamptz '2024-06-06 01:00+08' + make_interval(hours => (id % 50)::int) WHERE id % 3 = 0 AND placed_at < '2024-06-04 04:00+08'`)
				exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', site, id, cancelled_at FROM orders WHERE cancelled_at IS NOT NULL ON CONFLICT (job, subject) DO UPDATE SET look_at = least(due.look_at, excluded.look_at)`)
			}
			night(s, "acceptance", n+1)
			if s == punctual || n < paid {
				night(s, "billing", n)
			}
		}
	}
	for n := paid; n < nights; n++ {
		night(stuck, "billing", n)
	}
	night(punctual, "acceptance", nights+1) // of what was paid for in the meantime
	night(stuck, "acceptance", nights+1)
	if want, got := booksOf(t, punctual), booksOf(t, stuck); want != got {
		t.Errorf("the nights that were stuck (+) left other books than punctual ones (-):\n%s", differs(want, got))
	}
	if n := count(t, stuck, `SELECT count(*) FROM refund_results r JOIN orders o ON o.id = r.order_id WHERE r.rule IN ('agreed', 'not agreed', 'completed') AND least(o.cancelled_at, (SELECT max(completed_at) FROM completions c WHERE c.order_id = o.id)) > '2024-06-05'`); n < 5 {
		t.Errorf("only %d refunds were decided before the ends of their deliveries", n)
	}
}
