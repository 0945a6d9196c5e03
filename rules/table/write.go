package table

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Draft is a table that people edit as a workbook: every cell a text, so that
// what is typed arrives as it was typed.
type Draft struct {
	Sheet   string
	Rows    [][]string  // the header first
	Choices []Choice    // by column
	Notes   [][2]string // name and value, for the program alone: on a hidden sheet
	Room    int         // how many rows people may fill
}

// Choice is what a drop-down offers in a column; nothing where it has no words.
type Choice struct {
	Words []string
	Only  bool // nothing else may stand there
}

// NotesSheet is the hidden sheet.
const NotesSheet = "nightshift"

// Widths of columns, in characters.
const (
	narrowest = 10
	widest    = 60
)

// Write writes the draft as a workbook: its header stays in sight, columns are
// as wide as what stands in them.
func (d Draft) Write(w io.Writer) error {
	f := excelize.NewFile()
	defer f.Close()
	for _, step := range []func(*excelize.File) error{d.cells, d.looks, d.notes, d.choices} {
		if err := step(f); err != nil {
			return fmt.Errorf("write the sheet %s: %w", d.Sheet, err)
		}
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write the sheet %s: %w", d.Sheet, err)
	}
	return nil
}

// asText is Excel's number format for cells whose content is never computed.
const asText = 49

func (d Draft) cells(f *excelize.File) error {
	if err := f.SetSheetName("Sheet1", d.Sheet); err != nil {
		return err
	}
	text, err := f.NewStyle(&excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	if err != nil {
		return err
	}
	head, err := f.NewStyle(&excelize.Style{NumFmt: asText, Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE6F0"}}})
	if err != nil {
		return err
	}
	last := columnName(len(d.Rows[0]) - 1)
	if err := f.SetColStyle(d.Sheet, "A:"+last, text); err != nil {
		return err
	}
	for y, row := range d.Rows {
		for x, cell := range row {
			if len([]rune(cell)) > excelize.TotalCellChars {
				return fmt.Errorf("cell %s has more than %d characters, which is all that Excel keeps", cellName(y+1, x), excelize.TotalCellChars)
			}
			if err := f.SetCellStr(d.Sheet, cellName(y+1, x), cell); err != nil {
				return err
			}
		}
	}
	if len(d.Rows) > 1 {
		if err := f.SetCellStyle(d.Sheet, "A2", cellName(len(d.Rows), len(d.Rows[0])-1), text); err != nil {
			return err
		}
	}
	return f.SetCellStyle(d.Sheet, "A1", last+"1", head)
}

// columnName is what spreadsheets call a column; the first is 0.
func columnName(column int) string { return strings.TrimRight(cellName(1, column), "1") }

func (d Draft) looks(f *excelize.File) error {
	for x := range d.Rows[0] {
		width := narrowest
		for _, row := range d.Rows {
			for line := range strings.SplitSeq(row[x], "\n") {
				width = max(width, min(displayed(line)+2, widest))
			}
		}
		if err := f.SetColWidth(d.Sheet, columnName(x), columnName(x), float64(width)); err != nil {
			return err
		}
	}
	return f.SetPanes(d.Sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

// displayed is the width of a text: Chinese characters are twice as wide.
func displayed(text string) int {
	n := 0
	for _, r := range text {
		if n++; r >= 0x2e80 {
			n++
		}
	}
	return n
}

// notes writes the hidden sheet: names and values, and behind them a column for
// each list of words.
func (d Draft) notes(f *excelize.File) error {
	if _, err := f.NewSheet(NotesSheet); err != nil {
		return err
	}
	rows := append([][2]string{{"name", "value"}}, d.Notes...)
	for y, row := range rows {
		if err := f.SetSheetRow(NotesSheet, cellName(y+1, 0), &[]string{row[0], row[1]}); err != nil {
			return err
		}
	}
	for x, list := range d.lists() {
		words := append([]string{fmt.Sprintf("words %d", x+1)}, list...)
		if err := f.SetSheetCol(NotesSheet, cellName(1, x+2), &words); err != nil {
			return err
		}
	}
	return f.SetSheetVisible(NotesSheet, false, true)
}

// lists are the different lists of words, in the order of the columns.
func (d Draft) lists() [][]string {
	var lists [][]string
	for _, c := range d.Choices {
		if len(c.Words) > 0 && !slices.ContainsFunc(lists, func(l []string) bool { return slices.Equal(l, c.Words) }) {
			lists = append(lists, c.Words)
		}
	}
	return lists
}

func (d Draft) choices(f *excelize.File) error {
	lists := d.lists()
	for x, c := range d.Choices {
		if len(c.Words) == 0 {
			continue
		}
		at := columnName(2 + slices.IndexFunc(lists, func(l []string) bool { return slices.Equal(l, c.Words) }))
		v := excelize.NewDataValidation(true)
		v.Sqref = fmt.Sprintf("%s2:%s%d", columnName(x), columnName(x), d.Room+1)
		v.SetSqrefDropList(fmt.Sprintf("%s!$%s$2:$%s$%d", NotesSheet, at, at, len(c.Words)+1))
		v.ShowErrorMessage = false
		if c.Only {
			v.SetError(excelize.DataValidationErrorStyleStop, d.Rows[0][x], "Choose one of the list.")
		}
		if err := f.AddDataValidation(d.Sheet, v); err != nil {
			return err
		}
	}
	return nil
}

// Notes are the names and values of a workbook's hidden sheet; none where it has
// no such sheet.
func Notes(name string, src Source) (map[string]string, error) {
	r, err := New(name, NotesSheet, src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	notes := map[string]string{}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return notes, nil
		}
		if err != nil {
			return nil, err
		}
		notes[row.Cells[0]] = row.Cells[1]
	}
}

// Rewrite is a workbook whose sheet has other rows: those of the lines are
// given other texts, where they differ; lines of no row are removed. What else
// is in the workbook stays. An empty sheet name means the only one.
func Rewrite(name, sheet string, src Source, rows map[int][]string, remove []int) ([]byte, error) {
	r, err := New(name, sheet, src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	book, ok := r.rows.(*workbookRows)
	if !ok {
		return nil, &FileError{Name: name, Reason: "is no workbook"}
	}
	for line, cells := range rows {
		for x, text := range cells {
			at := cellName(line, x)
			was, err := book.file.GetCellValue(book.sheet, at, excelize.Options{RawCellValue: true})
			if err == nil && strings.TrimSpace(shortest(was)) != text {
				err = book.file.SetCellStr(book.sheet, at, text)
			}
			if err != nil {
				return nil, fmt.Errorf("write %s of %s: %w", at, name, err)
			}
		}
	}
	slices.Sort(remove)
	for _, line := range slices.Backward(remove) {
		if err := book.file.RemoveRow(book.sheet, line); err != nil {
			return nil, fmt.Errorf("remove row %d of %s: %w", line, name, err)
		}
	}
	b, err := book.file.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return b.Bytes(), nil
}
