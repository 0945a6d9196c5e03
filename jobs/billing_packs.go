package jobs

import (
	"slices"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules/market"
)

// low is what happens when little is left of a package: its buyer hears of it,
// whatever becomes of the purchase, and the same is bought again where that was
// asked for.
func (b *bill) low(low metering.Low) error {
	b.alarm(low)
	return b.repurchase(low)
}

// alarm tells the buyer that little is left: once of each quota, and of one
// package only the first of a day.
func (b *bill) alarm(low metering.Low) {
	quota, day := low.QuotaKey(b.payer.Site), low.DayKey(b.payer.Site, b.site.Zone)
	if b.seen[quota] || b.seen[day] {
		return
	}
	b.seen[quota], b.seen[day] = true, true
	b.billed.effects.Events = append(b.billed.effects.Events, market.Event{Key: quota})
	notify(&b.billed.effects, market.Notice{Key: day, Kind: "package_low", Subject: b.payer.ID, Recipients: []string{"buyer"}, At: low.At})
}

// repurchase buys a package again of which too little is left, from the cash
// there is; where that cannot be the buyer hears of it, once a day, and why is
// kept.
func (b *bill) repurchase(low metering.Low) error {
	site, code := b.payer.Site, b.payer.Code
	pack := low.Pack.Pack
	cash := b.cash(pack.Price.Currency, low.At)
	delisted, seller := b.shelf(pack, low.At)
	policy := b.version[metering.RepurchaseRuleset]
	facts := low.Facts(cash, delisted, b.seen[low.Key(site)])
	answer, err := metering.Repurchase(policy, low, facts)
	if err != nil {
		return err
	}
	switch answer.Outcome {
	case "buy":
		b.seen[low.Key(site)] = true
		again := pack.Again(low.At)
		again.BuyerID = b.payer.ID
		if err := b.use.walk.Own(again); err != nil {
			return err
		}
		b.use.bought = append(b.use.bought, again)
		b.billed.outcomes["repurchase"]++
		return b.deduct(market.Deduction{Key: low.Key(site), Kind: market.DeductedPack, Subject: pack.InstanceID, SellerID: seller.SellerID, Seller: seller.Seller,
			ProductID: pack.ProductID, Item: pack.Code, At: low.At, Payment: market.Payment{Price: pack.Price, Due: pack.Price, Dropped: market.NewMoney(market.Decimal{}, pack.Price.Currency),
				Sources: []market.Source{{Instrument: market.Cash, Kind: market.Cash, Account: market.BuyerCash(code), Amount: pack.Price, Rule: answer.Rule}}}})
	case "fail":
		b.billed.failed = &market.Decision{Subject: b.payer.ID, Ruleset: policy.Ruleset, RunID: b.runID, Outcome: answer.Outcome, Rule: answer.Rule, DueAt: low.At,
			Facts: b.harvest.keepFacts(policy, facts), Carried: carried(answer)}
		key := low.FailureKey(site, code, b.site.Zone)
		if !b.seen[key] {
			b.seen[key] = true
			notify(&b.billed.effects, market.Notice{Key: key, Kind: "repurchase_failed", Subject: b.payer.ID, Recipients: []string{"buyer"}, At: low.At})
		}
	}
	return nil
}

// shelf tells whether what a package is for is off the shelf, and who sells it.
func (b *bill) shelf(p market.Pack, at time.Time) (delisted bool, sold market.Instance) {
	for _, i := range b.usage.Instances {
		if i.ID == p.InstanceID || p.InstanceID == 0 && i.ProductID == p.ProductID {
			return !i.DelistedAt.IsZero() && !i.DelistedAt.After(at), i
		}
	}
	return false, market.Instance{}
}

// occasions are the keys of alarms, re-purchases and their failures that the use
// of a buyer may come to. What is received on one day may be deducted on the next.
func occasions(u *market.Usage, site, buyer string, zone *time.Location, asOf time.Time) []string {
	var keys []string
	for _, p := range u.Packs {
		if !p.Watched {
			continue
		}
		for _, window := range p.WindowsOf(u.Records, zone) {
			low := metering.Low{Pack: p, Window: window}
			keys = append(keys, low.Key(site), low.QuotaKey(site))
		}
		days := []time.Time{asOf}
		for i := range u.Records {
			days = append(days, u.Records[i].ReceivedAt, u.Records[i].ReceivedAt.AddDate(0, 0, 1))
		}
		for _, at := range days {
			low := metering.Low{Pack: p, At: at}
			keys = append(keys, low.DayKey(site, zone), low.FailureKey(site, buyer, zone))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
