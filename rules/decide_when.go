package rules

import (
	"slices"
	"time"

	"nightshift/rules/market"
)

// tick is the grain of time that Postgres keeps: "more than ten days" begins
// one tick after ten days.
const tick = time.Microsecond

// Since is the instant from which the answer has been a without interruption
// until asOf, as far as stopwatches decide: the due instant of an effect. It is
// zero where the answer was a at every instant before, so that no stopwatch
// decided it.
//
// Between two crossings nothing turns, so asking once at each crossing, newest
// first, is enough. Facts other than stopwatches count as they are now.
func (p *Policy) Since(facts any, asOf time.Time, a Answer) time.Time {
	f := p.frame(facts, asOf)
	defer f.release()
	var room [32]time.Time
	instants := p.instants(f, room[:0])
	past, found := slices.BinarySearchFunc(instants, asOf, time.Time.Compare)
	if found {
		past++
	}
	for i := past - 1; i >= 0; i-- {
		before := instants[i].Add(-tick)
		if i > 0 {
			before = instants[i-1]
		}
		if !p.answers(f, before, a) {
			return instants[i]
		}
	}
	return time.Time{}
}

// Next is the next instant after asOf at which the answer is no longer a if
// nothing but time goes on. It is false where that never comes. A candidate
// that cannot be decided at that instant has another answer.
func (p *Policy) Next(facts any, asOf time.Time, a Answer) (time.Time, bool) {
	f := p.frame(facts, asOf)
	defer f.release()
	var room [32]time.Time
	for _, at := range p.instants(f, room[:0]) {
		if at.After(asOf) && !p.answers(f, at, a) {
			return at, true
		}
	}
	return time.Time{}, false
}

// answers tells whether the policy answers a at that instant.
func (p *Policy) answers(f *frame, at time.Time, a Answer) bool {
	f.asOf, f.err = at, nil
	b, err := p.decide(f)
	return err == nil && a.Same(b)
}

// instants are all at which some comparison of the policy can turn, in order.
func (p *Policy) instants(f *frame, room []time.Time) []time.Time {
	out := room
	for _, c := range p.crossings {
		f.err = nil
		threshold := time.Duration(c.threshold(f))
		if f.err != nil {
			continue // the comparison itself is an error at every instant
		}
		w := c.stopwatch(f)
		out = appendCrossing(out, w, threshold)
		if w.Down() {
			out = appendCrossing(out, w, threshold-tick)
		} else {
			out = appendCrossing(out, w, threshold+tick)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

func appendCrossing(out []time.Time, w *market.Stopwatch, d time.Duration) []time.Time {
	if at, ok := w.Crossing(d); ok {
		out = append(out, at)
	}
	return out
}
