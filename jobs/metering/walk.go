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
	w.plan()
	w.out.Rated = make([]market.Rated, 0, len(w.order))
	return w, nil
}

// plan puts what is not settled in the order in which it counts.
func (w *Walk) plan() {
	w.order, w.next = w.order[:0], 0
	w.out.NextDue, w.out.Received = time.Time{}, w.asOf
	for i := range w.judged {
		switch j := &w.judged[i]; {
		case j.settled:
		case j.result.DueAt.After(w.asOf):
			w.postpone(j)
		default:
			w.order = append(w.order, j)
		}
	}
	slices.SortFunc(w.order, func(a, b *judged) int {
		return cmp.Or(a.result.DueAt.Compare(b.result.DueAt), a.begin.Compare(b.begin), cmp.Compare(a.record.ID, b.record.ID))
	})
}

// Freeze has all instances of the buyer frozen from an instant on, until Thaw.
func (w *Walk) Freeze(at time.Time) error {
	for i := range w.usage.Instances {
		frozen := &w.usage.Instances[i].Frozen
		*frozen = append(*frozen, market.Span{From: at})
	}
	return w.askAgain(begunSince(at))
}

// Thaw ends at an instant what was frozen since another.
func (w *Walk) Thaw(since, at time.Time) error {
	for i := range w.usage.Instances {
		for k := range w.usage.Instances[i].Frozen {
			if s := &w.usage.Instances[i].Frozen[k]; s.Open() && s.From.Equal(since) {
				s.To = at
			}
		}
	}
	return w.askAgain(begunSince(at))
}

func begunSince(at time.Time) func(*judged) bool {
	return func(j *judged) bool { return !j.begin.IsZero() && !j.begin.Before(at) }
}

// askAgain judges anew, in the order of receipt, records that are not settled
// and found something else than was known when the walk began.
func (w *Walk) askAgain(which func(*judged) bool) error {
	var again []*judged
	for i := range w.judged {
		j := &w.judged[i]
		if j.settled || j.instance == nil || !which(j) {
			continue
		}
		if j.result.Outcome == market.Accept {
			delete(w.seen, j.use())
		}
		again = append(again, j)
	}
	for _, j := range again {
		if err := w.ask(j); err != nil {
			return err
		}
		if j.result.Outcome == market.Accept {
			w.seen[j.use()] = true
		}
	}
	if len(again) > 0 {
		w.plan()
	}
	return nil
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
	for ok && !w.order[w.next].result.DueAt.After(at) {
		j := w.order[w.next]
		w.next++
		j.settled = true // before settling: it may have others asked about again
		if err := w.settle(j); err != nil {
			return err
		}
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

// Own gives the buyer a package, which pays for use from when it is valid on, and
// may be named by what is received since it was bought.
func (w *Walk) Own(p market.Pack) error {
	w.usage.Packs = append(w.usage.Packs, &market.PackUse{Pack: p})
	return w.askAgain(func(j *judged) bool { return !j.record.ReceivedAt.Before(p.PurchasedAt) })
}

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
