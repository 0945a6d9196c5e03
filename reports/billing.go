package reports

import (
	"io"
	"iter"
	"time"

	"nightshift/rules/market"
)

// BillingReport is all that the workbook of a billing run shows. The lists are
// read once each: those of each currency, then the others.
type BillingReport struct {
	Site   string
	Zone   *time.Location // the site's; every instant is shown in it
	On     market.Date    // the business date
	AsOf   time.Time      // the instant the run evaluated at; the document is dated with it
	Build  string         // the program that ran
	Schema int            // the schema it ran on

	Policies   []PolicyUsed
	ResultHash []byte
	Counts     BillingCounts

	Books  []BillingBook              // one a currency, the site's own first
	Errors iter.Seq2[ErrorRow, error] // records of use that this run put on the error list
	Parked iter.Seq2[ParkedRow, error]
}

// BillingCounts is what the database says about the run, whatever the currency.
type BillingCounts struct {
	Buyers  int64            // that the run looked at
	Decided map[string]int64 // by outcome
	Parked  int64
	Judged  int64 // records of use that have a result from this run
	Errors  int64 // of them on the error list
}

// BillingBook is the money of one currency: what is of two currencies is never
// added up, so that each has its own lists and its own totals.
type BillingBook struct {
	Currency market.Currency
	Counts   BookCounts

	Deductions iter.Seq2[DeductionRow, error]
	Buyers     iter.Seq2[PartyRow, error]
	Sellers    iter.Seq2[PartyRow, error]
	Sources    iter.Seq2[SourceRow, error]
	Dropped    iter.Seq2[DroppedRow, error]
	Refunds    iter.Seq2[RefundRow, error]
	NotPaid    iter.Seq2[NotPaidRow, error]
	Months     iter.Seq2[MonthRow, error] // bills of the month to buyers on account
	Lines      iter.Seq2[SharedRow, error]
	Arrears    iter.Seq2[ArrearsRow, error] // of all who owe at the as-of, whenever that began
}

// BookCounts is what the database says about one currency. Amounts without a
// currency are zero of the book's.
type BookCounts struct {
	Deductions                            int64
	Price, Discounted, Due, Dropped, Owed market.Money // of the deductions
	Back                                  market.Money // given back, where the due was below zero

	Taken       market.Money // what the journals took from buyers under the deductions' keys
	LetGo       market.Money // what they posted from platform:dropped under these keys
	DroppedRows int64        // postings of the run with platform:dropped
	DroppedAll  market.Money

	Refunds  Tally
	Refunded market.Money // what the journals of refunds gave back to buyers
	NotPaid  Tally
	Short    market.Money // what was short of the orders not paid
	Months   Tally
	Lines    Tally        // of months whose total was shared out; what they were charged
	LinesDue market.Money // before
	LinesLet market.Money // what the journals of these months posted from platform:dropped
	Arrears  Tally        // who owes, and what of it is for use
	Overdue  market.Money // bills of the month that are
}

// DeductionRow is what was charged for one event of the trade.
type DeductionRow struct {
	Key                    string
	Buyer, Seller          string
	Kind, Item             string
	UsedFrom, UsedUntil    time.Time // zero for an order
	At                     time.Time
	Price                  market.Money
	Discount               string // the instrument
	Discounted             market.Money
	Due, Dropped, LeftOwed market.Money
	PaidBy                 string
}

// PartyRow adds deductions up for one buyer or one seller.
type PartyRow struct {
	Party                                 string // its code; empty for orders that several sellers share
	Deductions                            int64
	Price, Discounted, Dropped, Due, Owed market.Money
}

// SourceRow is what one instrument paid.
type SourceRow struct {
	Kind, Instrument   string
	Deductions, Buyers int64
	Amount             market.Money
}

// DroppedRow is what rounding let go, or added below zero, in one journal.
type DroppedRow struct {
	Key, Buyer, Memo string
	At               time.Time
	Amount           market.Money
}

// RefundRow is what was decided about a request for money back.
type RefundRow struct {
	Refund, Order, Buyer string // their codes
	Request, Outcome     string
	RequestedAt, At      time.Time
	Amount               market.Money // what was given back
	Rule, Because        string
}

// NotPaidRow is an order that was rejected, cancelled or left to wait.
type NotPaidRow struct {
	Subject
	Outcome   string
	At        time.Time // since when that holds
	Tried     time.Time // zero while nobody asked for it to be paid
	Shortfall market.Money
	TurnsAt   time.Time // when it is cancelled if nobody pays; zero: not by itself
	Rule      string
	Because   string
	NotUsed   string // the instruments that were not used, and why
}

// MonthRow is what a buyer on account was billed when a month had ended.
type MonthRow struct {
	Buyer   string
	Month   market.Date // its first day
	Owed    market.Money
	At      time.Time // the end of the month
	DueAt   time.Time
	Rule    string
	Because string
}

// SharedRow is a deduction among those that the rounded total of a month was
// shared out to.
type SharedRow struct {
	Buyer        string
	Month        market.Date // its first day
	Event        string      // the deduction's
	At           time.Time
	Due, Charged market.Money
	Dropped      market.Money // due less charged; below zero where it was rounded up
}

// ArrearsRow is a buyer who owes for use, or has not paid the bill of a month in
// time.
type ArrearsRow struct {
	Buyer   string
	Owed    market.Money // for use
	Since   time.Time    // zero where nothing is
	Overdue market.Money // of bills of the month
	DueAt   time.Time    // when the first of them was due; zero where none is overdue
	Month   market.Date  // that it is of
	State   string
	TurnsAt time.Time
	Rule    string
	Because string
}

// ErrorRow is a record of use that is not billed because something is wrong in
// it, as it was reported.
type ErrorRow struct {
	Code, SN, Upload, Seller, Buyer, Instance, Item string
	Begin, End, Value                               string
	Received                                        time.Time
	Late                                            bool
	Rule, Because                                   string
}

// Billing writes the workbook of a billing run. The same report gives the same
// bytes. Where the lists do not tie to the journals and the counts the workbook
// is written all the same, red, and the error is ErrDoesNotTie.
func Billing(w io.Writer, r BillingReport) error {
	return publish(w, "billing", r.cover(), r.write)
}

// cover is what the document says of itself.
func (r BillingReport) cover() cover {
	return cover{title: label{"扣费夜报", "Billing run"}, subject: r.Site + " · " + r.On.String(), zone: r.Zone, currency: r.Books[0].Currency, dated: r.AsOf}
}
