package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/width"
)

// Writing of formatted files.
const (
	indentStep    = 2
	mostColumns   = 120 // a flow collection of several lines is joined up to this width
	beforeComment = 4   // spaces, behind the longest of the lines it is aligned with
)

// Format writes a file of a rule directory as all are written: keys in one
// order, two spaces a level, expressions with single spaces, quotation marks
// only where they are needed or mean something, comments behind values aligned.
// Comments, empty lines between groups and the breaks of long texts stay; what
// the file says stays too, which is checked. The error is Problems.
//
// The kind of a YAML file is told by its keys. A .csv file is formatted where it
// is a decision table, and answered as it is otherwise.
func Format(name string, text []byte) ([]byte, error) {
	if strings.HasSuffix(name, ".csv") {
		return formatTable(name, text)
	}
	d := readDocument(name, text)
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	if d.root.Kind != yaml.MappingNode || slices.ContainsFunc(d.root.Content, func(n *yaml.Node) bool { return n.Kind == 0 }) {
		d.problem(d.root, "", "the file is not a mapping of keys", "begin it with ruleset: or site:")
		return nil, d.problems.err()
	}
	out := formatDocument(d)
	again := readDocument(name, out)
	if again.root == nil || meaning(again.root, moldOf(d.root)) != meaning(d.root, moldOf(d.root)) || !sameComments(mapSource(d).comments, mapSource(again).comments) {
		d.problem(d.root, "", "the file cannot be formatted without changing what it says", "write the values that look odd more plainly")
		return nil, d.problems.err()
	}
	return out, nil
}

func formatDocument(d *document) []byte {
	b := &builder{sourceMap: mapSource(d)}
	b.pending = b.comments
	header := b.header(d.root)
	gap := len(d.root.Content) > 0 && b.blankAbove(d.root.Content[0].Line)
	root := b.collection(d.root, moldOf(d.root), 0, 1, len(d.lines)+1)
	p := &printer{}
	p.comments(header, 0)
	if gap {
		p.blank()
	}
	p.collection(root, 0, "")
	for i, c := range b.pending {
		p.comments([]heading{{c.text, i == 0}}, 0)
	}
	return p.bytes()
}

// meaning is what a value says, the order of keys and what formatting may change
// left out.
func meaning(n *yaml.Node, m *mold) string {
	switch n.Kind {
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, fmt.Sprintf("%q:%s", n.Content[i].Value, meaning(n.Content[i+1], m.key(n.Content[i].Value))))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case yaml.SequenceNode:
		var parts []string
		for i, item := range n.Content {
			parts = append(parts, meaning(item, m.item(i)))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	quoted := isQuoted(n)
	text := n.Value
	if m.role == roleExpression || m.role == roleValue && !quoted {
		text = canonicalTokens(text)
	}
	switch m.role {
	case roleCell:
		text, quoted = spacedCell(text), false
	case roleExpression, roleWord:
		quoted = false
	}
	return fmt.Sprintf("%q/%v", text, quoted)
}

func isQuoted(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
}

func sameComments(a, b []comment) bool {
	texts := func(comments []comment) []string {
		out := make([]string, len(comments))
		for i, c := range comments {
			out[i] = c.text
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(texts(a), texts(b))
}

// printer writes lines, and aligns the comments behind them at the end.
type printer struct {
	lines []printedLine
}

type printedLine struct{ text, comment string }

// line writes a line, or the lines of a long text: the comment stands behind the
// mark of a block (| or >), and behind the last line of any other.
func (p *printer) line(text, value, comment string) {
	parts := strings.Split(strings.TrimRight(text+value, " "), "\n")
	at := len(parts) - 1
	if strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">") {
		at = 0
	}
	for i, part := range parts {
		p.lines = append(p.lines, printedLine{text: part})
		if i == at {
			p.lines[len(p.lines)-1].comment = comment
		}
	}
}

func (p *printer) blank() {
	if len(p.lines) > 0 && p.lines[len(p.lines)-1] != (printedLine{}) {
		p.lines = append(p.lines, printedLine{})
	}
}

// comments writes comments on lines of their own.
func (p *printer) comments(headings []heading, indent int) {
	for _, h := range headings {
		if h.blank {
			p.blank()
		}
		p.line(strings.Repeat(" ", indent)+h.text, "", "")
	}
}

// collection writes the entries of a block; lead begins the line of the first.
func (p *printer) collection(c *collection, indent int, lead string) {
	for i, e := range c.entries {
		if i == 0 && len(e.head) > 0 {
			e.head[0].blank = false
		}
		p.comments(e.head, indent)
		if e.blank && (i > 0 || len(e.head) > 0) {
			p.blank()
		}
		begin := strings.Repeat(" ", indent)
		if i == 0 && lead != "" {
			begin = lead
		}
		switch {
		case e.inner != nil && e.key == "":
			p.collection(e.inner, indent+indentStep, begin+"- ")
		case e.inner != nil:
			p.line(begin+e.key+":", "", e.tail)
			p.collection(e.inner, indent+indentStep, "")
		case e.key == "":
			p.line(begin+"- ", e.text, e.tail)
		default:
			p.line(begin+e.key+": ", e.text, e.tail)
		}
	}
	p.comments(c.foot, indent)
}

// bytes are the lines, comments behind values aligned where lines follow each
// other.
func (p *printer) bytes() []byte {
	var out bytes.Buffer
	for i := 0; i < len(p.lines); i++ {
		end, widest := i, 0
		for ; end < len(p.lines) && p.lines[end].comment != ""; end++ {
			widest = max(widest, columnsOf(p.lines[end].text))
		}
		for ; i < end; i++ {
			out.WriteString(p.lines[i].text + strings.Repeat(" ", widest-columnsOf(p.lines[i].text)+beforeComment) + p.lines[i].comment + "\n")
		}
		if i < len(p.lines) {
			out.WriteString(p.lines[i].text + "\n")
		}
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n')
}

// columnsOf is how wide a text is where Chinese characters take two columns.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
