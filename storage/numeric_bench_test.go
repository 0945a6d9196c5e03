package storage_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// BenchmarkNumbers sends and reads 10,000 numbers a round, the server's time
// included, and reports the time of one.
func BenchmarkNumbers(b *testing.B) {
	const many = 10_000
	s := storagetest.New(b)
	decimals, whole := make([]market.Decimal, many), make([]int64, many)
	for i := range decimals {
		d, err := market.ParseDecimal("12345.67")
		if err != nil {
			b.Fatal(err)
		}
		decimals[i], whole[i] = d.Add(market.DecimalOf(int64(i))), int64(i)
	}
	run := func(name, query string, args []any, row func(pgx.Rows) error) {
		b.Run(name, func(b *testing.B) {
			err := s.InTx(b.Context(), func(ctx context.Context, tx *storage.Tx) error {
				for b.Loop() {
					if err := tx.Query(ctx, query, args, row); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/number")
		})
	}
	var n int64
	var d market.Decimal
	nothing := func(pgx.Rows) error { return nil }
	run("bigint sent", `SELECT sum(x) FROM unnest($1::bigint[]) x`, []any{whole}, nothing)
	run("Decimal sent", `SELECT sum(x) FROM unnest($1::numeric[]) x`, []any{decimals}, nothing)
	run("bigint read", `SELECT x FROM generate_series(1::bigint, $1) x`, []any{many}, func(r pgx.Rows) error { return r.Scan(&n) })
	run("Decimal read", `SELECT x + 0.67 FROM generate_series(1::bigint, $1) x`, []any{many}, func(r pgx.Rows) error { return r.Scan(&d) })
}
