package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// planReturn takes hardware that is sent back through what happened to it and
// through the clocks of both sides, and plans what it comes to at
// its due instant. What is still open is looked at again when it can change.
func (b *bill) planReturn(r *market.RefundRequest) error {
	policy := b.version["returns"]
	w := walk{policy: policy, events: returnEvents(r.Return), from: r.RequestedAt, asOf: b.asOf, facts: func(at time.Time) any { return returnsFacts(r, at) }}
	var last Step
	end, err := w.run(func(s Step) bool {
		if last.At.IsZero() || !s.Answer.Same(last.Answer) {
			last = s
		}
		return s.Answer.Outcome != market.Wait && s.Answer.Outcome != market.Hold
	})
	if err != nil {
		return fmt.Errorf("return %s: %w", r.Code, err)
	}
	b.billed.look = earliest(b.billed.look, end.looks)
	name := b.payer.Site + "/" + r.Code
	switch outcome := last.Answer.Outcome; outcome {
	case "refund":
		r.At = last.At
		b.when(r.At, moneyComes, func(time.Time) error { return b.refund(r) })
	case "withdraw", "refuse":
		facts := returnsFacts(r, last.At)
		b.closeRefund(r, market.RefundResult{Outcome: outcome, Rule: last.Answer.Rule, Because: last.Answer.Because, At: last.At,
			Amount: market.NewMoney(market.Decimal{}, r.Order.Amount.Currency), Facts: b.harvest.keepFacts(policy, facts)})
	case market.Hold:
		notify(&b.billed.effects, market.Notice{Key: "return_held/" + name + "/" + last.At.UTC().Format(time.RFC3339), Kind: "return_held", Subject: r.Order.ID, Recipients: concerned, At: last.At})
		b.billed.outcomes["return hold"]++
	case market.Wait:
		b.billed.outcomes["return wait"]++
	default:
		return fmt.Errorf("carry out %q of ruleset returns: billing does not know this outcome", outcome)
	}
	return nil
}

// returnEvents are the instants at which something was reported of a return.
func returnEvents(r *market.Return) []time.Time {
	events := []time.Time{r.ApprovedAt, r.SentAt, r.TakenAt, r.ObjectedAt}
	for i := range r.Appeals {
		events = append(events, r.Appeals[i].OpenedAt, r.Appeals[i].DecidedAt)
	}
	events = slices.DeleteFunc(events, time.Time.IsZero)
	slices.SortFunc(events, time.Time.Compare)
	return events
}

// returnsFacts are the facts of a return as they stood at an instant.
func returnsFacts(r *market.RefundRequest, at time.Time) *rules.ReturnsFacts {
	back := r.Return
	f := &rules.ReturnsFacts{Seller: r.Seller, Product: r.Product, Amount: r.Order.Amount}
	var stopped []market.Span
	var refunded, kept time.Time
	for i := range back.Appeals {
		a := &back.Appeals[i]
		if !a.DecidedAt.IsZero() && a.DecidedAt.Before(r.RequestedAt) {
			continue // it was about the delivery
		}
		span, begun := seenSpan(a.OpenedAt, a.DecidedAt, at)
		if !begun {
			continue
		}
		stopped = append(stopped, span)
		if span.Open() {
			f.Appealed = true
			continue
		}
		switch a.Decision {
		case market.AppealRefund:
			refunded = latest(refunded, a.DecidedAt)
		case market.AppealAccept:
			kept = latest(kept, a.DecidedAt)
		}
	}
	clock := func(t time.Time) market.Stopwatch { return market.StartedAt(seen(t, at)).Without(stopped) }
	plain := func(t time.Time) market.Stopwatch { return market.StartedAt(seen(t, at)) }
	f.ApprovedFor, f.SentFor = clock(back.ApprovedAt), clock(back.SentAt)
	f.TakenFor, f.ObjectedFor = plain(back.TakenAt), plain(back.ObjectedAt)
	f.RefundedFor, f.KeptFor = plain(refunded), plain(kept)
	return f
}
