package jobs_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// openOrders is how many deliveries are open; the number to hold is for ten
// million: NIGHTSHIFT_BENCH_OPEN=10000000.
func openOrders() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_OPEN")); err == nil {
		return n
	}
	return 100_000
}

// Of all open deliveries, each looked at before, so many are due. They lie
// scattered among the others, which wait for a clock that runs out later, or
// for a fact to change.
const (
	dueOfOpen = 10_000

	openDue = `
		INSERT INTO due (job, site, subject, look_at, stands)
		SELECT 'acceptance', site, id, CASE id % 2 WHEN 0 THEN 'infinity' ELSE timestamptz '2024-04-16 00:00+08' + id % 2592000 * interval '1 second' END,
		       decode('00000000000000010000000000000000', 'hex')
		FROM orders ORDER BY id`

	openAsk = `
		UPDATE due SET look_at = timestamptz '2024-03-14 12:00+08'
		WHERE subject IN (SELECT id FROM orders WHERE abs(hashint8(id)::bigint) % ? = 0 LIMIT ?)`
)

// BenchmarkOpen is a night on which little is due of much that is open.
func BenchmarkOpen(b *testing.B) {
	n := openOrders()
	s := storagetest.New(b)
	begun := time.Now()
	marketFacts(b, s, n)
	exec(b, s, openDue)
	exec(b, s, openAsk, max(n/dueOfOpen, 1), dueOfOpen)
	if err := s.EnsureMonth(context.Background(), date(b, "2024-03-15")); err != nil {
		b.Fatal(err)
	}
	storagetest.AsOwner(b, s, "VACUUM ANALYZE")
	storagetest.AsOwner(b, s, "CHECKPOINT")
	b.Logf("%d open orders in %s", n, time.Since(begun).Round(time.Second))
	runtime.GC()
	var seconds []float64
	for b.Loop() {
		for _, on := range []string{"2024-03-15", "2024-03-16"} {
			e := engine(b, s)
			e.Workers = 2
			start := time.Now()
			result, err := e.Run(context.Background(), jobs.Request{Job: "acceptance", Site: "cn", On: date(b, on)})
			if err != nil {
				b.Fatal(err)
			}
			took := time.Since(start).Seconds()
			seconds = append(seconds, took)
			b.Logf("%s: %d due of %d, %d decisions, %.2fs", on, result.Run.Due, n, result.Run.Decisions, took)
		}
	}
	b.ReportMetric(seconds[0], "s-night")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}
