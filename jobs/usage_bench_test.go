package jobs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/jobs/metering"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// benchRecords is how many records of use a benchmark has, ten of each
// instance, fifty of each buyer; the number to hold is for a million:
// NIGHTSHIFT_BENCH_USAGE=1000000.
func benchRecords() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_USAGE")); err == nil {
		return n
	}
	return 100_000
}

// usageMarket fills a database with n records of ten hours of one day that no
// night has looked at: one in fifty is on the error list, one instance in ten
// has a package that does not last the day.
func usageMarket(t testing.TB, s *storage.Store, n int) {
	for _, statement := range []string{
		`INSERT INTO sellers (site, code) SELECT 'cn', 's' || i FROM generate_series(1, 200) i`,
		`INSERT INTO buyers (site, code) SELECT 'cn', 'b' || i FROM generate_series(1, ?0 / 50) i`,
		`INSERT INTO products (site, code, seller_id) SELECT 'cn', 'p' || i, i FROM generate_series(1, 200) i`,
		`INSERT INTO prices (product_id, item, from_at, model, cycle, measure, brackets, currency)
		 SELECT i, 'units', '2024-01-01 00:00+08', 'tier', 'hour', 'usage', '3:0.00028;:0.00021', 'CNY' FROM generate_series(1, 200) i`,
		`INSERT INTO instances (site, code, buyer_id, seller_id, product_id, access_type, charge_mode, opened_at)
		 SELECT 'cn', 'i' || lpad(i::text, 7, '0'), 1 + (i - 1) / 5, 1 + i % 200, 1 + i % 200, 'saas', CASE i % 10 WHEN 0 THEN 'ON_DEMAND_PKG' ELSE 'ON_DEMAND' END, '2024-01-01 00:00+08'
		 FROM generate_series(1, ?0 / 10) i`,
		`INSERT INTO packs (site, code, buyer_id, instance_id, quota, valid_from, valid_until, purchased_at, reset)
		 SELECT 'cn', 'P' || id, buyer_id, id, 12, '2024-01-01 00:00+08', '2025-01-01 00:00+08', '2024-01-01 00:00+08', 'month' FROM instances WHERE charge_mode = 'ON_DEMAND_PKG' ORDER BY id`,
		`INSERT INTO usage_records (site, received_at, metering_sn, seller, instance, item, record_time, begin_time, end_time, usage_value)
		 SELECT 'cn', timestamptz '2024-06-01 01:10+08' + h * interval '1 hour' + i % 3000 * interval '1 second', 'sn-' || h || '-' || i, 's' || 1 + i % 200, 'i' || lpad(i::text, 7, '0'), 'units',
		        to_char(timestamp '2024-05-31 17:00' + h * interval '1 hour', 'YYYYMMDD"T"HH24MISS"Z"'),
		        to_char(timestamp '2024-05-31 16:00' + h * interval '1 hour', 'YYYYMMDD"T"HH24MISS"Z"'),
		        to_char(timestamp '2024-05-31 16:59' + h * interval '1 hour', 'YYYYMMDD"T"HH24MISS"Z"'),
		        CASE WHEN (i + h) % 50 = 0 THEN '0' ELSE (1 + i % 5)::text || '.25' END
		 FROM generate_series(0, 9) h, generate_series(1, ?0 / 10) i
		 ORDER BY h, i % 3000`,
	} {
		exec(t, s, statement, n)
	}
	storagetest.AsOwner(t, s, "VACUUM ANALYZE", "CHECKPOINT")
}

const benchBuyers = 200 // of one chunk

// meterAll meters and keeps everything, a transaction for each chunk of buyers,
// and answers how many records have a result.
func meterAll(t testing.TB, s *storage.Store, buyers int) (results int) {
	book, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	asOf := localTime(t, "06-02 04:00")
	on := market.DateOf(asOf, site.Zone)
	policy, err := site.Policy(metering.Ruleset, on)
	if err != nil {
		t.Fatal(err)
	}
	m := &metering.Meter{Policy: policy, Zone: site.Zone}
	for first := 1; first <= buyers; first += benchBuyers {
		err := s.InTx(context.Background(), func(ctx context.Context, tx *storage.Tx) error {
			if m.Prices == nil {
				if m.Prices, err = jobs.ReadPrices(ctx, tx, "cn"); err != nil {
					return err
				}
			}
			n, err := meterChunk(ctx, tx, m, first, min(first+benchBuyers-1, buyers), asOf, on)
			results += n
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return results
}

func meterChunk(ctx context.Context, tx *storage.Tx, m *metering.Meter, first, last int, asOf time.Time, on market.Date) (int, error) {
	var ids []int64
	for id := first; id <= last; id++ {
		ids = append(ids, int64(id))
	}
	all, err := tx.UsageOf(ctx, "cn", ids, asOf, m.Zone)
	if err != nil {
		return 0, err
	}
	var kept market.MeteredUse
	for i := range all {
		out, err := m.Meter(&all[i], asOf)
		if err != nil {
			return 0, err
		}
		kept.Add(all[i].BuyerID, out.Results, out.Rated, out.Drawn, out.Stops, out.Received)
	}
	return len(kept.Results), tx.KeepUsage(ctx, storage.Keeping{RunID: 1, Site: "cn", On: on}, kept)
}

// copyAgain is how long the server takes to COPY the rows of tables into tables
// like those they are in.
func copyAgain(b *testing.B, s *storage.Store, tables ...string) time.Duration {
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	for up := filepath.Dir(dir); up != filepath.Dir(up); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o1777); err != nil || up == os.TempDir() {
			break
		}
	}
	var all time.Duration
	for _, table := range tables {
		file := filepath.Join(dir, table)
		storagetest.AsOwner(b, s, fmt.Sprintf(`CREATE TABLE again_%[1]s (LIKE %[1]s INCLUDING ALL)`, table), fmt.Sprintf(`COPY (SELECT * FROM %s) TO '%s' (FORMAT binary)`, table, file), "CHECKPOINT")
		start := time.Now()
		storagetest.AsOwner(b, s, fmt.Sprintf(`COPY again_%s FROM '%s' (FORMAT binary)`, table, file))
		all += time.Since(start)
	}
	return all
}

// BenchmarkUsage validates, rates and draws records of use with one worker, and
// compares with the COPY of the rows that come of it, in three rounds.
func BenchmarkUsage(b *testing.B) {
	n := benchRecords()
	var ratios, seconds []float64
	for b.Loop() {
		for range benchRounds {
			s := storagetest.New(b)
			usageMarket(b, s, n)
			start := time.Now()
			if got := meterAll(b, s, n/50); got != n {
				b.Fatalf("%d of %d records have a result", got, n)
			}
			took := time.Since(start)
			copied := copyAgain(b, s, "usage_results", "rated", "draws")
			ratios, seconds = append(ratios, took.Seconds()/copied.Seconds()), append(seconds, took.Seconds())
			b.Logf("%d records: %.2fs, COPY of what came of them %.2fs; %.0f MB at most", n, took.Seconds(), copied.Seconds(), peakMB())
		}
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(seconds)*1e6/float64(n), "µs/record")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(0, "ns/op")
}
