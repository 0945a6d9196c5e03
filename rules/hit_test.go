package rules

import (
	"errors"
	"strings"
	"testing"

	"nightshift/rules/market"
)

// hitText is a ruleset of four rules: a and c answer yes, b no, d maybe.
func hitText(hit, values string) string {
	text := "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: " + hit + "\nrules:\n" +
		"  - {name: a, when: ready, then: yes, because: A.@}\n" +
		"  - {name: b, when: count_of > 5, then: no, because: B.}\n" +
		"  - {name: c, when: count_of > 2, then: yes, because: C.@}\n" +
		"  - {name: d, when: open, then: maybe, because: D.}\n" +
		"otherwise: {then: no, because: None.}\n"
	if strings.Contains(hit, "priority") || strings.Contains(hit, "output") {
		text = strings.Replace(text, "rules:", "priority: [maybe, yes, no]\nrules:", 1)
	}
	return strings.ReplaceAll(text, "@", values)
}

// TestHitPolicies asks every hit policy about the same facts. What they answer
// is what DMN says of each.
func TestHitPolicies(t *testing.T) {
	cases := []struct {
		hit         string
		ready, open bool
		count       int64
		want        string // the rules that answer, in order, or the error
	}{
		{"first", true, true, 9, "a"}, {"first", false, true, 9, "b"}, {"first", false, true, 3, "c"}, {"first", false, true, 0, "d"}, {"first", false, false, 0, "otherwise"},
		{"unique", true, false, 0, "a"}, {"unique", false, false, 0, "otherwise"}, {"unique", false, true, 0, "d"}, {"unique", true, false, 3, `two rules match: "a" and "c"`},
		{"any", true, false, 3, "a"}, {"any", false, false, 3, "c"}, {"any", true, true, 0, `two rules match: "a" and "d", and they answer differently`}, {"any", false, false, 9, `"b" and "c"`}, {"any", false, false, 0, "otherwise"},
		{"priority", true, true, 9, "d"}, {"priority", true, false, 9, "a"}, {"priority", false, false, 9, "c"}, {"priority", false, false, 0, "otherwise"},
		{"rule order", true, true, 9, "a b c d"}, {"rule order", false, true, 3, "c d"}, {"rule order", false, false, 0, "otherwise"},
		{"output order", true, true, 9, "d a c b"}, {"output order", false, false, 9, "c b"}, {"output order", false, false, 0, "otherwise"},
		{"collect", true, true, 9, "a b c d"}, {"collect", false, false, 0, "otherwise"},
	}
	for _, tt := range cases {
		p := mustCompile(t, hitText(tt.hit, ""))
		facts := trial()
		facts.Ready, facts.Open, facts.Count = tt.ready, tt.open, tt.count
		answers, err := p.DecideAll(facts, noon)
		var got []string
		for _, a := range answers {
			got = append(got, a.Rule)
		}
		switch s := strings.Join(got, " "); {
		case err != nil && (!errors.Is(err, ErrTwoRules) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %s", tt.hit, err, tt.want)
		case err == nil && s != tt.want:
			t.Errorf("%s of ready %v, open %v, %d: %s, want %s", tt.hit, tt.ready, tt.open, tt.count, s, tt.want)
		}
		if !p.Hit.Several() {
			if a, again := p.Decide(facts, noon); err == nil && !a.Same(answers[0]) || (again == nil) != (err == nil) {
				t.Errorf("%s: Decide says %v %v, DecideAll %v %v", tt.hit, a, again, answers, err)
			}
		}
		if e := p.Explain(facts, noon); err == nil && (len(e.Answers) != len(answers) || !e.Answer.Same(answers[0])) {
			t.Errorf("%s: explained as %v", tt.hit, e.Answers)
		}
	}
}

// aggregateText carries an amount, a number, a whole number or a duration.
func aggregateText(hit, value string) string {
	return "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: " + hit + "\nrules:\n" +
		"  - {name: a, when: ready, then: yes, because: Same., with: {" + value + " }}\n" +
		"  - {name: b, when: open, then: yes, because: Same., with: {" + strings.Replace(value, "2", "1", 1) + " }}\n" +
		"  - {name: c, when: count_of > 2, then: yes, because: Another., with: {" + value + " }}\notherwise: no\n"
}

// TestCollectMakesOneAnswer: equal values count as often as they come.
func TestCollectMakesOneAnswer(t *testing.T) {
	for _, tt := range []struct{ hit, value, want, rule, because string }{
		{"collect sum", "amount: 2.50", "6.50 CNY", "a, b, c", "Same. Another."},
		{"collect sum", "amount: price * 2", "495.00 CNY", "a, b, c", "Same. Another."},
		{"collect sum", "rate: 0.2", "0.5", "a, b, c", "Same. Another."},
		{"collect sum", "times: 2", "5", "a, b, c", "Same. Another."},
		{"collect sum", "window: 2d", "5d", "a, b, c", "Same. Another."},
		{"collect min", "amount: 2.50", "1.50 CNY", "b", "Same."},
		{"collect max", "amount: 2.50", "2.50 CNY", "a", "Same."},
		{"collect min", "window: 2d", "1d", "b", "Same."},
		{"collect max", "times: 2", "2", "a", "Same."},
		{"collect max", "rate: 0.2", "0.2", "a", "Same."},
	} {
		p := mustCompile(t, aggregateText(tt.hit, tt.value))
		facts := trial()
		facts.Open = true
		a, err := p.Decide(facts, noon)
		if err != nil || len(a.Values) != 1 || a.Values[0].String() != tt.want || a.Rule != tt.rule || a.Because != tt.because || a.Outcome != "yes" {
			t.Errorf("%s of %s: %+v %v, want %s by %s", tt.hit, tt.value, a, err, tt.want, tt.rule)
		}
	}
}

func TestCollectCounts(t *testing.T) {
	text := strings.NewReplacer("then: no, because: B.", "then: yes, because: B.", "then: maybe", "then: yes").Replace(hitText("collect count", ""))
	p := mustCompile(t, text)
	for _, tt := range []struct {
		count      int64
		want, rule string
	}{{9, "3", "a, b, c"}, {3, "2", "a, c"}, {0, "1", "a"}} {
		facts := trial()
		facts.Count = tt.count
		a, err := p.Decide(facts, noon)
		if v, ok := a.Value("count"); err != nil || !ok || v.String() != tt.want || a.Rule != tt.rule {
			t.Errorf("of %d: %+v %v", tt.count, a, err)
		}
	}
}

// TestCollectCurrencies: amounts of two currencies are neither added nor compared.
func TestCollectCurrencies(t *testing.T) {
	for _, hit := range []string{"collect sum", "collect min"} {
		p := mustCompile(t, strings.Replace(aggregateText(hit, "amount: price"), "amount: price", "amount: 1.00 CNY", 1))
		facts := trial()
		facts.Price = money("1.00 USD")
		if _, err := p.Decide(facts, noon); !errors.Is(err, market.ErrMixedCurrencies) || !strings.Contains(err.Error(), `rule "c"`) {
			t.Errorf("%s: %v", hit, err)
		}
	}
}

// TestHitPolicyRefused is what a hit policy does not allow.
func TestHitPolicyRefused(t *testing.T) {
	for text, want := range map[string]string{
		strings.Replace(hitText("priority", ""), "priority: [maybe, yes, no]\n", "", 1):          "needs the order of the outcomes",
		strings.Replace(hitText("priority", ""), "[maybe, yes, no]", "[maybe, yes]", 1):          "outcome no has no priority",
		strings.Replace(hitText("priority", ""), "[maybe, yes, no]", "[maybe, yes, no, yes]", 1): "has yes twice",
		strings.Replace(hitText("priority", ""), "[maybe, yes, no]", "[mayby, yes, no]", 1):      "did you mean maybe?",
		strings.Replace(hitText("first", ""), "rules:", "priority: [yes]\nrules:", 1):            "no use for a priority",
		hitText("collect sum", ""):                                                                    "outcome no beside yes",
		aggregateText("collect sum", `reason: "2"`):                                                   "which has no size",
		strings.Replace(aggregateText("collect min", "times: 2"), "times: 1", "rate: 1", 1):           "needs times of each rule",
		strings.Replace(aggregateText("collect min", "times: 2"), "times: 2", "rate: 1, times: 1", 1): "carries rate, times",
		aggregateText("collect count", "times: 2"):                                                    "would be lost",
		strings.Replace(twelveRules, "hit: first", "hit: rule order", 1):                              "acceptance takes one",
	} {
		if _, err := compileText(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
}

// TestSeveralAnswersInTime: one answer of several has its own due instant, and
// the list turns whenever one of them does.
func TestSeveralAnswersInTime(t *testing.T) {
	p := mustCompile(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: rule order
rules:
  - {name: five, when: signed_for >= days(5), then: yes, because: A.}
  - {name: ten, when: signed_for >= days(10), then: yes, because: B.}
  - {name: twenty, when: signed_for >= days(20), then: yes, because: C.}
otherwise: no
`)
	facts, signed := trial(), noon.Add(-10*day)
	answers, err := p.DecideAll(facts, noon)
	if err != nil || len(answers) != 2 {
		t.Fatal(answers, err)
	}
	if since := p.Since(facts, noon, answers[0]); !since.Equal(signed.Add(5 * day)) {
		t.Errorf("five since %s", since)
	}
	if since := p.SinceAll(facts, noon, answers); !since.Equal(signed.Add(10 * day)) {
		t.Errorf("both since %s", since)
	}
	if next, ok := p.Next(facts, noon, answers[0]); ok {
		t.Errorf("five ends at %s", next)
	}
	if next, ok := p.NextAll(facts, noon, answers); !ok || !next.Equal(signed.Add(20*day)) {
		t.Errorf("the list turns at %s %v", next, ok)
	}
	defer func() {
		if recover() == nil {
			t.Error("Decide answers for a policy with several answers")
		}
	}()
	p.Decide(facts, noon)
}

// TestSeveralAnswersTested: a test lists the answers in their order.
func TestSeveralAnswersTested(t *testing.T) {
	run := func(cases string) error {
		book, err := Load(directory(map[string]string{"site.yaml": trialSite, "trial.yaml": hitText("rule order", ""), "trial.test.yaml": "ruleset: trial\nfacts: {ready: true}\ncases:\n" + cases}))
		if err != nil {
			t.Fatal(err)
		}
		return book.Test().Err()
	}
	good := "  - {name: all, given: {count_of: 9, open: true}, expect: {answers: [{rule: a, outcome: yes}, {rule: b}, {rule: c}, {rule: d, because: D.}], next: none}}\n  - {name: none, given: {ready: false}, expect: {answers: [{rule: otherwise}]}}\n"
	if err := run(good); err != nil {
		t.Error(err)
	}
	for cases, want := range map[string]string{
		"  - {name: all, expect: {outcome: yes}}\n":                    "of which answer?",
		"  - {name: all, expect: {answers: [{rule: a}, {rule: b}]}}\n": `there are 1 answers, expected 2: "a"`,
		"  - {name: all, expect: {answers: [{rule: b}]}}\n":            `the rule is "a", expected "b"`,
	} {
		if err := run(cases); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
}
