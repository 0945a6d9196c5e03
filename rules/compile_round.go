package rules

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// round is round(a, places, how) of an amount or a number.
func round(c *compiler, n *ast.CallNode, args []*operand) *operand {
	places, how, ok := c.rounding(n, args[1], args[2])
	if !ok {
		return nil
	}
	switch o := args[0]; o.kind {
	case KindMoney:
		x := as[market.Money](o)
		return c.result(n, KindMoney, func(f *frame) market.Money {
			m, err := x(f).Round(places, how)
			if err != nil {
				f.fail(err)
			}
			return m
		}, args...)
	case KindInt, KindDecimal:
		x := as[market.Decimal](toDecimal(o))
		return c.result(n, KindDecimal, func(f *frame) market.Decimal {
			d, err := x(f).Round(places, how)
			if err != nil {
				f.fail(err)
			}
			return d
		}, args...)
	default:
		return c.refuse(n, "round of "+o.kind.String(), "use an amount or a number")
	}
}

// divide is divide(a, b, places, how): an amount by a number is an amount, an
// amount by an amount of the same currency a number, so is a number by a number.
func divide(c *compiler, n *ast.CallNode, args []*operand) *operand {
	places, how, ok := c.rounding(n, args[2], args[3])
	if !ok {
		return nil
	}
	isNumber := func(o *operand) bool { return o.kind == KindInt || o.kind == KindDecimal }
	a, b := args[0], args[1]
	switch {
	case a.kind == KindMoney && isNumber(b):
		x, y := as[market.Money](a), as[market.Decimal](toDecimal(b))
		return c.result(n, KindMoney, func(f *frame) market.Money {
			m := x(f)
			return market.NewMoney(f.quotient(m.Amount, y(f), places, how), m.Currency)
		}, args...)
	case a.kind == KindMoney && b.kind == KindMoney:
		if !c.sameCurrency(n, "divide", a, b) {
			return nil
		}
		x, y := as[market.Money](a), as[market.Money](b)
		return c.result(n, KindDecimal, func(f *frame) market.Decimal {
			p, q := x(f), y(f)
			if p.Currency != q.Currency {
				f.fail(fmt.Errorf("divide %s by %s: %w", p, q, market.ErrMixedCurrencies))
			}
			return f.quotient(p.Amount, q.Amount, places, how)
		}, args...)
	case isNumber(a) && isNumber(b):
		x, y := as[market.Decimal](toDecimal(a)), as[market.Decimal](toDecimal(b))
		return c.result(n, KindDecimal, func(f *frame) market.Decimal { return f.quotient(x(f), y(f), places, how) }, args...)
	}
	return c.refuse(n, fmt.Sprintf("%s divided by %s", a.kind, b.kind), "divide an amount or a number by a number")
}

func (f *frame) quotient(a, b market.Decimal, places int32, how market.Rounding) market.Decimal {
	if b.IsZero() {
		f.fail(fmt.Errorf("divide %s by 0: %w", a, ErrByZero))
		return market.Decimal{}
	}
	q, err := a.Quo(b, places, how)
	if err != nil {
		f.fail(err)
	}
	return q
}
