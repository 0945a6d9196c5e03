package settling

import (
	"fmt"

	"nightshift/rules/market"
)

// takeBack settles a refund by the share of the line that it takes back, whether
// that was settled before or is settled now. While that waits, it waits with it;
// where nothing is left of what waits, both are gone.
func (r *round) takeBack(c *candidate) error {
	of := r.all[c.Reverses]
	if of == nil {
		r.hold(c, "It gives back what the seller never earned: report the order with its seller and its payment.", "")
		return nil
	}
	c.partner = of.Kind == market.EarnedPartner
	c.ProductClass, c.Model, c.Product, c.ProductID = of.ProductClass, of.Model, of.Product, of.ProductID
	if c.Trouble != "" {
		r.hold(c, c.Trouble, "")
		return nil
	}
	given, more := r.givenBack(c)
	if of.settled {
		before := r.book.Before[of.Key]
		if len(before) == 0 {
			return fmt.Errorf("the line %s was settled before, and is not found", of.Key)
		}
		return r.reverse(c, before[0], before[1:])
	}
	if whole := !more && given.Cmp(of.Paid.Amount) == 0; whole && (of.waits != nil || c.GivenBackAt.Before(of.line.DecidedAt)) {
		r.dropWith(of) // it was given back before it counted
		return nil
	}
	if of.waits == nil {
		line := *of.line
		line.Earning = *of.Earning
		return r.reverse(c, line, nil)
	}
	w := *of.waits
	c.waits = &w
	return nil
}

// overdrawn finds refunds of more than was paid: they count for nothing.
func (r *round) overdrawn() {
	for _, c := range r.order {
		of := r.all[c.Reverses]
		if c.Kind != market.EarnedRefund || of == nil || of.Trouble != "" {
			continue
		}
		if given, _ := r.givenBack(c); given.Cmp(of.Paid.Amount) > 0 {
			c.Trouble = fmt.Sprintf("With it %s are given back of an order of %s: correct the refund.", market.NewMoney(given, c.Paid.Currency), of.Paid)
		}
	}
}

// dropWith takes an order out with all that was given back of it.
func (r *round) dropWith(of *candidate) {
	of.gone = true
	for _, c := range r.backs[of.Key] {
		c.gone = true
	}
}

// givenBack is what went back of the same order up to a refund and with it; more
// tells whether another one follows.
func (r *round) givenBack(c *candidate) (sum market.Decimal, more bool) {
	for _, other := range r.backs[c.Reverses] {
		if other.Trouble != "" && other != c {
			continue
		}
		if other != c && (other.GivenBackAt.After(c.GivenBackAt) || other.GivenBackAt.Equal(c.GivenBackAt) && other.Key > c.Key) {
			more = true
			continue
		}
		sum = sum.Sub(other.Paid.Amount)
	}
	return sum, more
}

// reverse is a line less a part of it. before took back other parts of it in
// earlier periods; the last part is all that is left, so that nothing stays
// behind of what was rounded.
func (r *round) reverse(c *candidate, line market.StatementLine, before []market.StatementLine) (err error) {
	to := &market.StatementLine{}
	c.line = to
	r.look(c)
	if err := r.decideInstant(c); err != nil {
		return err
	}
	to.Share, to.FeeRate, to.ExtraRate, to.TierTotal, to.Tiered, to.Rules = line.Share, line.FeeRate, line.ExtraRate, line.TierTotal, line.Tiered, line.Rules
	amounts := func(l *market.StatementLine) []*market.Decimal {
		return []*market.Decimal{&l.Billable, &l.Earning.Withheld, &l.WHT, &l.DST, &l.OperatingFee, &l.Settled}
	}
	for _, other := range r.backs[c.Reverses] { // what this period took back of it already
		if other != c && !other.settled && other.waits == nil && other.done {
			l := *other.line
			l.Earning.Withheld = other.Withheld
			before = append(before, l)
		}
	}
	given, _ := r.givenBack(c)
	last := given.Cmp(line.Paid.Amount) == 0
	source := amounts(&line)
	for i, amount := range amounts(to) {
		switch {
		case last:
			rest := *source[i]
			for n := range before {
				rest = rest.Add(*amounts(&before[n])[i])
			}
			*amount = rest.Neg()
		case i == 0 && line.Billable.Cmp(line.Paid.Amount) == 0:
			*amount = c.Paid.Amount
		case i == 5 && r.plain(&line):
			*amount, err = c.Paid.Amount.Mul(line.Share).Round(r.places, market.RoundHalfUp)
		default:
			*amount, err = source[i].Mul(c.Paid.Amount).Quo(line.Paid.Amount, r.places, market.RoundHalfUp)
		}
		if err != nil {
			return err
		}
	}
	c.Withheld = to.Earning.Withheld
	to.Fee = to.Billable.Sub(c.Withheld).Sub(to.WHT).Sub(to.DST).Sub(to.OperatingFee).Sub(to.Settled)
	c.done = true
	return nil
}

// plain tells whether a line is a rate of what was paid, and nothing else.
func (r *round) plain(l *market.StatementLine) bool {
	return l.Tiered && l.Earning.Withheld.IsZero() && l.WHT.IsZero() && l.DST.IsZero() && l.OperatingFee.IsZero()
}
