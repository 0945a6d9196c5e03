package rules

import (
	"cmp"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// stopwatchComparison is a stopwatch beside a duration, on either side. It is
// the only thing a rule can ask of a stopwatch, besides whether it has begun:
// so every instant at which an answer can turn is known (decide_when.go).
//
// A stopwatch that has not started is not anywhere: >=, > and == are false of
// it, their opposites true. One of which too little is known fails where the
// answer depends on what is not known, and only there.
func (c *compiler) stopwatchComparison(n *ast.BinaryNode, a, b *operand) *operand {
	op := n.Operator
	if b.kind == KindStopwatch {
		a, b, op = b, a, mirrored[op]
	}
	switch {
	case b.kind == KindStopwatch:
		return c.refuse(n, "a stopwatch is compared with a stopwatch", "compare each with a duration")
	case b.kind == KindInt || b.kind == KindDecimal:
		return c.refuse(n, "a stopwatch is compared with a number", "say of what: days("+b.text+")")
	case b.kind != KindDuration:
		return c.refuse(n, "a stopwatch is compared with "+b.kind.String(), "compare it with a duration, such as days(10)")
	case b.asksTime():
		return c.refuse(n, "the duration depends on a stopwatch itself", "write a rule for each case")
	}
	w, d := as[*market.Stopwatch](a), as[int64](b)
	c.crossAt(crossing{fact: a.fact, stopwatch: w, threshold: d, constant: b.constant, operator: op})
	answer, absent := truth[op], op == "<" || op == "<=" || op == "!="
	return c.result(n, KindBool, func(f *frame) bool {
		watch := w(f)
		elapsed, started := watch.Elapsed(f.asOf)
		if !started {
			return absent
		}
		side := cmp.Compare(int64(elapsed), d(f))
		if unknown, why := watch.Unknown(f.asOf); unknown > 0 {
			for most := cmp.Compare(int64(elapsed+unknown), d(f)); most > side; most-- {
				if answer[most+1] != answer[side+1] {
					f.fail(why)
				}
			}
		}
		return answer[side+1]
	}, a, b)
}

// asksTime tells whether a stopwatch takes part in the operand.
func (o *operand) asksTime() bool {
	if o.kind == KindStopwatch {
		return true
	}
	for _, p := range o.parts {
		if p.asksTime() {
			return true
		}
	}
	return false
}

// happened tells whether a stopwatch has begun.
func happened(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if args[0].kind != KindStopwatch {
		return c.refuse(n, "happened asks a stopwatch, not "+args[0].kind.String(), "")
	}
	w := as[*market.Stopwatch](args[0])
	c.crossAt(crossing{fact: args[0].fact, stopwatch: w, threshold: constant(int64(0)), constant: true, operator: ">="})
	return c.result(n, KindBool, func(f *frame) bool { return w(f).Started(f.asOf) }, args[0])
}

// lengthOf is days(n), hours(n), minutes(n) or seconds(n), of a whole number.
func lengthOf(unit time.Duration) func(*compiler, *ast.CallNode, []*operand) *operand {
	return func(c *compiler, n *ast.CallNode, args []*operand) *operand {
		if args[0].kind != KindInt {
			return c.refuse(n, "a length of "+args[0].kind.String(), "give a whole number, in a smaller unit if need be: hours(36)")
		}
		return c.result(n, KindDuration, wholeArithmetic("×", mulInt, as[int64](args[0]), constant(int64(unit))), args[0])
	}
}
