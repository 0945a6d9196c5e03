package market

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMoneyIsBooked(t *testing.T) {
	for _, tt := range []struct {
		name, kind, account, amount string
		want                        string
	}{
		{"a top-up is cash", MoneyTopUp, "", "5.00 CNY", "platform:bank -> buyer:ann:cash  5.00 CNY"},
		{"so is a card", MoneyCard, "", "5.00 CNY", "platform:bank -> buyer:ann:cash  5.00 CNY"},
		{"and a boleto", MoneyBoleto, "", "5.00 CNY", "platform:bank -> buyer:ann:cash  5.00 CNY"},
		{"and a refund from outside", MoneyRefundIn, "", "5.00 CNY", "platform:bank -> buyer:ann:cash  5.00 CNY"},
		{"a chargeback takes cash back", MoneyChargeback, "", "100.00 CNY", "buyer:ann:cash -> platform:bank  100.00 CNY"},
		{"what cash does not cover is owed", MoneyChargeback, "", "130.00 CNY", "buyer:ann:cash -> platform:bank  100.00 CNY; buyer:ann:arrears -> platform:bank  30.00 CNY"},
		{"cash of another currency covers nothing", MoneyChargeback, "", "1.00 USD", "buyer:ann:arrears -> platform:bank  1.00 USD"},
		{"a repayment pays credit", MoneyRepayment, "", "30.00 CNY", "platform:bank -> buyer:ann:credit  30.00 CNY"},
		{"what is more than was used is cash", MoneyRepayment, "credit", "50.00 CNY", "platform:bank -> buyer:ann:credit  40.00 CNY; platform:bank -> buyer:ann:cash  10.00 CNY"},
		{"a repayment of the month", MoneyRepayment, "month_end", "7.00 CNY", "platform:bank -> buyer:ann:month_end  7.00 CNY"},
		{"a repayment of arrears where there are none", MoneyRepayment, "arrears", "7.00 CNY", "platform:bank -> buyer:ann:cash  7.00 CNY"},
		{"cash at the cutover", MoneyOpening, "", "7.00 CNY", "platform:opening -> buyer:ann:cash  7.00 CNY"},
		{"credit used before the cutover", MoneyOpening, "credit", "7.00 CNY", "buyer:ann:credit -> platform:opening  7.00 CNY"},
		{"arrears before the cutover", MoneyOpening, "arrears", "7.00 CNY", "buyer:ann:arrears -> platform:opening  7.00 CNY"},
	} {
		books := NewBooks()
		books.SetBalance(BuyerCash("ann"), money(t, "100.00 CNY"))
		books.SetBalance(BuyerCredit("ann"), money(t, "-40.00 CNY"))
		books.SetBalance(BuyerMonthEnd("ann"), money(t, "-8.00 CNY"))
		books.SetLimits(BuyerCredit("ann"), []Limit{{time.Time{}, money(t, "60.00 CNY")}})
		j, err := BookMoney("cn", MoneyIn{Code: "T1", Buyer: "ann", Kind: tt.kind, Account: tt.account, Amount: money(t, tt.amount), At: noon, Reference: "G-9"}, books)
		if err == nil {
			err = books.Keep(j)
		}
		got := strings.ReplaceAll(strings.ReplaceAll(j.String(), "\n", "; "), "money/cn/T1  ", "")
		if err != nil || got != tt.want || j.Key != "money/cn/T1" || !strings.Contains(j.Memo, "gateway G-9") {
			t.Errorf("%s: %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
	for _, m := range []MoneyIn{{Kind: "gift"}, {Kind: MoneyRepayment, Account: Cash}, {Kind: MoneyOpening, Account: Voucher}} {
		if j, err := BookMoney("cn", m, NewBooks()); err == nil {
			t.Errorf("%+v is booked: %s", m, j)
		}
	}
}

func TestCashPaysWhatIsOwed(t *testing.T) {
	for _, tt := range []struct{ name, cash, credit, want string }{
		{"all of it", "100.00 CNY", "-40.00 CNY", "k  buyer:ann:cash -> buyer:ann:credit  40.00 CNY"},
		{"as far as it goes", "30.00 CNY", "-40.00 CNY", "k  buyer:ann:cash -> buyer:ann:credit  30.00 CNY"},
		{"nothing is owed", "30.00 CNY", "0.00 CNY", "k"},
		{"there is no cash", "0.00 CNY", "-40.00 CNY", "k"},
		{"the cash is of another currency", "30.00 USD", "-40.00 CNY", "k"},
	} {
		books := NewBooks()
		books.SetBalance(BuyerCash("ann"), money(t, tt.cash))
		books.SetBalance(BuyerCredit("ann"), money(t, tt.credit))
		if got := PayFromCash("k", BuyerCredit("ann"), "CNY", noon, books).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever comes, what the gateway took in is what the bank account was posted.
func TestMoneyTiesToTheBank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books, through := NewBooks(), NewMoney(Decimal{}, "CNY")
		books.SetLimits(BuyerCredit("ann"), []Limit{{time.Time{}, NewMoney(DecimalOf(1000), "CNY")}})
		for range rapid.IntRange(1, 20).Draw(t, "payments") {
			m := MoneyIn{Code: "T", Buyer: "ann", At: noon, Amount: NewMoney(DecimalOf(rapid.Int64Range(1, 100).Draw(t, "amount")), "CNY"),
				Kind: rapid.SampledFrom([]string{MoneyTopUp, MoneyCard, MoneyBoleto, MoneyRefundIn, MoneyChargeback, MoneyRepayment, MoneyOpening}).Draw(t, "kind")}
			if m.Kind == MoneyOpening {
				m.Account = rapid.SampledFrom([]string{"", Credit, MonthEnd, Arrears}).Draw(t, "account")
			}
			j, err := BookMoney("cn", m, books)
			if err != nil {
				t.Fatal(err)
			}
			if books.Keep(j) != nil {
				continue // credit used before the cutover, over the limit
			}
			through.Amount = through.Amount.Add(m.Throughput().Amount)
		}
		if bank := books.Balance(PlatformBank, "CNY"); bank.Neg().Amount.Cmp(through.Amount) != 0 {
			t.Fatalf("the bank was posted %s, the gateway took in %s", bank, through)
		}
		for _, a := range []Account{BuyerCredit("ann"), BuyerArrears("ann"), BuyerMonthEnd("ann")} {
			if b := books.Balance(a, "CNY"); b.Amount.Sign() > 0 {
				t.Fatalf("%s was paid more than was owed: %s", a, b)
			}
		}
	})
}

func TestHolds(t *testing.T) {
	hold := HoldCash("cn/P-1", "ann", money(t, "30.00 CNY"), noon)
	later := noon.Add(time.Hour)
	post := func(amount string) func() (Journal, error) {
		return func() (Journal, error) { return PostHold(hold, SellerAccrued("acme"), money(t, amount), later) }
	}
	for _, tt := range []struct {
		name string
		end  func() (Journal, error)
		want string
	}{
		{"posted", post("30.00 CNY"), "posted: buyer:ann:held -> seller:acme:accrued  30.00 CNY"},
		{"posted in part", post("20.00 CNY"), "posted: buyer:ann:held -> seller:acme:accrued  20.00 CNY; buyer:ann:held -> buyer:ann:cash  10.00 CNY"},
		{"posted for more than was held", post("30.01 CNY"), ""},
		{"posted for nothing", post("0.00 CNY"), ""},
		{"posted in another currency", post("1.00 USD"), ""},
		{"voided", func() (Journal, error) { return VoidHold(hold, later) }, "voided: buyer:ann:held -> buyer:ann:cash  30.00 CNY"},
		{"expired", func() (Journal, error) { return ExpireHold(hold, later) }, "expired: buyer:ann:held -> buyer:ann:cash  30.00 CNY"},
		{"the end of what is no hold", func() (Journal, error) {
			return VoidHold(Journal{Key: "order/cn/A-1/paid", Postings: hold.Postings}, later)
		}, ""},
	} {
		j, err := tt.end()
		got := ""
		if err == nil {
			got = j.Memo + ": " + strings.ReplaceAll(strings.ReplaceAll(j.String(), "\n", "; "), "hold/cn/P-1/end  ", "")
		}
		if got != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
}
