package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatComesNext: another version, another value, an override that begins or
// ends: whichever is first.
func TestWhatComesNext(t *testing.T) {
	s := loaded(t, map[string]string{
		"acceptance.v1.yaml": windowed(1, "2020-01-01", "let: {grace: {2020-01-01: 1d, 2024-01-01: 2d}}\n"),
		"acceptance.yaml":    strings.Replace(windowed(2, "2025-01-01", ""), ">= window", "> window", 1),
		"parameters.yaml":    "let: {window: {2020-01-01: 10d, 2026-07-01: 7d}}\noverrides:\n  - {seller: acme, from: 2022-01-01, until: 2023-01-01, because: So., let: {window: 14d}}\n",
	})
	var got []string
	day := on("2019-01-01")
	for c := s.Coming("acceptance", day); c != nil; c = s.Coming("acceptance", day) {
		day = c.On
		got = append(got, c.On.String()+" "+strings.TrimSpace(saidOf(c.Changes)))
	}
	want := []string{
		"2020-01-01 ",
		"2022-01-01 window of seller acme is new: 14d",
		"2023-01-01 window of seller acme is gone: 14d",
		"2024-01-01 grace: 1d → 2d",
		"2025-01-01 version: 1 → 2\neffective: 2020-01-01 → 2025-01-01\ngrace is gone: 2d\nrule \"silence\": the condition\n    signed_for >= window → signed_for > window\n    was  signed_for >= window\n    is   signed_for > window",
		"2026-07-01 window: 10d → 7d (asked by silence)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
