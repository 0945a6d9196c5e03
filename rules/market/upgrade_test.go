package market_test

import (
	"testing"

	. "nightshift/rules/market"
)

func TestUpgradeFee(t *testing.T) {
	money := func(text string) Money {
		m, err := ParseMoney(text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tt := range []struct {
		name     string
		old, new string
		days     int64
		discount string
		want     string
	}{
		{"E19: 5.00 to 10.00 a day, 146 days left, nine tenths", "5.00 CNY", "10.00 CNY", 146, "0.9", "657.00 CNY"},
		{"on the last day nothing is left to pay for", "5.00 CNY", "10.00 CNY", 0, "1", "0.00 CNY"},
		{"a lower price gives something back", "10.00 CNY", "5.00 CNY", 2, "1", "-10.00 CNY"},
		{"prices have eight decimals", "0.00000001 CNY", "0.00000003 CNY", 3, "0.5", "0.00000003 CNY"},
	} {
		discount, err := ParseDecimal(tt.discount)
		if err != nil {
			t.Fatal(err)
		}
		got, err := UpgradeFee(money(tt.old), money(tt.new), tt.days, discount)
		if want := money(tt.want); err != nil || got.Amount.Cmp(want.Amount) != 0 || got.Currency != want.Currency {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
	if _, err := UpgradeFee(money("1.00 CNY"), money("1.00 USD"), 1, DecimalOf(1)); err == nil {
		t.Error("two currencies have a fee")
	}
}
