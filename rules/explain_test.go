package rules

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// everyKind draws a question about facts of every kind: those of the writer, and
// besides them money, decimals, lengths of time, stopwatches and lets.
func everyKind(t *rapid.T, depth int) string {
	w, clocks := &writer{t: t}, &timeWriter{t: t}
	var yes, amount func(d int) string
	amount = func(d int) string {
		if d == 0 {
			return w.pick("price", "balance", "floor", `money("7.10 CNY")`, "large")
		}
		switch w.pick("+", "*", "min", "choose", "round", "sum") {
		case "+":
			return "(" + amount(d-1) + w.pick(" + ", " - ") + amount(d-1) + ")"
		case "*":
			return "(" + amount(d-1) + " * " + w.pick("2", "0.06", "count_of", "rate") + ")"
		case "min":
			return w.pick("min(", "max(") + amount(d-1) + ", " + amount(d-1) + ", 12.5)"
		case "choose":
			return "(" + yes(d-1) + " ? " + amount(d-1) + " : " + amount(d-1) + ")"
		case "sum":
			return "sum([" + amount(d-1) + ", " + amount(d-1) + ", 1])"
		}
		return "round(" + amount(d-1) + `, 1, "half up")`
	}
	yes = func(d int) string {
		if d == 0 {
			return w.pick("ready", "open", "asked", "late", "early")
		}
		switch w.pick("plain", "time", "money", "between", "among", "divide", "and", "not", "choose") {
		case "plain":
			return w.yes(d)
		case "time":
			return "(" + clocks.comparison() + ")"
		case "money":
			return "(" + amount(d-1) + w.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + w.pick(amount(d-1), "99", "99.00", "-1.5", "1 + 0.5") + ")"
		case "between":
			return "(" + w.pick("10", amount(d-1)) + " <= " + amount(d-1) + " < " + amount(d-1) + ")"
		case "among":
			return "(" + w.pick(amount(d-1)+" in [99, "+amount(d-1)+"]", w.whole(d-1)+" in [window_days, 3]", w.whole(d-1)+" in 1..count_of", `"a" in tags`) + ")"
		case "divide":
			return "(divide(" + amount(d-1) + ", " + w.pick("7", "count_of", amount(d-1)) + `, 4, "half up") ` + w.pick("> money(\"1.00 CNY\")", "!= 2") + ")"
		case "and":
			return "(" + yes(d-1) + w.pick(" and ", " or ") + yes(d-1) + w.pick(" and ", " or ") + yes(d-1) + ")"
		case "not":
			return "not (" + yes(d-1) + ")"
		}
		return "(" + yes(d-1) + " ? " + yes(d-1) + " : " + yes(d-1) + ")"
	}
	return yes(depth)
}

const kindLets = clockLets + `  large: 500000.00 CNY
  floor: price * 0.5
  rate: 0.056
  asked: |-
    price >= floor and (ready or count_of > 3)
`

// carriedAs is the carried value of the trial's yes by which a part of a
// condition is evaluated on its own.
var carriedAs = map[Kind]string{KindBool: "ok", KindInt: "times", KindDecimal: "rate", KindMoney: "amount", KindDuration: "window", KindText: "reason"}

// TestEachPartIsWorthWhatItSays: the value that an explanation gives to a part,
// with the parts it is made of, is that of the part evaluated on its own.
func TestEachPartIsWorthWhatItSays(t *testing.T) {
	alone := map[string]*Policy{} // by source: parts repeat
	rapid.Check(t, func(t *rapid.T) {
		condition := everyKind(t, rapid.IntRange(1, 3).Draw(t, "depth"))
		p, err := compileText(trialText("ready == ready and "+condition, kindLets))
		if err != nil {
			t.Skip(err)
		}
		facts, asOf := drawTimeFacts(t), drawInstant(t, "as-of")
		facts.Open, facts.Count = rapid.Bool().Draw(t, "open"), rapid.Int64Range(-5, 9).Draw(t, "count_of")
		e := p.Explain(facts, asOf)
		if a, err := p.Decide(facts, asOf); (e.Err == nil) != (err == nil) || err == nil && (!a.Same(e.Answer) || e.Rules[0].Matched != (a.RuleIndex == 0)) {
			t.Fatalf("decided %v %v, explained %+v", a, err, e)
		}
		var check func(part Part)
		check = func(part Part) {
			for _, inner := range part.Parts {
				check(inner)
			}
			name := carriedAs[part.Kind]
			if name == "" {
				return // a stopwatch, or a list: they are not computed
			}
			text := trialText("open == open", kindLets) + "---\n"
			text = strings.Replace(text, "    then: yes\n", "    then: yes\n    with:\n      "+name+": |-\n        "+part.Text+"\n", 1)
			single := alone[name+part.Text]
			if single == nil {
				if single, err = compileText(strings.TrimSuffix(text, "---\n")); err != nil {
					t.Fatalf("%s, a part of %s, is refused on its own: %v", part.Text, condition, err)
				}
				alone[name+part.Text] = single
			}
			a, err := single.Decide(facts, asOf)
			switch {
			case err != nil && !strings.HasSuffix(err.Error(), part.Value):
				t.Fatalf("%s, a part of %s, is worth %s; on its own it is %v", part.Text, condition, part.Value, err)
			case err == nil && strings.Trim(part.Value, `"`) != a.Values[0].String():
				t.Fatalf("%s, a part of %s, is worth %s; on its own %s", part.Text, condition, part.Value, a.Values[0])
			case err == nil && part.Kind == KindBool && part.Yes != a.Values[0].Bool():
				t.Fatalf("%s, a part of %s, holds: %v; on its own %v", part.Text, condition, part.Yes, a.Values[0])
			}
		}
		check(e.Rules[0].Tree)
	})
}

// TestExplainSaysWhatIsDecided: the explanation gives the answers of the
// decision, by the rules that match; what it says of the turn is true; each rule
// that does not match misses something; of a rule that matches nothing is missed.
func TestExplainSaysWhatIsDecided(t *testing.T) {
	reader := Reader{"zh", shanghai}
	rapid.Check(t, func(t *rapid.T) {
		p, err := compileText(drawTimeRules(t))
		if err != nil {
			t.Skip(err)
		}
		facts, asOf := drawTimeFacts(t), drawInstant(t, "as-of")
		answers, err := p.DecideAll(facts, asOf)
		e := p.Explain(facts, asOf)
		if fmt.Sprint(answers, err) != fmt.Sprint(e.Answers, e.Err) || len(e.Rules)+e.LeftOut != len(p.rules) {
			t.Fatalf("decided %v %v, explained %+v", answers, err, e)
		}
		for _, r := range e.Rules {
			if r.Matched != (len(r.Missed) == 0) || r.Matched != r.Tree.Yes || r.Answers && !r.Matched {
				t.Fatalf("%s: %+v", r.Name, r)
			}
			for _, missed := range r.Missed {
				if missed.Yes || reader.Say(missed) == "" {
					t.Fatalf("%s misses %q, which holds", r.Name, missed.Text)
				}
			}
		}
		if err != nil {
			return
		}
		for _, a := range answers {
			if a.RuleIndex < len(p.rules) && !e.Rules[a.RuleIndex].Answers {
				t.Fatalf("%s answers and is not said to: %+v", a.Rule, e.Rules)
			}
		}
		at, ok := p.NextAll(facts, asOf, answers)
		if ok != (e.Turns != nil) || ok && !e.Turns.At.Equal(at) {
			t.Fatalf("turns at %s, explained %v", at, e.Turns)
		}
		if then, err := p.DecideAll(facts, at); ok && (fmt.Sprint(err) != fmt.Sprint(e.Turns.Err) || err == nil && !then[0].Same(e.Turns.To)) {
			t.Fatalf("turns to %v %v, explained %v", then, err, e.Turns)
		}
	})
}

// TestATableIsExplainedByItsNearestRows: the rows that match, and of ten
// thousand others those with the fewest cells against them.
func TestATableIsExplainedByItsNearestRows(t *testing.T) {
	rows := [][]string{{"name", "note", "count_of", "price", "signed_for", "then", "because"}}
	for i := range 10_000 {
		rows = append(rows, []string{fmt.Sprint("r", i), fmt.Sprintf("%q", fmt.Sprint("n", i%100)), fmt.Sprint(i), "[50..1000)", fmt.Sprintf(">= days(%d)", 1+i%20), "yes", "So."})
	}
	p, err := loadTable("first", "big.csv", csvOf(rows))
	if err != nil {
		t.Fatal(err)
	}
	facts := trial()
	facts.Note, facts.Count = "n7", 4107
	e := p.Explain(facts, noon)
	var said []string
	for _, r := range e.Rules {
		line := fmt.Sprintf("%s at %s, line %d: %v %v", r.Name, r.Cell, r.Line, r.Matched, r.Answers)
		for _, missed := range r.Missed {
			line += " / " + missed.Text
		}
		said = append(said, line)
	}
	want := []string{
		`r4107 at A4109, line 0: true true`,
	}
	if e.Answer.Rule != "r4107" || e.LeftOut != 10_000-len(e.Rules) || len(e.Rules) != 1+nearestMisses || strings.Join(said[len(said)-1:], "\n") != strings.Join(want, "\n") {
		t.Errorf("explained %s, %d left out\n%s", e.Answer.Rule, e.LeftOut, strings.Join(said, "\n"))
	}
	if want := `r7 at A9, line 0: false false / count_of == 7`; said[0] != want {
		t.Errorf("nearest is %s\nwant       %s", said[0], want)
	}
}
