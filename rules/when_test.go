package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// clockLets are lets about time; late and early are whole questions.
const clockLets = `let:
  window: 3d
  long: window * 2 + hours(12)
  open_window: |-
    ready ? window : long
  late: signed_for >= open_window
  early: |-
    late ? ends_in > window : placed_for < long
`

// timeWriter draws what rules ask of stopwatches.
type timeWriter struct {
	t *rapid.T
	n int
}

func (w *timeWriter) pick(of ...string) string {
	w.n++
	return rapid.SampledFrom(of).Draw(w.t, fmt.Sprint(w.n))
}

func (w *timeWriter) threshold() string {
	return w.pick("days(10)", "window", "long", "open_window", "days(window_days)", "hours(36)", "days(0)", "days(-1)", "seconds(1)", "min(window, days(window_days))",
		"max(long, days(window_days)) - window", "abs(window - long)", "(ready ? days(2) : days(window_days))", "window * window_days", "days(window_days) ?? window")
}

func (w *timeWriter) clock() string { return w.pick("signed_for", "placed_for", "ends_in") }

// comparison is one question about time.
func (w *timeWriter) comparison() string {
	clock, op, d := w.clock(), w.pick("==", "!=", "<", "<=", ">", ">="), w.threshold()
	switch w.pick("plain", "mirrored", "happened", "not", "let", "choice", "equal") {
	case "mirrored":
		return d + " " + op + " " + clock
	case "happened":
		return "happened(" + clock + ")"
	case "not":
		return "not (" + clock + " " + op + " " + d + ")"
	case "let":
		return w.pick("late", "early", "not late")
	case "choice":
		return "(" + w.pick("ready", "late") + " ? " + clock + " " + op + " " + d + " : early)"
	case "equal":
		return "((" + clock + " " + op + " " + d + ") == late)"
	}
	return clock + " " + op + " " + d
}

// drawTimeRules writes a ruleset of some rules or rows, each about stopwatches,
// under any hit policy.
func drawTimeRules(t *rapid.T) string {
	w := &timeWriter{t: t}
	hit := w.pick("first", "unique", "any", "priority", "rule order", "output order", "collect", "collect sum", "collect min", "collect max")
	var b strings.Builder
	b.WriteString("ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: " + hit + "\n" + clockLets + "otherwise: maybe\n")
	if HitPolicy(hit).ranks() {
		b.WriteString("priority: [maybe, no, yes]\n")
	}
	asTable := w.pick("rules", "table") == "table"
	b.WriteString(map[bool]string{true: "table:\n  - [name, len(note), signed_for, placed_for, ends_in, late, then, times, because]\n", false: "rules:\n"}[asTable])
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		outcome, times := w.pick("yes", "no", "maybe"), "-"
		if HitPolicy(hit).aggregates() {
			outcome, times = "yes", w.pick("1", "2", "early ? 3 : window_days")
		} else if outcome == "yes" {
			times = w.pick("-", "early ? 3 : window_days")
		}
		// The note makes every condition its own, so that none is unreachable.
		if asTable {
			b.WriteString("  - ")
			b.Write(appendTexts(nil, []string{fmt.Sprint("r", i), fmt.Sprint("< ", 100-i), w.cell(), w.cell(), w.cell(), w.pick("-", "true", "false", "early"), outcome, times, "So."}))
			b.WriteString("\n")
			continue
		}
		with := ""
		if times != "-" {
			with = ", with: {times: " + strings.Replace(times, "early ? 3 : window_days", `"CHOICE"`, 1) + "}"
		}
		rule := fmt.Sprintf("  - {name: r%d, when: 'len(note) < %d and (%s %s %s)', then: %s, because: So.%s}\n", i, 100-i, w.comparison(), w.pick("and", "or"), w.comparison(), outcome, with)
		b.WriteString(strings.Replace(rule, `"CHOICE"`, "early ? 3 : window_days", 1))
	}
	return b.String()
}

// cell is what a row asks of a stopwatch.
func (w *timeWriter) cell() string {
	return w.pick("-", "-", w.pick(">= ", "> ", "< ", "<= ", "!= ")+w.threshold(), "["+w.pick("1d", "36h")+"..10d)", "not(>= "+w.threshold()+")", "< 1d, > "+w.threshold(), w.threshold())
}

var anchor = time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC)

func drawInstant(t *rapid.T, label string) time.Time {
	return anchor.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, label)) * time.Second)
}

func drawTimeFacts(t *rapid.T) *trialFacts {
	facts := trial()
	facts.Note, facts.Ready = "", rapid.Bool().Draw(t, "ready")
	facts.Days = rapid.Int64Range(-1, 12).Draw(t, "window_days")
	facts.SignedFor = drawStopwatch(t, "signed_for")
	facts.PlacedFor = drawStopwatch(t, "placed_for")
	facts.EndsIn = market.Until(drawInstant(t, "ends_in"))
	return facts
}

// drawStopwatch may not have started, may be stopped by overlapping appeals,
// and may not be known for ever.
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
	w := market.StartedAt(drawInstant(t, label)).Without(spans)
	if rapid.IntRange(0, 5).Draw(t, label+" known") == 0 {
		w = w.KnownUntil(w.Anchor().Add(time.Duration(rapid.Int64Range(0, 12*24*3600).Draw(t, label+" known for"))*time.Second), market.ErrOutsideCalendar)
	}
	return w
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
		a, err := p.DecideAll(facts, asOf)
		if err != nil {
			t.Skip(err)
		}
		answers := func(at time.Time) bool {
			b, err := p.DecideAll(facts, at)
			return err == nil && slices.EqualFunc(a, b, Answer.Same)
		}
		next, ok := p.NextAll(facts, asOf, a)
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
		a, err := p.DecideAll(facts, asOf)
		if err != nil {
			t.Skip(err)
		}
		answers := func(at time.Time) bool {
			b, err := p.DecideAll(facts, at)
			return err == nil && slices.EqualFunc(a, b, Answer.Same)
		}
		since := p.SinceAll(facts, asOf, a)
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

// TestWhatIsNotKnownIsNotGuessed: a clock that ran for two days until knowledge
// ended is asked for what it can tell, and is looked at again where it may turn.
func TestWhatIsNotKnownIsNotGuessed(t *testing.T) {
	facts := trial()
	facts.SignedFor = market.StartedAt(anchor).KnownUntil(anchor.Add(2*day), market.ErrOutsideCalendar)
	for condition, want := range map[string][5]string{ // on days 1 to 5
		"signed_for >= days(2)": {"no", "yes", "yes", "yes", "yes"},
		"signed_for > days(2)":  {"no", "no", "?", "?", "?"},
		"signed_for >= days(4)": {"no", "no", "no", "?", "?"},
		"days(4) <= signed_for": {"no", "no", "no", "?", "?"},
		"signed_for < days(4)":  {"yes", "yes", "yes", "?", "?"},
		"signed_for != days(4)": {"yes", "yes", "yes", "?", "?"},
		"happened(signed_for)":  {"yes", "yes", "yes", "yes", "yes"},
	} {
		p := mustCompile(t, trialText(condition, ""))
		for i, outcome := range want {
			a, err := p.Decide(facts, anchor.Add(time.Duration(i+1)*day))
			if err != nil && errors.Is(err, market.ErrOutsideCalendar) {
				a.Outcome = "?"
			}
			if a.Outcome != outcome {
				t.Errorf("%s on day %d: %s, %v; want %s", condition, i+1, a.Outcome, err, outcome)
			}
		}
	}
	p := mustCompile(t, trialText("signed_for >= days(4)", ""))
	no, _ := p.Decide(facts, anchor.Add(day))
	if next, ok := p.Next(facts, anchor.Add(day), no); !ok || !next.Equal(anchor.Add(4*day)) {
		t.Errorf("looked at again at %s, %t", next, ok)
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

// drawFacts draws facts of any ruleset: words it may hold, small amounts of its
// currency, and clocks of some weeks.
func drawFacts(t *rapid.T, p *Policy) any {
	v := p.vocabulary
	facts := v.newFacts()
	fields := reflect.ValueOf(facts).Elem()
	for i, fact := range v.Facts() {
		var value any
		switch fact.Kind {
		case KindBool:
			value = rapid.Bool().Draw(t, fact.Name)
		case KindInt:
			value = rapid.Int64Range(-1, 12).Draw(t, fact.Name)
		case KindDecimal:
			value = market.DecimalOf(rapid.Int64Range(-1, 1000).Draw(t, fact.Name))
		case KindText:
			value = rapid.SampledFrom(append([]string{""}, fact.Words...)).Draw(t, fact.Name)
		case KindList:
			value = rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b"}), 0, 2).Draw(t, fact.Name)
		case KindMoney:
			value = money(rapid.SampledFrom([]string{"0.00 ", "99.00 ", "1000000.00 "}).Draw(t, fact.Name) + string(p.currency))
		case KindStopwatch:
			if value = drawStopwatch(t, fact.Name); fact.Down {
				value = market.Until(drawInstant(t, fact.Name))
			}
		}
		fields.Field(i).Set(reflect.ValueOf(value))
	}
	return facts
}

// TestEveryDefaultRulesetTurnsWhenItSays: of each version of each ruleset that
// is built in, about any facts, the answer is the same a second before it turns,
// and another at the instant, the one that the explanation names.
func TestEveryDefaultRulesetTurnsWhenItSays(t *testing.T) {
	book, err := Load(Defaults())
	if err != nil {
		t.Fatal(err)
	}
	turned := map[string]int{} // by ruleset
	for _, site := range book.Sites() {
		for _, v := range Vocabularies() {
			for _, p := range site.Versions(v.Ruleset) {
				rapid.Check(t, func(t *rapid.T) {
					facts, asOf := drawFacts(t, p), drawInstant(t, "as-of")
					answers, err := p.DecideAll(facts, asOf)
					if err != nil {
						t.Skip(err)
					}
					e := p.Explain(facts, asOf)
					if !slices.EqualFunc(e.Answers, answers, Answer.Same) {
						t.Fatalf("%s %s: decided %v, explained %v", site.Name, p, answers, e.Answers)
					}
					until := asOf.Add(400 * day)
					if e.Turns != nil {
						until = e.Turns.At
						turned[p.Ruleset]++
						if then, err := p.DecideAll(facts, until); err == nil && (slices.EqualFunc(then, answers, Answer.Same) || !then[0].Same(e.Turns.To)) {
							t.Fatalf("%s %s: at %s it is %v, explained was %v", site.Name, p, until, then, e.Turns)
						}
					}
					for _, at := range []time.Time{until.Add(-tick), until.Add(-time.Second), asOf.Add(until.Sub(asOf) / 2), asOf.Add(until.Sub(asOf) / 7)} {
						if now, err := p.DecideAll(facts, at); !at.Before(asOf) && (err != nil || !slices.EqualFunc(now, answers, Answer.Same)) {
							t.Fatalf("%s %s: at %s, before it turns at %s, it is %v %v, and was %v", site.Name, p, at, until, now, err, answers)
						}
					}
				})
			}
		}
	}
	for _, ruleset := range []string{"acceptance", "reminders"} {
		if turned[ruleset] < 20 {
			t.Errorf("%s turned %d times", ruleset, turned[ruleset])
		}
	}
}
