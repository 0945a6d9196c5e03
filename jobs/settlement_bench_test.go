package jobs_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// BenchmarkSettlement settles a month of sellers, 100 lines each: the run with its
// statements, lines and journals. NIGHTSHIFT_BENCH_SELLERS says how many; 10,000
// have 1,000,000 lines.
func BenchmarkSettlement(b *testing.B) {
	sellers := 1000
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_SELLERS")); err == nil {
		sellers = n
	}
	const lines = 100
	for range b.N {
		b.StopTimer()
		s := storagetest.New(b)
		for _, statement := range []string{
			`INSERT INTO sellers (site, code, certified_at) SELECT 'cn', 's' || n, '2020-01-01' FROM generate_series(1, <sellers>) n`,
			`INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`,
			`INSERT INTO products (site, code, seller_id, access_type, product_class) SELECT 'cn', 'p' || id, id, 'saas', 'service' FROM sellers`,
			`INSERT INTO orders (site, code, buyer_id, seller_id, product_id, access_type, delivery_mode, charge_mode, placed_at, paid_at, provisioned_at, amount, currency)
			 SELECT 'cn', 'o' || s.id || '-' || n, 1, s.id, s.id, 'saas', 'instant', 'PERIOD', at, at, at, 10 + n * 1.37, 'CNY'
			 FROM sellers s CROSS JOIN generate_series(1, <lines>) n CROSS JOIN LATERAL (SELECT timestamptz '2024-05-01 00:00+08' + n * interval '7 hours' AS at) t`,
			`SELECT gather_statistics('orders', 1000000), gather_statistics('products', 1000000), gather_statistics('sellers', 1000000)`,
		} {
			if _, err := s.DB().ExecContext(b.Context(), strings.NewReplacer("<sellers>", strconv.Itoa(sellers), "<lines>", strconv.Itoa(lines)).Replace(statement)); err != nil {
				b.Fatal(err)
			}
		}
		e := engine(b, s)
		e.Workers = runtime.GOMAXPROCS(0)
		b.StartTimer()
		r, err := e.Run(b.Context(), jobs.Request{Job: "settlement", Site: "cn", On: market.NewDate(2024, 5, 31)})
		b.StopTimer()
		if err != nil || r.Run.Parked > 0 || r.Run.Outcomes["settle"] != int64(sellers) {
			b.Fatalf("%v: %d parked, %v", err, r.Run.Parked, r.Run.Outcomes)
		}
		if kept := count(b, s, `SELECT count(*) FROM statement_lines`); kept != int64(sellers*lines) {
			b.Fatalf("%d lines kept", kept)
		}
		settled := b.Elapsed()
		b.StartTimer()
		if _, err := e.KeepWorkbook(b.Context(), r.Run); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if kept := count(b, s, `SELECT count(*) FROM documents WHERE name LIKE 'statement-%'`); kept != int64(sellers) {
			b.Fatalf("%d statements kept as workbooks", kept)
		}
		b.ReportMetric(settled.Seconds(), "s-settled")
		b.ReportMetric((b.Elapsed() - settled).Seconds(), "s-workbooks")
		b.ReportMetric(peakMB(), "MB-peak")
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*sellers*lines), "us/line")
		b.StartTimer()
	}
}
