package market

import (
	"slices"
	"time"
)

// Policies of a subscription: what the buyer wants at the end of a term.
const (
	RenewAuto   = "auto"   // it renews by itself
	RenewManual = "manual" // the buyer renews it by hand
	RenewNever  = "expire" // it ends, and nobody is reminded
)

// Subscription is something that runs for a term and may be renewed.
type Subscription struct {
	ID            int64
	Site          string
	Code          string
	BuyerID       int64
	SellerID      int64
	ProductID     int64
	Seller        string // by code; empty where nobody is named
	Product       string
	ProductClass  string
	CreditAllowed bool
	AccessType    string
	Policy        string // as it was reported
	Trial         bool
	Bought        Term // what it was bought for
	Renews        Term // what a renewal is for; zero: what it was bought for
	Renewals      int  // how often it renews by itself; below zero: without end
	ChargeDay     int  // days before the end of a term; 0: the buyer did not say
	AnchorDay     int  // of the month; 0: that of the start
	Start         time.Time
	End           time.Time // of the first term
	Price         Money     // of the next term; no currency where nobody reported it
	Promotions    []string  // discounts that earlier orders of it had

	Terms  []BoughtTerm    // after the first, in their order
	ByHand []ManualRenewal // that are not among the terms yet, by their instants
}

// BoughtTerm is a term after the first. It is kept for ever.
type BoughtTerm struct {
	SubscriptionID int64
	No             int // 1 for the first renewal
	Span           Span
	PaidBy         string // the key of the event
	Automatic      bool
	At             time.Time // when it was bought
}

// ManualRenewal is a term that a person bought at the marketplace.
type ManualRenewal struct {
	Code string
	Term Term
	At   time.Time
}

// EndsAt is the end of the last term that was bought.
func (s *Subscription) EndsAt() time.Time {
	if len(s.Terms) == 0 {
		return s.End
	}
	return s.Terms[len(s.Terms)-1].Span.To
}

// PolicyNow is what holds at the end of the last term: manual once all renewals
// that were asked for are used up.
func (s *Subscription) PolicyNow() string {
	if s.Policy != RenewAuto || s.Renewals < 0 {
		return s.Policy
	}
	used := 0
	for i := range s.Terms {
		if s.Terms[i].Automatic {
			used++
		}
	}
	if used >= s.Renewals {
		return RenewManual
	}
	return s.Policy
}

// RenewsFor is how long a renewal is for.
func (s *Subscription) RenewsFor() Term {
	if s.Renews.IsZero() {
		return s.Bought
	}
	return s.Renews
}

// Extend adds a term that begins where the last one ends, however late it is
// bought, and keeps the anchor day: 31 January, 29 February, 31 March.
func (s *Subscription) Extend(t Term, key string, automatic bool, at time.Time, zone *time.Location) BoughtTerm {
	anchor := s.AnchorDay
	if anchor == 0 {
		_, _, anchor = DateOf(s.Start, zone).Split()
	}
	from := s.EndsAt()
	next := BoughtTerm{SubscriptionID: s.ID, No: len(s.Terms) + 1, Span: Span{From: from, To: t.EndAfter(from, 1, anchor, zone)}, PaidBy: key, Automatic: automatic, At: at}
	s.Terms = append(slices.Clip(s.Terms), next)
	return next
}

// RenewalKey is the key of the renewal that follows the last term. It is named
// by the date on which that ends, so that no term is bought twice.
func (s *Subscription) RenewalKey(zone *time.Location) string {
	return "renewal/" + s.Name(zone)
}

// ManualKey is the key of a renewal by hand.
func (s *Subscription) ManualKey(m *ManualRenewal) string {
	return "manual_renewal/" + s.Site + "/" + m.Code
}

// Name is what the events at the end of the last term are named by.
func (s *Subscription) Name(zone *time.Location) string {
	return s.Site + "/" + s.Code + "/" + DateOf(s.EndsAt(), zone).String()
}
