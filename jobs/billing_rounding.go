package jobs

import (
	"cmp"
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
	shared bool  // the rounded total is shared out among its lines
}

// unrounded is what was deducted in a month whose total is still to be rounded.
type unrounded struct {
	Month market.Date  // its first day
	Sum   market.Money // of what is not noted line by line
	lines []market.MonthLine
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
	switch by := market.RoundingPolicy(name.Text()); by {
	case market.TruncateEach:
		return rounded{places: int32(places.Int()), how: market.RoundTruncate, total: -1}, nil
	case market.HalfUpEach:
		return rounded{places: int32(places.Int()), how: market.RoundHalfUp, total: -1}, nil
	case market.HalfUpTotal, market.LargestRemainder:
		return rounded{int32(kept.Int()), market.RoundHalfUp, int32(places.Int()), by == market.LargestRemainder}, nil
	}
	return r, fmt.Errorf("round by %s: its rule %q answers with the policy %q, which is none: it is one of %q", policy, answer.Rule, name.Text(), market.RoundingPolicies)
}

// await counts what was deducted under a key, or given back, to its month's total,
// where that is what is rounded.
func (b *bill) await(m market.Bill, kind, key string, due market.Money) error {
	r, err := b.rounding(kind, m)
	if err != nil || r.total < 0 || due.IsZero() {
		return err
	}
	month := b.openMonth(m.At, func(month market.Date) string { return roundingKey(b.payer.Site, b.payer.Code, month, due.Currency) })
	u := b.unrounded(b.waitingMonth(month, due.Currency), due.Currency)
	if r.shared {
		u.lines = append(u.lines, market.MonthLine{BuyerID: b.payer.ID, Month: u.Month, Key: key, At: m.At, Due: due})
		return nil
	}
	u.Sum.Amount = u.Sum.Amount.Add(due.Amount)
	return nil
}

// waitingMonth is the month itself where it waits, or the first after it that does:
// what is reported late counts to what is rounded next.
func (b *bill) waitingMonth(month market.Date, c market.Currency) market.Date {
	next := market.Date(0)
	for _, u := range b.billed.stands.Unrounded {
		if u.Sum.Currency == c && u.Month >= month && (next == 0 || u.Month < next) {
			next = u.Month
		}
	}
	return cmp.Or(next, month)
}

// unrounded is a month whose total waits to be rounded; it waits from now on.
func (b *bill) unrounded(month market.Date, c market.Currency) *unrounded {
	waiting := &b.billed.stands.Unrounded
	i := slices.IndexFunc(*waiting, func(u unrounded) bool { return u.Month == month && u.Sum.Currency == c })
	if i < 0 {
		i = len(*waiting)
		*waiting = append(*waiting, unrounded{Month: month, Sum: market.NewMoney(market.Decimal{}, c)})
	}
	return &(*waiting)[i]
}

// noteUnrounded notes the lines of months that did not end yet, and has the buyer
// looked at when they do.
func (b *bill) noteUnrounded() {
	for i := range b.billed.stands.Unrounded {
		u := &b.billed.stands.Unrounded[i]
		b.billed.look = earliest(b.billed.look, b.monthEnd(u.Month))
		b.billed.lines = append(b.billed.lines, u.lines...)
	}
}

// awaitNoted has the months wait that other lines were noted for: renewals, and
// those of earlier nights that the rounded total is shared out among.
func (b *bill) awaitNoted() {
	for _, l := range b.noted {
		if b.seen[roundingKey(b.payer.Site, b.payer.Code, l.Month, l.Due.Currency)] {
			continue // in a dry run, which leaves it among what is not rounded
		}
		u := b.unrounded(l.Month, l.Due.Currency)
		if l.Key != "" {
			u.lines = append(u.lines, l)
		}
	}
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
	key := roundingKey(b.payer.Site, b.payer.Code, u.Month, u.Sum.Currency)
	due, month := u.Sum, market.RoundedMonth{BuyerID: b.payer.ID, Month: u.Month, Currency: u.Sum.Currency}
	for _, l := range u.lines {
		due.Amount = due.Amount.Add(l.Due.Amount)
	}
	r, err := b.rounding(market.DeductedUsage, market.Bill{Price: due, At: end})
	if err != nil {
		return err
	}
	dropped := market.NewMoney(market.Decimal{}, due.Currency)
	if r.total >= 0 {
		total, err := due.Round(r.total, market.RoundHalfUp)
		if err != nil {
			return fmt.Errorf("round the month of %s: %w", market.Month(u.Month), err)
		}
		dropped.Amount = due.Amount.Sub(total.Amount)
	}
	if r.shared {
		if !u.Sum.IsZero() { // of the time before another rule held
			u.lines = append(u.lines, market.MonthLine{BuyerID: b.payer.ID, Month: u.Month, Key: key, Due: u.Sum, At: u.Month.At(market.TimeOfDay{}, b.site.Zone)})
		}
		if month.Lines, err = market.ShareOut(u.lines, r.total); err != nil {
			return err
		}
	}
	b.billed.rounded = append(b.billed.rounded, month)
	if dropped.IsZero() { // it is closed all the same
		b.billed.effects.Events = append(b.billed.effects.Events, market.Event{Key: key})
		return nil
	}
	return b.bookRounding(key, dropped, end)
}

// bookRounding books what rounding lets go of a month, or adds where it is below
// zero.
func (b *bill) bookRounding(key string, dropped market.Money, end time.Time) error {
	code := b.payer.Code
	j := market.Journal{Key: key, Memo: "Rounding of the month of " + code, At: end}
	back, from := market.BuyerCash(code), market.BuyerArrears(code)
	if b.payer.OnAccount && dropped.Currency == b.site.Currency {
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
	return b.payArrears(j.Key, dropped.Currency, end)
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
