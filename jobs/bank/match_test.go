package bank

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func payment(reference, amount string) Payment {
	return Payment{Reference: reference, Order: "NS-1", Seller: "acme", Statement: money(amount), Amount: money(amount), State: Ordered}
}

func paymentTo(account string) Payment {
	p := payment("R-1", "10.00 CNY")
	p.Account = account
	return p
}

func bankLineTo(account string) Entry {
	e := bankLine(Paid, "R-1", "10.00 CNY")
	e.Account = account
	return e
}

func bankLine(kind Kind, reference, amount string) Entry {
	return Entry{Key: string(kind) + reference + amount, Kind: kind, Reference: reference, Amount: money(amount), On: market.NewDate(2024, 5, 27)}
}

func TestWhatABankDidIsJudgedByAllThreeSides(t *testing.T) {
	untied := payment("R-1", "10.00 CNY")
	untied.Statement = money("11.00 CNY")
	tests := []struct {
		name     string
		payments []Payment
		entries  []Entry
		verdicts string
		state    State
	}{
		{"what was ordered is paid", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10.00 CNY")}, "pays", Settled},
		{"ten yuan are ten yuan however they are written", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10 CNY")}, "pays", Settled},
		{"a stranger's reference", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-9", "10.00 CNY")}, "stranger", Ordered},
		{"a cent too much", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10.01 CNY")}, "wrong amount", Ordered},
		{"to the account that was ordered, however it is grouped", []Payment{paymentTo("DE89370400440532013000")}, []Entry{bankLineTo("DE89 3704 0044 0532 0130 00")}, "pays", Settled},
		{"to another account", []Payment{paymentTo("DE89370400440532013000")}, []Entry{bankLineTo("DE02120300000000202051")}, "wrong account", Ordered},
		{"to an account that the bank does not tell", []Payment{paymentTo("DE89370400440532013000")}, []Entry{bankLineTo("")}, "pays", Settled},
		{"another currency", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10.00 USD")}, "wrong amount", Ordered},
		{"paid twice", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10.00 CNY"), bankLine(Paid, "R-1", "10.00 CNY")}, "pays, twice", Settled},
		{"paid and come back, told the other way round", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Returned, "R-1", "10.00 CNY"), bankLine(Paid, "R-1", "10.00 CNY")}, "pays, fails", Bounced},
		{"refused", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Failed, "R-1", "10.00 CNY")}, "fails", Bounced},
		{"refused after it was paid", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "R-1", "10.00 CNY"), bankLine(Failed, "R-1", "10.00 CNY")}, "pays, unexpected", Settled},
		{"paid after it failed", []Payment{{Reference: "R-1", Statement: money("1.00 CNY"), Amount: money("1.00 CNY"), State: Bounced}}, []Entry{bankLine(Paid, "R-1", "1.00 CNY")}, "unexpected", Bounced},
		{"come back twice", []Payment{{Reference: "R-1", Statement: money("1.00 CNY"), Amount: money("1.00 CNY"), State: Bounced}}, []Entry{bankLine(Returned, "R-1", "1.00 CNY")}, "unexpected", Bounced},
		{"an order that is not its statement", []Payment{untied}, []Entry{bankLine(Paid, "R-1", "10.00 CNY")}, "untied", Ordered},
		{"no reference", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Paid, "", "10.00 CNY")}, "not ours", Ordered},
		{"money from somebody else", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Received, "X", "10.00 CNY")}, "not ours", Ordered},
		{"a credit taken back", []Payment{payment("R-1", "10.00 CNY")}, []Entry{bankLine(Reversed, "R-1", "10.00 CNY")}, "unexpected", Ordered},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var verdicts []string
			for _, m := range Match(test.payments, test.entries) {
				verdicts = append(verdicts, string(m.Verdict))
				if m.Verdict != Pays && m.Verdict != Bounces && m.Why == "" {
					t.Errorf("%s without a reason", m.Verdict)
				}
			}
			if got := strings.Join(verdicts, ", "); got != test.verdicts || test.payments[0].State != test.state {
				t.Errorf("%s, %s; want %s, %s", got, test.payments[0].State, test.verdicts, test.state)
			}
		})
	}
}

func TestASumForAWholeFilePaysEachOfItsPayments(t *testing.T) {
	entry := Entry{Key: "k", Kind: Paid, Order: "NS-1", Count: 2, Amount: money("30.00 CNY")}
	payments := []Payment{payment("R-1", "10.00 CNY"), payment("R-2", "20.00 CNY")}
	all := Match(payments, []Entry{entry})
	if len(all) != 2 || all[0].Verdict != Pays || all[1].Key != "k/R-2" || all[1].Amount != money("20.00 CNY") || payments[1].State != Settled {
		t.Errorf("%+v", all)
	}
	entry.Amount = money("29.99 CNY")
	payments = []Payment{payment("R-1", "10.00 CNY"), payment("R-2", "20.00 CNY")}
	if all := Match(payments, []Entry{entry}); len(all) != 1 || all[0].Verdict != WrongAmount || !strings.Contains(all[0].Why, "ordered 2 payments of 30.00 CNY together") {
		t.Errorf("%+v", all)
	}
}

func TestMatchingInTwoFilesIsMatchingInOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var one, two []Payment
		for i := range 4 {
			p := payment(fmt.Sprint("R-", i), fmt.Sprint(i+1, ".00 CNY"))
			one, two = append(one, p), append(two, p)
		}
		var entries []Entry
		for i := range rapid.IntRange(0, 12).Draw(t, "lines") {
			e := bankLine(rapid.SampledFrom([]Kind{Paid, Returned, Failed}).Draw(t, "kind"), fmt.Sprint("R-", rapid.IntRange(0, 4).Draw(t, "of")), fmt.Sprint(rapid.IntRange(1, 5).Draw(t, "amount"), ".00 CNY"))
			e.On = market.Date(i)
			entries = append(entries, e)
		}
		whole := Match(one, entries)
		cut := rapid.IntRange(0, len(entries)).Draw(t, "cut")
		parts := append(Match(two, entries[:cut]), Match(two, entries[cut:])...)
		for i := range whole {
			if whole[i].Verdict != parts[i].Verdict {
				t.Errorf("line %d: %s in one file, %s in two", i, whole[i].Verdict, parts[i].Verdict)
			}
		}
		for i := range one {
			if one[i].State != two[i].State {
				t.Errorf("payment %d: %s in one file, %s in two", i, one[i].State, two[i].State)
			}
		}
	})
}
