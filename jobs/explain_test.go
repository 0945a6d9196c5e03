package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// TestEveryDecisionIsExplained: of every decision about a marketplace of all
// kinds of delivery, over nights between which facts change, the explanation
// gives the outcome and the rule that were kept, says which rule that is, and
// turns at the instant that was kept with it.
func TestEveryDecisionIsExplained(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 200)
	e := engine(t, s)
	for _, on := range []string{"2023-09-01", "2024-02-18", "2024-02-25", "2024-03-02", ides, "2024-09-20"} {
		mustRun(t, e, request(t, on))
	}
	waiting := 0
	for i := range 200 {
		code := fmt.Sprint("A-", i+1)
		story, err := e.Explain(t.Context(), "cn", code, 0)
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		for n, x := range story.Decisions {
			d := x.Decision
			if x.Why.Answer.Outcome != d.Outcome || x.Why.Answer.Rule != d.Rule {
				t.Errorf("%s: kept %s by %q, explained %s by %q", code, d.Outcome, d.Rule, x.Why.Answer.Outcome, x.Why.Answer.Rule)
			}
			for _, r := range x.Why.Rules {
				if r.Answers != (r.Name == d.Rule) {
					t.Errorf("%s: %q answers: %v, decided was by %q", code, r.Name, r.Answers, d.Rule)
				}
			}
			switch {
			case d.LookAt.IsZero():
			case x.Why.Turns == nil || !x.Why.Turns.At.Equal(d.LookAt):
				t.Errorf("%s, decision %d on %s: turns at %v, kept was %s", code, n, d.On, x.Why.Turns, d.LookAt)
			default:
				waiting++
			}
		}
	}
	if waiting < 50 {
		t.Errorf("only %d decisions wait for a clock", waiting)
	}
}

// TestExplainOnADate: what stood on a night is told as of that night, from the
// facts of the night that decided it.
func TestExplainOnADate(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 10)
	e := engine(t, s)
	for _, on := range []string{"2024-02-20", ides} {
		mustRun(t, e, request(t, on))
	}
	// A-2 is a parcel, signed on 2024-02-17 10:01:14.
	for on, want := range map[string]string{
		"2024-02-19": "",
		"2024-02-20": "wait as of 2024-02-20 02:00:00, turns to accept at 2024-02-27 10:01:14",
		"2024-02-24": "wait as of 2024-02-24 02:00:00, turns to accept at 2024-02-27 10:01:14",
		"2024-03-15": "accept as of 2024-02-27 10:01:14",
		"2024-04-15": "accept as of 2024-02-27 10:01:14",
	} {
		story, err := e.Explain(t.Context(), "cn", "A-2", date(t, on))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, x := range story.Decisions {
			if x.Decision.Ruleset != "acceptance" {
				continue
			}
			got += fmt.Sprintf("%s as of %s", x.Decision.Outcome, x.Why.AsOf.In(shanghai(t)).Format(time.DateTime))
			if turn := x.Why.Turns; turn != nil && x.Decision.Outcome == market.Wait {
				got += fmt.Sprintf(", turns to %s at %s", turn.To.Outcome, turn.At.In(shanghai(t)).Format(time.DateTime))
			}
		}
		if got != want {
			t.Errorf("on %s: %s\nwant %s", on, got, want)
		}
	}
	if _, err := e.Explain(t.Context(), "cn", "A-404", 0); err == nil {
		t.Error("an order that is not there is explained")
	}
}
