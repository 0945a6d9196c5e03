package rules

import (
	"testing"
	"time"
)

func TestParseInstant(t *testing.T) {
	shanghai := time.FixedZone("UTC+8", 8*3600)
	for text, want := range map[string]string{
		"2024-03-11":                "2024-03-10T16:00:00Z",
		"2024-03-11T10:00":          "2024-03-11T02:00:00Z",
		"2024-03-11 10:00:01":       "2024-03-11T02:00:01Z",
		"2024-03-11T10:00:01.5":     "2024-03-11T02:00:01.5Z",
		"2024-03-11T10:00:01Z":      "2024-03-11T10:00:01Z",
		"2024-03-11T10:00:01-03:00": "2024-03-11T13:00:01Z",
		"2024-03-11 10:00:01+08:00": "2024-03-11T02:00:01Z",
		"2024-03-11T10:00:01.25Z":   "2024-03-11T10:00:01.25Z",
		"2024-02-30":                "", "11.3.2024": "", "": "", "2024-03-11T": "", "2024-03-11 25:00": "", "2024-03-11x10:00": "", "2024-03-11 10:00:00 PM": "",
	} {
		got, err := parseInstant(text, shanghai)
		if (err != nil) != (want == "") || err == nil && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %s, %v; want %s", text, got.UTC(), err, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10d": 10 * day, "7d1s": 7*day + time.Second, "1d12h30m": 36*time.Hour + 30*time.Minute, "-3h": -3 * time.Hour, "0s": 0,
	} {
		got, err := ParseDuration(text)
		if got != want || err != nil || FormatDuration(got) != text {
			t.Errorf("%s is %s, %v, written %s", text, got, err, FormatDuration(got))
		}
	}
	for _, text := range []string{"", "10", "d", "1s1d", "1d1d", "1.5d", "10 d", "999999d", "1w", "--1d", "99999999999d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, d)
		}
	}
	if got := FormatDuration(36*time.Hour + 1500*time.Microsecond); got != "1d12h0.0015s" {
		t.Errorf("a part of a second is written %s", got)
	}
}
