package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/lexer"
	"go.yaml.in/yaml/v3"
)

// outline is a condition as its author built it: and, or and not over leaves
// that ask one thing each. A chain of and is one part with many below it.
type outline struct {
	operator string // and, or, not; empty of a leaf
	text     string
	parts    []*outline
}

// outlineOf reads a condition. One that cannot be read is a leaf.
func outlineOf(condition string) *outline {
	condition = strings.TrimSpace(strings.ReplaceAll(spaced(condition), "\n", " "))
	c := &compiler{doc: &document{}, functions: ruleFunctions, grammar: grammarOf(ruleFunctions)}
	c.at, c.text, c.spans = &yaml.Node{Kind: yaml.ScalarNode, Value: condition}, []rune(condition), map[ast.Node]span{}
	if tree := c.parse(condition); tree != nil {
		return c.outline(tree)
	}
	return &outline{text: condition}
}

func (c *compiler) outline(n ast.Node) *outline {
	text, _ := c.sourceOf(n)
	o := &outline{text: text}
	switch n := n.(type) {
	case *ast.BinaryNode:
		operator := map[string]string{"&&": "and", "||": "or", "and": "and", "or": "or"}[n.Operator]
		if operator == "" {
			return o
		}
		o.operator = operator
		for _, side := range []ast.Node{n.Left, n.Right} {
			part := c.outline(side)
			if part.operator == operator {
				o.parts = append(o.parts, part.parts...)
			} else {
				o.parts = append(o.parts, part)
			}
		}
	case *ast.UnaryNode:
		if inner, isIn := n.Node.(*ast.BinaryNode); (n.Operator == "not" || n.Operator == "!") && !(isIn && inner.Operator == "in" && !strings.HasPrefix(text, "not") && !strings.HasPrefix(text, "!")) {
			o.operator, o.parts = "not", []*outline{c.outline(n.Node)}
		}
	}
	return o
}

// meaning is the same for parts that ask the same, whatever brackets stand
// around them.
func (o *outline) meaning() string {
	if o.operator == "" {
		return canonicalTokens(o.text)
	}
	parts := make([]string, len(o.parts))
	for i, part := range o.parts {
		parts[i] = part.meaning()
	}
	return o.operator + "(" + strings.Join(parts, "\x01") + ")"
}

// compare finds the parts that differ.
func (o *outline) compare(other *outline) []PartChange {
	switch {
	case o.meaning() == other.meaning():
		return nil
	case o.operator == "not" && other.operator == "not":
		return o.parts[0].compare(other.parts[0])
	case o.joins(other) && o.operator == "and", other.joins(o) && other.operator == "and":
		return compareParts("and", o.below("and"), other.below("and"))
	case o.joins(other) && o.operator == "or", other.joins(o) && other.operator == "or":
		return compareParts("or", o.below("or"), other.below("or"))
	}
	return []PartChange{{o.text, other.text}}
}

// joins tells whether a part is a chain that the other can be compared with: the
// same kind of chain, a part that stands in it, or a leaf.
func (o *outline) joins(other *outline) bool {
	if o.operator != "and" && o.operator != "or" {
		return false
	}
	return o.operator == other.operator || other.operator == "" || slices.ContainsFunc(o.parts, func(part *outline) bool { return part.meaning() == other.meaning() })
}

// below are the parts of a chain; a part that is none is its only one.
func (o *outline) below(operator string) []*outline {
	if o.operator == operator {
		return o.parts
	}
	return []*outline{o}
}

// compareParts compares two chains: what is in both is left out, what asks about
// the same names is a change, the rest was added or removed.
func compareParts(operator string, a, b []*outline) []PartChange {
	meanings := func(parts []*outline) []string {
		out := make([]string, len(parts))
		for i, p := range parts {
			out[i] = p.meaning()
		}
		return out
	}
	inA, inB := meanings(a), meanings(b)
	a = slices.DeleteFunc(slices.Clone(a), func(p *outline) bool { return take(&inB, p.meaning()) })
	b = slices.DeleteFunc(slices.Clone(b), func(p *outline) bool { return take(&inA, p.meaning()) })
	if len(a) == 1 && len(b) == 1 && (a[0].operator != "" || b[0].operator != "") && a[0].operator != operator && b[0].operator != operator {
		return a[0].compare(b[0])
	}
	var out []PartChange
	for _, part := range a {
		i := slices.IndexFunc(b, func(other *outline) bool { return sharesName(part.text, other.text) })
		if i < 0 && len(a) == 1 && len(b) == 1 {
			i = 0
		}
		if i < 0 {
			out = append(out, PartChange{Before: part.text})
			continue
		}
		out = append(out, part.compare(b[i])...)
		b = slices.Delete(b, i, i+1)
	}
	for _, part := range b {
		out = append(out, PartChange{After: part.text})
	}
	return out
}

// take removes one text from a list, and tells whether it was there.
func take(list *[]string, text string) bool {
	i := slices.Index(*list, text)
	if i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
	return i >= 0
}

// namesIn are the names that an expression asks for.
func namesIn(text string) []string {
	var names []string
	for _, t := range tokensOf(text) {
		if t.Kind == lexer.Identifier && ruleFunctions[t.Value] == nil {
			names = append(names, t.Value)
		}
	}
	return names
}

func sharesName(a, b string) bool {
	names := namesIn(b)
	return slices.ContainsFunc(namesIn(a), func(name string) bool { return slices.Contains(names, name) })
}
