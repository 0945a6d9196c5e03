package jobs_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// A night of all four jobs that nobody has worked before: nine in ten orders are
// watched over, of which a third is due, one in ten is paid by itself; a
// subscription for every ten orders, of which one in four is in its window; and the
// month in which most of what is accepted is settled.
const (
	benchNight = "2024-04-03" // also the bill day of March

	nightSellers  = `UPDATE sellers SET certified_at = '2020-01-01'`
	nightProducts = `UPDATE products SET product_class = 'service', access_type = 'saas'`

	nightBuyers = `INSERT INTO buyers (site, code) SELECT 'cn', 'pays' || i FROM generate_series(1, ?0 / 20) i`

	nightMoney = `
		INSERT INTO money (site, code, buyer_id, kind, amount, currency, at)
		SELECT site, 'M' || id, id, 'top_up', CASE WHEN id % 10 < 3 THEN 5 ELSE 500 END, 'CNY', '2024-04-01 12:00+08' FROM buyers WHERE code LIKE 'pays%' ORDER BY id`

	nightPaid = `
		INSERT INTO orders (site, code, buyer_id, seller_id, product_id, access_type, charge_mode, placed_at, amount, currency, auto_pay)
		SELECT 'cn', 'P-' || i, (SELECT min(id) FROM buyers WHERE code LIKE 'pays%') + i % (?0 / 20), 1 + i % 200, 1 + i % 1000, 'saas', 'PERIOD',
		       timestamptz '2024-04-02 08:00+08' + i % 50000 * interval '1 second', 9.9 + i % 10, 'CNY', true
		FROM generate_series(1, ?0 / 10) i`

	nightSubscriptions = `
		INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, price, currency, instance)
		SELECT 'cn', 'S-' || b.id || '-' || k, b.id, 1 + b.id % 1000, 'saas', 1, 'month', e - interval '1 month', e, 'auto', 10, 'CNY', 'i-' || b.id || '-' || k
		FROM buyers b CROSS JOIN generate_series(1, 2) k
		CROSS JOIN LATERAL (SELECT timestamptz '2024-04-03 23:59:59+08' + b.id % 28 * interval '1 day' AS e) e
		WHERE b.code LIKE 'pays%' ORDER BY b.id, k`

	nightDue = `INSERT INTO due (job, site, subject, look_at) SELECT job, site, id, '-infinity' FROM buyers, unnest(ARRAY['renewal', 'billing']) job WHERE code LIKE 'pays%' ORDER BY job, id`
)

// unworked fills a database with n orders and a tenth as many subscriptions.
func unworked(b *testing.B, s *storage.Store, n int) {
	b.Helper()
	for _, statement := range []string{marketBuyers, marketSellers, marketProducts, nightSellers, nightProducts} {
		exec(b, s, statement)
	}
	exec(b, s, strings.ReplaceAll(marketOrders, "2024-02-13", "2024-03-03"), n-n/10)
	storagetest.AsOwner(b, s, `SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders))`)
	for _, statement := range []string{marketDeliveries, marketShipments, marketActivations, marketAppeals} {
		exec(b, s, statement)
	}
	for _, statement := range []string{marketDue, nightBuyers, nightMoney, nightPaid, nightSubscriptions, nightDue} {
		exec(b, s, statement, n)
	}
	storagetest.AsOwner(b, s, "VACUUM ANALYZE", "CHECKPOINT")
}

// BenchmarkNight is one night of all four jobs with two workers, workbooks and all.
func BenchmarkNight(b *testing.B) {
	n := benchOrders()
	var seconds, books []float64
	for b.Loop() {
		s := storagetest.New(b)
		begun := time.Now()
		unworked(b, s, n)
		b.Logf("%d orders, %d subscriptions in %s", n, count(b, s, `SELECT count(*) FROM subscriptions`), time.Since(begun).Round(time.Second))
		runtime.GC()
		e := engine(b, s)
		begun = time.Now()
		var written time.Duration
		last := begun
		err := e.Night(b.Context(), "cn", date(b, benchNight), begun, func(r jobs.Result) {
			took, peak := time.Since(last), peakMB()
			book := keepWorkbook(b, s, r.Run)
			written += book
			b.Logf("%s of %s: %d %s, %v, %d parked: %.2fs, %.0f MB; its workbook %.2fs, %.0f MB", r.Run.Job, r.Run.On, r.Run.Candidates, jobs.Counted(r.Run.Job), r.Run.Outcomes, r.Run.Parked, took.Seconds(), peak, book.Seconds(), peakMB())
			last = time.Now()
		})
		if err != nil {
			b.Fatal(err)
		}
		seconds, books = append(seconds, time.Since(begun).Seconds()), append(books, written.Seconds())
	}
	b.ReportMetric(median(seconds), "s-night")
	b.ReportMetric(median(books), "s-workbooks-of-it")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}
