package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/rules/table"
)

// Reject is one reason why a row was not taken in. A row may have several.
type Reject struct {
	File   string
	Line   int
	Column string // empty if the row as a whole is to blame
	Value  string // as it stands in the file, shortened
	Reason string
}

func (r Reject) String() string {
	where := fmt.Sprintf("%s:%d", r.File, r.Line)
	if r.Column != "" {
		where += ", column " + r.Column
	}
	if r.Value != "" {
		where += ", " + strconv.Quote(r.Value)
	}
	return where + ": " + r.Reason
}

// shown is how many rejects a message and a Result carry.
const shown = 10

// rejects gathers what was rejected: all of it in a csv file, if one is wanted,
// and the first few for messages.
type rejects struct {
	path  string
	file  *os.File
	csv   *csv.Writer
	first []Reject

	name   string             // the file being read
	parsed int64              // its rows that were rejected before they were staged
	later  map[int64]struct{} // its staged lines that were rejected after
	some   []Reject
}

// newRejects begins the csv of rejected rows at path, which is written even if
// it stays empty, so that one from an earlier import is not taken for this one's.
func newRejects(path string) (*rejects, error) {
	r := &rejects{path: path}
	if path == "" {
		return r, nil
	}
	var err error
	if r.file, err = os.Create(path); err != nil {
		return nil, &InputError{Doing: "write rejected rows", Err: err}
	}
	r.csv = csv.NewWriter(r.file)
	return r, r.csv.Write([]string{"file", "line", "column", "value", "reason"})
}

// begin starts counting for the next file.
func (r *rejects) begin(file string) {
	r.name, r.parsed, r.later, r.some = file, 0, map[int64]struct{}{}, nil
}

// row takes the reasons why a row did not get as far as being staged.
func (r *rejects) row(why []Reject) error {
	r.parsed++
	for _, one := range why {
		if err := r.add(one); err != nil {
			return err
		}
	}
	return nil
}

// line takes a reason why a staged line cannot be kept.
func (r *rejects) line(line int64, column, value, reason string) error {
	r.later[line] = struct{}{}
	return r.add(Reject{Line: int(line), Column: column, Value: value, Reason: reason})
}

func (r *rejects) add(one Reject) error {
	one.File, one.Value = r.name, excerpt(one.Value)
	if len(r.some) < shown {
		r.some = append(r.some, one)
	}
	if len(r.first) < shown {
		r.first = append(r.first, one)
	}
	if r.csv == nil {
		return nil
	}
	if err := r.csv.Write([]string{inert(one.File), strconv.Itoa(one.Line), one.Column, inert(one.Value), inert(one.Reason)}); err != nil {
		return fmt.Errorf("write rejected rows to %s: %w", r.path, err)
	}
	return nil
}

func (r *rejects) rows() int64   { return r.parsed + int64(len(r.later)) }
func (r *rejects) staged() int64 { return int64(len(r.later)) }

// has tells whether the staged line was rejected.
func (r *rejects) has(line int64) bool { _, bad := r.later[line]; return bad }

// lines are the staged lines that were rejected.
func (r *rejects) lines() []int64 {
	lines := make([]int64, 0, len(r.later))
	for l := range r.later {
		lines = append(lines, l)
	}
	return lines
}

// summary says what was rejected in this file and what can be done about it.
func (r *rejects) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows were rejected and nothing was kept: mend them, or keep the others with --partial", r.rows())
	if r.path != "" {
		fmt.Fprintf(&b, " (all of them: %s)", r.path)
	}
	for _, one := range r.some {
		fmt.Fprintf(&b, "\n  %s", one)
	}
	if r.path == "" && len(r.some) == shown {
		b.WriteString("\n  …")
	}
	return b.String()
}

func (r *rejects) close() error {
	if r.file == nil {
		return nil
	}
	r.csv.Flush()
	err := r.csv.Error()
	if e := r.file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write rejected rows to %s: %w", r.path, err)
	}
	return nil
}

// inert keeps a spreadsheet from taking a cell for a formula.
func inert(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if _, err := market.ParseDecimal(s); err == nil {
		return s
	}
	return "'" + s
}

// excerpt keeps a value short enough to be read.
func excerpt(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// rejectOf is the rejection of a row that the reader or the mapping refused.
func rejectOf(line int, err error) Reject {
	if bad := new(table.RowError); errors.As(err, &bad) {
		return Reject{Line: line, Column: bad.Column, Value: bad.Value, Reason: bad.Reason}
	}
	if bad := new(rules.CellError); errors.As(err, &bad) {
		return Reject{Line: line, Column: bad.Column, Value: bad.Value, Reason: bad.Err.Error()}
	}
	return Reject{Line: line, Reason: err.Error()}
}
