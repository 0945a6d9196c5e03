package market_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// use reads "10:09:06–12:53:16" as a span of 2024-06-01 in Shanghai.
func use(t *testing.T, text string) market.Span {
	from, to, _ := strings.Cut(text, "–")
	at := func(clock string) time.Time {
		tod, err := market.ParseTimeOfDay(clock)
		if err != nil {
			t.Fatal(err)
		}
		return market.NewDate(2024, 6, 1).At(tod, zone(t, "Asia/Shanghai"))
	}
	return market.Span{From: at(from), To: at(to)}
}

func TestUseIsSplitWhereCyclesEnd(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	for _, tt := range []struct{ name, use, parts string }{
		{"three hours give three records", "10:09:06–12:53:16", "10:09:06–11:00 11:00–12:00 12:00–12:53:16"},
		{"an hour's end belongs to the hour", "10:00–11:00", "10:00–11:00"},
		{"a second of the next is the next", "10:00–11:00:01", "10:00–11:00 11:00–11:00:01"},
		{"a moment is one record", "10:30–10:30", "10:30–10:30"},
		{"the moment between two hours belongs to the later", "11:00–11:00", "11:00–11:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, part := range market.CycleHour.Split(use(t, tt.use), shanghai) {
				from, to := part.From.In(shanghai), part.To.In(shanghai)
				got = append(got, clock(from)+"–"+clock(to))
			}
			if strings.Join(got, " ") != tt.parts {
				t.Errorf("got %s, want %s", strings.Join(got, " "), tt.parts)
			}
		})
	}
}

func clock(t time.Time) string { return strings.TrimSuffix(t.Format(time.TimeOnly), ":00") }

func TestPartOfAnHourIsAnHour(t *testing.T) {
	for use_, want := range map[string]int{
		"17:00–18:20": 2, "10:00–10:50": 1, "10:00–11:01": 2, "10:00–11:00": 1, "10:05–10:20": 1, "10:50–11:10": 2, "10:30–10:30": 1,
	} {
		hours := market.Hours(use(t, use_), zone(t, "Asia/Shanghai"))
		if len(hours) != want {
			t.Errorf("%s: got %d hours, want %d", use_, len(hours), want)
		}
		for _, h := range hours {
			if h.To.Sub(h.From) != time.Hour {
				t.Errorf("%s: an hour of %s", use_, h.To.Sub(h.From))
			}
		}
	}
}

func TestACycleIsTheZones(t *testing.T) {
	for _, tt := range []struct {
		name, zone, at string
		cycle          market.Cycle
		from, to       string
	}{
		{"an afternoon in UTC is the next day in Shanghai", "Asia/Shanghai", "2024-04-30T16:30:00Z", market.CycleDay, "2024-05-01T00:00:00+08:00", "2024-05-02T00:00:00+08:00"},
		{"and the next month", "Asia/Shanghai", "2024-04-30T16:30:00Z", market.CycleMonth, "2024-05-01T00:00:00+08:00", "2024-06-01T00:00:00+08:00"},
		{"and the last day of a year the next year", "Asia/Shanghai", "2024-12-31T16:00:00Z", market.CycleYear, "2025-01-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00"},
		{"the hour of a zone with half hours", "Asia/Kolkata", "2024-06-01T10:10:00Z", market.CycleHour, "2024-06-01T15:00:00+05:30", "2024-06-01T16:00:00+05:30"},
		{"a day on which clocks went forward has 23 hours", "Europe/Berlin", "2024-03-31T12:00:00Z", market.CycleDay, "2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"},
		{"the first of the two hours in autumn", "Europe/Berlin", "2024-10-27T00:30:00Z", market.CycleHour, "2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"},
		{"the second of the two hours in autumn", "Europe/Berlin", "2024-10-27T01:30:00Z", market.CycleHour, "2024-10-27T02:00:00+01:00", "2024-10-27T03:00:00+01:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.cycle.Contains(instant(t, tt.at), zone(t, tt.zone))
			if !got.From.Equal(instant(t, tt.from)) || !got.To.Equal(instant(t, tt.to)) {
				t.Errorf("got %v to %v", got.From, got.To)
			}
		})
	}
}

func instant(t interface{ Fatal(...any) }, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The parts of a split follow each other without a gap, each in one cycle of
// its own, from the beginning of use to its end.
func TestASplitLeavesNoGap(t *testing.T) {
	zones := []*time.Location{zone(t, "Asia/Shanghai"), zone(t, "Europe/Berlin"), zone(t, "America/Sao_Paulo"), zone(t, "Asia/Kolkata")}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		c := rapid.SampledFrom([]market.Cycle{market.CycleHour, market.CycleDay, market.CycleMonth}).Draw(t, "cycle")
		from := time.Unix(rapid.Int64Range(1_600_000_000, 1_800_000_000).Draw(t, "from"), 0)
		span := market.Span{From: from, To: from.Add(time.Duration(rapid.Int64Range(0, 90*24*3600).Draw(t, "length")) * time.Second)}
		parts := c.Split(span, z)
		at := span.From
		for i, p := range parts {
			whole := c.Contains(p.From, z)
			if !p.From.Equal(at) || p.From.Before(whole.From) || p.To.After(whole.To) || i > 0 && !p.From.Equal(whole.From) {
				t.Fatalf("%s %s: part %d of %v is %v, its cycle %v", z, c, i, span, p, whole)
			}
			at = p.To
		}
		if !at.Equal(span.To) {
			t.Fatalf("%s %s: %v ends at %v", z, c, span, at)
		}
	})
}
