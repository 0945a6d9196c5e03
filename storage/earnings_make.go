package storage

import (
	"fmt"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// earn makes the earnings of what was read.
func (r *earningsReader) earn() error {
	given := map[int64][]givenBack{}
	for _, g := range r.given {
		given[g.order] = append(given[g.order], g)
	}
	room := map[int64]int{} // each seller's: earnings are large
	for _, open := range [][]openTrade{r.openOrders, r.openOthers} {
		for i := range open {
			room[open[i].seller]++
		}
	}
	for seller, b := range r.at {
		r.books[b].Earnings = slices.Grow(r.books[b].Earnings, room[seller])
	}
	for _, o := range r.sorted {
		if err := r.earnOrder(o, given[o.OrderID]); err != nil {
			return err
		}
	}
	for _, d := range r.others {
		r.earnOther(d)
	}
	r.given, r.sorted = nil, nil
	return nil
}

// part is what one seller sold of an order.
type part struct {
	line    int // 0 of an order without lines
	product int64
	seller  int64
	weight  market.Decimal
	of      *soldLine
}

// parts are those of an order, whoever sold them.
func (r *earningsReader) parts(o *soldOrder) []part {
	if len(o.lines) == 0 {
		return []part{{product: o.product, seller: firstOf(o.seller, r.sellerOf(o.product))}}
	}
	all := make([]part, len(o.lines))
	for i := range o.lines {
		l := &o.lines[i]
		all[i] = part{line: l.no, product: firstOf(l.product, o.product), weight: l.amount.Amount, of: l,
			seller: firstOf(l.seller, r.sellerOf(l.product), o.seller, r.sellerOf(o.product))}
	}
	return all
}

func firstOf(ids ...int64) int64 {
	for _, id := range ids {
		if id != 0 {
			return id
		}
	}
	return 0
}

func (r *earningsReader) sellerOf(product int64) int64 {
	if g := r.goods[product]; g != nil {
		return g.seller
	}
	return 0
}

// earnOrder makes the earnings of an order: of each of its parts that is a
// seller's of ours, of its partner, and of what was given back.
func (r *earningsReader) earnOrder(o *soldOrder, given []givenBack) error {
	parts := r.parts(o)
	trouble := r.value(o, parts)
	key := "order/" + o.site + "/" + o.Order
	if r.shared(parts) && o.returned() {
		trouble = "A seller's own voucher paid a part of it, and other sellers have parts of it: settle it by an adjustment."
	}
	amounts, err := divide(o.Paid, parts)
	if err != nil {
		trouble = fmt.Sprintf("Its payment cannot be divided among its lines: %v.", err)
	}
	withheld, err := divide(market.NewMoney(o.Withheld, o.Paid.Currency), parts)
	if err != nil {
		return fmt.Errorf("divide what was withheld of %s: %w", key, err)
	}
	var keys []string
	for i, p := range parts {
		e := o.Earning
		e.Key, e.Kind, e.From, e.OrderLine, e.Trouble = key, market.EarnedOrder, o.lies(p.seller), p.line, trouble
		if p.line > 0 {
			e.Key = fmt.Sprintf("%s/%d", key, p.line)
			e.Quantity, e.Listed = p.of.quantity, e.Listed && len(parts) == 1
		}
		e.Paid.Amount, e.Withheld = amounts[i], withheld[i]
		if i > 0 { // taxes were reported of the order, not of each line
			e.WHT, e.DST = market.Decimal{}, market.Decimal{}
		}
		r.describe(&e, p.product)
		keys = append(keys, e.Key)
		r.add(p.seller, e)
		o.toSettle(e.Key, p.seller, e.Paid, trouble == "" && !o.PaidAt.IsZero())
	}
	o.toSettle(key+"/partner", o.partner, market.NewMoney(o.Cash, o.Paid.Currency), trouble == "" && !o.PaidAt.IsZero())
	partner := r.earnPartner(o, key, trouble)
	return r.giveBack(o, given, parts, keys, amounts, partner)
}

// toSettle notes a key under which somebody is to settle a part of the order, or of
// what was given back of it; nobody settles nothing, once it is clear that it is.
func (o *soldOrder) toSettle(key string, seller int64, paid market.Money, clear bool) {
	if seller != 0 && !(paid.IsZero() && clear) {
		o.keys = append(o.keys, key)
	}
}

// lies is where a seller's part of the money lies until it is settled: with the
// platform, which took it in itself, or deducted it for several sellers, or with the
// seller it was deducted for; empty where that is the seller's own.
func (o *soldOrder) lies(seller int64) market.Account {
	switch {
	case o.deducted == nil:
		return market.PlatformCollected
	case o.deducted.seller == seller && seller != 0:
		return ""
	}
	return o.deducted.lies
}

// returned tells whether a seller's own voucher paid a part of the order.
func (o *soldOrder) returned() bool {
	return o.deducted != nil && slices.ContainsFunc(o.deducted.sources, func(s market.Source) bool { return s.Returns != "" })
}

// shared tells whether the parts of an order are of several sellers.
func (r *earningsReader) shared(parts []part) bool {
	for _, p := range parts[1:] {
		if p.seller != parts[0].seller {
			return true
		}
	}
	return parts[0].seller == 0
}

// value says what was paid for an order that sellers earn, and what is wrong with
// that. What a seller's own voucher paid nobody earns.
func (r *earningsReader) value(o *soldOrder, parts []part) (trouble string) {
	if d := o.deducted; d != nil {
		o.Paid = d.due
		var cash market.Decimal
		for _, s := range d.sources {
			switch s.Kind {
			case market.Cash, market.Credit, market.MonthEnd:
				cash = cash.Add(s.Amount.Amount)
			}
			if s.Returns != "" {
				o.Paid.Amount = o.Paid.Amount.Sub(s.Amount.Amount)
			}
			o.Borrowed = o.Borrowed || borrowed(s.Kind)
		}
		o.Cash = cash
		return ""
	}
	if o.Paid.Currency == "" {
		for _, p := range parts {
			switch {
			case p.of == nil:
				return "Nobody said what it cost: report the order with its amount."
			case o.Paid.Currency != "" && o.Paid.Currency != p.of.amount.Currency:
				return fmt.Sprintf("Its lines are in %s and in %s.", o.Paid.Currency, p.of.amount.Currency)
			}
			o.Paid.Currency = p.of.amount.Currency
			o.Paid.Amount = o.Paid.Amount.Add(p.of.amount.Amount)
		}
	}
	if o.Cash = o.Paid.Amount; o.cash != nil {
		o.Cash = *o.cash
	}
	return ""
}

// borrowed tells whether a source is money that is paid later.
func borrowed(kind string) bool {
	return kind == market.Credit || kind == market.MonthEnd || kind == market.Arrears
}

// describe adds what is known of the product.
func (r *earningsReader) describe(e *market.Earning, product int64) {
	e.ProductID, e.Model = product, market.ModelCommon
	g := r.goods[product]
	if g == nil {
		return
	}
	e.Product, e.ProductClass, e.Model = g.code, g.class, g.model
	if e.AccessType == "" {
		e.AccessType = g.access
	}
	if g.fee != nil {
		e.FeeRate, e.HasFee = *g.fee, true
	}
	if g.operatingFee != nil {
		e.OperatingFee = *g.operatingFee
	}
	if e.Model == market.ModelCommon {
		return
	}
	switch {
	case g.partnerShare == nil:
		e.Trouble = "It is sold jointly, and nobody said what the partner's share is: report the product with its partner_share."
	case e.Model == market.ModelJointFloor && g.floorDiscount == nil:
		e.Trouble = "It is shared by floor price, and nobody said what the floor is: report the product with its floor_discount."
	default:
		e.PartnerShare = *g.partnerShare
	}
	if g.floorDiscount != nil {
		e.FloorDiscount = *g.floorDiscount
	}
	if g.taxRate != nil {
		e.TaxRate = *g.taxRate
	}
}

// earnPartner is the part of whoever resold the order; nil where nobody did.
func (r *earningsReader) earnPartner(o *soldOrder, key, trouble string) *market.Earning {
	if _, mine := r.at[o.partner]; !mine {
		return nil
	}
	e := o.Earning
	e.Key, e.Kind, e.From, e.Trouble = key+"/partner", market.EarnedPartner, market.PlatformFees, trouble
	e.Paid.Amount, e.PartnerShare = o.Cash, o.partnerShare
	e.Withheld, e.WHT, e.DST, e.Taxed = market.Decimal{}, market.Decimal{}, market.Decimal{}, false
	r.describe(&e, o.product)
	e.OperatingFee, e.HasFee, e.PartnerShare, e.Trouble = market.Decimal{}, false, o.partnerShare, trouble
	r.add(o.partner, e)
	return &e
}

// divide shares an amount among the parts of an order in proportion to what they
// cost, so that not a cent is lost.
func divide(amount market.Money, parts []part) ([]market.Decimal, error) {
	if len(parts) == 1 {
		return []market.Decimal{amount.Amount}, nil
	}
	weights := make([]market.Decimal, len(parts))
	same := market.Decimal{}
	for i, p := range parts {
		weights[i] = p.weight
		same = same.Add(p.weight)
	}
	if same.Cmp(amount.Amount) == 0 {
		return weights, nil
	}
	places := amount.Currency.Places()
	if rounded, err := amount.Amount.Round(places, market.RoundTruncate); err != nil || rounded.Cmp(amount.Amount) != 0 {
		places = market.MaxFractionDigits // of other currencies deductions keep more
	}
	shares, err := market.Split(amount.Amount, weights, places)
	if err != nil {
		shares = make([]market.Decimal, len(parts))
	}
	return shares, err
}

// giveBack makes the refunds of an order's parts, the partner's among them.
func (r *earningsReader) giveBack(o *soldOrder, given []givenBack, parts []part, keys []string, amounts []market.Decimal, partner *market.Earning) error {
	var before market.Decimal
	weighed := make([]part, len(parts))
	for i := range parts {
		weighed[i] = parts[i]
		weighed[i].weight = amounts[i]
	}
	for _, g := range given {
		amount := o.Paid.Amount.Sub(before)
		if g.amount != nil {
			amount = *g.amount
		}
		earned, cash := amount, amount
		if d := o.deducted; d != nil {
			earned, cash = market.Decimal{}, market.Decimal{}
			for _, s := range market.GiveBack(d.sources, before, amount) {
				if s.Returns == "" {
					earned = earned.Add(s.Amount.Amount)
				}
				if s.Kind == market.Cash || s.Kind == market.Credit || s.Kind == market.MonthEnd {
					cash = cash.Add(s.Amount.Amount)
				}
			}
		} else if o.Cash.Cmp(o.Paid.Amount) < 0 && !o.Paid.IsZero() {
			var err error
			if cash, err = amount.Mul(o.Cash).Quo(o.Paid.Amount, o.Paid.Currency.Places(), market.RoundHalfUp); err != nil {
				return err
			}
		}
		before = before.Add(amount)
		shares, err := divide(market.NewMoney(earned, o.Paid.Currency), weighed)
		if err != nil {
			return fmt.Errorf("divide %s: %w", g.key, err)
		}
		for i, p := range parts {
			key := g.key
			if p.line > 0 {
				key = fmt.Sprintf("%s/%d", g.key, p.line)
			}
			r.add(p.seller, r.refund(o, o.lies(p.seller), g, key, keys[i], shares[i]))
			o.toSettle(key, p.seller, market.NewMoney(shares[i], o.Paid.Currency), true)
		}
		o.toSettle(g.key+"/partner", o.partner, market.NewMoney(cash, o.Paid.Currency), true)
		if partner != nil {
			r.add(o.partner, r.refund(o, partner.From, g, g.key+"/partner", partner.Key, cash))
		}
	}
	return nil
}

func (r *earningsReader) refund(o *soldOrder, from market.Account, g givenBack, key, reverses string, amount market.Decimal) market.Earning {
	e := market.Earning{Key: key, Kind: market.EarnedRefund, OrderID: o.OrderID, BuyerID: o.BuyerID, Order: o.Order, OrderType: o.OrderType, AccessType: o.AccessType,
		DeliveryMode: o.DeliveryMode, ChargeMode: o.ChargeMode, From: from, Paid: market.NewMoney(amount.Neg(), o.Paid.Currency),
		PlacedAt: o.PlacedAt, PaidAt: g.at, GivenBackAt: g.at, EffectiveAt: g.at, Reverses: reverses}
	if at := strings.LastIndexByte(reverses, '/'); o.lines != nil && at > 0 {
		fmt.Sscan(reverses[at+1:], &e.OrderLine)
	}
	return e
}

// earnOther makes the earning of a renewal, of use, of a charge or of a package.
func (r *earningsReader) earnOther(d *paidDeduction) {
	e := market.Earning{Key: d.key, BuyerID: d.buyer, Memo: d.item, Paid: d.due, PlacedAt: d.usedAt, PaidAt: d.at, UsedAt: d.usedAt, EffectiveAt: d.effectiveAt, ProvisionedAt: d.at}
	for _, s := range d.sources {
		if s.Returns != "" {
			e.Paid.Amount = e.Paid.Amount.Sub(s.Amount.Amount)
		}
		e.Borrowed = e.Borrowed || borrowed(s.Kind)
	}
	switch d.kind {
	case market.DeductedRenewal:
		e.Kind, e.OrderType, e.PlacedAt = market.EarnedRenewal, "renewal", d.at
	case market.DeductedUsage:
		e.Kind = market.EarnedUse
	case market.DeductedPack:
		e.Kind, e.OrderType, e.PlacedAt, e.EffectiveAt = market.EarnedOrder, "new", d.at, d.at
	default:
		e.Kind = market.EarnedCharge
	}
	r.describe(&e, d.product)
	r.add(d.seller, e)
	if !e.Paid.IsZero() {
		d.keys = append(d.keys, e.Key)
	}
	for _, g := range d.givenBack {
		back := market.Earning{Key: g.key, Kind: market.EarnedRefund, BuyerID: e.BuyerID, OrderType: e.OrderType, AccessType: e.AccessType,
			Paid: market.NewMoney(market.Decimal{}, e.Paid.Currency), PlacedAt: e.PlacedAt, PaidAt: g.at, GivenBackAt: g.at, EffectiveAt: g.at, Reverses: e.Key}
		for _, s := range market.GiveBack(d.sources, market.Decimal{}, *g.amount) {
			if s.Returns == "" {
				back.Paid.Amount = back.Paid.Amount.Sub(s.Amount.Amount)
			}
		}
		r.add(d.seller, back)
		if !back.Paid.IsZero() {
			d.keys = append(d.keys, back.Key)
		}
	}
}
