package waterfall_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/jobs/waterfall"
	"nightshift/rules"
	"nightshift/rules/market"
)

func policy(t testing.TB) *rules.Policy {
	t.Helper()
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("")
	if err != nil {
		t.Fatal(err)
	}
	p, err := site.Policy("waterfall", day(2024, 6, 1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(y, m, d int) market.Date { return market.NewDate(y, time.Month(m), d) }

var at = time.Date(2024, 6, 1, 2, 0, 0, 0, time.UTC)

func money(text string) market.Money {
	m, err := market.ParseMoney(text)
	if err != nil {
		panic(err)
	}
	return m
}

// instruments reads "voucher V1 100.00, cash 150.00, discount D1 0.9 promotional".
func instruments(text string) []market.Instrument {
	var all []market.Instrument
	for entry := range strings.SplitSeq(text, ", ") {
		words := strings.Fields(entry)
		i := market.Instrument{Kind: words[0], Code: words[0]}
		switch i.Kind {
		case market.Discount:
			rate, err := market.ParseDecimal(words[2])
			if err != nil {
				panic(err)
			}
			i.Code, i.Rate, i.DiscountKind = words[1], rate, words[3]
			i.UsedBefore = slices.Contains(words, "used")
		case market.MonthEnd, market.Arrears:
			i.Unlimited = true
		case market.Cash, market.Credit:
			i.Balance = money(words[1] + " CNY")
		default:
			i.Code, i.Balance = words[1], money(words[2]+" CNY")
		}
		i.Account = market.Account("buyer:ann:" + i.Code)
		all = append(all, i)
	}
	return all
}

func told(p market.Payment) string {
	var parts []string
	if p.Discount != "" {
		parts = append(parts, "discount "+p.Discount)
	}
	for _, s := range p.Sources {
		parts = append(parts, s.Instrument+" "+s.Amount.Amount.Fixed(2))
	}
	if !p.Dropped.IsZero() {
		parts = append(parts, "dropped "+p.Dropped.Amount.String())
	}
	if !p.Shortfall.IsZero() {
		parts = append(parts, "short by "+p.Shortfall.Amount.Fixed(2))
	}
	if p.Forbidden != "" {
		parts = append(parts, "forbidden")
	}
	return strings.Join(parts, ", ")
}

func bill(kind, price string) market.Bill {
	return market.Bill{Kind: kind, Buyer: "ann", Seller: "acme", Product: "P-1", ProductClass: "service", AccessType: "saas", ChargeMode: "PERIOD",
		OrderType: "new", Price: money(price + " CNY"), At: at, CreditAllowed: true, Places: 2, Rounding: market.RoundTruncate}
}

func TestABillIsPaidInTheOrderOfTheRuleBook(t *testing.T) {
	with := func(b market.Bill, change func(*market.Bill)) market.Bill { change(&b); return b }
	changed := func(text string, change func([]market.Instrument)) []market.Instrument {
		all := instruments(text)
		change(all)
		return all
	}
	for _, tt := range []struct {
		name  string
		bill  market.Bill
		given []market.Instrument
		paid  string
	}{
		{"C1: discount, voucher, coupons, card, cash, credit",
			bill("order", "1000.00"), instruments("discount D 0.9 commercial, voucher V 100, coupon A 200, coupon B 50, card K 300, cash 150, credit 500"),
			"discount D, V 100.00, B 50.00, A 200.00, K 300.00, cash 150.00, credit 100.00"},
		{"C3: hardware is not settled at the end of the month",
			with(bill("order", "5000.00"), func(b *market.Bill) { b.AccessType, b.ProductClass, b.OnAccount = "hardware", "hardware", true }), instruments("month_end"),
			"short by 5000.00"},
		{"other goods are, and the balance is not touched",
			with(bill("order", "5000.00"), func(b *market.Bill) { b.OnAccount = true }), instruments("cash 100, month_end"),
			"month_end 5000.00"},
		{"C4: a voucher that does not go with promotions is passed over",
			bill("order", "1000.00"), changed("discount D 0.9 promotional, voucher V 100, cash 900", func(all []market.Instrument) { all[1].NotWith = []string{market.Promotional} }),
			"discount D, cash 900.00"},
		{"C5: the minimum is measured after the discount",
			bill("order", "1000.00"), changed("discount D 0.9 commercial, voucher V 100, cash 900", func(all []market.Instrument) { all[1].MinSpend = money("1000.00 CNY") }),
			"discount D, cash 900.00"},
		{"C10: what is below a fen is dropped",
			bill("on_demand", "0.056"), instruments("cash 1.00, arrears"), "cash 0.05, dropped 0.006"},
		{"C31: a voucher that begins the day after the use does not pay it",
			with(bill("on_demand", "10.00"), func(b *market.Bill) { b.UsedAt = time.Date(2024, 5, 31, 15, 30, 0, 0, time.UTC) }),
			changed("voucher V 100, cash 10", func(all []market.Instrument) { all[0].ValidFrom = time.Date(2024, 5, 31, 16, 0, 0, 0, time.UTC) }), "cash 10.00"},
		{"C34: with the credit switch off an order is not paid",
			with(bill("order", "500.00"), func(b *market.Bill) { b.CreditAllowed = false }), instruments("cash 300, credit 1000, arrears"), "short by 200.00"},
		{"C34: use is, with the same account",
			with(bill("on_demand", "500.00"), func(b *market.Bill) { b.CreditAllowed = false }), instruments("cash 300, credit 1000, arrears"), "cash 300.00, credit 200.00"},
		{"use that nothing pays stays owed",
			bill("on_demand", "500.00"), instruments("cash 300, credit 150, arrears"), "cash 300.00, credit 150.00, arrears 50.00"},
		{"B12: the promotion is lower, and the resource had it before",
			bill("renewal", "1000.00"), instruments("discount C 0.9 commercial, discount P 0.85 promotional used, cash 1000"), "discount P, cash 850.00"},
		{"B12: it was never used before",
			bill("renewal", "1000.00"), instruments("discount C 0.9 commercial, discount P 0.85 promotional, cash 1000"), "discount C, cash 900.00"},
		{"B12: on a tie the contract's goes first",
			bill("renewal", "1000.00"), instruments("discount A 0.9 promotional used, discount C 0.9 commercial, cash 1000"), "discount C, cash 900.00"},
		{"B13: a renewal takes the voucher with the largest balance",
			bill("renewal", "850.00"), instruments("voucher A 300, voucher B 500, voucher C 120, cash 200, credit 1000"), "B 500.00, cash 200.00, credit 150.00"},
		{"of two equal vouchers the one that ends first, then by code",
			bill("order", "10.00"), changed("voucher A 50, voucher B 50, voucher C 50", func(all []market.Instrument) { all[1].ValidUntil, all[2].ValidUntil = at, at }), "B 10.00"},
		{"use draws on restricted vouchers first, then on those that end first",
			bill("on_demand", "60.00"), changed("voucher A 50, voucher B 20, voucher R 10", func(all []market.Instrument) { all[1].ValidUntil, all[2].Restricted = at, true }), "R 10.00, B 20.00, A 30.00"},
		{"an order that names two vouchers is not paid",
			with(bill("order", "10.00"), func(b *market.Bill) { b.Named = []string{"A", "B"} }), instruments("voucher A 50, voucher B 50, cash 100"), "forbidden"},
		{"one that names the smaller voucher takes that",
			with(bill("order", "30.00"), func(b *market.Bill) { b.Named = []string{"A"} }), instruments("voucher A 20, voucher B 50, cash 100"), "A 20.00, cash 10.00"},
		{"of images bought with other goods a voucher pays the lines of images, less the discount, cut to the fen",
			with(bill("order", "1000.00"), func(b *market.Bill) { b.ImageLines = money("333.33 CNY") }),
			instruments("discount D 0.9 commercial, voucher V 500, coupon A 100, cash 900"), "discount D, V 299.99, A 100.00, cash 500.01"},
		{"where the image is given away it pays nothing",
			with(bill("order", "1000.00"), func(b *market.Bill) { b.ImageLines = money("0.00 CNY") }), instruments("voucher V 500, cash 1000"), "cash 1000.00"},
		{"lines that cost more than the order are all of it",
			with(bill("order", "1000.00"), func(b *market.Bill) { b.ImageLines = money("1200.00 CNY") }), instruments("voucher V 1500"), "V 1000.00"},
		{"a voucher for what is off the shelf pays nothing of it, one for anything does",
			with(bill("order", "100.00"), func(b *market.Bill) { b.OffShelf = true }),
			changed("voucher A 90, voucher B 30, cash 100", func(all []market.Instrument) { all[0].Products = []string{"P-1"} }), "B 30.00, cash 70.00"},
		{"a bill of nothing takes nothing", bill("order", "0.00"), instruments("cash 10"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := waterfall.Pay(policy(t), tt.bill, tt.given)
			if err != nil {
				t.Fatal(err)
			}
			if got := told(p); got != tt.paid {
				t.Errorf("paid %q, want %q", got, tt.paid)
			}
		})
	}
}

func TestARefusalSaysWhy(t *testing.T) {
	b := bill("order", "100.00")
	all := instruments("voucher A 50, voucher B 40, cash 100")
	all[1].ValidUntil = at.Add(-time.Second)
	p, err := waterfall.Pay(policy(t), b, all)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{B voucher valid no more Its validity was over.}]`
	if got := fmt.Sprint(p.Refused); got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
}

func TestAVoucherOfWhichNothingMayPayIsTold(t *testing.T) {
	b := bill("order", "100.00")
	b.ImageLines, b.OffShelf = money("0.00 CNY"), true
	all := instruments("voucher A 50, voucher B 40, cash 100")
	all[1].Products = []string{"P-1"}
	p, err := waterfall.Pay(policy(t), b, all)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{B voucher off the shelf The product that it names was taken off the shelf before the purchase.} {A voucher one voucher for images nothing is left of the part of the bill that it may pay}]`
	if got := fmt.Sprint(p.Refused); got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
}

func TestNothingIsConverted(t *testing.T) {
	all := instruments("voucher A 50, coupon B 40, discount D 0.5 commercial, cash 100")
	all[0].Balance, all[1].Balance, all[2].MinSpend = money("50.00 USD"), money("40.00 EUR"), money("1.00 USD")
	p, err := waterfall.Pay(policy(t), bill("order", "10.00"), all)
	if err != nil || told(p) != "cash 10.00" {
		t.Errorf("paid %q, %v", told(p), err)
	}
	const want = `[{D discount  It is in USD, and the bill in CNY.} {A voucher  It is in USD, and the bill in CNY.} {B coupon  It is in EUR, and the bill in CNY.}]`
	if got := fmt.Sprint(p.Refused); got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
}

// TestThePaymentIsThatOfANaiveReader holds the engine against a second reading
// of the rule book, written for this test alone and as plainly as it goes.
func TestThePaymentIsThatOfANaiveReader(t *testing.T) {
	p := policy(t)
	rapid.Check(t, func(t *rapid.T) {
		b, all := drawBill(t), drawInstruments(t)
		got, err := waterfall.Pay(p, b, all)
		if err != nil {
			t.Fatal(err)
		}
		if want := naive(b, all); told(got) != want {
			t.Errorf("bill %+v of %+v:\npaid  %q\nnaive %q", b, all, told(got), want)
		}
		sum := market.NewMoney(market.Decimal{}, "CNY")
		for _, s := range got.Sources {
			sum.Amount = sum.Amount.Add(s.Amount.Amount)
			i := all[slices.IndexFunc(all, func(i market.Instrument) bool { return i.Code == s.Instrument })]
			if !i.Unlimited && s.Amount.Amount.Cmp(i.Balance.Amount) > 0 || s.Amount.Amount.Sign() <= 0 {
				t.Errorf("%s paid %s of %s", s.Instrument, s.Amount, i.Balance)
			}
		}
		if got.Paid() && sum.Amount.Cmp(got.Due.Amount) != 0 || !got.Paid() && !sum.IsZero() {
			t.Errorf("the sources add up to %s of %s", sum, got.Due)
		}
	})
}

// TestTheOrderOfTheInstrumentsDoesNotMatter: a payment depends on what there
// is, not on how it was listed.
func TestTheOrderOfTheInstrumentsDoesNotMatter(t *testing.T) {
	p := policy(t)
	rapid.Check(t, func(t *rapid.T) {
		b, all := drawBill(t), drawInstruments(t)
		one, err := waterfall.Pay(p, b, all)
		if err != nil {
			t.Fatal(err)
		}
		two, err := waterfall.Pay(p, b, rapid.Permutation(all).Draw(t, "listed"))
		if err != nil || told(one) != told(two) {
			t.Errorf("paid %q and %q, %v", told(one), told(two), err)
		}
	})
}
