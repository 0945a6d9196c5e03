package main

import (
	"cmp"
	"slices"

	"nightshift/rules/market"
)

// statementTotals are what a statement comes to, for machines.
type statementTotals struct {
	Seller      string `json:"seller"`
	Period      string `json:"period"`
	Lines       int    `json:"lines"`
	Billable    string `json:"billable"`
	Fee         string `json:"fee"`
	Taxes       string `json:"taxes"`
	Operating   string `json:"operating_fee"`
	Settled     string `json:"settled"`
	Adjustments string `json:"adjustments"`
	CarriedIn   string `json:"carried_in"`
	CarriedOut  string `json:"carried_out"`
	Payout      string `json:"payout"`
}

func totalsOf(list []market.Statement) (views []statementTotals) {
	for i := range list {
		s := &list[i]
		in := func(d market.Decimal) string { return market.NewMoney(d, s.Currency).String() }
		views = append(views, statementTotals{Seller: s.Seller, Period: s.Period.String(), Lines: s.LineCount, Billable: in(s.Billable), Fee: in(s.Fee), Taxes: in(s.Taxes),
			Operating: in(s.OperatingFee), Settled: in(s.Settled), Adjustments: in(s.Adjustments), CarriedIn: in(s.CarriedIn), CarriedOut: in(s.CarriedOut), Payout: in(s.Payout)})
	}
	return views
}

// mostShown is how many statements people are shown; machines get all.
const mostShown = 20

// statements is what sellers are owed, the largest payouts first, and in all.
func (p *program) statements(list []market.Statement) *grid {
	g := &grid{}
	g.row("  seller", "lines", "billable", "fee", "taxes", "settled", "adjusted", "carried in", "carried out", "payout")
	sums := map[market.Currency]*market.Statement{}
	var currencies []market.Currency
	for i := range list {
		s := &list[i]
		sum := sums[s.Currency]
		if sum == nil {
			sum = &market.Statement{Seller: "all of " + string(s.Currency), Currency: s.Currency}
			sums[s.Currency], currencies = sum, append(currencies, s.Currency)
		}
		sum.LineCount += s.LineCount
		for _, add := range [][2]*market.Decimal{{&sum.Billable, &s.Billable}, {&sum.Fee, &s.Fee}, {&sum.Taxes, &s.Taxes}, {&sum.OperatingFee, &s.OperatingFee},
			{&sum.Settled, &s.Settled}, {&sum.Adjustments, &s.Adjustments}, {&sum.CarriedIn, &s.CarriedIn}, {&sum.CarriedOut, &s.CarriedOut}, {&sum.Payout, &s.Payout}} {
			*add[0] = add[0].Add(*add[1])
		}
	}
	shown := slices.Clone(list)
	slices.SortStableFunc(shown, func(a, b market.Statement) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), b.Payout.Cmp(a.Payout), cmp.Compare(a.Seller, b.Seller))
	})
	row := func(s *market.Statement) {
		in := func(d market.Decimal) string { return d.Fixed(s.Currency.Places()) }
		g.row("  "+s.Seller, number(int64(s.LineCount)), in(s.Billable), in(s.Fee.Add(s.OperatingFee)), in(s.Taxes), in(s.Settled), in(s.Adjustments), in(s.CarriedIn), in(s.CarriedOut),
			market.NewMoney(s.Payout, s.Currency).String())
	}
	for i := range shown[:min(len(shown), mostShown)] {
		row(&shown[i])
	}
	if len(shown) > mostShown {
		g.row("  and " + number(int64(len(shown)-mostShown)) + " others")
	}
	slices.Sort(currencies)
	for _, c := range currencies {
		row(sums[c])
	}
	return g
}
