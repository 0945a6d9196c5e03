package jobs

import (
	"context"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules/market"
	"nightshift/storage"
)

// ReadPrices reads what the billing items of a site's products cost.
func ReadPrices(ctx context.Context, tx *storage.Tx, site string) (map[metering.Item]market.Prices, error) {
	prices := map[metering.Item]market.Prices{}
	err := tx.PricesOf(ctx, site, func(p market.Price) {
		item := metering.Item{ProductID: p.ProductID, Name: p.Item}
		prices[item] = append(prices[item], p)
	})
	return prices, err
}

// JudgeStrays puts the records received by asOf that name no instance there is
// on the error list, and answers how many there were. They belong to no buyer,
// so that no chunk of buyers comes by them: a run does this once, before its
// first chunk.
func JudgeStrays(ctx context.Context, tx *storage.Tx, k storage.Keeping, m *metering.Meter, asOf time.Time) (int, error) {
	records, err := tx.StrayUsage(ctx, k.Site, asOf)
	if err != nil {
		return 0, err
	}
	results, err := m.Strays(records)
	if err != nil {
		return 0, err
	}
	return len(results), tx.KeepUsage(ctx, k, market.MeteredUse{Results: results, Marks: []market.UsageMark{{Received: asOf}}})
}
