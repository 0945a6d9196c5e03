package rules

import (
	"fmt"
	"strings"

	"nightshift/rules/market"
)

// Begin is the text of a new rule file and of the test beside it. The rule file
// compiles; one case of the test fails until somebody has said what should
// happen, and made it so.
func Begin(ruleset string, version int, effective market.Date) (rules, test string, err error) {
	v, err := VocabularyOf(ruleset)
	if err != nil {
		return "", "", err
	}
	answer, other := v.Outcomes[0], v.Outcomes[len(v.Outcomes)-1]
	if wait := v.outcome("wait"); wait != nil {
		other = *wait
	}
	let, when, given := v.firstQuestion()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s%s. It can answer:\n", strings.ToUpper(v.Means[:1]), v.Means[1:])
	for _, o := range v.Outcomes {
		fmt.Fprintf(&b, "#   %s: %s\n", o.Name, o.Means)
	}
	fmt.Fprintf(&b, "ruleset: %s\nversion: %d\neffective: %s\nhit: first\n\n%s", v.Ruleset, version, effective, let)
	fmt.Fprintf(&b, "rules:\n  - name: the first rule\n    when: %s\n    then: %s\n    because: Here stands the reason, a sentence for buyers and sellers.\n\notherwise: %s\n", when, answer.Name, other.Name)
	rules = b.String()

	b.Reset()
	fmt.Fprintf(&b, "# What %s.yaml has to answer. A fact that is not named is no, 0, empty or never:\n", v.Ruleset)
	for _, f := range v.Facts() {
		words := ""
		if len(f.Words) > 0 {
			words = " (" + strings.Join(f.Words, ", ") + ")"
		}
		fmt.Fprintf(&b, "#   %s: %s%s\n", f.Name, f.Means, words)
	}
	fmt.Fprintf(&b, "ruleset: %s\nversion: %d\ncases:\n", v.Ruleset, version)
	fmt.Fprintf(&b, "  # This case fails. Say under given what is known, such as {%s}: then the first rule answers.\n", given)
	fmt.Fprintf(&b, "  - name: the first rule answers\n    given: {}\n    expect: {outcome: %s, rule: the first rule}\n", answer.Name)
	fmt.Fprintf(&b, "  - name: otherwise nothing does\n    expect: {outcome: %s, rule: otherwise}\n", other.Name)
	return rules, b.String(), nil
}

// firstQuestion is a condition to begin with, the let it needs, and a fact of
// which it is true: about time where the ruleset has a clock, since that is what
// rules are mostly about.
func (v *Vocabulary) firstQuestion() (let, when, given string) {
	facts := v.Facts()
	for _, f := range facts {
		if f.Kind == KindStopwatch && !f.Down {
			return "let:\n  window: 10d\n\n", f.Name + " >= window", f.Name + ": 10d"
		}
	}
	for _, f := range facts {
		switch {
		case f.Kind == KindBool:
			return "", f.Name, f.Name + ": true"
		case f.Kind == KindText && len(f.Words) > 0:
			return "", fmt.Sprintf("%s == %q", f.Name, f.Words[0]), f.Name + ": " + f.Words[0]
		}
	}
	for _, f := range facts {
		if f.Kind == KindText {
			return "", f.Name + ` == "some"`, f.Name + ": some"
		}
	}
	return "", "true", ""
}
