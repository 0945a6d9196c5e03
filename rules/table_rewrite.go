package rules

import (
	"bytes"
	"encoding/csv"
	"errors"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/table"
)

// rewritten is the file that holds the table with other rows. Rows that stay are
// left as they were written, and so is what stands around them; a file in the
// form that Format writes stays in it.
func (t *TableSource) rewritten(edits []rowEdit, rows [][]string) ([]byte, error) {
	old, err := readLimited(t.fsys, t.Path, maxTableBytes)
	if err != nil {
		return nil, err
	}
	file, sheet, _ := strings.Cut(t.rs.doc.sheet, "#")
	switch {
	case strings.HasSuffix(file, ".xlsx"):
		return t.intoWorkbook(old, path.Base(file), sheet, edits, rows)
	case file != "":
		return tidyAgain(file, old, t.intoCSV(old, edits, rows))
	}
	return tidyAgain(t.File, old, t.intoYAML(old, edits, rows))
}

// tidyAgain formats a file that was formatted before.
func tidyAgain(name string, old, changed []byte) ([]byte, error) {
	if tidy, err := Format(name, old); err != nil || !bytes.Equal(tidy, old) {
		return changed, nil
	}
	return Format(name, changed)
}

// intoYAML writes the rows into the rule file.
func (t *TableSource) intoYAML(old []byte, edits []rowEdit, rows [][]string) []byte {
	top := t.rs.top
	n := top.fields["table"]
	lines, newline := strings.Split(string(old), "\n"), "\n"
	if strings.Contains(string(old), "\r\n") {
		lines, newline = strings.Split(strings.ReplaceAll(string(old), "\r\n", "\n"), "\n"), "\r\n"
	}
	begins, end := t.lineOfKey(n), t.lineAfter(n, lines)
	starts := make([]int, len(n.Content)) // of the rows, counted from 0
	whole := n.Style&yaml.FlowStyle != 0
	for i, row := range n.Content {
		starts[i] = row.Line - 1
		whole = whole || i > 0 && starts[i] <= starts[i-1] || !strings.HasPrefix(strings.TrimLeft(lines[starts[i]], " "), "-")
	}
	indent := strings.Repeat(" ", n.Column-1)
	if whole {
		indent = strings.Repeat(" ", top.node.Column-1)
		out := append(slices.Clone(lines[:begins]), indent+"table:")
		for _, row := range rows {
			out = append(out, indent+"  - "+flowRow(row))
		}
		return []byte(strings.Join(append(out, lines[end:]...), newline))
	}
	out := slices.Clone(lines[:starts[0]])
	upto := starts[0] // the lines before it are written
	for _, e := range edits {
		if e.before >= 0 {
			ends := end
			if e.before+1 < len(starts) {
				ends = commentsAbove(lines, starts[e.before+1])
			}
			out = append(out, lines[upto:starts[e.before]]...)
			if !e.changed {
				out = append(out, lines[starts[e.before]:ends]...)
			}
			upto = ends
		}
		if e.after >= 0 && e.changed {
			line := indent + "- " + flowRow(rows[e.after])
			if e.before >= 0 && n.Content[e.before].LineComment != "" {
				line += " " + n.Content[e.before].LineComment
			}
			out = append(out, line)
		}
	}
	return []byte(strings.Join(append(out, lines[upto:]...), newline))
}

// lineOfKey is the line, counted from 0, of the key whose value that is.
func (t *TableSource) lineOfKey(value *yaml.Node) int {
	all := t.rs.top.node.Content
	return all[slices.Index(all, value)-1].Line - 1
}

// lineAfter is the line behind a value, counted from 0, less the comments and
// empty lines before the next key.
func (t *TableSource) lineAfter(value *yaml.Node, lines []string) int {
	all := t.rs.top.node.Content
	if next := slices.Index(all, value) + 1; next < len(all) {
		return commentsAbove(lines, all[next].Line-1)
	}
	return commentsAbove(lines, len(lines))
}

// commentsAbove is where the comments and empty lines above a line begin.
func commentsAbove(lines []string, line int) int {
	for line > 0 {
		if text := strings.TrimSpace(lines[line-1]); text != "" && !strings.HasPrefix(text, "#") {
			break
		}
		line--
	}
	return line
}

// flowRow is a row of a table in YAML.
func flowRow(cells []string) string {
	return string(appendTexts(nil, cells))
}

// intoCSV writes the rows into the CSV file.
func (t *TableSource) intoCSV(old []byte, edits []rowEdit, rows [][]string) []byte {
	body, marked := bytes.CutPrefix(old, []byte(byteOrderMark))
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	var records [][]byte // as they stand in the file
	for from := int64(0); ; from = r.InputOffset() {
		cells, err := r.Read()
		if err != nil {
			break
		}
		if !(table.Row{Cells: cells}).Blank() {
			records = append(records, body[from:r.InputOffset()])
		}
	}
	var out bytes.Buffer
	if marked {
		out.WriteString(byteOrderMark)
	}
	w := csv.NewWriter(&out)
	w.UseCRLF = bytes.Contains(body, []byte("\r\n"))
	for _, e := range edits {
		if n := out.Len(); n > 0 && out.Bytes()[n-1] != '\n' && !(marked && n == len(byteOrderMark)) {
			out.WriteString(map[bool]string{true: "\r\n", false: "\n"}[w.UseCRLF])
		}
		switch {
		case e.after < 0:
		case !e.changed:
			out.Write(records[e.before])
		default:
			_ = w.Write(rows[e.after]) // into memory
			w.Flush()
		}
	}
	return out.Bytes()
}

// intoWorkbook writes the rows into the sheet of the workbook, each into the
// line of the row that stood there.
func (t *TableSource) intoWorkbook(old []byte, name, sheet string, edits []rowEdit, rows [][]string) ([]byte, error) {
	g := t.rs.grid
	lines := []int{g.header[0].Line}
	for _, row := range g.rows {
		lines = append(lines, row[0].Line)
	}
	before, write := t.Cells(), map[int][]string{}
	for i, row := range rows {
		line := lines[len(lines)-1] + 1 + i - len(lines)
		if i < len(lines) {
			if line = lines[i]; slices.Equal(before[i], row) {
				continue
			}
		}
		write[line] = append(slices.Clone(row), make([]string, max(0, len(before[0])-len(row)))...)
	}
	out, err := table.Rewrite(name, sheet, bytes.NewReader(old), write, lines[min(len(rows), len(lines)):])
	if err == nil && len(out) > maxTableBytes {
		err = errors.New("the workbook would be too large: split the table")
	}
	return out, err
}
