package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Life is how a subscription stands after the last night of renewal.
type Life struct {
	Buyer        string
	Subscription market.Subscription // with its terms, and what its buyer asked for
	Policy       string              // that holds now
	State        string              // what the rules of expiries answered
	Price        market.Money        // of the next term; no currency where nobody has said
	Answer       rules.Answer        // of the rules of renewals in that night, if the payment went through
	NextTry      time.Time           // the next night in which it is tried to renew it; zero: in none that can be seen
	Turns        time.Time           // when the state changes by itself; zero: not by itself
	Asked        []storage.Asked     // what became of what its buyer asked for
}

// ExplainSubscription tells the story of a subscription, like Explain, and how it
// stands: what follows if nothing but time goes on.
func (e *Engine) ExplainSubscription(ctx context.Context, siteName, code string, on market.Date) (story Story, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	last, ran, err := e.Store.LastNight(ctx, renewalJob, siteName)
	if err != nil {
		return story, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		id, buyer, err := tx.SubscriptionID(ctx, siteName, code)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		decisions, err := tx.DecisionsOf(ctx, id, []string{"renewal", "expiry"})
		if err != nil {
			return err
		}
		t := teller{engine: e, tx: tx, site: site, on: on, policies: map[string]*rules.Policy{}}
		if story.Decisions, err = t.explainAll(ctx, decisions); err != nil {
			return err
		}
		if story.Life, err = e.lifeOf(ctx, tx, site, id, buyer, last, ran); err != nil {
			return err
		}
		for _, term := range slices.Backward(story.Life.Subscription.Terms) {
			if !term.Automatic || len(story.Paid) == newestDeductions {
				continue
			}
			paid, err := tx.Deductions(ctx, storage.DeductionQuery{Key: term.PaidBy, Upto: on, Limit: 1})
			if err != nil {
				return err
			}
			story.Paid = append(story.Paid, paid...)
		}
		parked, found, err := tx.ParkedNow(ctx, renewalJob, buyer)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

// lifeOf asks the rules in force how a subscription stood in the last night, and
// looks ahead from there; where there was no night, from its start.
func (e *Engine) lifeOf(ctx context.Context, tx *storage.Tx, site *rules.Site, id, buyer int64, last market.Date, ran bool) (*Life, error) {
	all, err := tx.SubscriptionsOf(ctx, []int64{buyer})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all[buyer], func(s market.Subscription) bool { return s.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: the seller did not open the order that it is for, so that it never began: see `nightshift explain` with that order", ErrBadRequest)
	}
	s := &all[buyer][i]
	if !ran {
		last = market.DateOf(s.Start, site.Zone)
	}
	at, err := asOf(site, renewalJob, last)
	if err != nil {
		return nil, err
	}
	payers, err := tx.Payers(ctx, []int64{buyer}, []time.Time{at}, nil)
	if err != nil {
		return nil, err
	}
	l, err := e.standing(ctx, tx, site, &payers[0], s, last, at)
	if err != nil {
		return nil, err
	}
	life := &Life{Buyer: payers[0].Code, Subscription: *s, Policy: s.PolicyAt(at), State: l.now.State, Price: l.price(at), Turns: l.turn}
	if life.Asked, err = tx.AskedOf(ctx, id); err != nil || l.now.State == released {
		return life, err
	}
	facts := l.facts(at)
	facts.Paid = true
	if life.Answer, err = l.version["renewal"].Decide(facts, at); err != nil {
		return nil, err
	}
	if life.NextTry, err = l.nextTry(); err != nil {
		return nil, err
	}
	if l.turn, err = l.nextTurn(facts, at); err != nil {
		return nil, err
	}
	life.Turns = l.turn
	return life, nil
}

// standing is a subscription as the last night left it.
func (e *Engine) standing(ctx context.Context, tx *storage.Tx, site *rules.Site, payer *market.Payer, s *market.Subscription, on market.Date, at time.Time) (*lifetime, error) {
	b := &bill{payer: payer, site: site, asOf: at, version: map[string]*rules.Policy{}, harvest: &harvest{}}
	for _, ruleset := range []string{"renewal", "expiry", "periods"} {
		f, err := site.InForce(ruleset, on)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		b.version[ruleset] = f.Policy()
	}
	r := &renewing{bill: b, on: on}
	stands, err := tx.Stands(ctx, renewalJob, payer.ID)
	if err == nil && len(stands) > 0 {
		err = json.Unmarshal(stands, &r.stood)
	}
	if err != nil {
		return nil, fmt.Errorf("read what stands of the subscriptions of %s: %w", payer.Code, err)
	}
	if r.periods, err = r.periodsOf(b.version["periods"]); err != nil {
		r.periods = periods{} // the buyer is set aside, and the story says so
	}
	l := &lifetime{renewing: r, s: s}
	l.recall()
	return l, nil
}

// nextTurn is when the state of the subscription changes by itself.
func (l *lifetime) nextTurn(facts *rules.RenewalFacts, at time.Time) (time.Time, error) {
	policy := l.version["expiry"]
	answer, err := policy.Decide(facts, at)
	if err != nil {
		return time.Time{}, err
	}
	turns, _ := policy.Next(facts, at, answer)
	return turns, nil
}
