package table

import (
	"archive/zip"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// Limits of a workbook, which is a zip file: what it may unpack to, and how many
// times its own size. A full sheet of a million rows unpacks to less than one
// gigabyte, at ten to thirty times.
const (
	maxUnpacked = 2 << 30
	maxRatio    = 250
	ratioFrom   = 64 << 20 // small files may repeat themselves
	inMemory    = 4 << 20  // a part that unpacks to more goes through a temporary file
)

// workbookRows reads one sheet as raw cell text, row by row.
type workbookRows struct {
	r    *Reader
	file *excelize.File
	rows *excelize.Rows
	line int

	sheet string
}

func (r *Reader) openWorkbook(src Source, sheet string) error {
	if err := r.checkZip(src); err != nil {
		return err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	f, err := excelize.OpenReader(src, excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: inMemory})
	if err != nil {
		return r.badWorkbook(err)
	}
	if sheet, err = r.chooseSheet(f, sheet); err != nil {
		return errors.Join(err, f.Close())
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return errors.Join(r.badWorkbook(err), f.Close())
	}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		r.date1904 = *props.Date1904
	}
	r.padded = true
	r.read.Store(r.size) // it was read as a whole; its rows have no place in the file
	r.rows = &workbookRows{r: r, file: f, rows: rows, sheet: sheet}
	return nil
}

func (r *Reader) badWorkbook(err error) error {
	return &FileError{Name: r.name, Err: err, Reason: "is no readable Excel workbook (" + err.Error() + "): open it in Excel and save it as .xlsx again"}
}

// checkZip refuses a workbook that would unpack without bound.
func (r *Reader) checkZip(src Source) error {
	z, err := zip.NewReader(src, r.size)
	if err != nil {
		return r.badWorkbook(err)
	}
	var unpacked uint64
	for _, part := range z.File {
		unpacked += min(part.UncompressedSize64, math.MaxInt64)
		if unpacked > maxUnpacked || unpacked > ratioFrom && unpacked > uint64(r.size)*maxRatio {
			return &FileError{Name: r.name, Reason: fmt.Sprintf(
				"unpacks to more than %d MB from %d kB: a workbook that large is refused, export csv instead", unpacked>>20, r.size>>10)}
		}
	}
	r.parts = z.File
	return nil
}

// checkWhole refuses a workbook whose sheets are not whole: excelize ends a
// sheet where its XML breaks, and the rows behind would be lost in silence. It
// is asked at the end of the rows, because who wants fewer need not wait for it.
func (r *Reader) checkWhole() error {
	for _, part := range r.parts {
		name := strings.ToLower(part.Name)
		if strings.HasPrefix(name, "xl/worksheets/sheet") || name == "xl/sharedstrings.xml" {
			if err := wellFormed(part); err != nil {
				return r.badWorkbook(fmt.Errorf("%s: %w", part.Name, err))
			}
		}
	}
	return nil
}

func wellFormed(part *zip.File) error {
	in, err := part.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	d := xml.NewDecoder(in)
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// chooseSheet takes the sheet that was named, or the only one there is.
func (r *Reader) chooseSheet(f *excelize.File, name string) (string, error) {
	var visible []string
	for _, s := range f.GetSheetList() {
		if s == name {
			return s, nil
		}
		if shown, err := f.GetSheetVisible(s); err == nil && shown {
			visible = append(visible, s)
		}
	}
	if name == "" && len(visible) == 1 {
		return visible[0], nil
	}
	if len(visible) == 0 {
		visible = f.GetSheetList()
	}
	if name != "" {
		return "", &FileError{Name: r.name, Reason: fmt.Sprintf("has no sheet %s: it has %s", name, strings.Join(visible, ", "))}
	}
	return "", &FileError{Name: r.name, Reason: fmt.Sprintf("has the sheets %s: name one, as in '%s#%s'", strings.Join(visible, ", "), r.name, visible[0])}
}

func (w *workbookRows) header() (Row, error) { return w.next() }

func (w *workbookRows) next() (Row, error) {
	if !w.rows.Next() {
		if err := w.rows.Error(); err != nil {
			return Row{}, w.r.badWorkbook(err)
		}
		return Row{}, cmp.Or(w.r.checkWhole(), io.EOF)
	}
	w.line++
	cells, err := w.rows.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return Row{}, w.r.badWorkbook(err)
	}
	row := Row{Line: w.line, Cells: cells}
	for i, c := range cells {
		if cells[i] = shortest(c); cells[i] != c {
			if row.noisy == nil {
				row.noisy = map[int]string{}
			}
			row.noisy[i] = c
		}
	}
	return row, nil
}

func (w *workbookRows) close() error {
	return errors.Join(w.rows.Close(), w.file.Close())
}

// shortest undoes the noise of Excel's numbers: 1.1 is stored as
// 1.1000000000000001. The shorter text is the same number to Excel, or the text
// stays as it is.
func shortest(cell string) string {
	const digits = 15 // what Excel itself keeps
	if len(cell) <= digits+1 || len(cell) > 30 || !strings.Contains(cell, ".") {
		return cell
	}
	f, err := strconv.ParseFloat(cell, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return cell
	}
	short := strconv.FormatFloat(f, 'g', digits, 64)
	if again, _ := strconv.ParseFloat(short, 64); again != f {
		return cell
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func cellName(line, column int) string {
	name, err := excelize.CoordinatesToCellName(column+1, line)
	if err != nil {
		return fmt.Sprintf("row %d, column %d", line, column+1)
	}
	return name
}

// SerialTime reads a workbook's date or date with time, which is a count of days
// since the end of 1899 (or since 1904), as that clock reading without a time
// zone (written in UTC), to the second. It answers false if the text is no such
// number.
func SerialTime(cell string, date1904 bool) (time.Time, bool) {
	days, err := strconv.ParseFloat(cell, 64)
	if err != nil || !(days >= 1 && days < 2_958_466) { // to the end of 9999
		return time.Time{}, false
	}
	t, err := excelize.ExcelDateToTime(days, date1904)
	if err != nil {
		return time.Time{}, false
	}
	return t.Round(time.Second), true
}
