package jobs

import (
	"context"
	"fmt"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Explained is one kept decision with all there is to say about it.
type Explained struct {
	Decision market.Decision
	Run      market.Run        // zero where a person decided
	Reason   string            // the sentence of the rule, or of the person
	Why      rules.Explanation // how each rule judged the facts that were kept
	Policy   *rules.Policy     // that it was taken by; nil where a person decided
}

// Story is all that was decided about an order, oldest first, and where it
// stands.
type Story struct {
	Decisions []Explained
	Ended     *market.Completion // nil while nothing has ended its supervision
	Parked    *storage.Parked    // nil unless it is set aside
}

// Explain tells the story of an order. Each decision is replayed from the facts
// that were kept with it under the rule text it was taken by.
func (e *Engine) Explain(ctx context.Context, siteName, code string) (story Story, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.OrderID(ctx, siteName, code)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		decisions, err := tx.DecisionsOf(ctx, id)
		if err != nil {
			return err
		}
		for _, d := range decisions {
			x, err := e.explain(ctx, tx, site, d)
			if err != nil {
				return err
			}
			story.Decisions = append(story.Decisions, x)
		}
		if ended, found, err := tx.Ended(ctx, id); err != nil {
			return err
		} else if found {
			story.Ended = &ended
		}
		parked, found, err := tx.ParkedNow(ctx, id)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

func (e *Engine) explain(ctx context.Context, tx *storage.Tx, site *rules.Site, d market.Decision) (Explained, error) {
	x := Explained{Decision: d, Reason: d.Because}
	if d.RunID == 0 {
		return x, nil
	}
	run, err := tx.RunByID(ctx, d.RunID)
	if err != nil {
		return x, err
	}
	x.Run = run
	inForce, err := heldBy(run, d.Ruleset, site, func(hash string) (*rules.Policy, error) { return kept(ctx, e.Store, site, hash) })
	if err != nil {
		return x, err
	}
	facts, err := inForce.Policy().ParseFacts(d.Facts)
	if err != nil {
		return x, err
	}
	policy := inForce.For(facts)
	x.Policy = policy
	answer, err := policy.Decide(facts, d.DueAt)
	if err != nil {
		return x, err
	}
	if answer.Outcome != d.Outcome || answer.Rule != d.Rule {
		return x, fmt.Errorf("explain a decision of %s: replayed it says %s by %q, kept was %s by %q: the history or the rule text was changed from outside",
			d.On, answer.Outcome, answer.Rule, d.Outcome, d.Rule)
	}
	x.Reason, x.Why = answer.Because, policy.Explain(facts, d.DueAt)
	return x, nil
}
