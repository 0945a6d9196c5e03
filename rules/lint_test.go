package rules

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lintText is a rule file of conditions alone.
func lintText(hit, otherwise string, conditions ...string) string {
	var b strings.Builder
	b.WriteString("ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: " + hit + "\nlet:\n  late: signed_for >= days(2) or ready\n  known: product in words\n  words: [\"saas\", \"image\"]\n")
	b.WriteString("rules:\n")
	for i, when := range conditions {
		then := []string{"yes", "no", "maybe"}[i%3]
		fmt.Fprintf(&b, "  - name: r%d\n    when: '%s'\n    then: %s\n    because: So.\n", i+1, when, then)
	}
	return b.String() + "otherwise: " + otherwise + "\n"
}

// TestLint: what is said of rules, and that nothing is said where nothing is known.
func TestLint(t *testing.T) {
	const uses = `late and known` // so that no let is unused
	for _, tt := range []struct {
		name, hit  string
		conditions []string
		want       []string
	}{
		{"rules that are fine", "first", []string{uses, "signed_for >= days(2)", "signed_for >= days(1)", "price > balance"}, nil},
		{"a condition that excludes itself", "first", []string{uses, "signed_for < days(1) and open and signed_for >= days(2)"},
			[]string{`trial.yaml:14:5: rule "r2": the rule can never answer: its condition can never hold, signed_for < days(1) and signed_for >= days(2) exclude each other`}},
		{"a stopwatch that has not started is in no range", "first", []string{uses, "signed_for < days(1) and not happened(signed_for) and signed_for >= days(0)"},
			[]string{`rule "r2": the rule can never answer: its condition can never hold, not happened(signed_for) and signed_for >= days(0) exclude`}},
		{"between two whole numbers there is none", "first", []string{uses, "count_of > 2 and count_of < 3"}, []string{`rule "r2": the rule can never answer: its condition can never hold`}},
		{"between two amounts there always is one", "first", []string{uses, "price > 2 and price < 2.01"}, nil},
		{"there is time before the first figure", "first", []string{uses, "ends_in < -hours(1) and happened(ends_in)"}, nil},
		{"between two figures", "first", []string{uses, "signed_for > seconds(1) and signed_for < seconds(2)", "weight > 1 and weight < 1.5"}, nil},
		{"and behind the last", "first", []string{uses, "placed_for > days(3) and placed_for != days(4)", "weight > 2.5", "count_of > 3"}, nil},
		{"a text can always be another one", "first", []string{uses, `note != "" and note != "other" and note not in ["a", "z"]`}, nil},
		{"a list holds one text without another", "first", []string{uses, `"a" in tags and "b" not in tags`}, nil},
		{"a larger figure behind a smaller one", "first", []string{uses, "signed_for >= days(10)", "signed_for >= days(20) and open"},
			[]string{`trial.yaml:18:5: rule "r3": the rule can never answer: whenever it matches, rule "r2" before it does, move it up, or ask more in rule "r2"`}},
		{"two rules that hide a third together", "first", []string{uses, "signed_for >= days(10) and open", "not open and price > balance", "signed_for >= days(20) and price > balance"},
			[]string{`rule "r4": the rule can never answer: whenever it matches, one of the rules before it does`}},
		{"words that are all asked for", "first", []string{uses, `product in ["saas", "hardware"]`, `product not in ["saas", "hardware"]`}, []string{"rule \"otherwise\": otherwise can never answer"}},
		{"two rules that both match", "unique", []string{uses + " and open", "price > 10 and not open", "price <= 10.01 and not open and not late"},
			[]string{`rule "r3": with {price: 10.01 CNY} rule "r2" matches as well, and the candidate is set aside`, "no rule matches {open: true}, and otherwise answers maybe, add a rule, or say what otherwise is for"}},
		{"two rules that answer differently", "any", []string{uses, "not late"}, []string{"no rule matches {ready: true}"}},
		{"any that differ", "any", []string{uses, `ready or product == ""`, "not ready and not open and count_of > 0"},
			[]string{`rule "r2": with {product: saas, ready: true} rule "r1" matches as well, and answers differently`, `rule "r3": with {count_of: 1, product: saas, signed_for: 2d} rule "r1" matches as well, and answers differently`, "no rule matches {product: saas}"}},
		{"what two facts decide is not guessed at", "unique", []string{uses + " and price > balance", "price <= balance and not ready", "price < balance and ready and not known"}, []string{"no rule matches"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustCompile(t, lintText(tt.hit, "maybe", tt.conditions...))
			wrong, doubtful := p.Lint()
			var got []string
			for _, k := range append(wrong, doubtful...) {
				got = append(got, k.Error())
			}
			if len(got) != len(tt.want) {
				t.Fatalf("said:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("said %s\nwant %s", got[i], tt.want[i])
				}
			}
		})
	}
}

// TestLintLets: a let that nothing asks for is said, one that another let or a
// carried value asks for is not; and a reason of its own explains an otherwise.
func TestLintLets(t *testing.T) {
	p := mustCompile(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: unique
let:
  window: days(base)
  base: 10
  half: 0.5
  forgotten: 1.00 CNY
rules:
  - name: it
    when: signed_for >= window
    then: yes
    with: {rate: half}
    because: So.
otherwise: {then: no, because: Nothing is due.}
`)
	wrong, doubtful := p.Lint()
	if want := "trial.yaml:9:3: let forgotten is never used, leave it out"; len(wrong) > 0 || len(doubtful) != 1 || doubtful[0].Error() != want {
		t.Errorf("said %v\n%v\nwant %s", wrong, doubtful, want)
	}
}

// TestLintOverTime: what is so with the values of some dates alone is said with
// the date, and is not an error: the other dates need the rule.
func TestLintOverTime(t *testing.T) {
	p := mustCompile(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: first
let:
  soon: {2020-01-01: 5d, 2026-01-01: 10d}
rules:
  - name: soon
    when: signed_for >= days(7)
    then: yes
    because: So.
  - name: at once
    when: signed_for >= soon and open
    then: no
    because: So.
otherwise: maybe
`)
	wrong, doubtful := p.Lint()
	if want := `trial.yaml:12:5: rule "at once": with the values of 2026-01-01: the rule can never answer: whenever it matches, rule "soon" before it does, move it up, or ask more in rule "soon"`; len(wrong) > 0 || len(doubtful) != 1 || doubtful[0].Error() != want {
		t.Errorf("said %v\n%v\nwant %s", wrong, doubtful, want)
	}
}

// TestLintOfTables: a gap and an overlap of a table, named by its cells.
func TestLintOfTables(t *testing.T) {
	p, err := loadTable("unique", "fees.csv", csvOf([][]string{
		{"product", "price", "then", "because"},
		{`"saas", "image"`, "< large", "yes", "So."},
		{`"saas"`, ">= 500000", "no", "So."},
		{`"image"`, "[500000..600000)", "no", "So."},
		{`not("saas")`, ">= 600000", "no", "So."},
		{`"license"`, "[0..600000]", "yes", "So."},
	}))
	if err != nil {
		t.Fatal(err)
	}
	wrong, doubtful := p.Lint()
	var got []string
	for _, k := range append(wrong, doubtful...) {
		got = append(got, k.Error())
	}
	want := []string{
		`fees.csv!A6: rule "row 6": with {price: 600000.00 CNY, product: license} rule "row 5" matches as well, and the candidate is set aside, ask more in one of them, or use hit: first`,
		`trial.yaml:6:7: let window is never used, leave it out`,
		`trial.yaml:6:42: let kinds is never used, leave it out`,
		`trial.yaml:8:1: rule "otherwise": no rule matches where nothing is known of the candidate, and otherwise answers maybe, add a rule, or say what otherwise is for: {then: maybe, because: …}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTiersWithAGapOrAnOverlapAreRefused: rows that differ in the bounds of an
// amount alone leave no hole between them and do not overlap, in the tiers that
// ship as in a table of fees, though otherwise has a reason of its own.
func TestTiersWithAGapOrAnOverlapAreRefused(t *testing.T) {
	shipped, err := fs.ReadFile(Defaults(), "tiers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const fees = `ruleset: fees
version: 1
effective: 2017-01-01
hit: unique
table:
  - [name, access_type, class_total, then, fee, because]
  - [small saas, '"saas"', < 1000, commission, "0.05", Small.]
  - [large saas, '"saas"', ">= 1000", commission, "0.03", Large.]
  - [small image, '"image"', < 1000, commission, "0.05", Small.]
  - [large image, '"image"', ">= 1000", commission, "0.03", Large.]
otherwise: {then: commission, with: {fee: 0.05}, because: The platform keeps 5 percent.}
`
	for _, tt := range []struct{ name, text, from, to, want string }{
		{"tiers.yaml", string(shipped), "", "", ""},
		{"tiers.yaml", string(shipped), "[500000..1000000)", "[600000..1000000)",
			`rule "second tier": no row matches {fee: 0.05, model: common, product_total: 500000.00 CNY}, between rows "first tier" and "second tier", and otherwise answers extra, let one begin where the other ends`},
		{"tiers.yaml", string(shipped), "[500000..1000000)", "(500000..1000000)", `no row matches {fee: 0.05, model: common, product_total: 500000.00 CNY}`},
		{"tiers.yaml", string(shipped), "[500000..1000000)", "[500000..1000000]",
			`rule "third tier": with {fee: 0.05, model: common, product_total: 1000000.00 CNY} rule "second tier" matches as well, and the candidate is set aside`},
		{"tiers.yaml", string(shipped), "< 500000", "< 800000", `rule "second tier": with {fee: 0.05, model: common, product_total: 500000.00 CNY} rule "first tier" matches as well`},
		{"fees.yaml", fees, "", "", ""},
		{"fees.yaml", fees, `small image, '"image"', < 1000`, `small image, '"image"', < 900`, `rule "large image": no row matches {access_type: image, class_total: 900.00 CNY}, between rows "small image" and "large image"`},
		{"fees.yaml", fees, `small saas, '"saas"', < 1000`, `small saas, '"saas"', <= 1000`, `rule "large saas": with {access_type: saas, class_total: 1000.00 CNY} rule "small saas" matches as well`},
	} {
		text := strings.Replace(tt.text, tt.from, tt.to, 1)
		book, err := Load(fstest.MapFS{tt.name: {Data: []byte(text)}, "site.yaml": {Data: []byte("site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\n")}})
		if err != nil {
			t.Fatal(err)
		}
		wrong, doubtful := book.Lint()
		switch {
		case tt.want == "" && len(wrong)+len(doubtful) > 0, tt.want != "" && len(wrong) != 1:
			t.Errorf("%q in place of %q: wrong are %v, doubtful %v", tt.to, tt.from, wrong, doubtful)
		case tt.want != "" && !strings.Contains(wrong[0].Error(), tt.want):
			t.Errorf("%q in place of %q: %v\nwant %s", tt.to, tt.from, wrong[0], tt.want)
		}
	}
}

// TestLintClaimsHold: no facts contradict what is said of a ruleset: a rule that
// can never answer does not, and rules that can both match do with the example.
func TestLintClaimsHold(t *testing.T) {
	claims := 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawRuleset(t, rapid.SampledFrom([]string{"first", "first", "unique", "any"}).Draw(t, "hit"))
		p, err := compileText(text)
		if err != nil {
			t.Skip(err)
		}
		wrong, doubtful := p.Lint()
		dead := map[string]bool{}
		for _, k := range wrong {
			dead[k.Rule] = true
		}
		for _, k := range doubtful {
			dead[k.Rule] = dead[k.Rule] || strings.Contains(k.Message, "can never answer")
		}
		claims += len(wrong) + len(doubtful)
		for range 40 {
			facts := drawProofFacts(t)
			if answers, err := p.DecideAll(facts, proofInstant); err == nil && dead[answers[0].Rule] {
				t.Fatalf("rule %s can never answer, yet of %+v it does in\n%s", answers[0].Rule, facts, text)
			}
		}
	})
	if claims == 0 {
		t.Error("nothing was said of any ruleset")
	}
}

// TestDefaultsAreClean: lint has nothing to say of the rules that ship.
func TestDefaultsAreClean(t *testing.T) {
	if wrong, doubtful := defaultBook(t).Lint(); len(wrong)+len(doubtful) > 0 {
		t.Errorf("%v\n%v", wrong, doubtful)
	}
}
