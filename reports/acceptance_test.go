package reports

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"

	"nightshift/rules/market"
)

// workbookOf writes a report that ties.
func workbookOf(t *testing.T, r AcceptanceReport) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Acceptance(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestAcceptanceGolden(t *testing.T) {
	golden(t, "acceptance.golden", printed(t, workbookOf(t, sampleNight())))
}

func TestAcceptanceCSVGolden(t *testing.T) {
	var out bytes.Buffer
	for _, list := range AcceptanceLists {
		out.WriteString("== " + list + "\n")
		if err := AcceptanceCSV(&out, sampleNight(), list); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "acceptance_csv.golden", out.String())
	if err := AcceptanceCSV(io.Discard, sampleNight(), "acepted"); err == nil || !strings.Contains(err.Error(), "accepted, refunded") {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestTheSameReportGivesTheSameBytes(t *testing.T) {
	first := workbookOf(t, sampleNight())
	for range 20 {
		same, err := Same(bytes.NewReader(first), bytes.NewReader(workbookOf(t, sampleNight())))
		if err != nil || !same {
			t.Fatalf("another writing differs: %v", err)
		}
	}
}

func TestLibreOfficeComputesWhatIsKept(t *testing.T) {
	off := sampleNight()
	off.Counts.Accepted.Amount, off.Counts.Held.Rows = yuan("999999999999.07"), 2
	for name, r := range map[string]AcceptanceReport{"a night": sampleNight(), "a night of nothing": emptyNight(), "one that does not tie": off, "amounts as text": hugeNight()} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := Acceptance(&buf, r); err != nil && !errors.Is(err, ErrDoesNotTie) {
				t.Fatal(err)
			}
			recomputesAsKept(t, buf.Bytes(), 60)
		})
	}
}

// recomputesAsKept has LibreOffice compute a workbook anew and compares every
// formula with the value that is kept beside it.
func recomputesAsKept(t *testing.T, workbook []byte, atLeast int) {
	t.Helper()
	ours, theirs := opened(t, workbook), recalculated(t, workbook)
	formulas := 0
	for _, sheet := range ours.GetSheetList() {
		after := rowsOf(t, theirs, sheet)
		for row, cells := range rowsOf(t, ours, sheet) {
			for col, want := range cells {
				cell := column26(col) + strconv.Itoa(row+1)
				expression := formulaOf(t, ours, sheet, cell)
				if expression == "" {
					continue
				}
				formulas++
				if got := at(after[row], col); !alike(got, want) {
					t.Errorf("%s!%s: =%s is %q, kept beside it is %q", sheet, cell, expression, got, want)
				}
			}
		}
	}
	if formulas < atLeast {
		t.Errorf("only %d formulas were compared", formulas)
	}
}

// alike compares numbers by value and texts as they are.
func alike(a, b string) bool {
	x, errX := market.ParseDecimal(a)
	y, errY := market.ParseDecimal(b)
	if errX == nil && errY == nil {
		return x.Cmp(y) == 0
	}
	return a == b
}

// hugeNight has an amount that a spreadsheet's number cannot hold.
func hugeNight() AcceptanceReport {
	r := sampleNight()
	r.Refunded = list(RefundedRow{Subject: Subject{Order: "A-0010", Amount: yuan("12345678901234567.89")}})
	r.Counts.Refunded.Amount = yuan("12345678901234567.89")
	return r
}

func TestAnAmountThatIsTextStillTiesAndIsSaid(t *testing.T) {
	text := printed(t, workbookOf(t, hugeNight()))
	for _, want := range []string{"D14 12345678901234567.89 CNY", "B19 12345678901234567.89 CNY | C19 12345678901234567.89 CNY | D19 CNY0.00", "In 5 places an amount has more than 15 digits and is kept as text"} {
		if !strings.Contains(text, want) {
			t.Errorf("the workbook lacks %q\n%s", want, text)
		}
	}
}

func emptyNight() AcceptanceReport {
	r := sampleNight()
	r.Counts = AcceptanceCounts{}
	r.Accepted, r.Refunded, r.Waiting, r.Held, r.Reminders, r.Parked = nil, nil, nil, nil, nil, nil
	return r
}

func TestAMissingRowTurnsTheControlSheetRed(t *testing.T) {
	r := sampleNight()
	r.Refunded = nil
	var buf bytes.Buffer
	err := Acceptance(&buf, r)
	if !errors.Is(err, ErrDoesNotTie) || !strings.Contains(err.Error(), "Refunded: amount: 0.30 CNY in the database, 0.00 CNY in the workbook") {
		t.Errorf("error: %v", err)
	}
	text := printed(t, buf.Bytes())
	for _, want := range []string{
		`B4 =IF(SUMPRODUCT(--(D9:D21<>0))=0,"✓ 平 Ties","✗ 不平 Does not tie") → ✗ 不平 Does not tie`,
		`='Control'!$B$4 → ✗ 不平 Does not tie`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the workbook lacks %s\n%s", want, text)
		}
	}
}

func TestTroubleWithARowIsNamed(t *testing.T) {
	broken := errors.New("connection lost")
	r := sampleNight()
	r.Held = func(yield func(WaitingRow, error) bool) { yield(WaitingRow{}, broken) }
	if err := Acceptance(io.Discard, r); !errors.Is(err, broken) || !strings.Contains(err.Error(), "Held") {
		t.Errorf("a list that breaks off: %v", err)
	}
	r = sampleNight()
	rows := []AcceptedRow{{Subject: Subject{Order: "A-1", Amount: yuan("1.00")}}, {Subject: Subject{Order: "A-2", Amount: market.NewMoney(market.DecimalOf(1), "USD")}}}
	r.Accepted = list(rows...)
	if err := Acceptance(io.Discard, r); !errors.Is(err, market.ErrMixedCurrencies) || !strings.Contains(err.Error(), "row 2 of Accepted") {
		t.Errorf("two currencies in one list: %v", err)
	}
}

func TestAgeGroupsHaveTheirFirstAndNotTheirLastDay(t *testing.T) {
	asOf := at8("2026-04-01 02:00:00")
	a := newAgeing(asOf)
	for _, since := range []string{
		"2026-03-29 02:00:01", // two days and a bit
		"2026-03-29 02:00:00", // three days
		"2025-10-03 02:00:01", // 179 days and a bit
		"2025-10-02 02:00:00", // 181 days
		"2026-04-01 02:00:01", // begins later
	} {
		a.see(WaitingRow{WaitsFor: "seller", Since: at8(since)})
	}
	want := [len(ages) + 2]int64{1, 1, 0, 0, 0, 1, 1, 1, 5}
	if a.counts[1] != want {
		t.Errorf("got %v, want %v", a.counts[1], want)
	}
}

// failing is a list that is never read.
func failing[R any](t *testing.T) iter.Seq2[R, error] {
	return func(func(R, error) bool) { t.Error("a list was read that nobody asked for") }
}

func TestACSVReadsItsOwnListOnly(t *testing.T) {
	r := sampleNight()
	r.Waiting, r.Parked = failing[WaitingRow](t), failing[ParkedRow](t)
	if err := AcceptanceCSV(io.Discard, r, "accepted"); err != nil {
		t.Error(err)
	}
}
