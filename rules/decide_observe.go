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
	case AllOf:
		return parts[0].ask(f, see) && parts[1].ask(f, see)
	case AnyOf:
		return parts[0].ask(f, see) || parts[1].ask(f, see)
	case NotThis:
		return !parts[0].ask(f, see)
	case OneOrOther:
		if parts[0].ask(f, see) {
			return parts[1].ask(f, see)
		}
		return parts[2].ask(f, see)
	case NamedBy:
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
	if o.joint() == NoJoint {
		return []*operand{o}
	}
	var out []*operand
	for _, part := range o.parts {
		out = append(out, part.leaves()...)
	}
	return out
}

// Joint is how a yes or no is made of others.
type Joint uint8

// The joints.

const (
	NoJoint    Joint = iota // a leaf
	AllOf                   // both
	AnyOf                   // one of them
	NotThis                 // the opposite
	OneOrOther              // the first decides between the others
	NamedBy                 // a let that stands for it
)

// joint is NoJoint for anything that is not a yes or no, or depends on no fact.
func (o *operand) joint() Joint {
	if o.kind != KindBool || o.constant || len(o.parts) == 0 || o.variants != nil {
		return NoJoint
	}
	switch n := o.node.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return AllOf
		case "or", "||":
			return AnyOf
		}
	case *ast.UnaryNode:
		return NotThis
	case *ast.ConditionalNode:
		return OneOrOther
	case *ast.IdentifierNode:
		return NamedBy
	}
	return NoJoint
}
