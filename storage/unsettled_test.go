package storage_test

import (
	"context"
	"testing"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestSellersAreReadTogetherAsFarAsWhatIsOpenFits(t *testing.T) {
	s := storagetest.New(t)
	for _, statement := range []string{
		`INSERT INTO unsettled_orders (seller_id, order_id) SELECT 1, n FROM generate_series(1, 3) n UNION ALL SELECT 2, n FROM generate_series(1, 4) n`,
		`INSERT INTO unsettled_deductions (seller_id, key, business_date) SELECT 3, n::text, '2024-05-01' FROM generate_series(1, 5) n`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		most int64
		fit  int
	}{{"all", 12, 4}, {"the third is too much", 11, 2}, {"one alone", 6, 1}, {"the first is too much by itself", 1, 1}} {
		err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			fit, err := tx.OpenTradeWithin(ctx, []int64{1, 2, 3, 9}, c.most)
			if fit != c.fit {
				t.Errorf("%s: %d sellers, want %d", c.name, fit, c.fit)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
