package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// drawTimeRules writes a ruleset of some rules, each about stopwatches.
func drawTimeRules(t *rapid.T) string {
	thresholds := []string{"days(10)", "window", "days(window_days)", "hours(36)", "days(0)", "days(-1)", "seconds(1)", "min(window, days(window_days))"}
	comparison := func(label string) string {
		w := rapid.SampledFrom([]string{"signed_for", "placed_for", "ends_in"}).Draw(t, label+" stopwatch")
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, label+" operator")
		d := rapid.SampledFrom(thresholds).Draw(t, label+" threshold")
		switch rapid.IntRange(0, 4).Draw(t, label+" form") {
		case 0:
			return d + " " + op + " " + w
		case 1:
			return "happened(" + w + ")"
		case 2:
			return "not (" + w + " " + op + " " + d + ")"
		}
		return w + " " + op + " " + d
	}
	var b strings.Builder
	b.WriteString("ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\nlet: {window: 3d}\nrules:\n")
	outcomes := []string{"yes", "no", "maybe"}
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		label := fmt.Sprintf("rule %d", i)
		join := rapid.SampledFrom([]string{"and", "or"}).Draw(t, label+" join")
		// The list of one product makes every condition its own, so that none is unreachable.
		fmt.Fprintf(&b, "  - {name: r%d, when: 'len(note) < %d and (%s %s %s)', then: %s, because: So.}\n", i, 100-i, comparison(label+" a"), join, comparison(label+" b"), outcomes[i%3])
	}
	b.WriteString("otherwise: maybe\n")
	return b.String()
}

var anchor = time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC)

func drawInstant(t *rapid.T, label string) time.Time {
	return anchor.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, label)) * time.Second)
}

func drawTimeFacts(t *rapid.T) *trialFacts {
	facts := trial()
	facts.Note = ""
	facts.Days = rapid.Int64Range(-1, 12).Draw(t, "window_days")
	facts.SignedFor = drawStopwatch(t, "signed_for")
	facts.PlacedFor = drawStopwatch(t, "placed_for")
	facts.EndsIn = market.Until(drawInstant(t, "ends_in"))
	return facts
}

// drawStopwatch may not have started, and may be stopped by overlapping appeals.
func drawStopwatch(t *rapid.T, label string) market.Stopwatch {
	if rapid.IntRange(0, 5).Draw(t, label+" started") == 0 {
		return market.Stopwatch{}
	}
	var spans []market.Span
	for i := range rapid.IntRange(0, 3).Draw(t, label+" stops") {
		from := drawInstant(t, fmt.Sprintf("%s stop %d", label, i))
		to := from.Add(time.Duration(rapid.Int64Range(0, 5*24*3600).Draw(t, label+" for")) * time.Second)
		if rapid.IntRange(0, 6).Draw(t, label+" open") == 0 {
			to = time.Time{}
		}
		spans = append(spans, market.Span{From: from, To: to})
	}
	return market.StartedAt(drawInstant(t, label)).Without(spans)
}

// TestNextIsTheNextChange: at Next the answer differs, one second and one tick
// before it is the old one, and so at every hour up to it; where there is no
// Next it stays for years.
func TestNextIsTheNextChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := compileText(drawTimeRules(t))
		if err != nil {
			t.Skip(err)
		}
		facts, asOf := drawTimeFacts(t), drawInstant(t, "as-of")
		a, _ := p.Decide(facts, asOf)
		answers := func(at time.Time) bool {
			b, err := p.Decide(facts, at)
			return err == nil && a.Same(b)
		}
		next, ok := p.Next(facts, asOf, a)
		until := next
		if !ok {
			until = asOf.Add(60 * day)
		} else if answers(next) || !next.After(asOf) {
			t.Fatalf("at %s, the next change, the answer is still %v", next, a)
		}
		for at := asOf; at.Before(until); at = at.Add(time.Hour) {
			if !answers(at) {
				t.Fatalf("at %s, before the next change at %s, the answer is no longer %v", at, until, a)
			}
		}
		for _, before := range []time.Duration{time.Second, tick} {
			if at := until.Add(-before); !at.Before(asOf) && !answers(at) {
				t.Fatalf("%s before the next change the answer is no longer %v", before, a)
			}
		}
	})
}

// TestSinceIsTheDueInstant: from Since to the as-of the answer is the same, one
// second and one tick before Since it is another; where there is no Since it
// was the same for years.
func TestSinceIsTheDueInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := compileText(drawTimeRules(t))
		if err != nil {
			t.Skip(err)
		}
		facts, asOf := drawTimeFacts(t), drawInstant(t, "as-of")
		a, _ := p.Decide(facts, asOf)
		answers := func(at time.Time) bool {
			b, err := p.Decide(facts, at)
			return err == nil && a.Same(b)
		}
		since := p.Since(facts, asOf, a)
		from := since
		if since.IsZero() {
			from = asOf.Add(-60 * day)
		} else if answers(since.Add(-tick)) || since.After(asOf) {
			t.Fatalf("a tick before %s, the due instant, the answer was %v already", since, a)
		}
		for at := from; !at.After(asOf); at = at.Add(time.Hour) {
			if !answers(at) {
				t.Fatalf("at %s, after the due instant %s, the answer was not %v", at, since, a)
			}
		}
	})
}

// TestStoppedClockResumes: ten days after the signature, less the five for
// which overlapping appeals stopped the clock.
func TestStoppedClockResumes(t *testing.T) {
	p := mustCompile(t, trialText("signed_for >= days(10)", ""))
	facts := trial()
	facts.SignedFor = market.StartedAt(anchor).Without([]market.Span{
		{From: anchor.Add(4 * day), To: anchor.Add(7 * day)},
		{From: anchor.Add(2 * day), To: anchor.Add(5 * day)},
	})
	due := anchor.Add(15 * day)
	wait, _ := p.Decide(facts, due.Add(-time.Second))
	next, ok := p.Next(facts, due.Add(-time.Second), wait)
	if wait.Outcome != "no" || !ok || !next.Equal(due) {
		t.Errorf("a second before: %v, next %s %v; want %s", wait, next, ok, due)
	}
	accept, _ := p.Decide(facts, due.Add(100*day))
	if since := p.Since(facts, due.Add(100*day), accept); accept.Outcome != "yes" || !since.Equal(due) {
		t.Errorf("later: %v since %s, want %s", accept, since, due)
	}
}

func TestUniqueNamesBothRules(t *testing.T) {
	p := mustCompile(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: unique
rules:
  - {name: first, when: ready, then: yes, because: A.}
  - {name: second, when: count_of > 2, then: no, because: B.}
otherwise: maybe
`)
	facts := trial()
	_, err := p.Decide(facts, noon)
	if err == nil || !strings.Contains(err.Error(), `two rules match: "first" and "second"`) {
		t.Errorf("both match: %v", err)
	}
	facts.Ready = false
	if a, err := p.Decide(facts, noon); a.Rule != "second" || a.RuleIndex != 1 || err != nil {
		t.Errorf("one matches: %v %v", a, err)
	}
	facts.Count = 0
	if a, err := p.Decide(facts, noon); a.Rule != Otherwise || a.Outcome != "maybe" || err != nil {
		t.Errorf("none matches: %v %v", a, err)
	}
}
