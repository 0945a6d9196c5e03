package rules

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestObserveDecidesAlike: asking leaf by leaf comes to the same answer as the
// closures, and shows leaves of the rule alone, none of them twice.
func TestObserveDecidesAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		lets := "let:\n  asked: |-\n    " + w.yes(2) + "\n"
		condition := fmt.Sprintf("%s and (asked or %s)", w.yes(3), w.yes(3))
		p, err := compileText(trialText(condition, lets))
		if err != nil {
			t.Skip(err)
		}
		facts := trial()
		facts.Ready, facts.Open = rapid.Bool().Draw(t, "ready"), rapid.Bool().Draw(t, "open")
		facts.Count, facts.Days = rapid.Int64Range(-5, 9).Draw(t, "count_of"), rapid.Int64Range(-5, 9).Draw(t, "window_days")
		f := p.frame(facts, noon)
		defer f.release()
		whole := p.rules[0].condition
		known := map[*operand]bool{}
		for _, leaf := range whole.leaves() {
			known[leaf] = true
		}
		if got, want := whole.ask(f, func(*operand, bool) {}), p.rules[0].when(f); got != want {
			t.Fatalf("%s: asked %v, decided %v", condition, got, want)
		}
		p.observe(facts, noon, func(rule int, leaf *operand, yes bool) {
			if rule != 0 || !known[leaf] || as[bool](leaf)(f) != yes {
				t.Fatalf("%s: rule %d showed %q as %v", condition, rule, leaf.text, yes)
			}
		})
	})
}

// TestLeaves: what is not made of other yes-or-no parts, and what of it an
// evaluation needs.
func TestLeaves(t *testing.T) {
	p := mustCompile(t, trialText(`late and (ready or count_of > 5) and not (open ? note == "x" : price > 100)`, "let: {window: 10d, late: signed_for >= window and open == false}\n"))
	var leaves, asked []string
	for _, leaf := range p.rules[0].condition.leaves() {
		leaves = append(leaves, leaf.text)
	}
	p.observe(trial(), noon, func(_ int, leaf *operand, yes bool) { asked = append(asked, fmt.Sprint(leaf.text, " ", yes)) })
	if got, want := fmt.Sprintf("%q", leaves), `["signed_for >= window" "open == false" "ready" "count_of > 5" "open" "note == \"x\"" "price > 100"]`; got != want {
		t.Errorf("leaves are %s\nwant %s", got, want)
	}
	if got, want := fmt.Sprintf("%q", asked), `["signed_for >= window true" "open == false true" "ready true" "open false" "price > 100 false"]`; got != want {
		t.Errorf("asked were %s\nwant %s", got, want)
	}
}
