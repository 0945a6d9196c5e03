package rules

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

const coveredRules = `ruleset: trial
version: 1
effective: 2020-01-01
hit: first
let:
  late: signed_for >= days(10)
rules:
  - name: late and ready
    when: late and ready
    then: yes
    because: So.
  - name: late, not ready
    when: late and not ready
    then: no
    because: So.
  - name: a few
    when: count_of in 1..3 or
      product not in ["saas"]
    then: maybe
    because: So.
otherwise: no
`

// coverageOfCases is the coverage of the rules above by some cases.
func coverageOfCases(t *testing.T, cases string) (*TestReport, *Coverage) {
	t.Helper()
	book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": coveredRules, "trial.test.yaml": "ruleset: trial\n" + cases}))
	if err != nil {
		t.Fatal(err)
	}
	r := book.Test()
	all := r.Coverage()
	if len(all) != 1 {
		t.Fatalf("%d files are covered", len(all))
	}
	return r, all[0]
}

// TestCoverage: a leaf counts when it was true and false where it was asked, or
// cannot be; a let once, wherever it is used.
func TestCoverage(t *testing.T) {
	r, c := coverageOfCases(t, `coverage: 80
cases:
  - {name: a, given: {signed_for: 10d, ready: true}, expect: {rule: late and ready}}
  - {name: b, given: {product: saas}, expect: {rule: otherwise}}
`)
	var gaps []string
	for _, l := range c.Gaps {
		gaps = append(gaps, fmt.Sprintf("%d:%d %s", l.Line, l.Column, l.Message))
	}
	want := []string{
		"9:20 never false in any test: ready",
		"13:24 never false in any test: ready",
		"17:11 never true in any test: count_of in 1..3",
		`18:7 never false in any test: product in ["saas"]`,
	}
	if fmt.Sprintf("%q", gaps) != fmt.Sprintf("%q", want) || c.Leaves != 5 || c.Both != 1 || c.Percent() != 20 {
		t.Errorf("%d of %d leaves\n%q\nwant\n%q", c.Both, c.Leaves, gaps, want)
	}
	if want := "trial.test.yaml:2:11: 20 % of the leaves of trial.yaml are covered, 80 % are asked for"; !strings.Contains(r.Err().Error(), want) {
		t.Errorf("nothing says %q in\n%v", want, r.Err())
	}
	if got := strings.Join(c.Unhit, ", "); got != "late, not ready, a few" {
		t.Errorf("not hit: %s", got)
	}
}

// TestCoverageComplete: the second rule is asked of what is not ready alone, so
// nobody has to show it something that is ready.
func TestCoverageComplete(t *testing.T) {
	r, c := coverageOfCases(t, `coverage: 100
cases:
  - {name: a, given: {signed_for: 10d, ready: true}, expect: {rule: late and ready}}
  - {name: b, given: {signed_for: 10d}, expect: {rule: "late, not ready"}}
  - {name: c, given: {product: saas}, expect: {rule: otherwise}}
  - {name: d, given: {product: image}, expect: {rule: a few}}
  - {name: e, given: {product: saas, count_of: 3}, expect: {rule: a few}}
`)
	if err := r.Err(); err != nil || c.Percent() != 100 || len(c.Gaps) != 0 {
		t.Errorf("%d %%, %v\n%v", c.Percent(), c.Gaps, err)
	}
	proven := 0
	for _, l := range c.all {
		if l.NeverTrue && l.Text == "ready" && l.Line == 13 {
			proven++
		}
	}
	if proven != 1 {
		t.Errorf("that ready is never true in the second rule is not proven: %+v", c.all)
	}
}

// TestCoverageOfRows: every row of a table has its own leaves, also where two
// cells say the same.
func TestCoverageOfRows(t *testing.T) {
	book, err := Load(directory(map[string]string{
		"site.yaml":       trialSite,
		"trial.yaml":      strings.Replace(tableHead("first"), "otherwise", "table: fees.csv\notherwise", 1),
		"fees.csv":        "product,count_of,then,because\n\"\"\"saas\"\", \"\"image\"\"\",>= 5,yes,So.\n\"\"\"saas\"\"\",>= 3,no,Not.\n",
		"trial.test.yaml": "ruleset: trial\ncases:\n  - {name: a, given: {product: saas, count_of: 5}, expect: {rule: row 2}}\n  - {name: b, given: {product: saas, count_of: 4}, expect: {rule: row 3}}\n  - {name: c, expect: {rule: otherwise}}\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	c := book.Test().Coverage()[0]
	var gaps []string
	for _, l := range c.Gaps {
		gaps = append(gaps, l.Problem.Error())
	}
	want := []string{`fees.csv!A2: rule "row 2": never true in any test: product == "image"`, `fees.csv!B3: rule "row 3": never false in any test: count_of >= 3`}
	if fmt.Sprintf("%q", gaps) != fmt.Sprintf("%q", want) || c.Leaves != 5 {
		t.Errorf("%d of %d\n%q\nwant\n%q", c.Both, c.Leaves, gaps, want)
	}
}

// TestCoveragePage: the page shows the file as it stands, each leaf in its colour,
// and what hostile text it holds as text.
func TestCoveragePage(t *testing.T) {
	_, c := coverageOfCases(t, `cases:
  - {name: a, given: {signed_for: 10d, ready: true}, expect: {rule: late and ready}}
`)
	c.policy.source = strings.Replace(c.policy.source, "because: So.", "because: <script>alert(1)</script>", 1)
	var page bytes.Buffer
	if err := WriteCoverage(&page, []*Coverage{c}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<span class="half" title="true: seen, false: not seen">ready</span>`, `<span class="none" title="true: not seen, false: not seen">count_of in 1..3</span> or`,
		`<span class="none" title="true: not seen, false: not seen">product not in [&#34;saas&#34;]</span>`, "&lt;script&gt;", "1 of 4 rules, 0 of 5 leaves",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "http") {
		t.Error("the page runs or fetches something")
	}
}

func TestBadLevels(t *testing.T) {
	for level, want := range map[string]string{"0": "is not a percentage", "101": "is not a percentage", "all": `coverage "all" is not a percentage`, "[1]": "not a single value"} {
		if r, _ := coverageOfCases(t, "coverage: "+level+"\ncases: []\n"); r.Err() == nil || !strings.Contains(r.Err().Error(), want) {
			t.Errorf("coverage: %s: %v", level, r.Err())
		}
	}
}

// TestCosts: every rule is measured by the clock that is given, the dearest first.
func TestCosts(t *testing.T) {
	r, _ := coverageOfCases(t, "cases:\n  - {name: a, expect: {rule: a few}}\n")
	tick := time.Duration(0)
	costs := r.Costs(func(run func()) time.Duration { run(); tick++; return tick * time.Millisecond })
	if len(costs) != 3 || costs[0].Nanoseconds < costs[2].Nanoseconds || costs[2].Nanoseconds <= 0 {
		t.Errorf("%+v", costs)
	}
}
