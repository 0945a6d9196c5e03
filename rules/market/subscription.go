package market

import (
	"slices"
	"strconv"
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
	Model         string // how it is sold
	ProductClass  string
	CreditAllowed bool
	AccessType    string
	Instance      string // that it pays for; empty: its own code
	Order         string // by code; empty where nobody is named
	Trial         bool   // it was bought as one
	Bought        Term   // what it was bought for
	Reported      Wish   // what the buyer wants, as it was reported with it
	AnchorDay     int    // of the month; 0: that of the start
	Start         time.Time
	End           time.Time // of the first term
	Price         Money     // of the next term; no currency where nobody reported it
	Promotions    []string  // discounts that earlier orders of it had
	DelistedAt    time.Time // when its product was taken off the shelf; zero: it was not

	Terms     []BoughtTerm     // after the first, in their order
	TakenBack []TakenBack      // terms that do not count any more
	Changes   []PolicyChange   // of what the buyer wants, by their instants
	Prices    []TermPrice      // that the marketplace lists for its product, by their instants
	ByHand    []ManualRenewal  // that are not among the terms yet, by their instants
	Asked     []Unsubscription // that nobody has decided, by their instants
}

// Wish is what a buyer wants at the end of a term.
type Wish struct {
	Policy    string
	Renews    Term // what a renewal is for; zero: what it was bought for
	Renewals  int  // how often it renews by itself; below zero: without end
	ChargeDay int  // days before the end of a term; 0: the buyer did not say
}

// PolicyChange is another wish of the buyer, from an instant on.
type PolicyChange struct {
	ID   int64
	Code string // what it is called by: its subscription and its instant
	At   time.Time
	Wish
	Outcome string // empty while nobody has judged it; change, or refuse
}

// PolicyResult is what became of a change, for good.
type PolicyResult struct {
	ChangeID       int64
	SubscriptionID int64
	Outcome        string
	Rule           string
	Because        string
	At             time.Time
	Facts          []byte
}

// TermPrice is what a term costs when it is renewed, from an instant on, before
// any discount.
type TermPrice struct {
	Term   Term
	From   time.Time
	Price  Money
	SoldAs string // the number that a product of such a term has; empty: its own
}

// BoughtTerm is a term after the first. It is kept for ever.
type BoughtTerm struct {
	SubscriptionID int64
	No             int // 1 for the first renewal
	Span           Span
	PaidBy         string // the key of the event
	Automatic      bool
	At             time.Time // when it was bought
	Again          int       // how many from the same instant were taken back before

	Paid   []Source // where somebody asks for it back
	Seller string   // who earned it
	Amount Money    // what a renewal by hand cost; no currency where nobody said
}

// TakenBack is a term that the buyer gave back before it began.
type TakenBack struct {
	BoughtTerm
	TakenAt time.Time
}

// Unsubscription asks to take back a renewal that has not begun.
type Unsubscription struct {
	ID   int64
	Code string
	At   time.Time
}

// UnsubscriptionResult is what became of a request, for good.
type UnsubscriptionResult struct {
	UnsubscriptionID int64
	SubscriptionID   int64
	BuyerID          int64
	SellerID         int64
	TermNo           int    // 0 where there was none to take back
	PaidBy           string // the key of the renewal
	Outcome          string // refund or refuse
	Rule             string
	Because          string
	Amount           Money // what was given back; zero where it was refused
	At               time.Time
	Facts            []byte
}

// ManualRenewal is a term that a person bought at the marketplace.
type ManualRenewal struct {
	Code    string
	Term    Term
	At      time.Time
	Product string // by code, where it is renewed to another one; empty: the same
	Amount  Money  // no currency where nobody reported it
}

// EndsAt is the end of the last term that was bought.
func (s *Subscription) EndsAt() time.Time {
	if len(s.Terms) == 0 {
		return s.End
	}
	return s.Terms[len(s.Terms)-1].Span.To
}

// OnTrial tells whether it is a trial: until somebody buys a term of it.
func (s *Subscription) OnTrial() bool { return s.Trial && len(s.Terms) == 0 }

// WishAt is what the buyer wants, as it stood at an instant, and since when.
func (s *Subscription) WishAt(at time.Time) (w Wish, since time.Time) {
	w = s.Reported
	for i := range s.Changes {
		if c := &s.Changes[i]; c.Outcome == Change && !c.At.After(at) {
			w, since = c.Wish, c.At
		}
	}
	if w.Renews.IsZero() {
		w.Renews = s.Bought
	}
	return w, since
}

// Change and Refuse are what becomes of a change of the policy.
const (
	Change = "change"
	Refuse = "refuse"
)

// PolicyAt is what holds at the end of the last term: manual once all renewals
// that were asked for are used up.
func (s *Subscription) PolicyAt(at time.Time) string {
	w, since := s.WishAt(at)
	if w.Policy != RenewAuto || w.Renewals < 0 {
		return w.Policy
	}
	used := 0
	for i := range s.Terms {
		if s.Terms[i].Automatic && !s.Terms[i].At.Before(since) {
			used++
		}
	}
	if used >= w.Renewals {
		return RenewManual
	}
	return w.Policy
}

// Unwanted tells whether the buyer took back the renewal that follows the last
// term, and has not said anything else since.
func (s *Subscription) Unwanted(at time.Time) bool {
	_, since := s.WishAt(at)
	for i := range s.TakenBack {
		if t := &s.TakenBack[i]; t.Span.From.Equal(s.EndsAt()) && !t.TakenAt.Before(since) {
			return true
		}
	}
	return false
}

// PriceAt is what a renewal for a term costs at an instant, and the product's
// number with it, if it has another: as the marketplace lists it, or else as it
// was reported with the subscription for the term that it said. No currency is no
// price.
func (s *Subscription) PriceAt(t Term, at time.Time) (price Money, soldAs string) {
	for i := range s.Prices {
		if p := &s.Prices[i]; p.Term == t && !p.From.After(at) {
			price, soldAs = p.Price, p.SoldAs
		}
	}
	said := s.Reported.Renews
	if said.IsZero() {
		said = s.Bought
	}
	if price.Currency == "" && t == said {
		price = s.Price
	}
	return price, soldAs
}

// Extend adds a term that begins where the last one ends, however late it is
// bought, and keeps the anchor day: 31 January, 29 February, 31 March.
func (s *Subscription) Extend(t Term, key string, automatic bool, at time.Time, zone *time.Location) BoughtTerm {
	anchor := s.anchor(zone)
	from := s.EndsAt()
	next := BoughtTerm{SubscriptionID: s.ID, No: len(s.Terms) + len(s.TakenBack) + 1, Span: Span{From: from, To: t.EndAfter(from, 1, anchor, zone)},
		PaidBy: key, Automatic: automatic, At: at, Again: s.again()}
	s.Terms = append(slices.Clip(s.Terms), next)
	return next
}

// anchor is the day of the month on which terms end, where the month has it: the
// reported one, or that of the first start as long as terms end on it. After a
// trial of some days they end on another.
func (s *Subscription) anchor(zone *time.Location) int {
	if s.AnchorDay != 0 {
		return s.AnchorDay
	}
	_, _, start := DateOf(s.Start, zone).Split()
	year, month, day := DateOf(s.EndsAt(), zone).Split()
	if _, _, last := NewDate(year, month, 1).AddMonths(1, 1).AddDays(-1).Split(); day == min(start, last) {
		return start
	}
	return day
}

// TakeBack has the last term not count any more: what was bought before it ends
// when it ended before.
func (s *Subscription) TakeBack(at time.Time) BoughtTerm {
	last := s.Terms[len(s.Terms)-1]
	s.Terms = s.Terms[: len(s.Terms)-1 : len(s.Terms)-1]
	s.TakenBack = append(slices.Clip(s.TakenBack), TakenBack{last, at})
	return last
}

// again is how many terms from the end of the last one were taken back.
func (s *Subscription) again() (n int) {
	for i := range s.TakenBack {
		if s.TakenBack[i].Span.From.Equal(s.EndsAt()) {
			n++
		}
	}
	return n
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
	name := s.Site + "/" + s.Code + "/" + DateOf(s.EndsAt(), zone).String()
	if n := s.again(); n > 0 {
		name += "/" + strconv.Itoa(n+1)
	}
	return name
}
