package table

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

// HeaderLine is the line in which the columns are named.
func (r *Reader) HeaderLine() int { return r.header }

// CellName names a cell as spreadsheets do: the first column of line 7 is A7.
func CellName(line, column int) string { return cellName(line, column) }
