package market_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func monthLines(t interface{ Fatal(...any) }, amounts string) (lines []market.MonthLine) {
	for i, d := range decs(t, amounts) {
		lines = append(lines, market.MonthLine{Key: fmt.Sprint("C-", i), At: time.Unix(int64(i), 0), Due: market.NewMoney(d, "USD")})
	}
	return lines
}

func TestTheTotalOfAMonthIsSharedOutAmongItsLines(t *testing.T) {
	for _, tt := range []struct{ name, due, charged string }{
		{"those that lost most get the cents", "1.004 1.003 0.336", "1 1 0.34"},
		{"of those that lost as much the first deducted does", "0.005 0.005 0.005", "0.01 0.01 0"},
		{"what was given back is a line like others", "10.006 -0.009", "10.01 -0.01"},
		{"a month of nothing but parts of a cent", "0.002 0.002", "0 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, err := market.ShareOut(monthLines(t, tt.due), 2)
			if err != nil {
				t.Fatal(err)
			}
			var got []market.Decimal
			for _, l := range lines {
				got = append(got, l.Charged)
			}
			if written(got) != tt.charged {
				t.Errorf("got %s, want %s", written(got), tt.charged)
			}
		})
	}
	mixed := monthLines(t, "1 2")
	mixed[1].Due.Currency = "CNY"
	if _, err := market.ShareOut(mixed, 2); !errors.Is(err, market.ErrMixedCurrencies) {
		t.Errorf("two currencies: %v", err)
	}
}

// Whatever the lines, and in whichever order they come, each is charged whole cents,
// less than a cent away from what was due, and they add up to the rounded total.
func TestASharedMonthAddsUpInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) market.MonthLine {
			due := market.DecimalFrom(big64(rapid.Int64Range(-50_000, 100_000).Draw(t, "due")), -rapid.Int32Range(0, 8).Draw(t, "decimals"))
			return market.MonthLine{At: time.Unix(rapid.Int64Range(0, 3).Draw(t, "second"), 0), Due: market.NewMoney(due, "USD")}
		}), 1, 9).Draw(t, "lines")
		var exact, total market.Decimal
		for i := range lines {
			lines[i].Key = fmt.Sprint("C-", i)
			exact = exact.Add(lines[i].Due.Amount)
		}
		got, err := market.ShareOut(lines, 2)
		if err != nil {
			t.Fatal(err)
		}
		again, err := market.ShareOut(rapid.Permutation(lines).Draw(t, "order"), 2)
		if err != nil || !slices.EqualFunc(got, again, func(a, b market.MonthLine) bool { return a.Key == b.Key && a.Charged.Cmp(b.Charged) == 0 }) {
			t.Fatalf("in another order %v, %v; first %v", again, err, got)
		}
		for _, l := range got {
			cents, err := l.Charged.Round(2, market.RoundTruncate)
			if off := l.Due.Amount.Sub(l.Charged).Abs(); err != nil || cents.Cmp(l.Charged) != 0 || off.Cmp(market.DecimalFrom(big64(1), -2)) >= 0 {
				t.Fatalf("%s is charged %s", l.Due, l.Charged)
			}
			total = total.Add(l.Charged)
		}
		if want, err := exact.Round(2, market.RoundHalfUp); err != nil || total.Cmp(want) != 0 {
			t.Fatalf("the lines add up to %s, want %s", total, want)
		}
	})
}
