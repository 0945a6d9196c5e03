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
	judged := 0
	for last := (market.UsageRecord{}); ; {
		records, err := tx.StrayUsage(ctx, k.Site, asOf, last, straysAtOnce)
		if err != nil {
			return judged, err
		}
		results, err := m.Strays(records)
		if err != nil {
			return judged, err
		}
		judged += len(results)
		kept := market.MeteredUse{Results: results}
		if len(records) < straysAtOnce {
			kept.Marks = []market.UsageMark{{Received: asOf}}
		}
		if err := tx.KeepUsage(ctx, k, kept); err != nil || kept.Marks != nil {
			return judged, err
		}
		last = records[len(records)-1]
	}
}

// straysAtOnce is how many records of unknown instances are in memory at once.
const straysAtOnce = 10_000
