package rules

import (
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// question is what a leaf of a condition asks, as a sentence needs it: of what,
// how that stands, and what was wanted.
type question struct {
	fact     *Fact  // nil: of an expression
	of       string // its source
	is       Value  // how it stands; without a kind: a stopwatch
	clock    *market.Stopwatch
	elapsed  time.Duration
	started  bool
	stood    time.Duration // for how long of it the clock stood still
	operator string        // as with the fact on its left; "" asks a yes, "happened" that a stopwatch began
	wanted   []Value       // one, a list behind in, or the two ends of a range
	named    string        // the source of what was wanted, where it says more than the value
}

// opposite is the operator that is true where the other is not.
var opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in",
	"": "not", "not": "", "happened": "not happened", "not happened": "happened"}

// questionOf reads a leaf as a question.
func questionOf(o *operand, f *frame) *question {
	q := &question{fact: o.fact, of: o.text, is: valueReader("", o)(f)}
	switch n := o.node.(type) {
	case *ast.BinaryNode:
		q.compare(o, n, f)
	case *ast.CallNode:
		if len(o.parts) == 1 && o.parts[0].kind == KindStopwatch {
			q.subject(o.parts[0], f)
			q.operator = "happened"
		}
	}
	f.err = nil
	return q
}

// subject is what is asked about.
func (q *question) subject(o *operand, f *frame) {
	q.fact, q.of = o.fact, o.text
	if o.kind == KindStopwatch {
		q.is, q.clock = Value{}, as[*market.Stopwatch](o)(f)
		if q.elapsed, q.started = q.clock.Elapsed(f.asOf); q.started && !q.clock.Down() {
			q.stood = f.asOf.Sub(q.clock.Anchor()) - q.elapsed
		}
		return
	}
	q.is = valueReader("", o)(f)
}

func (q *question) compare(o *operand, n *ast.BinaryNode, f *frame) {
	if len(o.parts) < 2 || o.parts[0].kind == KindList {
		return
	}
	a, rest, operator := o.parts[0], o.parts[1:], n.Operator
	if _, known := english.wants[operator]; !known {
		return
	}
	if a.node != n.Left && mirrored[operator] != "" {
		operator = mirrored[operator] // a stopwatch that stands on the right
	}
	if b := rest[0]; a.constant && a.fact == nil && mirrored[operator] != "" {
		a, rest, operator = b, []*operand{a}, mirrored[operator]
	}
	if rest[0].kind == KindList && rest[0].items == nil {
		return // a text in a fact that is a list
	}
	q.subject(a, f)
	q.operator = operator
	for _, b := range rest {
		if b.kind == KindList {
			for _, item := range b.items {
				q.wanted = append(q.wanted, valueReader("", item)(f))
			}
		} else {
			q.wanted = append(q.wanted, valueReader("", b)(f))
		}
	}
	if len(rest) == 1 && !isWritten(rest[0]) {
		q.named = rest[0].text
	}
	if len(rest) == 2 {
		q.operator = "range"
	}
}

// not is the question of the opposite; nil where no phrase is for it.
func (q *question) not() *question {
	operator, ok := opposite[q.operator]
	if !ok {
		return nil
	}
	turned := *q
	turned.operator = operator
	return &turned
}

// isWritten tells whether an operand is made of literals alone, such as days(10).
func isWritten(o *operand) bool {
	if _, isName := o.node.(*ast.IdentifierNode); isName || !o.constant {
		return false
	}
	return isLiteral(o) || !slices.ContainsFunc(o.parts, func(part *operand) bool { return !isWritten(part) })
}
