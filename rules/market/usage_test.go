package market_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func TestTimesAreReadAsSellersWriteThem(t *testing.T) {
	for text, want := range map[string]bool{
		"20240601T100000Z": true, "20240229T235959Z": true, "20230229T000000Z": false, "20240631T000000Z": false, "20241301T000000Z": false, "20240001T000000Z": false,
		"20240601T240000Z": false, "20240601T106000Z": false, "20240601T100060Z": false, "20240601T100000": false, "20240601T100000.5Z": false, "20240601 100000Z": false,
		"20240601T100000z": false, "2024-06-01T10:00:00Z": false, "2024060１T10000Z": false, "": false, "-0240601T100000Z": false,
	} {
		got, ok := market.ParseUsageTime(text)
		if ok != want || ok && got.Format(market.UsageTimeLayout) != text {
			t.Errorf("%q: got %s, %t, want %t", text, got, ok, want)
		}
	}
}

// What is read is what Go's own parser reads of texts of that length.
func TestTimesAreReadLikeGoReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-2][0-9]{3}[01][0-9][0-3][0-9]T[0-2][0-9][0-6][0-9][0-6][0-9]Z`).Draw(t, "time")
		want, err := time.Parse(market.UsageTimeLayout, text)
		got, ok := market.ParseUsageTime(text)
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Fatalf("%s: got %s, %t, want %s, %v", text, got, ok, want, err)
		}
	})
}

// A number is written as it was read, trailing zeros aside, by the short way
// and by the long one.
func TestNumbersAreReadExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?`).Draw(t, "number")
		d, err := market.ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := market.ParseDecimal(d.Fixed(12))
		if err != nil || again.Cmp(d) != 0 || d.Sub(again).Sign() != 0 {
			t.Fatalf("%s became %s and %s", text, d, again)
		}
		if back := market.DecimalFrom(d.Coefficient(), d.Exponent()); back.Cmp(d) != 0 {
			t.Fatalf("%s is %s, and by its digits %s", text, d, back)
		}
	})
}

func TestAStateIsTheLastThatBegan(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2024, 6, 1, hour, 0, 0, 0, time.UTC) }
	i := market.Instance{OpenedAt: at(1), Frozen: []market.Span{{From: at(3), To: at(4)}, {From: at(9)}}, StoppedAt: at(12), ClosedAt: at(15)}
	for hour, want := range map[int]string{0: "unopened", 1: "open", 2: "open", 3: "frozen", 4: "open", 8: "open", 9: "frozen", 11: "frozen", 12: "stopped", 15: "closed", 20: "closed"} {
		if got := i.State(at(hour)); got != want {
			t.Errorf("at %d: got %s, want %s", hour, got, want)
		}
	}
}

func TestAPackageBoughtAgainIsTheSameFromThenOn(t *testing.T) {
	from := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	p := market.Pack{ID: 7, Code: "P", Quota: market.DecimalOf(5), ValidFrom: from, ValidUntil: from.AddDate(0, 0, 30), Rebuy: true}
	again := p.Again(from.AddDate(0, 0, 10))
	if again.ID != 0 || again.Code != "P@20240611T000000Z" || !again.ValidUntil.Equal(from.AddDate(0, 0, 40)) || !again.Rebuy {
		t.Errorf("got %+v", again)
	}
	if third := again.Again(from.AddDate(0, 0, 20)); third.Code != "P@20240621T000000Z" {
		t.Errorf("got %s", third.Code)
	}
}
