package market

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Span is a half-open stretch of time: From is in it, To is not. A zero To
// means that it has not ended yet.
type Span struct{ From, To time.Time }

// Open tells whether s has not ended yet.
func (s Span) Open() bool { return s.To.IsZero() }

// Stopwatch is a fact about time: how long something has lasted, less the time
// for which it was stopped; or how long remains until something. It keeps its
// anchor, so that the instant at which it reaches a duration is known.
// The zero Stopwatch has not started. It is immutable.
type Stopwatch struct {
	anchor  time.Time
	down    bool
	stopped []Span   // sorted, disjoint, none empty; none for a stopwatch that runs down
	horizon *horizon // nil where all is known
}

// horizon is where knowledge of a stopwatch ends, and why.
type horizon struct {
	at  time.Time
	why error
}

// StartedAt is a stopwatch that began to run at t. A zero t has not started.
func StartedAt(t time.Time) Stopwatch { return Stopwatch{anchor: t} }

// Until is a stopwatch that runs down to t: its time is what remains.
func Until(t time.Time) Stopwatch { return Stopwatch{anchor: t, down: true} }

// Without is the same stopwatch, stopped during the spans. They may overlap,
// come in any order and begin before it did.
func (w Stopwatch) Without(spans []Span) Stopwatch {
	if w.down || w.anchor.IsZero() || len(spans) == 0 {
		return w
	}
	w.stopped = merged(spans, w.anchor)
	return w
}

// KnownUntil is the same stopwatch, of which nobody knows from t on when it
// runs and when it stands still; why says what has to be known. What was said
// of it from t on is forgotten.
func (w Stopwatch) KnownUntil(t time.Time, why error) Stopwatch {
	if w.down || w.anchor.IsZero() {
		return w
	}
	w.horizon = &horizon{at: t, why: why}
	for i, s := range w.stopped {
		if s.Open() || s.To.After(t) {
			w.stopped = slices.Clone(w.stopped[:i])
			if s.From.Before(t) {
				w.stopped = append(w.stopped, Span{From: s.From, To: t})
			}
			break
		}
	}
	return w
}

// merged is the union of the spans after the anchor, in order.
func merged(spans []Span, anchor time.Time) []Span {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range sorted {
		if s.From.Before(anchor) {
			s.From = anchor
		}
		if !s.Open() && !s.From.Before(s.To) {
			continue
		}
		last := len(out) - 1
		switch {
		case last < 0 || !out[last].Open() && out[last].To.Before(s.From):
			out = append(out, s)
		case out[last].Open():
		case s.Open() || s.To.After(out[last].To):
			out[last].To = s.To
		}
	}
	return out
}

// Started tells whether w had begun by asOf. One that runs down always has.
func (w Stopwatch) Started(asOf time.Time) bool {
	return !w.anchor.IsZero() && (w.down || !asOf.Before(w.anchor))
}

// Anchor is the instant w began at, or runs down to; zero where it has none.
func (w Stopwatch) Anchor() time.Time { return w.anchor }

// Stopped are the spans for which w does not run.
func (w Stopwatch) Stopped() []Span { return w.stopped }

// Down tells whether w runs down to its anchor.
func (w Stopwatch) Down() bool { return w.down }

// Unknown is the time by asOf of which nobody knows whether w ran, and why;
// zero where all is known.
func (w *Stopwatch) Unknown(asOf time.Time) (time.Duration, error) {
	if w.horizon == nil || !asOf.After(w.horizon.at) {
		return 0, nil
	}
	return asOf.Sub(w.horizon.at), w.horizon.why
}

// Elapsed is how long w has run by asOf, as far as that is known, or how long
// remains; the bool is false when it has not started.
func (w Stopwatch) Elapsed(asOf time.Time) (time.Duration, bool) {
	if !w.Started(asOf) {
		return 0, false
	}
	if w.down {
		return w.anchor.Sub(asOf), true
	}
	if w.horizon != nil && asOf.After(w.horizon.at) {
		asOf = w.horizon.at
	}
	run := asOf.Sub(w.anchor)
	for _, s := range w.stopped {
		if !s.From.Before(asOf) {
			break
		}
		if s.Open() || s.To.After(asOf) {
			run -= asOf.Sub(s.From)
		} else {
			run -= s.To.Sub(s.From)
		}
	}
	return run, true
}

// Crossing is the first instant at which w has run for d; for one that runs
// down, at which d remains. It is false when there is no such instant: w has
// not started, or stands still before it. Where knowledge ends before it, it is
// the first instant at which w may have run for d.
func (w Stopwatch) Crossing(d time.Duration) (time.Time, bool) {
	if w.anchor.IsZero() {
		return time.Time{}, false
	}
	if w.down {
		return w.anchor.Add(-d), true
	}
	if d < 0 {
		d = 0
	}
	at := w.anchor.Add(d)
	for _, s := range w.stopped {
		if !s.From.Before(at) {
			break
		}
		if s.Open() {
			return time.Time{}, false
		}
		at = at.Add(s.To.Sub(s.From))
	}
	return at, true
}

// stopwatchJSON is how a stopwatch is kept with a decision: by its anchor.
type stopwatchJSON struct {
	Since   *time.Time     `json:"since,omitempty"`
	Until   *time.Time     `json:"until,omitempty"`
	Stopped [][]*time.Time `json:"stopped,omitempty"`
	Known   *time.Time     `json:"known_until,omitempty"`
}

// errNotKept is why a stopwatch that was kept is not known beyond an instant.
var errNotKept = errors.New("the facts that were kept do not say when the clock ran after that")

// AppendJSON appends w as JSON: {"since":…,"stopped":[[from,to],[from]]}, with
// "known_until" where it is not known for ever; {"until":…}, or null when it
// has not started. Instants are in UTC.
func (w Stopwatch) AppendJSON(buf []byte) []byte {
	if w.anchor.IsZero() {
		return append(buf, "null"...)
	}
	if w.down {
		return append(appendInstant(append(buf, `{"until":`...), w.anchor), '}')
	}
	buf = appendInstant(append(buf, `{"since":`...), w.anchor)
	for i, s := range w.stopped {
		if i == 0 {
			buf = append(buf, `,"stopped":[[`...)
		} else {
			buf = append(buf, `],[`...)
		}
		buf = appendInstant(buf, s.From)
		if !s.Open() {
			buf = appendInstant(append(buf, ','), s.To)
		}
	}
	if len(w.stopped) > 0 {
		buf = append(buf, "]]"...)
	}
	if w.horizon != nil {
		buf = appendInstant(append(buf, `,"known_until":`...), w.horizon.at)
	}
	return append(buf, '}')
}

func appendInstant(buf []byte, t time.Time) []byte {
	buf = append(buf, '"')
	buf = t.UTC().AppendFormat(buf, time.RFC3339Nano)
	return append(buf, '"')
}

// MarshalJSON writes w as AppendJSON does.
func (w Stopwatch) MarshalJSON() ([]byte, error) { return w.AppendJSON(nil), nil }

// UnmarshalJSON reads what AppendJSON writes.
func (w *Stopwatch) UnmarshalJSON(text []byte) error {
	var j *stopwatchJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("read stopwatch: %w", err)
	}
	*w = Stopwatch{}
	if j == nil {
		return nil
	}
	if j.Until != nil {
		*w = Until(*j.Until)
		return nil
	}
	if j.Since == nil {
		return fmt.Errorf("read stopwatch %s: it has neither since nor until", clip(string(text)))
	}
	var stopped []Span
	for _, pair := range j.Stopped {
		if len(pair) < 1 || len(pair) > 2 || pair[0] == nil {
			return fmt.Errorf("read stopwatch %s: each stop is [from, to] or [from]", clip(string(text)))
		}
		s := Span{From: *pair[0]}
		if len(pair) == 2 && pair[1] != nil {
			s.To = *pair[1]
		}
		stopped = append(stopped, s)
	}
	*w = StartedAt(*j.Since).Without(stopped)
	if j.Known != nil {
		*w = w.KnownUntil(*j.Known, errNotKept)
	}
	return nil
}
