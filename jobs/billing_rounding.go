package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// rounded is how one amount is rounded.
type rounded struct {
	places int32 // that a deduction is charged with
	how    market.Rounding
	total  int32 // that the month's total is rounded to; -1 where each deduction is rounded for good
}

// unrounded is what was deducted in a month whose total is still to be rounded.
type unrounded struct {
	Month market.Date // its first day
	Sum   market.Money
}

// rounding asks the rules how the amount of a bill is rounded.
func (b *bill) rounding(kind string, m market.Bill) (r rounded, err error) {
	policy := b.version["rounding"]
	facts := rules.RoundingFacts{Bill: kind, AccessType: m.AccessType, Seller: m.Seller, Product: m.Product, Currency: string(m.Price.Currency)}
	answer, err := policy.Decide(&facts, m.At)
	if err != nil {
		return r, err
	}
	name, _ := answer.Value("policy")
	places, _ := answer.Value("places")
	kept, _ := answer.Value("kept")
	switch market.RoundingPolicy(name.Text()) {
	case market.TruncateEach:
		return rounded{int32(places.Int()), market.RoundTruncate, -1}, nil
	case market.HalfUpEach:
		return rounded{int32(places.Int()), market.RoundHalfUp, -1}, nil
	case market.HalfUpTotal, market.LargestRemainder:
		return rounded{int32(kept.Int()), market.RoundHalfUp, int32(places.Int())}, nil
	}
	return r, fmt.Errorf("round by %s: its rule %q answers with the policy %q, which is none: it is one of %q", policy, answer.Rule, name.Text(), market.RoundingPolicies)
}

// await adds a deduction to its month's total, where that is what is rounded.
func (b *bill) await(kind string, m market.Bill, due market.Money) error {
	r, err := b.rounding(kind, m)
	if err != nil || r.total < 0 || due.IsZero() {
		return err
	}
	month := b.openMonth(m.At, func(month market.Date) string { return roundingKey(b.payer.Site, b.payer.Code, month, due.Currency) })
	waiting := &b.billed.stands.Unrounded
	i := slices.IndexFunc(*waiting, func(u unrounded) bool { return u.Sum.Currency == due.Currency })
	if i < 0 {
		*waiting = append(*waiting, unrounded{Month: month, Sum: due})
		return nil
	}
	(*waiting)[i].Sum.Amount = (*waiting)[i].Sum.Amount.Add(due.Amount)
	return nil
}

func (b *bill) monthEnd(month market.Date) time.Time {
	return month.AddMonths(1, 1).At(market.TimeOfDay{}, b.site.Zone)
}

// roundMonths rounds the totals of months that ended by an instant: what the
// buyer paid too much comes back to the balance, what is missing stays owed. Of who
// buys on account both are on that account, so that the bill asks for the total.
func (b *bill) roundMonths(upto time.Time) error {
	var failed error
	b.billed.stands.Unrounded = slices.DeleteFunc(slices.Clone(b.billed.stands.Unrounded), func(u unrounded) bool {
		end := b.monthEnd(u.Month)
		if end.After(upto) || failed != nil {
			return false
		}
		failed = b.roundMonth(u, end)
		return failed == nil
	})
	return failed
}

func (b *bill) roundMonth(u unrounded, end time.Time) error {
	r, err := b.rounding(market.DeductedUsage, market.Bill{Price: u.Sum, At: end})
	if err != nil || r.total < 0 {
		return err
	}
	total, err := u.Sum.Round(r.total, market.RoundHalfUp)
	if err != nil {
		return fmt.Errorf("round the month of %s: %w", market.Month(u.Month), err)
	}
	dropped, err := u.Sum.Sub(total)
	if err != nil || dropped.IsZero() {
		return err
	}
	code := b.payer.Code
	j := market.Journal{Key: roundingKey(b.payer.Site, code, u.Month, u.Sum.Currency), Memo: "Rounding of the month of " + code, At: end}
	back, from := market.BuyerCash(code), market.BuyerArrears(code)
	if b.payer.OnAccount && u.Sum.Currency == b.site.Currency {
		if j.At = end.Add(-time.Microsecond); b.owedOnAccount().Amount.Cmp(dropped.Amount) >= 0 { // within the month that is billed
			back = market.BuyerMonthEnd(code)
		}
		from = market.BuyerMonthEnd(code)
	}
	if dropped.Amount.Sign() > 0 {
		j.Post(market.PlatformDropped, back, dropped)
	} else {
		j.Post(from, market.PlatformDropped, dropped.Neg())
	}
	if err := b.book(j); err != nil {
		return err
	}
	return b.payArrears(j.Key, u.Sum.Currency, end)
}

// charge deducts a charge that came priced. What is below zero is given back.
func (b *bill) charge(c *market.Charge) error {
	return b.deductMetered(
		market.Bill{Kind: "on_demand", Seller: c.Seller, Product: c.Product, Model: c.Model, ChargeMode: "ON_DEMAND", OrderType: "new", Price: c.Amount, At: c.At, UsedAt: c.Used.From},
		market.Deduction{Key: c.Key(b.payer.Site), Kind: market.DeductedCharge, Subject: c.ID, SellerID: c.SellerID, Seller: c.Seller, ProductID: c.ProductID,
			Item: c.Item, Used: c.Used, At: c.At})
}

// credit is the payment of a bill of nothing or less: it is rounded and takes
// from nobody.
func (b *bill) credit(kind string, m market.Bill) (p market.Payment, err error) {
	r, err := b.rounding(kind, m)
	if err != nil {
		return p, err
	}
	p.Price = m.Price
	if p.Due, err = m.Price.Round(r.places, r.how); err != nil {
		return p, err
	}
	p.Dropped, err = m.Price.Sub(p.Due)
	return p, err
}
