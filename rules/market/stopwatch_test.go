package market

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func TestAStopwatchIsKeptAsItIs(t *testing.T) {
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	began := StartedAt(at("2026-12-31T00:00:00Z"))
	stops := []Span{{From: at("2027-01-03T00:00:00Z"), To: at("2027-01-05T00:00:00Z")}, {From: at("2027-01-08T00:00:00Z")}}
	for want, w := range map[string]Stopwatch{
		`null`:                             {},
		`{"until":"2026-12-31T00:00:00Z"}`: Until(at("2026-12-31T00:00:00Z")),
		`{"since":"2026-12-31T00:00:00Z"}`: began,
		`{"since":"2026-12-31T00:00:00Z","stopped":[["2027-01-03T00:00:00Z","2027-01-05T00:00:00Z"],["2027-01-08T00:00:00Z"]]}`:             began.Without(stops),
		`{"since":"2026-12-31T00:00:00Z","stopped":[["2027-01-03T00:00:00Z","2027-01-04T00:00:00Z"]],"known_until":"2027-01-04T00:00:00Z"}`: began.Without(stops).KnownUntil(at("2027-01-04T00:00:00Z"), ErrOutsideCalendar),
	} {
		text, err := json.Marshal(w)
		if err != nil || string(text) != want {
			t.Errorf("kept as %s, %v; want %s", text, err, want)
		}
		var back Stopwatch
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != want {
			t.Errorf("%s came back as %s, %v", want, again, err)
		}
	}
}

func TestAStopwatchIsKnownUntilItsHorizon(t *testing.T) {
	began := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	w := StartedAt(began).KnownUntil(began.Add(24*time.Hour), ErrOutsideCalendar)
	for hours, want := range map[int][2]int{0: {0, 0}, 24: {24, 0}, 25: {24, 1}, 72: {24, 48}} {
		asOf := began.Add(time.Duration(hours) * time.Hour)
		elapsed, _ := w.Elapsed(asOf)
		unknown, why := w.Unknown(asOf)
		if elapsed != time.Duration(want[0])*time.Hour || unknown != time.Duration(want[1])*time.Hour || (unknown > 0) != errors.Is(why, ErrOutsideCalendar) {
			t.Errorf("after %d hours: %s ran, %s unknown: %v", hours, elapsed, unknown, why)
		}
	}
	if at, ok := w.Crossing(72 * time.Hour); !ok || !at.Equal(began.Add(72*time.Hour)) {
		t.Errorf("it may have run for three days at %s, %t", at, ok)
	}
}
