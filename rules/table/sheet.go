package table

import "github.com/xuri/excelize/v2"

// Merged are the ranges of merged cells of a workbook's sheet, such as "B2:C3".
// Only the first cell of each holds what all of them show.
func (r *Reader) Merged() ([]string, error) {
	w, ok := r.rows.(*workbookRows)
	if !ok {
		return nil, nil
	}
	merged, err := w.file.GetMergeCells(w.sheet)
	if err != nil {
		return nil, r.badWorkbook(err)
	}
	ranges := make([]string, len(merged))
	for i, m := range merged {
		ranges[i] = m.GetStartAxis() + ":" + m.GetEndAxis()
	}
	return ranges, nil
}

// Formula is the formula in a workbook's cell, empty where there is none. A
// formula whose cell reads as empty was never computed: programs that are not
// Excel write such. The first column is 0.
func (r *Reader) Formula(line, column int) string {
	w, ok := r.rows.(*workbookRows)
	if !ok {
		return ""
	}
	formula, err := w.file.GetCellFormula(w.sheet, cellName(line, column))
	if err != nil {
		return ""
	}
	return formula
}

// Typed is a cell of a row of a workbook as somebody typed it: ok is false where
// the cell holds a number, of which only the value is kept. It is asked of cells
// that look like numbers.
func (r *Reader) Typed(row Row, column int) (text string, ok bool) {
	w, isWorkbook := r.rows.(*workbookRows)
	if !isWorkbook {
		return "", false
	}
	text, shorter := row.noisy[column]
	if !shorter {
		text = row.Cells[column]
	}
	kind, err := w.file.GetCellType(w.sheet, cellName(row.Line, column))
	return text, err == nil && (kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString)
}

// Shorter tells whether a cell is a number that is given shorter than it is stored.
func (r Row) Shorter(column int) bool { return r.noisy[column] != "" }

// HeaderLine is the line in which the columns are named.
func (r *Reader) HeaderLine() int { return r.header }

// CellName names a cell as spreadsheets do: the first column of line 7 is A7.
func CellName(line, column int) string { return cellName(line, column) }
