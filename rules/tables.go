package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a decision table.
const (
	maxTableRows    = 20_000
	maxTableColumns = 100
)

// anything is the cell that asks nothing, and the value that is not carried.
const anything = "-"

// grid is a decision table as it was written: the header and the rows, each a
// cell for every column of the header.
type grid struct {
	header []*yaml.Node
	rows   [][]*yaml.Node
	number func(i int) int // of a row, as its author counts
}

// layout says what each column of a table is.
type layout struct {
	name, then, because int
	asks, gives         []int
}

// table reads the rules of a decision table: written in the rule file, or in a
// file beside it.
func (s *section) table(rs *Ruleset, n *yaml.Node, beside opener) {
	d := s.doc
	if s.fields["rules"] != nil {
		d.problem(s.fields["rules"], "", "the rule file has rules and a table", "keep one of them")
	}
	var g *grid
	switch {
	case n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "":
		d.problem(n, "", "the table is empty", "write its rows below, or name a file beside this one: table: fees.csv")
	case n.Kind == yaml.ScalarNode:
		if g = d.sheetBeside(n, beside); g != nil {
			rs.Text = d.keep(s, n, g)
		}
	default:
		g = d.gridOf(n)
	}
	rs.Table, rs.grid = true, g
	if g == nil {
		return
	}
	if l := d.layout(g, rs); l != nil {
		rs.Rules = d.rows(g, l)
	}
}

// gridOf reads a table written in the rule file: a list of rows, each a list of
// cells, the header first.
func (d *document) gridOf(n *yaml.Node) *grid {
	rows := d.items(n, "table")
	if len(rows) == 0 {
		if n.Kind == yaml.SequenceNode {
			d.problem(n, "", "the table is empty", "begin it with a row that names its columns")
		}
		return nil
	}
	g := &grid{header: d.items(rows[0], "the header of the table"), number: func(i int) int { return i + 2 }}
	if g.header == nil {
		return nil
	}
	for _, row := range rows[1:] {
		cells := d.items(row, "a row of the table")
		if len(g.rows) == maxTableRows {
			d.problem(row, "", fmt.Sprintf("the table has more than %d rows", maxTableRows), "split it")
			return nil
		}
		if cells != nil && len(cells) != len(g.header) {
			d.problem(row, "", fmt.Sprintf("the row has %d cells, the header has %d", len(cells), len(g.header)), "write "+anything+" where a column asks nothing")
			continue
		}
		if cells != nil {
			g.rows = append(g.rows, cells)
		}
	}
	for _, row := range append([][]*yaml.Node{g.header}, g.rows...) {
		for _, cell := range row {
			if _, ok := d.scalar(cell, "a cell"); !ok {
				return nil
			}
		}
	}
	return g
}

// layout reads the header: name, then and because are what they are in a rule;
// the columns before then ask, those behind it are values that the outcome
// carries.
func (d *document) layout(g *grid, rs *Ruleset) *layout {
	l := &layout{name: -1, then: -1, because: -1}
	seen := map[string]bool{}
	before := d.found
	if len(g.header) > maxTableColumns {
		d.problem(g.header[maxTableColumns], "", fmt.Sprintf("the table has more than %d columns", maxTableColumns), "split it")
		return nil
	}
	for i, n := range g.header {
		word := strings.TrimSpace(n.Value)
		key := word
		if l.then >= 0 {
			key = "with " + word // a fact may have the name of a carried value
		}
		switch {
		case word == "":
			d.problem(n, "", "a column has no name", "name a fact, write an expression, or name, then or because")
		case seen[key] || seen[word] && slices.Contains([]string{"name", "then", "because"}, word):
			d.problem(n, "", "two columns are called "+clip(word), "keep one")
		case word == "name":
			l.name = i
		case word == "then":
			l.then = i
		case word == "because":
			l.because = i
		case l.then < 0:
			l.asks = append(l.asks, i)
			rs.asks = append(rs.asks, n)
		default:
			l.gives = append(l.gives, i)
			rs.gives = append(rs.gives, n)
		}
		seen[key], seen[word] = true, true
	}
	for _, needed := range []struct {
		column string
		at     int
	}{{"then", l.then}, {"because", l.because}} {
		if needed.at < 0 {
			d.problem(g.header[0], "", "the table has no column "+needed.column, "add it: conditions stand before then, the values of the outcome behind it")
		}
	}
	switch {
	case d.found > before:
		return nil
	case len(l.asks) == 0:
		d.problem(g.header[0], "", "the table asks nothing", "write the columns of its conditions before then")
		return nil
	case len(g.rows) == 0:
		d.problem(g.header[0], "", "the table has no rows", "")
		return nil
	}
	return l
}

// rows are the rules that the rows stand for.
func (d *document) rows(g *grid, l *layout) []Rule {
	seen := map[string]bool{Otherwise: true}
	rules := make([]Rule, 0, len(g.rows))
	for i, cells := range g.rows {
		rule := Rule{Name: g.nameOf(l, i), node: cells[0], then: cells[l.then], Then: strings.TrimSpace(cells[l.then].Value), Because: strings.TrimSpace(cells[l.because].Value)}
		if seen[rule.Name] {
			at := cells[0]
			if l.name >= 0 {
				at = cells[l.name]
			}
			d.problem(at, rule.Name, "another rule has this name", "decisions are kept by it: choose another")
		}
		seen[rule.Name] = true
		if rule.Then == anything {
			rule.Then = ""
		}
		for _, at := range []int{l.then, l.because} {
			if text := strings.TrimSpace(cells[at].Value); text == "" || text == anything {
				d.problem(cells[at], rule.Name, strings.TrimSpace(g.header[at].Value)+" is empty", "")
			}
		}
		for _, at := range l.asks {
			rule.cells = append(rule.cells, cells[at])
		}
		for _, at := range l.gives {
			switch strings.TrimSpace(cells[at].Value) {
			case anything:
			case "":
				d.problem(cells[at], rule.Name, "the cell is empty", "write "+anything+" where the outcome does not carry "+g.header[at].Value)
			default:
				rule.With = append(rule.With, Binding{Name: strings.TrimSpace(g.header[at].Value), Value: cells[at], key: cells[at], cell: true})
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// nameOf is the name of a row: its own, or its number.
func (g *grid) nameOf(l *layout, i int) string {
	if l.name >= 0 {
		if name := strings.TrimSpace(g.rows[i][l.name].Value); name != "" && name != anything {
			return name
		}
	}
	return fmt.Sprintf("row %d", g.number(i))
}
