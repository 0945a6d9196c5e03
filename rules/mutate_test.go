package rules

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// editsOfText are the edits of a rule file, each as it is listed.
func editsOfText(t *testing.T, text string) []string {
	t.Helper()
	p := mustCompile(t, text)
	rs, _ := Parse("trial.yaml", []byte(text))
	var out []string
	for _, m := range rs.mutants("CNY", p) {
		out = append(out, m.Edit)
	}
	return out
}

// TestEdits: what is edited of each part of a condition, and how.
func TestEdits(t *testing.T) {
	for when, want := range map[string][]string{
		"signed_for >= days(10)":                             {"signed_for >= days(10) → signed_for > days(10)", "signed_for >= days(10) → signed_for < days(10)", "signed_for >= days(10) → signed_for >= (days(10) + seconds(1))", "signed_for >= days(10) → signed_for >= (days(10) - seconds(1))"},
		"price < 99.5":                                       {"price < 99.5 → price <= 99.5", "price < 99.5 → price >= 99.5", "price < 99.5 → price < 99.51", "price < 99.5 → price < 99.49"},
		`price == money("1.00 CNY")`:                         {`price == money("1.00 CNY") → price != money("1.00 CNY")`, `price == money("1.00 CNY") → price == money("1.01 CNY")`, `price == money("1.00 CNY") → price == money("0.99 CNY")`},
		"count_of in 1..3":                                   {"count_of in 1..3 → count_of not in 1..3", "count_of in 1..3 → count_of in 2..3", "count_of in 1..3 → count_of in 0..3", "count_of in 1..3 → count_of in 1..4", "count_of in 1..3 → count_of in 1..2"},
		`product not in ["saas", "image"]`:                   {`product not in ["saas", "image"] → product in ["saas", "image"]`, `product not in ["saas", "image"] → product not in ["image"]`, `product not in ["saas", "image"] → product not in ["hardware", "image"]`, `product not in ["saas", "image"] → product not in ["saas"]`, `product not in ["saas", "image"] → product not in ["saas", "hardware"]`},
		"not happened(signed_for)":                           {"not happened(signed_for) → happened(signed_for)"},
		"ready and (open or count_of * 2 > window_days + 1)": {"ready and (open or count_of * 2 > window_days + 1) → ready or (open or count_of * 2 > window_days + 1)", "ready → not (ready)", "open or count_of * 2 > window_days + 1 → open and count_of * 2 > window_days + 1", "open → not (open)", "count_of * 2 > window_days + 1 → count_of * 2 >= window_days + 1", "count_of * 2 > window_days + 1 → count_of * 2 <= window_days + 1", "count_of * 2 > window_days + 1 → count_of + 2 > window_days + 1", "count_of * 2 > window_days + 1 → count_of * 3 > window_days + 1", "count_of * 2 > window_days + 1 → count_of * 1 > window_days + 1", "count_of * 2 > window_days + 1 → count_of * 2 > window_days - 1", "count_of * 2 > window_days + 1 → count_of * 2 > window_days + 2", "count_of * 2 > window_days + 1 → count_of * 2 > window_days + 0"},
		`product == "saas" ? ready : note contains "x"`:      {`product == "saas" → product != "saas"`, `product == "saas" → product == "hardware"`, "ready → not (ready)", `note contains "x" → not (note contains "x")`, `note contains "x" → note startsWith "x"`, `note contains "x" → note contains "x?"`},
		`round(price, 1, "half up") > max(balance, price)`:   {`round(price, 1, "half up") > max(balance, price) → round(price, 1, "half up") >= max(balance, price)`, `round(price, 1, "half up") > max(balance, price) → round(price, 1, "half up") <= max(balance, price)`, `round(price, 1, "half up") > max(balance, price) → round(price, 1, "truncate") > max(balance, price)`, `round(price, 1, "half up") > max(balance, price) → round(price, 2, "half up") > max(balance, price)`, `round(price, 1, "half up") > max(balance, price) → round(price, 0, "half up") > max(balance, price)`, `round(price, 1, "half up") > max(balance, price) → round(price, 1, "half up") > min(balance, price)`},
		"ready == true":                                      {"ready == true → ready != true", "ready == true → ready == false"},
	} {
		t.Run(strings.ReplaceAll(when, `"`, ""), func(t *testing.T) {
			all := editsOfText(t, trialText(when, ""))
			got := slices.DeleteFunc(all, func(e string) bool { return strings.HasPrefix(e, "then: ") })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEditsOfFiles: lets, what outcomes carry, the order of rules and of outcomes.
func TestEditsOfFiles(t *testing.T) {
	got := editsOfText(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: first
let:
  window: {2020-01-01: 10d, 2026-01-01: 7d}
  price_limit: 1.00 CNY
  kinds: ["saas", "image"]
rules:
  - name: a
    when: signed_for >= window and price < price_limit
    then: yes
    with: {rate: 0.5, who: "buyer", kinds: ["x", "y"]}
    because: So.
  - name: b
    when: product in kinds
    then: no
    because: So.
otherwise: maybe
`)
	want := []string{
		"10d → 10d1s", "10d → 9d23h59m59s", "7d → 7d1s", "7d → 6d23h59m59s", "1.00 CNY → 1.01 CNY", "1.00 CNY → 0.99 CNY",
		"saas → without it", `"saas" → "hardware"`, "image → without it", `"image" → "hardware"`,
		"signed_for >= window and price < price_limit → signed_for >= window or price < price_limit",
		"signed_for >= window → signed_for > window", "signed_for >= window → signed_for < window", "price < price_limit → price <= price_limit", "price < price_limit → price >= price_limit",
		"then: yes → another outcome", "0.5 → 0.6", "0.5 → 0.4", `"buyer" → "seller"`, "x → without it", `"x" → "x?"`, "y → without it", `"y" → "y?"`,
		"rule a → without it", "a before b → after it",
		"product in kinds → product not in kinds", "then: no → another outcome", "rule b → without it", "then: maybe → another outcome",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edits (-want +got):\n%s", diff)
	}
}

// TestEditsOfCells: a cell left open, its not, its alternatives, its operator, its
// brackets and its ends.
func TestEditsOfCells(t *testing.T) {
	got := editsOfText(t, tableText("priority", [][]string{
		{"product", "price", "then", "because"},
		{`"saas", "image"`, ">= 5", "yes", "So."},
		{"-", "[1..2.5)", "no", "So."},
	}))
	want := []string{
		"10d → 10d1s", "10d → 9d23h59m59s", "500000.00 CNY → 500000.01 CNY", "500000.00 CNY → 499999.99 CNY",
		"saas → without it", `"saas" → "hardware"`, "image → without it", `"image" → "hardware"`,
		`product: "saas", "image" → -`, `product: "saas", "image" → not("saas", "image")`, `product: "saas", "image" → "image"`, `product: "saas", "image" → "hardware", "image"`, `product: "saas", "image" → "saas"`, `product: "saas", "image" → "saas", "saas"`,
		"price: >= 5 → -", "price: >= 5 → not(>= 5)", "price: >= 5 → > 5", "price: >= 5 → < 5", "price: >= 5 → >= 5.01", "price: >= 5 → >= 4.99",
		"then: yes → another outcome", "rule row 2 → without it",
		"price: [1..2.5) → -", "price: [1..2.5) → not([1..2.5))", "price: [1..2.5) → (1..2.5)", "price: [1..2.5) → [1..2.5]", "price: [1..2.5) → [1.01..2.5)", "price: [1..2.5) → [0.99..2.5)", "price: [1..2.5) → [1..2.6)", "price: [1..2.5) → [1..2.4)",
		"then: no → another outcome", "rule row 3 → without it",
		"then: maybe → another outcome", "maybe before no → after it", "no before yes → after it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edits (-want +got):\n%s", diff)
	}
}

// mutatedTrial is what the cases notice of the rules of TestCoverage.
func mutatedTrial(t *testing.T, options MutateOptions, cases string) *Mutation {
	t.Helper()
	book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": coveredRules, "trial.test.yaml": "ruleset: trial\n" + cases}))
	if err != nil {
		t.Fatal(err)
	}
	all, err := book.Mutate(context.Background(), options)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

const fewCases = `cases:
  - {name: a, given: {signed_for: 10d, ready: true}, expect: {outcome: yes, rule: late and ready}}
  - {name: b, given: {signed_for: 9d23h59m59s, ready: true, product: saas}, expect: {outcome: no, rule: otherwise}}
  - {name: c, given: {signed_for: 10d}, expect: {outcome: no, rule: "late, not ready"}}
  - {name: d, given: {product: saas, count_of: 3}, expect: {outcome: maybe, rule: a few}}
  - {name: f, given: {product: saas, count_of: 4}, expect: {rule: otherwise}}
`

// TestMutate: what no test notices is listed with facts that show it, what changes
// nothing is proven and left out, and listed equivalents count for nothing.
func TestMutate(t *testing.T) {
	told := int64(0)
	m := mutatedTrial(t, MutateOptions{Workers: 2, Progress: func(done, total int64) { told = max(told, done) }}, fewCases)
	if m.Total() != int(told) || m.Same == 0 || m.Noticed == 0 {
		t.Errorf("of %d edits %+v", told, m)
	}
	var survivors []string
	for _, k := range m.Survivors {
		if k.Given == "" || k.Was == k.Is {
			t.Errorf("%s: nothing shows it: %+v", k.Edit, k)
		}
		survivors = append(survivors, k.Rule+": "+k.Edit)
	}
	want := []string{"a few: count_of in 1..3 → count_of in 2..3"}
	if diff := cmp.Diff(want, survivors); diff != "" {
		t.Errorf("not noticed (-want +got):\n%s", diff)
	}
	if len(m.Problems) > 0 {
		t.Errorf("problems: %v", m.Problems)
	}
	listed := "mutation: 100\nequivalent:\n"
	for _, k := range m.Survivors {
		listed += "  - rule: \"" + k.Rule + "\"\n    edit: '" + k.Edit + "'\n    because: It does not matter here.\n"
	}
	again := mutatedTrial(t, MutateOptions{Workers: 1}, listed+fewCases)
	if len(again.Survivors) > 0 || len(again.Equivalent) != len(m.Survivors) || again.Score() != 100 || len(again.Problems) > 0 {
		t.Errorf("with all of them listed %+v", again)
	}
}

// TestMutateProblems: a stale entry, a score below what is wanted, tests that fail
// without any edit, and a file that is not there.
func TestMutateProblems(t *testing.T) {
	stale := mutatedTrial(t, MutateOptions{}, "mutation: 100\nequivalent:\n  - {rule: a few, edit: gone → away, because: It was.}\n"+fewCases)
	said := stale.Problems.Error()
	for _, want := range []string{`trial.test.yaml:4:5: no edit of rule "a few" that the tests do not notice is gone → away, take the entry out`, "trial.test.yaml:2:11: the tests notice"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %q in\n%s", want, said)
		}
	}
	if m := mutatedTrial(t, MutateOptions{Want: 1}, fewCases); len(m.Problems) > 0 {
		t.Errorf("more than 1 %% are noticed: %v", m.Problems)
	}
	failing := mutatedTrial(t, MutateOptions{}, "cases:\n  - {name: a, expect: {outcome: yes}}\n")
	if failing.Total() != 0 || !strings.Contains(failing.Problems.Error(), `the outcome is "maybe"`) {
		t.Errorf("tests that fail by themselves: %+v", failing)
	}
	book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": coveredRules}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Mutate(context.Background(), MutateOptions{Files: []string{"trail.yaml"}}); err == nil || !strings.Contains(err.Error(), "did you mean trial.yaml?") {
		t.Errorf("a file that is not there: %v", err)
	}
	all, err := book.Mutate(context.Background(), MutateOptions{Files: []string{"trial.yaml"}})
	if err != nil || !strings.Contains(all[0].Problems.Error(), "the rule file has no test") {
		t.Errorf("%v %v", all, err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := book.Mutate(stopped, MutateOptions{}); err == nil {
		t.Error("it did not stop")
	}
}

// TestSameIsTheSame: no facts tell an edit that is proven to change nothing from
// the file as it was; and the facts that show another do show it.
func TestSameIsTheSame(t *testing.T) {
	equal, shown := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawRuleset(t, rapid.SampledFrom([]string{"first", "first", "unique", "collect"}).Draw(t, "hit"))
		p, err := compileText(text)
		if err != nil {
			t.Skip(err)
		}
		rs, _ := Parse("trial.yaml", []byte(text))
		mutants := rs.mutants("CNY", p)
		m := mutants[rapid.IntRange(0, len(mutants)-1).Draw(t, "mutant")]
		m.tries[0].do()
		q := rs.recompile("CNY", 0)
		if q == nil {
			t.Skip("it does not compile")
		}
		found, proved := tellApart(p, q, m.in)
		if found != nil {
			shown++
			if found.was == found.is || found.given == "" {
				t.Fatalf("%+v does not show it", found)
			}
		}
		if !proved {
			return
		}
		equal++
		for range 40 {
			facts := drawProofFacts(t)
			before, wasWrong := p.DecideAll(facts, proofInstant)
			after, isWrong := q.DecideAll(facts, proofInstant)
			if errors.Is(wasWrong, market.ErrMixedCurrencies) || errors.Is(isWrong, market.ErrMixedCurrencies) {
				continue // proofs are about amounts in the currency they are compared with
			}
			if was, is := inOneLine(before, wasWrong), inOneLine(after, isWrong); was != is {
				t.Fatalf("%s is proven to change nothing, yet of %+v it is %s and was %s in\n%s", m.Edit, facts, is, was, text)
			}
		}
	})
	if equal == 0 || shown == 0 {
		t.Errorf("%d were proven, %d shown", equal, shown)
	}
}

// BenchmarkMutateDefaults edits the rules that ship and runs their tests each time.
func BenchmarkMutateDefaults(b *testing.B) {
	book, err := Load(os.DirFS(filepath.Join("defaults")))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := book.Mutate(context.Background(), MutateOptions{Workers: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
