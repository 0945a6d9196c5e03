package settling

import (
	"fmt"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

var one = market.DecimalOf(1)

// month is a calendar month of the site, by its number.
type month struct {
	of     string // a product's code, or a product class
	number int
}

// totals are what was paid in calendar months, less what was given back in them:
// what tiers are found by.
type totals struct{ product, class map[month]market.Decimal }

// addUp adds up what was paid, what was settled before with it.
func (r *round) addUp() {
	r.totals = totals{product: map[month]market.Decimal{}, class: map[month]market.Decimal{}}
	for of, amount := range r.book.Counted {
		r.totals.add(of, amount)
	}
	for _, c := range r.order {
		if c.settled && r.book.Partial {
			continue // among what was counted
		}
		if of, counts := r.counted(c); counts {
			r.totals.add(of, c.Paid.Amount)
		}
	}
}

func (t totals) add(of market.CountedMonth, amount market.Decimal) {
	product, class := month{of.Product, of.Month}, month{of.ProductClass, of.Month}
	t.product[product] = t.product[product].Add(amount)
	t.class[class] = t.class[class].Add(amount)
}

// counted tells whether tiers count an earning, and where.
func (r *round) counted(c *candidate) (of market.CountedMonth, counts bool) {
	e := c.Earning
	if e.Trouble != "" || e.Paid.Currency != r.book.Seller.Currency {
		return of, false
	}
	switch e.Kind {
	case market.EarnedOrder, market.EarnedRenewal, market.EarnedUse, market.EarnedCharge, market.EarnedRefund:
	default:
		return of, false
	}
	sold := e
	if original := r.all[e.Reverses]; e.Kind == market.EarnedRefund && original != nil {
		if sold = original.Earning; sold.Kind == market.EarnedPartner {
			return of, false
		}
	}
	at := e.CountedAt()
	if at.IsZero() {
		return of, false
	}
	return market.CountedMonth{Product: sold.Product, ProductClass: sold.ProductClass, Month: r.monthOf(at)}, true
}

// countFor notes on a statement what tiers will count of what is settled with it,
// or of all that is, where nobody counted before.
func (r *round) countFor(s *market.Statement) {
	s.Counted, s.CountedWhole = map[market.CountedMonth]market.Decimal{}, !r.book.Partial
	for _, c := range r.order {
		if c.waits != nil || c.settled && r.book.Partial {
			continue
		}
		if of, counts := r.counted(c); counts {
			s.Counted[of] = s.Counted[of].Add(c.Paid.Amount)
		}
	}
}

func (r *round) monthOf(at time.Time) int {
	return market.Month(market.DateOf(at, r.Zone)).Number()
}

// share asks what of an earning is the seller's.
func (r *round) share(c *candidate) error {
	line := c.line
	at := c.CountedAt()
	zero := market.NewMoney(market.Decimal{}, c.Paid.Currency)
	r.fee = rules.FeeFacts{Site: r.Site, Kind: c.Kind, OrderType: c.OrderType, AccessType: c.AccessType, ChargeMode: c.ChargeMode, ProductClass: c.ProductClass,
		Model: c.Model, Seller: r.book.Seller.Code, Country: r.book.Seller.Country, Product: c.Product, Agreed: c.HasFee, AgreedFee: c.FeeRate,
		EffectiveFor: market.StartedAt(c.effectiveAt()), ProductTotal: zero, ClassTotal: zero, Billable: c.Paid}
	number := r.monthOf(at)
	r.fee.ProductTotal.Amount = r.totals.product[month{c.Product, number}]
	r.fee.ClassTotal.Amount = r.totals.class[month{c.ProductClass, number}]
	policy := r.Fees.For(&r.fee)
	answer, err := policy.Decide(&r.fee, r.at)
	if err != nil {
		return err
	}
	line.Billable, line.Rules = c.Paid.Amount, r.named(policy, answer.Rule)
	base := line.Billable.Sub(c.Withheld)
	var part market.Decimal
	switch answer.Outcome {
	case "commission":
		fee, _ := answer.Value("fee")
		if err := r.tier(c, fee.Decimal()); err != nil {
			return err
		}
		part, err = base.Mul(line.Share).Round(r.places, market.RoundHalfUp)
	case "deal_price", "floor_price":
		part, err = r.joint(c, answer.Outcome)
	case "cash_share":
		if line.Billable, err = c.Cash.Mul(c.PartnerShare).Round(r.places, market.RoundHalfUp); err != nil {
			return err
		}
		base, part, line.Share = line.Billable.Sub(c.Withheld), line.Billable.Sub(c.Withheld), c.PartnerShare
	default:
		return fmt.Errorf("carry out %q of ruleset fees: settlement does not know this outcome", answer.Outcome)
	}
	if err != nil || c.waits != nil {
		return err
	}
	line.Fee = base.Sub(part)
	return r.tax(c, base, part)
}

// tier asks what is added to the share for a large month.
func (r *round) tier(c *candidate, fee market.Decimal) error {
	r.fee.Fee = fee
	policy := r.Tiers.For(&r.fee)
	answer, err := policy.Decide(&r.fee, r.at)
	if err != nil {
		return err
	}
	extra, _ := answer.Value("rate")
	line := c.line
	line.FeeRate, line.ExtraRate = fee, extra.Decimal()
	line.Share = one.Sub(fee).Add(line.ExtraRate)
	line.TierTotal, line.Tiered = r.fee.ProductTotal.Amount, true
	line.Rules += "; " + r.named(policy, answer.Rule)
	return nil
}

// joint is the seller's part of joint goods: the partner's share of the deal
// price or of the floor price, less the tax in it.
func (r *round) joint(c *candidate, by string) (market.Decimal, error) {
	price := c.Paid.Amount
	switch {
	case by == "floor_price" && !c.Listed:
		r.hold(c, "It is shared by floor price, and nobody said what its list price is.", c.line.Rules)
		return price, nil
	case by == "floor_price":
		price = c.ListPrice.Mul(c.FloorDiscount).Mul(c.Quantity).Mul(c.Duration)
	case c.Listed:
		price = c.ListPrice.Mul(c.Discount).Mul(c.Quantity).Mul(c.Duration)
	}
	c.line.Share = c.PartnerShare
	return price.Mul(c.PartnerShare).Quo(one.Add(c.TaxRate), r.places, market.RoundHalfUp)
}

// tax takes off what taxes keep back, and the operating fee.
func (r *round) tax(c *candidate, base, part market.Decimal) (err error) {
	line := c.line
	wht, dst := c.WHT, c.DST
	if !c.Taxed {
		r.fee.Billable.Amount = base
		policy := r.Taxes.For(&r.fee)
		answer, err := policy.Decide(&r.fee, r.at)
		if err != nil {
			return err
		}
		rate, _ := answer.Value("wht")
		wht = base.Mul(rate.Decimal())
		rate, _ = answer.Value("dst")
		dst = base.Mul(rate.Decimal())
		if !wht.IsZero() || !dst.IsZero() {
			line.Rules += "; " + r.named(policy, answer.Rule)
		}
	}
	for _, amount := range []struct {
		to    *market.Decimal
		exact market.Decimal
	}{{&line.WHT, wht}, {&line.DST, dst}, {&line.OperatingFee, base.Mul(c.Earning.OperatingFee)}} {
		if *amount.to, err = amount.exact.Round(r.places, market.RoundHalfUp); err != nil {
			return err
		}
	}
	line.Settled = part.Sub(line.WHT).Sub(line.DST).Sub(line.OperatingFee)
	return nil
}
