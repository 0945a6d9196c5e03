package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// Explanation is why a policy answers what it answers about one candidate.
type Explanation struct {
	AsOf    time.Time
	Answer  Answer   // the first of several
	Answers []Answer // all of them, as DecideAll gives them
	Err     error    // why the candidate cannot be decided, if it cannot
	Turns   *Turn    // nil where time alone never changes the answer
	Rules   []RuleExplanation
	LeftOut int // rows of a table that are not among the rules: others missed by less
}

// Turn is how the answer changes if nothing but time goes on.
type Turn struct {
	At  time.Time
	To  Answer // the first of several
	Err error  // why the candidate cannot be decided then, if it cannot
}

// RuleExplanation is what became of one rule's condition.
type RuleExplanation struct {
	Name    string
	Line    int    // in its file; 0 of a row of a table beside it
	Cell    string // where a row of such a table begins
	Row     bool   // of a table
	Outcome string // what it would answer
	Matched bool
	Answers bool   // it gives the answer, or one of them
	Failing string // the first part that made it fail, with its values; empty where it matched
	Tree    Part
	Missed  []Part // the parts that had to hold and did not; of a row, its cells
}

// Part is a part of a condition with its value. Literals are left out; a chain
// of and, or of or, is one part.
type Part struct {
	Text  string
	Kind  Kind
	Value string // as rule authors write it, or why there is none
	Yes   bool   // of a yes or no: that it holds
	Joint Joint
	Parts []Part

	question *question // of a leaf: what it asks, for a sentence
}

// Of a table so many rows are explained that match, and so many that do not,
// those with the fewest cells against them first.
const (
	mostMatches   = 20
	nearestMisses = 5
)

// Explain computes every part of every condition, also those that a decision
// would not have needed. Deciding does not pay for it.
func (p *Policy) Explain(facts any, asOf time.Time) Explanation {
	f := p.frame(facts, asOf)
	defer f.release()
	e := Explanation{AsOf: asOf}
	if e.Answers, e.Err = p.decideAll(f); e.Err == nil {
		e.Answer = e.Answers[0]
		e.Turns = p.turn(facts, asOf, e.Answers)
	}
	told := p.worthTelling(f)
	for _, i := range told {
		r := p.explainRule(f, i)
		r.Answers = r.Matched && e.Err == nil && p.Hit.joins() || slices.ContainsFunc(e.Answers, func(a Answer) bool { return a.RuleIndex == i })
		e.Rules = append(e.Rules, r)
	}
	e.LeftOut = len(p.rules) - len(told)
	return e
}

// turn is the next change of the answers with time alone.
func (p *Policy) turn(facts any, asOf time.Time, answers []Answer) *Turn {
	at, ok := p.NextAll(facts, asOf, answers)
	if !ok {
		return nil
	}
	then, err := p.DecideAll(facts, at)
	if err != nil {
		return &Turn{At: at, Err: err}
	}
	return &Turn{At: at, To: then[0]}
}

// worthTelling are the rules to explain, in the order of the file: all of them,
// or of a table those that match and those that missed by least.
func (p *Policy) worthTelling(f *frame) []int {
	var told []int
	type miss struct{ rule, cells int }
	var missed []miss
	for i := range p.rules {
		if !p.rules[i].row {
			told = append(told, i)
			continue
		}
		f.err = nil
		if p.rules[i].when(f) && f.err == nil {
			if len(told) < mostMatches {
				told = append(told, i)
			}
			continue
		}
		missed = append(missed, miss{i, len(p.rules[i].missed(f))})
	}
	slices.SortStableFunc(missed, func(a, b miss) int { return a.cells - b.cells })
	for _, m := range missed[:min(len(missed), nearestMisses)] {
		told = append(told, m.rule)
	}
	slices.Sort(told)
	return told
}

func (p *Policy) explainRule(f *frame, i int) RuleExplanation {
	rule := &p.rules[i]
	f.err = nil
	r := RuleExplanation{Name: rule.name, Line: rule.line, Cell: rule.cell, Row: rule.row, Outcome: rule.outcome, Matched: rule.when(f) && f.err == nil}
	if rule.cell != "" {
		r.Line = 0
	}
	r.Tree = explainPart(rule.condition, f)
	if !r.Matched {
		r.Failing = failing(rule.condition, f)
		for _, part := range rule.missed(f) {
			r.Missed = append(r.Missed, explainPart(part, f))
		}
	}
	return r
}

// missed are the parts that had to hold and do not, or cannot be computed.
func (r *policyRule) missed(f *frame) []*operand {
	parts := r.cells
	if parts == nil {
		parts = flatten(r.condition, "and", "&&")
	}
	var out []*operand
	for _, part := range parts {
		if f.err = nil; !as[bool](part)(f) || f.err != nil {
			out = append(out, part)
		}
	}
	return out
}

func explainPart(o *operand, f *frame) Part {
	part := Part{Text: o.text, Kind: o.kind, Value: o.show(f), Joint: o.joint()}
	f.err = nil
	part.Yes = o.kind == KindBool && as[bool](o)(f) && f.err == nil
	if part.Joint == NoJoint && o.kind == KindBool {
		part.question = questionOf(o, f)
	}
	for _, inner := range o.asked() {
		if !isLiteral(inner) {
			part.Parts = append(part.Parts, explainPart(inner, f))
		}
	}
	return part
}

// asked are the parts of an operand, those of a chain side by side.
func (o *operand) asked() []*operand {
	switch o.joint() {
	case AllOf:
		return flatten(o, "and", "&&")
	case AnyOf:
		return flatten(o, "or", "||")
	}
	if o.kind == KindList && o.items != nil {
		return o.items
	}
	return o.parts
}

// isLiteral tells whether an operand says its value itself.
func isLiteral(o *operand) bool {
	if !o.constant || o.fact != nil {
		return false
	}
	switch n := o.node.(type) {
	case nil, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "-" || n.Operator == "+"
	case *ast.ArrayNode:
		return !slices.ContainsFunc(o.items, func(item *operand) bool { return !isLiteral(item) })
	}
	return false
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
		if _, isName := o.node.(*ast.IdentifierNode); isName && o.fact == nil && (o.constant || o.variants != nil) {
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
	switch {
	case o.kind == KindStopwatch:
		text = showStopwatch(as[*market.Stopwatch](o)(f), f.asOf)
	case o.items != nil:
		var items []string
		for _, item := range o.items {
			items = append(items, strings.Trim(item.show(f), `"`))
		}
		return strings.Join(items, ", ")
	default:
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
