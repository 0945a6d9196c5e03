package rules

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// sourceOf is the text of a node as its author wrote it.
func (c *compiler) sourceOf(n ast.Node) string {
	if n == nil || len(c.text) == 0 {
		return ""
	}
	s := c.spanOf(n)
	if s.from >= s.to || s.to > len(c.text) {
		return strings.TrimSpace(string(c.text))
	}
	from, to := c.balanced(s.from, s.to)
	if in, ok := n.(*ast.BinaryNode); ok && in.Operator == "in" {
		// x not in list is not of x in list: the word belongs to the not.
		at := in.Location().From
		if before := strings.TrimSpace(string(c.text[from:at])); notBehind.MatchString(before) {
			return strings.TrimSpace(strings.TrimSuffix(before, "not")) + " " + strings.TrimSpace(string(c.text[at:to]))
		}
	}
	return strings.TrimSpace(string(c.text[from:to]))
}

var notBehind = regexp.MustCompile(`\Wnot$`)

// span is the stretch of source that the tokens of a tree cover.
type span struct{ from, to int }

func (c *compiler) spanOf(n ast.Node) span {
	if s, known := c.spans[n]; known {
		return s
	}
	s := span{from: len(c.text)}
	if at := n.Location(); at.To > at.From {
		if _, ternary := n.(*ast.ConditionalNode); !ternary { // expr gives it the place of what follows it
			s = span{at.From, at.To}
		}
	}
	for _, child := range children(n) {
		inner := c.spanOf(child)
		s.from, s.to = min(s.from, inner.from), max(s.to, inner.to)
	}
	c.spans[n] = s
	return s
}

// children are the parts of the nodes that the rule language has.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.CallNode:
		return n.Arguments
	}
	return nil
}

// balanced widens a stretch until each bracket in it has its partner: the
// brackets around a part, and those of a call, belong to no node.
func (c *compiler) balanced(from, to int) (int, int) {
	closers, depth := 0, 0
	var quote rune
	for i := from; i < to; i++ {
		switch r := c.text[i]; {
		case quote != 0:
			if r == '\\' {
				i++
			} else if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r) && depth > 0:
			depth--
		case strings.ContainsRune(")]}", r):
			closers++
		}
	}
	for ; closers > 0 && from > 0; from-- {
		if strings.ContainsRune("([{", c.text[from-1]) {
			closers--
		}
	}
	for ; depth > 0 && to < len(c.text); to++ {
		if strings.ContainsRune(")]}", c.text[to]) {
			depth--
		}
	}
	return from, to
}
