package rules

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/market"
	"nightshift/rules/table"
)

// tableText is a rule file whose table is written in it.
func tableText(hit string, rows [][]string) string {
	var b strings.Builder
	b.WriteString(tableHead(hit) + "table:\n")
	for _, row := range rows {
		b.WriteString("  - ")
		b.Write(appendTexts(nil, row))
		b.WriteString("\n")
	}
	return b.String()
}

func tableHead(hit string) string {
	text := "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: " + hit + "\nlet: {window: 10d, large: 500000.00 CNY, kinds: [\"saas\", \"image\"]}\notherwise: maybe\n"
	if HitPolicy(hit).ranks() {
		text += "priority: [maybe, no, yes]\n"
	}
	return text
}

func csvOf(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows)
	return b.Bytes()
}

// workbookOf is an .xlsx file, its cells as its program wrote them: texts, or
// <c> elements as they stand in the sheet.
func workbookOf(rows [][]string, more string) []byte {
	var sheet, out bytes.Buffer
	sheet.WriteString(`<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for y, row := range rows {
		fmt.Fprintf(&sheet, `<row r="%d">`, y+1)
		for x, cell := range row {
			at := table.CellName(y+1, x)
			if inner, raw := strings.CutPrefix(cell, "<c"); raw {
				fmt.Fprintf(&sheet, `<c r="%s"%s`, at, inner)
				continue
			}
			text := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(cell)
			fmt.Fprintf(&sheet, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, text)
		}
		sheet.WriteString("</row>")
	}
	sheet.WriteString("</sheetData>" + more + "</worksheet>")
	z := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
		"_rels/.rels":                `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="2026" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   sheet.String(),
	} {
		f, _ := z.Create(name)
		f.Write([]byte(text))
	}
	z.Close()
	return out.Bytes()
}

// loadTable loads a rule file with a table beside it.
func loadTable(hit, ref string, text []byte) (*Policy, error) {
	file, _, _ := strings.Cut(ref, "#")
	book, err := Load(fstest.MapFS{"site.yaml": {Data: []byte(trialSite)}, "trial.yaml": {Data: []byte("# fees\n" + strings.Replace(tableHead(hit), "otherwise", "table: "+ref+" # the fees\notherwise", 1))}, file: {Data: text}})
	if err != nil {
		return nil, err
	}
	return book.Sites()[0].Versions("trial")[0], nil
}

// TestUnaryTests asks what a cell says of a fact: the price is 99.00 CNY,
// count_of 3, the product hardware, signed_for 10d, placed_for not started.
func TestUnaryTests(t *testing.T) {
	for _, tt := range []struct {
		column, cell string
		want         bool
	}{
		{"price", "-", true}, {"price", "99", true}, {"price", "99.000", true}, {"price", "= 99.00", true}, {"price", "98.99", false}, {"price", "99.00 CNY", true}, {"price", "!= 99", false},
		{"price", ">= 99.00", true}, {"price", "> 99", false}, {"price", "< 99.01", true}, {"price", "<= 98.999999999999", false}, {"price", "< large", true}, {"price", "> balance", false}, {"price", "< balance * 2", true},
		{"price", "[99..100]", true}, {"price", "(99..100]", false}, {"price", "[98..99]", true}, {"price", "[98..99)", false}, {"price", "]99..100]", false}, {"price", "[98..99[", false}, {"price", "]98..100[, 1", true}, {"price", "1, ]98..100[", true},
		{"price", "[10.00 CNY..balance]", true}, {"price", "[min(1, 2)..max(3, 200)]", true}, {"price", "< 10, [20..30), > 90", true}, {"price", "< 10, [20..30)", false}, {"price", "not(< 10, [20..30))", true}, {"price", "not(99)", false}, {"price", "not (>= 99.01)", true},
		{"product", `"hardware"`, true}, {"product", `"saas", "hardware"`, true}, {"product", `"saas", "image"`, false}, {"product", `not("saas")`, true}, {"product", `not("saas", "hardware")`, false}, {"product", "kinds", false}, {"product", "not(kinds)", true}, {"product", `["saas", "hardware"]`, true}, {"product", `in ["hardware"]`, true}, {"product", `startsWith "hard"`, true}, {"product", `contains "soft"`, false}, {"product", `matches "^h.*e$"`, true}, {"product", `endsWith "x", "hardware"`, true},
		{"note", `"a,b", "Hello 世界"`, true}, {"note", `"，"`, false}, {"note", "lower(product)", false}, {"note", `"not("`, false}, {"note", `"]", "[..]"`, false},
		{"count_of", "3", true}, {"count_of", "3.0", true}, {"count_of", "1, 2, 3", true}, {"count_of", "[1..3)", false}, {"count_of", "-3", false}, {"count_of", "> -3", true}, {"count_of", "window_days - 7", true}, {"count_of + 1", "4", true}, {"count_of", "(1 + 2)", true}, {"count_of", "(1 + 2), 9", true},
		{"ready", "true", true}, {"ready", "TRUE", true}, {"ready", "1", true}, {"ready", "false", false}, {"ready", "0", false}, {"ready", "open", false}, {"ready", "not(open)", true}, {"count_of > 2", "true", true}, {`"a" in tags`, "true", true}, {`"c" in tags`, "false", true},
		{"signed_for", ">= 10d", true}, {"signed_for", "> 10d", false}, {"signed_for", "10d", true}, {"signed_for", "[10d..20d)", true}, {"signed_for", "< window", false}, {"signed_for", ">= days(window_days)", true}, {"placed_for", "< 1d", true}, {"placed_for", ">= 0s", false}, {"happened(placed_for)", "false", true},
	} {
		p, err := compileText(tableText("first", [][]string{{tt.column, "then", "because"}, {tt.cell, "yes", "So."}, {`-`, "no", "Not."}}))
		if err != nil && tt.cell == "-" || err != nil && strings.Contains(err.Error(), "otherwise can never") {
			p, err = compileText(tableText("first", [][]string{{tt.column, "open", "then", "because"}, {tt.cell, "false", "yes", "So."}}))
		}
		if err != nil {
			t.Errorf("%s %s: %v", tt.column, tt.cell, err)
			continue
		}
		if a, err := p.Decide(trial(), noon); err != nil || (a.Outcome == "yes") != tt.want {
			t.Errorf("%s: %s is %v %v, want %v", tt.column, tt.cell, a.Outcome, err, tt.want)
		}
	}
}

// feeRows is a table of every kind of column.
var feeRows = [][]string{
	{"name", "product", "price", "count_of", "ready", "signed_for", "then", "amount", "kinds", "ok", "because"},
	{"large", `"saas", "image"`, ">= 500000", "-", "true", "-", "yes", "price * 0.06", `["a", "b"]`, "true", "Large, \"quoted\", and with a comma."},
	{"small", `not("saas")`, "[10..20), 99.00", "3", "-", ">= 10d", "yes", "12.50 CNY", "-", "-", "It is 小."},
	{"none", "kinds", "0.001", "-", "false", "< window", "no", "-", "-", "-", "Nothing."},
}

// TestTableSources: one table in three sources decides alike, in the same words,
// and so does the policy restored from the text that was kept of each.
func TestTableSources(t *testing.T) {
	written := mustCompile(t, tableText("unique", feeRows))
	fromCSV, err := loadTable("unique", "fees.csv", append([]byte("\ufeff"), csvOf(feeRows)...))
	if err != nil {
		t.Fatal(err)
	}
	cells := make([][]string, len(feeRows))
	for i, row := range feeRows {
		cells[i] = append([]string(nil), row...)
	}
	cells[1][4], cells[2][3], cells[3][2], cells[3][4] = `<c t="b"><v>1</v></c>`, `<c><v>3</v></c>`, `<c><v>1E-3</v></c>`, `<c t="b"><f>NOT(TRUE)</f><v>0</v></c>`
	fromWorkbook, err := loadTable("unique", "fees.xlsx#2026", workbookOf(cells, ""))
	if err != nil {
		t.Fatal(err)
	}
	policies := []*Policy{written, fromCSV, fromWorkbook}
	for _, p := range policies[1:] {
		restored, err := compileText(p.Text)
		if err != nil {
			t.Fatalf("%v\nin\n%s", err, p.Text)
		}
		if restored.Hash != p.Hash || restored.Text != p.Text || restored.otherwise.line != p.otherwise.line {
			t.Errorf("restored as another policy from\n%s", p.Text)
		}
		policies = append(policies, restored)
	}
	rapid.Check(t, func(t *rapid.T) {
		facts := drawFeeFacts(t)
		want, wantErr := written.Decide(facts, noon)
		for i, p := range policies {
			got, err := p.Decide(facts, noon)
			if !got.Same(want) || got.Because != want.Because || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("source %d says %+v %v, written %+v %v", i, got, err, want, wantErr)
			}
		}
	})
}

func drawFeeFacts(t *rapid.T) *trialFacts {
	facts := trial()
	facts.Kind = rapid.SampledFrom([]string{"saas", "hardware", "license", "image", ""}).Draw(t, "product")
	facts.Price = money(rapid.SampledFrom([]string{"0.001 CNY", "10.00 CNY", "19.99 CNY", "20.00 CNY", "99.00 CNY", "500000.00 CNY", "499999.99 CNY", "99.00 USD"}).Draw(t, "price"))
	facts.Count = rapid.Int64Range(0, 5).Draw(t, "count_of")
	facts.Ready, facts.Open = rapid.Bool().Draw(t, "ready"), rapid.Bool().Draw(t, "open")
	facts.Note = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "note")
	facts.SignedFor = market.StartedAt(noon.Add(-day * time.Duration(rapid.IntRange(9, 11).Draw(t, "signed_for"))))
	return facts
}

// cellMeans are cells and the conditions they stand for, by column.
var cellMeans = map[string][][2]string{
	"product":    {{"-", ""}, {`"saas"`, `product == "saas"`}, {`"saas", "image"`, `(product == "saas" or product == "image")`}, {`not("hardware")`, `not (product == "hardware")`}, {"kinds", "product in kinds"}, {`"license", "hardware", ""`, `product in ["license", "hardware", ""]`}},
	"note":       {{"-", ""}, {`"a"`, `note == "a"`}, {`"b", "c"`, `note in ["b", "c"]`}, {`> "a"`, `note > "a"`}},
	"count_of":   {{"-", ""}, {"1", "count_of == 1"}, {"2, 3", "count_of in [2, 3]"}, {"[1..3)", "count_of >= 1 and count_of < 3"}, {"window_days - 7", "count_of == window_days - 7"}, {"3.0", "count_of == 3.0"}},
	"ready":      {{"-", ""}, {"true", "ready"}, {"false", "not ready"}, {"open", "ready == open"}},
	"price":      {{"-", ""}, {">= 99", "price >= 99"}, {"(10..99]", "price > 10 and price <= 99"}, {"10, 20.00", "price in [10, 20.00]"}},
	"signed_for": {{"-", ""}, {">= 10d", "signed_for >= days(10)"}, {"< window", "signed_for < window"}},
}

var cellColumns = []string{"price", "product", "signed_for", "count_of", "note", "ready"}

// TestTableEqualsItsRules: a table, found by its index, and the rules it stands
// for decide alike, under every hit policy and with the same errors.
func TestTableEqualsItsRules(t *testing.T) {
	keyed := map[string]bool{`"saas"`: true, `"saas", "image"`: true, `"license", "hardware", ""`: true, `"a"`: true, `"b", "c"`: true, "1": true, "2, 3": true, "true": true, "false": true}
	rapid.Check(t, func(t *rapid.T) {
		hit := rapid.SampledFrom([]string{"first", "unique", "any", "priority", "rule order", "output order", "collect"}).Draw(t, "hit")
		rows := [][]string{append(append([]string{"name"}, cellColumns...), "then", "because")}
		rules := "rules:\n"
		for i := range rapid.IntRange(1, 40).Draw(t, "rows") {
			row := []string{fmt.Sprint("r", i)}
			var first, rest []string
			for _, column := range cellColumns {
				cell := rapid.SampledFrom(cellMeans[column]).Draw(t, column)
				row = append(row, cell[0])
				switch {
				case cell[1] == "":
				case keyed[cell[0]] && column != "price":
					first = append(first, cell[1])
				default:
					rest = append(rest, cell[1])
				}
			}
			then := rapid.SampledFrom([]string{"yes", "no", "maybe"}).Draw(t, "then")
			rows = append(rows, append(row, then, "So."))
			rules += fmt.Sprintf("  - {name: r%d, when: '%s', then: %s, because: So.}\n", i, strings.Join(append(append(first, rest...), "true")[:max(len(first)+len(rest), 1)], " and "), then)
		}
		asTable, err := compileText(tableText(hit, rows))
		if err != nil {
			if !strings.Contains(err.Error(), "can never answer") {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		asRules, err := compileText(tableHead(hit) + rules)
		if err != nil {
			t.Skip(err)
		}
		for range 20 {
			facts := drawFeeFacts(t)
			got, gotErr := asTable.DecideAll(facts, noon)
			want, wantErr := asRules.DecideAll(facts, noon)
			if (gotErr == nil) != (wantErr == nil) || fmt.Sprint(got) != fmt.Sprint(want) || gotErr != nil && errors.Unwrap(gotErr).Error() != errors.Unwrap(wantErr).Error() {
				t.Fatalf("the table says %v %v, its rules %v %v\n%s", got, gotErr, want, wantErr, tableText(hit, rows))
			}
			if gotErr == nil {
				a, aok := asTable.NextAll(facts, noon, got)
				b, bok := asRules.NextAll(facts, noon, want)
				if !a.Equal(b) || aok != bok || !asTable.SinceAll(facts, noon, got).Equal(asRules.SinceAll(facts, noon, want)) {
					t.Fatalf("the table turns at %s, its rules at %s", a, b)
				}
			}
		}
	})
}

// TestBadTables compares what is said of bad tables with the golden text.
func TestBadTables(t *testing.T) {
	var b strings.Builder
	head := []string{"product", "price", "then", "amount", "because"}
	good := []string{`"saas"`, ">= 10", "yes", "-", "So."}
	bad := func(column int, cell string) [][]string {
		row := append([]string(nil), good...)
		row[column] = cell
		return [][]string{head, row}
	}
	one := func(name string, err error) {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
		fmt.Fprintf(&b, "== %s\n%v\n", name, err)
	}
	for _, cell := range []string{"", "saas", `"sass"`, `“saas”`, `"saas"，"image"`, "≥ 3", ">= ", "10..20", "[20..10]", `"a",,`, "(", "1, days(1)", "price", "now()"} {
		_, err := loadTable("first", "fees.xlsx#2026", workbookOf(bad(0, cell), ""))
		one("product "+cell, err)
	}
	for _, cell := range []string{">= count_of", "[1..\"a\"]", "[1..2", "1e3", "５"} {
		_, err := loadTable("first", "fees.csv", csvOf(bad(1, cell)))
		one("price "+cell, err)
	}
	for i, rows := range [][][]string{bad(2, "yse"), bad(2, "-"), bad(3, "10 %"), bad(3, ""), bad(4, ""), {head}, {head, good, good}, {{"product", "then", "because", "amont"}, {"-", "yes", "So.", "1"}}, {{"producct", "then", "because"}, {"-", "yes", "So."}}, {{"product", "because"}, {"-", "So."}}, {{"product", "product", "then", "because"}, {"-", "-", "yes", "So."}}, {{"tags", "1 + 1", "then", "because"}, {"-", "-", "yes", "So."}}, {head, {"a"}}, {}} {
		_, err := compileText(tableText("first", rows))
		one(fmt.Sprint("written ", i), err)
	}
	for i, f := range []struct {
		ref  string
		text []byte
	}{
		{"fees.csv", []byte("product;price;then;because\n-;-;yes;So.\n")}, {"fees.csv", []byte("product\tthen\tbecause\n")}, {"fees.csv", []byte("max(price, balance);then;because\n-;yes;So.\n")}, {"fees.csv", []byte("product,product,then,because\n-,-,yes,So.\n")}, {"fees.csv", []byte("product,then,because\n\"saas\", \"image\",yes,So.\n")}, {"fees.csv", []byte("product,then,because\nyes,So.\n")}, {"fees.csv", nil}, {"fees.csv", []byte("product,then,because\n-,yes,\xb0\xb2\n")}, {"fees.csv", []byte("product,then,because\n" + strings.Repeat("-,yes,So.\n", maxTableRows+1))},
		{"fees.xlsx#2025", workbookOf(bad(0, "-"), "")}, {"fees.xlsx", []byte("no workbook")}, {"fees.xlsx#2026", workbookOf(bad(0, "-"), `<mergeCells count="1"><mergeCell ref="A2:B2"/></mergeCells>`)}, {"fees.xlsx#2026", workbookOf(bad(1, "<c><f>10*2</f></c>"), "")}, {"fees.xlsx#2026", workbookOf([][]string{{"product", "product", "then"}}, "")},
		{"../fees.csv", nil}, {"fees.ods", nil},
	} {
		_, err := loadTable("first", f.ref, f.text)
		one(fmt.Sprintf("beside %d %s", i, f.ref), err)
	}
	const golden = "testdata/bad_tables.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("said differently (-golden +now):\n%s", diff)
	}
}

// manyRows is a table of rows that differ in a text and a whole number, every
// tenth asking a condition besides; the last leaves the text open.
func manyRows(n int) [][]string {
	rows := [][]string{{"note", "count_of", "product", "price", "then", "because"}}
	for i := range n - 1 {
		price := "-"
		if i%10 == 0 {
			price = fmt.Sprintf("[%d..%d)", i, i+100)
		}
		rows = append(rows, []string{fmt.Sprintf("%q", fmt.Sprint("seller ", i/5)), fmt.Sprint(i % 5), `"hardware", "saas"`, price, "yes", "So."})
	}
	return append(rows, []string{"-", "7", "-", "-", "no", "So."})
}

// BenchmarkTable10000 decides by the row before the last of ten thousand.
func BenchmarkTable10000(b *testing.B) {
	p := mustCompile(b, tableText("first", manyRows(10_000)))
	facts := trial()
	facts.Note, facts.Count = "seller 1999", 3
	if a, err := p.Decide(facts, noon); err != nil || a.RuleIndex != 9998 {
		b.Fatal(a, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.Decide(facts, noon); a.RuleIndex != 9998 {
			b.Fatal(a)
		}
	}
}

// BenchmarkLoadTable10000 reads and compiles such a table from a CSV file.
func BenchmarkLoadTable10000(b *testing.B) {
	text := csvOf(manyRows(10_000))
	for b.Loop() {
		if _, err := loadTable("first", "fees.csv", text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTableDecidesWithoutAllocation(t *testing.T) {
	p := mustCompile(t, tableText("first", manyRows(500)))
	facts := trial()
	facts.Note, facts.Count = "seller 99", 3
	if n := testing.AllocsPerRun(100, func() { p.Decide(facts, noon) }); n > 0 {
		t.Errorf("%v allocations a decision", n)
	}
}

// FuzzCell: any cell compiles or is refused with a reason; nothing panics.
func FuzzCell(f *testing.F) {
	for _, seed := range []string{"-", ">= 500000", `"saas", "image"`, "[10..20)", "]1..2[", `not("x")`, "not(", "((", "..", "[..]", `"`, ",", "1,,2", "10d", "99.00 CNY", "contains \"a\"", "in [1]", "a..b", "[1..2], 3"} {
		f.Add("price", seed)
		f.Add("product", seed)
	}
	f.Fuzz(func(t *testing.T, header, cell string) {
		p, err := compileText(tableText("first", [][]string{{header, "open", "then", "amount", "because"}, {cell, "false", "yes", cell, "So."}}))
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("%q is refused without a reason", cell)
			}
			return
		}
		facts := trial()
		if a, err := p.Decide(facts, noon); err == nil {
			p.Since(facts, noon, a)
			p.Next(facts, noon, a)
		}
		p.Explain(facts, noon)
	})
}

// TestLargeTableIsRead: what is kept of a table may be larger than a file that
// somebody wrote.
func TestLargeTableIsRead(t *testing.T) {
	rows := manyRows(10_000)
	for _, row := range rows[1:] {
		row[len(row)-1] = strings.Repeat("Because of the agreement of this year. ", 3)
	}
	p, err := loadTable("first", "fees.csv", csvOf(rows))
	if err != nil {
		t.Fatal(err)
	}
	restored, err := compileText(p.Text)
	if err != nil || restored.Hash != p.Hash || len(p.Text) < maxFileBytes {
		t.Fatalf("%d bytes: %v", len(p.Text), err)
	}
}

// TestRowsAreTested: a row that no case hits is named by its cell.
func TestRowsAreTested(t *testing.T) {
	book, err := Load(fstest.MapFS{
		"site.yaml":       {Data: []byte(trialSite)},
		"trial.yaml":      {Data: []byte(strings.Replace(tableHead("first"), "otherwise", "table: fees.csv\notherwise", 1))},
		"fees.csv":        {Data: []byte("product,then,because\n\"\"\"saas\"\"\",yes,So.\n\"\"\"image\"\"\",no,Not.\n")},
		"trial.test.yaml": {Data: []byte("ruleset: trial\ncases:\n  - {name: a, given: {product: saas}, expect: {rule: row 2, outcome: yes}}\n  - {name: b, expect: {rule: otherwise}}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Test().Err(); err == nil || !strings.Contains(err.Error(), `fees.csv!A3: rule "row 3": no test hits the rule`) {
		t.Error(err)
	}
}
