package rules

import (
	"time"

	"github.com/expr-lang/expr/ast"
)

// observe decides as Decide does and shows each question that it came to, with
// its answer: the leaves of the conditions, of the rules down to the one that
// settled it, from left to right and only as far as and, or and ?: need them.
// It works on the parts beside the closures, so deciding does not pay for it.
func (p *Policy) observe(facts any, asOf time.Time, see func(rule int, leaf *operand, yes bool)) {
	f := p.frame(facts, asOf)
	defer f.release()
	found := 0
	for i := range p.rules {
		if p.rules[i].condition.ask(f, func(leaf *operand, yes bool) { see(i, leaf, yes) }) && f.err == nil {
			found++
		}
		if f.err != nil || found > 0 && found == p.enough {
			return
		}
	}
}

// ask computes a yes or no from its leaves and shows each it needed. What goes
// wrong is left in the frame, as by the closures.
func (o *operand) ask(f *frame, see func(leaf *operand, yes bool)) bool {
	switch parts := o.parts; o.joint() {
	case jointAnd:
		return parts[0].ask(f, see) && parts[1].ask(f, see)
	case jointOr:
		return parts[0].ask(f, see) || parts[1].ask(f, see)
	case jointNot:
		return !parts[0].ask(f, see)
	case jointChoice:
		if parts[0].ask(f, see) {
			return parts[1].ask(f, see)
		}
		return parts[2].ask(f, see)
	case jointName:
		return parts[0].ask(f, see)
	}
	yes := as[bool](o)(f)
	if f.err == nil {
		see(o, yes)
	}
	return yes
}

// leaves are the questions that a condition is made of, from left to right:
// each a yes or no that is not made of others. A let counts as what it stands
// for; what depends on no fact is a leaf.
func (o *operand) leaves() []*operand {
	if o.joint() == jointNone {
		return []*operand{o}
	}
	var out []*operand
	for _, part := range o.parts {
		out = append(out, part.leaves()...)
	}
	return out
}

// joint is how a yes or no is made of others.
type joint uint8

const (
	jointNone   joint = iota // a leaf
	jointAnd                 // both
	jointOr                  // one of them
	jointNot                 // the opposite
	jointChoice              // the first decides between the others
	jointName                // a let that stands for it
)

// joint is jointNone for anything that is not a yes or no, or depends on no fact.
func (o *operand) joint() joint {
	if o.kind != KindBool || o.constant || len(o.parts) == 0 {
		return jointNone
	}
	switch n := o.node.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return jointAnd
		case "or", "||":
			return jointOr
		}
	case *ast.UnaryNode:
		return jointNot
	case *ast.ConditionalNode:
		return jointChoice
	case *ast.IdentifierNode:
		return jointName
	}
	return jointNone
}
