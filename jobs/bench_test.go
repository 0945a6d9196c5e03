package jobs_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// benchOrders is how many open orders a benchmark has; the number to hold is
// for a million: NIGHTSHIFT_BENCH_ORDERS=1000000.
func benchOrders() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_ORDERS")); err == nil {
		return n
	}
	return 100_000
}

const benchRounds = 3

// BenchmarkAcceptance runs the night of a marketplace with one and with two
// workers and as SQL, one after the other in each of three rounds, and reports
// the medians of the ratios within a round.
func BenchmarkAcceptance(b *testing.B) {
	n := benchOrders()
	var one, two, next, seconds, books []float64
	for b.Loop() {
		for range benchRounds {
			sql := timed(b, n, func(s *storage.Store) time.Duration { return runSQL(b, s) })
			w1 := timed(b, n, func(s *storage.Store) time.Duration {
				_, d := runNight(b, s, 1, "2024-03-15")
				return d
			})
			var following, book time.Duration
			w2 := timed(b, n, func(s *storage.Store) time.Duration {
				r, d := runNight(b, s, 2, "2024-03-15")
				book = keepWorkbook(b, s, r)
				following = nextNight(b, s)
				return d
			})
			one, two = append(one, w1.Seconds()/sql.Seconds()), append(two, w2.Seconds()/sql.Seconds())
			next, seconds, books = append(next, following.Seconds()), append(seconds, w2.Seconds()), append(books, book.Seconds())
			b.Logf("%d orders: SQL %.2fs, 1 worker %.2fs, 2 workers %.2fs, its workbook %.2fs, the next night %.2fs; %.0f MB at most",
				n, sql.Seconds(), w1.Seconds(), w2.Seconds(), book.Seconds(), following.Seconds(), peakMB())
		}
	}
	b.ReportMetric(median(one), "ratio-1-worker")
	b.ReportMetric(median(two), "ratio-2-workers")
	b.ReportMetric(median(books), "s-workbook")
	b.ReportMetric(median(next), "s-next-night")
	b.ReportMetric(median(seconds)*1e6/float64(n), "µs/order")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkGrowth runs one night and reports the most memory the process ever
// had: it does not grow with the marketplace.
func BenchmarkGrowth(b *testing.B) {
	n := benchOrders()
	var seconds float64
	for b.Loop() {
		took := timed(b, n, func(s *storage.Store) time.Duration {
			r, d := runNight(b, s, 2, "2024-03-15")
			b.Logf("%d orders, %d decisions: %.2fs", n, r.Decisions, d.Seconds())
			return d
		})
		seconds = took.Seconds()
	}
	b.ReportMetric(seconds*1e6/float64(n), "µs/order")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// timed prepares a marketplace of its own for one measurement.
func timed(b *testing.B, n int, measure func(*storage.Store) time.Duration) time.Duration {
	b.Helper()
	s := storagetest.New(b)
	marketplace(b, s, n)
	if err := s.EnsureMonth(context.Background(), date(b, "2024-03-15")); err != nil {
		b.Fatal(err)
	}
	storagetest.AsOwner(b, s, "VACUUM ANALYZE")
	storagetest.AsOwner(b, s, "CHECKPOINT")
	runtime.GC()
	return measure(s)
}

func runNight(b *testing.B, s *storage.Store, workers int, on string) (market.Run, time.Duration) {
	e := engine(b, s)
	e.Workers = workers
	start := time.Now()
	r, err := e.Run(context.Background(), jobs.Request{Job: "acceptance", Site: "cn", On: date(b, on)})
	if err != nil {
		b.Fatal(err)
	}
	return r.Run, time.Since(start)
}

// keepWorkbook writes the workbook of a run, as the process does after every
// night: its memory counts, too.
func keepWorkbook(b *testing.B, s *storage.Store, r market.Run) time.Duration {
	start := time.Now()
	if _, err := engine(b, s).KeepWorkbook(context.Background(), r); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// nextNight is the night after, with every order still open, the settled ones
// too, and a thousand of them due.
func nextNight(b *testing.B, s *storage.Store) time.Duration {
	exec(b, s, `UPDATE due SET look_at = 'infinity'`)
	exec(b, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', site, id, 'infinity' FROM orders ON CONFLICT DO NOTHING`)
	exec(b, s, `UPDATE due SET look_at = '2024-03-15 12:00+08' WHERE subject IN (SELECT subject FROM due WHERE stands IS NOT NULL ORDER BY hashint8(subject) LIMIT 1000)`)
	storagetest.AsOwner(b, s, "VACUUM ANALYZE due")
	_, d := runNight(b, s, 2, "2024-03-16")
	return d
}

func runSQL(b *testing.B, s *storage.Store) time.Duration {
	start := time.Now()
	nightInSQL(b, s)
	return time.Since(start)
}

// peakMB is the most memory this process ever had.
func peakMB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, _ := strconv.ParseFloat(strings.Fields(after)[0], 64)
	return kb / 1024
}

// BenchmarkBacktest decides a history of at least as many decisions as there
// are orders again, with seven days instead of ten, and writes the workbook.
func BenchmarkBacktest(b *testing.B) {
	n := benchOrders()
	s := storagetest.New(b)
	marketplace(b, s, n)
	storagetest.AsOwner(b, s, "VACUUM ANALYZE")
	runNight(b, s, 2, "2024-03-15")
	storagetest.AsOwner(b, s, "VACUUM ANALYZE")
	e := engine(b, s)
	ask := jobs.Backtest{Site: "cn", From: date(b, "2024-03-15"), To: date(b, "2024-03-15"),
		Candidates: []*rules.Policy{candidate(b, "acceptance.yaml", window, "acceptance_window: 7d")}}
	runtime.GC()
	before := peakMB()
	var rows, listed int64
	for b.Loop() {
		got, err := e.Backtest(context.Background(), ask, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		rows, listed = got.Counts.Rows, got.Counts.Listed()
	}
	b.ReportMetric(float64(rows), "decisions")
	b.ReportMetric(float64(listed), "changed")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(rows)*1e6, "s/million")
	b.ReportMetric(before, "MB-before")
	b.ReportMetric(peakMB(), "MB-peak")
}
