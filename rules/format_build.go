package rules

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// heading is a comment on a line of its own.
type heading struct {
	text  string
	blank bool // an empty line stands above it
}

// collection is a mapping or a list as it will be written, over several lines.
type collection struct {
	entries []*entry
	foot    []heading // behind the last entry
}

// entry is one key with its value, or one item of a list.
type entry struct {
	head  []heading
	blank bool   // an empty line stands between the head and the entry
	key   string // empty of an item
	text  string // the value on one line, or as lines that are indented already
	inner *collection
	tail  string // the comment behind it

	name string // the key as it is
}

// builder gives every comment of a file to what it stands above or behind.
type builder struct {
	*sourceMap
	pending []comment // those not given yet
}

// header takes the comments that the file begins with: they stay at its top,
// whichever key comes first.
func (b *builder) header(root *yaml.Node) []heading {
	if len(root.Content) == 0 {
		return nil
	}
	return b.before(root.Content[0].Line)
}

// before takes the comments above a line.
func (b *builder) before(line int) []heading {
	var out []heading
	for len(b.pending) > 0 && b.pending[0].line < line {
		out = append(out, b.take())
	}
	return out
}

func (b *builder) take() heading {
	c := b.pending[0]
	b.pending = b.pending[1:]
	return heading{c.text, c.own && b.blankAbove(c.line)}
}

// collection reads a mapping or a list. Comments below its last entry that are
// indented at least as far as the column belong to it, up to the line on which
// what follows begins.
func (b *builder) collection(n *yaml.Node, m *mold, indent, column, until int) *collection {
	c := &collection{}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	before := 0
	for i := 0; i+step <= len(n.Content); i += step {
		first, value := n.Content[i], n.Content[i+step-1]
		next := until
		if i+step < len(n.Content) {
			next = n.Content[i+step].Line
		}
		e := &entry{head: b.before(first.Line)}
		e.blank = first.Line > before && b.blankAbove(first.Line) && (indent > 0 || i > 0) // at the top it stands below the header, whichever key comes first
		inner := m.item(i)
		if step == 2 {
			e.key, e.name, inner = keyText(first), first.Value, m.key(first.Value)
		}
		b.value(e, first.Line, value, inner, indent, max(n.Column, column), next)
		before = b.end(value, first.Line)
		c.entries = append(c.entries, e)
	}
	if step == 2 {
		c.order(m)
	}
	for len(b.pending) > 0 && b.pending[0].own && b.pending[0].line < until && b.pending[0].column >= max(n.Column, column) {
		c.foot = append(c.foot, b.take())
	}
	return c
}

// value reads what an entry holds.
func (b *builder) value(e *entry, line int, n *yaml.Node, m *mold, indent, column, until int) {
	if b.isBlock(e, n, m, indent) {
		if e.key != "" && len(b.pending) > 0 && !b.pending[0].own && b.pending[0].line == line && n.Content[0].Line > line {
			e.tail = b.take().text
		}
		e.inner = b.collection(n, m, indent+indentStep, column+1, until)
		if first := e.inner.entries[0]; e.key == "" { // nothing can stand between a hyphen and its first key
			e.head, first.head, first.blank = append(e.head, first.head...), nil, false
		}
		return
	}
	end := b.end(n, line)
	for len(b.pending) > 0 && b.pending[0].line <= end {
		behind := !b.pending[0].own && (b.pending[0].line == end || isBlockText(n) && b.pending[0].line == n.Line)
		switch comment := b.take(); {
		case behind && e.tail == "":
			e.tail = comment.text
		default:
			e.head = append(e.head, comment)
		}
	}
	e.text = b.text(n, m, indent)
}

func isBlockText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// isBlock tells whether a value is written over several lines. Brackets stay
// where they stand on one line; over several they are joined where that fits and
// no comment stands between them.
func (b *builder) isBlock(e *entry, n *yaml.Node, m *mold, indent int) bool {
	switch {
	case n.Kind == yaml.ScalarNode || len(n.Content) == 0:
		return false
	case n.Style&yaml.FlowStyle == 0:
		return true
	}
	end := b.end(n, n.Line)
	if end == n.Line {
		return false
	}
	commented := slices.ContainsFunc(b.pending, func(c comment) bool { return c.line >= n.Line && c.line < end || c.line == end && c.own })
	return commented || indent+len(e.key)+2+columnsOf(flowText(n, m)) > mostColumns
}

// order sorts the entries by their keys.
func (c *collection) order(m *mold) {
	places, last := map[*entry]int{}, -1
	for _, e := range c.entries {
		last = m.place(e.name, last)
		places[e] = last
	}
	slices.SortStableFunc(c.entries, func(x, y *entry) int { return places[x] - places[y] })
}

// text is a value that is not a block collection.
func (b *builder) text(n *yaml.Node, m *mold, indent int) string {
	pad := "\n" + strings.Repeat(" ", indent+indentStep)
	switch {
	case n.Kind != yaml.ScalarNode:
		return flowText(n, m)
	case isBlockText(n):
		head, lines := b.blockText(n, m)
		return head + indented(lines, pad)
	case !isQuoted(n) && b.end(n, n.Line) > n.Line:
		return strings.TrimPrefix(indented(b.plainLines(n, m), pad), pad)
	}
	return scalarText(n, m, false)
}

func indented(lines []string, pad string) string {
	var out strings.Builder
	for _, line := range lines {
		if line == "" {
			out.WriteByte('\n')
			continue
		}
		out.WriteString(pad + line)
	}
	return out.String()
}

// plainLines are the lines of a plain value that its author broke.
func (b *builder) plainLines(n *yaml.Node, m *mold) []string {
	var lines []string
	for at := n.Line; at <= b.ends[n]; at++ {
		line := b.lines[at-1]
		if at == b.ends[n] {
			line = line[:b.columns[n]]
		}
		if at == n.Line {
			line = line[n.Column-1:]
		}
		lines = append(lines, strings.TrimSpace(string(line)))
	}
	if m.role != roleExpression && m.role != roleValue || strings.Contains(n.Value, "\n") {
		return lines
	}
	spacedOut := strings.Split(spaced(strings.Join(lines, "\n")), "\n")
	if !isPlain(strings.Join(spacedOut, " "), false) {
		return lines
	}
	return spacedOut
}

// blockText is a text behind | or >: its mark and its lines.
func (b *builder) blockText(n *yaml.Node, m *mold) (head string, lines []string) {
	head = "|"
	if n.Style&yaml.FoldedStyle != 0 {
		head = ">"
	}
	mark, _, _ := strings.Cut(string(b.lines[n.Line-1][n.Column-1:]), "#")
	first, _, _ := strings.Cut(strings.TrimLeft(n.Value, "\n"), "\n")
	begins := len(first) - len(strings.TrimLeft(first, " ")) // its own spaces, not those of the indentation
	if begins > 0 {
		head += "2"
	}
	keeps := strings.Contains(mark, "+")
	if strings.Contains(mark, "-") {
		head += "-"
	} else if keeps {
		head += "+"
	}
	var raw []string
	cut := -1
	end := b.ends[n]
	for keeps && end < len(b.lines) && strings.TrimSpace(string(b.lines[end])) == "" && end+1 < len(b.lines) {
		end++
	}
	for at := n.Line + 1; at <= end; at++ {
		line := strings.TrimRight(string(b.lines[at-1]), " \t")
		if cut < 0 && line != "" {
			cut = len(line) - len(strings.TrimLeft(line, " ")) - begins
		}
		raw = append(raw, line[min(max(cut, 0), len(line)):])
	}
	if m.role == roleExpression && !keeps {
		raw = strings.Split(spaced(strings.Join(raw, "\n")), "\n")
	}
	return head, raw
}
