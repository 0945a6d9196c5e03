//go:build long

package reports

import (
	"testing"
)

func TestAMillionAndOneRowsFillTwoSheets(t *testing.T) {
	rows := 0
	f, done, _ := items(t, maxRows, func(yield func(item, error) bool) {
		for range maxRows + 1 {
			if !yield(item{name: "x", amount: yuan("0.10")}, nil) {
				return
			}
		}
	})
	for _, sheet := range []string{"Items", "Items (2)"} {
		all, err := f.Rows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for all.Next() {
			rows++
		}
		if err := all.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want := maxRows + 1 + 2*2; rows != want { // and a heading and a total each
		t.Errorf("%d rows in two sheets, want %d", rows, want)
	}
	if got := done.sums[1].amount.String(); got != "100000.10 CNY" {
		t.Errorf("total %s", got)
	}
}
