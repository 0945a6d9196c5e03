package jobs

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Offers settles whether what a seller offers one customer is approved, and ends it
// with its window. What the rules leave to a person is granted or declined by one.
var Offers = Job[market.Offer]{
	Name:     "offers",
	Rulesets: []Ruleset{{Name: "offers"}},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, _ *rules.Site, _ time.Time) ([]market.Offer, error) {
		return tx.Offers(ctx, subjects)
	},
	Code:   func(o *market.Offer) string { return o.Code },
	Begins: func(o *market.Offer) time.Time { return o.AskedAt },
	Events: func(o *market.Offer, to []time.Time) []time.Time {
		to = append(to, o.AskedAt, o.StartsAt, o.EndsAt)
		for i := range o.Answers {
			to = append(to, o.Answers[i].At)
		}
		return to
	},
	Facts:  offersFacts,
	Effect: offersEffect,
	Final: func(outcome string) bool {
		return outcome == market.Decline || outcome == market.Expire
	},
	Endings: true,
}

// offersFacts are the facts of an offer as they stood at an instant.
func offersFacts(o *market.Offer, at time.Time, _ *rules.Site, room any) any {
	f, ok := room.(*rules.OffersFacts)
	if !ok {
		f = new(rules.OffersFacts)
	}
	*f = rules.OffersFacts{Seller: o.Seller, Buyer: o.Buyer, Product: o.Product, Discount: o.Discount, StartsAhead: o.StartsAt.After(o.AskedAt),
		AskedFor: market.StartedAt(o.AskedAt), ApprovedFor: market.StartedAt(o.AnsweredAt(market.Grant, at)), DeclinedFor: market.StartedAt(o.AnsweredAt(market.Decline, at)),
		BegunFor: market.StartedAt(o.StartsAt), OverFor: market.StartedAt(o.EndsAt)}
	return f
}

// offersEffect is what a step of the offers job changes: those who are concerned
// hear of it once.
func offersEffect(o *market.Offer, ruleset string, step Step, _ *rules.Site, to *market.Effects) error {
	outcome := step.Answer.Outcome
	told := concerned
	switch outcome {
	case market.Grant, market.Expire:
	case market.Decline:
		told = []string{"seller"}
	case market.Hold:
		told = []string{"platform"}
	default:
		return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
	}
	notify(to, market.Notice{Key: "offer_" + outcome + "/" + o.Site + "/" + o.Code, Kind: "offer_" + outcome, Subject: o.ID, Recipients: told, At: step.At})
	return nil
}

// answerOffer keeps a person's answer to an offer. The next run carries it out, at
// the instant of the answer.
func (i Intervention) answerOffer(ctx context.Context, tx *storage.Tx, site *rules.Site) error {
	id, err := tx.SubjectID(ctx, Offers.Name, i.Site, i.Subject)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if _, open, err := tx.Standing(ctx, Offers.Name, id); err != nil || !open {
		return cmp.Or(err, fmt.Errorf("%w: decide %s: the offer has ended: see `nightshift explain --offer %s`", ErrBadRequest, i.Subject, i.Subject))
	}
	found, err := tx.Offers(ctx, []int64{id})
	if err != nil {
		return err
	}
	o := &found[0]
	if o.AskedAt.After(i.At) || !o.EndsAt.After(i.At) {
		return fmt.Errorf("%w: decide %s: it was asked for at %s and ends at %s", ErrBadRequest, i.Subject, o.AskedAt.In(site.Zone).Format(time.RFC3339), o.EndsAt.In(site.Zone).Format(time.RFC3339))
	}
	owner := storage.Keeping{Site: i.Site, On: market.DateOf(i.At, site.Zone)}
	policy, err := site.Policy(Offers.Name, owner.On)
	if err != nil {
		return err
	}
	d := market.Decision{Subject: id, Ruleset: Offers.Name, Outcome: i.Outcome, Rule: "decided by a person", DueAt: i.At,
		Facts: policy.AppendFacts(nil, offersFacts(o, i.At, site, nil)), Actor: i.Actor, Because: i.Because, Evidence: i.Evidence}
	if err := tx.AnswerOffer(ctx, owner, d); err != nil {
		return err
	}
	return tx.Wake(ctx, Offers.Name, i.Site, id, i.At)
}
