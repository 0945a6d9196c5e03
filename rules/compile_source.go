package rules

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"go.yaml.in/yaml/v3"
)

// place is where a part of an expression stands: in which scalar of the file,
// and from which character to which.
type place struct {
	node     *yaml.Node
	from, to int
}

// sourceOf is the text of a node as its author wrote it, and where it stands. A
// node that the compiler made itself has no text, and stands in the whole scalar.
func (c *compiler) sourceOf(n ast.Node) (string, place) {
	if n == nil || len(c.text) == 0 {
		return "", place{node: c.at}
	}
	s := c.spanOf(n)
	from, to := 0, len(c.text)
	if s.from < s.to && s.to <= len(c.text) {
		from, to = c.balanced(s.from, s.to)
	}
	from, to = trimmed(c.text, from, to)
	text, at := string(c.text[from:to]), place{c.at, c.shift + from, c.shift + to}
	if in, ok := n.(*ast.BinaryNode); ok && in.Operator == "in" && s.from < s.to {
		// x not in list is not of x in list: the word belongs to the not.
		operator := in.Location().From
		if before := strings.TrimSpace(string(c.text[from:operator])); notBehind.MatchString(before) {
			text = strings.TrimSpace(strings.TrimSuffix(before, "not")) + " " + strings.TrimSpace(string(c.text[operator:to]))
		}
	}
	return text, at
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
