package jobs

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// openOrder is what stands of an order that is not paid, from night to night.
type openOrder struct {
	Order     int64
	Print     uint64 // the fingerprint of the decision
	Shortfall market.Money
	Forbidden bool
}

// stands is what stands of a buyer from night to night, beside the books.
type stands struct {
	Orders    []openOrder `json:",omitempty"`
	Unrounded []unrounded `json:",omitempty"`
	Owing     owing       `json:",omitzero"`
	Bills     []openBill  `json:",omitempty"`
	Account   time.Time   `json:",omitzero"` // the end of the month that what is owed on account is billed with
}

// parseStands reads what stands of a buyer.
func parseStands(kept []byte) (s stands, err error) {
	if len(kept) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(kept, &s); err != nil {
		return s, fmt.Errorf("read what stands of the buyer: %w", err)
	}
	return s, nil
}

// nothing tells whether nothing stands: the buyer is settled.
func (s stands) nothing() bool {
	return len(s.Orders) == 0 && len(s.Unrounded) == 0 && len(s.Bills) == 0 && s.Account.IsZero() && s.Owing.Since.IsZero() && len(s.Owing.Frozen) == 0
}

// orderTry is an order that is not paid, on its way through the instants at
// which somebody asks for it to be paid and those at which its time runs out.
type orderTry struct {
	*bill
	order  *market.OpenOrder
	stood  openOrder // what stands from earlier nights; its Print is 0 where nothing does
	asked  bool      // in this run
	ended  bool
	answer rules.Answer
	since  time.Time // when the answer came to hold; zero while nothing was decided

	asks rules.PaymentFacts // room for what the rules are asked of

	tried     time.Time // when it was last tried to pay it; zero while nobody asked
	paid      bool
	forbidden bool
	shortfall market.Money
	toPay     market.Bill // what was last tried to be paid
	payment   market.Payment
}

// plan notes when the order is asked to be paid. What was tried before is not
// tried again: an order that could not be paid is paid by hand.
func (t *orderTry) plan() {
	o := t.order
	t.shortfall = market.NewMoney(market.Decimal{}, o.Amount.Currency)
	if i := slices.IndexFunc(t.bill.stands.Orders, func(s openOrder) bool { return s.Order == o.ID }); i >= 0 {
		t.stood = t.bill.stands.Orders[i]
		t.shortfall, t.forbidden = t.stood.Shortfall, t.stood.Forbidden
	}
	for _, at := range o.Asked() {
		if slices.ContainsFunc(o.Attempted, at.Equal) {
			t.tried = latest(t.tried, at)
			continue
		}
		t.when(at, orderIsTried, t.try)
	}
	if o.PlacedAt.After(t.asOf) {
		t.billed.look = earliest(t.billed.look, o.PlacedAt)
		t.ended = true // it is not there yet
	}
}

// try has the order paid in full, or not at all. Where its time ran out before,
// it comes too late.
func (t *orderTry) try(at time.Time) error {
	if _, err := t.pass(at.Add(-time.Microsecond)); err != nil || t.ended {
		return err
	}
	o := t.order
	if o.Amount.Currency == "" {
		return fmt.Errorf("order %s is to be paid and has no amount: import it with its amount", o.Code)
	}
	var err error
	t.toPay = market.Bill{Kind: market.DeductedOrder, Seller: o.Seller, Product: o.Product, ProductClass: o.ProductClass, AccessType: o.AccessType, Model: o.Model, TermUnit: o.TermUnit,
		ChargeMode: o.ChargeMode, OrderType: o.Type, Price: o.Amount, ImageLines: o.ImageLines, OffShelf: o.OffShelf(), At: at, Named: o.PayWith, CreditAllowed: o.CreditAllowed}
	if o.Forbidden != "" {
		t.payment = market.Payment{Price: o.Amount, Forbidden: o.Forbidden}
	} else if t.payment, err = t.pay(market.DeductedOrder, t.toPay); err != nil {
		return fmt.Errorf("order %s: %w", o.Code, err)
	}
	t.asked, t.tried, t.paid, t.forbidden = true, at, t.payment.Paid(), t.payment.Forbidden != ""
	t.shortfall.Amount = t.payment.Shortfall.Amount
	if err := t.decide(at); err != nil {
		return err
	}
	if t.paid {
		return t.giveBackPaid(o, at)
	}
	if t.ended {
		return nil // an order that ended is never tried again: it needs no key of its own
	}
	t.billed.effects.Events = append(t.billed.effects.Events, market.Event{Key: o.AttemptKey(at)})
	return nil
}

// pass lets the clocks run out that do so up to an instant, and tells when the
// next one does; zero where none runs.
func (t *orderTry) pass(upto time.Time) (next time.Time, err error) {
	return passClocks(t.version["payment"], latest(t.order.PlacedAt, t.tried), upto, func() any { return t.facts() }, t.decide, func() bool { return !t.ended })
}

// passClocks lets clocks run out up to an instant, one turn of a policy's answer
// after the other as long as it goes on, and tells when the next one does; zero
// where none runs.
func passClocks(policy *rules.Policy, from, upto time.Time, facts func() any, turn func(at time.Time) error, goesOn func() bool) (next time.Time, err error) {
	for at := from; goesOn() && !at.After(upto); {
		f := facts()
		answer, err := policy.Decide(f, at)
		if err != nil {
			return next, err
		}
		turns, ok := policy.Next(f, at, answer)
		if !ok || turns.After(upto) {
			return turns, nil
		}
		if err := turn(turns); err != nil {
			return next, err
		}
		at = turns
	}
	return next, nil
}

// facts are what the rules may ask of the order. They stand until they are made
// again.
func (t *orderTry) facts() *rules.PaymentFacts {
	o := t.order
	t.asks = rules.PaymentFacts{OrderType: o.Type, AccessType: o.AccessType, ChargeMode: o.ChargeMode, Buyer: t.payer.Code, Seller: o.Seller, Product: o.Product, Amount: o.Amount,
		PlacedFor: market.StartedAt(o.PlacedAt), TriedFor: market.StartedAt(t.tried), Paid: t.paid, Forbidden: t.forbidden, Shortfall: t.shortfall}
	return &t.asks
}

// decide asks the rules what becomes of the order at an instant, and does it.
func (t *orderTry) decide(at time.Time) error {
	answer, err := t.version["payment"].Decide(t.facts(), at)
	if err != nil {
		return err
	}
	t.answer, t.since = answer, at
	o := t.order
	name := o.Site + "/" + o.Code
	switch answer.Outcome {
	case "deduct":
		t.end(market.OrderPaid, at)
		d := market.Deduction{Key: "order/" + name + "/paid", Kind: market.DeductedOrder, Subject: o.ID, SellerID: o.SellerID, ProductID: o.ProductID,
			Seller: o.Seller, At: at, Payment: t.payment}
		if err := t.await(t.toPay, d.Kind, d.Key, d.Payment.Due); err != nil {
			return err
		}
		return t.deduct(d)
	case "cancel":
		t.end(market.OrderCancelled, at)
		notify(&t.billed.effects, market.Notice{Key: "cancelled/" + name, Kind: "order_cancelled", Subject: o.ID, Recipients: concerned, At: at})
	case "reject":
		if t.asked && t.tried.Equal(at) {
			notify(&t.billed.effects, market.Notice{Key: "not_paid/" + name + "/" + at.UTC().Format(time.RFC3339), Kind: "order_not_paid", Subject: o.ID, Recipients: []string{"buyer"}, At: at})
		}
	case market.Wait:
	default:
		return fmt.Errorf("carry out %q of ruleset payment: billing does not know this outcome", answer.Outcome)
	}
	return nil
}

func (t *orderTry) end(outcome string, at time.Time) {
	t.ended = true
	t.settled("order", t.order.ID)
	t.billed.ends = append(t.billed.ends, market.OrderEnd{OrderID: t.order.ID, Outcome: outcome, At: at})
}

// rest lets clocks run out up to the as-of, and leaves behind what was decided
// last: where it differs from what stood, and always for an attempt.
func (t *orderTry) rest() error {
	if t.ended && t.since.IsZero() {
		return nil // it lies ahead
	}
	next, err := t.pass(t.asOf)
	if err != nil {
		return err
	}
	if t.since.IsZero() {
		if err := t.decide(latest(t.order.PlacedAt, t.tried)); err != nil {
			return err
		}
	}
	policy, facts := t.version["payment"], t.facts()
	d := market.Decision{Subject: t.order.ID, Ruleset: policy.Ruleset, RunID: t.runID, Outcome: t.answer.Outcome, Rule: t.answer.Rule, DueAt: t.since, Carried: carried(t.answer)}
	if !t.ended {
		d.LookAt = next
		t.billed.look = earliest(t.billed.look, next)
	}
	print := fnv1a(fnv1a(fnv1a(fnvBasis, d.Outcome), d.Rule), d.Carried)
	if t.asked && !t.paid {
		d.Refused = t.payment.Refused
	}
	if t.asked || print != t.stood.Print {
		d.Facts = t.harvest.keepFacts(policy, facts)
		t.billed.decisions = append(t.billed.decisions, d)
	}
	t.billed.outcomes[d.Outcome]++
	if !t.ended {
		t.billed.stands.Orders = append(t.billed.stands.Orders, openOrder{Order: t.order.ID, Print: print, Shortfall: t.shortfall, Forbidden: t.forbidden})
	}
	return nil
}
