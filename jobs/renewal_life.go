package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// The answers of the rules of expiries: the states of a subscription.
const (
	lapsed   = "lapse"
	frozen   = "freeze"
	released = "release"
)

// asManyNights is how many nights ahead are asked at once where nothing runs
// out before.
const asManyNights = 366

// lifetime is one subscription on its way through a night.
type lifetime struct {
	*renewing
	s      *market.Subscription
	now    standingSubscription
	since  time.Time // from which on the clocks were not looked at
	turn   time.Time // when the state changes by itself; zero: never
	answer rules.Answer
	expiry *market.Decision // the last change of the state in this run; nil: none
}

// live takes the subscription through what people did about it, the clocks that
// ran out, the attempt of the night and its reminders.
func (l *lifetime) live() error {
	l.recall()
	for _, act := range l.acts() {
		if act.at.After(l.asOf) {
			l.billed.look = earliest(l.billed.look, act.at)
			break
		}
		if err := l.pass(act.at.Add(-time.Microsecond)); err != nil {
			return err
		}
		if err := act.do(act.at); err != nil {
			return err
		}
	}
	if err := l.pass(l.asOf); err != nil {
		return err
	}
	if l.now.State != released {
		if err := l.attempt(); err != nil {
			return err
		}
		if err := l.remind(); err != nil {
			return err
		}
		if err := l.lookAhead(); err != nil {
			return err
		}
	}
	if l.expiry != nil {
		l.billed.decisions = append(l.billed.decisions, *l.expiry)
	}
	l.left = append(l.left, l.now)
	return nil
}

// recall finds what stands of the subscription. What was said of another end
// does not hold any more: the marketplace reported a new one.
func (l *lifetime) recall() {
	l.since = l.s.Start
	l.now = standingSubscription{Subscription: l.s.ID, State: market.Wait}
	if i := slices.IndexFunc(l.stood, func(s standingSubscription) bool { return s.Subscription == l.s.ID }); i >= 0 {
		l.now = l.stood[i]
		l.since = time.UnixMicro(l.now.Seen)
	}
	if end := l.s.EndsAt().UnixMicro(); l.now.End != end {
		l.now = standingSubscription{Subscription: l.s.ID, End: end, State: l.now.State}
	}
}

// extend adds a term, which begins where the last one ends, and starts its life.
func (l *lifetime) extend(t market.Term, key string, automatic bool, at time.Time) market.BoughtTerm {
	next := l.s.Extend(t, key, automatic, at, l.site.Zone)
	l.bought = append(l.bought, next)
	l.restart(at)
	return next
}

// restart has what was said of the end of the last term said again of another one.
func (l *lifetime) restart(at time.Time) {
	l.now = standingSubscription{Subscription: l.s.ID, End: l.s.EndsAt().UnixMicro(), State: l.now.State}
	l.since = at
}

// pass lets the clocks of the expiry run out up to an instant.
func (l *lifetime) pass(upto time.Time) error {
	policy := l.version["expiry"]
	for at := l.since; l.now.State != released; {
		facts := l.facts(at)
		answer, err := policy.Decide(facts, at)
		if err != nil {
			return err
		}
		if answer.Outcome != l.now.State {
			if err := l.enter(answer, facts, at); err != nil {
				return err
			}
		}
		turns, turn := policy.Next(facts, at, answer)
		l.turn = turns
		if !turn || turns.After(upto) {
			break
		}
		at = turns
	}
	l.since = latest(l.since, upto)
	l.now.Seen = l.since.UnixMicro()
	return nil
}

// enter has the subscription come into another state at an instant, and tells
// the buyer, and the seller who has to act.
func (l *lifetime) enter(answer rules.Answer, facts *rules.RenewalFacts, at time.Time) error {
	name := l.s.Name(l.site.Zone)
	tell := func(notice string) {
		notify(&l.billed.effects, market.Notice{Key: notice + "/" + name, Kind: "subscription_" + notice, Subject: l.s.ID, Recipients: concerned, At: at})
	}
	switch answer.Outcome {
	case market.Wait, lapsed:
		if l.now.State == frozen {
			tell("unfrozen")
			l.call(l.s.StatusCall(market.StatusUnfreeze, name, at))
		}
	case frozen:
		tell("frozen")
		l.call(l.s.StatusCall(market.StatusFreeze, name, at))
	case released:
		tell("released")
		l.call(l.s.ReleaseCall(name, at))
	default:
		return fmt.Errorf("carry out %q of ruleset expiry: renewal does not know this outcome", answer.Outcome)
	}
	l.now.State = answer.Outcome
	policy := l.version["expiry"]
	l.expiry = &market.Decision{Subject: l.s.ID, Ruleset: policy.Ruleset, RunID: l.runID, Outcome: answer.Outcome, Rule: answer.Rule, DueAt: at,
		Facts: l.harvest.keepFacts(policy, facts), Carried: carried(answer)}
	if next, turns := policy.Next(facts, at, answer); turns {
		l.expiry.LookAt = next
	}
	l.billed.outcomes[answer.Outcome]++
	return nil
}

// facts are what the rules may ask, as it stands at an instant.
func (l *lifetime) facts(at time.Time) *rules.RenewalFacts {
	s, zone := l.s, l.site.Zone
	on := market.DateOf(at, zone)
	wish, _ := s.WishAt(at)
	f := &rules.RenewalFacts{Site: s.Site, AccessType: s.AccessType, Level: l.payer.Level, GraceDays: l.periods.grace, KeptDays: l.periods.retention,
		Seller: s.Seller, Product: s.Product, Policy: s.PolicyAt(at), Trial: s.OnTrial(), Unwanted: s.Unwanted(at),
		ChargeDay: int64(wish.ChargeDay), DaysLeft: int64(market.DateOf(s.EndsAt(), zone) - on), ExpiredFor: market.StartedAt(s.EndsAt()),
		Price: l.price(at), Shortfall: l.now.Shortfall, State: l.now.State, DaysToTurn: -1, Failed: l.now.Failed}
	if f.Priced = f.Price.Currency != ""; !f.Priced {
		f.Price.Currency = l.site.Currency
	}
	if f.Shortfall.Currency == "" {
		f.Shortfall.Currency = f.Price.Currency
	}
	if !l.turn.IsZero() {
		f.DaysToTurn = int64(market.DateOf(l.turn, zone) - on)
	}
	return f
}

// price is what the next term costs at an instant: what the first attempt fixed
// for as long a term, or what holds then.
func (l *lifetime) price(at time.Time) market.Money {
	wish, _ := l.s.WishAt(at)
	if l.now.Price.Currency != "" && l.now.For == wish.Renews {
		return l.now.Price
	}
	price, _ := l.s.PriceAt(wish.Renews, at)
	return price
}

// attempt renews the subscription where the rules want it and the buyer can pay:
// in full, or nothing is deducted.
func (l *lifetime) attempt() error {
	policy, facts := l.version["renewal"], l.facts(l.asOf)
	facts.Paid = true
	var err error
	if l.answer, err = policy.Decide(facts, l.asOf); err != nil {
		return err
	}
	tried := l.answer.Outcome == "renew"
	var payment market.Payment
	if tried {
		l.fixPrice()
		s := l.s
		payment, err = l.pay(market.DeductedRenewal, market.Bill{Kind: market.DeductedRenewal, Seller: s.Seller, Product: s.Product, ProductClass: s.ProductClass, AccessType: s.AccessType,
			ChargeMode: "PERIOD", OrderType: "renewal", Model: s.Model, TermUnit: string(l.now.For.Unit), Price: l.now.Price, At: l.asOf, PricedAt: time.UnixMicro(l.now.Priced), Promotions: s.Promotions, CreditAllowed: s.CreditAllowed})
		if err != nil {
			return err
		}
		facts.Paid, facts.Shortfall.Amount = payment.Paid(), payment.Shortfall.Amount
		if l.answer, err = policy.Decide(facts, l.asOf); err != nil {
			return err
		}
	}
	d := market.Decision{Subject: l.s.ID, Ruleset: policy.Ruleset, RunID: l.runID, Outcome: l.answer.Outcome, Rule: l.answer.Rule, DueAt: l.asOf, Carried: carried(l.answer)}
	print := fnv1a(fnv1a(fnv1a(fnvBasis, d.Outcome), d.Rule), d.Carried)
	if tried || print != l.now.Print && !(l.now.Print == 0 && d.Outcome == market.Wait) {
		d.Facts = l.harvest.keepFacts(policy, facts)
		if d.Outcome == "retry" || d.Outcome == market.Hold {
			if d.LookAt, err = l.nextTry(); err != nil {
				return err
			}
		}
		l.billed.decisions = append(l.billed.decisions, d)
		l.now.Print = print
	}
	l.billed.outcomes[d.Outcome]++
	return l.carryOut(payment, facts)
}

// nextTry is the next night in which it will be tried to renew the subscription,
// if nothing but time goes on; zero where there is none.
func (l *lifetime) nextTry() (time.Time, error) {
	tonight := market.DateOf(l.asOf, l.site.Zone)
	for on := tonight + 1; on-tonight <= asManyNights; on++ {
		at, err := l.site.AsOf(renewalJob, on)
		if err != nil {
			return time.Time{}, err
		}
		facts := l.facts(at)
		facts.Paid = true
		answer, err := l.version["renewal"].Decide(facts, at)
		if err != nil {
			return time.Time{}, err
		}
		if tries(answer.Outcome) {
			return at, nil
		}
		if answer.Outcome == "cancel" {
			break
		}
	}
	return time.Time{}, nil
}

// tries tells whether something is done about a renewal in a night.
func tries(outcome string) bool {
	return outcome == "renew" || outcome == "retry" || outcome == market.Hold
}

// fixPrice fixes what the renewal costs, and which discounts it has, with its
// first attempt: later ones only pay it. Another length is another renewal.
func (l *lifetime) fixPrice() {
	wish, _ := l.s.WishAt(l.asOf)
	price := l.price(l.asOf)
	if l.now.Priced == 0 || l.now.For != wish.Renews {
		l.now.Priced = l.asOf.UnixMicro()
	}
	l.now.Price, l.now.For = price, wish.Renews
}

// carryOut does what the rules answered in the night.
func (l *lifetime) carryOut(payment market.Payment, facts *rules.RenewalFacts) error {
	switch l.answer.Outcome {
	case "renew":
		return l.renew(payment)
	case "retry":
		l.now.Failed, l.now.Shortfall = true, facts.Shortfall
	case "cancel", market.Hold, market.Wait:
		l.now.Failed = false
	default:
		return fmt.Errorf("carry out %q of ruleset renewal: renewal does not know this outcome", l.answer.Outcome)
	}
	return nil
}

// renew books what pays the next term, and adds it: it begins at the end of the
// last one, also where it is paid later.
func (l *lifetime) renew(payment market.Payment) error {
	s, key := l.s, l.s.RenewalKey(l.site.Zone)
	if !payment.Paid() {
		return fmt.Errorf("renew by rule %q of ruleset renewal: %s are missing, and a term is paid in full or not at all", l.answer.Rule, payment.Shortfall)
	}
	name := s.Name(l.site.Zone)
	fixed := l.now
	_, soldAs := s.PriceAt(fixed.For, time.UnixMicro(fixed.Priced))
	used := l.extend(fixed.For, key, true, l.asOf).Span
	d := market.Deduction{Key: key, Kind: market.DeductedRenewal, Subject: s.ID, SellerID: s.SellerID, Seller: s.Seller, ProductID: s.ProductID,
		Used: used, At: l.asOf, Payment: payment}
	if err := l.deduct(d); err != nil {
		return err
	}
	if err := l.count(d.Kind, key, payment.Due, l.asOf); err != nil {
		return err
	}
	notify(&l.billed.effects, market.Notice{Key: "renewed/" + name, Kind: "subscription_renewed", Subject: s.ID, Recipients: concerned, At: l.asOf})
	if err := l.refresh(market.SceneRenewal, name, key, soldAs, payment.Due, l.asOf); err != nil {
		return err
	}
	return l.pass(l.asOf)
}

// remind tells the buyer what the rules want told in the night, at an hour of its
// date: a notice for ten in the morning is written at three.
func (l *lifetime) remind() error {
	policy := l.version["renewal_reminders"]
	answer, err := policy.Decide(l.facts(l.asOf), l.asOf)
	if err != nil || answer.Outcome == "quiet" {
		return err
	}
	if answer.Outcome != "remind" {
		return fmt.Errorf("carry out %q of ruleset %s: renewal does not know this outcome", answer.Outcome, policy.Ruleset)
	}
	notice, _ := answer.Value("notice")
	hour, _ := answer.Value("hour")
	on := market.DateOf(l.asOf, l.site.Zone)
	notify(&l.billed.effects, market.Notice{Key: notice.Text() + "/" + l.s.Site + "/" + l.s.Code + "/" + on.String(), Kind: "subscription_" + notice.Text(), Subject: l.s.ID,
		Recipients: []string{"buyer"}, At: on.At(market.TimeOfDay{Hour: int(hour.Int())}, l.site.Zone)})
	return nil
}

// lookAhead asks the rules of the coming nights, and notes the first in which
// there is something to do: a subscription costs nothing before its window.
func (l *lifetime) lookAhead() error {
	l.billed.look = earliest(l.billed.look, l.turn)
	tonight := market.DateOf(l.asOf, l.site.Zone)
	for on := tonight + 1; ; on++ {
		at, err := l.site.AsOf(renewalJob, on)
		if err != nil || !l.turn.IsZero() && !at.Before(l.turn) {
			return nil
		}
		facts := l.facts(at)
		facts.Paid = true
		answer, err := l.version["renewal"].Decide(facts, at)
		if err != nil {
			return err
		}
		reminder, err := l.version["renewal_reminders"].Decide(facts, at)
		if err != nil {
			return err
		}
		acts := tries(answer.Outcome) || answer.Outcome != l.answer.Outcome && l.answer.Outcome != "renew"
		if acts || reminder.Outcome != "quiet" || on-tonight == asManyNights {
			l.billed.look = earliest(l.billed.look, at)
			return nil
		}
	}
}
