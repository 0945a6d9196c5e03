package settling_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/jobs/settling"
	"nightshift/rules"
	"nightshift/rules/market"
)

var shanghai = time.FixedZone("CST", 8*3600)

// desk settles sellers of the default site by the rules that ship.
func desk(t testing.TB, period int) *settling.Desk {
	t.Helper()
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	month := market.PeriodNumbered(period)
	of := func(ruleset string) *rules.InForce {
		f, err := site.InForce(ruleset, month.Last())
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	return &settling.Desk{Site: "cn", Period: month, Cut: month.To.At(market.TimeOfDay{}, shanghai), Zone: shanghai, Rules: settling.Rules{Settlement: of("settlement"),
		Instant: of("settlement_instant"), Fees: of("fees"), Tiers: of("tiers"), Taxes: of("settlement_taxes"), Minimum: of("minimum")}}
}

func cents(n int64) market.Decimal {
	d, err := market.DecimalOf(n).Quo(market.DecimalOf(100), 2, market.RoundHalfUp)
	if err != nil {
		panic(err)
	}
	return d
}

// trade is what a seller sold and gave back around May 2024.
func trade(t *rapid.T) []market.Earning {
	var all []market.Earning
	from := time.Date(2024, 4, 1, 0, 0, 0, 0, shanghai)
	instant := func(name string, after time.Time) time.Time {
		return after.Add(time.Duration(rapid.Int64Range(0, 70*24*3600).Draw(t, name)) * time.Second)
	}
	for n := range rapid.IntRange(0, 12).Draw(t, "orders") {
		placed := instant("placed", from)
		e := market.Earning{Key: fmt.Sprintf("order/cn/A-%d", n), Kind: market.EarnedOrder, OrderID: int64(n + 1), OrderType: "new", AccessType: "saas", DeliveryMode: "instant",
			ChargeMode: "PERIOD", Model: market.ModelCommon, Product: rapid.SampledFrom([]string{"P-1", "P-2"}).Draw(t, "product"),
			ProductClass: rapid.SampledFrom([]string{"service", "software"}).Draw(t, "class"), From: market.PlatformCollected,
			Paid: market.NewMoney(cents(rapid.Int64Range(1, 70_000_000).Draw(t, "paid")), "CNY"), PlacedAt: placed, PaidAt: placed}
		if rapid.Bool().Draw(t, "provisioned") {
			e.ProvisionedAt = instant("provisioned at", placed)
		}
		if rapid.IntRange(0, 4).Draw(t, "borrowed") == 0 {
			e.Borrowed = true
			e.RepaidAt = instant("repaid", placed)
		}
		all = append(all, e)
		left := e.Paid.Amount
		for r := range rapid.IntRange(0, 2).Draw(t, "refunds") {
			amount := left
			if rapid.Bool().Draw(t, "a part") {
				amount, _ = left.Quo(market.DecimalOf(3), 2, market.RoundTruncate)
			}
			if amount.IsZero() {
				continue
			}
			left = left.Sub(amount)
			at := instant("given back", placed)
			all = append(all, market.Earning{Key: fmt.Sprintf("refund/cn/R-%d-%d", n, r), Kind: market.EarnedRefund, OrderID: e.OrderID, OrderType: "new", AccessType: "saas",
				From: market.PlatformCollected, Paid: market.NewMoney(amount.Neg(), "CNY"), PlacedAt: placed, PaidAt: at, GivenBackAt: at, EffectiveAt: at, Reverses: e.Key})
		}
	}
	return all
}

func bookOf(earnings []market.Earning, carried market.Decimal) *market.SellerBook {
	return &market.SellerBook{Seller: market.Seller{ID: 1, Site: "cn", Code: "acme", Currency: "CNY", CertifiedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, shanghai)},
		Earnings: append([]market.Earning(nil), earnings...), Settled: map[string]bool{}, Before: map[string][]market.StatementLine{}, Carried: carried, CarriedFrom: market.PeriodNumbered(202404)}
}

// TestStatementsAddUp: lines are what was billed less what was kept back, they add
// up to their statement, the statement to its journal, and no order of the input
// changes anything.
func TestStatementsAddUp(t *testing.T) {
	d := desk(t, 202405)
	rapid.Check(t, func(t *rapid.T) {
		earnings := trade(t)
		carried := cents(-rapid.Int64Range(0, 100_000).Draw(t, "carried"))
		got, err := d.Settle(bookOf(earnings, carried))
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.Settle(bookOf(rapid.Permutation(earnings).Draw(t, "another order"), carried))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again, cmp.Comparer(func(a, b market.Decimal) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Fatalf("in another order (-one +other):\n%s", diff)
		}
		s := got.Statement
		if s == nil {
			return
		}
		var sum, earned market.Decimal
		for _, l := range s.Lines {
			rest := l.Billable.Sub(l.Fee).Sub(l.Withheld).Sub(l.WHT).Sub(l.DST).Sub(l.OperatingFee)
			if l.Settled.Cmp(rest) != 0 {
				t.Fatalf("%s: %s settled of %s", l.Key, l.Settled, rest)
			}
			sum = sum.Add(l.Settled)
			if l.Kind != market.EarnedCarried {
				earned = earned.Add(l.Billable)
			}
		}
		if sum.Cmp(s.Payout.Add(s.CarriedOut)) != 0 || s.Payout.Sign() < 0 || s.CarriedOut.Sign() > 0 || !s.Payout.IsZero() && !s.CarriedOut.IsZero() {
			t.Fatalf("the lines come to %s, the payout is %s, %s is carried", sum, s.Payout, s.CarriedOut)
		}
		books := map[market.Account]market.Decimal{}
		for _, p := range s.Journal(d.Cut).Postings {
			books[p.From] = books[p.From].Sub(p.Amount.Amount)
			books[p.To] = books[p.To].Add(p.Amount.Amount)
		}
		for account, want := range map[market.Account]market.Decimal{market.SellerAccrued("acme"): {}, market.SellerPayable("acme"): s.Payout, market.PlatformFees: s.Fee,
			market.SellerCarried("acme"): s.CarriedOut.Sub(s.CarriedIn), market.PlatformCollected: earned.Neg()} {
			if books[account].Cmp(want) != 0 {
				t.Fatalf("%s has %s, want %s", account, books[account], want)
			}
		}
	})
}

// TestWhatIsGivenBackInFullNetsToNothing: whatever share a line had, and in however
// many parts and periods it goes back, nothing of it is left.
func TestWhatIsGivenBackInFullNetsToNothing(t *testing.T) {
	may, june, july := desk(t, 202405), desk(t, 202406), desk(t, 202407)
	rapid.Check(t, func(t *rapid.T) {
		paid := rapid.Int64Range(100_000, 300_000_000).Draw(t, "paid")
		at := time.Date(2024, 5, 10, 12, 0, 0, 0, shanghai)
		order := market.Earning{Key: "order/cn/A-1", Kind: market.EarnedOrder, OrderID: 1, OrderType: "new", AccessType: "saas", Model: market.ModelCommon, Product: "P-1",
			ProductClass: "service", From: market.PlatformCollected, Paid: market.NewMoney(cents(paid), "CNY"), PlacedAt: at, PaidAt: at, ProvisionedAt: at,
			OperatingFee: cents(rapid.Int64Range(0, 9).Draw(t, "operating fee"))}
		first := rapid.Int64Range(1, paid-1).Draw(t, "first part")
		second := rapid.Int64Range(1, paid-first).Draw(t, "second part")
		earnings := []market.Earning{order}
		for n, part := range []int64{first, second, paid - first - second} {
			if part == 0 {
				continue
			}
			back := at.AddDate(0, n, n)
			earnings = append(earnings, market.Earning{Key: fmt.Sprintf("refund/cn/R-%d", n), Kind: market.EarnedRefund, OrderID: 1, OrderType: "new", AccessType: "saas",
				From: market.PlatformCollected, Paid: market.NewMoney(cents(-part), "CNY"), PlacedAt: at, PaidAt: back, GivenBackAt: back, EffectiveAt: back, Reverses: order.Key})
		}
		settled, before := map[string]bool{}, map[string][]market.StatementLine{}
		var carried, paidOut, fees market.Decimal
		for _, d := range []*settling.Desk{may, june, july} {
			book := bookOf(earnings, carried)
			book.Settled, book.Before = settled, before
			got, err := d.Settle(book)
			if err != nil {
				t.Fatal(err)
			}
			if got.Statement == nil {
				continue
			}
			carried, paidOut, fees = got.Statement.CarriedOut, paidOut.Add(got.Statement.Payout), fees.Add(got.Statement.Fee).Add(got.Statement.OperatingFee)
			for _, l := range got.Statement.Lines {
				if l.Kind == market.EarnedCarried {
					continue
				}
				settled[l.Key] = true
				before[order.Key] = append(before[order.Key], l)
			}
		}
		if left := paidOut.Add(carried); !left.IsZero() || !fees.IsZero() {
			t.Fatalf("of %s given back in full %s is left with the seller, %s with the platform", order.Paid, left, fees)
		}
	})
}
