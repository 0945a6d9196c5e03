package table

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// Format is how a file writes its table.
type Format int

const (
	CSV       Format = iota // comma, semicolon or tab between cells; gzip allowed
	JSONLines               // one JSON object a line; gzip allowed
	Workbook                // Excel's xlsx
)

const (
	gzipMagic = "\x1f\x8b"
	zipMagic  = "PK\x03\x04"
	utf8BOM   = "\xef\xbb\xbf"
)

// formatOf finds the format by content first and name second: a workbook that
// somebody called .csv is still a workbook.
func formatOf(name string, src io.ReadSeeker) (Format, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	head = head[:n]
	lower := strings.ToLower(name)
	base := strings.TrimSuffix(lower, ".gz")
	gzipped := bytes.HasPrefix(head, []byte(gzipMagic))
	switch {
	case bytes.HasPrefix(head, []byte(zipMagic)):
		return Workbook, nil
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return 0, &FileError{Name: name, Reason: "is an old or an encrypted Excel file: save it as .xlsx without a password"}
	case strings.HasSuffix(lower, ".xlsx"):
		return 0, &FileError{Name: name, Reason: "is called .xlsx but is no Excel workbook: export it again, or name it after what it is"}
	case strings.HasSuffix(lower, ".gz") && !gzipped:
		return 0, &FileError{Name: name, Reason: "is called .gz but is not gzipped: drop the ending"}
	case bytes.HasPrefix(head, []byte("PAR1")):
		return 0, &FileError{Name: name, Reason: "is a Parquet file: export csv, xlsx or jsonl"}
	case strings.HasSuffix(base, ".jsonl"), strings.HasSuffix(base, ".ndjson"):
		return JSONLines, nil
	case strings.HasSuffix(base, ".csv"), strings.HasSuffix(base, ".tsv"), strings.HasSuffix(base, ".txt"):
		return CSV, nil
	case !gzipped && bytes.HasPrefix(bytes.TrimPrefix(head, []byte(utf8BOM)), []byte("{")):
		return JSONLines, nil
	}
	return CSV, nil
}

// text opens the characters of a csv or jsonl file from its first one: gunzipped,
// behind its byte order mark, and known not to be in one of the wide encodings.
func (r *Reader) text(src io.ReadSeeker) (*bufio.Reader, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s: %w", r.name, err)
	}
	r.read.Store(0)
	b := bufio.NewReaderSize(counter{src, r}, 64<<10)
	if magic, _ := b.Peek(2); string(magic) == gzipMagic {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, r.badGzip(err)
		}
		b = bufio.NewReaderSize(gunzip{z, r}, 64<<10)
	}
	head, err := b.Peek(1024)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if enc := wideEncoding(head); enc != "" {
		return nil, &FileError{Name: r.name, Reason: "is in " + enc + ": save it as UTF-8 (in Excel: \"CSV UTF-8\")"}
	}
	if bytes.HasPrefix(head, []byte(utf8BOM)) {
		b.Discard(len(utf8BOM))
	}
	return b, nil
}

// counter counts for the progress bar what is read from the file.
type counter struct {
	io.Reader
	r *Reader
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.r.read.Add(int64(n))
	return n, err
}

// gunzip says in the trade's words what is wrong with a damaged gzip.
type gunzip struct {
	z *gzip.Reader
	r *Reader
}

func (g gunzip) Read(p []byte) (int, error) {
	n, err := g.z.Read(p)
	if err != nil && err != io.EOF {
		err = g.r.badGzip(err)
	}
	return n, err
}

func (r *Reader) badGzip(err error) error {
	reason := "the gzip is damaged (" + err.Error() + "): fetch the file again"
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		reason = "the gzip is cut off before its end: fetch the file again"
	}
	return &FileError{Name: r.name, Reason: reason, Err: err}
}

// wideEncoding names the encoding of a text whose characters are not single
// bytes of ASCII, by its byte order mark or by where its NUL bytes stand.
func wideEncoding(head []byte) string {
	for _, e := range []struct{ mark, name string }{
		{"\xff\xfe\x00\x00", "UTF-32 (little endian)"}, {"\x00\x00\xfe\xff", "UTF-32 (big endian)"},
		{"\xff\xfe", "UTF-16 (little endian)"}, {"\xfe\xff", "UTF-16 (big endian)"},
	} {
		if bytes.HasPrefix(head, []byte(e.mark)) {
			return e.name
		}
	}
	var nul [2]int
	for i, c := range head {
		if c == 0 {
			nul[i%2]++
		}
	}
	switch half := len(head) / 4; {
	case half > 0 && nul[1] > half && nul[0] == 0:
		return "UTF-16 (little endian)"
	case half > 0 && nul[0] > half && nul[1] == 0:
		return "UTF-16 (big endian)"
	}
	return ""
}

// checkUTF8 answers an error that guesses the encoding if a cell is not UTF-8.
// An encoding belongs to the file, so one such cell condemns all of it.
func (r *Reader) checkUTF8(row Row) error {
	for i, c := range row.Cells {
		if utf8.ValidString(c) {
			continue
		}
		column := fmt.Sprintf("column %d", i+1)
		if i < len(r.columns) {
			column = "column " + r.columns[i]
		}
		return r.notUTF8(row.Line, column, c)
	}
	return nil
}

func (r *Reader) notUTF8(line int, where, text string) error {
	return &FileError{Name: r.name, Line: line,
		Reason: where + " is not UTF-8, it looks like " + narrowEncoding(text) + ": save the file as UTF-8"}
}

// narrowEncoding guesses: the bytes above ASCII come in pairs in Chinese text
// and stand alone in Western text.
func narrowEncoding(s string) string {
	run, odd := 0, false
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] >= 0x80 {
			run++
			continue
		}
		odd = odd || run%2 == 1
		run = 0
	}
	if odd {
		return "Windows-1252 or ISO 8859-1"
	}
	return "GBK or GB18030"
}
