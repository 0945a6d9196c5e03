package jobs_test

import (
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// Example D26, at the international site: a bill that is sent in the last second before
// 2024-12-24 of Beijing is confirmed by its seller, one in the next goes straight to
// countersigning. The days are those of that site: 3 to review, 8 to countersign, 6 to pay.
func TestTheInternationalSellerConfirmsWhatWasSentBeforeTheRuleChanged(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	e := engine(t, s)
	exec(t, s, `INSERT INTO sellers (site, code, certified_at, country) VALUES ('intl', 'acme', '2020-01-01', 'SG'), ('intl', 'globex', '2020-01-01', 'SG')`)
	exec(t, s, `INSERT INTO buyers (site, code) VALUES ('intl', 'ann')`)
	exec(t, s, `INSERT INTO products (site, code, seller_id, access_type, product_class) SELECT 'intl', 'P-' || code, id, 'saas', 'service' FROM sellers`)
	exec(t, s, `INSERT INTO orders (site, code, buyer_id, seller_id, product_id, access_type, delivery_mode, charge_mode, placed_at, paid_at, provisioned_at, amount, currency)
		SELECT 'intl', 'O-' || p.id, b.id, p.seller_id, p.id, 'saas', 'instant', 'PERIOD', '2024-11-05', '2024-11-05', '2024-11-05', 1000, 'USD' FROM products p CROSS JOIN buyers b`)
	run := mustRun(t, e, jobs.Request{Job: "settlement", Site: "intl", On: date(t, "2024-11-30")}).Run
	if got := run.AsOf.In(mustShanghai).Format(time.DateTime); got != "2024-12-07 05:00:00" || run.Outcomes["settle"] != 2 {
		t.Fatalf("settled at %s: %v", got, run.Outcomes)
	}
	for _, step := range []struct{ act, seller, when, want string }{
		{"review", "acme", "2024-12-09 10:00:00", "draft → in_review until 2024-12-11"}, // the 7th is a Saturday
		{"review", "globex", "2024-12-09 10:00:00", "draft → in_review until 2024-12-11"},
		{"send", "acme", "2024-12-23 23:59:59", "in_review → to_confirm until –"},
		{"send", "globex", "2024-12-24 00:00:00", "in_review → to_countersign until 2025-01-06"},
		{"confirm", "acme", "2024-12-26 10:00:00", "to_confirm → to_countersign until 2025-01-08"},
		{"countersign", "acme", "2025-01-08 10:00:00", "to_countersign → payable until 2025-01-16"},
	} {
		ask := jobs.StatementAct{Site: "intl", Act: step.act, Period: market.PeriodNumbered(202411), Sellers: []string{step.seller}, Actor: "rita", Because: "the test says so", At: at(step.when)}
		moved, moves, err := e.MoveStatements(t.Context(), ask)
		if err != nil || len(moved) != 1 {
			t.Fatalf("%s %s: %v, %v", step.act, step.seller, moved, err)
		}
		until := "–"
		if moves[0].Until != 0 {
			until = moves[0].Until.String()
		}
		if got := moved[0].State() + " → " + moves[0].State + " until " + until; got != step.want {
			t.Errorf("%s of %s at %s: %s, want %s", step.act, step.seller, step.when, got, step.want)
		}
	}
}
