package rules

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// comment is one comment of a file.
type comment struct {
	line, column int
	text         string // from the # on
	own          bool   // nothing else stands on its line
}

// sourceMap is where the parts of a file end, and where its comments are. YAML's
// own reader guesses which value a comment belongs to, and forgets some.
type sourceMap struct {
	lines    [][]rune
	nodes    []*yaml.Node       // scalars and flow collections, as they stand in the file
	ends     map[*yaml.Node]int // the line, from 1
	columns  map[*yaml.Node]int // of what follows the value, from 0
	comments []comment

	line, column int // the character that is looked at, from 0
	open         []*yaml.Node
}

// mapSource reads where everything stands in the document.
func mapSource(d *document) *sourceMap {
	m := &sourceMap{ends: map[*yaml.Node]int{}, columns: map[*yaml.Node]int{}}
	for _, line := range d.lines {
		m.lines = append(m.lines, []rune(line))
	}
	m.collect(d.root)
	slices.SortStableFunc(m.nodes, func(a, b *yaml.Node) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for m.line < len(m.lines) {
		if m.column >= len(m.lines[m.line]) {
			m.line, m.column = m.line+1, 0
			continue
		}
		m.step()
	}
	return m
}

func (m *sourceMap) collect(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && (n.Value != "" || n.Style != 0) || n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle != 0 {
		m.nodes = append(m.nodes, n)
	}
	for _, child := range n.Content {
		m.collect(child)
	}
}

// step goes over one scalar, one comment or one character.
func (m *sourceMap) step() {
	for len(m.nodes) > 0 && m.nodes[0].Line == m.line+1 && m.nodes[0].Column == m.column+1 {
		n := m.nodes[0]
		m.nodes = m.nodes[1:]
		if n.Kind == yaml.ScalarNode {
			m.scalar(n)
			return
		}
		m.open = append(m.open, n)
	}
	line := m.lines[m.line]
	switch r := line[m.column]; {
	case r == '#' && (m.column == 0 || unicode.IsSpace(line[m.column-1])):
		m.comments = append(m.comments, comment{
			line: m.line + 1, column: m.column + 1, text: strings.TrimRightFunc(string(line[m.column:]), unicode.IsSpace),
			own: strings.TrimSpace(string(line[:m.column])) == "",
		})
		m.column = len(line)
		return
	case (r == ']' || r == '}') && len(m.open) > 0:
		last := len(m.open) - 1
		m.ends[m.open[last]], m.open = m.line+1, m.open[:last]
	}
	m.column++
}

// scalar goes to the end of a scalar. Outside quotation marks each character of
// the value stands in the file, and only white space differs.
func (m *sourceMap) scalar(n *yaml.Node) {
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		m.quoted(n.Style&yaml.DoubleQuotedStyle != 0)
	default:
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			m.header()
			m.ends[n] = m.line
		}
		for _, r := range n.Value {
			if !unicode.IsSpace(r) {
				m.find(r)
			}
		}
	}
	m.ends[n], m.columns[n] = max(m.ends[n], min(m.line+1, len(m.lines))), m.column
}

// header goes over the line that begins a block, | or >, and the comment there.
func (m *sourceMap) header() {
	line := m.lines[m.line]
	for ; m.column < len(line); m.column++ {
		if line[m.column] == '#' {
			m.comments = append(m.comments, comment{line: m.line + 1, column: m.column + 1, text: strings.TrimSpace(string(line[m.column:]))})
			break
		}
	}
	m.line, m.column = m.line+1, 0
}

// quoted goes behind the closing quotation mark.
func (m *sourceMap) quoted(double bool) {
	mark := '\''
	if double {
		mark = '"'
	}
	for m.column++; m.line < len(m.lines); {
		line := m.lines[m.line]
		switch {
		case m.column >= len(line):
			m.line, m.column = m.line+1, 0
			continue
		case double && line[m.column] == '\\', !double && line[m.column] == mark && m.column+1 < len(line) && line[m.column+1] == mark:
			m.column++
		case line[m.column] == mark:
			m.column++
			return
		}
		m.column++
	}
}

// find goes behind the next r.
func (m *sourceMap) find(r rune) {
	for m.line < len(m.lines) {
		if m.column >= len(m.lines[m.line]) {
			m.line, m.column = m.line+1, 0
			continue
		}
		m.column++
		if m.lines[m.line][m.column-1] == r {
			return
		}
	}
}

// end is the line on which a value ends; that of its key where it is empty.
func (m *sourceMap) end(n *yaml.Node, otherwise int) int {
	if end, known := m.ends[n]; known {
		return end
	}
	return otherwise
}

// blankAbove tells whether an empty line stands above that line.
func (m *sourceMap) blankAbove(line int) bool {
	return line >= 2 && strings.TrimSpace(string(m.lines[line-2])) == ""
}
