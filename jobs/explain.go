package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Explained is one kept decision with all there is to say about it.
type Explained struct {
	Decision market.Decision
	Run      market.Run        // zero where a person decided
	Reason   string            // the sentence of the rule, or of the person
	Why      rules.Explanation // how each rule judged the facts that were kept, as of Why.AsOf
	Policy   *rules.Policy     // that it was taken by; nil where a person decided
}

// Story is all that was decided about an order or a buyer, oldest first, and
// where it stands.
type Story struct {
	Decisions []Explained
	Paid      []market.Deduction // of the order, or the newest of the buyer
	Ended     *market.Completion // nil while nothing has ended its supervision
	Parked    *storage.Parked    // nil unless it is set aside
	Life      *Life              // of a subscription; nil of anything else
	Told      []market.Notice    // of a product: the proposals to take it off the shelf
	Away      []market.Date      // months of an order's life whose decisions have left for the archive
}

// newestDeductions is how many deductions a buyer's story tells.
const newestDeductions = 20

// Explain tells the story of an order. Each decision is replayed from the facts
// that were kept with it under the rule text it was taken by. With a date, which
// may be zero, it tells what stood on that date, and as of that night.
func (e *Engine) Explain(ctx context.Context, siteName, code string, on market.Date) (story Story, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.OrderID(ctx, siteName, code)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		decisions, err := tx.DecisionsOf(ctx, id, aboutOrders)
		if err != nil {
			return err
		}
		t := teller{engine: e, tx: tx, site: site, on: on, policies: map[string]*rules.Policy{}}
		if story.Decisions, err = t.explainAll(ctx, decisions); err != nil {
			return err
		}
		if story.Away, err = tx.DecisionsAway(ctx, id); err != nil {
			return err
		}
		if story.Paid, err = tx.Deductions(ctx, storage.DeductionQuery{Key: "order/" + siteName + "/" + code + "/paid", Upto: on, Limit: 1}); err != nil {
			return err
		}
		if ended, found, err := tx.Ended(ctx, id); err != nil {
			return err
		} else if found {
			story.Ended = &ended
		}
		for _, job := range []string{Acceptance.Name, Openings.Name} {
			parked, found, err := tx.ParkedNow(ctx, job, id)
			if err != nil {
				return err
			}
			if found {
				story.Parked = &parked
				return nil
			}
		}
		parked, found, err := tx.PayerParked(ctx, id)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

// ExplainBuyer tells what was decided about what a buyer owes, and what was
// deducted last. With a date it tells what stood on that date.
func (e *Engine) ExplainBuyer(ctx context.Context, siteName, code string, on market.Date) (story Story, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.BuyerID(ctx, siteName, code)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		decisions, err := tx.DecisionsOf(ctx, id, aboutBuyers)
		if err != nil {
			return err
		}
		t := teller{engine: e, tx: tx, site: site, on: on, policies: map[string]*rules.Policy{}}
		if story.Decisions, err = t.explainAll(ctx, decisions); err != nil {
			return err
		}
		if story.Paid, err = tx.Deductions(ctx, storage.DeductionQuery{Buyer: id, Upto: on, Limit: newestDeductions}); err != nil {
			return err
		}
		parked, found, err := tx.ParkedNow(ctx, billing.name, id)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

// ExplainSmall tells what a small job decided about one of its subjects: a product,
// a lead, an offer. With a date it tells what stood on that date.
func (e *Engine) ExplainSmall(ctx context.Context, job, siteName, code string, on market.Date) (story Story, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.SubjectID(ctx, job, siteName, code)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		decisions, err := tx.DecisionsOf(ctx, id, []string{job})
		if err != nil {
			return err
		}
		t := teller{engine: e, tx: tx, site: site, on: on, policies: map[string]*rules.Policy{}}
		if story.Decisions, err = t.explainAll(ctx, decisions); err != nil {
			return err
		}
		if job == Listings.Name {
			if story.Told, err = tx.Proposals(ctx, siteName, code); err != nil {
				return err
			}
		}
		parked, found, err := tx.ParkedNow(ctx, job, id)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

// aboutOrders are the rulesets whose subject is an order.
var aboutOrders = []string{"acceptance", "reminders", "payment", "openings"}

// aboutBuyers are those whose subject is a buyer: arrears, and packages that could
// not be bought again.
var aboutBuyers = []string{"arrears", metering.RepurchaseRuleset}

// stoodOn are those of the decisions, oldest first, that stood on a date: the
// last of each ruleset.
func stoodOn(decisions []market.Decision, on market.Date) []market.Decision {
	var stood []market.Decision
	for _, d := range decisions {
		if d.On > on {
			continue
		}
		stood = slices.DeleteFunc(stood, func(before market.Decision) bool { return before.Ruleset == d.Ruleset })
		stood = append(stood, d)
	}
	return stood
}

// teller explains the decisions of one story.
type teller struct {
	engine   *Engine
	tx       *storage.Tx
	site     *rules.Site
	on       market.Date
	policies map[string]*rules.Policy // by content hash: most decisions share theirs
}

// explainAll explains decisions, or those of them that stood on a date.
func (t *teller) explainAll(ctx context.Context, decisions []market.Decision) (all []Explained, err error) {
	if t.on != 0 {
		decisions = stoodOn(decisions, t.on)
	}
	for _, d := range decisions {
		x, err := t.explain(ctx, d)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

func (t *teller) explain(ctx context.Context, d market.Decision) (Explained, error) {
	x := Explained{Decision: d, Reason: d.Because}
	if d.RunID == 0 {
		return x, nil
	}
	var err error
	if x.Run, err = t.tx.RunByID(ctx, d.RunID); err != nil {
		return x, err
	}
	inForce, err := heldBy(x.Run, d.Ruleset, t.site, func(hash string) (*rules.Policy, error) { return t.policy(ctx, hash) })
	if err != nil {
		return x, err
	}
	facts, err := inForce.Policy().ParseFacts(d.Facts)
	if err != nil {
		return x, err
	}
	x.Policy = inForce.For(facts)
	for _, at := range t.instants(x.Run, d) {
		if x.Why = x.Policy.Explain(facts, at); x.Why.Err == nil && x.Why.Answer.Outcome == d.Outcome && x.Why.Answer.Rule == d.Rule {
			x.Reason = x.Why.Answer.Because
			return x, nil
		}
	}
	return x, fmt.Errorf("explain a decision of %s: replayed it says %s by %q (%v), kept was %s by %q: the history or the rule text was changed from outside",
		d.On, x.Why.Answer.Outcome, x.Why.Answer.Rule, x.Why.Err, d.Outcome, d.Rule)
}

// policy is the rule text of that hash, as it was kept.
func (t *teller) policy(ctx context.Context, hash string) (*rules.Policy, error) {
	if known := t.policies[hash]; known != nil {
		return known, nil
	}
	policy, err := kept(ctx, t.engine.Store, t.site, hash)
	t.policies[hash] = policy
	return policy, err
}

// instants are those to explain a decision as of, the best first: the night of
// the date that was asked about, the night that took the decision, the instant
// from which it holds. What ended the work was never asked after that instant;
// the facts of what waits are those of the night.
func (t *teller) instants(run market.Run, d market.Decision) []time.Time {
	if Ends(d.Outcome) {
		return []time.Time{d.DueAt}
	}
	night := run.AsOf
	if at, err := asOf(t.site, run.Job, t.on); t.on != 0 && err == nil {
		night = latest(night, at)
	}
	return slices.CompactFunc([]time.Time{night, run.AsOf, d.DueAt}, time.Time.Equal)
}

// Ends tells whether a decision with that outcome is the last about its subject.
func Ends(outcome string) bool {
	return endsSupervision(outcome) || outcome == "deduct" || outcome == "cancel" || endsOpening(outcome) || outcome == market.Failed || outcome == market.Late || outcome == "close" || outcome == "answered" || Offers.Final(outcome)
}
