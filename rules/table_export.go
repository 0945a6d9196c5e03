package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"nightshift/rules/market"
	"nightshift/rules/table"
)

// TableSource is the decision table of one version of a ruleset, where it
// stands: in the rule file, or in a CSV file or a workbook beside it. It is
// exported to be edited as a workbook, and imported back.
type TableSource struct {
	Ruleset string
	Version int
	File    string // the rule file
	Path    string // the file that holds the table: the rule file, or the one beside it

	site *Site
	rs   *Ruleset
	fsys fs.FS
}

// FindTable finds the table of a ruleset of a site: of a version, or, where
// that is 0, of the one in force on a date. The error is Problems where the rule
// directory has any.
func FindTable(fsys fs.FS, siteName, ruleset string, version int, on market.Date) (*TableSource, error) {
	l := newLoader(fsys)
	book, err := l.load()
	if err != nil {
		return nil, err
	}
	site, err := book.Site(siteName)
	if err != nil {
		return nil, err
	}
	var p *Policy
	if version == 0 {
		p, err = site.Policy(ruleset, on)
	} else if p = site.version(ruleset, version); p == nil {
		err = fmt.Errorf("ruleset %s of site %s has no version %d", ruleset, site.Name, version)
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(l.rulesets, func(rs *Ruleset) bool { return rs.File == p.File })
	t := &TableSource{Ruleset: p.Ruleset, Version: p.Version, File: p.File, Path: p.File, site: site, rs: l.rulesets[i], fsys: fsys}
	if !t.rs.Table {
		return nil, fmt.Errorf("%s has no decision table: its rules stand one below the other", t.File)
	}
	if beside, _, _ := strings.Cut(t.rs.doc.sheet, "#"); beside != "" {
		t.Path = path.Join(path.Dir(t.File), beside)
	}
	return t, nil
}

// carriedToo marks the header of a value that has the name of a fact: columns of
// a workbook have different names.
const carriedToo = " (carried)"

// Cells are the table as it is written, the header first.
func (t *TableSource) Cells() [][]string { return t.rs.grid.texts() }

func (g *grid) texts() [][]string {
	rows := make([][]string, 0, 1+len(g.rows))
	row := make([]string, len(g.header))
	for i, n := range g.header {
		row[i] = strings.TrimSpace(n.Value)
	}
	rows = append(rows, row)
	for _, cells := range g.rows {
		row := make([]string, len(cells))
		for i, n := range cells {
			row[i] = strings.TrimSpace(n.Value)
		}
		rows = append(rows, row)
	}
	return rows
}

// hashOfTable is the same for the same cells.
func hashOfTable(rows [][]string) string {
	h := sha256.New()
	number := func(n int) { h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	number(len(rows))
	for _, row := range rows {
		number(len(row))
		for _, cell := range row {
			number(len(cell))
			io.WriteString(h, cell)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Export writes the table as a workbook. It notes, on a hidden sheet, what it was
// made from, so that Import notices when that has changed since.
func (t *TableSource) Export(w io.Writer) error {
	rows := t.Cells()
	hash := hashOfTable(rows)
	for y, row := range rows {
		for x, cell := range row {
			if at := strings.IndexFunc(cell, unreadable); at >= 0 || strings.Contains(cell, "\r") {
				return fmt.Errorf("export the table of %s: a control character stands in %s: delete it first", t.File, table.CellName(y+1, x))
			}
		}
	}
	then := slices.Index(rows[0], "then")
	for x, word := range rows[0] {
		if x > then && slices.Contains(rows[0][:then], word) {
			rows[0][x] = word + carriedToo
		}
	}
	d := table.Draft{Sheet: sheetName(t.Ruleset), Rows: rows, Room: maxTableRows, Notes: [][2]string{
		{"ruleset", t.Ruleset}, {"site", t.site.Name}, {"version", strconv.Itoa(t.Version)}, {"file", t.File}, {"table", t.Path},
		{"sheet", sheetName(t.Ruleset)}, {"hash", hash}}}
	for x := range rows[0] {
		d.Choices = append(d.Choices, t.choice(t.Cells()[0][x], x < then))
	}
	var out bytes.Buffer // an export is whole or not at all
	if err := d.Write(&out); err != nil {
		return fmt.Errorf("export the table of %s: %w", t.File, err)
	}
	_, err := out.WriteTo(w)
	return err
}

// sheetName is what the sheet of a ruleset is called; Excel allows 31 characters.
func sheetName(ruleset string) string {
	if r := []rune(ruleset); len(r) > 31 {
		return string(r[:31])
	}
	return ruleset
}

// choice is what may be chosen in a column: the words of a fact, of an outcome or
// of a value that it carries. Conditions and values may be expressions too.
func (t *TableSource) choice(header string, asks bool) table.Choice {
	vocabulary, err := VocabularyOf(t.Ruleset)
	if err != nil {
		return table.Choice{}
	}
	quoted := func(words []string) table.Choice {
		out := []string{anything}
		for _, w := range words {
			out = append(out, strconv.Quote(w))
		}
		return table.Choice{Words: out}
	}
	yesOrNo := table.Choice{Words: []string{anything, "true", "false"}}
	if header == "then" {
		return table.Choice{Words: vocabulary.outcomeNames(), Only: true}
	}
	if asks {
		for _, f := range vocabulary.Facts() {
			switch {
			case f.Name != header:
			case f.Kind == KindBool:
				return yesOrNo
			case f.Kind == KindText && len(f.Words) > 0:
				return quoted(f.Words)
			}
		}
		return table.Choice{}
	}
	for i := range vocabulary.Outcomes {
		switch known := vocabulary.Outcomes[i].carried(header); {
		case known == nil:
		case known.Kind == KindBool:
			return yesOrNo
		case known.Kind == KindText && len(known.Words) > 0:
			return quoted(known.Words)
		}
	}
	return table.Choice{}
}
