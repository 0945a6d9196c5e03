package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Openings settles whether what was paid is opened through the interface of its
// seller. What could not be opened has failed at the due instant: it ends like a
// supervision that the platform refunds, so that billing gives all of it back and
// nothing accepts, renews or settles it. What its seller opens all the same after that
// a person has to hear of, so that what has failed is kept in sight.
var Openings = Job[market.Opening]{
	Name:     "openings",
	Rulesets: []Ruleset{{Name: "openings"}},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, _ *rules.Site, _ time.Time) ([]market.Opening, error) {
		return tx.Openings(ctx, subjects)
	},
	Code: func(o *market.Opening) string { return o.Code },
	Begins: func(o *market.Opening) time.Time {
		switch {
		case !o.FailedAt.IsZero():
			return o.FailedAt
		case len(o.Calls) == 0:
			return o.PlacedAt
		}
		return o.Calls[0].At
	},
	Events: func(o *market.Opening, to []time.Time) []time.Time {
		for i := range o.Calls {
			to = append(to, o.Calls[i].At)
		}
		return slices.DeleteFunc(append(to, o.CancelledAt, o.AcceptedAt), time.Time.IsZero)
	},
	Facts:  openingsFacts,
	Effect: openingsEffect,
	Final:  endsOpening,
}

func endsOpening(outcome string) bool { return outcome == market.Opened || outcome == market.Over }

// openingsFacts are the facts of an opening as they stood at an instant.
func openingsFacts(o *market.Opening, at time.Time, _ *rules.Site, room any) any {
	f, ok := room.(*rules.OpeningsFacts)
	if !ok {
		f = new(rules.OpeningsFacts)
	}
	*f = rules.OpeningsFacts{Seller: o.Seller, Product: o.Product, OrderType: o.Type, AccessType: o.AccessType, ChargeMode: o.ChargeMode, Amount: o.Amount,
		FailedFor: market.StartedAt(seen(o.FailedAt, at))}
	failed := f.FailedFor.Started(at)
	f.Ended = !failed && (o.Ended || !seen(o.CancelledAt, at).IsZero() || !seen(o.AcceptedAt, at).IsZero())
	for i := range o.Calls {
		c := &o.Calls[i]
		if c.At.After(at) {
			break
		}
		if failed && c.At.After(o.FailedAt) && c.Code != market.AnswerDone {
			continue
		}
		f.CalledFor = market.StartedAt(c.At)
		switch {
		case f.Answer == "opened":
		case c.Code == market.AnswerDone:
			f.Answer, f.Code = "opened", c.Code
		case c.Code == market.AnswerInProgress:
			f.Answer, f.Code, f.Failures, f.FailingFor = "in_progress", c.Code, 0, market.Stopwatch{}
			f.InProgress++
		case c.Failed():
			if f.Failures == 0 {
				f.FailingFor = market.StartedAt(c.At)
			}
			f.Answer, f.Code = "failed", c.Code
			f.Failures++
		}
	}
	return f
}

// openingsEffect is what a step of the openings job changes: each failure is told,
// and each answer that something is in progress is asked about, once. Of an order
// that has failed nothing is told any more, unless it is opened after all. Where
// it fails here, what the walk comes to next comes after that.
func openingsEffect(o *market.Opening, ruleset string, step Step, _ *rules.Site, to *market.Effects) error {
	name, outcome, failedBefore := o.Site+"/"+o.Code, step.Answer.Outcome, !o.FailedAt.IsZero()
	switch outcome {
	case market.Failing, market.Failed:
		if failedBefore {
			return nil
		}
		for i := range o.Calls {
			if c := &o.Calls[i]; c.Failed() && !c.At.After(step.At) {
				notify(to, market.Notice{Key: "opening_failed/" + name + "/" + market.CallTime(c.At), Kind: "opening_failed", Subject: o.ID,
					Recipients: words(step.Answer, "recipients"), At: c.At})
			}
		}
		if outcome == market.Failed {
			complete(to, market.Completion{OrderID: o.ID, No: o.Reopened, Outcome: market.Refund, CompletedAt: step.At}, "order_failed/"+name, "order_failed")
			o.FailedAt = step.At
		}
	case market.Query:
		for i := range o.Calls {
			if c := &o.Calls[i]; c.Code == market.AnswerInProgress && !c.At.After(step.At) {
				call(to, o.QueryCall(c))
			}
		}
	case market.Late:
		notify(to, market.Notice{Key: "opened_late/" + name, Kind: "opened_late", Subject: o.ID, Recipients: words(step.Answer, "recipients"), At: step.At})
	case market.Opened, market.Over, market.Wait:
	default:
		return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
	}
	if !failedBefore && (outcome == market.Failed || endsOpening(outcome)) {
		to.Endings = append(to.Endings, market.Ending{Job: "openings", Subject: o.ID, Outcome: outcome, At: step.At})
	}
	return nil
}

func call(to *market.Effects, c market.Call) {
	to.Events = append(to.Events, market.Event{Key: c.Key})
	to.Calls = append(to.Calls, c)
}
