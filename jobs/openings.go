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
// nothing accepts, renews or settles it.
var Openings = Job[market.Opening]{
	Name:     "openings",
	Rulesets: []Ruleset{{Name: "openings"}},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, _ *rules.Site, _ time.Time) ([]market.Opening, error) {
		return tx.Openings(ctx, subjects)
	},
	Code: func(o *market.Opening) string { return o.Code },
	Begins: func(o *market.Opening) time.Time {
		if len(o.Calls) == 0 {
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
	Final: func(outcome string) bool {
		return outcome == market.Opened || outcome == market.Failed || outcome == market.Over
	},
	Endings: true,
}

// openingsFacts are the facts of an opening as they stood at an instant.
func openingsFacts(o *market.Opening, at time.Time, _ *rules.Site, room any) any {
	f, ok := room.(*rules.OpeningsFacts)
	if !ok {
		f = new(rules.OpeningsFacts)
	}
	*f = rules.OpeningsFacts{Seller: o.Seller, Product: o.Product, OrderType: o.Type, AccessType: o.AccessType, ChargeMode: o.ChargeMode, Amount: o.Amount,
		Ended: o.Ended || !seen(o.CancelledAt, at).IsZero() || !seen(o.AcceptedAt, at).IsZero()}
	for i := range o.Calls {
		c := &o.Calls[i]
		if c.At.After(at) {
			break
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
// and each answer that something is in progress is asked about, once.
func openingsEffect(o *market.Opening, ruleset string, step Step, _ *rules.Site, to *market.Effects) error {
	name := o.Site + "/" + o.Code
	switch outcome := step.Answer.Outcome; outcome {
	case market.Failing, market.Failed:
		for i := range o.Calls {
			if c := &o.Calls[i]; c.Failed() && !c.At.After(step.At) {
				notify(to, market.Notice{Key: "opening_failed/" + name + "/" + market.CallTime(c.At), Kind: "opening_failed", Subject: o.ID,
					Recipients: words(step.Answer, "recipients"), At: c.At})
			}
		}
		if outcome == market.Failed {
			complete(to, market.Completion{OrderID: o.ID, No: o.Reopened, Outcome: market.Refund, CompletedAt: step.At}, "order_failed/"+name, "order_failed")
		}
	case market.Query:
		for i := range o.Calls {
			if c := &o.Calls[i]; c.Code == market.AnswerInProgress && !c.At.After(step.At) {
				call(to, o.QueryCall(c))
			}
		}
	case market.Opened, market.Over, market.Wait:
	default:
		return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
	}
	return nil
}

func call(to *market.Effects, c market.Call) {
	to.Events = append(to.Events, market.Event{Key: c.Key})
	to.Calls = append(to.Calls, c)
}
