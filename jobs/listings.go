package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Listings settles whether it is proposed to take products off the shelf whose
// seller's interface does not work. A person takes them off.
var Listings = Job[market.Listing]{
	Name:     "listings",
	Rulesets: []Ruleset{{Name: "listings", Rest: "keep"}},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, site *rules.Site, asOf time.Time) ([]market.Listing, error) {
		return tx.Listings(ctx, subjects, site.Zone, asOf)
	},
	Code:   func(l *market.Listing) string { return l.Code },
	Begins: func(l *market.Listing) time.Time { return l.Since },
	Events: func(l *market.Listing, to []time.Time) []time.Time { return l.Events(to) },
	Facts: func(l *market.Listing, at time.Time, _ *rules.Site, room any) any {
		f, ok := room.(*rules.ListingsFacts)
		if !ok {
			f = new(rules.ListingsFacts)
		}
		month := market.Month(market.DateOf(at, l.Zone))
		*f = rules.ListingsFacts{Seller: l.Seller, Product: l.Code, AccessType: l.AccessType, Delisted: !seen(l.DelistedAt, at).IsZero(),
			Month: int64(month.Number()), FailedOrders: l.FailedIn(month, at), FailedDays: l.FailedDays(at)}
		return f
	},
	Effect: func(l *market.Listing, ruleset string, step Step, _ *rules.Site, to *market.Effects) error {
		switch outcome := step.Answer.Outcome; outcome {
		case "propose":
			month, _ := step.Answer.Value("month")
			notify(to, market.Notice{Key: "delisting/" + l.Site + "/" + l.Code + "/" + strconv.FormatInt(month.Int(), 10), Kind: "delisting_proposed", Subject: l.ID,
				Recipients: words(step.Answer, "recipients"), At: step.At})
		case "keep":
		default:
			return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
		}
		return nil
	},
	Final: func(string) bool { return false },
}
