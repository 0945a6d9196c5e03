package rules

import (
	"strings"
	"testing"
)

const twoRules = `ruleset: trial
version: 1
effective: 2020-01-01
hit: first
let: {window: 10d}
rules:
  - name: signed long ago
    when: signed_for >= window and price >= 99.00
    then: yes
    because: Ten days.
    with: {amount: price * 2, kinds: ["a", "b"]}
  - name: soon over
    when: ends_in <= days(1)
    then: maybe
    because: One day.
otherwise: no
`

func tested(t *testing.T, cases string) *TestReport {
	t.Helper()
	book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": twoRules, "trial.test.yaml": cases}))
	if err != nil {
		t.Fatal(err)
	}
	return book.Test()
}

func TestCasesPass(t *testing.T) {
	r := tested(t, `ruleset: trial
as_of: 2024-03-11T10:00:00
facts: {signed_for: 10d, price: 99.00 CNY, ends_in: 5d, tags: [x], count_of: 2, ready: true}
cases:
  - name: exactly ten days
    expect: {outcome: yes, rule: signed long ago, because: Ten days., due: 2024-03-01T10:00:00, next: none, values: {amount: 198.00 CNY, kinds: [a, b]}}
    given: {signed_for: {since: 2024-02-19T10:00:00, stopped: [[2024-02-20T10:00:00, 2024-02-21T10:00:00]]}}
    as_of: 2024-03-01T10:00:00
  - name: a second too early
    given: {signed_for: 9d23h59m59s}
    expect: {outcome: no, rule: otherwise, next: as_of + 1s}
  - name: a fen short
    given: {price: 98.99 CNY}
    expect: {outcome: no, rule: otherwise, due: none, next: 2024-03-15T10:00:00}
  - name: soon over, not signed
    given: {signed_for: never, ends_in: 23h}
    expect: {outcome: maybe, rule: soon over, due: as_of - 1h}
  - name: dollars
    given: {price: 99.00 USD}
    expect: {error: two currencies}
`)
	if err := r.Err(); err != nil || r.Cases != 5 || r.Failed != 0 || r.Hit != 3 || r.Rules != 3 {
		t.Errorf("%+v\n%v", r, err)
	}
}

func TestCasesFail(t *testing.T) {
	r := tested(t, `ruleset: trial
facts: {signed_for: 9d, prize: 99.00 CNY}
cases:
  - name: misspelt default
    expect: {outcome: no}
`)
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), `trial.test.yaml:2:25: case "misspelt default": unknown fact prize, did you mean price?`) {
		t.Errorf("%v", err)
	}
	r = tested(t, `ruleset: trial
facts: {signed_for: 9d, price: 99.00 CNY, ends_in: 5d}
cases:
  - name: too early
    expect: {outcome: yes, rule: signed long ago, due: none}
  - name: no such rule
    expect: {rule: signed long agoo}
  - name: values
    given: {signed_for: 10d}
    expect: {values: {amount: 1.00 CNY, kind: a}, due: as_of - 1s}
  - name: an error
    given: {price: 99.00 USD, signed_for: 10d}
    expect: {outcome: yes}
  - name: no error
    expect: {error: two currencies}
  - name: bad facts
    given: {product: hardwear, ready: si, signed_for: ten days, price: 99, count_of: 1.5}
    expect: {outcome: no}
  - name: nothing
    expect: {}
`)
	err := r.Err()
	if err == nil || r.Failed != 7 {
		t.Fatalf("%d failed\n%v", r.Failed, err)
	}
	for _, want := range []string{
		`trial.test.yaml:5:23: case "too early": the outcome is "no", expected "yes"`,
		`the rule is "otherwise", expected "signed long ago", not so: signed_for >= window (signed_for is 9d, window is 10d)`,
		"there is no such rule: did you mean signed long ago?", `amount is "198.00 CNY", expected "1.00 CNY"`, "the answer carries no kind", "due is 2024-06-01T02:00:00, expected 2024-06-01T01:59:59",
		"it cannot be decided: trial@1, rule \"signed long ago\", line 7:", "it is decided, by rule", `product: it is never "hardwear", did you mean hardware?`, `ready: "si" is neither true nor false`,
		"signed_for: read duration", "price: read amount", "count_of: \"1.5\" is not a whole number", "nothing is expected", `trial.yaml:12:5: rule "soon over": no test hits the rule`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
}

func TestRulesWithoutTest(t *testing.T) {
	book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": twoRules, "other.test.yaml": "ruleset: trail\nversion: 2\ncases: []\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"other.test.yaml:1:10: site cn has no rule file of trail, did you mean trial?", "trial.yaml:1:1: version 1 of trial has no test"} {
		if err := book.Test().Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
}
