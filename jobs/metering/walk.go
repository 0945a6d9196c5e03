package metering

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"nightshift/rules/market"
)

// Walk is a buyer's use on its way through time: at each instant at which
// something counts, it is rated with the packages that the buyer then has.
// Between two instants other things may happen: money comes in, a package is
// bought.
type Walk struct {
	meter       *Meter
	usage       *market.Usage
	asOf        time.Time
	instances   map[string]*market.Instance
	seen        map[same]bool             // use that was accepted before
	hours       map[hour]bool             // clock hours that are paid
	accumulated map[period]market.Decimal // made when the first is asked for
	judged      []judged                  // in the order of receipt
	order       []*judged                 // those due by asOf, in the order in which they count
	next        int                       // of order
	low         []Low                     // since the last call of Low

	out     Metered
	missing []error
	unknown map[NoPrice]bool // named in missing
}

func newWalk(m *Meter, u *market.Usage) *Walk {
	w := &Walk{meter: m, usage: u, instances: make(map[string]*market.Instance, len(u.Instances)),
		seen: make(map[same]bool, len(u.Records)), judged: make([]judged, 0, len(u.Records))}
	byID := make(map[int64]*market.Instance, len(u.Instances))
	for i := range u.Instances {
		w.instances[u.Instances[i].Code], byID[u.Instances[i].ID] = &u.Instances[i], &u.Instances[i]
	}
	for _, e := range u.Earlier {
		w.seen[same{e.InstanceID, e.Item, e.UsedAt.Unix(), e.UsedUntil.Unix()}] = true
		if i := byID[e.InstanceID]; i != nil && e.Measure == market.MeasureHours {
			w.payHour(hourOf(i, e.Item, e.CycleFrom))
		}
	}
	return w
}

// Walk judges the records received by asOf, in the order of receipt, and stands
// before the first that is due.
func (m *Meter) Walk(u *market.Usage, asOf time.Time) (*Walk, error) {
	w := newWalk(m, u)
	w.asOf, w.out.Received = asOf, asOf
	for i := range u.Records {
		if u.Records[i].ReceivedAt.After(asOf) {
			break
		}
		if err := w.judge(&u.Records[i]); err != nil {
			return nil, err
		}
	}
	w.order = make([]*judged, 0, len(w.judged))
	for i := range w.judged {
		if j := &w.judged[i]; j.result.DueAt.After(asOf) {
			w.postpone(j)
		} else {
			w.order = append(w.order, j)
		}
	}
	slices.SortFunc(w.order, func(a, b *judged) int {
		return cmp.Or(a.result.DueAt.Compare(b.result.DueAt), a.begin.Compare(b.begin), cmp.Compare(a.record.ID, b.record.ID))
	})
	w.out.Rated = make([]market.Rated, 0, len(w.order))
	return w, nil
}

// postpone leaves a record for the run in which it is due.
func (w *Walk) postpone(j *judged) {
	if w.out.NextDue.IsZero() || j.result.DueAt.Before(w.out.NextDue) {
		w.out.NextDue = j.result.DueAt
	}
	if before := j.record.ReceivedAt.Add(-time.Microsecond); before.Before(w.out.Received) {
		w.out.Received = before
	}
}

// Next is the next instant at which something counts; false after the last.
func (w *Walk) Next() (time.Time, bool) {
	if w.next == len(w.order) {
		return time.Time{}, false
	}
	return w.order[w.next].result.DueAt, true
}

// Step rates all that counts at the next instant.
func (w *Walk) Step() error {
	at, ok := w.Next()
	for ok && w.order[w.next].result.DueAt.Equal(at) {
		j := w.order[w.next]
		w.next++ // before settling: a record that is asked about again keeps its place
		if err := w.settle(j); err != nil {
			return err
		}
		j.settled = true
		ok = w.next < len(w.order)
	}
	return nil
}

// Rated is what was rated so far; what a step added is at its end.
func (w *Walk) Rated() []market.Rated { return w.out.Rated }

// Low are the packages that a buyer may want more of since it was last asked,
// each window once.
func (w *Walk) Low() []Low {
	low := w.low
	w.low = nil
	return low
}

// Own gives the buyer a package, which pays for use from when it is valid on.
func (w *Walk) Own(p market.Pack) { w.usage.Packs = append(w.usage.Packs, &market.PackUse{Pack: p}) }

// End is what became of the records. An error names every item without a price.
func (w *Walk) End() (Metered, error) {
	w.out.Results = make([]market.UsageResult, 0, len(w.judged))
	for i := range w.judged {
		if w.judged[i].settled {
			w.out.Results = append(w.out.Results, w.judged[i].result)
		}
	}
	return w.out, errors.Join(w.missing...)
}
