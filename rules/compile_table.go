package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"go.yaml.in/yaml/v3"
)

// column is what one column of a table's conditions asks: a fact or an
// expression, which every cell below it tests.
type column struct {
	*operand
	tests map[string]*cellTest // compiled cells, by their text
	keyed bool                 // a fact of texts, whole numbers or yes and no: rows can be found by it
}

// cellTest is what a cell asks of its column. A nil test is true of anything.
type cellTest struct {
	test *operand
	keys []any // where it asks for fixed values alone: string, int64 or bool
}

// key is the values that a row asks of one keyed column.
type key struct {
	column int
	values []any
}

// headers compiles the header of a table.
func (c *compiler) headers(rs *Ruleset) {
	for _, n := range rs.asks {
		c.rule = ""
		o := c.expression(n)
		if o != nil && o.kind == KindList {
			o = c.refuse(nil, "a column asks "+n.Value+", which is a list", `ask whether it holds something: "a" in `+n.Value)
		}
		if o != nil && o.constant {
			o = c.refuse(nil, "the column asks nothing of the facts", "name a fact, or write an expression of facts")
		}
		col := &column{operand: o, tests: map[string]*cellTest{}}
		if o != nil {
			_, plain := o.node.(*ast.IdentifierNode)
			col.keyed = plain && o.fact != nil && (o.kind == KindText || o.kind == KindInt || o.kind == KindBool)
		}
		c.columns = append(c.columns, col)
	}
	var known []string
	for _, outcome := range c.vocabulary.Outcomes {
		for _, carried := range outcome.Carries {
			known = append(known, carried.Name)
		}
	}
	for _, n := range rs.gives {
		if word := strings.TrimSpace(n.Value); !slices.Contains(known, word) {
			hint := didYouMean(word, known)
			if slices.ContainsFunc(c.vocabulary.Facts(), func(f Fact) bool { return f.Name == word }) {
				hint = "conditions stand before then"
			}
			c.doc.problem(n, "", "no outcome of "+c.vocabulary.Ruleset+" carries a value "+clip(word), hint)
		}
	}
}

// row is the condition that a row stands for, all that its cells ask; the rule
// that it becomes keeps what each of them asks, and where. Cells that ask a fact for fixed values come first in it,
// whatever their column: they cannot fail, and rows are found by them.
func (c *compiler) row(rule Rule, to *policyRule) *operand {
	c.keys = nil
	var first, rest []*operand
	ok := true
	for i, cell := range rule.cells {
		col := c.columns[i]
		if col.operand == nil {
			ok = false
			continue
		}
		t := c.cell(col, cell)
		switch {
		case t == nil:
			ok = false
		case t.test == nil:
			continue
		case col.keyed && t.keys != nil:
			first = append(first, t.test)
			c.keys = append(c.keys, key{i, t.keys})
		default:
			rest = append(rest, t.test)
		}
		if t != nil {
			to.cells = append(to.cells, t.test)
			if place, beside := c.doc.cells[cell]; beside {
				to.places = append(to.places, place)
			}
		}
	}
	if !ok {
		return nil
	}
	all := append(first, rest...)
	if len(all) == 0 {
		return &operand{kind: KindBool, constant: true, fn: constant(true), text: anything, cost: 1}
	}
	c.at, c.text, c.shift = rule.node, nil, 0
	return c.chain("and", all)
}

// chain joins tests by and, or by or.
func (c *compiler) chain(operator string, tests []*operand) *operand {
	whole := tests[0]
	for _, next := range tests[1:] {
		text := whole.text + " " + operator + " " + next.text
		if whole = c.logic(&ast.BinaryNode{Operator: operator, Left: whole.node, Right: next.node}, whole, next); whole == nil {
			return nil
		}
		whole.text = text
	}
	return whole
}

// cell compiles a cell, once for all of a column that say the same.
func (c *compiler) cell(col *column, n *yaml.Node) *cellTest {
	text := strings.TrimSpace(n.Value)
	if known := col.tests[text]; known != nil {
		return known
	}
	t := c.unaryTests(col, n)
	if t != nil {
		col.tests[text] = t
	}
	return t
}

// bound compiles a carried value, of a rule or of a row.
func (c *compiler) bound(b Binding, known *Carried) *operand {
	if !b.cell {
		return c.value(b.Value)
	}
	text := strings.TrimSpace(b.Value.Value)
	if known.Kind == KindBool {
		if yes, ok := yesOrNo(text); ok {
			return &operand{kind: KindBool, constant: true, fn: constant(yes), text: text}
		}
	}
	return c.written(b.Value, text)
}

// yesOrNo reads true and false as spreadsheets write them, too: TRUE in text,
// 1 in a workbook's cell.
func yesOrNo(text string) (yes, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}
