package rules

import (
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// Explanation is why a policy answers what it answers about one candidate.
type Explanation struct {
	Answer  Answer   // the first of several
	Answers []Answer // all of them, as DecideAll gives them
	Err     error    // why the candidate cannot be decided, if it cannot
	Rules   []RuleExplanation
}

// RuleExplanation is what became of one rule's condition.
type RuleExplanation struct {
	Name    string
	Line    int
	Matched bool
	Failing string // the first part that made it fail, with its values; empty where it matched
	Tree    Part
}

// Part is a part of a condition with its value. Literals are left out.
type Part struct {
	Text  string
	Value string
	Parts []Part
}

// Explain computes every part of every condition, also those that a decision
// would not have needed. Deciding does not pay for it.
func (p *Policy) Explain(facts any, asOf time.Time) Explanation {
	f := p.frame(facts, asOf)
	defer f.release()
	var e Explanation
	if e.Answers, e.Err = p.decideAll(f); e.Err == nil {
		e.Answer = e.Answers[0]
	}
	for _, rule := range p.rules {
		f.err = nil
		r := RuleExplanation{Name: rule.name, Line: rule.line, Matched: rule.when(f) && f.err == nil, Tree: explainPart(rule.condition, f)}
		if !r.Matched {
			r.Failing = failing(rule.condition, f)
		}
		e.Rules = append(e.Rules, r)
	}
	return e
}

func explainPart(o *operand, f *frame) Part {
	part := Part{Text: o.text, Value: o.show(f)}
	for _, inner := range o.parts {
		if !inner.constant || inner.fact != nil {
			part.Parts = append(part.Parts, explainPart(inner, f))
		}
	}
	return part
}

// failing is the first part that had to hold and did not: of a chain of and
// the part, of a chain of or all of it.
func failing(o *operand, f *frame) string {
	f.err = nil
	for _, part := range flatten(o, "and", "&&") {
		if f.err = nil; !as[bool](part)(f) || f.err != nil {
			return describe(part, f)
		}
	}
	return ""
}

// describe is a part with the values of the facts in it.
func describe(o *operand, f *frame) string {
	var values []string
	var walk func(*operand)
	seen := map[string]bool{}
	walk = func(o *operand) {
		if o.fact != nil && !seen[o.text] {
			seen[o.text] = true
			values = append(values, o.text+" is "+o.show(f))
		}
		if _, isName := o.node.(*ast.IdentifierNode); isName && o.fact == nil && o.constant {
			values = append(values, o.text+" is "+o.show(f))
		}
		for _, inner := range o.parts {
			walk(inner)
		}
	}
	walk(o)
	if len(values) == 0 || o.fact != nil {
		return o.text
	}
	return o.text + " (" + strings.Join(values, ", ") + ")"
}

// show computes an operand and writes its value for a reader.
func (o *operand) show(f *frame) string {
	f.err = nil
	var text string
	if o.kind == KindStopwatch {
		text = showStopwatch(as[*market.Stopwatch](o)(f), f.asOf)
	} else {
		v := valueReader("", o)(f)
		if text = v.String(); v.Kind == KindText {
			text = `"` + text + `"`
		}
	}
	if f.err != nil {
		return f.err.Error()
	}
	return text
}

func showStopwatch(w *market.Stopwatch, asOf time.Time) string {
	elapsed, started := w.Elapsed(asOf)
	if !started {
		return "not started"
	}
	return FormatDuration(elapsed)
}
