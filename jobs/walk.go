package jobs

import (
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// Step is one answer on a candidate's way through time, and the instant from
// which it holds: the due instant, however late the run is.
type Step struct {
	At     time.Time
	Answer rules.Answer
}

// walk takes a candidate through its instants, from the first to the as-of:
// whenever something recorded happened the facts are made anew, as they stood
// then, and in between the policy says at which instants its answer turns. So
// the answer of a late run is the one that punctual runs would have found:
// what came after a due instant came too late.
type walk struct {
	policy *rules.Policy
	facts  func(at time.Time) any
	events []time.Time // sorted; only those after the beginning and up to the as-of matter
	from   time.Time
	asOf   time.Time
}

// moment is the facts of a candidate as they stood at an instant.
type moment struct {
	at    time.Time
	facts any
}

// factsAt are the facts of the candidate at hand. They are read once for an
// instant, whichever ruleset asks first, in the room of an earlier candidate's.
func (x *execution) factsAt(at time.Time, read func(room any) any) any {
	for _, m := range x.moments {
		if m.at.Equal(at) {
			return m.facts
		}
	}
	if n := len(x.moments); n < cap(x.moments) {
		x.moments = x.moments[:n+1]
	} else {
		x.moments = append(x.moments, moment{})
	}
	m := &x.moments[len(x.moments)-1]
	m.at, m.facts = at, read(m.facts)
	return m.facts
}

// end is where a walk came to: the facts it last saw, the instant at which the
// answer turns if nothing else does, and the one at which to look again, since
// something recorded may come first. A zero instant is none.
type end struct {
	facts        any
	turns, looks time.Time
}

// run visits the answer of each instant at which it may turn, until visit says
// stop.
func (w walk) run(visit func(Step) (stop bool)) (e end, err error) {
	for t := w.from; ; t = e.looks {
		if e.facts == nil || !w.crossed(t) {
			e.facts = w.facts(t)
		}
		answer, err := w.policy.Decide(e.facts, t)
		if err != nil {
			return e, err
		}
		if visit(Step{At: t, Answer: answer}) {
			return end{facts: e.facts}, nil
		}
		e.turns, _ = w.policy.Next(e.facts, t, answer)
		if e.looks = earliest(e.turns, w.eventAfter(t)); e.looks.IsZero() || e.looks.After(w.asOf) {
			return e, nil
		}
	}
}

// eventAfter is the first event later than t; zero if there is none.
func (w walk) eventAfter(t time.Time) time.Time {
	for _, e := range w.events {
		if e.After(t) {
			return e
		}
	}
	return time.Time{}
}

// crossed tells whether t is an instant of a clock alone: nothing was recorded
// then, so the facts of the segment still hold.
func (w walk) crossed(t time.Time) bool {
	for _, e := range w.events {
		if e.Equal(t) {
			return false
		}
	}
	return true
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earliest is the earlier of two instants, of which a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// seen is an instant as it could be known at another: zero while it lay ahead.
func seen(instant, at time.Time) time.Time {
	if instant.After(at) {
		return time.Time{}
	}
	return instant
}

// seenSpan is a span as it could be known at an instant: open while its end
// lay ahead; ok is false while it had not begun.
func seenSpan(from, to, at time.Time) (s market.Span, ok bool) {
	return market.Span{From: from, To: seen(to, at)}, !from.IsZero() && !from.After(at)
}
