package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// exactPlaces is what the books hold of an amount. Prices and use have more
// together; what is below is rounded half up, once a deduction.
const exactPlaces = market.MaxFractionDigits

// use is a buyer's metered use on its way through the walk of the money.
type use struct {
	walk   *metering.Walk
	rated  int // how many of the rated are deducted
	bought []market.Pack
}

// begin stands before the first use that counts.
func (b *bill) begin() (err error) {
	if len(b.usage.Records) == 0 {
		return nil
	}
	for i := range b.usage.Instances {
		frozen := &b.usage.Instances[i].Frozen
		*frozen = append(*frozen, b.stands.Owing.freezes()...)
	}
	b.use.walk, err = b.meter.Walk(b.usage, b.asOf)
	return err
}

// nextUse is when use counts next; false where none does up to the as-of.
func (b *bill) nextUse() (time.Time, bool) {
	if b.use.walk == nil {
		return time.Time{}, false
	}
	return b.use.walk.Next()
}

// deductUse rates what counts at an instant, deducts it by instance, item and
// cycle, and sees to packages of which little is left.
func (b *bill) deductUse(at time.Time) error {
	if err := b.use.walk.Step(); err != nil {
		return err
	}
	lines := b.use.walk.Rated()[b.use.rated:]
	b.use.rated += len(lines)
	for len(lines) > 0 {
		cycle, rest := firstCycle(lines)
		if err := b.deductCycle(cycle, at); err != nil {
			return err
		}
		lines = rest
	}
	for _, low := range b.use.walk.Low() {
		if err := b.low(low); err != nil {
			return err
		}
	}
	return nil
}

// firstCycle takes the lines of one cycle of an item off the front of those
// that are deducted at an instant, wherever among them they stand.
func firstCycle(lines []market.Rated) (cycle, rest []market.Rated) {
	of := &lines[0]
	same := func(r *market.Rated) bool {
		return r.InstanceID == of.InstanceID && r.Item == of.Item && r.CycleFrom.Equal(of.CycleFrom)
	}
	n := 1
	for n < len(lines) && same(&lines[n]) {
		n++
	}
	if !slices.ContainsFunc(lines[n:], func(r market.Rated) bool { return same(&r) }) {
		return lines[:n], lines[n:]
	}
	for i := range lines {
		if same(&lines[i]) {
			cycle = append(cycle, lines[i])
		} else {
			rest = append(rest, lines[i])
		}
	}
	return cycle, rest
}

// deductCycle charges what the lines of one cycle come to beyond packages. Its
// event is named after the first record: what comes later for the same cycle is
// an event of its own.
func (b *bill) deductCycle(lines []market.Rated, at time.Time) error {
	first := &lines[0]
	price := market.Money{}
	for i := range lines {
		amount := lines[i].Amount
		if amount.Currency == "" {
			continue // packages gave all of it
		}
		if price.Currency == "" {
			price.Currency = amount.Currency
		}
		var err error
		if price, err = price.Add(amount); err != nil {
			return fmt.Errorf("add up the use of %s: %w", first.Instance, err)
		}
	}
	if price.Currency == "" {
		return nil
	}
	price, err := price.Round(exactPlaces, market.RoundHalfUp)
	if err != nil {
		return err
	}
	instance := b.instance(first.InstanceID)
	m := market.Bill{Kind: "on_demand", Seller: first.Seller, Product: first.Product, AccessType: instance.AccessType, ChargeMode: instance.ChargeMode, Model: instance.Model,
		OrderType: "new", Price: price, At: at, UsedAt: first.UsedAt}
	d := market.Deduction{
		Key:  "usage/" + b.payer.Site + "/" + first.Instance + "/" + first.Item + "/" + first.CycleFrom.UTC().Format(time.RFC3339) + "/" + first.SN,
		Kind: market.DeductedUsage, Subject: first.InstanceID, SellerID: instance.SellerID, Seller: first.Seller, ProductID: first.ProductID,
		Item: first.Item, Used: market.Span{From: first.CycleFrom, To: first.CycleTo}, At: at,
	}
	return b.deductMetered(m, d)
}

// deductMetered pays use, as far as there is money; the rest stays owed.
func (b *bill) deductMetered(m market.Bill, d market.Deduction) (err error) {
	if m.Price.Amount.Sign() > 0 {
		d.Payment, err = b.pay(d.Kind, m)
	} else {
		d.Payment, err = b.credit(d.Kind, m)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Key, err)
	}
	if !d.Payment.Paid() {
		return fmt.Errorf("%s: it is short by %s, and the waterfall lets nothing stay owed: let arrears be used for on_demand", d.Key, d.Payment.Shortfall)
	}
	if err := b.await(m, d.Kind, d.Key, d.Payment.Due); err != nil {
		return err
	}
	b.billed.outcomes["deduct"]++
	for _, s := range d.Payment.Sources {
		if s.Kind == market.Arrears {
			b.billed.outcomes["arrears"]++
		}
	}
	if err := b.deduct(d); err != nil || d.Payment.Due.Amount.Sign() >= 0 {
		return err
	}
	return b.payArrears(d.Key, d.Payment.Due.Currency, d.At)
}

func (b *bill) instance(id int64) *market.Instance {
	i := slices.IndexFunc(b.usage.Instances, func(i market.Instance) bool { return i.ID == id })
	return &b.usage.Instances[i]
}

// judgeStrays is what a run of billing does before its first chunk: use that
// names no instance there is belongs to no buyer.
func judgeStrays(ctx context.Context, tx *storage.Tx, x *execution) error {
	meter, err := x.newMeter(ctx, tx)
	if err != nil {
		return err
	}
	_, err = JudgeStrays(ctx, tx, storage.Keeping{RunID: x.run.ID, Site: x.run.Site, On: x.run.On}, meter, x.run.AsOf)
	return err
}

// newMeter meters by the rules of the run and the prices of its site.
func (x *execution) newMeter(ctx context.Context, tx *storage.Tx) (*metering.Meter, error) {
	prices, err := ReadPrices(ctx, tx, x.run.Site)
	if err != nil {
		return nil, err // none with half of the prices: the next chunk asks again
	}
	return &metering.Meter{Policy: x.policy(metering.Ruleset), Zone: x.site.Zone, Prices: prices}, nil
}

// policy is that of a ruleset on the business date of the run.
func (x *execution) policy(ruleset string) *rules.Policy {
	return x.inForce[slices.Index(x.line.rulesets, ruleset)].Policy()
}
