// Package waterfall says how a bill is paid: which discount lowers it, and which
// of the buyer's instruments pay what is left, one after the other.
//
// Owns: the order in which the rules are asked, and what their answers come to.
// Does not own: which instrument is good for what, in which order and how many
// of them (the ruleset "waterfall"), where balances come from, or their journal.
// Always: the same bill and instruments are paid the same way; the sources add
// up to what is due, to the last decimal, or there are none; no instrument pays
// more than is left of it.
package waterfall

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// chosen is an instrument that the rules let be used.
type chosen struct {
	*market.Instrument
	rule   string
	step   int64
	order  []string
	atMost int64
	limit  *market.Decimal // of what those of the step pay together; nil: none
	leaves market.Decimal  // of a discount: the price after it
}

// Pay settles a bill by a policy of the ruleset "waterfall". It changes
// nothing. Instruments of another currency are passed over: nothing is ever
// converted. The error is a candidate's trouble: two rules that match where one
// may.
func Pay(policy *rules.Policy, bill market.Bill, instruments []market.Instrument) (market.Payment, error) {
	w := room.Get().(*waterfall)
	defer room.Put(w)
	*w = waterfall{policy: policy, bill: bill, usable: w.usable[:0]}
	w.paid = market.Payment{Price: bill.Price, Due: bill.Price}
	if bill.UsedAt.IsZero() {
		w.bill.UsedAt = bill.At
	}
	if bill.PricedAt.IsZero() {
		w.bill.PricedAt = w.bill.UsedAt
	}
	if err := w.discount(instruments); err != nil {
		return w.paid, err
	}
	if w.paid.Forbidden == "" {
		if err := w.draw(instruments); err != nil {
			return w.paid, err
		}
	}
	if !w.paid.Paid() {
		w.paid.Sources = nil // all of it or nothing
	}
	return w.paid, nil
}

// waterfall is one bill on its way.
type waterfall struct {
	policy *rules.Policy
	bill   market.Bill
	paid   market.Payment
	given  string // the kind of the discount that was given
	facts  rules.WaterfallFacts
	usable []chosen
}

// room is that of earlier bills for later ones: a night pays millions.
var room = sync.Pool{New: func() any { return new(waterfall) }}

// discount chooses the discount, and rounds what is left to what is charged.
func (w *waterfall) discount(instruments []market.Instrument) error {
	discounts, err := w.ask(instruments, func(i *market.Instrument) bool { return i.Kind == market.Discount })
	if err != nil || w.paid.Forbidden != "" {
		return err
	}
	for i := range discounts {
		discounts[i].leaves = w.bill.Price.Amount.Mul(discounts[i].Rate)
	}
	arrange(discounts)
	exact := w.bill.Price
	if len(discounts) > 0 {
		best := &discounts[0]
		if exact.Amount, err = best.leaves.Round(market.MaxFractionDigits, market.RoundHalfUp); err != nil { // what the books hold
			return fmt.Errorf("take the discount %s off: %w", best.Code, err)
		}
		w.paid.Discount, w.given = best.Code, best.DiscountKind
		for _, d := range discounts[1:] {
			w.refuse(d, "one discount is given, and another comes first")
		}
	}
	due, err := exact.Round(w.bill.Places, w.bill.Rounding)
	if err != nil {
		return fmt.Errorf("round what is to pay: %w", err)
	}
	w.paid.Due = due
	w.paid.Dropped, err = exact.Sub(due)
	return err
}

// draw takes what is due from the other instruments, in the order of the rules.
func (w *waterfall) draw(instruments []market.Instrument) error {
	usable, err := w.ask(instruments, func(i *market.Instrument) bool { return i.Kind != market.Discount })
	if err != nil || w.paid.Forbidden != "" {
		return err
	}
	arrange(usable)
	rest := w.paid.Due
	var used, step int64 // of a step: they come one after the other
	var stepPaid market.Decimal
	for _, i := range usable {
		if rest.Amount.Sign() <= 0 {
			break
		}
		if i.step != step {
			used, step, stepPaid = 0, i.step, market.Decimal{}
		}
		if i.atMost > 0 && used == i.atMost {
			w.refuse(i, fmt.Sprintf("no more than %d of these can be used for one bill", i.atMost))
			continue
		}
		amount, err := i.pays(rest, stepPaid)
		if err != nil {
			return err
		}
		if amount.Amount.Sign() <= 0 {
			if i.limit != nil {
				w.refuse(i, "nothing is left of the part of the bill that it may pay")
			}
			continue
		}
		used++
		stepPaid = stepPaid.Add(amount.Amount)
		rest.Amount = rest.Amount.Sub(amount.Amount)
		w.paid.Sources = append(w.paid.Sources, market.Source{Instrument: i.Code, Kind: i.Kind, Account: i.Account, Returns: i.Returns, Amount: amount, Rule: i.rule})
	}
	if rest.Amount.Sign() > 0 {
		w.paid.Shortfall = rest
	}
	return nil
}

// pays is what the instrument pays of the rest of a bill, of which those of its
// step have paid something.
func (c *chosen) pays(rest market.Money, stepPaid market.Decimal) (market.Money, error) {
	amount := rest
	if !c.Unlimited {
		order, err := c.Balance.Cmp(rest)
		if err != nil {
			return amount, fmt.Errorf("pay with %s %s: %w", c.Kind, c.Code, err)
		}
		if order < 0 {
			amount = c.Balance
		}
	}
	if c.limit != nil {
		if left := c.limit.Sub(stepPaid); left.Cmp(amount.Amount) < 0 {
			amount.Amount = left
		}
	}
	return amount, nil
}

func (w *waterfall) refuse(i chosen, because string) {
	w.paid.Refused = append(w.paid.Refused, market.Refusal{Instrument: i.Code, Kind: i.Kind, Rule: i.rule, Because: because})
}

// ask asks the rules about each instrument of a sort.
func (w *waterfall) ask(instruments []market.Instrument, sort func(*market.Instrument) bool) ([]chosen, error) {
	usable := w.usable[:0]
	for n := range instruments {
		i := &instruments[n]
		if !sort(i) {
			continue
		}
		if c := i.Currency(); c != "" && w.bill.Price.Currency != "" && c != w.bill.Price.Currency {
			w.refuse(chosen{Instrument: i}, "It is in "+string(c)+", and the bill in "+string(w.bill.Price.Currency)+".")
			continue
		}
		if err := w.look(i, instruments); err != nil {
			return nil, err
		}
		answer, err := w.policy.Decide(&w.facts, w.bill.At)
		if err != nil {
			return nil, err
		}
		switch answer.Outcome {
		case "use":
			step, _ := answer.Value("step")
			order, _ := answer.Value("order")
			atMost, _ := answer.Value("at_most")
			c := chosen{Instrument: i, rule: answer.Rule, step: step.Int(), order: order.List(), atMost: atMost.Int()}
			if limit, ok := answer.Value("limit"); ok {
				most := limit.Money().Amount
				c.limit = &most
			}
			usable = append(usable, c)
		case "refuse":
			w.refuse(chosen{Instrument: i, rule: answer.Rule}, answer.Because)
		case "forbid":
			w.paid.Forbidden = answer.Because
			return nil, nil
		default:
			return nil, fmt.Errorf("pay by %s: its rule %q answers %q, which is nothing a payment knows", w.policy, answer.Rule, answer.Outcome)
		}
	}
	w.usable = usable
	return usable, nil
}

// look makes the facts about one instrument.
func (w *waterfall) look(i *market.Instrument, all []market.Instrument) error {
	b := &w.bill
	images, err := b.ImagePart(w.paid.Due, b.Places)
	if err != nil {
		return fmt.Errorf("find what the lines of images cost of %s: %w", w.paid.Due, err)
	}
	zero := market.NewMoney(market.Decimal{}, b.Price.Currency)
	at := b.UsedAt
	if i.Kind == market.Discount {
		at = b.PricedAt
	}
	w.facts = rules.WaterfallFacts{
		Bill: b.Kind, OrderType: b.OrderType, AccessType: b.AccessType, ProductClass: b.ProductClass, ChargeMode: b.ChargeMode,
		Seller: b.Seller, Product: b.Product, Price: b.Price, Payable: w.paid.Due,
		ImagePart: images, OffShelf: b.OffShelf,
		CreditAllowed: b.CreditAllowed, OnAccount: b.OnAccount, Automatic: len(b.Named) == 0, NamedVouchers: namedVouchers(b, all),
		Instrument: i.Kind, DiscountKind: i.DiscountKind, Balance: orZero(i.Balance, zero), MinSpend: orZero(i.MinSpend, zero),
		Named: slices.Contains(b.Named, i.Code), Restricted: i.Restricted, UsedBefore: i.UsedBefore,
		Begun:        !i.ValidFrom.After(at),
		Over:         !i.ValidUntil.IsZero() && i.ValidUntil.Before(at),
		NamesProduct: slices.Contains(i.Products, b.Product),
		FitsProduct:  fits(i.Products, b.Product), FitsChargeMode: fits(i.ChargeModes, b.ChargeMode), FitsOrderType: fits(i.OrderTypes, b.OrderType),
		FitsModel: fits(i.Models, b.Model), FitsTerm: fits(i.TermUnits, b.TermUnit),
		BarredByPrice: w.given != "" && slices.Contains(i.NotWith, w.given),
		Issuer:        i.Issuer,
	}
	return nil
}

func orZero(m, zero market.Money) market.Money {
	if m.Currency == "" {
		return zero
	}
	return m
}

// fits tells whether what an instrument is good for has the word in it.
func fits(good []string, word string) bool { return len(good) == 0 || slices.Contains(good, word) }

// namedVouchers counts the vouchers that the buyer named for the bill.
func namedVouchers(b *market.Bill, all []market.Instrument) (n int64) {
	if len(b.Named) == 0 {
		return 0
	}
	for i := range all {
		if all[i].Kind == market.Voucher && slices.Contains(b.Named, all[i].Code) {
			n++
		}
	}
	return n
}

// arrange puts instruments in the order of their steps, and within a step in
// the order that the rules name; codes decide what nothing else does.
func arrange(usable []chosen) {
	slices.SortStableFunc(usable, func(a, b chosen) int {
		if c := cmp.Compare(a.step, b.step); c != 0 {
			return c
		}
		for _, by := range a.order {
			if c := compare(by, &a, &b); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code))
	})
}

func compare(by string, a, b *chosen) int {
	switch by {
	case rules.RestrictedFirst:
		return first(a.Restricted, b.Restricted)
	case rules.CommercialFirst:
		return first(a.DiscountKind == market.Commercial, b.DiscountKind == market.Commercial)
	case rules.EarliestExpiry:
		return expiry(a.ValidUntil).Compare(expiry(b.ValidUntil))
	case rules.SmallestBalance:
		return a.Balance.Amount.Cmp(b.Balance.Amount)
	case rules.LargestBalance:
		return b.Balance.Amount.Cmp(a.Balance.Amount)
	case rules.LowestPrice:
		return a.leaves.Cmp(b.leaves)
	}
	return 0
}

// first puts what holds before what does not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// never is later than the end of any validity.
var never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func expiry(until time.Time) time.Time {
	if until.IsZero() {
		return never
	}
	return until
}
