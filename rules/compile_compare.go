package rules

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// truth is what a comparison answers to less, equal and greater.
var truth = map[string][3]bool{
	"==": {false, true, false},
	"!=": {true, false, true},
	"<":  {true, false, false},
	"<=": {true, true, false},
	">":  {false, false, true},
	">=": {false, true, true},
}

// mirrored is the operator that says the same with its sides swapped.
var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (c *compiler) comparison(n *ast.BinaryNode, a, b *operand) *operand {
	if a.kind == KindStopwatch || b.kind == KindStopwatch {
		return c.stopwatchComparison(n, a, b)
	}
	if !c.knownWords(n, a, b) {
		return nil
	}
	a, b, ok := c.alike(n, n.Operator, a, b)
	if !ok {
		return nil
	}
	ordered := n.Operator != "==" && n.Operator != "!="
	switch {
	case a.kind == KindList:
		return c.refuse(n, "lists cannot be compared", "use in: x in list")
	case a.kind == KindBool && ordered:
		return c.refuse(n, "a yes or no is neither more nor less", "use ==, != or not")
	}
	fn := compareKind(n.Operator, a, b)
	return c.result(n, KindBool, fn, a, b)
}

// compareKind compares two operands of one kind.
func compareKind(op string, a, b *operand) func(*frame) bool {
	answer := truth[op]
	switch a.kind {
	case KindBool:
		x, y, want := as[bool](a), as[bool](b), op == "=="
		return func(f *frame) bool { return (x(f) == y(f)) == want }
	case KindInt, KindDuration:
		return compareOrdered(op, as[int64](a), as[int64](b), b.constant)
	case KindText:
		return compareOrdered(op, as[string](a), as[string](b), b.constant)
	case KindDecimal:
		x, y := as[market.Decimal](a), as[market.Decimal](b)
		return func(f *frame) bool { return answer[x(f).Cmp(y(f))+1] }
	}
	x, y := as[market.Money](a), as[market.Money](b)
	return func(f *frame) bool {
		order, err := x(f).Cmp(y(f))
		if err != nil {
			f.fail(err)
			return false
		}
		return answer[order+1]
	}
}

// compareOrdered is a closure for each operator, and one that need not ask
// again for the usual comparison with a constant.
func compareOrdered[T cmp.Ordered](op string, x, y func(*frame) T, isConstant bool) func(*frame) bool {
	if isConstant {
		fixed := y(nil)
		switch op {
		case "==":
			return func(f *frame) bool { return x(f) == fixed }
		case "!=":
			return func(f *frame) bool { return x(f) != fixed }
		}
	}
	switch op {
	case "==":
		return func(f *frame) bool { return x(f) == y(f) }
	case "!=":
		return func(f *frame) bool { return x(f) != y(f) }
	case "<":
		return func(f *frame) bool { return x(f) < y(f) }
	case "<=":
		return func(f *frame) bool { return x(f) <= y(f) }
	case ">":
		return func(f *frame) bool { return x(f) > y(f) }
	}
	return func(f *frame) bool { return x(f) >= y(f) }
}

// alike brings two operands to one kind, or says why they have none: whole
// numbers become numbers beside numbers, bare numbers amounts beside money.
func (c *compiler) alike(n ast.Node, what string, a, b *operand) (x, y *operand, ok bool) {
	isNumber := func(o *operand) bool { return o.kind == KindInt || o.kind == KindDecimal }
	switch {
	case a.kind == b.kind:
	case isNumber(a) && isNumber(b):
		a, b = toDecimal(a), toDecimal(b)
	case a.kind == KindMoney && b.bare:
		b = c.toMoney(b)
	case b.kind == KindMoney && a.bare:
		a = c.toMoney(a)
	default:
		return a, b, c.refuse(n, fmt.Sprintf("%s between %s (%s) and %s (%s)", what, a.kind, clip(a.text), b.kind, clip(b.text)), c.mendKinds(a, b)) != nil
	}
	return a, b, c.sameCurrency(n, what, a, b)
}

// sameCurrency refuses two amounts that are known to be of two currencies.
func (c *compiler) sameCurrency(n ast.Node, what string, a, b *operand) bool {
	if a.kind != KindMoney || !a.constant || !b.constant {
		return true
	}
	x, y := as[market.Money](a)(nil), as[market.Money](b)(nil)
	if x.Currency == y.Currency {
		return true
	}
	c.refuse(n, fmt.Sprintf("%s between %s and %s: two currencies", what, x, y), "write both in one currency")
	return false
}

// mendKinds is the advice for two kinds that do not go together.
func (c *compiler) mendKinds(a, b *operand) string {
	if b.kind == KindMoney || a.kind != KindMoney && b.kind == KindDuration {
		a, b = b, a
	}
	switch {
	case a.kind == KindMoney && (b.kind == KindInt || b.kind == KindDecimal):
		return fmt.Sprintf("a number is no amount: give it a currency, such as money(\"99.00 %s\"), or 99.00 %s under let", c.currency, c.currency)
	case a.kind == KindMoney && b.kind == KindText:
		return "an amount is written without quotation marks, or as money(" + b.text + ")"
	case a.kind == KindDuration && (b.kind == KindInt || b.kind == KindDecimal):
		return "say of what: days(10), hours(24)"
	case b.kind == KindList || a.kind == KindList:
		return "use in: x in list"
	case a.kind == KindText || b.kind == KindText:
		return "a text is compared with a text"
	}
	return "both sides have to be of one kind"
}

// knownWords refuses a text that a fact can never be: a typing mistake that
// would make a rule silently dead.
func (c *compiler) knownWords(n ast.Node, a, b *operand) bool {
	if a.fact == nil {
		a, b = b, a
	}
	if a.fact == nil || len(a.fact.Words) == 0 || b.kind != KindText || !b.constant {
		return true
	}
	word := as[string](b)(nil)
	if word == "" || slices.Contains(a.fact.Words, word) {
		return true
	}
	hint := didYouMean(word, a.fact.Words)
	if hint == "" {
		hint = "use " + oneOf(a.fact.Words)
	}
	if b.node != nil {
		n = b.node
	}
	c.refuse(n, fmt.Sprintf("%s is never %q", a.fact.Name, clip(word)), hint)
	return false
}

// membership is x in list, or x in from..to with both ends.
func (c *compiler) membership(n *ast.BinaryNode) *operand {
	a := c.operand(n.Left)
	if r, isRange := n.Right.(*ast.BinaryNode); isRange && r.Operator == ".." {
		from, to := c.operand(r.Left), c.operand(r.Right)
		if a == nil || from == nil || to == nil {
			return nil
		}
		return c.inRange(n, a, from, to)
	}
	b := c.operand(n.Right)
	switch {
	case a == nil || b == nil:
		return nil
	case b.kind == KindText:
		return c.refuse(n, "in looks into a list, not into a text", "write "+b.text+" contains "+a.text)
	case b.kind != KindList:
		return c.refuse(n, "in beside "+b.kind.String(), "write a list behind it: x in [a, b]")
	case a.kind == KindList || a.kind == KindStopwatch:
		return c.refuse(n, a.kind.String()+" cannot be in a list", "")
	}
	return c.inList(n, a, b)
}

func (c *compiler) inList(n ast.Node, a, b *operand) *operand {
	switch {
	case b.variants != nil:
		return c.inVariants(n, a, b)
	case b.items == nil:
		return c.inTexts(n, a, b)
	}
	return c.inItems(n, a, b)
}

// inVariants looks into the list that the candidate has.
func (c *compiler) inVariants(n ast.Node, a, b *operand) *operand {
	var tests []func(*frame) bool
	for _, list := range b.variants.values {
		o := c.inList(n, a, list)
		if o == nil {
			return nil
		}
		tests = append(tests, as[bool](o))
	}
	pick := b.variants.pick
	return c.result(n, KindBool, func(f *frame) bool { return tests[pick(f)](f) }, a, b)
}

// inTexts looks into a fact that is a list of texts.
func (c *compiler) inTexts(n ast.Node, a, b *operand) *operand {
	if a.kind != KindText {
		return c.refuse(n, fmt.Sprintf("%s in a list of texts", a.kind), "")
	}
	if !c.knownWords(n, a, b) {
		return nil
	}
	x, list := as[string](a), as[[]string](b)
	return c.result(n, KindBool, func(f *frame) bool { return slices.Contains(list(f), x(f)) }, a, b)
}

// inItems looks into a list that is written out.
func (c *compiler) inItems(n ast.Node, a, b *operand) *operand {
	var tests []func(*frame) bool
	var texts []string
	for _, item := range b.items {
		if !c.knownWords(n, a, item) {
			return nil
		}
		x, y, ok := c.alike(n, "in", a, item)
		if !ok {
			return nil
		}
		tests = append(tests, compareKind("==", x, y))
		if a.kind == KindText && b.constant {
			texts = append(texts, as[string](item)(nil))
		}
	}
	if a.kind == KindText && b.constant {
		return c.result(n, KindBool, inConstants(as[string](a), texts), a, b)
	}
	return c.result(n, KindBool, func(f *frame) bool {
		for _, equal := range tests {
			if equal(f) {
				return true
			}
		}
		return false
	}, a, b)
}

// inConstants looks a text up: a few are compared in turn, more are hashed.
func inConstants(x func(*frame) string, texts []string) func(*frame) bool {
	const few = 8
	if len(texts) <= few {
		return func(f *frame) bool { return slices.Contains(texts, x(f)) }
	}
	set := make(map[string]bool, len(texts))
	for _, t := range texts {
		set[t] = true
	}
	return func(f *frame) bool { return set[x(f)] }
}

// inRange is x in from..to: not below from, not above to.
func (c *compiler) inRange(n ast.Node, a, from, to *operand) *operand {
	if a.kind != KindInt && a.kind != KindMoney && a.kind != KindDecimal && a.kind != KindDuration {
		return c.refuse(n, "a range of "+a.kind.String(), "use a list: x in [a, b]")
	}
	x, low, ok := c.alike(n, "in", a, from)
	if !ok {
		return nil
	}
	y, high, ok := c.alike(n, "in", a, to)
	if !ok {
		return nil
	}
	above, below := compareKind(">=", x, low), compareKind("<=", y, high)
	return c.result(n, KindBool, func(f *frame) bool { return above(f) && below(f) }, a, from, to)
}
