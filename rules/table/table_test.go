package table

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// read answers the columns and the rows, a bad row as its error's text.
func read(r *Reader, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got := []string{strings.Join(r.Columns(), "|")}
	for {
		row, err := r.Next()
		var bad *RowError
		switch {
		case err == io.EOF:
			return got, nil
		case errors.As(err, &bad):
			got = append(got, "! "+bad.Error())
		case err != nil:
			return got, err
		default:
			got = append(got, fmt.Sprintf("%d %s", row.Line, strings.Join(row.Cells, "|")))
		}
	}
}

func readText(name, text string) ([]string, error) {
	return read(New(name, "", strings.NewReader(text)))
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func utf16le(text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func TestTables(t *testing.T) {
	blank := strings.Repeat("\n", 50_000) + strings.Repeat(",\r\n", 50_000)
	for _, tt := range []struct {
		name, file, text string
		want             []string
	}{
		{"commas", "a.csv", "code,name\ns1,Ann\n", []string{"code|name", "2 s1|Ann"}},
		{"byte order mark, CRLF and quotes", "a.csv", "\xef\xbb\xbf\"code\",name\r\ns1,\"Ann \"\"A\"\", Ltd\r\nof Bath\"\r\ns2,Bob\r\n",
			[]string{"code|name", "2 s1|Ann \"A\", Ltd\nof Bath", "4 s2|Bob"}},
		{"no line end at the end", "a.csv", "code,name\ns1,Ann", []string{"code|name", "2 s1|Ann"}},
		{"semicolons", "a.csv", "code;name\ns1;Ann, Ltd\n", []string{"code|name", "2 s1|Ann, Ltd"}},
		{"tabs", "a.tsv", "code\tname\ns1\tAnn\n", []string{"code|name", "2 s1|Ann"}},
		{"one column", "a.csv", "code\ns1\n", []string{"code", "2 s1"}},
		{"gzip", "a.csv.gz", gzipped("\xef\xbb\xbfcode\ns1\n"), []string{"code", "2 s1"}},
		{"gzip by content alone", "a.csv", gzipped("code\ns1\n"), []string{"code", "2 s1"}},
		{"100,000 blank lines", "a.csv", blank + "code,name\n" + blank + "s1,Ann\n" + blank,
			[]string{"code|name", "200002 s1|Ann"}},
		{"a short and a long row", "a.csv", "code,name\ns1\ns2,Bob,x\ns3,Cid,\n",
			[]string{"code|name", "! line 2: has 1 cells, the header has 2: quote cells that contain the delimiter",
				"! line 3: has 3 cells, the header has 2: quote cells that contain the delimiter", "4 s3|Cid"}},
		{"a quote inside a bare cell", "a.csv", "code,name\ns1,5\" disk\ns2,Bob\n",
			[]string{"code|name", "! line 2, column name: a quote stands inside a cell that is not quoted (2:5): quote the cell and double the quotes in it", "3 s2|Bob"}},
		{"JSON lines", "a.jsonl", "{\"code\":\"s1\",\"price\":99.10,\"on\":true}\n\n{\"code\":\"s2\",\"name\":null,\"tags\":[1, 2]}\r\n",
			[]string{"code|price|on|name|tags", "1 s1|99.10|true||", "3 s2||||[1, 2]"}},
		{"JSON lines by content alone", "a", " {\"code\":\"s1\"}"[1:], []string{"code", "1 s1"}},
		{"bad JSON lines", "a.jsonl", "{\"code\":\"s1\"}\n{\"code\":\"s2\"\n{\"code\":\"s3\",\"code\":\"s4\"}\n[1]\n{\"code\":nul}\n{\"code\":\"s5\"} {}\n{\"code\":\"s6\"}\n",
			[]string{"code", "1 s1", "! line 2: the object is not closed: write one whole object a line",
				"! line 3: the key code stands twice: keep one", "! line 4: is not a JSON object: write each row as {\"column\": value}",
				"! line 5: is not valid JSON: invalid character '}' in literal null (expecting 'l')",
				"! line 6: something follows the object: write one object a line", "7 s6"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readText(tt.file, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	whole := gzipped(strings.Repeat("code,name\ns1,Ann\n", 10_000))
	for _, tt := range []struct{ name, file, text, want string }{
		{"an empty file", "a.csv", "", "a.csv: is empty: a table begins with the names of its columns"},
		{"blank lines only", "a.csv", "\n\n,,\n", "a.csv: is empty"},
		{"no JSON objects", "a.jsonl", "\n", "a.jsonl: is empty"},
		{"a JSON array", "a.jsonl", "\n[{\"code\":\"s1\"}]\n", "a.jsonl:2: holds no row: write each one as"},
		{"UTF-16 with its mark", "a.csv", "\xff\xfe" + utf16le("code\ns1\n"), "a.csv: is in UTF-16 (little endian): save it as UTF-8"},
		{"UTF-16 without its mark", "a.csv", utf16le("code,name\ns1,Ann\n"), "a.csv: is in UTF-16 (little endian)"},
		{"big endian", "a.csv", "\xfe\xff\x00c", "a.csv: is in UTF-16 (big endian)"},
		{"UTF-32", "a.jsonl", "\xff\xfe\x00\x00c\x00\x00\x00", "is in UTF-32 (little endian)"},
		{"GBK", "a.csv", "code,name\ns1,\xbb\xaa\xce\xaa\n", "a.csv:2: column name is not UTF-8, it looks like GBK or GB18030: save the file as UTF-8"},
		{"Latin 1", "a.csv", "code,name\ns1,S\xe3o Paulo\n", "a.csv:2: column name is not UTF-8, it looks like Windows-1252 or ISO 8859-1"},
		{"Latin 1 in JSON", "a.jsonl", "{\"code\":\"S\xe3o\"}\n", "a.jsonl:1: the line is not UTF-8"},
		{"a truncated gzip", "a.csv.gz", whole[:len(whole)/2], "a.csv.gz: the gzip is cut off before its end: fetch the file again"},
		{"a truncated gzip of JSON", "a.jsonl.gz", gzipped("{\"a\":1}\n")[:20], "a.jsonl.gz: the gzip is cut off"},
		{"a damaged gzip", "a.csv.gz", whole[:40] + "damage" + whole[46:], "a.csv.gz: the gzip is damaged"},
		{"no gzip", "a.csv.gz", "code\ns1\n", "a.csv.gz: is called .gz but is not gzipped"},
		{"an open quote", "a.csv", "code,name\ns1,\"Ann\ns2,Bob\n", "a.csv:2: a quoted cell is not closed as it should"},
		{"a column twice", "a.csv", "code,name,code\n", "a.csv:1: columns 1 and 3 are both called code"},
		{"a column without a name", "a.csv", "code,,name\n", "a.csv:1: column 2 has no name"},
		{"lone carriage returns", "a.csv", "code\rs1\rs2\r", "ends its lines with lone carriage returns"},
		{"an old Excel file", "a.xls", "\xd0\xcf\x11\xe0\xa1\xb1", "is an old or an encrypted Excel file"},
		{"no workbook", "a.xlsx", "code\n", "a.xlsx: is called .xlsx but is no Excel workbook"},
		{"a broken zip", "a.xlsx", "PK\x03\x04 and no more", "a.xlsx: is no readable Excel workbook"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readText(tt.file, tt.text)
			var file *FileError
			if !errors.As(err, &file) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestTenMegabyteCellIsRead(t *testing.T) {
	cell := strings.Repeat("x", 10<<20)
	for file, text := range map[string]string{"a.csv": "code,name\ns1,\"" + cell + "\"\n", "a.jsonl": "{\"code\":\"s1\",\"name\":\"" + cell + "\"}\n"} {
		got, err := readText(file, text)
		if err != nil || len(got) != 2 || !strings.HasSuffix(got[1], "s1|"+cell) {
			t.Errorf("%s: %d rows, %v", file, len(got)-1, err)
		}
	}
}

// endless is a file of a given size whose bytes are all the same but for its head.
type endless struct {
	head string
	size int64
	at   int64
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.ReadAt(p, e.at)
	e.at += int64(n)
	return n, err
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	if off >= e.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.size-off)]
	for i := range p {
		p[i] = 'x'
	}
	if off < int64(len(e.head)) {
		copy(p, e.head[off:])
	}
	return len(p), nil
}

func (e *endless) Seek(off int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		off += e.size
	}
	e.at = off
	return off, nil
}

func TestTwoGigabyteLineIsRefusedInLittleMemory(t *testing.T) {
	for file, head := range map[string]string{"a.csv": "code,name\ns1,", "b.csv": "code,name\ns1,\"", "a.jsonl": "{\"code\":\""} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(New(file, "", &endless{head: head, size: 2 << 30}))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "the row is longer than 32 MB") {
			t.Errorf("%s: %v", file, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 10*maxRecord {
			t.Errorf("%s: allocated %d MB on the way", file, used>>20)
		}
	}
}

// workbook answers the bytes of a workbook with the sheets that fill makes.
func workbook(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbookIsReadAsRawText(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		money, _ := f.NewStyle(&excelize.Style{NumFmt: 4})
		f.SetSheetRow("Sheet1", "A2", &[]any{"code", "price", "placed", "note"})
		f.SetSheetRow("Sheet1", "A3", &[]any{"o1", 1.1, time.Date(2024, 4, 1, 2, 3, 4, 0, time.UTC), true})
		f.SetSheetRow("Sheet1", "A100003", &[]any{"=o2", 99.989999999999995, "2024-04-01"})
		f.SetCellStyle("Sheet1", "B3", "B3", money)
	})
	got, err := read(New("a.xlsx", "", bytes.NewReader(b)))
	want := []string{"code|price|placed|note", "3 o1|1.1|45383.08546296296|1", "100003 =o2|99.99|2024-04-01|"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	at, ok := SerialTime("45383.08546296296", false)
	if !ok || at.Format(time.DateTime) != "2024-04-01 02:03:04" {
		t.Error(at, ok)
	}
}

func TestShortestIsTheSameNumber(t *testing.T) {
	for in, want := range map[string]string{
		"1.1000000000000001": "1.1", "99.989999999999995": "99.99", "0.30000000000000004": "0.30000000000000004",
		"1.0000000000000001E-2": "0.01", "12345678901234567": "12345678901234567", "order.1234567890.77": "order.1234567890.77",
	} {
		if got := shortest(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestSheetsAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.xlsx")
	b := workbook(t, func(f *excelize.File) {
		f.NewSheet("March")
		f.SetCellStr("March", "A1", "code")
		f.SetCellStr("March", "A2", "o1")
	})
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(Open(path + "#March")); err != nil || len(got) != 2 {
		t.Error(got, err)
	}
	for name, want := range map[string]string{path: "has the sheets Sheet1, March: name one", path + "#May": "has no sheet May: it has Sheet1, March"} {
		if _, err := read(Open(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	r, err := Open(path + "#March")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := r.Place(7, 1); got != "B7" {
		t.Error(got)
	}
}

// rezip answers the workbook with one part written anew.
func rezip(t *testing.T, book []byte, name string, write func(w io.Writer)) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, part := range in.File {
		if part.Name != name {
			if err := out.Copy(part); err != nil {
				t.Fatal(err)
			}
		}
	}
	w, err := out.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	write(w)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const sheetPart = "xl/worksheets/sheet1.xml"

func TestZipBombIsRefused(t *testing.T) {
	book := workbook(t, func(f *excelize.File) { f.SetCellStr("Sheet1", "A1", "code") })
	bomb := rezip(t, book, sheetPart, func(w io.Writer) {
		zeros := make([]byte, 1<<20)
		for range 300 {
			w.Write(zeros)
		}
	})
	_, err := read(New("bomb.xlsx", "", bytes.NewReader(bomb)))
	if err == nil || !strings.Contains(err.Error(), "bomb.xlsx: unpacks to more than 300 MB") {
		t.Error(err)
	}
}

func TestBrokenSheetIsRefusedNotShortened(t *testing.T) {
	head := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
		`<row r="1"><c r="A1" t="inlineStr"><is><t>code</t></is></c></row>`
	book := workbook(t, func(f *excelize.File) {})
	for name, rest := range map[string]string{
		"cut off":           `<row r="2">`,
		"control character": "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>o\x011</t></is></c></row></sheetData></worksheet>",
	} {
		broken := rezip(t, book, sheetPart, func(w io.Writer) { io.WriteString(w, head+rest) })
		if _, err := read(New("a.xlsx", "", bytes.NewReader(broken))); err == nil || !strings.Contains(err.Error(), "is no readable Excel workbook (xl/worksheets/sheet1.xml: XML syntax error") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReader: whatever the bytes, a table or an error, never a panic.
func FuzzReader(f *testing.F) {
	f.Add("a.csv", []byte("code,name\ns1,\"Ann\"\n"))
	f.Add("a.jsonl", []byte("{\"code\":\"s1\",\"n\":1e5}\n"))
	f.Add("a.csv.gz", []byte(gzipped("code\ns1\n")))
	f.Add("a.xlsx", []byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		r, err := New(name, "", bytes.NewReader(content))
		if err != nil {
			return
		}
		defer r.Close()
		for {
			row, err := r.Next()
			var bad *RowError
			if err != nil && !errors.As(err, &bad) {
				return
			}
			if err == nil && len(row.Cells) != len(r.Columns()) {
				t.Fatalf("row %d has %d cells of %d", row.Line, len(row.Cells), len(r.Columns()))
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("code,buyer,placed_at,amount\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "order-%07d,buyer-%05d,2024-04-01T10:00:00+08:00,%d.%02d CNY\n", i, rand.IntN(1e5), rand.IntN(1e4), rand.IntN(100))
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		r, err := New("a.csv", "", strings.NewReader(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Next()
		}
	}
}
