package jobs_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// openSubscriptions is how many are open; the number to hold is for one million,
// and for ten at most half as much again: NIGHTSHIFT_BENCH_OPEN=10000000.
func openSubscriptions() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_OPEN")); err == nil {
		return n
	}
	return 100_000
}

// dueSubscriptions are in their window in the night that is measured: all are
// tried, and paid. Their buyers lie scattered among the others, whose terms end in
// the year after.
const dueSubscriptions = 30_000

// openSubscribers writes buyers with two subscriptions each, as earlier nights
// left them: every buyer is looked at again when a window opens.
func openSubscribers(b *testing.B, s *storage.Store, n int) {
	b.Helper()
	every := max(n/dueSubscriptions, 1)
	exec(b, s, `INSERT INTO sellers (site, code) VALUES ('cn', 'acme')`)
	exec(b, s, `INSERT INTO products (site, code, seller_id) SELECT 'cn', 'pro', id FROM sellers`)
	exec(b, s, `INSERT INTO buyers (site, code) SELECT 'cn', 'B-' || i FROM generate_series(1, ?) i`, n/2)
	exec(b, s, `INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT 'cn', 'T-' || id, id, 'top_up', 100, 'CNY', '2023-12-01' FROM buyers WHERE id % ? = 0`, every)
	exec(b, s, `
		INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, price, currency, instance)
		SELECT 'cn', 'S-' || b.id || '-' || k, b.id, p.id, 'saas', 1, 'year', e - interval '1 year', e, 'auto', 10, 'CNY', 'i-' || b.id || '-' || k
		FROM buyers b CROSS JOIN products p CROSS JOIN generate_series(1, 2) k
		CROSS JOIN LATERAL (SELECT timestamptz '2024-03-08 23:59:59+08' + CASE WHEN b.id % ? = 0 THEN interval '0' ELSE (1 + b.id % 300) * interval '1 day' END AS e) e`, every)
	exec(b, s, `
		INSERT INTO due (job, site, subject, look_at)
		SELECT 'renewal', 'cn', id, timestamptz '2024-02-28 12:00+08' + CASE WHEN id % ? = 0 THEN interval '0' ELSE (3 + id % 300) * interval '1 day' END FROM buyers`, every)
}

// BenchmarkRenewalWindow is a night in which 30,000 subscriptions are renewed, of
// many that are open.
func BenchmarkRenewalWindow(b *testing.B) {
	n := openSubscriptions()
	s := storagetest.New(b)
	begun := time.Now()
	openSubscribers(b, s, n)
	storagetest.AsOwner(b, s, "VACUUM ANALYZE")
	storagetest.AsOwner(b, s, "CHECKPOINT")
	b.Logf("%d open subscriptions in %s", n, time.Since(begun).Round(time.Second))
	e := engine(b, s)
	e.Workers = 2
	night := func(on string) (jobs.Result, float64) {
		start := time.Now()
		result, err := e.Run(context.Background(), jobs.Request{Job: "renewal", Site: "cn", On: date(b, on)})
		if err != nil {
			b.Fatal(err)
		}
		return result, time.Since(start).Seconds()
	}
	night("2024-02-29") // which books the money, and finds when to look again
	runtime.GC()
	var seconds []float64
	for b.Loop() {
		for _, on := range []string{"2024-03-01", "2024-03-02"} { // the second has nothing to do: it is asked once
			result, took := night(on)
			seconds = append(seconds, took)
			b.Logf("%s: %d buyers of %d subscriptions, %v, %.2fs", on, result.Run.Due, n, result.Run.Outcomes, took)
		}
	}
	b.ReportMetric(seconds[0], "s-night")
	b.ReportMetric(seconds[1], "s-next")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}
