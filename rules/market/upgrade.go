package market

import (
	"fmt"
	"time"
)

// Upgrade is what a change order changes of a subscription: the prices of a day
// of the old and of the new specification.
type Upgrade struct {
	Old, New Money
	Discount Decimal   // 0.9 leaves nine tenths
	Ends     time.Time // of the term that runs
	Delisted time.Time // when the product was taken off the shelf; zero: it was not
}

// UpgradeFee is what an upgrade costs for the days that are left: new price × days
// × discount − old price × days × discount. It is below zero where the new price
// is the lower one.
func UpgradeFee(oldPrice, newPrice Money, days int64, discount Decimal) (Money, error) {
	more, err := newPrice.Sub(oldPrice)
	if err != nil {
		return Money{}, fmt.Errorf("price an upgrade from %s to %s a day: %w", oldPrice, newPrice, err)
	}
	more.Amount = more.Amount.Mul(DecimalOf(days)).Mul(discount)
	return more, nil
}
