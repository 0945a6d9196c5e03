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

// Leads closes what sellers were told of and did not receive in time.
var Leads = Job[market.Lead]{
	Name:     "leads",
	Rulesets: []Ruleset{{Name: "leads", Rest: market.Wait}},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, _ *rules.Site, _ time.Time) ([]market.Lead, error) {
		return tx.Leads(ctx, subjects)
	},
	Code:   func(l *market.Lead) string { return l.Code },
	Begins: func(l *market.Lead) time.Time { return l.AssignedAt },
	Events: func(l *market.Lead, to []time.Time) []time.Time {
		return slices.DeleteFunc(append(to, l.AssignedAt, l.ReceivedAt, l.RefusedAt, l.ClosedAt), time.Time.IsZero)
	},
	Facts: func(l *market.Lead, at time.Time, _ *rules.Site, room any) any {
		f, ok := room.(*rules.LeadsFacts)
		if !ok {
			f = new(rules.LeadsFacts)
		}
		since := func(t time.Time) market.Stopwatch { return market.StartedAt(seen(t, at)) }
		*f = rules.LeadsFacts{Seller: l.Seller, AssignedFor: since(l.AssignedAt), ReceivedFor: since(l.ReceivedAt), RefusedFor: since(l.RefusedAt), ClosedFor: since(l.ClosedAt)}
		return f
	},
	Effect: func(l *market.Lead, ruleset string, step Step, _ *rules.Site, to *market.Effects) error {
		switch outcome := step.Answer.Outcome; outcome {
		case "close":
			notify(to, market.Notice{Key: "lead_closed/" + l.Site + "/" + l.Code, Kind: "lead_closed", Subject: l.ID, Recipients: words(step.Answer, "recipients"), At: step.At})
		case "answered", market.Wait:
		default:
			return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
		}
		return nil
	},
	Final:   func(outcome string) bool { return outcome != market.Wait },
	Endings: true,
}
