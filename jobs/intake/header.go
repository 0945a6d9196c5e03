package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"nightshift/rules"
	"nightshift/rules/table"
)

// source gives the cells of a kind's columns for a row of a file: they are the
// file's own, or a mapping makes them.
type source struct {
	names   []string // of the cells that it gives
	mapping *rules.Mapping
	made    []string
}

func (s *source) cells(row []string) (cells []string, keep bool, err error) {
	if s.mapping == nil {
		return row, true, nil
	}
	keep, err = s.mapping.Row(s.made, row)
	return s.made, keep, err
}

// sourceOf finds where the cells of a kind come from, and which of its columns
// the file reports.
func sourceOf(k *Kind, req Request, header []string) (s source, reported []string, err error) {
	m := req.Mapping
	switch {
	case m == nil:
		return source{names: header}, header, nil
	case m.Kind != k.Name:
		return s, nil, fmt.Errorf("the mapping is one of %s: name the mapping of %s", m.Kind, k.Name)
	case m.Site != "" && m.Site != req.Site:
		return s, nil, fmt.Errorf("the mapping is one of the site %s, not of %s: name the site with --site", m.Site, req.Site)
	}
	if m.Zone == nil {
		m.Zone = req.Zone
	}
	names := k.ColumnNames()
	return source{names: names, mapping: m, made: make([]string, len(names))}, m.Columns(), m.Check(header)
}

// newConverter plans how the columns of a file become those of the kind. All
// that is wrong with the header is one error, before the first row is read.
func newConverter(k *Kind, req Request, r *table.Reader) (*converter, error) {
	from, reported, err := sourceOf(k, req, r.Columns())
	if err != nil {
		return nil, err
	}
	if problems := headerProblems(k, reported); len(problems) > 0 {
		return nil, errors.New(strings.Join(problems, "; ") + ". Nothing was read")
	}
	c := &converter{kind: k, zone: req.Zone, source: from, currency: -1, workbook: r.Format() == table.Workbook, date1904: r.Date1904()}
	cell := func(name string) int {
		if !slices.Contains(reported, name) {
			return -1
		}
		return slices.Index(from.names, name)
	}
	for i := range k.Columns {
		col := &k.Columns[i]
		at := cell(col.Name)
		if at < 0 && !k.isKey(col.Name) {
			continue // not reported: what is known of it stays
		}
		c.stage(col.Name, col, at)
		if col.Type == Money {
			c.stage(CurrencyColumn, nil, -1)
			c.currency = cell(CurrencyColumn)
		}
	}
	return c, nil
}

func (c *converter) stage(name string, col *Column, cell int) {
	c.staged = append(c.staged, name)
	c.columns = append(c.columns, col)
	c.from = append(c.from, cell)
}

// headerProblems are all the reasons why a file with these columns cannot be of the kind.
func headerProblems(k *Kind, columns []string) []string {
	var problems []string
	known := k.ColumnNames()
	for _, name := range columns {
		if !slices.Contains(known, name) {
			problems = append(problems, "the column "+name+" is unknown to "+k.Name+", "+suggestion(name, known))
		}
	}
	for _, col := range k.Columns {
		has := slices.Contains(columns, col.Name)
		if col.Required && !has {
			problems = append(problems, "the column "+col.Name+" ("+string(col.Type)+") is missing")
		}
		if col.Type == Money && !has && slices.Contains(columns, CurrencyColumn) {
			problems = append(problems, "the column "+CurrencyColumn+" stands there without "+col.Name)
		}
	}
	for _, pair := range k.Both {
		a, b := slices.Contains(columns, pair[0]), slices.Contains(columns, pair[1])
		if a != b {
			problems = append(problems, "the columns "+pair[0]+" and "+pair[1]+" come together or not at all")
		}
	}
	return problems
}

// nearest is the known word that takes the fewest edits to reach, if they are
// few for its length.
func nearest(word string, known []string) (string, bool) {
	const longest = 64
	if len(word) > longest {
		return "", false
	}
	best, edits := "", len(word)
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k)); d < edits {
			best, edits = k, d
		}
	}
	return best, best != "" && edits <= max(1, len(best)/3)
}
