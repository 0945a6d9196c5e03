package rules

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// ErrOverflow marks whole-number arithmetic that does not fit 64 bits.
var ErrOverflow = errors.New("too large for a whole number")

// ErrByZero marks a division, or its remainder, by zero.
var ErrByZero = errors.New("division by zero")

const divideAdvice = `say how to round: divide(a, b, places, "half up") or "truncate"`

// arithmetic is + - * / % **, on whole numbers, numbers, money, durations, and
// + on texts. What is not exact, or means nothing, is refused.
func (c *compiler) arithmetic(n *ast.BinaryNode, a, b *operand) *operand {
	op := n.Operator
	switch {
	case a.kind == KindStopwatch || b.kind == KindStopwatch:
		return c.refuse(n, op+" beside a stopwatch", "move it to the other side of the comparison: signed_for >= days(10) + hours(1)")
	case op == "**" || op == "^":
		return c.refuse(n, op+" is not exact", "write the multiplication out")
	case a.kind == KindText && b.kind == KindText && op == "+":
		return c.join(n, a, b)
	case a.kind == KindMoney || b.kind == KindMoney:
		return c.moneyArithmetic(n, a, b)
	case a.kind == KindDuration || b.kind == KindDuration:
		return c.durationArithmetic(n, a, b)
	case !isNumeric(a.kind) || !isNumeric(b.kind):
		return c.refuse(n, fmt.Sprintf("%s between %s (%s) and %s (%s)", op, a.kind, clip(a.text), b.kind, clip(b.text)), c.mendKinds(a, b))
	}
	return c.numberArithmetic(n, a, b)
}

func (c *compiler) numberArithmetic(n *ast.BinaryNode, a, b *operand) *operand {
	a, b, ok := c.alike(n, n.Operator, a, b)
	if !ok {
		return nil
	}
	var fn any
	switch {
	case n.Operator == "/":
		return c.refuse(n, "a quotient is not always exact", divideAdvice)
	case n.Operator == "%" && a.kind == KindInt:
		fn = remainder(as[int64](a), as[int64](b))
	case n.Operator == "%":
		return c.refuse(n, "% is for whole numbers", "")
	case a.kind == KindInt:
		fn = wholeArithmetic(n.Operator, map[string]func(a, b int64) (int64, bool){"+": addInt, "-": subInt, "*": mulInt}[n.Operator], as[int64](a), as[int64](b))
	default:
		fn = decimalArithmetic(n.Operator, as[market.Decimal](a), as[market.Decimal](b))
	}
	r := c.result(n, a.kind, fn, a, b)
	if r != nil {
		r.bare = a.bare && b.bare
	}
	return r
}

// wholeArithmetic fails where the result does not fit.
func wholeArithmetic(op string, compute func(a, b int64) (int64, bool), x, y func(*frame) int64) func(*frame) int64 {
	return func(f *frame) int64 {
		a, b := x(f), y(f)
		r, ok := compute(a, b)
		if !ok {
			f.fail(fmt.Errorf("%d %s %d: %w", a, op, b, ErrOverflow))
			return 0
		}
		return r
	}
}

func remainder(x, y func(*frame) int64) func(*frame) int64 {
	return func(f *frame) int64 {
		a, b := x(f), y(f)
		if b == 0 {
			f.fail(fmt.Errorf("%d %% 0: %w", a, ErrByZero))
			return 0
		}
		return a % b
	}
}

func decimalArithmetic(op string, x, y func(*frame) market.Decimal) func(*frame) market.Decimal {
	switch op {
	case "+":
		return func(f *frame) market.Decimal { return x(f).Add(y(f)) }
	case "-":
		return func(f *frame) market.Decimal { return x(f).Sub(y(f)) }
	}
	return func(f *frame) market.Decimal { return f.bounded(x(f).Mul(y(f))) }
}

// bounded refuses a product that has grown beyond any amount of this world,
// before it costs time.
func (f *frame) bounded(d market.Decimal) market.Decimal {
	const mostDigits, smallest = 400, -400
	if d.Digits() > mostDigits || d.Exponent() < smallest {
		f.fail(fmt.Errorf("a product of more than %d digits: %w", mostDigits, market.ErrOutOfRange))
		return market.Decimal{}
	}
	return d
}

// moneyArithmetic is what can be done with amounts: add and subtract amounts,
// multiply by a number, divide by a number that leaves no rest.
func (c *compiler) moneyArithmetic(n *ast.BinaryNode, a, b *operand) *operand {
	switch n.Operator {
	case "+", "-":
		a, b, ok := c.alike(n, n.Operator, a, b)
		if !ok {
			return nil
		}
		add := market.Money.Add
		if n.Operator == "-" {
			add = market.Money.Sub
		}
		return c.result(n, KindMoney, addMoney(add, as[market.Money](a), as[market.Money](b)), a, b)
	case "*":
		return c.moneyTimes(n, a, b)
	case "/":
		return c.moneyBy(n, a, b)
	}
	return c.refuse(n, n.Operator+" on money", "amounts can be added, subtracted, compared, and multiplied by a number")
}

func addMoney(add func(a, b market.Money) (market.Money, error), x, y func(*frame) market.Money) func(*frame) market.Money {
	return func(f *frame) market.Money {
		r, err := add(x(f), y(f))
		if err != nil {
			f.fail(err)
		}
		return r
	}
}

func (c *compiler) moneyTimes(n ast.Node, a, b *operand) *operand {
	if a.kind != KindMoney {
		a, b = b, a
	}
	switch b.kind {
	case KindInt, KindDecimal:
		x, rate := as[market.Money](a), as[market.Decimal](toDecimal(b))
		return c.result(n, KindMoney, func(f *frame) market.Money {
			m := x(f)
			return market.NewMoney(f.bounded(m.Amount.Mul(rate(f))), m.Currency)
		}, a, b)
	case KindMoney:
		return c.refuse(n, "money times money", "multiply an amount by a number")
	}
	return c.refuse(n, "money times "+b.kind.String(), "multiply an amount by a number")
}

// moneyBy divides by a constant whose reciprocal is a finite decimal: 4, 0.5,
// 125. Any other quotient has to say how it rounds.
func (c *compiler) moneyBy(n ast.Node, a, b *operand) *operand {
	if a.kind != KindMoney || !isNumeric(b.kind) || b.kind == KindDuration {
		return c.refuse(n, fmt.Sprintf("%s divided by %s", a.kind, b.kind), divideAdvice)
	}
	if b.kind == KindMoney {
		return c.refuse(n, "the ratio of two amounts is not always exact", divideAdvice)
	}
	if !b.constant {
		return c.refuse(n, "an amount divided by a fact is not always exact", divideAdvice)
	}
	divisor := as[market.Decimal](toDecimal(b))(nil)
	if divisor.IsZero() {
		return c.refuse(n, "an amount divided by zero", "")
	}
	reciprocal, err := market.DecimalOf(1).Quo(divisor, 2*market.MaxFractionDigits, market.RoundTruncate)
	if err != nil || reciprocal.Mul(divisor).Cmp(market.DecimalOf(1)) != 0 {
		return c.refuse(n, "an amount divided by "+divisor.String()+" is not exact", divideAdvice)
	}
	x := as[market.Money](a)
	return c.result(n, KindMoney, func(f *frame) market.Money {
		m := x(f)
		return market.NewMoney(f.bounded(m.Amount.Mul(reciprocal)), m.Currency)
	}, a, b)
}

func (c *compiler) durationArithmetic(n *ast.BinaryNode, a, b *operand) *operand {
	op := n.Operator
	switch {
	case a.kind == b.kind && op == "+":
		return c.result(n, KindDuration, wholeArithmetic(op, addInt, as[int64](a), as[int64](b)), a, b)
	case a.kind == b.kind && op == "-":
		return c.result(n, KindDuration, wholeArithmetic(op, subInt, as[int64](a), as[int64](b)), a, b)
	case op == "*" && (a.kind == KindInt || b.kind == KindInt):
		return c.result(n, KindDuration, wholeArithmetic(op, mulInt, as[int64](a), as[int64](b)), a, b)
	}
	return c.refuse(n, fmt.Sprintf("%s between %s (%s) and %s (%s)", op, a.kind, clip(a.text), b.kind, clip(b.text)), "durations can be added, subtracted, and multiplied by a whole number; say of what a number is: days(10)")
}
