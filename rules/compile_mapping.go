package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"go.yaml.in/yaml/v3"
)

// Mapping turns the rows of anybody's export into the columns of one of our
// kinds: an expression a column, compiled and checked like a rule. It is used
// by one goroutine at a time.
type Mapping struct {
	Kind string
	Site string         // empty: the default one
	Zone *time.Location // nil: the site's, to be set before the first row

	name    string
	columns []mappedColumn
	where   func(*frame) bool // nil: every row
	sources []sourceColumn
	row     []string
	lines   []string
}

// mappedColumn is one column of ours.
type mappedColumn struct {
	target  int
	name    string
	read    func(*frame) Value
	sources []int // the source columns it reads
}

// sourceColumn is one column of the export, where it is first named.
type sourceColumn struct {
	name         string
	line, column int
	position     int // in the header; set by Check
}

// CellError is what is wrong with one row: the column of ours, and the source
// cell it was to be made from.
type CellError struct {
	Column string
	Value  string
	Err    error
}

// Error names the column and the value.
func (e *CellError) Error() string {
	return fmt.Sprintf("column %s from %q: %v", e.Column, clip(e.Value), e.Err)
}

// Unwrap is the reason.
func (e *CellError) Unwrap() error { return e.Err }

// errEmptyCell marks a number that was to be made of nothing. As a whole
// column it is an empty one.
var errEmptyCell = errors.New("the cell is empty: ask empty(…) first")

// ParseMapping reads a mapping file and checks its expressions against our
// columns. The source columns are checked when the header is known. The error
// is Problems.
func ParseMapping(name string, text []byte, columns []string) (*Mapping, error) {
	d := readDocument(name, text)
	m := &Mapping{name: name, lines: d.lines}
	s := d.section(d.root, "the mapping", mappingKeys...)
	if s == nil {
		return nil, d.problems.err()
	}
	m.Kind = s.word("kind")
	if s.fields["site"] != nil {
		m.Site = s.word("site")
	}
	if s.fields["time_zone"] != nil {
		m.Zone = d.zone(s, nil)
	}
	c := &compiler{doc: d, names: map[string]*operand{}, lets: map[string]*Binding{}, functions: mappingFunctions(m), mapping: m}
	c.grammar = grammarOf(c.functions)
	if where := s.fields["where"]; where != nil {
		if o := c.condition(where); o != nil {
			m.where = as[bool](o)
		}
	}
	for _, p := range d.pairs(s.need("columns"), "columns") {
		target := slices.Index(columns, p.key.Value)
		if target < 0 {
			d.problem(p.key, "", m.Kind+" have no column "+clip(p.key.Value), didYouMean(p.key.Value, columns))
			continue
		}
		c.mapColumn(m, p, target)
	}
	m.row = make([]string, len(m.sources))
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return m, nil
}

func (c *compiler) mapColumn(m *Mapping, p pair, target int) {
	c.reads = nil
	o := c.mappedValue(p.value)
	if o == nil {
		return
	}
	if o.kind == KindList || o.kind == KindDuration || o.kind == KindStopwatch {
		c.refuse(o.node, "a cell cannot hold "+o.kind.String(), "answer with a text, a number, an amount or a yes or no")
		return
	}
	m.columns = append(m.columns, mappedColumn{target: target, name: p.key.Value, read: valueReader(p.key.Value, o), sources: c.reads})
}

// mappedValue is an expression. In quotation marks, too: YAML needs them around
// an expression that begins with one or holds a colon.
func (c *compiler) mappedValue(n *yaml.Node) *operand {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		c.doc.problem(n, c.rule, "not an expression", `write a source column, or a text in two pairs of quotation marks: '"CNY"'`)
		return nil
	}
	return c.expression(n)
}

// sourceCell is a column of the export as an operand: a text.
func (c *compiler) sourceCell(n ast.Node, name string) *operand {
	m := c.mapping
	i := slices.IndexFunc(m.sources, func(s sourceColumn) bool { return s.name == name })
	if i < 0 {
		line, column := c.doc.place(c.at, n.Location().From)
		i, m.sources = len(m.sources), append(m.sources, sourceColumn{name: name, line: line, column: column, position: -1})
	}
	if !slices.Contains(c.reads, i) {
		c.reads = append(c.reads, i)
	}
	return &operand{kind: KindText, fn: func(f *frame) string { return f.row[i] }, node: n, text: name, cost: 1}
}

// Check finds the source columns in the header of a file. The error is
// Problems: every column that the file does not have.
func (m *Mapping) Check(header []string) error {
	var problems Problems
	for i := range m.sources {
		s := &m.sources[i]
		s.position = slices.Index(header, s.name)
		if s.position >= 0 {
			continue
		}
		hint := didYouMean(s.name, header)
		if hint == "" {
			hint = fmt.Sprintf("its %d columns begin with %s", len(header), oneOf(header[:min(len(header), 5)]))
		}
		problems = append(problems, Problem{File: m.name, Line: s.line, Column: s.column, Message: "the file has no column " + clip(s.name), Hint: hint, Source: m.lines[s.line-1]})
	}
	return problems.err()
}

// Sources are the names of the source columns that the mapping reads.
func (m *Mapping) Sources() []string {
	names := make([]string, len(m.sources))
	for i, s := range m.sources {
		names[i] = s.name
	}
	return names
}

// Columns are the names of our columns that the mapping fills.
func (m *Mapping) Columns() []string {
	names := make([]string, len(m.columns))
	for i, c := range m.columns {
		names[i] = c.name
	}
	return names
}

// Row fills dst, one cell for each of our columns, from a source row. Columns
// that the mapping does not name are left as they are. keep is false for a row
// that where leaves out. The error is a *CellError.
func (m *Mapping) Row(dst []string, src []string) (keep bool, err error) {
	for i, s := range m.sources {
		m.row[i] = ""
		if s.position < len(src) {
			m.row[i] = src[s.position]
		}
	}
	f := frames.Get().(*frame)
	defer f.release()
	f.row, f.err = m.row, nil
	if m.where != nil {
		if !m.where(f) && f.err == nil {
			return false, nil
		}
		if f.err != nil {
			return false, &CellError{Column: "where", Err: f.err}
		}
	}
	for _, c := range m.columns {
		v := c.read(f)
		switch {
		case f.err == nil:
			dst[c.target] = v.String()
		case errors.Is(f.err, errEmptyCell):
			dst[c.target], f.err = "", nil
		default:
			return false, &CellError{Column: c.name, Value: m.firstCell(c.sources), Err: f.err}
		}
	}
	return true, nil
}

func (m *Mapping) firstCell(sources []int) string {
	for _, i := range sources {
		if m.row[i] != "" {
			return m.row[i]
		}
	}
	return ""
}

// zone is the clock of times without an offset.
func (m *Mapping) zone() *time.Location {
	if m.Zone == nil {
		return time.UTC
	}
	return m.Zone
}
