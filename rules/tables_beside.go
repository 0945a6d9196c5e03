package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/table"
)

// Limits of a table beside a rule file, and of the text that is kept of both.
const (
	maxTableBytes = 8 << 20
	maxKeptBytes  = 8 << 20
)

// keptMark begins the part of a kept text that was a table beside the file.
const keptMark = "\n# The table as it was in "

// sheetBeside reads the table that a rule file names: fees.csv, or a sheet of a
// workbook, fees.xlsx#2026. It is nil where it cannot be read.
func (d *document) sheetBeside(n *yaml.Node, beside opener) *grid {
	ref, _ := d.scalar(n, "table")
	file, sheet, _ := strings.Cut(ref, "#")
	switch {
	case strings.ContainsAny(file, `/\`) || file == "":
		d.problem(n, "", fmt.Sprintf("%q is not a file beside the rule file", clip(ref)), "put the table into the same directory, and name it alone")
		return nil
	case !strings.HasSuffix(file, ".csv") && !strings.HasSuffix(file, ".xlsx"):
		d.problem(n, "", clip(ref)+" is neither a .csv nor an .xlsx file", "write table: fees.csv, or table: fees.xlsx#2026 for a sheet of a workbook")
		return nil
	case beside == nil:
		d.problem(n, "", "the table "+clip(ref)+" is not at hand", "check the directory that the rule file lies in")
		return nil
	}
	text, err := beside(file, maxTableBytes)
	if err == nil && len(text) > maxTableBytes {
		err = fmt.Errorf("it has more than %d bytes: split it", maxTableBytes)
	}
	if err != nil {
		d.problem(n, "", "the table cannot be read: "+err.Error(), "")
		return nil
	}
	d.sheet, d.cells = ref, map[*yaml.Node]string{}
	s := sheetReader{doc: d, named: n, workbook: strings.HasSuffix(file, ".xlsx")}
	if !s.workbook && s.delimited(text) {
		return nil
	}
	if s.r, err = table.New(file, sheet, bytes.NewReader(text)); err != nil {
		s.refuse(err)
		return nil
	}
	defer s.r.Close()
	return s.read()
}

// sheetReader reads a table beside a rule file as cells of it.
type sheetReader struct {
	doc      *document
	named    *yaml.Node // where the rule file names the table
	r        *table.Reader
	workbook bool
	lines    []int
}

// refuse says what the reader of tables could not read: of a cell at the cell, of
// a row at its first cell, and of the whole where the rule file names the table.
func (s *sheetReader) refuse(err error) {
	p := Problem{File: s.doc.sheet, Line: 1, Column: 1, Message: err.Error()}
	var bad *table.RowError
	var file *table.FileError
	switch {
	case errors.As(err, &bad):
		p.Line, p.Message, p.Source = bad.Line, bad.Reason, bad.Value
		p.Cell = s.place(bad.Line, slices.Index(s.r.Columns(), bad.Column))
	case errors.As(err, &file) && file.Line > 0:
		p.Line, p.Message = file.Line, file.Reason
		p.Cell = s.place(file.Line, file.Column-1)
	case errors.As(err, &file):
		s.doc.problem(s.named, "", "the table cannot be read: "+file.Name+" "+file.Reason, "")
		return
	}
	if strings.HasPrefix(p.Message, "a quote stands inside a cell") {
		p.Hint = `in a CSV file a cell that holds "saas", "image" is written """saas"", ""image"""`
	}
	s.doc.add(p)
}

// place names a cell, or the first one of a row of a workbook; of a row of a CSV
// file the line says more.
func (s *sheetReader) place(line, column int) string {
	if column < 0 && !s.workbook {
		return ""
	}
	return table.CellName(line, max(column, 0))
}

// delimited refuses a CSV file whose cells are not separated by commas: in a
// cell, commas separate alternatives.
func (s *sheetReader) delimited(text []byte) bool {
	head, _, _ := bytes.Cut(bytes.TrimLeft(text, "\ufeff\r\n"), []byte("\n"))
	for _, other := range []struct{ mark, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "vertical bars"}, {"，", "full-width commas"}, {"；", "full-width semicolons"}} {
		if hasThen(head, other.mark) && !hasThen(head, ",") || !bytes.Contains(head, []byte(",")) && bytes.Contains(head, []byte(other.mark)) {
			s.doc.add(Problem{File: s.doc.sheet, Line: 1, Column: 1, Source: strings.TrimSpace(string(head)), Message: "the cells are separated by " + other.name, Hint: `save it with commas (in Excel: "CSV UTF-8")`})
			return true
		}
	}
	return false
}

// read reads the rows first, so that a table that is too long is refused before
// anything else is asked of its workbook, which may be large.
func (s *sheetReader) read() *grid {
	before := s.doc.found
	rows, ok := s.readRows()
	if !ok {
		return nil
	}
	merged, err := s.r.Merged()
	if err != nil {
		s.refuse(err)
		return nil
	}
	for _, cells := range merged {
		s.doc.add(Problem{File: s.doc.sheet, Cell: cells, Line: 1, Column: 1, Message: "the cells are merged", Hint: "unmerge them, and fill in each"})
	}
	g := &grid{number: func(i int) int { return s.lines[i] }, header: s.header()}
	for _, row := range rows {
		s.lines = append(s.lines, row.Line)
		g.rows = append(g.rows, s.cells(row))
	}
	if s.doc.found > before {
		return nil
	}
	return g
}

func (s *sheetReader) readRows() (rows []table.Row, ok bool) {
	for {
		row, err := s.r.Next()
		var bad *table.RowError
		switch {
		case err == io.EOF:
			return rows, true
		case errors.As(err, &bad):
			s.refuse(err)
			continue
		case err != nil:
			s.refuse(err)
			return nil, false
		}
		if len(rows) == maxTableRows {
			s.doc.add(Problem{File: s.doc.sheet, Cell: s.place(row.Line, -1), Line: row.Line, Column: 1, Message: fmt.Sprintf("the table has more than %d rows", maxTableRows), Hint: "split it"})
			return nil, false
		}
		rows = append(rows, row)
	}
}

func (s *sheetReader) header() []*yaml.Node {
	return s.cells(table.Row{Line: s.r.HeaderLine(), Cells: s.r.Columns()})
}

// exponent is how Excel keeps 0.001: 1E-3.
var exponent = regexp.MustCompile(`^(-?)(\d+)(?:\.(\d+))?E([+-]?\d{1,3})$`)

func (s *sheetReader) cells(row table.Row) []*yaml.Node {
	nodes := make([]*yaml.Node, len(row.Cells))
	for i, text := range row.Cells {
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(text), Line: row.Line, Column: 1}
		if s.workbook {
			n.Value = s.number(row, i, n.Value)
		}
		nodes[i] = n
		s.doc.cells[n] = table.CellName(row.Line, i)
		if bad := strings.IndexFunc(n.Value, unreadable); bad >= 0 {
			s.doc.problem(n, "", "a control character stands in the cell", "delete it")
		}
		if n.Value == "" {
			if formula := s.r.Formula(row.Line, i); formula != "" {
				s.doc.problem(n, "", "the formula ="+clip(strings.TrimPrefix(formula, "="))+" has no value", "open the workbook in Excel and save it, or write the value itself")
			}
		}
	}
	return nodes
}

// hasThen tells whether a header that is cut at a mark has the column then.
func hasThen(head []byte, mark string) bool {
	return slices.ContainsFunc(strings.Split(string(head), mark), func(name string) bool { return strings.Trim(name, " \r\"") == "then" })
}

// number is a cell of a workbook: a number digit for digit, a text as it was typed.
func (s *sheetReader) number(row table.Row, column int, text string) string {
	plain := plainNumber(text)
	if plain == text && !row.Shorter(column) {
		return text
	}
	if typed, ok := s.r.Typed(row, column); ok {
		return strings.TrimSpace(typed)
	}
	return plain
}

func unreadable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}

// plainNumber writes a number without an exponent, digit for digit.
func plainNumber(text string) string {
	m := exponent.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	power, _ := strconv.Atoi(m[4])
	digits, point := m[2]+m[3], len(m[2])+power
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	if point == len(digits) {
		return m[1] + digits
	}
	return m[1] + digits[:point] + "." + digits[point:]
}

// keep writes the table into the text of the rule file, so that the policy can
// be restored from that text alone. Its other lines stay where they are.
func (d *document) keep(s *section, n *yaml.Node, g *grid) string {
	var key *yaml.Node
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		if s.node.Content[i+1] == n {
			key = s.node.Content[i]
		}
	}
	lines := append([]string(nil), d.lines...)
	if s.node.Style&yaml.FlowStyle != 0 || key == nil || key.Line != n.Line || strings.TrimSpace(lines[key.Line-1][:key.Column-1]) != "" {
		d.problem(n, "", "the table is not named on a line of its own", "write table: "+n.Value+" on one")
		return d.text
	}
	indent := strings.Repeat(" ", s.node.Column-1)
	lines[key.Line-1] = indent + "#" + lines[key.Line-1][len(indent):]
	head := strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	if again := readDocument(d.name, []byte(head+indent+"table: []\n")); again.root == nil || again.root.Kind != yaml.MappingNode || len(again.root.Content) != len(s.node.Content) {
		d.problem(n, "", "the rule file does not end as a mapping of keys", "leave out what stands behind its last key")
		return d.text
	}
	named := -1
	for i, h := range g.header {
		if h.Value == "name" {
			named = i
		}
	}
	buf := append([]byte(head), keptMark[1:]+d.sheet+"\n"+indent+"table:\n"...)
	buf = appendRow(buf, indent, "name", named, g.header)
	for i, row := range g.rows {
		buf = appendRow(buf, indent, g.nameOf(&layout{name: named}, i), named, row)
	}
	if len(buf) > maxKeptBytes {
		d.problem(n, "", fmt.Sprintf("the rule file and its table have more than %d bytes together", maxKeptBytes), "split the table")
	}
	return string(buf)
}

// appendRow writes a row with the name first, wherever its column was.
func appendRow(buf []byte, indent, name string, named int, cells []*yaml.Node) []byte {
	buf = append(append(buf, indent...), "  - ["...)
	buf = appendText(buf, name)
	for i, cell := range cells {
		if i != named {
			buf = appendText(append(buf, ", "...), cell.Value)
		}
	}
	return append(buf, "]\n"...)
}
