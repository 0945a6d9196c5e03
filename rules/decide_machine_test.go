package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

// machineEnv is what expr's own machine sees of the facts.
func machineEnv(f *trialFacts) map[string]any {
	return map[string]any{
		"ready": f.Ready, "open": f.Open, "count_of": int(f.Count), "window_days": int(f.Days),
		"product": f.Kind, "note": f.Note, "tags": f.Tags,
	}
}

// writer draws expressions of each kind that both can say.
type writer struct {
	t *rapid.T
	n int
}

func (w *writer) pick(of ...string) string {
	w.n++
	return rapid.SampledFrom(of).Draw(w.t, fmt.Sprint(w.n))
}

func (w *writer) yes(depth int) string {
	if depth == 0 {
		return w.pick("ready", "open", "true", "false")
	}
	d := depth - 1
	switch w.pick("and", "or", "not", "whole", "text", "in", "range", "choose", "equal", "test", "chain", "matches", "??") {
	case "and":
		return "(" + w.yes(d) + w.pick(" and ", " && ") + w.yes(d) + ")"
	case "or":
		return "(" + w.yes(d) + w.pick(" or ", " || ") + w.yes(d) + ")"
	case "not":
		return w.pick("not ", "!") + "(" + w.yes(d) + ")"
	case "whole":
		return "(" + w.whole(d) + w.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + w.whole(d) + ")"
	case "text":
		return "(" + w.text(d) + w.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + w.text(d) + ")"
	case "in":
		return "(" + w.pick(w.whole(d)+" in ["+w.whole(d)+", "+w.whole(d)+"]", w.text(d)+" not in ["+w.text(d)+"]", w.text(d)+" in tags") + ")"
	case "range":
		return "(" + w.whole(d) + " in -3..12)"
	case "choose":
		return "(" + w.yes(d) + " ? " + w.yes(d) + " : " + w.yes(d) + ")"
	case "equal":
		return "(" + w.yes(d) + w.pick(" == ", " != ") + w.yes(d) + ")"
	case "test":
		return "(" + w.text(d) + w.pick(" contains ", " startsWith ", " endsWith ") + w.text(d) + ")"
	case "chain":
		return "(" + w.whole(d) + " <= " + w.whole(d) + " < " + w.whole(d) + ")"
	case "??":
		return "((" + w.yes(d) + ") ?? (" + w.yes(d) + "))"
	}
	return "(" + w.text(d) + ` matches "^[a-h]*$")`
}

func (w *writer) whole(depth int) string {
	if depth == 0 {
		return w.pick("count_of", "window_days", "0", "1", "7", "-2", "1_000")
	}
	d := depth - 1
	switch w.pick("+", "-", "*", "%", "neg", "choose", "len", "min") {
	case "+":
		return "(" + w.whole(d) + " + " + w.whole(d) + ")"
	case "-":
		return "(" + w.whole(d) + " - " + w.whole(d) + ")"
	case "*":
		return "(" + w.whole(d) + " * " + w.whole(d) + ")"
	case "%":
		return "(" + w.whole(d) + " % " + w.pick("3", "-7", "10") + ")"
	case "neg":
		return "-(" + w.whole(d) + ")"
	case "choose":
		return "(" + w.yes(d) + " ? " + w.whole(d) + " : " + w.whole(d) + ")"
	case "len":
		return w.pick("len("+w.text(d)+")", "len(tags)")
	}
	return w.pick("min(", "max(") + w.whole(d) + ", " + w.whole(d) + ")"
}

func (w *writer) text(depth int) string {
	if depth == 0 {
		return w.pick("product", "note", `"hardware"`, `"a"`, `""`, `'世界'`)
	}
	d := depth - 1
	switch w.pick("+", "lower", "choose", "leaf") {
	case "+":
		return "(" + w.text(d) + " + " + w.text(d) + ")"
	case "lower":
		return w.pick("lower(", "upper(", "trim(") + w.text(d) + ")"
	case "choose":
		return "(" + w.yes(d) + " ? " + w.text(d) + " : " + w.text(d) + ")"
	}
	return w.text(0)
}

// TestClosuresEqualTheMachine holds our closures against expr's own machine for
// everything both can say: no money, no decimals, no time.
func TestClosuresEqualTheMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		condition := w.yes(rapid.IntRange(1, 4).Draw(t, "depth"))
		p, err := compileText(trialText("ready == ready and "+condition, ""))
		if err != nil {
			if strings.Contains(err.Error(), "is never") || strings.Contains(err.Error(), "always true") {
				t.Skip(err) // the machine knows no words, and no dead rules
			}
			t.Fatalf("%s is refused: %v", condition, err)
		}
		facts := trial()
		facts.Ready, facts.Open = rapid.Bool().Draw(t, "ready"), rapid.Bool().Draw(t, "open")
		facts.Count, facts.Days = rapid.Int64Range(-5, 9).Draw(t, "count_of"), rapid.Int64Range(-5, 9).Draw(t, "window_days")
		facts.Note = rapid.SampledFrom([]string{"", "a", "abc", "世界", "hardware"}).Draw(t, "note")
		program, err := expr.Compile(condition, expr.Env(machineEnv(facts)), expr.AsBool())
		if err != nil {
			t.Fatalf("the machine refuses %s: %v", condition, err)
		}
		want, err := expr.Run(program, machineEnv(facts))
		if err != nil {
			t.Skip(err)
		}
		a, err := p.Decide(facts, noon)
		if got := a.Outcome == "yes"; err != nil || got != want {
			t.Fatalf("%s\nis %v, %v; the machine says %v\nof %+v", condition, got, err, want, facts)
		}
	})
}

// FuzzCompile: any text compiles or is refused with a reason; nothing panics,
// and what compiles can be decided and explained.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"ready", "price >= 99.00", `product in ["saas", "hardware"] and signed_for >= days(10)`, "min(price, balance) > 1 ? ready : open", "((((((ready))))))",
		"price / 4 == 24.75", "1 < count_of < 3", `note matches "(a+)+$"`, "not", "ready ?: open", "a ?? b", "filter(tags, {# == 1})", "price == 1e99999", "0x", "`raw`", "b'bytes'",
		"if ready { open } else { ready }", "let x = 1; x", "（ready）", "\x00", "price.Amount.d", "days(9223372036854775807) > days(1)", "tags[0:1]", "ready and /* a */ open // b", "count_of | max(1)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, condition string) {
		p, err := compileText(trialText(condition, ""))
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("%q is refused without a reason", condition)
			}
			return
		}
		facts := trial()
		a, err := p.Decide(facts, noon)
		if err == nil {
			p.Since(facts, noon, a)
			p.Next(facts, noon, a)
		}
		p.Explain(facts, noon)
	})
}

// FuzzParse: so does any file.
func FuzzParse(f *testing.F) {
	f.Add(trialText("ready", "let: {a: 1, b: a + 1, c: 99.00 CNY, d: [1, 2]}\n"))
	f.Add("ruleset: trial\nlet:\n  a: b\n  b: a\nrules:\n- {}\n")
	f.Add("a: &a [*a]\n")
	f.Add("? [a]\n: {b: c}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := compileText(text)
		if (p == nil) != (err != nil) {
			t.Fatalf("policy %v, error %v", p, err)
		}
	})
}
