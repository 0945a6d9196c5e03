package storage_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"nightshift/rules/market"
	"nightshift/storage"
)

// BenchmarkKeepJournals books payments of one to three sources, a chunk of
// 5,000 a transaction with its balances locked, by one worker and by two, each
// with buyers of its own.
func BenchmarkKeepJournals(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("%d workers", workers), func(b *testing.B) {
			s := ledger(b)
			const chunk, buyers = 5000, 2000
			for w := range workers {
				if err := book(b.Context(), s, filled(b, w, buyers)...); err != nil {
					b.Fatal(err)
				}
			}
			before := one64(b, s, `SELECT count(*) FROM journals`)
			b.ResetTimer()
			for n := range b.N {
				var all sync.WaitGroup
				for w := range workers {
					all.Go(func() {
						if err := s.InTx(b.Context(), func(ctx context.Context, tx *storage.Tx) error { return pay(ctx, tx, w, n, chunk, buyers) }); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			b.StopTimer()
			b.ReportMetric(float64(one64(b, s, `SELECT count(*) FROM journals`)-before)/b.Elapsed().Seconds(), "payments/s")
		})
	}
}

// BenchmarkSealAndVerify seals 50,000 payments as one block and recomputes the
// books.
func BenchmarkSealAndVerify(b *testing.B) {
	s := ledger(b)
	const chunk, chunks, buyers = 5000, 10, 2000
	if err := book(b.Context(), s, filled(b, 0, buyers)...); err != nil {
		b.Fatal(err)
	}
	for n := range chunks {
		if err := s.InTx(b.Context(), func(ctx context.Context, tx *storage.Tx) error { return pay(ctx, tx, 0, n, chunk, buyers) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	seal(b, s)
	sealing := b.Elapsed()
	b.ResetTimer()
	for range b.N {
		if check := verify(b, s); len(check.Wrong) != 0 || len(check.Unsealed) != 0 {
			b.Fatalf("%+v", check)
		}
	}
	b.ReportMetric(chunk*chunks/sealing.Seconds(), "sealed/s")
	b.ReportMetric(float64(chunk*chunks*b.N)/b.Elapsed().Seconds(), "verified/s")
}

func one64(b *testing.B, s *storage.Store, query string) (n int64) {
	b.Helper()
	if err := s.DB().NewRaw(query).Scan(b.Context(), &n); err != nil {
		b.Fatal(err)
	}
	return n
}

// filled are the top-ups of a worker's buyers, and a coupon for each.
func filled(b *testing.B, w, buyers int) (journals []market.Journal) {
	for i := range buyers {
		buyer := fmt.Sprintf("B%d-%05d", w, i)
		j := market.Journal{Key: "money/cn/" + buyer, At: noon}
		j.Post(market.PlatformBank, market.BuyerCash(buyer), money(b, "1000000000.00 CNY"))
		j.Post(market.PlatformCoupons, market.BuyerCoupon(buyer, "C1"), money(b, "1000000000.00 CNY"))
		journals = append(journals, j)
	}
	return journals
}

// pay locks what a chunk spends and books its payments.
func pay(ctx context.Context, tx *storage.Tx, w, n, chunk, buyers int) error {
	var accounts []market.Account
	journals := make([]market.Journal, 0, chunk)
	amount := market.NewMoney(market.DecimalOf(1234), "CNY")
	for i := range chunk {
		buyer := fmt.Sprintf("B%d-%05d", w, i%buyers)
		accounts = append(accounts, market.BuyerCash(buyer), market.BuyerCoupon(buyer, "C1"))
		j := market.Journal{Key: fmt.Sprintf("order/cn/A-%d-%d-%d/paid", w, n, i), Memo: "Order A-1", At: noon}
		seller := market.SellerAccrued(fmt.Sprintf("S%03d", i%500))
		j.Post(market.BuyerCash(buyer), seller, amount)
		if i%2 == 0 {
			j.Post(market.BuyerCoupon(buyer, "C1"), seller, amount)
		}
		if i%4 == 0 {
			j.Post(market.BuyerArrears(buyer), seller, amount)
		}
		journals = append(journals, j)
	}
	books, err := tx.LockBalances(ctx, "cn", accounts)
	if err != nil {
		return err
	}
	for _, j := range journals {
		if err := books.Keep(j); err != nil {
			return err
		}
	}
	return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: april}, storage.PersonSource(april), journals)
}
