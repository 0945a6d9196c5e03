package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Intervention is what a person decides about one order, or one offer, that the
// rules left open, or that was set aside.
type Intervention struct {
	Site     string
	Subject  string            // the order's code, or the offer's
	Offer    bool              // it is about an offer
	Outcome  string            // accept, refund, back or correct; of an offer grant or decline
	Set      map[string]string // with correct: the facts as the person established them
	Because  string
	Evidence string // where the proof is kept; may be empty
	Actor    string
	At       time.Time // the instant of the decision, and of its effect
}

// Outcomes that only a person decides.
const (
	Back    = "back"    // the seller has to deliver again
	Correct = "correct" // a reported fact was wrong
)

// correctable are the facts a person may establish against the report.
var correctable = []string{"phone_matches", "signed_at"}

// Decide keeps a person's decision and carries it out at once, like any other
// decision: once, in one transaction, with who, why and on what evidence.
func (e *Engine) Decide(ctx context.Context, i Intervention) error {
	site, err := e.inForce(ctx, i.Site)
	if err != nil {
		return err
	}
	if err := i.valid(); err != nil {
		return err
	}
	if err := e.Store.EnsureMonth(ctx, market.DateOf(i.At, site.Zone)); err != nil {
		return err
	}
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.ChangeFacts(ctx, i.Site); err != nil {
			return err
		}
		if i.Offer {
			return i.answerOffer(ctx, tx, site)
		}
		s, err := openSupervision(ctx, tx, i)
		if err != nil {
			return err
		}
		return i.carryOut(ctx, tx, s, site)
	})
}

func (i Intervention) valid() error {
	switch {
	case i.Because == "":
		return fmt.Errorf("%w: decide %s: a reason is needed: --because \"…\"", ErrBadRequest, i.Subject)
	case i.Actor == "":
		return fmt.Errorf("%w: decide %s: nobody is named as deciding: name yourself with --actor", ErrBadRequest, i.Subject)
	case i.Offer && i.Outcome != market.Grant && i.Outcome != market.Decline:
		return fmt.Errorf("%w: decide %s: of an offer a person decides grant or decline, not %q", ErrBadRequest, i.Subject, i.Outcome)
	case !i.Offer && !slices.Contains([]string{market.Accept, market.Refund, Back, Correct}, i.Outcome):
		return fmt.Errorf("%w: decide %s: a person decides accept, refund, back or correct, not %q", ErrBadRequest, i.Subject, i.Outcome)
	case (i.Outcome == Correct) != (len(i.Set) > 0):
		return fmt.Errorf("%w: decide %s: correct goes with the facts to set, and only correct does: --set phone_matches=true", ErrBadRequest, i.Subject)
	}
	for field, value := range i.Set {
		if !slices.Contains(correctable, field) {
			return fmt.Errorf("%w: decide %s: %q cannot be corrected: %v can", ErrBadRequest, i.Subject, field, correctable)
		}
		if _, err := time.Parse(time.RFC3339, value); field == "signed_at" && err != nil {
			return fmt.Errorf("%w: decide %s: signed_at %q: write it like 2026-04-01T10:00:00+08:00", ErrBadRequest, i.Subject, value)
		}
		if field == "phone_matches" && value != "true" && value != "false" {
			return fmt.Errorf("%w: decide %s: phone_matches is true or false, not %q", ErrBadRequest, i.Subject, value)
		}
	}
	return nil
}

// openSupervision is the supervision a person decides on, locked.
func openSupervision(ctx context.Context, tx *storage.Tx, i Intervention) (market.Supervision, error) {
	id, err := tx.OrderID(ctx, i.Site, i.Subject)
	if err != nil {
		return market.Supervision{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if _, open, err := tx.Standing(ctx, Acceptance.Name, id); err != nil || !open {
		return market.Supervision{}, cmp.Or(err, fmt.Errorf("%w: decide %s: its supervision has ended: see `nightshift explain %s`", ErrBadRequest, i.Subject, i.Subject))
	}
	found, err := tx.Supervisions(ctx, []int64{id})
	if err != nil {
		return market.Supervision{}, err
	}
	if s := found[0]; !s.Order.PlacedAt.After(i.At) {
		return s, nil
	}
	return market.Supervision{}, fmt.Errorf("%w: decide %s: the order was placed after %s", ErrBadRequest, i.Subject, i.At.Format(time.RFC3339))
}

// carryOut keeps the decision, its effects and what it means for later nights.
func (i Intervention) carryOut(ctx context.Context, tx *storage.Tx, s market.Supervision, site *rules.Site) error {
	owner := storage.Keeping{Site: i.Site, On: market.DateOf(i.At, site.Zone)}
	policy, err := site.Policy(Acceptance.Name, owner.On)
	if err != nil {
		return err
	}
	d := market.Decision{Subject: s.Order.ID, Ruleset: Acceptance.Name, Outcome: i.Outcome, Rule: "decided by a person", DueAt: i.At,
		Facts: policy.AppendFacts(nil, acceptanceFacts(&s, i.At, site, nil)), Actor: i.Actor, Because: i.Because, Evidence: i.Evidence}
	if err := tx.KeepPersonDecision(ctx, owner, d); err != nil {
		return err
	}
	if endsSupervision(i.Outcome) {
		var effects market.Effects
		if err := acceptanceEffect(&s, Acceptance.Name, Step{At: i.At, Answer: rules.Answer{Outcome: i.Outcome}}, site, &effects); err != nil {
			return err
		}
		if err := tx.KeepEffects(ctx, owner, effects); err != nil {
			return err
		}
		return tx.Dismiss(ctx, Acceptance.Name, []int64{s.Order.ID})
	}
	set := i.Set
	if i.Outcome == Back {
		set = map[string]string{"sent_back_at": i.At.Format(time.RFC3339)}
	}
	if err := tx.Correct(ctx, s.Order.ID, set, i.At, i.Actor, i.Because); err != nil {
		return err
	}
	return tx.Wake(ctx, Acceptance.Name, i.Site, s.Order.ID, s.Order.PlacedAt)
}

// Parked are the candidates set aside that nobody has requeued.
func (e *Engine) Parked(ctx context.Context, job, site string, limit int) (parked []storage.Parked, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		parked, err = tx.ParkedOpen(ctx, job, site, limit)
		return err
	})
	return parked, err
}

// Requeue gives parked candidates back to the next run, all of them where no
// code is named. It answers how many there were.
func (e *Engine) Requeue(ctx context.Context, job, site string, codes []string, actor string) (n int64, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		n, err = tx.Requeue(ctx, job, site, codes, actor)
		return err
	})
	return n, err
}
