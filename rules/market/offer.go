package market

import "time"

// Lead is what a customer needs, assigned to a seller who may receive it.
type Lead struct {
	ID         int64
	Site       string
	Code       string
	Seller     string // by code
	AssignedAt time.Time
	ReceivedAt time.Time // zero unless the seller did
	RefusedAt  time.Time // zero unless the seller did
	ClosedAt   time.Time // zero unless somebody did
}

// Offer is a price that a seller offers one customer, for a while.
type Offer struct {
	ID       int64
	Site     string
	Code     string
	Seller   string // by code
	Buyer    string // by code
	Product  string // by code; empty where nothing was said
	Discount Decimal
	AskedAt  time.Time
	StartsAt time.Time
	EndsAt   time.Time
	Answers  []OfferAnswer // in their order
}

// OfferAnswer is what a person answered to an offer.
type OfferAnswer struct {
	Outcome string // Grant or Decline
	At      time.Time
}

// Outcomes of an offer. A person grants or declines.
const (
	Grant   = "grant"
	Decline = "decline"
	Expire  = "expire"
)

// AnsweredAt is when a person last answered it that way, as far as could be known
// at an instant; zero where no person did, or answered differently since.
func (o *Offer) AnsweredAt(outcome string, at time.Time) (answered time.Time) {
	for i := range o.Answers {
		if a := &o.Answers[i]; !a.At.After(at) {
			if answered = (time.Time{}); a.Outcome == outcome {
				answered = a.At
			}
		}
	}
	return answered
}
