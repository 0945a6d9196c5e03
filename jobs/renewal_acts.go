package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// act is what a person did about a subscription, at an instant.
type act struct {
	at time.Time
	do func(at time.Time) error
}

// acts are what people did and nobody has judged, in the order of its instants.
// In the same second a wish comes before a purchase, and that before taking one
// back.
func (l *lifetime) acts() []act {
	var all []act
	for i := range l.s.Changes {
		if c := &l.s.Changes[i]; c.Outcome == "" {
			all = append(all, act{c.At, func(at time.Time) error { return l.change(c) }})
		}
	}
	for i := range l.s.ByHand {
		m := &l.s.ByHand[i]
		all = append(all, act{m.At, func(time.Time) error { return l.renewByHand(m) }})
	}
	for i := range l.s.Asked {
		u := &l.s.Asked[i]
		all = append(all, act{u.At, func(time.Time) error { return l.takeBack(u) }})
	}
	slices.SortStableFunc(all, func(a, b act) int { return a.at.Compare(b.at) })
	return all
}

// change has the rules judge a change of the policy, once.
func (l *lifetime) change(c *market.PolicyChange) error {
	s, policy := l.s, l.version["renewal_policy"]
	facts := &rules.PolicyFacts{Site: s.Site, AccessType: s.AccessType, Seller: s.Seller, Product: s.Product, Before: s.PolicyAt(c.At), Policy: c.Policy,
		ChargeDay: int64(c.ChargeDay), Trial: s.OnTrial(), State: l.now.State, DelistedFor: market.StartedAt(s.DelistedAt)}
	answer, err := policy.Decide(facts, c.At)
	if err != nil {
		return err
	}
	switch answer.Outcome {
	case market.Change, market.Refuse:
		c.Outcome = answer.Outcome
	default:
		return fmt.Errorf("carry out %q of ruleset %s: renewal does not know this outcome", answer.Outcome, policy.Ruleset)
	}
	l.changed = append(l.changed, market.PolicyResult{ChangeID: c.ID, SubscriptionID: s.ID, Outcome: answer.Outcome, Rule: answer.Rule, Because: answer.Because,
		At: c.At, Facts: policy.AppendFacts(nil, facts)})
	name := s.Site + "/" + s.Code + "/" + c.At.UTC().Format(time.RFC3339)
	notify(&l.billed.effects, market.Notice{Key: "policy_" + answer.Outcome + "/" + name, Kind: "policy_" + answer.Outcome, Subject: s.ID, Recipients: []string{"buyer"}, At: c.At})
	l.billed.outcomes["policy "+answer.Outcome]++
	return nil
}

// renewByHand adds a term that a person bought. Bought of a trial, it ends the
// trial.
func (l *lifetime) renewByHand(m *market.ManualRenewal) error {
	s := l.s
	if l.now.State == released {
		return fmt.Errorf("was renewed by hand as %s at %s, after it was released: have the marketplace give the money back", m.Code, m.At.In(l.site.Zone).Format(time.RFC3339))
	}
	scene, product := market.SceneRenewal, ""
	switch {
	case s.OnTrial():
		scene, product = market.SceneTrialToFormal, m.Product
	case m.Product != "" && m.Product != s.Product:
		scene, product = market.SceneRenewalChange, m.Product
	default:
		_, product = s.PriceAt(m.Term, m.At)
	}
	key := s.ManualKey(m)
	l.extend(m.Term, key, false, m.At)
	s.Terms[len(s.Terms)-1].Amount = m.Amount
	if m.Product != "" && m.Product != s.Product {
		s.Price, s.Prices = market.Money{}, nil // what the other product costs is read by the next night
	}
	l.billed.effects.Events = append(l.billed.effects.Events, market.Event{Key: key})
	return l.refresh(scene, s.Site+"/"+m.Code, m.Code, product, m.Amount, m.At)
}

// takeBack has the rules of refunds decide a request to take back the renewal
// that was bought last. What paid it gets it back, and the validity ends when it
// ended before.
func (l *lifetime) takeBack(u *market.Unsubscription) error {
	s, policy := l.s, l.version["refunds"]
	var term market.BoughtTerm
	if n := len(s.Terms); n > 0 {
		term = s.Terms[n-1]
	}
	paid, err := l.paidFor(&term)
	if err != nil {
		return err
	}
	facts := &rules.RefundFacts{Request: market.RefundUnconditional, OrderType: "renewal", AccessType: s.AccessType, ChargeMode: "PERIOD", Seller: s.Seller, Product: s.Product,
		Paid: paid, Asked: paid, ProvisionedFor: market.StartedAt(seen(term.Span.From, u.At)), Begun: !seen(term.Span.From, u.At).IsZero(),
		Over: !seen(term.Span.To, u.At).IsZero(), Trial: s.OnTrial()}
	answer, err := policy.Decide(facts, u.At)
	if err != nil {
		return err
	}
	result := market.UnsubscriptionResult{UnsubscriptionID: u.ID, SubscriptionID: s.ID, BuyerID: l.payer.ID, SellerID: s.SellerID, TermNo: term.No, PaidBy: term.PaidBy,
		Outcome: answer.Outcome, Rule: answer.Rule, Because: answer.Because, Amount: market.NewMoney(market.Decimal{}, paid.Currency), At: u.At, Facts: policy.AppendFacts(nil, facts)}
	switch answer.Outcome {
	case market.Refund:
		result.Amount = paid
		if err := l.giveBack(u, term, paid); err != nil {
			return err
		}
	case market.Refuse:
	default:
		return fmt.Errorf("carry out %q of ruleset %s: renewal does not know this outcome", answer.Outcome, policy.Ruleset)
	}
	name := s.Site + "/" + u.Code
	notify(&l.billed.effects, market.Notice{Key: "unsubscription_decided/" + name, Kind: "unsubscription_" + answer.Outcome, Subject: s.ID, Recipients: concerned, At: u.At})
	l.takenBack = append(l.takenBack, result)
	l.billed.outcomes["taken back: "+answer.Outcome]++
	return nil
}

// paidFor is what was paid for a term: by its deduction, or, where it was bought
// by hand, as it was reported.
func (l *lifetime) paidFor(term *market.BoughtTerm) (market.Money, error) {
	paid := market.NewMoney(market.Decimal{}, l.site.Currency)
	if term.No == 0 {
		return paid, nil
	}
	if !term.Automatic {
		if term.Amount.Currency == "" {
			return paid, fmt.Errorf("its renewal %s shall be taken back, and nobody reported what it cost: import the renewal again with its amount", term.PaidBy)
		}
		return term.Amount, nil
	}
	if i := slices.IndexFunc(l.billed.deductions, func(d market.Deduction) bool { return d.Key == term.PaidBy }); i >= 0 { // in this very run
		d := &l.billed.deductions[i]
		term.Paid, term.Seller = d.Payment.Sources, d.Seller
	}
	for i, source := range term.Paid {
		if i == 0 {
			paid.Currency = source.Amount.Currency
		}
		sum, err := paid.Add(source.Amount)
		if err != nil {
			return paid, fmt.Errorf("add up what paid %s: %w", term.PaidBy, err)
		}
		paid = sum
	}
	return paid, nil
}

// giveBack books what goes back to its sources, has the term not count any more
// and tells the seller: an amount below zero, and the end of before. What was
// bought by hand was not paid from here, and does not go back from here.
func (l *lifetime) giveBack(u *market.Unsubscription, term market.BoughtTerm, paid market.Money) error {
	s := l.s
	key := "unsubscription/" + s.Site + "/" + u.Code
	if term.Automatic {
		back := market.RefundRequest{At: u.At, Seller: term.Seller, Paid: term.Paid, Before: market.NewMoney(market.Decimal{}, paid.Currency), Order: market.Order{Code: term.PaidBy}}
		j := back.Journal(key, market.Decimal{}, paid, l.books)
		j.Back = true
		if err := l.book(j); err != nil {
			return err
		}
		if err := l.count(market.DeductedRenewal, key, paid.Neg(), u.At); err != nil {
			return err
		}
	} else {
		l.billed.effects.Events = append(l.billed.effects.Events, market.Event{Key: key})
	}
	l.s.TakeBack(u.At)
	l.restart(u.At)
	return l.refresh(market.SceneUnsubscribe, s.Site+"/"+u.Code, l.orderOf(&term), "", paid.Neg(), u.At)
}

// orderOf is the number under which the seller knows the order of a term.
func (l *lifetime) orderOf(term *market.BoughtTerm) string {
	if prefix := l.s.ManualKey(&market.ManualRenewal{}); !term.Automatic && len(term.PaidBy) > len(prefix) {
		return term.PaidBy[len(prefix):]
	}
	return term.PaidBy
}

// refresh tells the seller when the validity ends now.
func (l *lifetime) refresh(scene, name, order, product string, amount market.Money, at time.Time) error {
	c, err := l.s.RefreshCall(scene, name, order, product, amount, at)
	if err == nil {
		l.call(c)
	}
	return err
}

// call keeps what the seller has to be told, once.
func (l *lifetime) call(c market.Call) {
	l.billed.effects.Events = append(l.billed.effects.Events, market.Event{Key: c.Key})
	l.billed.effects.Calls = append(l.billed.effects.Calls, c)
}

// periods are for how long what is not paid is left as it is, and is kept then,
// in days.
type periods struct {
	known            bool
	grace, retention int64
}

// periodsOf asks the rules about the level of the buyer. A level that they do not
// know is the buyer's trouble: nobody may guess when to delete somebody's data.
func (b *bill) periodsOf(policy *rules.Policy) (periods, error) {
	answer, err := policy.Decide(&rules.PeriodsFacts{Site: b.payer.Site, Level: b.payer.Level}, b.asOf)
	if err != nil {
		return periods{}, err
	}
	if answer.Outcome != "known" {
		return periods{}, fmt.Errorf("buyer %s has the level %q, which %s has no periods of grace and retention for: give it a row there, or import the buyer with a level that has one",
			b.payer.Code, b.payer.Level, policy)
	}
	grace, _ := answer.Value("grace")
	retention, _ := answer.Value("retention")
	return periods{true, max(grace.Int(), 0), max(retention.Int(), 0)}, nil
}
