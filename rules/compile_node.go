package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// operand gives a node its meaning. It answers nil after reporting why a node
// has none; the parts beside it are still compiled, so that every problem of an
// expression is reported at once.
func (c *compiler) operand(n ast.Node) *operand {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		return c.refuse(n, fmt.Sprintf("parts within parts, more than %d deep", maxDepth), "split it into lets or rules")
	}
	if o, known := c.known[n]; known {
		return o
	}
	o := c.meaning(n)
	c.known[n] = o
	return o
}

func (c *compiler) meaning(n ast.Node) *operand {
	switch n := n.(type) {
	case *ast.BoolNode:
		return c.result(n, KindBool, constant(n.Value))
	case *ast.IntegerNode:
		o := c.result(n, KindInt, constant(int64(n.Value)))
		o.bare = true
		return o
	case *ast.FloatNode:
		return c.decimalLiteral(n)
	case *ast.StringNode:
		return c.result(n, KindText, constant(n.Value))
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.CallNode:
		return c.call(n)
	}
	return c.refuseNode(n)
}

// refuseNode says why a part of expr's language is not one of ours.
func (c *compiler) refuseNode(n ast.Node) *operand {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return c.refuseCall(n, n.Name)
	case *ast.NilNode:
		return c.refuse(n, "nil is not part of the rule language", `a fact always has a value: compare with "", 0 or false, or ask happened(…) of a stopwatch`)
	case *ast.MemberNode, *ast.ChainNode, *ast.SliceNode:
		return c.refuse(n, "facts have no parts", "use the fact as it is, or the operator in")
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return c.refuse(n, "one expression only", "name values under let:")
	case *ast.MapNode:
		return c.refuse(n, "maps are not part of the rule language", "")
	}
	return c.refuse(n, "this is not part of the rule language", "")
}

// decimalLiteral is a number with decimals, exact from its source text: the
// float64 that expr made of it is never looked at.
func (c *compiler) decimalLiteral(n *ast.FloatNode) *operand {
	at := n.Location()
	text := strings.ReplaceAll(string(c.text[at.From:at.To]), "_", "")
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	d, err := market.ParseDecimal(text)
	if err != nil {
		return c.refuse(n, err.Error(), "")
	}
	o := c.result(n, KindDecimal, constant(d))
	o.bare = true
	return o
}

func (c *compiler) name(n *ast.IdentifierNode) *operand {
	if c.asked == nil {
		c.asked = map[string]bool{}
	}
	c.asked[n.Value] = true
	o := c.names[n.Value]
	if c.lets[n.Value] != nil {
		if o = c.let(n.Value); o == nil {
			return nil
		}
	}
	if o == nil && c.mapping != nil && c.functions[n.Value] == nil {
		return c.sourceCell(n, n.Value)
	}
	if o == nil {
		if _, known := c.names[n.Value]; known {
			return nil // a let whose own problem is reported
		}
		return c.unknownName(n)
	}
	named := *o
	named.node = n
	named.at = place{c.at, c.shift + n.Location().From, c.shift + n.Location().To}
	return &named
}

func (c *compiler) unknownName(n *ast.IdentifierNode) *operand {
	if strings.HasPrefix(n.Value, "$") {
		return c.refuse(n, n.Value+" is not part of the rule language", "name the fact itself")
	}
	if c.functions[n.Value] != nil {
		return c.refuse(n, n.Value+" is a function", "write "+c.functions[n.Value].usage)
	}
	var known []string
	for name := range c.names {
		known = append(known, name)
	}
	for name := range c.lets {
		known = append(known, name)
	}
	slices.Sort(known)
	hint := `name a fact or a let, or put a text in quotation marks: "` + clip(n.Value) + `"`
	if near, ok := nearest(n.Value, known); ok {
		hint = "did you mean " + near + "?"
	}
	return c.refuse(n, "unknown name "+clip(n.Value), hint)
}

func (c *compiler) unary(n *ast.UnaryNode) *operand {
	o := c.operand(n.Node)
	if o == nil {
		return nil
	}
	switch {
	case (n.Operator == "not" || n.Operator == "!") && o.kind == KindBool:
		read := as[bool](o)
		return c.result(n, KindBool, func(f *frame) bool { return !read(f) }, o)
	case n.Operator == "not" || n.Operator == "!":
		return c.refuse(n, n.Operator+" before "+o.kind.String(), "put parentheses around the comparison: not (a == b)")
	case n.Operator == "+" && isNumeric(o.kind):
		return o
	case n.Operator == "-" && isNumeric(o.kind):
		return c.negative(n, o)
	}
	return c.refuse(n, n.Operator+" before "+o.kind.String(), "")
}

// isNumeric tells whether a kind can be added and negated.
func isNumeric(k Kind) bool {
	return k == KindInt || k == KindDecimal || k == KindMoney || k == KindDuration
}

func (c *compiler) negative(n ast.Node, o *operand) *operand {
	var fn any
	switch o.kind {
	case KindDecimal:
		read := as[market.Decimal](o)
		fn = func(f *frame) market.Decimal { return read(f).Neg() }
	case KindMoney:
		read := as[market.Money](o)
		fn = func(f *frame) market.Money { return read(f).Neg() }
	default:
		fn = wholeArithmetic("-", subInt, constant(int64(0)), as[int64](o))
	}
	r := c.result(n, o.kind, fn, o)
	if r != nil {
		r.bare = o.bare
	}
	return r
}

func (c *compiler) binary(n *ast.BinaryNode) *operand {
	if n.Operator == "in" {
		return c.membership(n)
	}
	a, b := c.operand(n.Left), c.operand(n.Right)
	if a == nil || b == nil {
		return nil
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n, a, b)
	case "==", "!=", "<", "<=", ">", ">=":
		return c.comparison(n, a, b)
	case "+", "-", "*", "/", "%", "**", "^":
		return c.arithmetic(n, a, b)
	case "contains", "startsWith", "endsWith", "matches":
		return c.textTest(n, a, b)
	case "??":
		return c.coalesce(n, a, b)
	case "..":
		return c.refuse(n, "a range stands alone", "use it behind in: x in 1..5")
	}
	return c.refuse(n, "operator "+n.Operator+" is not part of the rule language", "")
}

func (c *compiler) logic(n *ast.BinaryNode, a, b *operand) *operand {
	for _, o := range []*operand{a, b} {
		if o.kind != KindBool {
			return c.refuse(n, fmt.Sprintf("%s beside %s (%s)", n.Operator, o.kind, o.text), "both sides have to be a yes or no")
		}
	}
	x, y := as[bool](a), as[bool](b)
	if n.Operator == "and" || n.Operator == "&&" {
		return c.result(n, KindBool, func(f *frame) bool { return x(f) && y(f) }, a, b)
	}
	return c.result(n, KindBool, func(f *frame) bool { return x(f) || y(f) }, a, b)
}

// conditional is cond ? a : b. The branch not taken is not computed.
func (c *compiler) conditional(n *ast.ConditionalNode) *operand {
	cond, a, b := c.operand(n.Cond), c.operand(n.Exp1), c.operand(n.Exp2)
	if cond == nil || a == nil || b == nil {
		return nil
	}
	if cond.kind != KindBool {
		return c.refuse(n.Cond, "the question before ? is "+cond.kind.String(), "it has to be a yes or no")
	}
	a, b, ok := c.alike(n, "the answers of ? :", a, b)
	if !ok {
		return nil
	}
	fn := chooseKind(a.kind, as[bool](cond), a, b)
	if fn == nil {
		return c.refuse(n, "? : cannot answer with "+a.kind.String(), "write two conditions")
	}
	r := c.result(n, a.kind, fn, cond, a, b)
	if r != nil {
		r.bare = a.bare && b.bare
	}
	return r
}

// chooseKind is a choice between two closures of one kind.
func chooseKind(kind Kind, cond func(*frame) bool, a, b *operand) any {
	switch kind {
	case KindBool:
		return choose(cond, as[bool](a), as[bool](b))
	case KindInt, KindDuration:
		return choose(cond, as[int64](a), as[int64](b))
	case KindDecimal:
		return choose(cond, as[market.Decimal](a), as[market.Decimal](b))
	case KindText:
		return choose(cond, as[string](a), as[string](b))
	case KindMoney:
		return choose(cond, as[market.Money](a), as[market.Money](b))
	}
	return nil
}

func choose[T any](cond func(*frame) bool, a, b func(*frame) T) func(*frame) T {
	return func(f *frame) T {
		if cond(f) {
			return a(f)
		}
		return b(f)
	}
}

// coalesce is a ?? b. A fact is never missing, so it answers a, as expr does;
// b has to be of the same kind all the same.
func (c *compiler) coalesce(n *ast.BinaryNode, a, b *operand) *operand {
	a, b, ok := c.alike(n, "the sides of ??", a, b)
	if !ok {
		return nil
	}
	if a.kind == KindStopwatch || a.kind == KindList {
		return c.refuse(n, "?? beside "+a.kind.String(), "it is never missing: leave ?? out")
	}
	if c.mapping != nil && a.kind == KindText {
		x, y := as[string](a), as[string](b)
		return c.result(n, KindText, func(f *frame) string {
			if s := x(f); s != "" {
				return s
			}
			return y(f)
		}, a, b)
	}
	r := c.result(n, a.kind, a.fn, a, b)
	if r != nil {
		r.bare = a.bare
	}
	return r
}

func (c *compiler) array(n *ast.ArrayNode) *operand {
	items := make([]*operand, 0, len(n.Nodes))
	ok := true
	for _, node := range n.Nodes {
		o := c.operand(node)
		ok = ok && o != nil
		items = append(items, o)
	}
	if !ok {
		return nil
	}
	return c.list(n, items)
}

// list is a list written out. Its items are of one kind.
func (c *compiler) list(n ast.Node, items []*operand) *operand {
	o := &operand{kind: KindList, elem: KindText, constant: true, items: items, node: n, parts: items}
	o.text, o.at = c.sourceOf(n)
	for i, item := range items {
		o.cost += item.cost
		if item.kind == KindList || item.kind == KindStopwatch {
			return c.refuse(n, "a list cannot hold "+item.kind.String(), "")
		}
		if i > 0 && item.kind != items[0].kind && (!isNumeric(item.kind) || !isNumeric(items[0].kind)) {
			return c.refuse(item.node, fmt.Sprintf("a list of %s and %s", items[0].kind, item.kind), "all items are of one kind")
		}
		o.constant = o.constant && item.constant
		o.elem = items[0].kind
	}
	if len(items) == 0 {
		o.items = []*operand{}
	}
	return o
}
