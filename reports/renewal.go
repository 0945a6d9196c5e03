package reports

import (
	"io"
	"iter"
	"time"

	"nightshift/rules/market"
)

// RenewalReport is all that the workbook of a renewal run shows. The lists are
// read once each: those of each currency, then the others.
type RenewalReport struct {
	Site   string
	Zone   *time.Location // the site's; every instant is shown in it
	On     market.Date    // the business date
	AsOf   time.Time      // the instant the run evaluated at; the document is dated with it
	Build  string         // the program that ran
	Schema int            // the schema it ran on

	Policies   []PolicyUsed
	ResultHash []byte
	Counts     RenewalCounts

	Books   []RenewalBook // one a currency, the site's own first
	Lapsing iter.Seq2[LapsingRow, error]
	ByHand  iter.Seq2[ByHandRow, error]
	Wishes  iter.Seq2[WishRow, error]
	Notices iter.Seq2[NoticeRow, error]
	Calls   iter.Seq2[CallRow, error]
	Parked  iter.Seq2[ParkedRow, error]
}

// RenewalCounts is what the database says about the run, whatever the currency.
type RenewalCounts struct {
	Buyers  int64            // that the run looked at
	Decided map[string]int64 // by outcome
	Parked  int64

	Lapsed, Frozen, Released, Running int64 // changes of state
	ByHand, Wishes, Notices, Calls    int64
}

// RenewalBook is the money of one currency.
type RenewalBook struct {
	Currency  market.Currency
	Counts    RenewalBookCounts
	Renewed   iter.Seq2[RenewedRow, error]
	NotPaid   iter.Seq2[NotRenewedRow, error]
	TakenBack iter.Seq2[TakenBackRow, error]
}

// RenewalBookCounts is what the database says about one currency. Amounts without
// a currency are zero of the book's.
type RenewalBookCounts struct {
	Deductions, Terms               int64
	Price, Discounted, Due, Dropped market.Money // of the deductions
	Taken, LetGo                    market.Money // what the journals took from buyers, and dropped, under their keys

	Tried, Held, Given int64 // could not be paid, could not be tried, are not tried any more
	Open, Short        market.Money
	TakenBack          int64
	GaveBack, Back     market.Money // what was decided to go back for renewals by themselves; what the journals gave back
}

// SubscriptionSubject is the subscription that a row is about, by codes.
type SubscriptionSubject struct {
	Subscription, Buyer, Seller, Product string
	Ends                                 time.Time // when the term ends, or ended, that the row is about
}

// RenewedRow is a renewal that was paid.
type RenewedRow struct {
	SubscriptionSubject
	Until                            time.Time // the end of the new term
	At                               time.Time
	Price                            market.Money
	Discount                         string // the instrument
	Discounted, Dropped, Due         market.Money
	PaidBy, Event, Rule, RuleBecause string
}

// NotRenewedRow is a renewal that was wanted and is not paid.
type NotRenewedRow struct {
	SubscriptionSubject
	Outcome          string // retry, hold or cancel
	At               time.Time
	Price, Shortfall market.Money
	Next             time.Time // of the next try; zero where there is none
	Rule, Because    string
}

// TakenBackRow is what became of a request to take a renewal back.
type TakenBackRow struct {
	Request, Subscription, Buyer, Renewal string
	Outcome                               string
	At                                    time.Time
	Amount                                market.Money
	Rule, Because                         string
}

// LapsingRow is a subscription that came into another state.
type LapsingRow struct {
	SubscriptionSubject
	State         string
	Since, Turns  time.Time // Turns is zero where it does not change by itself
	Rule, Because string
}

// ByHandRow is a term that somebody had bought outside.
type ByHandRow struct {
	Subscription, Buyer, Renewal string
	From, Until, At              time.Time
}

// WishRow is what became of a change of the policy.
type WishRow struct {
	Subscription, Buyer, Policy, Outcome string
	At                                   time.Time
	Rule, Because                        string
}

// NoticeRow is a notice that somebody is owed.
type NoticeRow struct {
	Subscription, Buyer, Kind string
	Recipients                []string
	At                        time.Time
}

// CallRow is what the interface of a seller has to be told.
type CallRow struct {
	Subscription, Seller, Activity, Scene, Instance string
	At                                              time.Time
	Payload                                         string
}

// Renewal writes the workbook of a renewal run. The same report gives the same
// bytes. Where the lists do not tie to the journals and the counts the workbook
// is written all the same, red, and the error is ErrDoesNotTie.
func Renewal(w io.Writer, r RenewalReport) error {
	return publish(w, "renewal", r.cover(), r.write)
}

func (r RenewalReport) cover() cover {
	return cover{title: label{"续费夜报", "Renewal run"}, subject: r.Site + " · " + r.On.String(), zone: r.Zone, currency: r.Books[0].Currency, dated: r.AsOf}
}
