package rules

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// maxPattern is the longest regular expression. Go's run in linear time, so a
// pattern can be large but cannot explode.
const maxPattern = 1_000

// textTest is contains, startsWith, endsWith or matches.
func (c *compiler) textTest(n *ast.BinaryNode, a, b *operand) *operand {
	if a.kind != KindText || b.kind != KindText {
		return c.refuse(n, fmt.Sprintf("%s between %s (%s) and %s (%s)", n.Operator, a.kind, clip(a.text), b.kind, clip(b.text)), "both sides have to be texts; for a list use in")
	}
	x, y := as[string](a), as[string](b)
	switch n.Operator {
	case "contains":
		return c.result(n, KindBool, func(f *frame) bool { return strings.Contains(x(f), y(f)) }, a, b)
	case "startsWith":
		return c.result(n, KindBool, func(f *frame) bool { return strings.HasPrefix(x(f), y(f)) }, a, b)
	case "endsWith":
		return c.result(n, KindBool, func(f *frame) bool { return strings.HasSuffix(x(f), y(f)) }, a, b)
	}
	return c.matches(n, a, b)
}

func (c *compiler) matches(n *ast.BinaryNode, a, b *operand) *operand {
	if !b.constant {
		return c.refuse(n, "the pattern of matches is not fixed", "write it out, in quotation marks")
	}
	text := as[string](b)(nil)
	if len(text) > maxPattern {
		return c.refuse(n, fmt.Sprintf("the pattern has %d bytes, more than %d", len(text), maxPattern), "use a list: x in [a, b]")
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return c.refuse(n, "the pattern cannot be read: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
	}
	x := as[string](a)
	return c.result(n, KindBool, func(f *frame) bool { return pattern.MatchString(x(f)) }, a, b)
}

// join is + between texts.
func (c *compiler) join(n ast.Node, a, b *operand) *operand {
	x, y := as[string](a), as[string](b)
	return c.result(n, KindText, func(f *frame) string { return x(f) + y(f) }, a, b)
}

// mapText is a function from a text to a text.
func mapText(change func(string) string) func(*compiler, *ast.CallNode, []*operand) *operand {
	return func(c *compiler, n *ast.CallNode, args []*operand) *operand {
		if args[0].kind != KindText {
			return c.refuse(n, "it changes a text, not "+args[0].kind.String(), "")
		}
		x := as[string](args[0])
		return c.result(n, KindText, func(f *frame) string { return change(x(f)) }, args[0])
	}
}

// length is len(x): the characters of a text, the items of a list.
func length(c *compiler, n *ast.CallNode, args []*operand) *operand {
	switch o := args[0]; {
	case o.kind == KindText:
		x := as[string](o)
		return c.result(n, KindInt, func(f *frame) int64 { return int64(utf8.RuneCountInString(x(f))) }, o)
	case o.kind == KindList && o.items != nil:
		return c.result(n, KindInt, constant(int64(len(o.items))), o)
	case o.kind == KindList:
		list := as[[]string](o)
		return c.result(n, KindInt, func(f *frame) int64 { return int64(len(list(f))) }, o)
	default:
		return c.refuse(n, "len counts the characters of a text or the items of a list, not of "+o.kind.String(), "")
	}
}
