package reports

import (
	"bytes"
	"strings"
	"testing"
)

func TestSame(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a", "ab", false},
		{long, long, true}, {long, long + "y", false}, {long + "y", long + "z", false},
	} {
		got, err := Same(strings.NewReader(test.a), strings.NewReader(test.b))
		if err != nil || got != test.want {
			t.Errorf("%d and %d bytes: %t, %v", len(test.a), len(test.b), got, err)
		}
	}
}

func TestDifferenceNamesTheCell(t *testing.T) {
	kept := sampleNight()
	now := sampleNight()
	rows := []RefundedRow{{Subject: Subject{"A-0010", "buyer-03", "seller-01", "api", yuan("0.31")}}}
	now.Refunded, now.Counts.Refunded.Amount = list(rows...), yuan("0.31")
	a, b := workbookOf(t, kept), workbookOf(t, now)
	if got, err := Difference(bytes.NewReader(a), bytes.NewReader(a)); got != "" || err != nil {
		t.Errorf("with itself: %q, %v", got, err)
	}
	got, err := Difference(bytes.NewReader(a), bytes.NewReader(b))
	if err != nil || got != `Summary!D14: "0.3" kept, "0.31" recomputed` {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Difference(strings.NewReader("no workbook"), bytes.NewReader(b)); err == nil || !strings.Contains(err.Error(), "open the kept workbook") {
		t.Errorf("of something else: %v", err)
	}
}
