package rules

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/table"
)

// tableDirectory is a rule directory whose trial ruleset has its table in one
// of the three sources.
func tableDirectory(source string, rows [][]string) fstest.MapFS {
	files := map[string]string{"site.yaml": trialSite}
	switch source {
	case "yaml":
		files["trial.yaml"] = tableText("collect", rows)
	case "formatted":
		text, err := Format("trial.yaml", []byte(tableText("collect", rows)))
		if err != nil {
			panic(err)
		}
		files["trial.yaml"] = string(text)
	case "csv":
		files["trial.yaml"], files["fees.csv"] = tableHead("collect")+"table: fees.csv\n", string(csvOf(rows))
	default:
		files["trial.yaml"], files["fees.xlsx"] = tableHead("collect")+"table: fees.xlsx#2026\n", string(workbookOf(rows, ""))
	}
	return directory(files)
}

var tableSources = []string{"yaml", "formatted", "csv", "xlsx"}

func exported(t fataler, fsys fstest.MapFS) (*TableSource, []byte) {
	t.Helper()
	s, err := FindTable(fsys, "cn", "trial", 0, on("2026-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := s.Export(&out); err != nil {
		t.Fatal(err)
	}
	return s, out.Bytes()
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func imported(t fataler, s *TableSource, book []byte) (*TableImport, error) {
	t.Helper()
	x, err := ReadTableExport("edited.xlsx", book)
	if err != nil {
		t.Fatal(err)
	}
	if x.Ruleset != "trial" || x.Site != "cn" || x.Version != 1 {
		t.Fatal("the export says it is of", x.Ruleset, x.Site, x.Version)
	}
	return s.Import(x)
}

// drawTable is a table of every kind of cell, and of names and reasons as people
// write them.
func drawTable(t *rapid.T) [][]string {
	header := append([]string{"name"}, cellColumns...)
	rows := [][]string{append(header, "then", "because")}
	for i := range rapid.IntRange(1, 6).Draw(t, "rows") {
		rows = append(rows, drawRow(t, fmt.Sprint(rapid.SampledFrom([]string{"r", "第", "= ", "'", "- "}).Draw(t, "name"), i)))
	}
	return rows
}

func drawRow(t *rapid.T, name string) []string {
	row := []string{name}
	for _, column := range cellColumns {
		row = append(row, rapid.SampledFrom(cellMeans[column]).Draw(t, column)[0])
	}
	because := rapid.SampledFrom([]string{"So.", "=1+1", "1E5", "0.10", "00012", "a, \"b\"\nand c", "因为，“所以”", "# not a comment", "TRUE", "'quoted'", "a: b", "1.1000000000000001"}).Draw(t, "because")
	return append(row, rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "then"), because)
}

// TestAnExportThatNobodyTouchedChangesNothing: whatever the table and wherever
// it stands, it comes back as it was.
func TestAnExportThatNobodyTouchedChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fsys := tableDirectory(rapid.SampledFrom(tableSources).Draw(t, "source"), drawTable(t))
		s, book := exported(t, fsys)
		in, err := imported(t, s, book)
		if err != nil {
			t.Fatal(err)
		}
		if in.Content != nil || len(in.Changes) > 0 {
			t.Fatalf("%+v\n%s", in.Changes, in.Content)
		}
	})
}

// TestWhatIsEditedComesBack: rows that were changed, added and removed in the
// workbook are those of the source afterwards, the others stand as they did.
func TestWhatIsEditedComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.SampledFrom(tableSources).Draw(t, "source")
		before := drawTable(t)
		fsys := tableDirectory(source, before)
		s, book := exported(t, fsys)
		after := slices.Clone(s.Cells())
		for n := range rapid.IntRange(1, 4).Draw(t, "edits") {
			at := rapid.IntRange(1, len(after)).Draw(t, "at")
			switch row := drawRow(t, fmt.Sprint("new ", n)); rapid.IntRange(0, 2).Draw(t, "edit") {
			case 0:
				after = slices.Insert(after, at, row)
			case 1:
				if len(after) > 2 && at < len(after) {
					after = slices.Delete(after, at, at+1)
				}
			default:
				if at < len(after) {
					row[0] = after[at][0]
					after[at] = row
				}
			}
		}
		in, err := imported(t, s, edited(t, book, after))
		if err != nil {
			t.Fatal(err)
		}
		if in.Content == nil {
			if !slices.EqualFunc(after, s.Cells(), slices.Equal) {
				t.Fatal("nothing is changed")
			}
			return
		}
		fsys[in.Path] = &fstest.MapFile{Data: in.Content}
		again, err := FindTable(fsys, "cn", "trial", 0, on("2026-01-01"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(after, again.Cells()); diff != "" {
			t.Fatalf("%s (-edited +source):\n%s\n%s", source, diff, in.Content)
		}
		if tidy, err := Format(in.Path, in.Content); source == "formatted" && (err != nil || !bytes.Equal(tidy, in.Content)) {
			t.Fatalf("it is no longer formatted: %v\n%s", err, in.Content)
		}
	})
}

// edited is the exported workbook with other rows.
func edited(t fataler, book []byte, rows [][]string) []byte {
	t.Helper()
	write, remove := map[int][]string{}, []int(nil)
	for i, row := range rows {
		write[i+1] = row
	}
	for line := len(rows) + 1; line < len(rows)+20; line++ {
		remove = append(remove, line)
	}
	out, err := table.Rewrite("edited.xlsx", "trial", bytes.NewReader(book), write, remove)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAnEditLeavesTheRestAlone: comments, the form of other rows and line ends
// stay as they were.
func TestAnEditLeavesTheRestAlone(t *testing.T) {
	for _, tt := range []struct{ name, file, was, is string }{
		{"yaml", "trial.yaml",
			"# Fees.\nruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\ntable:   # of 2026\n  - [product, price, then, because]\n  # the large ones\n  - ['\"saas\"',  '>= 10', yes, Large.] # see contract\n\n  # the rest\n  - ['-', '< 10', no, \"Small.\"]\n# the end\notherwise: maybe\n",
			"# Fees.\nruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\ntable:   # of 2026\n  - [product, price, then, because]\n  # the large ones\n  - [\"\\\"saas\\\"\",\">= 20\",\"yes\",\"Large.\"] # see contract\n\n  # the rest\n  - ['-', '< 10', no, \"Small.\"]\n# the end\notherwise: maybe\n"},
		{"yaml at the end, with carriage returns", "trial.yaml",
			"ruleset: trial\r\nversion: 1\r\neffective: 2020-01-01\r\nhit: first\r\notherwise: maybe\r\ntable:\r\n- [product, price, then, because]\r\n- - '\"saas\"'\r\n  - '>= 10'\r\n  - yes\r\n  - Large.\r\n- ['-', '< 10', no, \"Small.\"]\r\n# the end\r\n",
			"ruleset: trial\r\nversion: 1\r\neffective: 2020-01-01\r\nhit: first\r\notherwise: maybe\r\ntable:\r\n- [product, price, then, because]\r\n- [\"\\\"saas\\\"\",\">= 20\",\"yes\",\"Large.\"]\r\n- ['-', '< 10', no, \"Small.\"]\r\n# the end\r\n"},
		{"yaml on one line", "trial.yaml",
			"ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\ntable: [[product, price, then, because], ['\"saas\"', '>= 10', yes, Large.]]\notherwise: maybe\n",
			"ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\ntable:\n  - [\"product\",\"price\",\"then\",\"because\"]\n  - [\"\\\"saas\\\"\",\">= 20\",\"yes\",\"Large.\"]\notherwise: maybe\n"},
		{"csv", "fees.csv",
			"\ufeffproduct , price,then,because\r\n\"\"\"saas\"\"\",  >= 10,yes,Large.\r\n\r\n-,  < 10,no,\"Small.\"",
			"\ufeffproduct , price,then,because\r\n\"\"\"saas\"\"\",>= 20,yes,Large.\r\n\r\n-,  < 10,no,\"Small.\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := directory(map[string]string{"site.yaml": trialSite, "trial.yaml": tableHead("collect") + "table: fees.csv\n"})
			fsys[tt.file] = &fstest.MapFile{Data: []byte(tt.was)}
			s, book := exported(t, fsys)
			rows := s.Cells()
			rows[1][1] = ">= 20"
			in, err := imported(t, s, edited(t, book, rows))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.is, string(in.Content)); diff != "" || in.Path != tt.file {
				t.Errorf("%s (-want +got):\n%s", in.Path, diff)
			}
			if want := []RowChange{{Row: "row 2", What: "changed", Cells: []CellChange{{"price", ">= 10", ">= 20"}}}}; cmp.Diff(want, in.Changes) != "" {
				t.Errorf("it says %+v", in.Changes)
			}
		})
	}
}

func TestAnImportIsRefused(t *testing.T) {
	rows := [][]string{{"product", "price", "then", "because"}, {`"saas"`, ">= 10", "yes", "Large."}, {"-", "< 10", "no", "Small."}}
	fsys := tableDirectory("yaml", rows)
	s, book := exported(t, fsys)

	other := tableDirectory("yaml", [][]string{rows[0], rows[1], {"-", "< 9", "no", "Small."}})
	changed, _ := exported(t, other)
	mine := s.Cells()
	mine[1][1] = ">= 11"
	if _, err := imported(t, changed, edited(t, book, mine)); !errors.Is(err, ErrStale) || !strings.Contains(err.Error(), "Export it again") {
		t.Errorf("the source was changed meanwhile: %v", err)
	}
	if in, err := imported(t, changed, edited(t, book, changed.Cells())); err != nil || in.Content != nil {
		t.Errorf("the workbook says what the source says by now: %v", err)
	}

	mine[1][1] = ">= 1o"
	mine[2][2] = "nope"
	_, err := imported(t, s, edited(t, book, mine))
	var problems Problems
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), "edited.xlsx#trial!B2") || !strings.Contains(err.Error(), "edited.xlsx#trial!C3") {
		t.Errorf("two cells are wrong: %v", err)
	}

	for name, content := range map[string][]byte{"no workbook": []byte("a,b\n"), "not exported": workbookOf(rows, "")} {
		if _, err := ReadTableExport("x.xlsx", content); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	listed := directory(map[string]string{"site.yaml": trialSite, "trial.yaml": trialText("ready", "")})
	if _, err := FindTable(listed, "cn", "trial", 0, on("2026-01-01")); err == nil || !strings.Contains(err.Error(), "has no decision table") {
		t.Errorf("a ruleset without a table: %v", err)
	}
	if _, err := FindTable(listed, "cn", "trial", 7, 0); err == nil || !strings.Contains(err.Error(), "has no version 7") {
		t.Errorf("a version that is not there: %v", err)
	}
}

// TestAnExportOffersWhatMayStandThere: the words of facts, outcomes and values.
func TestAnExportOffersWhatMayStandThere(t *testing.T) {
	_, book := exported(t, tableDirectory("csv", feeRows))
	r, err := table.New("x.xlsx", table.NotesSheet, bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lists := make([][]string, len(r.Columns()))
	for {
		row, err := r.Next()
		if err != nil {
			break
		}
		for i, cell := range row.Cells {
			if cell != "" {
				lists[i] = append(lists[i], cell)
			}
		}
	}
	want := [][]string{{"-", `"saas"`, `"hardware"`, `"license"`, `"image"`}, {"-", "true", "false"}, {"yes", "no", "maybe"}}
	if diff := cmp.Diff(want, lists[2:]); diff != "" {
		t.Errorf("the drop-downs (-want +got):\n%s", diff)
	}
}
