package reports

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test ./reports -update once, then read the file", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", path, diff)
	}
}

// printed is a workbook as text: a line a row, each cell as it is shown, and
// behind a formula the value that is kept beside it.
func printed(t *testing.T, workbook []byte) string {
	t.Helper()
	f := opened(t, workbook)
	var out strings.Builder
	for _, sheet := range f.GetSheetList() {
		fmt.Fprintf(&out, "== %s\n", sheet)
		for row, cells := range rowsOf(t, f, sheet) {
			var line []string
			for col := range cells {
				name := fmt.Sprint(column26(col), row+1)
				shown, err := f.GetCellValue(sheet, name)
				if err != nil {
					t.Fatal(err)
				}
				shown = strings.ReplaceAll(strings.TrimSpace(shown), "\n", " / ")
				if expression := formulaOf(t, f, sheet, name); expression != "" {
					shown = "=" + expression + " → " + cells[col]
				}
				if shown != "" {
					line = append(line, name+" "+shown)
				}
			}
			if line != nil {
				out.WriteString(strings.Join(line, " | ") + "\n")
			}
		}
	}
	return out.String()
}

func opened(t *testing.T, workbook []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// rowsOf is the raw texts of a sheet's cells.
func rowsOf(t *testing.T, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func formulaOf(t *testing.T, f *excelize.File, sheet, cell string) string {
	t.Helper()
	expression, err := f.GetCellFormula(sheet, cell)
	if err != nil {
		t.Fatal(err)
	}
	return expression
}

// without says that a test needs what the machine does not have.
func without(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("NIGHTSHIFT_NO_SKIP") == "1" {
		t.Fatalf("needs %s, and NIGHTSHIFT_NO_SKIP forbids to skip: apt-get install libreoffice-calc", what)
	}
	t.Skipf("needs %s: apt-get install libreoffice-calc", what)
}

var cached = regexp.MustCompile(`(</f>)<v>[^<]*</v>`)

// forgetful is the workbook without the values beside its formulas, so that
// whoever opens it has to compute them.
func forgetful(t *testing.T, workbook []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(workbook), int64(len(workbook)))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	out := zip.NewWriter(&buf)
	for _, part := range in.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		w, err := out.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(cached.ReplaceAll(content, []byte("$1"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// recalculated is the workbook after LibreOffice has computed every formula.
func recalculated(t *testing.T, workbook []byte) *excelize.File {
	t.Helper()
	soffice, err := exec.LookPath("soffice")
	if err != nil {
		without(t, "LibreOffice (soffice)")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.xlsx"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, forgetful(t, workbook), 0o600); err != nil {
		t.Fatal(err)
	}
	// A profile of its own: LibreOffice allows one process a profile.
	convert := exec.CommandContext(t.Context(), soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"),
		"--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", out, in)
	convert.Env = append(os.Environ(), "HOME="+dir)
	if text, err := convert.CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, text)
	}
	content, err := os.ReadFile(filepath.Join(out, "in.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, content)
}

// replaced is the workbook with a text of its formulas' values replaced.
func replaced(t *testing.T, workbook []byte, old, new string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(workbook), int64(len(workbook)))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	out := zip.NewWriter(&buf)
	for _, part := range in.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		w, err := out.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.ReplaceAll(content, []byte("</f>"+old), []byte("</f>"+new))); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// rawAt is the raw text of a cell.
func rawAt(t *testing.T, f *excelize.File, sheet, cell string) string {
	t.Helper()
	text, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
