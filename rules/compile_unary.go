package rules

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// unaryTests compiles the text of a cell as DMN's unary tests: anything (-), one
// test or several of which one has to hold, or not(…) of them.
func (c *compiler) unaryTests(col *column, n *yaml.Node) *cellTest {
	text := []rune(n.Value)
	c.at, c.text, c.shift = n, text, 0
	if at, name, ascii := findFullWidth(n.Value); at >= 0 {
		c.refuseAt(at, "full-width punctuation in a cell", fullWidthHint(name, ascii))
		return nil
	}
	from, to := trimmed(text, 0, len(text))
	switch string(text[from:to]) {
	case anything:
		return &cellTest{}
	case "":
		c.refuseAt(0, "the cell is empty", "write "+anything+" where anything will do")
		return nil
	}
	if to-from > maxExpression {
		c.refuseAt(0, fmt.Sprintf("the cell has %d characters, more than %d", to-from, maxExpression), "use a let")
		return nil
	}
	inner, negated := negation(text, from, to)
	if negated {
		from, to = inner, to-1
	}
	t := &cellTest{keys: []any{}}
	var tests []*operand
	ok := true
	for _, p := range alternatives(text, from, to) {
		test, key := c.oneTest(col, text, p)
		ok = ok && test != nil
		tests = append(tests, test)
		if key == nil || negated {
			t.keys = nil
		} else if t.keys != nil {
			t.keys = append(t.keys, key)
		}
	}
	if !ok {
		return nil
	}
	c.text, c.shift = nil, 0
	if t.test = c.chain("or", tests); t.test == nil {
		return nil
	}
	if negated {
		said := t.test.text
		if t.test = c.unaryOf(t.test); t.test != nil {
			t.test.text = "not (" + said + ")"
		}
	} else if len(tests) > 1 {
		t.test.text = "(" + t.test.text + ")"
	}
	if t.test == nil {
		return nil
	}
	return t
}

// unaryOf is not of a test.
func (c *compiler) unaryOf(o *operand) *operand {
	read := as[bool](o)
	return c.result(&ast.UnaryNode{Operator: "not", Node: o.node}, KindBool, func(f *frame) bool { return !read(f) }, o)
}

// stretch is a part of a cell, in characters.
type stretch struct{ from, to int }

func trimmed(text []rune, from, to int) (int, int) {
	for from < to && strings.ContainsRune(" \t\r\n", text[from]) {
		from++
	}
	for to > from && strings.ContainsRune(" \t\r\n", text[to-1]) {
		to--
	}
	return from, to
}

var notBefore = regexp.MustCompile(`^not\s*\(`)

// negation tells whether a cell is not(…), and where its inner part begins.
func negation(text []rune, from, to int) (inner int, ok bool) {
	m := notBefore.FindString(string(text[from:to]))
	if m == "" {
		return 0, false
	}
	inner = from + len([]rune(m))
	s := scanner{depth: 1}
	for i := inner; i < to; i++ {
		if s.step(text[i]); s.depth == 0 {
			return inner, i == to-1
		}
	}
	return 0, false
}

// scanner knows the brackets and quotation marks that are open.
type scanner struct {
	depth   int
	quote   rune
	escaped bool
}

func (s *scanner) step(r rune) {
	switch {
	case s.escaped:
		s.escaped = false
	case s.quote != 0 && r == '\\' && s.quote != '`':
		s.escaped = true
	case s.quote != 0:
		if r == s.quote {
			s.quote = 0
		}
	case strings.ContainsRune("\"'`", r):
		s.quote = r
	case strings.ContainsRune("([{", r):
		s.depth++
	case strings.ContainsRune(")]}", r):
		s.depth--
	}
}

// alternatives splits a cell at its commas. Brackets of an interval may look
// either way: ]10..20[ leaves out both ends.
func alternatives(text []rune, from, to int) []stretch {
	var out []stretch
	begin := from
	for begin <= to {
		end := begin
		s := scanner{}
		first, _ := trimmed(text, begin, to)
		dots := false
		for ; end < to; end++ {
			r := text[end]
			plain := s.quote == 0
			if plain && r == ',' && s.depth <= 0 {
				break
			}
			switch {
			case plain && end == first && r == ']':
				s.depth = 1
			case plain && s.depth == 1 && dots && strings.ContainsRune("[)]", r):
				s.depth = 0
			default:
				s.step(r)
			}
			dots = dots || plain && s.depth == 1 && r == '.' && end+1 < to && text[end+1] == '.'
		}
		a, b := trimmed(text, begin, end)
		out = append(out, stretch{a, b})
		begin = end + 1
	}
	return out
}

var testOperator = regexp.MustCompile(`^(<=|>=|==|!=|<|>|=|(?:contains|startsWith|endsWith|matches|in)\b)`)

// oneTest compiles one alternative: an operator with a value, an interval, or a
// value that the column has to equal or a list that has to hold it. The key is
// the value, where it is one that rows can be found by.
func (c *compiler) oneTest(col *column, text []rune, p stretch) (test *operand, key any) {
	if p.from == p.to {
		c.text, c.shift = text, p.from
		c.refuseAt(0, "nothing stands between the commas", "delete one, or write "+anything+" alone")
		return nil, nil
	}
	if low, high, ok := intervalOf(text, p); ok {
		return c.interval(col, text, p, low, high), nil
	}
	operator := "=="
	if m := testOperator.FindString(string(text[p.from:p.to])); m != "" {
		operator = m
		p.from += len(m)
		p.from, p.to = trimmed(text, p.from, p.to)
	}
	if operator == "=" {
		operator = "=="
	}
	b := c.endpoint(col, text, p)
	if b == nil {
		return nil, nil
	}
	c.text = nil
	return c.tested(col, operator, b)
}

// tested asks the column one thing of a value.
func (c *compiler) tested(col *column, operator string, b *operand) (test *operand, key any) {
	n := &ast.BinaryNode{Operator: operator, Left: col.node, Right: b.node}
	if b.kind == KindList && (operator == "==" || operator == "in") {
		n.Operator = "in"
		switch {
		case col.kind == KindStopwatch:
			return c.refuse(nil, "a stopwatch is not in a list", "compare it with a duration, such as >= 10d"), nil
		case b.items == nil:
			test = c.inTexts(n, col.operand, b)
		default:
			test = c.inItems(n, col.operand, b)
		}
		return c.said(test, col.text+" in "+b.text), nil
	}
	switch operator {
	case "in":
		return c.refuse(nil, "in beside "+b.kind.String(), `write the values themselves: "a", "b"`), nil
	case "contains", "startsWith", "endsWith", "matches":
		test = c.textTest(n, col.operand, b)
	default:
		test = c.comparison(n, col.operand, b)
	}
	if operator == "==" && col.keyed && b.constant && b.kind == col.kind {
		key = valueReader("", b)(&frame{}).plain()
	}
	return c.said(test, col.text+" "+operator+" "+b.text), key
}

func (c *compiler) said(o *operand, text string) *operand {
	if o != nil {
		o.text = text
	}
	return o
}

// plain is a value that rows can be found by.
func (v Value) plain() any {
	switch v.Kind {
	case KindBool:
		return v.yes
	case KindInt:
		return v.whole
	}
	return v.text
}

// endpoint compiles the value of a test: an amount, a duration, or an expression.
func (c *compiler) endpoint(col *column, text []rune, p stretch) *operand {
	c.text, c.shift = text[p.from:p.to], p.from
	c.known, c.spans = map[ast.Node]*operand{}, map[ast.Node]span{}
	source := string(c.text)
	if yes, ok := yesOrNo(source); ok && col.kind == KindBool {
		return &operand{kind: KindBool, constant: true, fn: constant(yes), text: fmt.Sprint(yes)}
	}
	switch {
	case source == "":
		c.refuseAt(0, "the test has no value", "write one behind the operator: >= 10")
		return nil
	case durationLiteral.MatchString(source):
		d, err := ParseDuration(source)
		return c.inCell(KindDuration, constant(int64(d)), err)
	case moneyLiteral.MatchString(source):
		m, err := market.ParseMoney(source)
		return c.inCell(KindMoney, constant(m), err)
	}
	tree := c.parse(source)
	if tree == nil {
		return nil
	}
	if r, isRange := tree.(*ast.BinaryNode); isRange && r.Operator == ".." {
		return c.refuse(nil, "a range without brackets", "write [10..20], or [10..20) without its end")
	}
	return c.operand(tree)
}

func (c *compiler) inCell(kind Kind, fn any, err error) *operand {
	if err != nil {
		c.refuseAt(0, err.Error(), "")
		return nil
	}
	return &operand{kind: kind, constant: true, fn: fn, text: string(c.text)}
}

// intervalOf finds the two ends of [10..20), (10..20] and the like.
func intervalOf(text []rune, p stretch) (low, high stretch, ok bool) {
	if p.to-p.from < 4 || !strings.ContainsRune("[(]", text[p.from]) || !strings.ContainsRune("])[", text[p.to-1]) {
		return low, high, false
	}
	s := scanner{}
	for i := p.from + 1; i+1 < p.to; i++ {
		if s.quote == 0 && s.depth == 0 && text[i] == '.' && text[i+1] == '.' {
			low.from, low.to = trimmed(text, p.from+1, i)
			high.from, high.to = trimmed(text, i+2, p.to-1)
			return low, high, true
		}
		s.step(text[i])
	}
	return low, high, false
}

// interval is from low to high; a bracket that looks inwards holds its end.
func (c *compiler) interval(col *column, text []rune, p, low, high stretch) *operand {
	from, to := ">", "<"
	if text[p.from] == '[' {
		from = ">="
	}
	if text[p.to-1] == ']' {
		to = "<="
	}
	a, b := c.endpoint(col, text, low), c.endpoint(col, text, high)
	if a == nil || b == nil {
		return nil
	}
	c.text, c.shift = nil, p.from
	if a.constant && b.constant {
		x, y, ok := c.alike(nil, "an interval", a, b)
		if !ok {
			return nil
		}
		if isNumeric(x.kind) && compareKind(">", x, y)(&frame{}) {
			return c.refuse(nil, "the interval ends before it begins: nothing is in it", "write the smaller end first")
		}
	}
	above, _ := c.tested(col, from, a)
	below, _ := c.tested(col, to, b)
	if above == nil || below == nil {
		return nil
	}
	return c.chain("and", []*operand{above, below})
}
