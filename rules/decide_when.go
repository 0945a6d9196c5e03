package rules

import (
	"slices"
	"time"

	"nightshift/rules/market"
)

// tick is the grain of time that Postgres keeps: "more than ten days" begins
// one tick after ten days.
const tick = time.Microsecond

// crossing is one comparison of a stopwatch with a duration: where the answer
// can turn with time alone.
type crossing struct {
	fact      *Fact
	stopwatch func(*frame) *market.Stopwatch
	threshold func(*frame) int64 // nanoseconds
	constant  bool               // the threshold depends on no fact
	operator  string             // with the stopwatch on its left
}

// turns tells whether the comparison turns when the threshold is reached, and
// whether it turns a tick after that. A stopwatch that counts down reaches it
// from above.
func (c *crossing) turns(down bool) (reached, passed bool) {
	switch c.operator {
	case ">=", "<":
		return !down, down
	case ">", "<=":
		return down, !down
	}
	return true, true
}

// comparedAt tells one comparison with a fixed duration from another.
type comparedAt struct {
	fact, operator string
	threshold      int64
}

// crossAt notes a comparison, once: rules often repeat each other's.
func (c *compiler) crossAt(next crossing) {
	if next.constant && next.fact != nil {
		at := comparedAt{next.fact.Name, next.operator, next.threshold(nil)}
		if c.crossed[at] {
			return
		}
		c.crossed[at] = true
	}
	c.crossings = append(c.crossings, next)
}

// Since is the instant from which the answer has been a without interruption
// until asOf, as far as stopwatches decide: the due instant of an effect. It is
// zero where the answer was a at every instant before, so that no stopwatch
// decided it.
//
// Between two crossings nothing turns, so asking once at each crossing, newest
// first, is enough. Facts other than stopwatches count as they are now.
//
// Of a policy with several answers it is the instant from which a has been one
// of them.
func (p *Policy) Since(facts any, asOf time.Time, a Answer) time.Time {
	return p.since(facts, asOf, &said{one: a})
}

// SinceAll is the instant from which the answers together have been these.
func (p *Policy) SinceAll(facts any, asOf time.Time, answers []Answer) time.Time {
	return p.since(facts, asOf, &said{all: answers})
}

func (p *Policy) since(facts any, asOf time.Time, s *said) time.Time {
	f := p.frame(facts, asOf)
	defer f.release()
	var room [32]time.Time
	past := p.instants(f, room[:0], func(at time.Time) bool { return !at.After(asOf) })
	for i := len(past) - 1; i >= 0; i-- {
		before := past[i].Add(-tick)
		if i > 0 {
			before = past[i-1]
		}
		if !p.says(f, before, s) {
			return past[i]
		}
	}
	return time.Time{}
}

// Next is the next instant after asOf at which the answer is no longer a if
// nothing but time goes on; of a policy with several answers, at which a is no
// longer one of them. It is false where that never comes. A candidate that
// cannot be decided at that instant has another answer.
func (p *Policy) Next(facts any, asOf time.Time, a Answer) (time.Time, bool) {
	return p.next(facts, asOf, &said{one: a})
}

// NextAll is the next instant at which the answers together are no longer these.
func (p *Policy) NextAll(facts any, asOf time.Time, answers []Answer) (time.Time, bool) {
	return p.next(facts, asOf, &said{all: answers})
}

func (p *Policy) next(facts any, asOf time.Time, s *said) (time.Time, bool) {
	f := p.frame(facts, asOf)
	defer f.release()
	var room [32]time.Time
	for _, at := range p.instants(f, room[:0], func(at time.Time) bool { return at.After(asOf) }) {
		if !p.says(f, at, s) {
			return at, true
		}
	}
	return time.Time{}, false
}

// said is what a policy is asked to say again: one answer, or all of them.
type said struct {
	one Answer
	all []Answer
}

// says tells whether the policy says that at that instant.
func (p *Policy) says(f *frame, at time.Time, s *said) bool {
	f.asOf, f.err = at, nil
	if s.all == nil && !p.Hit.Several() {
		b, err := p.decide(f)
		return err == nil && s.one.Same(b)
	}
	answers, err := p.decideAll(f)
	if s.all == nil {
		return err == nil && slices.ContainsFunc(answers, s.one.Same)
	}
	return err == nil && slices.EqualFunc(answers, s.all, Answer.Same)
}

// instants are those at which some comparison of the policy can turn, in order,
// as far as they are wanted.
func (p *Policy) instants(f *frame, room []time.Time, wanted func(time.Time) bool) []time.Time {
	out := room
	note := func(w *market.Stopwatch, d time.Duration) {
		if at, ok := w.Crossing(d); ok && wanted(at) {
			out = append(out, at)
		}
	}
	for i := range p.crossings {
		c := &p.crossings[i]
		f.err = nil
		threshold := time.Duration(c.threshold(f))
		if f.err != nil {
			continue // the comparison itself is an error at every instant
		}
		w := c.stopwatch(f)
		reached, passed := c.turns(w.Down())
		if reached {
			note(w, threshold)
		}
		switch {
		case passed && w.Down():
			note(w, threshold-tick)
		case passed:
			note(w, threshold+tick)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}
