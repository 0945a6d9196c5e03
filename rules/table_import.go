package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/table"
)

// ErrStale marks a workbook whose table has changed since it was exported.
var ErrStale = errors.New("the table has changed since it was exported")

// TableExport is what a workbook that was exported says of itself.
type TableExport struct {
	Ruleset, Site string
	Version       int

	name, sheet, hash string
	content           []byte
}

// ReadTableExport reads what an exported workbook says of itself.
func ReadTableExport(name string, content []byte) (*TableExport, error) {
	notes, err := table.Notes(name, bytes.NewReader(content))
	if err != nil || notes["hash"] == "" {
		var file *table.FileError
		if err != nil && errors.As(err, &file) && !strings.Contains(file.Reason, table.NotesSheet) {
			return nil, err // it is no workbook at all
		}
		return nil, fmt.Errorf("import %s: it is no table that was exported: make one with `nightshift rules table export`, and change that", name)
	}
	x := &TableExport{Ruleset: notes["ruleset"], Site: notes["site"], name: name, sheet: notes["sheet"], hash: notes["hash"], content: content}
	x.Version, err = strconv.Atoi(notes["version"])
	if err != nil {
		return nil, fmt.Errorf("import %s: its hidden sheet was changed: export the table again", name)
	}
	return x, nil
}

// TableImport is what an import comes to: the file that holds the table, as it
// would be.
type TableImport struct {
	Path    string // in the rule directory
	Content []byte // nil where nothing has changed
	Changes []RowChange
}

// RowChange is a row that differs.
type RowChange struct {
	Row   string // its name, or its number
	What  string // changed, added or removed
	Cells []CellChange
}

// CellChange is a cell of a changed row that differs.
type CellChange struct{ Column, Was, Is string }

// Import brings an exported workbook back to where its table stands. It writes
// nothing: it answers the file as it would be. A table that would not compile is
// Problems, which name its cells; one that was changed since it was exported is
// ErrStale.
func (t *TableSource) Import(x *TableExport) (*TableImport, error) {
	d, g, err := t.read(x)
	if err != nil {
		return nil, err
	}
	before, after := t.Cells(), g.texts()
	for i, word := range after[0] {
		after[0][i] = strings.TrimSuffix(word, carriedToo)
		g.header[i].Value = after[0][i]
	}
	edits := rowEdits(before, after)
	in := &TableImport{Path: t.Path, Changes: changesOf(before, after, edits)}
	if len(in.Changes) == 0 {
		return in, nil
	}
	if x.hash != hashOfTable(before) {
		return nil, fmt.Errorf("import %s: %w: %s is no longer what it was made from. Export it again, and make your changes there", x.name, ErrStale, t.Path)
	}
	if problems := t.check(d, g); len(problems) > 0 {
		return nil, problems
	}
	if in.Content, err = t.rewritten(edits, after); err != nil {
		return nil, fmt.Errorf("import %s: %w", x.name, err)
	}
	again, err := FindTable(overlay{t.fsys, t.Path, in.Content}, t.site.Name, t.Ruleset, t.Version, 0)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(again.Cells(), after, slices.Equal) {
		return nil, fmt.Errorf("import %s: the table cannot be written into %s so that it says the same: change it there by hand", x.name, t.Path)
	}
	return in, nil
}

// read reads the cells of the workbook, and the rule file that they go into.
func (t *TableSource) read(x *TableExport) (*document, *grid, error) {
	d := readDocument(t.File, []byte(t.rs.doc.text))
	d.sheet, d.cells = path.Base(x.name)+"#"+x.sheet, map[*yaml.Node]string{}
	s := sheetReader{doc: d, workbook: true}
	var g *grid
	var err error
	if s.r, err = table.New(x.name, x.sheet, bytes.NewReader(x.content)); err != nil {
		s.refuse(err)
	} else {
		defer s.r.Close()
		g = s.read()
	}
	if len(d.problems) > 0 {
		return nil, nil, d.problems.sorted()
	}
	return d, g, nil
}

// check compiles the rule file with the rows of the workbook.
func (t *TableSource) check(d *document, g *grid) Problems {
	cells, sheet := d.cells, d.sheet
	rs := parse(d, func(name string, most int) ([]byte, error) {
		return readLimited(t.fsys, path.Join(path.Dir(t.File), name), most)
	})
	d.cells, d.sheet = cells, sheet
	rs.shared, rs.asks, rs.gives, rs.Rules = t.rs.shared, nil, nil, nil
	if l := d.layout(g, rs); l != nil {
		rs.Rules = d.rows(g, l)
		compilePhases(rs, t.site.Currency, 0)
	}
	return d.problems.sorted()
}

// rowEdit is a row of the table before, of the one after, or of both.
type rowEdit struct {
	before, after int // -1: it is not there
	changed       bool
}

// rowEdits pairs the rows of two tables, in their order: those that say the same,
// and between them those that were changed. A cell that says the same in other
// digits keeps those it had.
func rowEdits(before, after [][]string) []rowEdit {
	norm := func(rows [][]string) []string {
		out := make([]string, len(rows))
		for i, row := range rows {
			for _, cell := range row {
				out[i] += plainNumber(cell) + "\x00"
			}
		}
		return out
	}
	a, b := norm(before), norm(after)
	edits := []rowEdit{{0, 0, a[0] != b[0]}}
	from := 1
	gap := func(toA, toB, fromB int) {
		edits = append(edits, paired(before, after, from, toA, fromB, toB)...)
	}
	fromB := 1
	for _, same := range longestCommon(a[1:], b[1:]) {
		i, j := same[0]+1, same[1]+1
		gap(i, j, fromB)
		edits = append(edits, rowEdit{i, j, false})
		from, fromB = i+1, j+1
		copy(after[j], before[i])
	}
	gap(len(a), len(b), fromB)
	for _, e := range edits {
		if e.before < 0 || e.after < 0 {
			continue
		}
		for x, cell := range after[e.after] {
			if x < len(before[e.before]) && plainNumber(before[e.before][x]) == plainNumber(cell) {
				after[e.after][x] = before[e.before][x]
			}
		}
	}
	return edits
}

// paired are the rows of a gap: by their names where they have any, the others
// in turn.
func paired(before, after [][]string, fromA, toA, fromB, toB int) []rowEdit {
	named := slices.Index(before[0], "name")
	partner := map[int]int{}
	taken := map[int]bool{}
	next := fromA
	for j := fromB; j < toB; j++ {
		for i := next; i < toA; i++ {
			sameName := named >= 0 && named < len(after[j]) && slices.Index(after[0], "name") == named && before[i][named] == after[j][named]
			if sameName || named < 0 {
				partner[j], taken[i], next = i, true, i+1
				break
			}
		}
	}
	var edits []rowEdit
	i := fromA
	for j := fromB; j < toB; j++ {
		p, paired := partner[j]
		for ; paired && i < p; i++ {
			edits = append(edits, rowEdit{i, -1, true})
		}
		if paired {
			edits = append(edits, rowEdit{p, j, true})
			i = p + 1
			continue
		}
		edits = append(edits, rowEdit{-1, j, true})
	}
	for ; i < toA; i++ {
		edits = append(edits, rowEdit{i, -1, true})
	}
	return edits
}

// mostCompared bounds the work of finding what two tables have in common.
const mostCompared = 4_000_000

// longestCommon are the pairs of equal rows of two lists, in order, as many as
// there are; of very different long lists those at the beginning and the end.
func longestCommon(a, b []string) [][2]int {
	var head, tail [][2]int
	from := 0
	for ; from < len(a) && from < len(b) && a[from] == b[from]; from++ {
		head = append(head, [2]int{from, from})
	}
	toA, toB := len(a), len(b)
	for ; toA > from && toB > from && a[toA-1] == b[toB-1]; toA, toB = toA-1, toB-1 {
		tail = append(tail, [2]int{toA - 1, toB - 1})
	}
	slices.Reverse(tail)
	n, m := toA-from, toB-from
	if n*m > mostCompared || n == 0 || m == 0 {
		return append(head, tail...)
	}
	length := make([][]int32, n+1)
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[from+i] == b[from+j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[from+i] == b[from+j]:
			head = append(head, [2]int{from + i, from + j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return append(head, tail...)
}

// changesOf says the edits to whoever made them.
func changesOf(before, after [][]string, edits []rowEdit) []RowChange {
	var out []RowChange
	name := func(rows [][]string, i int) string {
		at := slices.Index(rows[0], "name")
		switch {
		case i == 0:
			return "the header"
		case at >= 0 && at < len(rows[i]) && rows[i][at] != "" && rows[i][at] != anything:
			return rows[i][at]
		}
		return "row " + strconv.Itoa(i+1)
	}
	for _, e := range edits {
		switch {
		case e.before < 0:
			out = append(out, RowChange{Row: name(after, e.after), What: "added"})
		case e.after < 0:
			out = append(out, RowChange{Row: name(before, e.before), What: "removed"})
		case !slices.Equal(before[e.before], after[e.after]):
			c := RowChange{Row: name(after, e.after), What: "changed"}
			for x := range max(len(before[e.before]), len(after[e.after])) {
				was, is := cellAt(before, e.before, x), cellAt(after, e.after, x)
				if was != is {
					c.Cells = append(c.Cells, CellChange{cellAt(after, 0, x), was, is})
				}
			}
			out = append(out, c)
		}
	}
	return out
}

func cellAt(rows [][]string, y, x int) string {
	if x < len(rows[y]) {
		return rows[y][x]
	}
	return ""
}

// overlay is a directory with another content of one file.
type overlay struct {
	fs.FS
	name    string
	content []byte
}

// Open opens the file as it would be, or another one as it is.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err != nil || name != o.name {
		return f, err
	}
	return &overlaid{f, bytes.NewReader(o.content)}, nil
}

type overlaid struct {
	fs.File
	io.Reader
}

// Read reads the other content.
func (o *overlaid) Read(p []byte) (int, error) { return o.Reader.Read(p) }
