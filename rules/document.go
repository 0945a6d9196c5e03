package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a file. What is larger is a mistake or an attack.
const (
	maxFileBytes = 1 << 20
	maxNesting   = 16  // of YAML collections; a rule file needs 5
	maxProblems  = 200 // said of one file
)

// document is a YAML file that remembers where everything stands in it, and
// collects what is wrong with it.
type document struct {
	name     string
	text     string
	lines    []string
	root     *yaml.Node
	problems Problems
	found    int // how many problems there were, said or not

	sheet string                // the table beside the file, as messages call it
	cells map[*yaml.Node]string // its cells, by what spreadsheets call them: B7
}

// readDocument reads the YAML of a file. Without a usable root it has problems.
func readDocument(name string, text []byte) *document {
	return readDocumentUpTo(maxFileBytes, name, text)
}

func readDocumentUpTo(limit int, name string, text []byte) *document {
	d := &document{name: name}
	if len(text) > limit {
		d.lineProblem(1, fmt.Sprintf("the file has %d bytes, more than %d", len(text), limit), "split it")
		return d
	}
	d.text = strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n")
	d.lines = strings.Split(d.text, "\n")
	if bad := firstBadByte(d.text); bad >= 0 {
		d.lineProblem(1+strings.Count(d.text[:bad], "\n"), "the file is not UTF-8 text", "save it as UTF-8")
		return d
	}
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(d.text), &node); err != nil {
		d.syntaxProblem(err)
		return d
	}
	if node.Kind != yaml.DocumentNode || len(node.Content) != 1 {
		d.lineProblem(1, "the file is empty", "")
		return d
	}
	d.root = node.Content[0]
	if !d.plain(d.root, 0) {
		d.root = nil
	}
	return d
}

func firstBadByte(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError {
			return i
		}
	}
	return 0
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// syntaxProblem says what the YAML reader could not read, and names the
// full-width punctuation that is the usual cause in a Chinese text.
func (d *document) syntaxProblem(err error) {
	m := yamlLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
	line, _ := strconv.Atoi(m[1])
	line = min(max(line, 1), len(d.lines))
	hint := "check the indentation, and that each key is followed by a colon and a space"
	for _, l := range []int{line, line + 1, line - 1} {
		if l < 1 || l > len(d.lines) {
			continue
		}
		if at, name, ascii := findFullWidth(d.lines[l-1]); at >= 0 {
			d.add(Problem{Line: l, Column: at + 1, Message: "not YAML: " + m[2], Hint: fullWidthHint(name, ascii)})
			return
		}
	}
	d.lineProblem(line, "not YAML: "+m[2], hint)
}

// plain refuses what a rule file has no use for: aliases (which can make a
// small file enormous), tags of other languages, depth.
func (d *document) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxNesting:
		d.problem(n, "", fmt.Sprintf("nested more than %d levels deep", maxNesting), "")
		return false
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.problem(n, "", "YAML anchors and aliases are not used in these files", "name the value under let")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n, "", "YAML tags are not used in these files", "leave out "+n.Tag)
		return false
	}
	ok := true
	for _, child := range n.Content {
		ok = d.plain(child, depth+1) && ok
	}
	return ok
}

// section is one YAML mapping, its keys known to be expected and single.
type section struct {
	doc    *document
	node   *yaml.Node
	what   string
	fields map[string]*yaml.Node
}

// section reads the mapping n. Keys that are not among the expected ones are
// problems; without expected ones any key may stand there. It is nil where n
// is not a mapping.
func (d *document) section(n *yaml.Node, what string, keys ...string) *section {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.notMapping(n, what, keys)
		return nil
	}
	s := &section{doc: d, node: n, what: what, fields: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case d.found >= maxProblems:
			return s
		case s.fields[key.Value] != nil:
			d.problem(key, "", fmt.Sprintf("%s has %s twice", what, clip(key.Value)), "keep one")
		case len(keys) > 0 && !slices.Contains(keys, key.Value):
			hint := didYouMean(key.Value, keys)
			if at, name, ascii := findFullWidth(key.Value); at >= 0 {
				hint = fullWidthHint(name, ascii)
			}
			d.problem(key, "", fmt.Sprintf("%s has no key %s", what, clip(key.Value)), hint)
		default:
			s.fields[key.Value] = value
		}
	}
	return s
}

func (d *document) notMapping(n *yaml.Node, what string, keys []string) {
	hint := "write it as key: value lines"
	if len(keys) > 0 {
		hint += ": " + strings.Join(keys, ", ")
	}
	if n.Line >= 1 && n.Line <= len(d.lines) {
		if at, name, ascii := findFullWidth(d.lines[n.Line-1]); at >= 0 {
			d.add(Problem{Line: n.Line, Column: at + 1, Message: what + " is not a mapping", Hint: fullWidthHint(name, ascii)})
			return
		}
	}
	d.problem(n, "", what+" is not a mapping", hint)
}

// pair is one entry of a mapping whose keys its author chose.
type pair struct {
	key   *yaml.Node
	value *yaml.Node
}

// pairs reads a mapping with free keys, in their order.
func (d *document) pairs(n *yaml.Node, what string) []pair {
	s := d.section(n, what)
	if s == nil {
		return nil
	}
	var out []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		if s.fields[n.Content[i].Value] == n.Content[i+1] {
			out = append(out, pair{n.Content[i], n.Content[i+1]})
		}
	}
	return out
}

// items reads a list.
func (d *document) items(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.problem(n, "", what+" is not a list", "begin each item with a hyphen")
		return nil
	}
	return n.Content
}

// need is the value of a key that has to be there.
func (s *section) need(key string) *yaml.Node {
	if s.fields[key] == nil {
		s.doc.problem(s.node, "", s.what+" has no "+key, "add "+key+":")
	}
	return s.fields[key]
}

// word is the single value of a key that has to be there and say something.
func (s *section) word(key string) string {
	n := s.need(key)
	if n == nil {
		return ""
	}
	text, ok := s.doc.scalar(n, key)
	if ok && text == "" {
		s.doc.problem(n, "", key+" is empty", "")
	}
	return text
}

// scalar is a single value, without white space around it.
func (d *document) scalar(n *yaml.Node, what string) (string, bool) {
	if n == nil || n.Kind != yaml.ScalarNode {
		if n != nil {
			d.problem(n, "", what+" is not a single value", "")
		}
		return "", false
	}
	return strings.TrimSpace(n.Value), true
}

// problem reports what is wrong at the beginning of a node.
func (d *document) problem(n *yaml.Node, rule, message, hint string) {
	p := Problem{Line: 1, Column: 1}
	switch cell, isCell := d.cells[n]; {
	case isCell:
		p = d.inCell(n, cell, 0)
	case n != nil:
		p.Line, p.Column = n.Line, n.Column
	}
	p.Rule, p.Message, p.Hint = rule, message, hint
	d.add(p)
}

// at is a problem at the beginning of a node, to be said later.
func (d *document) at(n *yaml.Node) Problem {
	apart := &document{name: d.name, lines: d.lines, sheet: d.sheet, cells: d.cells}
	apart.problem(n, "", "", "")
	return apart.problems[0]
}

// problemAt reports what is wrong at the rune offset of a scalar's value.
func (d *document) problemAt(n *yaml.Node, offset int, rule, message, hint string) {
	var p Problem
	if cell, isCell := d.cells[n]; isCell {
		p = d.inCell(n, cell, offset)
	} else {
		p.Line, p.Column = d.place(n, offset)
	}
	p.Rule, p.Message, p.Hint = rule, message, hint
	d.add(p)
}

// inCell is a place in a cell of the table beside the file.
func (d *document) inCell(n *yaml.Node, cell string, offset int) Problem {
	return Problem{File: d.sheet, Cell: cell, Line: n.Line, Column: max(offset, 0) + 1, Source: strings.ReplaceAll(n.Value, "\n", " ")}
}

func (d *document) lineProblem(line int, message, hint string) {
	d.add(Problem{Line: line, Column: 1, Message: message, Hint: hint})
}

func (d *document) add(p Problem) {
	if p.File == "" {
		p.File = d.name
	}
	switch d.found++; {
	case d.found == maxProblems:
		p.Message, p.Hint, p.Rule = "more problems follow", "mend these first", ""
	case d.found > maxProblems:
		return
	}
	if p.File == d.name && p.Line >= 1 && p.Line <= len(d.lines) {
		p.Source = d.lines[p.Line-1]
	}
	d.problems = append(d.problems, p)
}

// clip shortens what a message quotes.
func clip(s string) string {
	const longest = 60
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// place is the line and column at which the rune offset of a scalar's value
// stands in the file. YAML folds lines and drops indentation, so the value is
// walked along the file, any white space of one matching any of the other.
func (d *document) place(n *yaml.Node, offset int) (line, column int) {
	line, column = n.Line, n.Column
	if n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(d.lines) {
		return line, column
	}
	w := walker{lines: d.lines, line: n.Line, column: n.Column}
	w.enter(n.Style)
	for i, r := range []rune(n.Value) {
		if !unicode.IsSpace(r) && !w.find(r) {
			return line, column
		}
		if i == offset {
			return w.line, w.column
		}
		if !unicode.IsSpace(r) {
			w.column++
		}
	}
	return w.line, w.column
}

// walker goes through the characters of a file.
type walker struct {
	lines        []string
	line, column int // of the character it stands on, from 1
	runes        []rune
	loaded       int
}

// enter moves behind the opening quote, or to the line after a block's mark.
func (w *walker) enter(style yaml.Style) {
	switch {
	case style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.line, w.column = w.line+1, 1
	case style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		w.column++
	}
}

// find moves on over white space to r; false where something else stands.
func (w *walker) find(r rune) bool {
	for w.line <= len(w.lines) {
		if w.loaded != w.line {
			w.runes, w.loaded = []rune(w.lines[w.line-1]), w.line
		}
		if w.column > len(w.runes) {
			w.line, w.column = w.line+1, 1
			continue
		}
		switch here := w.runes[w.column-1]; {
		case here == r:
			return true
		case unicode.IsSpace(here):
			w.column++
		case (here == '\'' || here == '\\') && w.column < len(w.runes) && w.runes[w.column] == r:
			w.column++ // '' in single quotes and \" in double ones stand for one character
		default:
			return false
		}
	}
	return false
}
