package reports

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"nightshift/rules/market"
)

// BacktestReport is all that the workbook of a backtest shows: what would have
// become of history under candidate rules.
type BacktestReport struct {
	Site     string
	Zone     *time.Location
	Currency market.Currency
	From, To market.Date // business dates, both included
	AsOf     time.Time   // of the last night; the document is dated with it
	Policies []PolicyUsed
	Rows     int64 // decisions that the database has, counted apart from reading them

	Changed iter.Seq2[ChangedDecision, error] // read once, before the counts
	Counts  *BacktestCounts                   // complete when Changed has been read
}

// The ways in which a decision changes.
const (
	ChangeNone        = ""
	ChangeOutcome     = "outcome"
	ChangeEarlier     = "earlier"
	ChangeLater       = "later"
	ChangeValues      = "values"
	ChangeRule        = "rule" // nothing but the name of the rule; counted, not listed
	ChangeUndecidable = "undecidable"
)

// Stood is what stood about a subject at the end of the backtest.
type Stood struct {
	Outcome, Rule string
	Since         time.Time
}

// ChangedDecision is one subject under the rules it was decided by, and under
// the candidate.
type ChangedDecision struct {
	Subject
	Ruleset       string
	Kind          string
	Before, After Stood
	Final         bool   // both ended the subject's work: the instants can be compared
	Because       string // the sentence of the candidate's rule, or why it cannot decide
	Unknown       bool   // the candidate goes beyond the end of what was recorded
}

// Listed tells whether the change is worth a row.
func (c ChangedDecision) Listed() bool { return c.Kind != ChangeNone && c.Kind != ChangeRule }

// By is how much later the candidate decides; negative where it decides earlier.
func (c ChangedDecision) By() time.Duration {
	if !c.Final || c.Kind != ChangeEarlier && c.Kind != ChangeLater {
		return 0
	}
	return c.After.Since.Sub(c.Before.Since)
}

// BacktestCounts are the totals of a backtest.
type BacktestCounts struct {
	Orders   int64 // decided again
	Rows     int64 // decisions of history that were read for it
	Unknown  int64 // changes that go beyond what was recorded
	Kinds    map[string]ChangeTally
	Outcomes map[BacktestKey]BeforeAfter
	Sellers  map[BacktestKey]BeforeAfter // by seller and outcome, too
	Rules    map[BacktestKey]Tally       // listed changes by the candidate's rule
}

// BacktestKey says what a total is of; what does not matter to it is empty.
type BacktestKey struct{ Ruleset, Seller, Outcome, Rule string }

// BeforeAfter is a total under the rules that decided, and under the candidate.
type BeforeAfter struct{ Before, After Tally }

// ChangeTally counts changes of one kind, and by how long they move a decision.
type ChangeTally struct {
	Tally
	Sum, Most time.Duration // without a sign
}

// Mean is by how long the changes move a decision on average.
func (t ChangeTally) Mean() time.Duration {
	if t.Rows == 0 {
		return 0
	}
	return t.Sum / time.Duration(t.Rows)
}

// NewBacktestCounts are totals of nothing.
func NewBacktestCounts() BacktestCounts {
	return BacktestCounts{Kinds: map[string]ChangeTally{}, Outcomes: map[BacktestKey]BeforeAfter{}, Sellers: map[BacktestKey]BeforeAfter{}, Rules: map[BacktestKey]Tally{}}
}

// Listed is how many rows the list of changes has.
func (n *BacktestCounts) Listed() int64 {
	var rows int64
	for kind, t := range n.Kinds {
		if (ChangedDecision{Kind: kind}).Listed() {
			rows += t.Rows
		}
	}
	return rows
}

// plus adds two tallies. Amounts of two currencies are an error.
func (t Tally) plus(o Tally) (Tally, error) {
	switch {
	case o.Amount.Currency == "" && o.Amount.IsZero():
	case t.Amount.Currency == "" && t.Amount.IsZero():
		t.Amount = o.Amount
	default:
		sum, err := t.Amount.Add(o.Amount)
		if err != nil {
			return t, err
		}
		t.Amount = sum
	}
	t.Rows += o.Rows
	return t, nil
}

// addTo adds to a total of a map.
func addTo(totals map[BacktestKey]BeforeAfter, key BacktestKey, o BeforeAfter) error {
	t := totals[key]
	var first, second error
	t.Before, first = t.Before.plus(o.Before)
	t.After, second = t.After.plus(o.After)
	totals[key] = t
	return errors.Join(first, second)
}

// Add counts one subject in.
func (n *BacktestCounts) Add(c ChangedDecision) error {
	one := Tally{Rows: 1, Amount: c.Amount}
	before, after := BeforeAfter{Before: one}, BeforeAfter{After: one}
	err := errors.Join(
		addTo(n.Outcomes, BacktestKey{Ruleset: c.Ruleset, Outcome: c.Before.Outcome}, before),
		addTo(n.Outcomes, BacktestKey{Ruleset: c.Ruleset, Outcome: c.After.Outcome}, after),
		addTo(n.Sellers, BacktestKey{Ruleset: c.Ruleset, Seller: c.Seller, Outcome: c.Before.Outcome}, before),
		addTo(n.Sellers, BacktestKey{Ruleset: c.Ruleset, Seller: c.Seller, Outcome: c.After.Outcome}, after),
	)
	if c.Unknown && c.Listed() {
		n.Unknown++
	}
	err = errors.Join(err, n.addKind(c.Kind, ChangeTally{Tally: one, Sum: c.By().Abs(), Most: c.By().Abs()}))
	if !c.Listed() {
		return err
	}
	return errors.Join(err, n.addRule(BacktestKey{Ruleset: c.Ruleset, Rule: c.After.Rule, Outcome: c.After.Outcome}, one))
}

func (n *BacktestCounts) addKind(kind string, o ChangeTally) (err error) {
	t := n.Kinds[kind]
	t.Tally, err = t.Tally.plus(o.Tally)
	t.Sum, t.Most = t.Sum+o.Sum, max(t.Most, o.Most)
	n.Kinds[kind] = t
	return err
}

func (n *BacktestCounts) addRule(key BacktestKey, o Tally) (err error) {
	n.Rules[key], err = n.Rules[key].plus(o)
	return err
}

// Join counts other totals in.
func (n *BacktestCounts) Join(o BacktestCounts) error {
	n.Orders, n.Rows, n.Unknown = n.Orders+o.Orders, n.Rows+o.Rows, n.Unknown+o.Unknown
	var err error
	for kind, t := range o.Kinds {
		err = errors.Join(err, n.addKind(kind, t))
	}
	for key, t := range o.Outcomes {
		err = errors.Join(err, addTo(n.Outcomes, key, t))
	}
	for key, t := range o.Sellers {
		err = errors.Join(err, addTo(n.Sellers, key, t))
	}
	for key, t := range o.Rules {
		err = errors.Join(err, n.addRule(key, t))
	}
	return err
}

// BacktestKeys are the keys of totals in a fixed order.
func BacktestKeys[T any](totals map[BacktestKey]T) []BacktestKey {
	keys := make([]BacktestKey, 0, len(totals))
	for k := range totals {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b BacktestKey) int {
		return cmp.Or(cmp.Compare(a.Ruleset, b.Ruleset), cmp.Compare(a.Seller, b.Seller), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Rule, b.Rule))
	})
	return keys
}

// Backtest writes the workbook of a backtest. Where its lists do not tie it is
// written all the same, red, and the error is ErrDoesNotTie.
func Backtest(w io.Writer, r BacktestReport) error {
	return publish(w, "backtest", r.cover(), r.write)
}
