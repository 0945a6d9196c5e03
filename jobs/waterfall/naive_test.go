package waterfall_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func drawBill(t *rapid.T) market.Bill {
	b := bill(rapid.SampledFrom([]string{"order", "renewal", "on_demand"}).Draw(t, "bill"), "1.00")
	b.Price.Amount = market.DecimalOf(rapid.Int64Range(0, 200_000).Draw(t, "price")).Mul(decimal("0.001"))
	b.AccessType = rapid.SampledFrom([]string{"saas", "hardware"}).Draw(t, "access type")
	if rapid.Bool().Draw(t, "with images") {
		b.ImageLines = market.NewMoney(market.DecimalOf(rapid.Int64Range(0, 150_000).Draw(t, "lines of images")).Mul(decimal("0.001")), "CNY")
	}
	b.OffShelf = rapid.Bool().Draw(t, "off the shelf")
	b.CreditAllowed = rapid.Bool().Draw(t, "credit allowed")
	b.OnAccount = rapid.Bool().Draw(t, "on account")
	b.Rounding = rapid.SampledFrom([]market.Rounding{market.RoundTruncate, market.RoundHalfUp}).Draw(t, "rounding")
	if rapid.Bool().Draw(t, "named") {
		b.Named = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"A", "B", "C", "D", "E"}), 1, 3, rapid.ID).Draw(t, "named instruments")
	}
	return b
}

func drawInstruments(t *rapid.T) []market.Instrument {
	kinds := rapid.SliceOfN(rapid.SampledFrom([]string{market.Discount, market.Voucher, market.Coupon, market.Card}), 0, 8).Draw(t, "kinds")
	kinds = append(kinds, market.Cash, market.Credit, market.MonthEnd, market.Arrears)
	all := make([]market.Instrument, 0, len(kinds))
	for n, kind := range kinds {
		i := market.Instrument{Kind: kind, Code: string(rune('A' + n)), Unlimited: kind == market.MonthEnd || kind == market.Arrears}
		i.Balance = market.NewMoney(market.DecimalOf(rapid.Int64Range(0, 100).Draw(t, "balance")), "CNY")
		if kind == market.Discount {
			i.Balance = market.Money{}
			i.Rate = decimal(rapid.SampledFrom([]string{"0.9", "0.85", "1", "0.333"}).Draw(t, "rate"))
			i.DiscountKind = rapid.SampledFrom([]string{market.Commercial, market.Promotional}).Draw(t, "discount kind")
			i.UsedBefore = rapid.Bool().Draw(t, "used before")
		}
		if kind == market.Voucher || kind == market.Coupon || kind == market.Card {
			i.Restricted = rapid.Bool().Draw(t, "restricted")
			i.ValidUntil = rapid.SampledFrom([]time.Time{{}, at, at.Add(-time.Second), at.AddDate(0, 1, 0)}).Draw(t, "until")
			i.ValidFrom = rapid.SampledFrom([]time.Time{{}, at, at.Add(time.Second)}).Draw(t, "from")
			i.MinSpend = market.NewMoney(market.DecimalOf(rapid.SampledFrom([]int64{0, 0, 50, 150}).Draw(t, "minimum")), "CNY")
			i.NotWith = rapid.SampledFrom([][]string{nil, nil, {market.Promotional}}).Draw(t, "not with")
			i.Products = rapid.SampledFrom([][]string{nil, nil, {"P-1"}, {"P-2"}}).Draw(t, "products")
			i.Balance.Currency = rapid.SampledFrom([]market.Currency{"CNY", "CNY", "CNY", "USD"}).Draw(t, "currency")
			i.MinSpend.Currency = i.Balance.Currency
			i.Issuer = rapid.SampledFrom([]string{"", "", "acme", "globex"}).Draw(t, "issuer")
		}
		all = append(all, i)
	}
	return all
}

func decimal(text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// naive pays a bill as a person would with the rule book on the desk.
func naive(b market.Bill, all []market.Instrument) string {
	vouchersNamed := 0
	for _, i := range all {
		if i.Kind == market.Voucher && slices.Contains(b.Named, i.Code) {
			vouchersNamed++
		}
	}
	var lines []string
	if vouchersNamed > 1 {
		// Whoever is asked first forbids the bill: a discount, and then the
		// price stands as it was, or whatever else there is.
		if !slices.ContainsFunc(all, func(i market.Instrument) bool { return i.Kind == market.Discount }) {
			lines = append(lines, dropped(b, b.Price.Amount)...)
		}
		return strings.Join(append(lines, "forbidden"), ", ")
	}
	price, given := bestDiscount(b, all, &lines)
	due, _ := price.Round(2, b.Rounding)
	rest := due
	take := func(i market.Instrument) {
		amount := rest
		if i.Kind == market.Voucher && b.Kind != "on_demand" && amount.Cmp(imagesOf(b, due)) > 0 {
			amount = imagesOf(b, due)
		}
		if !i.Unlimited && i.Balance.Amount.Cmp(amount) < 0 {
			amount = i.Balance.Amount
		}
		if amount.Sign() > 0 {
			lines = append(lines, i.Code+" "+amount.Fixed(2))
			rest = rest.Sub(amount)
		}
	}
	for _, i := range papers(b, all, due, given) {
		take(i)
	}
	for _, i := range all {
		onAccount := b.OnAccount && b.AccessType != "hardware"
		if i.Kind == market.MonthEnd && onAccount || i.Kind == market.Cash && !onAccount ||
			i.Kind == market.Credit && !onAccount && (b.CreditAllowed || b.Kind == "on_demand") || i.Kind == market.Arrears && b.Kind == "on_demand" {
			take(i)
		}
	}
	if rest.Sign() > 0 {
		lines = slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "discount ") })
	}
	lines = append(lines, dropped(b, price)...)
	if rest.Sign() > 0 {
		lines = append(lines, "short by "+rest.Fixed(2))
	}
	return strings.Join(lines, ", ")
}

// imagesOf is what of a bill is for images, where other goods are bought with them.
func imagesOf(b market.Bill, due market.Decimal) market.Decimal {
	if b.ImageLines.Currency == "" || b.ImageLines.Amount.Cmp(b.Price.Amount) >= 0 {
		return due
	}
	part, _ := due.Mul(b.ImageLines.Amount).Quo(b.Price.Amount, 2, market.RoundTruncate)
	return part
}

func dropped(b market.Bill, exact market.Decimal) []string {
	due, _ := exact.Round(2, b.Rounding)
	if d := exact.Sub(due); !d.IsZero() {
		return []string{"dropped " + d.String()}
	}
	return nil
}

func bestDiscount(b market.Bill, all []market.Instrument, lines *[]string) (price market.Decimal, kind string) {
	price = b.Price.Amount
	best := -1
	for n, i := range all {
		if i.Kind != market.Discount || b.Kind == "renewal" && i.DiscountKind == market.Promotional && !i.UsedBefore {
			continue
		}
		if best < 0 {
			best = n
			continue
		}
		a, z := b.Price.Amount.Mul(i.Rate), b.Price.Amount.Mul(all[best].Rate)
		if a.Cmp(z) < 0 || a.Cmp(z) == 0 && i.DiscountKind == market.Commercial && all[best].DiscountKind != market.Commercial {
			best = n
		}
	}
	if best < 0 {
		return price, ""
	}
	*lines = append(*lines, "discount "+all[best].Code)
	return price.Mul(all[best].Rate), all[best].DiscountKind
}

// papers are the vouchers, coupons and cards that may pay, in their order.
func papers(b market.Bill, all []market.Instrument, due market.Decimal, given string) []market.Instrument {
	var vouchers, coupons, cards []market.Instrument
	for _, i := range all {
		good := i.Balance.Currency == "CNY" && !i.ValidFrom.After(at) && (i.ValidUntil.IsZero() || !i.ValidUntil.Before(at)) &&
			(len(i.Products) == 0 || i.Products[0] == b.Product) && (i.Issuer == "" || i.Issuer == b.Seller) &&
			(given == "" || !slices.Contains(i.NotWith, given)) && i.MinSpend.Amount.Cmp(due) <= 0 &&
			(len(b.Named) == 0 || slices.Contains(b.Named, i.Code))
		delisted := i.Kind == market.Voucher && b.OffShelf && len(i.Products) > 0 && b.OrderType == "new"
		switch {
		case !good || delisted:
		case i.Kind == market.Voucher:
			vouchers = append(vouchers, i)
		case i.Kind == market.Coupon:
			coupons = append(coupons, i)
		case i.Kind == market.Card:
			cards = append(cards, i)
		}
	}
	sortPapers(coupons)
	sortPapers(cards)
	if b.Kind == "on_demand" {
		sortPapers(vouchers)
	} else {
		slices.SortStableFunc(vouchers, func(a, z market.Instrument) int {
			if c := z.Balance.Amount.Cmp(a.Balance.Amount); c != 0 {
				return c
			}
			return byEnd(a, z)
		})
		for len(vouchers) > 1 { // one voucher alone, and one that is empty does not count
			if vouchers[0].Balance.IsZero() {
				vouchers = vouchers[1:]
				continue
			}
			vouchers = vouchers[:1]
		}
	}
	return slices.Concat(vouchers, coupons, cards)
}

func sortPapers(all []market.Instrument) {
	slices.SortStableFunc(all, func(a, z market.Instrument) int {
		if a.Restricted != z.Restricted {
			if a.Restricted {
				return -1
			}
			return 1
		}
		if c := byEnd(a, z); c != 0 {
			return c
		}
		return a.Balance.Amount.Cmp(z.Balance.Amount)
	})
}

func byEnd(a, z market.Instrument) int {
	switch {
	case a.ValidUntil.Equal(z.ValidUntil):
		return 0
	case a.ValidUntil.IsZero():
		return 1
	case z.ValidUntil.IsZero():
		return -1
	}
	return a.ValidUntil.Compare(z.ValidUntil)
}
