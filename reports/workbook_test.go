package reports

import (
	"bytes"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// item is a row of a small list.
type item struct {
	name   string
	amount market.Money
	at     time.Time
}

var itemTable = table[item]{name: "Items", title: label{"条目", "Items"}, tab: navy, columns: []column[item]{
	texts("名称", "Name", 20, func(i item) string { return i.name }),
	amounts("金额", "Amount", 20, func(i item) market.Money { return i.amount }),
	instants("时间", "At", func(i item) time.Time { return i.at }),
}}

// items writes a list with at most limit rows a sheet, and its total.
func items(t *testing.T, limit int, rows iter.Seq2[item, error]) (*excelize.File, listed, *book) {
	t.Helper()
	b, err := newBook(cover{title: label{"条目", "Items"}, subject: "R&D", zone: shanghai, currency: "CNY", dated: at8("2026-04-01 02:00:00")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.limit = limit
	done, err := writeTable(b, itemTable, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := b.writeTo(&buf); err != nil {
		t.Fatal(err)
	}
	return opened(t, buf.Bytes()), done, b
}

func TestALongListGoesOnInFurtherSheets(t *testing.T) {
	for rows, sheets := range map[int]string{0: "Items", 3: "Items", 4: "Items,Items (2)", 7: "Items,Items (2),Items (3)"} {
		f, done, _ := items(t, 3, func(yield func(item, error) bool) {
			for range rows {
				if !yield(item{name: "x", amount: yuan("0.10")}, nil) {
					return
				}
			}
		})
		if got := strings.Join(f.GetSheetList(), ","); got != sheets {
			t.Errorf("%d rows: sheets %s, want %s", rows, got, sheets)
		}
		if done.rows != int64(rows) || len(done.parts) != len(f.GetSheetList()) {
			t.Errorf("%d rows: %+v", rows, done)
		}
	}
	f, done, _ := items(t, 3, list(make([]item, 4)...))
	if got := done.count().expression; got != "COUNTA('Items'!$A$2:$A$4)+COUNTA('Items (2)'!$A$2:$A$2)" {
		t.Errorf("count: %s", got)
	}
	if got := rowsOf(t, f, "Items (2)"); got[1][0] != nothing || got[2][0] != "合计 Total" {
		t.Errorf("the second sheet: %q", got)
	}
	if names := f.GetDefinedName(); len(names) != 4 {
		t.Errorf("print titles and filters of two sheets: %v", names)
	}
}

func TestTextThatLooksLikeAFormulaStaysText(t *testing.T) {
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "{=1}", "=HYPERLINK(\"http://x\",\"y\")", "0123", "1e5", "TRUE", "<b>&amp;", "_x0041_", "a\nb", " blank "} {
		f, _, _ := items(t, maxRows, list(item{name: text}))
		if got := formulaOf(t, f, "Items", "A2"); got != "" {
			t.Errorf("%q became the formula %q", text, got)
		}
		kind, err := f.GetCellType("Items", "A2")
		if err != nil || kind != excelize.CellTypeInlineString {
			t.Errorf("%q is of type %v, %v", text, kind, err)
		}
		if got := rowsOf(t, f, "Items")[1][0]; got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAnAmountIsExactOrText(t *testing.T) {
	tests := []struct {
		amount, raw, total string
		text               bool
	}{
		{"0.10", "0.1", "0.1", false},
		{"-1234567890123.45", "-1234567890123.45", "-1234567890123.45", false},
		{"0.000000000001", "0.000000000001", "0.000000000001", false},
		{"999999999999999", "999999999999999", "999999999999999", false},
		{"9999999999999999", "9999999999999999.00 CNY", "9999999999999999.00 CNY", true},
		{"12345678901234.567", "12345678901234.567 CNY", "12345678901234.567 CNY", true},
	}
	for _, test := range tests {
		f, done, b := items(t, maxRows, list(item{name: "x", amount: yuan(test.amount)}))
		rows := rowsOf(t, f, "Items")
		if rows[1][1] != test.raw || rows[2][1] != test.total {
			t.Errorf("%s: cell %s, total %s", test.amount, rows[1][1], rows[2][1])
		}
		if live := formulaOf(t, f, "Items", "B3") != ""; live == test.text || (b.asText > 0) != test.text {
			t.Errorf("%s: live %t, as text %d", test.amount, live, b.asText)
		}
		if _, live := done.amount(1, "CNY").(formula); live == test.text {
			t.Errorf("%s: the total over all sheets is live: %t", test.amount, live)
		}
	}
}

func TestAnAmountOfFifteenDigitsComesBack(t *testing.T) {
	b, err := newBook(cover{zone: shanghai})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	rapid.Check(t, func(t *rapid.T) {
		coefficient := market.DecimalOf(rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(t, "digits")).Coefficient()
		m := market.NewMoney(market.DecimalFrom(coefficient, -rapid.Int32Range(0, 12).Draw(t, "decimals")), "CNY")
		c, err := b.cell(m, plain)
		if err != nil {
			t.Fatal(err)
		}
		f := excelize.NewFile()
		defer f.Close()
		if err := f.SetCellValue("Sheet1", "A1", c.value); err != nil {
			t.Fatal(err)
		}
		got, err := f.GetCellValue("Sheet1", "A1", excelize.Options{RawCellValue: true})
		if err != nil || got != m.Amount.String() {
			t.Errorf("%s became %s, %v", m, got, err)
		}
	})
}

func TestNumberFormatsFollowTheCurrency(t *testing.T) {
	for amount, want := range map[string]string{
		"99 CNY":      "[$CNY]* #,##0.00_);[Red][$CNY]* -#,##0.00_)",
		"99.1234 CNY": "[$CNY]* #,##0.0000_);[Red][$CNY]* -#,##0.0000_)",
		"99 JPY":      "[$JPY]* #,##0_);[Red][$JPY]* -#,##0_)",
		"99 BRL":      "[$BRL]* #,##0.00_);[Red][$BRL]* -#,##0.00_)",
	} {
		m, err := market.ParseMoney(amount)
		if err != nil {
			t.Fatal(err)
		}
		f, _, _ := items(t, maxRows, list(item{name: "x", amount: m}))
		id, err := f.GetCellStyle("Items", "B2")
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil || style.CustomNumFmt == nil || *style.CustomNumFmt != want {
			t.Errorf("%s: %+v, %v", amount, style.CustomNumFmt, err)
		}
	}
}

func TestInstantsAreTheSitesOwn(t *testing.T) {
	for at, want := range map[string]string{
		"2026-03-31T16:00:00Z":      "2026-04-01 00:00:00",
		"2026-03-31T15:59:59Z":      "2026-03-31 23:59:59",
		"2026-03-31T23:00:00-03:00": "2026-04-01 10:00:00",
		"1899-12-31T00:00:00Z":      "1899-12-31 08:05:43", // before spreadsheets count days
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		f, _, _ := items(t, maxRows, list(item{name: "x", at: instant}))
		if got, err := f.GetCellValue("Items", "C2"); got != want || err != nil {
			t.Errorf("%s is shown as %s, %v", at, got, err)
		}
	}
}

func TestATextThatIsTooLongIsCutAndCounted(t *testing.T) {
	long := strings.Repeat("长", maxText+1)
	f, _, b := items(t, maxRows, list(item{name: long}, item{name: long[:len("长")*maxText]}))
	rows := rowsOf(t, f, "Items")
	if got := []rune(rows[1][0]); len(got) != maxText-1 || got[len(got)-1] != '…' || len([]rune(rows[2][0])) != maxText || b.cut != 1 {
		t.Errorf("%d characters, %d in the other, %d cut", len(got), len([]rune(rows[2][0])), b.cut)
	}
}

func TestPropertiesAreFixed(t *testing.T) {
	f, _, _ := items(t, maxRows, list(item{name: "x"}))
	got, err := f.GetDocProps()
	if err != nil {
		t.Fatal(err)
	}
	if got.Creator != "Nightshift" || got.Created != "2026-03-31T18:00:00Z" || got.Modified != got.Created || got.LastModifiedBy != "Nightshift" {
		t.Errorf("%+v", got)
	}
	layout, err := f.GetPageLayout("Items")
	if err != nil || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 || *layout.FitToHeight != 0 {
		t.Errorf("%+v, %v", layout, err)
	}
	panes, err := f.GetPanes("Items")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("%+v, %v", panes, err)
	}
	paper, err := f.GetHeaderFooter("Items")
	if err != nil || paper.OddHeader != "&L&B条目 Items&RR&&D" || !strings.Contains(paper.OddFooter, "Page &P of &N") {
		t.Errorf("%+v, %v", paper, err)
	}
}

func TestCSVFieldsAreGuarded(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "\nx": "'\nx", "＝1": "'＝1",
		"": "", "a=b": "a=b", " =1": " =1", "1": "1", "'=1": "'=1",
	} {
		if got := guarded(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
	amount := appendFields(nil, yuan("-99"), shanghai)
	if len(amount) != 2 || amount[0] != "-99.00" || amount[1] != "CNY" {
		t.Errorf("an amount is no text: %q", amount)
	}
}
