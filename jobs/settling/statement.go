package settling

import (
	"cmp"
	"slices"

	"nightshift/rules/market"
)

// gather makes the statement of the candidates, and the list of what waits.
func (r *round) gather() {
	s := &market.Statement{Site: r.Site, SellerID: r.book.Seller.ID, Seller: r.book.Seller.Code, Period: r.Period, Version: 1, Currency: r.book.Seller.Currency}
	var lines, waiting []*candidate
	for _, c := range r.order {
		switch {
		case c.settled:
		case c.waits != nil:
			waiting = append(waiting, c)
		default:
			lines = append(lines, c)
		}
	}
	r.out.Waiting = make([]market.WaitingLine, 0, len(waiting))
	for _, c := range waiting {
		w := *c.waits
		w.Earning = *c.Earning
		slices.SortFunc(w.Unmet, func(a, b string) int {
			return cmp.Compare(slices.Index(market.Conditions, a), slices.Index(market.Conditions, b))
		})
		r.out.Waiting = append(r.out.Waiting, w)
	}
	if len(lines) == 0 {
		return
	}
	slices.SortFunc(lines, func(a, b *candidate) int { // lines are large: what points to them is sorted
		return cmp.Or(a.line.DecidedAt.Compare(b.line.DecidedAt), cmp.Compare(a.Key, b.Key))
	})
	s.Lines = make([]market.StatementLine, 0, len(lines)+1)
	if r.book.Carried.Sign() < 0 {
		s.Lines = append(s.Lines, r.carried())
	}
	for _, c := range lines {
		line := *c.line
		line.Earning = *c.Earning
		s.Lines = append(s.Lines, line)
	}
	s.Total()
	r.countFor(s)
	r.out.Statement = s
}

// carried is the line of what the last statement came to below zero.
func (r *round) carried() market.StatementLine {
	s := &r.book.Seller
	from := r.Period.From.At(market.TimeOfDay{}, r.Zone)
	e := market.Earning{Key: "carried/" + r.Site + "/" + s.Code + "/" + r.book.CarriedFrom.String(), Kind: market.EarnedCarried, Paid: market.NewMoney(r.book.Carried, s.Currency), AgreedAt: from,
		Memo: "carried from " + r.book.CarriedFrom.String()}
	return market.StatementLine{Earning: e, Billable: r.book.Carried, Share: one, Settled: r.book.Carried, DecidedBy: "agreed", DecidedAt: from}
}
