package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// csvRows reads RFC 4180 csv. Quotes are taken strictly: a quote in the wrong
// place leaves it open where the next row begins.
type csvRows struct {
	r     *Reader
	csv   *csv.Reader
	meter *meter
	last  int // line of the last row
}

func (r *Reader) openCSV(src io.ReadSeeker) error {
	text, err := r.text(src)
	if err != nil {
		return err
	}
	comma, err := delimiter(text)
	if err != nil {
		return err
	}
	m := &meter{r: text}
	c := csv.NewReader(bufio.NewReaderSize(m, 64<<10))
	c.Comma = comma
	c.FieldsPerRecord = -1 // fit counts, so that one short row is one bad row
	r.rows = &csvRows{r: r, csv: c, meter: m}
	return nil
}

// delimiter is the comma, unless the first line holds none and holds a
// semicolon or a tab, as spreadsheets of some countries write it. Amounts with a
// decimal comma are not understood all the same.
func delimiter(b *bufio.Reader) (rune, error) {
	head, err := b.Peek(b.Size())
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return 0, err
	}
	head = bytes.TrimLeft(head, "\r\n")
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		head = head[:i]
	}
	for _, d := range ",;\t" {
		if bytes.ContainsRune(head, d) {
			return d, nil
		}
	}
	return ',', nil
}

// errTooLong is what the csv reader sees when a record passes the limit.
var errTooLong = errors.New("record too long")

// meter counts what the csv reader took since the last record, and ends its
// input when that passes the limit: the csv reader itself would gather a line of
// any length, or all that follows an open quote. Blank lines are not counted.
type meter struct {
	r     io.Reader
	since int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.since > maxRecord {
		return 0, errTooLong
	}
	n, err := m.r.Read(p)
	m.since += n - bytes.Count(p[:n], []byte{'\n'})
	return n, err
}

func (c *csvRows) header() (Row, error) { return c.next() }
func (c *csvRows) close() error         { return nil }

func (c *csvRows) next() (Row, error) {
	cells, err := c.csv.Read()
	c.meter.since = 0
	if err != nil {
		return Row{}, c.explain(cells, err)
	}
	c.last, _ = c.csv.FieldPos(0)
	row := Row{Line: c.last, Cells: cells}
	return row, c.r.checkUTF8(row)
}

// explain sorts the csv reader's errors into those of one row and those after
// which nobody knows where a row begins.
func (c *csvRows) explain(cells []string, err error) error {
	var parse *csv.ParseError
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, errTooLong):
		return &FileError{Name: c.r.name, Line: c.last + 1, Err: err, Reason: fmt.Sprintf(
			"the row is longer than %d MB: is a quote never closed, or are there no line ends?", maxRecord>>20)}
	case errors.As(err, &parse) && errors.Is(err, csv.ErrBareQuote):
		return &RowError{Line: parse.StartLine, Column: c.column(len(cells)),
			Reason: fmt.Sprintf("a quote stands inside a cell that is not quoted (%d:%d): quote the cell and double the quotes in it", parse.Line, parse.Column)}
	case errors.As(err, &parse):
		return &FileError{Name: c.r.name, Line: parse.StartLine, Err: err, Reason: fmt.Sprintf(
			"a quoted cell is not closed as it should (%d:%d): put it between quotes and double the quotes in it", parse.Line, parse.Column)}
	}
	return err
}

func (c *csvRows) column(i int) string {
	if i < len(c.r.columns) {
		return c.r.columns[i]
	}
	return ""
}
