package jobs

import (
	"context"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// count notes a renewal, or one that is taken back, for its month's total, where that
// is what is rounded. The total is rounded by billing, which is woken for it.
func (l *lifetime) count(kind, key string, due market.Money, at time.Time) error {
	r, err := l.rounding(kind, market.Bill{AccessType: l.s.AccessType, Seller: l.s.Seller, Product: l.s.Product, Price: due, At: at})
	if err != nil || r.total < 0 || due.IsZero() {
		return err
	}
	month := market.DateOf(at, l.site.Zone).FirstOfMonth()
	l.billed.lines = append(l.billed.lines, market.MonthLine{BuyerID: l.payer.ID, Month: month, Key: key, At: at, Due: due})
	return nil
}

// openMonths has renewals of months that are closed for their buyers count to the
// next one that is not: a late night of renewal comes after those of billing.
func (k *harvest) openMonths(ctx context.Context, tx *storage.Tx, site string, payers []market.Payer) error {
	codes := map[int64]string{}
	for i := range payers {
		codes[payers[i].ID] = payers[i].Code
	}
	key := func(l *market.MonthLine) string {
		return roundingKey(site, codes[l.BuyerID], l.Month, l.Due.Currency)
	}
	for {
		var keys []string
		for i := range k.lines {
			keys = append(keys, key(&k.lines[i]))
		}
		seen, err := tx.EventsSeen(ctx, keys)
		if err != nil || len(seen) == 0 {
			return err
		}
		for i := range k.lines {
			if l := &k.lines[i]; seen[key(l)] {
				l.Month = l.Month.AddMonths(1, 1)
			}
		}
	}
}

// buyersOf are those whose lines these are.
func buyersOf(lines []market.MonthLine) (buyers []int64) {
	for i := range lines {
		buyers = append(buyers, lines[i].BuyerID)
	}
	slices.Sort(buyers)
	return slices.Compact(buyers)
}
