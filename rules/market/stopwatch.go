package market

import (
	"encoding/json"
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
	stopped []Span // sorted, disjoint, none empty; none for a stopwatch that runs down
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

// Elapsed is how long w has run by asOf, or how long remains; the bool is
// false when it has not started.
func (w Stopwatch) Elapsed(asOf time.Time) (time.Duration, bool) {
	if !w.Started(asOf) {
		return 0, false
	}
	if w.down {
		return w.anchor.Sub(asOf), true
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
// down, at which d remains. It is false when that instant is not known: w has
// not started, or stands still before it.
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
}

// AppendJSON appends w as JSON: {"since":…,"stopped":[[from,to],[from]]},
// {"until":…}, or null when it has not started. Instants are in UTC.
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
	return nil
}
