package bank

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// State is where a payment stands.
type State string

const (
	Ordered State = "ordered" // in a file that went to the bank
	Settled State = "paid"
	Bounced State = "payment_failed"
)

// Payment is one that was ordered, as we know it.
type Payment struct {
	Reference string
	Order     string // the file that ordered it
	Seller    string
	Statement market.Money // what the seller's statement says is to be paid
	Amount    market.Money // what the file ordered
	Account   string       // where it ordered to pay to: an IBAN or a number
	State     State
}

// Verdict is what a line of the bank means for our payments.
type Verdict string

const (
	Pays        Verdict = "pays"          // statement, order and bank agree
	Bounces     Verdict = "fails"         // refused, or came back
	Stranger    Verdict = "stranger"      // no payment of ours has this reference
	WrongAmount Verdict = "wrong amount"  // the bank moved another amount, or another currency
	WrongPlace  Verdict = "wrong account" // the bank paid to another account than was ordered
	Twice       Verdict = "twice"         // the payment was paid before
	Unexpected  Verdict = "unexpected"    // it does not follow from where the payment stands
	Untied      Verdict = "untied"        // the order is not what the statement says
	Foreign     Verdict = "not ours"      // money that came in, or a booking without a reference
)

// Matched is a line of the bank with what it means.
type Matched struct {
	Entry
	Verdict Verdict
	Payment *Payment // nil where there is none
	Why     string
}

// Match compares what the bank did with what was ordered and with what the
// statements say: three sides, and only where all agree something happens. The
// payments stand afterwards as the bank left them. Lines that were taken in
// before must be left out by their keys.
func Match(payments []Payment, entries []Entry) []Matched {
	byReference, byOrder := map[string]*Payment{}, map[string][]*Payment{}
	for i := range payments {
		p := &payments[i]
		byReference[p.Reference] = p
		byOrder[p.Order] = append(byOrder[p.Order], p)
	}
	var all []Matched
	// What left comes before what came back, whatever the order of lines of a day.
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(rank(a.Kind), rank(b.Kind)))
	})
	for _, e := range sorted {
		if of := byOrder[e.Order]; e.Reference == "" && e.Order != "" && e.Kind == Paid && len(of) > 0 {
			all = append(all, wholeOrder(of, e)...)
			continue
		}
		all = append(all, judge(byReference[e.Reference], e))
	}
	return all
}

func rank(k Kind) int {
	if k == Paid {
		return 0
	}
	return 1
}

// judge says what one line means for one payment, and moves it on.
func judge(p *Payment, e Entry) Matched {
	m := Matched{Entry: e, Payment: p}
	say := func(v Verdict, format string, args ...any) Matched {
		m.Verdict, m.Why = v, fmt.Sprintf(format, args...)
		return m
	}
	switch {
	case e.Reference == "":
		return say(Foreign, "the bank gives no reference of ours")
	case p == nil && e.Kind == Received:
		return say(Foreign, "money that came in under a reference that is not ours")
	case p == nil:
		return say(Stranger, "no payment of ours has the reference %s: ask the bank who ordered it", e.Reference)
	case e.Kind == Reversed, e.Kind == Received:
		return say(Unexpected, "the bank %s it: look into the account", e.Kind)
	case e.Amount != p.Amount && !same(e.Amount, p.Amount):
		return say(WrongAmount, "ordered were %s, the bank moved %s", p.Amount, e.Amount)
	case e.Kind == Paid && e.Account != "" && p.Account != "" && plainAccount(e.Account) != plainAccount(p.Account):
		return say(WrongPlace, "ordered was %s, the bank paid to %s: stop it, and ask the bank for the money back", p.Account, e.Account)
	case !same(p.Statement, p.Amount):
		return say(Untied, "the statement says %s, ordered were %s", p.Statement, p.Amount)
	}
	switch {
	case e.Kind == Paid && p.State == Ordered:
		p.State = Settled
		return say(Pays, "")
	case e.Kind == Paid && p.State == Settled:
		return say(Twice, "it was paid before: ask the bank for one of them back")
	case e.Kind == Paid:
		return say(Unexpected, "the bank pays what had failed: it may be paid twice")
	case e.Kind == Returned && (p.State == Settled || p.State == Ordered), e.Kind == Failed && p.State == Ordered:
		p.State = Bounced
		return say(Bounces, "%s", e.Reason)
	case e.Kind == Failed && p.State == Settled:
		return say(Unexpected, "the bank refuses what it had paid")
	}
	return say(Unexpected, "it had failed before")
}

// plainAccount is an account as it is compared: people and banks group its digits
// as they like.
func plainAccount(text string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
}

func same(a, b market.Money) bool {
	c, err := a.Cmp(b)
	return err == nil && c == 0
}

// wholeOrder takes a sum that the bank booked for a whole file apart again.
func wholeOrder(of []*Payment, e Entry) []Matched {
	sum := market.NewMoney(market.Decimal{}, e.Amount.Currency)
	for _, p := range of {
		if p.Amount.Currency == sum.Currency {
			sum.Amount = sum.Amount.Add(p.Amount.Amount)
		}
	}
	if !same(sum, e.Amount) || e.Count > 0 && e.Count != len(of) {
		return []Matched{{Entry: e, Verdict: WrongAmount, Why: fmt.Sprintf("the file %s ordered %d payments of %s together, the bank booked %s", e.Order, len(of), sum, e.Amount)}}
	}
	var all []Matched
	for _, p := range of {
		one := e
		one.Reference, one.Amount, one.Key = p.Reference, p.Amount, e.Key+"/"+p.Reference
		all = append(all, judge(p, one))
	}
	return all
}
