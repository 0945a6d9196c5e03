package rules

import (
	"cmp"
	"slices"
	"time"
)

// RuleCost is what it costs to ask one rule's condition.
type RuleCost struct {
	Site, File, Rule string
	Line             int
	Nanoseconds      float64 // an evaluation, on average over the facts of the test cases
}

// Costs measures the condition of every rule over the facts of all cases of its
// test files, the dearest first. timed runs a function and answers how long it
// took: clocks are the caller's.
func (r *TestReport) Costs(timed func(func()) time.Duration) []RuleCost {
	var out []RuleCost
	for _, s := range r.shown {
		if len(s.seen.cases) == 0 || s.policy.large() {
			continue
		}
		frames := make([]*frame, len(s.seen.cases))
		for i, c := range s.seen.cases {
			frames[i] = s.policy.frame(c.facts, c.asOf)
		}
		for _, rule := range s.policy.rules {
			each := timeOf(rule.when, frames, timed)
			out = append(out, RuleCost{Site: s.site.Name, File: s.policy.File, Rule: rule.name, Line: rule.line, Nanoseconds: each})
		}
		for _, f := range frames {
			f.release()
		}
	}
	slices.SortStableFunc(out, func(a, b RuleCost) int { return cmp.Compare(b.Nanoseconds, a.Nanoseconds) })
	return out
}

// timeOf repeats a condition until it has taken long enough to be measured, and
// then some times more: the shortest is the one that nothing else disturbed.
func timeOf(when func(*frame) bool, frames []*frame, timed func(func()) time.Duration) float64 {
	const enough, most, again = 50 * time.Microsecond, 1 << 16, 9
	rounds := 1
	run := func() {
		for range rounds {
			for _, f := range frames {
				f.err = nil
				when(f)
			}
		}
	}
	took := timed(run)
	for ; took < enough && rounds < most; took = timed(run) {
		rounds *= 2
	}
	for range again {
		took = min(took, timed(run))
	}
	return float64(took.Nanoseconds()) / float64(rounds*len(frames))
}
