package market

import "time"

// Listing is a product on the shelf, with what is known of its seller's interface.
type Listing struct {
	ID         int64
	Site       string
	Code       string
	Seller     string // by code
	AccessType string
	DelistedAt time.Time      // zero while it is on the shelf
	Zone       *time.Location // of the site
	Since      time.Time      // the beginning of a month: what was before is not known
	Failed     []time.Time    // when orders of it had failed, in their order
	Probed     []ProbedDay    // in their order; a day without a probe is not among them
}

// ProbedDay is a calendar day of the site on which an interface was probed.
type ProbedDay struct {
	On     Date
	Passed bool // one of the probes did
}

// FailedIn counts the orders that failed in a month, as far as it went at an instant.
func (l *Listing) FailedIn(month Period, at time.Time) (n int64) {
	for _, t := range l.Failed {
		if !t.After(at) && month.Contains(DateOf(t, l.Zone)) {
			n++
		}
	}
	return n
}

// FailedDays counts the days one after the other, up to the last that is over at
// an instant, on which probes were made and none passed.
func (l *Listing) FailedDays(at time.Time) (n int64) {
	day := DateOf(at, l.Zone) - 1
	for i := len(l.Probed) - 1; i >= 0; i-- {
		p := l.Probed[i]
		if p.On > day {
			continue
		}
		if p.On < day || p.Passed {
			break
		}
		n++
		day--
	}
	return n
}

// Events appends the instants at which these counts change: an order fails, a
// month begins, a day of probes is over, and one without.
func (l *Listing) Events(to []time.Time) []time.Time {
	begin := func(d Date) { to = append(to, d.At(TimeOfDay{}, l.Zone)) }
	for _, t := range l.Failed {
		to = append(to, t)
		begin(Month(DateOf(t, l.Zone)).To)
	}
	for _, p := range l.Probed {
		begin(p.On + 1)
		begin(p.On + 2)
		begin(Month(p.On + 1).To)
	}
	if !l.DelistedAt.IsZero() {
		to = append(to, l.DelistedAt)
	}
	return to
}
