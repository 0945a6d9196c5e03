package reports

import (
	"fmt"
	"io"
	"iter"
	"time"

	"nightshift/rules/market"
)

// StatementReport is all that the workbook of a seller's statement shows. The
// lists are read once each, in the order of the fields.
type StatementReport struct {
	Site       string
	Zone       *time.Location // the site's; every instant is shown in it
	Seller     string         // its code
	SellerName string
	Period     market.Period
	Version    int
	Opening    bool   // it holds what was open at a cutover, and nothing else
	Because    string // why there is another version; empty for the first
	Currency   market.Currency
	BillDay    market.Date // the day that the bill was generated on
	AsOf       time.Time   // the instant the run evaluated at; the document is dated with it
	Build      string      // the program that ran
	Schema     int         // the schema it ran on
	Policies   []PolicyUsed
	Steps      []StatementStep // what happens to it by when

	Totals  StatementTotals
	Journal StatementJournal

	Lines       iter.Seq2[StatementLineRow, error]
	Adjustments iter.Seq2[AdjustmentRow, error]
	Waiting     iter.Seq2[UnsettledRow, error]
	Differences iter.Seq2[DifferenceRow, error] // to the version before; only of a later version
}

// StatementStep is a step on the way of a statement, and the last day for it.
type StatementStep struct {
	State string // a word of the statement's states
	Until market.Date
}

// StatementTotals is what the database says of the statement. Settled +
// Adjustments + CarriedIn = Payout + CarriedOut.
type StatementTotals struct {
	Lines                              int64 // of every kind
	Waiting                            int64
	Billable, Fee, Taxes, OperatingFee market.Money
	Settled, Adjustments, CarriedIn    market.Money
	CarriedOut                         market.Money // zero or below
	Payout                             market.Money // zero or above
}

// StatementJournal is what the journals of the statement posted.
type StatementJournal struct {
	Keys    string       // of the journals
	Fees    market.Money // to the platform
	Taxes   market.Money
	Payable market.Money
	Carried market.Money // how far the seller's carried balance moved
}

// StatementLineRow is one thing that a seller earned or gave back.
type StatementLineRow struct {
	Key                           string
	Kind                          string
	Order                         string
	Line                          int // of the order; 0 where it has none
	Product, ProductClass, Access string
	Model                         string
	PaidAt                        time.Time
	DecidedBy                     string // which instant decided the period
	DecidedAt                     time.Time
	Paid, Billable                market.Money
	FeeRate, ExtraRate, Share     market.Decimal
	TierTotal                     market.Money // what the tier was found by; no currency where there is none
	Fee, Withheld, WHT, DST       market.Money
	OperatingFee, Settled         market.Money
	Rules                         string
	Reverses                      string // the line that a refund takes back
}

// AdjustmentRow is a line from outside the trade: agreed, opened or carried.
type AdjustmentRow struct {
	Key, Kind string
	At        time.Time
	Amount    market.Money
	Memo      string
}

// UnsettledRow is a line that waits, with the conditions that it lacks.
type UnsettledRow struct {
	Seller, Key, Kind, Order, Product, ProductClass string
	PaidAt                                          time.Time
	Amount                                          market.Money
	Outcome                                         string // wait, or hold where a person has to mend it
	Unmet                                           []string
	Until                                           time.Time // when they will be met, where dates decide
	Because                                         string
}

// DifferenceRow is a line that differs between a version and the one before.
type DifferenceRow struct {
	Key, Order, Product string
	Before, After       market.Money // what was settled; no currency where there was no such line
	Why                 string
}

// Statement writes the workbook of a seller's statement. The same report gives
// the same bytes. Where lines, statement and journal do not tie the workbook is
// written all the same, red, and the error is ErrDoesNotTie.
func Statement(w io.Writer, r StatementReport) error {
	return publish(w, "statement", r.cover(), r.write)
}

// cover is what the document says of itself.
func (r StatementReport) cover() cover {
	subject := r.Site + " · " + r.Seller + " · " + r.Period.String()
	if r.Version > 1 {
		subject += fmt.Sprintf(" · v%d", r.Version)
	}
	title := label{"结算单", "Statement"}
	if r.Opening {
		title = label{"期初结算单", "Opening statement"}
	}
	return cover{title: title, subject: subject, zone: r.Zone, currency: r.Currency, dated: r.AsOf}
}

// zero is no money of the statement's currency.
func (r StatementReport) zero() market.Money { return market.NewMoney(market.Decimal{}, r.Currency) }

// in is an amount of the statement: zero where it has no currency.
func (r StatementReport) in(m market.Money) market.Money {
	if m.Currency == "" && m.IsZero() {
		return r.zero()
	}
	return m
}
