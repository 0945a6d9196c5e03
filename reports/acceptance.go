package reports

import (
	"io"
	"iter"
	"time"

	"nightshift/rules/market"
)

// AcceptanceReport is all that the workbook of an acceptance run shows. The
// lists are read once each, in the order of the fields, and never held whole.
type AcceptanceReport struct {
	Site     string
	Zone     *time.Location // the site's; every instant is shown in it
	Currency market.Currency
	On       market.Date // the business date
	AsOf     time.Time   // the instant the run evaluated at; the document is dated with it
	Build    string      // the program that ran
	Schema   int         // the schema it ran on

	Policies   []PolicyUsed
	ResultHash []byte
	Counts     AcceptanceCounts

	Accepted  iter.Seq2[AcceptedRow, error] // accepted by this run
	Refunded  iter.Seq2[RefundedRow, error] // refunded by this run
	Waiting   iter.Seq2[WaitingRow, error]  // waiting at the as-of, whenever that was decided; oldest first reads best
	Held      iter.Seq2[WaitingRow, error]  // held for a person at the as-of, whenever that was decided
	Reminders iter.Seq2[ReminderRow, error] // owed to somebody because of this run
	Parked    iter.Seq2[ParkedRow, error]   // set aside by this run
}

// PolicyUsed is a version of a ruleset that the run was pinned to.
type PolicyUsed struct {
	Ruleset   string
	Version   int
	Effective market.Date
	Hash      []byte // of its content
}

// AcceptanceCounts is what the database says about the run. The control sheet
// ties the lists to it.
type AcceptanceCounts struct {
	Due       int64            // candidates the run looked at
	Decided   map[string]int64 // decided by this run, by outcome
	Parked    int64            // set aside by this run
	Accepted  Tally
	Refunded  Tally
	Waiting   Tally // all that wait at the as-of
	Held      Tally // all that are held at the as-of
	Reminders int64
}

// Tally is how many orders a list has, and their amounts together. A zero
// Amount without a currency is zero of the site's currency.
type Tally struct {
	Rows   int64
	Amount market.Money
}

// Subject is the order that a row is about.
type Subject struct {
	Order, Buyer, Seller string // their codes
	AccessType           string
	Amount               market.Money // what the order costs
}

// AcceptedRow is a delivery that was accepted in the buyer's place.
type AcceptedRow struct {
	Subject
	StartedAt  time.Time // when the clock that the rule measures began: the signature, the confirmation, the activation …
	DueAt      time.Time // since when the delivery counts as accepted
	ValidFrom  time.Time // zero for a one-off sale
	ValidUntil time.Time
	Rule       string
	Because    string
}

// RefundedRow is an order that was closed with its money going back.
type RefundedRow struct {
	Subject
	StartedAt time.Time
	DueAt     time.Time
	Rule      string
	Because   string
}

// WaitingRow is a delivery that is neither accepted nor refunded. Because says
// why that is not automatic.
type WaitingRow struct {
	Subject
	WaitsFor string    // buyer, seller, platform or courier; empty where no rule says
	Since    time.Time // zero where no clock has begun
	TurnsAt  time.Time // when the answer changes if nothing else does; zero: only a fact or a rule can change it
	Rule     string
	Because  string
}

// ReminderRow is a notice that somebody is owed.
type ReminderRow struct {
	Order      string
	Kind       string // overdue, phone_mismatch …
	Recipients []string
	At         time.Time
	Rule       string
	Because    string
}

// ParkedRow is a candidate that was set aside because it could not be decided.
type ParkedRow struct {
	Code   string    // of the order or the buyer
	At     time.Time // the as-of of the run that parked it
	Reason string    // what is wrong, and what to do
}

// Acceptance writes the workbook of an acceptance run. The same report gives
// the same bytes. Where the lists do not tie to the counts the workbook is
// written all the same, red, and the error is ErrDoesNotTie.
func Acceptance(w io.Writer, r AcceptanceReport) error {
	return publish(w, "acceptance", r.cover(), r.write)
}
