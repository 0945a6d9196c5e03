// Package table reads tables that people and programs export: csv, csv.gz,
// xlsx and jsonl, as the raw text of their cells.
//
// Owns: which format a file has, its encoding and limits, where each row stands.
// Does not own: what a cell means. A date, an amount or a condition is text here.
// Always: rows are streamed, and memory is bounded by the longest row (workbooks
// excepted, which are zip files and are unpacked to disk); what cannot be read
// is an error that says where and why, never a shorter table.
package table

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// Limits of what is read. They are far above any table that is meant, and far
// below what would exhaust the machine.
const (
	maxRecord  = 32 << 20 // bytes of one row, csv and jsonl
	maxColumns = 16_384   // Excel's own limit
)

// Row is one row below the header. Cells has one entry for each column of the
// header and belongs to the caller.
type Row struct {
	Line  int // of the file, from 1; the row number in a workbook
	Cells []string

	noisy map[int]string // numbers of a workbook that are given shorter, as they are stored
}

// Blank says whether no cell holds anything but white space.
func (r Row) Blank() bool {
	for _, c := range r.Cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// RowError is one row that cannot be read. The rows after it still can.
type RowError struct {
	Line   int
	Column string // its name, if one cell is to blame
	Value  string
	Reason string
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d, column %s: %s", e.Line, e.Column, e.Reason)
}

// FileError says why a file as a whole cannot be read as a table.
type FileError struct {
	Name   string
	Line   int // 0 if no line is to blame
	Column int // from 1; 0 if no one column is to blame
	Reason string
	Err    error // what the library said, if that helps
}

func (e *FileError) Error() string {
	where := e.Name
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	return where + ": " + e.Reason
}

func (e *FileError) Unwrap() error { return e.Err }

// rows is a table in one of the formats. next answers io.EOF after the last
// row, *RowError for one bad row, and any other error for good.
type rows interface {
	header() (Row, error)
	next() (Row, error)
	close() error
}

// Source is the content of a file; *os.File and *bytes.Reader are such.
type Source interface {
	io.ReadSeeker
	io.ReaderAt
}

// Reader reads one table from its header to its last row. It is not safe for
// concurrent use, except for Progress.
type Reader struct {
	name     string
	format   Format
	rows     rows
	columns  []string
	header   int  // the line of the columns' names
	padded   bool // trailing empty cells may be missing, as in workbooks
	date1904 bool
	parts    []*zip.File // of a workbook
	source   io.ReaderAt
	file     io.Closer
	read     atomic.Int64
	size     int64
}

// Open opens the table in the file at path. A sheet of a workbook that has
// several is named after a number sign: "orders.xlsx#March".
func Open(path string) (*Reader, error) {
	sheet := ""
	if _, err := os.Stat(path); err != nil {
		if file, name, ok := strings.Cut(path, "#"); ok {
			path, sheet = file, name
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, &FileError{Name: path, Reason: "is a directory: name a file"}
	}
	r, err := New(path, sheet, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// New reads the table in src. The name serves messages and, where the content
// leaves it open, the choice of the format; sheet may be empty.
func New(name, sheet string, src Source) (*Reader, error) {
	size, err := src.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	r := &Reader{name: name, source: src, size: size}
	if r.format, err = formatOf(name, src); err != nil {
		return nil, err
	}
	switch r.format {
	case Workbook:
		err = r.openWorkbook(src, sheet)
	case JSONLines:
		err = r.openJSONLines(src)
	default:
		err = r.openCSV(src)
	}
	if err != nil {
		return nil, err
	}
	if err := r.readHeader(); err != nil {
		r.rows.close()
		return nil, err
	}
	return r, nil
}

// Columns are the names in the header, without white space around them.
func (r *Reader) Columns() []string { return r.columns }

// Format is the format that was found.
func (r *Reader) Format() Format { return r.format }

// Date1904 says that the serial dates of a workbook count from 1904.
func (r *Reader) Date1904() bool { return r.date1904 }

// Progress is how many bytes of the file were read, of how many.
func (r *Reader) Progress() (read, size int64) { return min(r.read.Load(), r.size), r.size }

// SHA256 is the hash of the file's bytes, whatever was read of it.
func (r *Reader) SHA256() ([32]byte, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r.source, 0, r.size)); err != nil {
		return [32]byte{}, fmt.Errorf("read %s: %w", r.name, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// Close closes the file.
func (r *Reader) Close() error {
	err := r.rows.close()
	if r.file != nil {
		if e := r.file.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Next reads the next row that holds anything. It answers io.EOF after the
// last one, a *RowError for a row that cannot be read (the next call goes on
// after it), and any other error for good.
func (r *Reader) Next() (Row, error) {
	for {
		row, err := r.rows.next()
		if err != nil {
			return row, err
		}
		if row.Blank() {
			continue
		}
		return r.fit(row)
	}
}

// Place names a cell as the people who wrote the file see it: "B7" in a
// workbook, "line 7, column price" elsewhere. The first column is 0.
func (r *Reader) Place(line, column int) string {
	if r.format == Workbook {
		return cellName(line, column)
	}
	return fmt.Sprintf("line %d, column %s", line, r.columns[column])
}

// fit gives a row as many cells as the header has.
func (r *Reader) fit(row Row) (Row, error) {
	want := len(r.columns)
	for len(row.Cells) > want && row.Cells[len(row.Cells)-1] == "" {
		row.Cells = row.Cells[:len(row.Cells)-1]
	}
	got := len(row.Cells)
	if got > want || got < want && !r.padded {
		return row, &RowError{Line: row.Line, Value: excerpt(strings.Join(row.Cells, ",")),
			Reason: fmt.Sprintf("has %d cells, the header has %d: quote cells that contain the delimiter", got, want)}
	}
	for len(row.Cells) < want {
		row.Cells = append(row.Cells, "")
	}
	return row, nil
}

// readHeader takes the first row that holds anything as the names of the columns.
func (r *Reader) readHeader() error {
	row, err := r.rows.header()
	for err == nil && row.Blank() {
		row, err = r.rows.header()
	}
	if err == io.EOF {
		return &FileError{Name: r.name, Reason: "is empty: a table begins with the names of its columns"}
	}
	if err != nil {
		return r.final(err)
	}
	names := make([]string, 0, len(row.Cells))
	for _, c := range row.Cells {
		names = append(names, strings.TrimSpace(c))
	}
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1]
	}
	if column, reason := badHeader(names); reason != "" {
		return &FileError{Name: r.name, Line: row.Line, Column: column, Reason: reason}
	}
	r.columns, r.header = names, row.Line
	return nil
}

// final turns a bad header row into an error about the file.
func (r *Reader) final(err error) error {
	if bad, ok := err.(*RowError); ok {
		return &FileError{Name: r.name, Line: bad.Line, Reason: bad.Reason}
	}
	return err
}

// badHeader says what is wrong with the names of the columns, and with which.
func badHeader(names []string) (column int, reason string) {
	if len(names) > maxColumns {
		return maxColumns + 1, fmt.Sprintf("has %d columns: at most %d are read", len(names), maxColumns)
	}
	seen := make(map[string]int, len(names))
	for i, n := range names {
		if n == "" {
			return i + 1, fmt.Sprintf("column %d has no name: the first line names every column", i+1)
		}
		if strings.ContainsRune(n, '\r') {
			return 0, "ends its lines with lone carriage returns: save it with line feeds"
		}
		if before, twice := seen[n]; twice {
			return i + 1, fmt.Sprintf("columns %d and %d are both called %s: give each its own name", before+1, i+1, n)
		}
		seen[n] = i
	}
	return 0, ""
}

// excerpt keeps a value short enough for a message, on a rune's border.
func excerpt(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
