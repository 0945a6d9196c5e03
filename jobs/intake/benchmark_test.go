package intake

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// benchmarkRows is how many rows are imported: NIGHTSHIFT_BENCH_ROWS, or a
// million, or few with -short.
func benchmarkRows(b *testing.B) int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_BENCH_ROWS")); err == nil {
		return n
	}
	if testing.Short() {
		return 20_000
	}
	return 1_000_000
}

// lane is one kind of file and the COPY that it is measured against: the same
// rows, codes resolved, into the same table with its indexes and constraints.
type lane struct {
	kind, table string
	header      string
	row         func(i, edition int) string
	columns     []string
	values      func(i int, v []any)
	begin       string // what has to be there before
}

const buyersBegin = `INSERT INTO buyers (id, site, code) SELECT i, 'cn', 'buyer-' || i FROM generate_series(1, 50000) i;
	INSERT INTO sellers (id, site, code) SELECT i, 'cn', 'seller-' || i FROM generate_series(1, 500) i;
	INSERT INTO products (id, site, code) SELECT i, 'cn', 'product-' || i FROM generate_series(1, 2000) i;
	SELECT gather_statistics(t, 1) FROM unnest(ARRAY['buyers', 'sellers', 'products']) t`

var benchmarkStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func second(i int) time.Time { return benchmarkStart.Add(time.Duration(i) * 20 * time.Second) }

var ordersLane = lane{
	kind: "orders", table: "orders", begin: buyersBegin,
	header: "code,buyer,seller,product,access_type,charge_mode,placed_at,paid_at,amount",
	row: func(i, edition int) string {
		return fmt.Sprintf("order-%08d,buyer-%d,seller-%d,product-%d,hardware,ONE_TIME,%s,%s,%d.%02d CNY", i, i%50_000+1, i%500+1, i%2000+1,
			second(i).Format(time.RFC3339), second(i+edition+9).Format(time.RFC3339), i%9000, i%100)
	},
	columns: []string{"site", "code", "buyer_id", "seller_id", "product_id", "access_type", "charge_mode", "placed_at", "paid_at", "amount", "currency"},
	values: func(i int, v []any) {
		v[0], v[1], v[2], v[3], v[4], v[5], v[6] = "cn", fmt.Sprintf("order-%08d", i), int64(i%50_000+1), int64(i%500+1), int64(i%2000+1), "hardware", "ONE_TIME"
		v[7], v[8], v[9], v[10] = second(i), second(i+9), market.DecimalOf(int64(i%9000)), "CNY"
	},
}

var buyersLane = lane{
	kind: "buyers", table: "buyers", header: "code,name,level",
	row:     func(i, edition int) string { return fmt.Sprintf("buyer-%08d,Buyer number %d,%d", i, i, edition) },
	columns: []string{"site", "code", "name", "level"},
	values: func(i int, v []any) {
		v[0], v[1], v[2], v[3] = "cn", fmt.Sprintf("buyer-%08d", i), fmt.Sprintf("Buyer number %d", i), "0"
	},
}

// activations are only ever added.
var activationsLane = lane{
	kind: "activations", table: "activations", header: "code,order,activated_at",
	begin: `INSERT INTO buyers (id, site, code) VALUES (1, 'cn', 'buyer-1');
	INSERT INTO orders (id, site, code, buyer_id, access_type, placed_at) SELECT i, 'cn', 'order-' || i, 1, 'license', '2024-01-01' FROM generate_series(1, %[1]d) i;
	INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', 'cn', i, '2024-01-01' FROM generate_series(1, %[1]d) i;
	SELECT gather_statistics(t, 1) FROM unnest(ARRAY['buyers', 'orders', 'due']) t`,
	row: func(i, edition int) string {
		return fmt.Sprintf("code-%08d,order-%d,%s", i, i+1, second(i).Format(time.RFC3339))
	},
	columns: []string{"site", "code", "order_id", "activated_at"},
	values: func(i int, v []any) {
		v[0], v[1], v[2], v[3] = "cn", fmt.Sprintf("code-%08d", i), int64(i+1), second(i)
	},
}

func BenchmarkImportOrders(b *testing.B)      { ordersLane.bench(b) }
func BenchmarkImportBuyers(b *testing.B)      { buyersLane.bench(b) }
func BenchmarkImportActivations(b *testing.B) { activationsLane.bench(b) }

// bench times, in three interleaved rounds, the COPY, the import into the empty
// table, and the imports of the same file again and of one in which every row
// changed. The metrics are the ratios to the COPY, of the medians.
func (l lane) bench(b *testing.B) {
	n := benchmarkRows(b)
	first, second := l.file(b, n, 0), l.file(b, n, 1)
	var times [4][]float64
	for b.Loop() {
		for range 3 {
			base := l.store(b, n)
			times[0] = append(times[0], clock(func() { l.copy(b, base, n) }))
			s := l.store(b, n)
			times[1] = append(times[1], clock(func() { l.take(b, s, first, FileResult{Added: int64(n)}) }))
			times[2] = append(times[2], clock(func() { l.take(b, s, first, FileResult{Unchanged: int64(n)}) }))
			if l.kind != "activations" {
				times[3] = append(times[3], clock(func() { l.take(b, s, second, FileResult{Changed: int64(n)}) }))
			}
		}
	}
	copied := median(times[0])
	b.ReportMetric(float64(n)/copied, "COPY-rows/s")
	b.ReportMetric(float64(n)/median(times[1]), "added-rows/s")
	b.ReportMetric(median(times[1])/copied, "added/COPY")
	b.ReportMetric(median(times[2])/copied, "unchanged/COPY")
	if len(times[3]) > 0 {
		b.ReportMetric(median(times[3])/copied, "changed/COPY")
	}
}

func clock(work func()) float64 {
	began := time.Now()
	work()
	return time.Since(began).Seconds()
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

func (l lane) file(b *testing.B, n, edition int) string {
	path := filepath.Join(b.TempDir(), fmt.Sprintf("%s.%d.csv", l.kind, edition))
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, l.header)
	for i := range n {
		fmt.Fprintln(w, l.row(i, edition))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// store is a database whose empty tables were analysed, as after a backup was
// restored.
func (l lane) store(b *testing.B, n int) *storage.Store {
	s := storagetest.New(b)
	storagetest.AsOwner(b, s, "ANALYZE")
	if l.begin == "" {
		return s
	}
	begin := l.begin
	if l.kind == "activations" {
		begin = fmt.Sprintf(begin, n)
	}
	if _, err := s.DB().ExecContext(b.Context(), begin); err != nil {
		b.Fatal(err)
	}
	return s
}

func (l lane) copy(b *testing.B, s *storage.Store, n int) {
	err := s.InTx(b.Context(), func(ctx context.Context, tx *storage.Tx) error {
		values := make([]any, len(l.columns))
		_, err := tx.CopyFrom(ctx, l.table, l.columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { l.values(i, values); return values, nil }))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (l lane) take(b *testing.B, s *storage.Store, file string, want FileResult) {
	res, err := Import(b.Context(), s, Request{Kind: l.kind, Site: "cn", Zone: shanghai, Files: []string{file}})
	if err != nil {
		b.Fatal(err)
	}
	got := res.Files[0]
	if got.Added != want.Added || got.Changed != want.Changed || got.Unchanged != want.Unchanged {
		b.Fatalf("got %+v, want %+v", got, want)
	}
}
