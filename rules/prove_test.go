package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// drawQuestion is a leaf about the trial facts: of every shape that is seen
// through, and some that are not.
func drawQuestion(t *rapid.T) string {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	op := one("operator", "==", "!=", "<", "<=", ">", ">=")
	switch rapid.IntRange(0, 13).Draw(t, "shape") {
	case 0:
		return one("fact", "ready", "open")
	case 1:
		return one("fact", "ready == false", "open != true", "ready == open")
	case 2:
		return "count_of " + op + " " + one("n", "0", "2", "3", "2.5", "-1")
	case 3:
		return one("words", `product == "saas"`, `product != "image"`, `product in ["saas", "license"]`, `product not in ["hardware"]`, `product == ""`, `product < "k"`)
	case 4:
		return one("text", `note == "a"`, `note != "b"`, `note in ["a", "c"]`, `note startsWith "a"`, `len(note) > 1`)
	case 5:
		return one("list", `"a" in tags`, `"b" not in tags`, `note in tags`)
	case 6:
		return "price " + op + " " + one("amount", "10", "10.01", "10.005", `money("0.00 CNY")`)
	case 7:
		return one("money", "price in 5..10", "price > balance", "price + balance > 20", `balance >= money("5.00 USD")`)
	case 8:
		return "signed_for " + op + " " + one("length", "days(1)", "days(2)", "seconds(0)")
	case 9:
		return "ends_in " + op + " " + one("length", "days(1)", "days(1) + seconds(1)", "-hours(1)")
	case 10:
		return one("begun", "happened(signed_for)", "not happened(signed_for)", "happened(ends_in)")
	case 11:
		return "count_of in " + one("range", "1..3", "[0, 2]", "window_days..5")
	case 12:
		return "placed_for >= days(window_days)"
	}
	return one("let", "late", "known", "signed_for >= span", "vip", "note in names")
}

const proofLets = `let:
  late: signed_for >= days(2) or ready
  known: product in words
  words: ["saas", "image"]
  span: 2d
  vip: false
  names: ["a"]
`

const proofOverrides = `overrides:
  - {product: [saas, image], because: So., let: {span: 1d, vip: ready}}
  - {product: hardware, because: So., let: {names: ["b", "c"], vip: true}}
`

func drawCondition(t *rapid.T, depth int) string {
	if depth == 0 {
		return drawQuestion(t)
	}
	switch rapid.IntRange(0, 7).Draw(t, "joint") {
	case 0, 1, 2:
		return fmt.Sprintf("(%s and %s)", drawCondition(t, depth-1), drawCondition(t, depth-1))
	case 3, 4:
		return fmt.Sprintf("(%s or %s)", drawCondition(t, depth-1), drawCondition(t, depth-1))
	case 5:
		return fmt.Sprintf("not (%s)", drawCondition(t, depth-1))
	case 6:
		return fmt.Sprintf("(%s ? %s : %s)", drawCondition(t, depth-1), drawCondition(t, depth-1), drawCondition(t, depth-1))
	}
	return drawQuestion(t)
}

// drawRuleset is some rules about the trial facts, whatever the compiler says of them.
func drawRuleset(t *rapid.T, hit string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: %s\n%s", hit, proofLets)
	if rapid.Bool().Draw(t, "overrides") {
		b.WriteString(proofOverrides)
	}
	b.WriteString("rules:\n")
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		fmt.Fprintf(&b, "  - name: r%d\n    when: |-\n      %s\n    then: %s\n    because: So.\n", i, drawCondition(t, 2), rapid.SampledFrom([]string{"yes", "no", "maybe"}).Draw(t, "then"))
	}
	return b.String() + "otherwise: maybe\n"
}

func drawProofFacts(t *rapid.T) *trialFacts {
	amount := func(label string) market.Money {
		return money(rapid.SampledFrom([]string{"0.00 CNY", "4.99 CNY", "5.00 CNY", "9.99 CNY", "10.00 CNY", "10.003 CNY", "10.005 CNY", "10.01 CNY", "10.02 CNY", "99.00 CNY", "-1.00 CNY"}).Draw(t, label))
	}
	watch := func(label string) market.Stopwatch {
		d := rapid.SampledFrom([]time.Duration{-1, 0, 1, 12 * time.Hour, day - 1, day, day + 1, day + time.Second, 2 * day, 2*day + 1, 10 * day}).Draw(t, label)
		if d < 0 {
			return market.Stopwatch{}
		}
		return market.StartedAt(proofInstant.Add(-d))
	}
	f := &trialFacts{
		Ready: rapid.Bool().Draw(t, "ready"), Open: rapid.Bool().Draw(t, "open"),
		Count: rapid.Int64Range(-3, 6).Draw(t, "count_of"), Days: rapid.Int64Range(-1, 6).Draw(t, "window_days"),
		Kind:  rapid.SampledFrom([]string{"", "saas", "hardware", "license", "image"}).Draw(t, "product"),
		Note:  rapid.SampledFrom([]string{"", "a", "b", "c", "ab", "zz"}).Draw(t, "note"),
		Tags:  rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "tags"),
		Price: amount("price"), Balance: amount("balance"), SignedFor: watch("signed_for"), PlacedFor: watch("placed_for"),
	}
	if ends := rapid.SampledFrom([]time.Duration{-day, -time.Hour, -time.Hour + 1, 0, day - 1, day, day + 1, day + time.Second, 5 * day}).Draw(t, "ends_in"); rapid.Bool().Draw(t, "ends") {
		f.EndsIn = market.Until(proofInstant.Add(ends))
	}
	return f
}

// TestProvenImpossible: what is proven never to be seen is not seen with any
// facts, and where it is not proven and no coin is in play, facts show it.
func TestProvenImpossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawRuleset(t, rapid.SampledFrom([]string{"first", "unique", "collect"}).Draw(t, "hit"))
		p, err := compileText(text)
		if err != nil {
			t.Skip(err)
		}
		w := newWorld(p)
		claimed := map[leafKey][2]bool{}
		for i, rule := range p.rules {
			for _, leaf := range rule.condition.leaves() {
				if key := p.leafKey(i, leaf); !leaf.constant {
					claimed[key] = [2]bool{w.impossible(p, key, no), w.impossible(p, key, yes)}
				}
			}
		}
		for range 30 {
			facts := drawProofFacts(t)
			p.observe(facts, proofInstant, func(rule int, leaf *operand, yes bool) {
				if claimed[p.leafKey(rule, leaf)][numberOf(yes)-1] {
					t.Fatalf("proven never to be %v: %q of rule %d, yet with %+v it is, in\n%s", yes, leaf.text, rule, facts, text)
				}
			})
		}
	})
}

// TestExamplesHold: facts that the search finds make each condition come out as
// it was asked to, where no coin is in play.
func TestExamplesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawRuleset(t, "collect")
		p, err := compileText(text)
		if err != nil {
			t.Skip(err)
		}
		w := newWorld(p)
		coins := false
		for _, f := range w.formulas {
			coins = coins || f.unknown != nil && f.unknown.fact == nil
		}
		for i, rule := range p.rules {
			asked := wish{w.formula(rule.condition), rapid.SampledFrom([]verdict{yes, no}).Draw(t, "wish")}
			d, _ := w.search(mostProof, w.all([]wish{asked}), nil)
			if d == nil || coins {
				continue
			}
			facts, given := w.example(d)
			f := p.frame(facts, proofInstant)
			if got := rule.when(f); f.err != nil || got != (asked.want == yes) {
				t.Fatalf("rule %d with %s is %v (%v) in\n%s", i, given, got, f.err, text)
			}
			f.release()
		}
	})
}
