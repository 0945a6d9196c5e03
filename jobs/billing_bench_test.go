package jobs_test

import (
	"runtime"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// billedTables are what a run of billing writes row by row.
var billedTables = []string{"usage_results", "rated", "draws", "deductions", "deduction_sources", "journals", "postings", "event_keys", "notices", "decisions", "order_ends"}

// billedUse has the buyers of a usage market pay for what they use: three in ten
// are short of money, one in five has a coupon.
func billedUse(b *testing.B, s *storage.Store, n int) {
	usageMarket(b, s, n)
	exec(b, s, `UPDATE prices SET brackets = '3:0.28;:0.21'`)
	payingBuyers(b, s, 1000)
}

func payingBuyers(b *testing.B, s *storage.Store, rich int) {
	exec(b, s, `INSERT INTO money (site, code, buyer_id, kind, amount, currency, at)
		SELECT site, 'M' || id, id, 'top_up', CASE WHEN id % 10 < 3 THEN 5 ELSE ? END, 'CNY', '2024-05-31 12:00+08' FROM buyers ORDER BY id`, rich)
	exec(b, s, `INSERT INTO instruments (site, code, buyer_id, kind, amount, currency, granted_at)
		SELECT site, 'C' || id, id, 'coupon', 7, 'CNY', '2024-05-31 12:00+08' FROM buyers WHERE id % 5 = 0 ORDER BY id`)
	exec(b, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'billing', site, id, '2024-05-31 12:00+08' FROM buyers ORDER BY id`)
	if err := s.EnsureMonth(b.Context(), date(b, "2024-06-01")); err != nil {
		b.Fatal(err)
	}
	storagetest.AsOwner(b, s, "VACUUM ANALYZE", "CHECKPOINT")
	runtime.GC()
}

// bill runs the night with two workers, and answers how long it took.
func bill(b *testing.B, s *storage.Store) time.Duration {
	e := engine(b, s)
	start := time.Now()
	r := mustRun(b, e, jobs.Request{Job: "billing", Site: "cn", On: date(b, "2024-06-01")})
	took := time.Since(start)
	if r.Run.Parked > 0 {
		b.Fatalf("the run parked %d buyers", r.Run.Parked)
	}
	return took
}

// BenchmarkBilling validates, rates and deducts use with two workers, and
// compares with the COPY of the rows that it wrote, in three rounds.
func BenchmarkBilling(b *testing.B) {
	n := benchRecords()
	var ratios, seconds []float64
	for b.Loop() {
		for range benchRounds {
			s := storagetest.New(b)
			billedUse(b, s, n)
			took := bill(b, s)
			if got := count(b, s, `SELECT count(*) FROM usage_results`); got != int64(n) {
				b.Fatalf("%d of %d records have a result", got, n)
			}
			copied := copyAgain(b, s, billedTables...)
			ratios, seconds = append(ratios, took.Seconds()/copied.Seconds()), append(seconds, took.Seconds())
			b.Logf("%d records, %d journals: %.2fs, COPY of what came of them %.2fs; %.0f MB at most", n, count(b, s, `SELECT count(*) FROM journals`), took.Seconds(), copied.Seconds(), peakMB())
		}
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(seconds)*1e6/float64(n), "µs/record")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPayments pays orders by themselves with two workers, five of each
// buyer, journals and all.
func BenchmarkPayments(b *testing.B) {
	n := benchOrders()
	var rates []float64
	for b.Loop() {
		for range benchRounds {
			s := storagetest.New(b)
			exec(b, s, `INSERT INTO sellers (site, code) SELECT 'cn', 's' || i FROM generate_series(1, 200) i`)
			exec(b, s, `INSERT INTO buyers (site, code, credit_limit, currency) SELECT 'cn', 'b' || i, 50, 'CNY' FROM generate_series(1, ?0 / 5) i`, n)
			exec(b, s, `INSERT INTO orders (site, code, buyer_id, seller_id, access_type, charge_mode, placed_at, amount, currency, auto_pay)
				SELECT 'cn', 'A-' || i, 1 + (i - 1) % (?0 / 5), 1 + i % 200, 'saas', 'PERIOD', timestamptz '2024-06-01 08:00+08' + i % 50000 * interval '1 second', 9.9 + i % 10, 'CNY', true
				FROM generate_series(1, ?0) i`, n)
			payingBuyers(b, s, 500)
			took := bill(b, s)
			paid := count(b, s, `SELECT count(*) FROM deductions`)
			rates = append(rates, float64(paid)/took.Seconds())
			b.Logf("%d of %d orders paid in %.2fs; %.0f MB at most", paid, n, took.Seconds(), peakMB())
		}
	}
	b.ReportMetric(median(rates), "payments/s")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}
