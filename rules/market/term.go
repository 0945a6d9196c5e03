package market

import (
	"fmt"
	"time"
)

// Unit is what a term is counted in.
type Unit string

// The units a term is sold in.
const (
	UnitDay   Unit = "day"
	UnitMonth Unit = "month"
	UnitYear  Unit = "year"
)

// Term is how long something is sold for: 1 month, 3 years.
type Term struct {
	Count int
	Unit  Unit
}

// IsZero tells whether nothing was said about a length: a one-off sale.
func (t Term) IsZero() bool { return t.Count == 0 }

// Valid answers what is wrong with t, if anything.
func (t Term) Valid() error {
	if t.Count < 1 {
		return fmt.Errorf("term of %d %s: at least 1", t.Count, t.Unit)
	}
	switch t.Unit {
	case UnitDay, UnitMonth, UnitYear:
		return nil
	}
	return fmt.Errorf("term of %d %q: the unit is day, month or year", t.Count, t.Unit)
}

// End is the last second of a validity that began at start: 23:59:59, in the
// zone, of the day that adding the term to the start's day gives. Months and
// years clamp to the last day of a short month. The next term begins at it.
func (t Term) End(start time.Time, zone *time.Location) time.Time {
	return t.EndAfter(start, 1, 0, zone)
}

// EndAfter is the end of the n-th term in a row since start. Counting from the
// first start keeps the anchor day: 31 January, 29 February, 31 March. An
// anchor day of 0 is the start's own day.
func (t Term) EndAfter(start time.Time, n, anchorDay int, zone *time.Location) time.Time {
	from := DateOf(start, zone)
	var last Date
	switch t.Unit {
	case UnitDay:
		last = from.AddDays(n * t.Count)
	case UnitMonth:
		last = from.AddMonths(n*t.Count, anchorDay)
	case UnitYear:
		last = from.AddMonths(12*n*t.Count, anchorDay)
	}
	return last.At(TimeOfDay{23, 59, 59}, zone)
}

// String writes a term like "1 month" or "3 years".
func (t Term) String() string {
	if t.Count == 1 {
		return "1 " + string(t.Unit)
	}
	return fmt.Sprintf("%d %ss", t.Count, t.Unit)
}
