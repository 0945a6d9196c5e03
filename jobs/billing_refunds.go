package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// refund decides a request for money back, and gives it back to the sources
// that paid the order, the last that paid first.
func (b *bill) refund(r *market.RefundRequest) error {
	o := &r.Order
	currency := o.Amount.Currency
	if i := slices.IndexFunc(b.billed.deductions, func(d market.Deduction) bool { return d.Kind == market.DeductedOrder && d.Subject == o.ID }); i >= 0 {
		d := &b.billed.deductions[i] // it was paid in this very run
		r.Paid, r.Seller, r.Since = d.Payment.Sources, d.Seller, latest(r.Since, d.At)
	}
	if r.Ends() && len(r.Paid) == 0 {
		return nil // there is nothing to give back, unless it is paid later
	}
	if currency == "" && len(r.Paid) > 0 { // an upgrade that came without an amount: its price was found
		currency = r.Paid[0].Amount.Currency
	}
	paid := market.NewMoney(market.Decimal{}, currency)
	for _, s := range r.Paid {
		sum, err := paid.Add(s.Amount)
		if err != nil {
			return fmt.Errorf("refund %s: %w", r.Code, err)
		}
		paid = sum
	}
	paid.Amount = paid.Amount.Sub(r.Before.Amount).Sub(b.refunded[o.ID])
	asked := r.Amount
	if asked.Currency == "" {
		asked = paid
	}
	year := r.RequestedAt.In(b.site.Zone).Year()
	facts := rules.RefundFacts{Request: r.Request, OrderType: o.Type, AccessType: o.AccessType, DeliveryMode: o.DeliveryMode, ChargeMode: o.ChargeMode,
		Seller: r.Seller, Product: r.Product, Paid: paid, Asked: asked, ProvisionedFor: market.StartedAt(seen(r.Since, r.RequestedAt)),
		Supervised: r.Watched, Completed: !seen(r.Ended, r.RequestedAt).IsZero(), Collected: !seen(r.Taken, r.RequestedAt).IsZero(),
		Begun: !seen(r.Since, r.RequestedAt).IsZero(), Over: !seen(r.Until, r.RequestedAt).IsZero(), Trial: o.Amount.IsZero() && len(r.Paid) == 0, ThisYear: r.ThisYear + b.unconditional[year]}
	policy := b.version["refunds"]
	answer, err := policy.Decide(&facts, r.RequestedAt)
	if err != nil {
		return fmt.Errorf("refund %s: %w", r.Code, err)
	}
	result := market.RefundResult{Outcome: answer.Outcome, Rule: answer.Rule, Because: answer.Because, At: r.At,
		Amount: market.NewMoney(market.Decimal{}, currency), Facts: b.harvest.keepFacts(policy, &facts)}
	switch answer.Outcome {
	case "refund":
		result.Amount = asked
		key := "refund/" + b.payer.Site + "/" + r.Code
		if err := b.book(r.Journal(key, b.refunded[o.ID], asked, b.books)); err != nil {
			return err
		}
		if err := b.await(market.Bill{AccessType: o.AccessType, Seller: r.Seller, Product: r.Product, Price: asked, At: r.At}, market.DeductedOrder, key, asked.Neg()); err != nil {
			return err
		}
		if err := b.payArrears(key, currency, r.At); err != nil {
			return err
		}
		b.refunded[o.ID] = b.refunded[o.ID].Add(asked.Amount)
		if r.Request == market.RefundUnconditional {
			b.unconditional[year]++
		}
	case "refuse":
	default:
		return fmt.Errorf("carry out %q of ruleset refunds: billing does not know this outcome", answer.Outcome)
	}
	b.closeRefund(r, result)
	return nil
}

// giveBackPaid gives back what was paid for an order only after its end.
func (b *bill) giveBackPaid(o *market.OpenOrder, at time.Time) error {
	for i := range b.refunds {
		if r := &b.refunds[i]; r.Ends() && r.Order.ID == o.ID && !r.At.After(at) {
			r.At = at
			return b.refund(r)
		}
	}
	return nil
}

// closeRefund leaves behind what became of a request, and tells both sides.
func (b *bill) closeRefund(r *market.RefundRequest, result market.RefundResult) {
	result.RefundID, result.OrderID, result.BuyerID, result.Request, result.RequestedAt = r.ID, r.Order.ID, b.payer.ID, r.Request, r.RequestedAt
	notify(&b.billed.effects, market.Notice{Key: "refund_decided/" + b.payer.Site + "/" + r.Code, Kind: "refund_" + result.Outcome, Subject: r.Order.ID, Recipients: concerned, At: result.At})
	b.billed.refunds = append(b.billed.refunds, result)
	if r.Ends() {
		b.settled("completion", -r.ID)
	} else {
		b.settled("refund", r.ID)
	}
	b.billed.outcomes[result.Outcome]++
}
