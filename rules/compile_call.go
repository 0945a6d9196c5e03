package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// function is one that expressions can call.
type function struct {
	usage    string // as documented, and shown where it is called wrongly
	min, max int    // how many arguments it takes
	compile  func(*compiler, *ast.CallNode, []*operand) *operand
}

const anyNumber = 1_000

// ruleFunctions are those of rule files. All are pure and take time in
// proportion to their arguments.
var ruleFunctions = map[string]*function{
	"days":     {"days(n)", 1, 1, lengthOf(day)},
	"hours":    {"hours(n)", 1, 1, lengthOf(time.Hour)},
	"minutes":  {"minutes(n)", 1, 1, lengthOf(time.Minute)},
	"seconds":  {"seconds(n)", 1, 1, lengthOf(time.Second)},
	"happened": {"happened(stopwatch)", 1, 1, happened},
	"money":    {`money("12.00 USD")`, 1, 1, moneyLiteralCall},
	"divide":   {`divide(a, b, places, "half up")`, 4, 4, divide},
	"round":    {`round(a, places, "half up")`, 3, 3, round},
	"min":      {"min(a, b, …)", 1, anyNumber, extreme("<")},
	"max":      {"max(a, b, …)", 1, anyNumber, extreme(">")},
	"sum":      {"sum([a, b, …])", 1, anyNumber, sum},
	"abs":      {"abs(a)", 1, 1, absolute},
	"lower":    {"lower(text)", 1, 1, mapText(strings.ToLower)},
	"upper":    {"upper(text)", 1, 1, mapText(strings.ToUpper)},
	"trim":     {"trim(text)", 1, 1, mapText(strings.TrimSpace)},
	"len":      {"len(text or list)", 1, 1, length},
}

func (c *compiler) call(n *ast.CallNode) *operand {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return c.refuse(n, "facts have no methods", "")
	}
	fn := c.functions[callee.Value]
	if fn == nil {
		return c.refuseCall(n, callee.Value)
	}
	args := make([]*operand, 0, len(n.Arguments))
	ok = true
	for _, arg := range n.Arguments {
		o := c.operand(arg)
		ok = ok && o != nil
		args = append(args, o)
	}
	switch {
	case len(args) < fn.min || len(args) > fn.max:
		return c.refuse(n, fmt.Sprintf("%s is called with %d arguments", callee.Value, len(args)), "write "+fn.usage)
	case !ok:
		return nil
	}
	return fn.compile(c, n, args)
}

// refuseCall says why a function is not ours.
func (c *compiler) refuseCall(n ast.Node, name string) *operand {
	switch name {
	case "now", "date", "timezone":
		return c.refuse(n, name+"() reads a clock", "a decision depends on the as-of alone: use a stopwatch fact, such as signed_for >= days(10)")
	case "float":
		return c.refuse(n, "float() is not exact", "write numbers as they are")
	case "all", "none", "any", "one", "filter", "map", "count", "find", "findIndex", "findLast", "findLastIndex", "groupBy", "sortBy", "reduce", "repeat":
		return c.refuse(n, name+"() is not part of the rule language: what it costs has no bound", "use in, min, max, sum or len")
	}
	var known []string
	for f := range c.functions {
		known = append(known, f)
	}
	return c.refuse(n, "unknown function "+clip(name), didYouMean(name, known))
}

// moneyLiteralCall is money("12.00 USD"): an amount with its currency.
func moneyLiteralCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if args[0].kind != KindText || !args[0].constant {
		return c.refuse(n, "money takes a fixed text", `write money("12.00 USD")`)
	}
	m, err := market.ParseMoney(as[string](args[0])(nil))
	if err != nil {
		return c.refuse(n, err.Error(), "")
	}
	return c.result(n, KindMoney, constant(m))
}

// extreme is min or max, of arguments or of one list.
func extreme(op string) func(*compiler, *ast.CallNode, []*operand) *operand {
	want := truth[op]
	return func(c *compiler, n *ast.CallNode, args []*operand) *operand {
		return c.reduce(n, args, func(a, b *operand) any {
			switch a.kind {
			case KindMoney:
				return pick(want, market.Money.Cmp, as[market.Money](a), as[market.Money](b))
			case KindDecimal:
				return pick(want, func(a, b market.Decimal) (int, error) { return a.Cmp(b), nil }, as[market.Decimal](a), as[market.Decimal](b))
			}
			return pick(want, func(a, b int64) (int, error) { return cmp.Compare(a, b), nil }, as[int64](a), as[int64](b))
		})
	}
}

// pick computes both sides once and answers the one that the order wants.
func pick[T any](want [3]bool, order func(a, b T) (int, error), x, y func(*frame) T) func(*frame) T {
	return func(f *frame) T {
		a, b := x(f), y(f)
		n, err := order(a, b)
		if err != nil {
			f.fail(err)
		}
		if want[n+1] {
			return a
		}
		return b
	}
}

func sum(c *compiler, n *ast.CallNode, args []*operand) *operand {
	return c.reduce(n, args, func(a, b *operand) any {
		switch a.kind {
		case KindMoney:
			return addMoney(market.Money.Add, as[market.Money](a), as[market.Money](b))
		case KindDecimal:
			return decimalArithmetic("+", as[market.Decimal](a), as[market.Decimal](b))
		}
		return wholeArithmetic("+", addInt, as[int64](a), as[int64](b))
	})
}

// reduce folds items of one kind into one of the same kind, two by two.
func (c *compiler) reduce(n *ast.CallNode, args []*operand, two func(a, b *operand) any) *operand {
	if len(args) == 1 && args[0].kind == KindList {
		args = args[0].items
	}
	if len(args) == 0 {
		return c.refuse(n, "there is nothing to choose from or to add", "write the items out: [a, b]")
	}
	bare, amounts := true, slices.ContainsFunc(args, func(o *operand) bool { return o.kind == KindMoney })
	args = slices.Clone(args)
	for i, arg := range args {
		bare = bare && arg.bare
		if amounts && arg.bare {
			args[i] = c.toMoney(arg)
		}
		if !isNumeric(arg.kind) {
			return c.refuse(n, arg.kind.String()+" ("+clip(arg.text)+") has no size", "use numbers, amounts or durations")
		}
	}
	total := args[0]
	for _, arg := range args[1:] {
		a, b, ok := c.alike(n, n.Callee.String(), total, arg)
		if !ok {
			return nil
		}
		if total = c.result(n, a.kind, two(a, b), a, b); total == nil {
			return nil
		}
		total.bare = bare
	}
	if len(args) > 1 {
		total.parts = args // side by side, not each with the sum so far
	}
	return total
}

func absolute(c *compiler, n *ast.CallNode, args []*operand) *operand {
	o := args[0]
	var fn any
	switch o.kind {
	case KindMoney:
		x := as[market.Money](o)
		fn = func(f *frame) market.Money {
			m := x(f)
			return market.NewMoney(m.Amount.Abs(), m.Currency)
		}
	case KindDecimal:
		x := as[market.Decimal](o)
		fn = func(f *frame) market.Decimal { return x(f).Abs() }
	case KindInt, KindDuration:
		x := as[int64](o)
		negated := wholeArithmetic("-", subInt, constant(int64(0)), x)
		fn = func(f *frame) int64 {
			if v := x(f); v >= 0 {
				return v
			}
			return negated(f)
		}
	default:
		return c.refuse(n, o.kind.String()+" has no size", "use a number, an amount or a duration")
	}
	r := c.result(n, o.kind, fn, o)
	if r != nil {
		r.bare = o.bare
	}
	return r
}

// rounding reads the places and the named rounding of round and divide.
func (c *compiler) rounding(n ast.Node, places, how *operand) (int32, market.Rounding, bool) {
	if places.kind != KindInt || !places.constant || how.kind != KindText || !how.constant {
		c.refuse(n, "the places and the rounding are not fixed", `write them out: 2, "half up"`)
		return 0, "", false
	}
	p, r := as[int64](places)(nil), market.Rounding(as[string](how)(nil))
	if p < 0 || p > market.MaxFractionDigits {
		c.refuse(n, fmt.Sprintf("%d decimal places", p), fmt.Sprintf("0 to %d", market.MaxFractionDigits))
		return 0, "", false
	}
	if _, err := market.DecimalOf(1).Quo(market.DecimalOf(1), 0, r); err != nil {
		c.refuse(n, err.Error(), "")
		return 0, "", false
	}
	return int32(p), r, true
}
