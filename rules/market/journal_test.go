package market

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func money(t testing.TB, text string) Money {
	t.Helper()
	m, err := ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var noon = time.Date(2026, 4, 1, 4, 0, 0, 0, time.UTC)

func TestAccountsAreNamedByCodes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		account Account
		text    string
		class   string
		owner   string
		limited bool
	}{
		{"cash", BuyerCash("ann"), "buyer:ann:cash", "buyer:*:cash", "ann", true},
		{"a coupon has a code of its own", BuyerCoupon("ann", "C1"), "buyer:ann:coupon:C1", "buyer:*:coupon:*", "ann", true},
		{"a code with a colon stays one part", BuyerVoucher("a:b", "5%"), "buyer:a%3Ab:voucher:5%25", "buyer:*:voucher:*", "a:b", true},
		{"what looks escaped comes back as it was", BuyerCash("%3A"), "buyer:%253A:cash", "buyer:*:cash", "%3A", true},
		{"arrears have no floor", BuyerArrears("ann"), "buyer:ann:arrears", "buyer:*:arrears", "ann", false},
		{"what a seller earned", SellerAccrued("acme"), "seller:acme:accrued", "seller:*:accrued", "acme", false},
		{"the platform has no code", PlatformFees, "platform:fees", "platform:fees", "", false},
	} {
		if err := tt.account.Check(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		got := []any{string(tt.account), tt.account.Class(), tt.account.Owner(), tt.account.Limited()}
		if diff := cmp.Diff([]any{tt.text, tt.class, tt.owner, tt.limited}, got); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestWhatIsNoAccount(t *testing.T) {
	for _, text := range []Account{"", "buyer", "buyer:ann", "buyer::cash", "buyer:ann:cash:1", "buyer:ann:coupon", "buyer:ann:coupon:", "buyer:ann:purse",
		"buyer:*", "seller:acme:cash", "platform:purse", "platform:bank:1", "platform", "ann:cash", "buyer:ann:coupon:C1:2"} {
		if err := text.Check(); !errors.Is(err, ErrNotAnAccount) {
			t.Errorf("%q is taken for an account: %v", text, err)
		}
	}
}

func TestPosting(t *testing.T) {
	j := Journal{Key: "order/cn/A-1/paid", At: noon}
	j.Post(BuyerCash("ann"), SellerAccrued("acme"), money(t, "99.00 CNY"))
	j.Post(BuyerCredit("ann"), SellerAccrued("acme"), money(t, "0.00 CNY"))
	j.Post(PlatformDropped, BuyerDropped("ann"), money(t, "-0.006 CNY"))
	want := "order/cn/A-1/paid  buyer:ann:cash -> seller:acme:accrued  99.00 CNY\n" +
		"order/cn/A-1/paid  buyer:ann:dropped -> platform:dropped  0.006 CNY"
	if j.String() != want {
		t.Errorf("zero posts nothing and below zero the other way round:\n%s\nwant\n%s", j, want)
	}
	back := j.Reverse("order/cn/A-1/refunded", noon.Add(time.Hour))
	want = "order/cn/A-1/refunded  platform:dropped -> buyer:ann:dropped  0.006 CNY\n" +
		"order/cn/A-1/refunded  seller:acme:accrued -> buyer:ann:cash  99.00 CNY"
	if back.String() != want || back.Reverses != j.Key || back.At.Equal(j.At) {
		t.Errorf("a reversal is generated from the original:\n%s\nwant\n%s", back, want)
	}
}

func TestJournalsThatNoBookTakes(t *testing.T) {
	good := Posting{BuyerCash("ann"), SellerAccrued("acme"), money(t, "1.00 CNY")}
	with := func(change func(p *Posting)) Journal {
		p := good
		change(&p)
		return Journal{Key: "k", At: noon, Postings: []Posting{good, p}}
	}
	for _, tt := range []struct {
		name    string
		journal Journal
		says    string
	}{
		{"no key", Journal{At: noon}, "it needs a key"},
		{"no instant", Journal{Key: "k"}, "it needs a key and an instant"},
		{"it reverses itself", Journal{Key: "k", At: noon, Reverses: "k"}, "reverses itself"},
		{"nothing", with(func(p *Posting) { p.Amount.Amount = Decimal{} }), "not above zero"},
		{"less than nothing", with(func(p *Posting) { p.Amount = p.Amount.Neg() }), "not above zero"},
		{"no currency", with(func(p *Posting) { p.Amount.Currency = "" }), "no currency"},
		{"to itself", with(func(p *Posting) { p.To = p.From }), "goes nowhere"},
		{"to no account", with(func(p *Posting) { p.To = "seller:acme:purse" }), "not an account"},
		{"thirteen decimals", with(func(p *Posting) {
			p.Amount.Amount = p.Amount.Amount.Mul(decimal(t, "0.000001")).Mul(decimal(t, "0.0000001"))
		}), "out of range"},
	} {
		err := tt.journal.Check()
		if !errors.Is(err, ErrBadJournal) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
	if err := (Journal{Key: "k", At: noon}).Check(); err != nil {
		t.Errorf("an event that moved no money is refused: %v", err)
	}
}

func decimal(t testing.TB, text string) Decimal {
	t.Helper()
	d, err := ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFloors(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		name   string
		from   Account
		at     time.Time
		amount string
		want   string // empty: kept
	}{
		{"all of the cash", BuyerCash("ann"), noon, "100.00 CNY", ""},
		{"a fen more than the cash", BuyerCash("ann"), noon, "100.01 CNY", "k: account over its limit: buyer:ann:cash by 0.01 CNY"},
		{"cash of another currency", BuyerCash("ann"), noon, "1.00 USD", "k: account over its limit: buyer:ann:cash by 1.00 USD"},
		{"an account that nobody opened", BuyerHeld("ann"), noon, "1.00 CNY", "k: account over its limit: buyer:ann:held by 1.00 CNY"},
		{"credit before there was any", BuyerCredit("ann"), noon.Add(-time.Second), "1.00 CNY", "k: account over its limit: buyer:ann:credit by 31.00 CNY"},
		{"credit up to the limit", BuyerCredit("ann"), noon, "20.00 CNY", ""},
		{"credit past the limit", BuyerCredit("ann"), noon, "20.01 CNY", "k: account over its limit: buyer:ann:credit by 0.01 CNY"},
		{"credit after the limit was lowered below what is used", BuyerCredit("ann"), noon.Add(day), "0.01 CNY", "k: account over its limit: buyer:ann:credit by 10.01 CNY"},
		{"credit of another currency than the limit's", BuyerCredit("ann"), noon, "1.00 USD", "k: account over its limit: buyer:ann:credit by 1.00 USD"},
		{"arrears have no end", BuyerArrears("ann"), noon, "1000000.00 CNY", ""},
	} {
		b := NewBooks()
		b.SetBalance(BuyerCash("ann"), money(t, "100.00 CNY"))
		b.SetBalance(BuyerCredit("ann"), money(t, "-30.00 CNY"))
		b.SetLimits(BuyerCredit("ann"), []Limit{{noon.Add(day), money(t, "20.00 CNY")}, {noon, money(t, "50.00 CNY")}})
		j := Journal{Key: "k", At: tt.at}
		j.Post(tt.from, SellerAccrued("acme"), money(t, tt.amount))
		err := b.Keep(j)
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrOverLimit) || err.Error() != tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if earned := b.Balance(SellerAccrued("acme"), "CNY"); err != nil && !earned.IsZero() {
			t.Errorf("%s: refused, and %s was posted", tt.name, earned)
		}
	}
}

// A repayment is taken whatever the limit is, and leaves nothing to spend
// while more is used than the limit allows.
func TestRepaymentBelowALoweredLimit(t *testing.T) {
	b := NewBooks()
	b.SetBalance(BuyerCredit("ann"), money(t, "-80.00 CNY"))
	b.SetLimits(BuyerCredit("ann"), []Limit{{noon, money(t, "50.00 CNY")}})
	j := Journal{Key: "k", At: noon}
	j.Post(PlatformBank, BuyerCredit("ann"), money(t, "10.00 CNY"))
	if err := b.Keep(j); err != nil {
		t.Fatal(err)
	}
	if got := b.Available(BuyerCredit("ann"), "CNY", noon); !got.IsZero() {
		t.Errorf("%s can be spent, want nothing", got)
	}
}

// journals draws journals between a few accounts, of two currencies.
func journals(t *rapid.T) []Journal {
	accounts := []Account{BuyerCash("ann"), BuyerCredit("ann"), BuyerArrears("ann"), BuyerCash("bob"), SellerAccrued("acme"), PlatformBank, PlatformDropped}
	draw := rapid.Custom(func(t *rapid.T) Journal {
		j := Journal{Key: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "key"), At: noon.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)}
		for range rapid.IntRange(0, 5).Draw(t, "postings") {
			from := rapid.SampledFrom(accounts).Draw(t, "from")
			to := rapid.SampledFrom(accounts).Filter(func(a Account) bool { return a != from }).Draw(t, "to")
			amount := DecimalOf(rapid.Int64Range(-1e15, 1e15).Draw(t, "amount")).Mul(decimalOf("0.000000000001"))
			j.Post(from, to, NewMoney(amount, rapid.SampledFrom([]Currency{"CNY", "USD"}).Draw(t, "currency")))
		}
		return j
	})
	return rapid.SliceOf(draw).Draw(t, "journals")
}

func decimalOf(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// What one account gains another has lost, whatever is posted.
func TestEveryJournalBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journals(t) {
			if err := j.Check(); err != nil {
				t.Fatal(err)
			}
			total := map[Currency]Decimal{}
			for _, c := range j.changes() {
				total[c.currency] = total[c.currency].Add(c.amount)
			}
			for c, sum := range total {
				if !sum.IsZero() {
					t.Fatalf("%s\ndoes not balance: %s", j, NewMoney(sum, c))
				}
			}
		}
	})
}

func TestAReversalNetsToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journals(t) {
			net := map[purse]Decimal{}
			for _, one := range []Journal{j, j.Reverse("back/"+j.Key, j.At)} {
				for _, c := range one.changes() {
					net[c.purse] = net[c.purse].Add(c.amount)
				}
			}
			for p, left := range net {
				if !left.IsZero() {
					t.Fatalf("%s\nand its reversal leave %s %s", j, p.account, NewMoney(left, p.currency))
				}
			}
			if twice := j.Reverse("back", j.At).Reverse(j.Key, j.At); cmp.Diff(twice.String(), j.String()) != "" {
				t.Fatalf("reversed twice:\n%s\nwant\n%s", twice, j)
			}
		}
	})
}

// Books never let a limited account fall below its floor, and what they refuse
// leaves no trace.
func TestBooksHoldTheirFloors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBooks()
		b.SetLimits(BuyerCredit("ann"), []Limit{{noon.Add(24 * time.Hour), Money{DecimalOf(500), "CNY"}}})
		naive := map[purse]Decimal{}
		for _, j := range journals(t) {
			err := b.Keep(j)
			if err != nil && !errors.Is(err, ErrOverLimit) {
				t.Fatal(err)
			}
			for _, c := range j.changes() {
				if err == nil {
					naive[c.purse] = naive[c.purse].Add(c.amount)
				}
			}
			for p, want := range naive {
				if got := b.Balance(p.account, p.currency); got.Amount.Cmp(want) != 0 {
					t.Fatalf("%s is %s, want %s", p.account, got, want)
				}
				lowest := Decimal{}
				if p == (purse{BuyerCredit("ann"), "CNY"}) {
					lowest = DecimalOf(-500)
				}
				if p.account.Limited() && want.Cmp(lowest) < 0 {
					t.Fatalf("%s fell to %s", p.account, want)
				}
			}
		}
	})
}
