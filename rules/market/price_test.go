package market_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func dec(t interface{ Fatal(...any) }, text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func priced(t interface{ Fatal(...any) }, model market.PriceModel, brackets string) market.Price {
	b, err := market.ParseBrackets(brackets)
	if err != nil {
		t.Fatal(err)
	}
	return market.Price{Model: model, Brackets: b, Currency: "CNY", Accumulation: market.CycleNone}
}

func TestPricesFollowFromQuantities(t *testing.T) {
	for _, tt := range []struct {
		name     string
		model    market.PriceModel
		brackets string
		per      int32
		before   string
		quantity string
		want     string
	}{
		{"two hours of a hundred gigabytes, not rounded", market.PriceFixed, "0.00028", 0, "0", "200", "0.056 CNY"},
		{"each slice at its own price", market.PriceStep, "3:0.3;:0.2", 0, "0", "8", "1.90 CNY"},
		{"three belong to the first slice", market.PriceStep, "3:0.3;:0.2", 0, "0", "3", "0.90 CNY"},
		{"a little more than three do not", market.PriceStep, "3:0.3;:0.2", 0, "0", "3.0001", "0.90002 CNY"},
		{"a record goes on where the previous one stopped", market.PriceStep, "3:0.3;:0.2", 0, "2", "6", "1.30 CNY"},
		{"beyond the last bracket nothing changes any more", market.PriceStep, "3:0.3;:0.2", 0, "3", "5", "1.00 CNY"},
		{"three brackets at once", market.PriceStep, "1:1;2:0.5;:0.25", 0, "0", "4", "2.00 CNY"},
		{"the whole quantity at the price of its bracket", market.PriceTier, "3:0.3;:0.2", 0, "0", "8", "1.60 CNY"},
		{"three at the price of the first", market.PriceTier, "3:0.3;:0.2", 0, "0", "3", "0.90 CNY"},
		{"a tier does not ask what was before", market.PriceTier, "3:0.3;:0.2", 0, "100", "3", "0.90 CNY"},
		{"ten decimals stay ten decimals", market.PriceFixed, "0.0000000001", 0, "0", "1", "0.0000000001 CNY"},
		{"and with usage of four, fourteen", market.PriceFixed, "0.0000000001", 0, "0", "0.0001", "0.00000000000001 CNY"},
		{"tokens by the million", market.PriceFixed, "8", 6, "0", "1234", "0.009872 CNY"},
		{"what costs nothing costs nothing", market.PriceStep, "1000:0;:0.01", 0, "0", "1000", "0.00 CNY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := priced(t, tt.model, tt.brackets)
			p.Per = tt.per
			if got := p.Rate(dec(t, tt.before), dec(t, tt.quantity)).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBracketsAreReadAsPeopleWriteThem(t *testing.T) {
	for _, tt := range []struct{ text, want, wrong string }{
		{"0.3", ":0.3", ""},
		{" 3:0.3 ; :0.2", "3:0.3;:0.2", ""},
		{"3:0.30;10:0.20;:0.10", "3:0.3;10:0.2;:0.1", ""},
		{"3:0.3", "", "has no end"},
		{":0.3;:0.2", "", "has no end"},
		{"3:0.3;3:0.2;:0.1", "", "ascend"},
		{"0:0.3;:0.2", "", "ascend"},
		{"3:-0.3;:0.2", "", "less than nothing"},
		{"3:0.0000000000001;:0.2", "", "out of range"},
		{"", "", "not a plain decimal number"},
		{"1e3:0.3;:0.2", "", "not a plain decimal number"},
		{strings.Repeat("1:1;", 200), "", "201 brackets"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := market.ParseBrackets(tt.text)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want an error about %q", err, tt.wrong)
				}
				return
			}
			if err != nil || market.FormatBrackets(got) != tt.want {
				t.Errorf("got %s, %v, want %s", market.FormatBrackets(got), err, tt.want)
			}
		})
	}
}

func TestAPriceHoldsFromItsDateOn(t *testing.T) {
	june, july := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	prices := market.Prices{{Item: "june", From: june}, {Item: "july", From: july}}
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{june.Add(-time.Second), ""}, {june, "june"}, {july.Add(-time.Second), "june"}, {july, "july"}, {july.AddDate(9, 0, 0), "july"},
	} {
		p, ok := prices.At(tt.at)
		if ok != (tt.want != "") || ok && p.Item != tt.want {
			t.Errorf("at %s: got %v, want %q", tt.at, p, tt.want)
		}
	}
}

// A quantity cut into records costs by a step price what it costs at once.
func TestAStepPriceDoesNotMindHowUseIsReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice(t, market.PriceStep)
		parts := rapid.SliceOfN(rapid.Int64Range(1, 2_000_000), 1, 6).Draw(t, "parts")
		var before, cost market.Decimal
		for _, part := range parts {
			q := market.DecimalFrom(big64(part), -4)
			cost, before = cost.Add(p.Rate(before, q).Amount), before.Add(q)
		}
		if all := p.Rate(market.Decimal{}, before).Amount; all.Cmp(cost) != 0 {
			t.Fatalf("%s of %s: %s at once, %s in parts", market.FormatBrackets(p.Brackets), before, all, cost)
		}
	})
}

// What a unit costs is never less than the cheapest bracket's price, nor more
// than the dearest's, by either model.
func TestAPriceStaysBetweenItsBrackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice(t, rapid.SampledFrom([]market.PriceModel{market.PriceStep, market.PriceTier}).Draw(t, "model"))
		q := market.DecimalFrom(big64(rapid.Int64Range(1, 5_000_000).Draw(t, "quantity")), -4)
		least, most := p.Brackets[0].Price, p.Brackets[0].Price
		for _, b := range p.Brackets {
			if b.Price.Cmp(least) < 0 {
				least = b.Price
			}
			if b.Price.Cmp(most) > 0 {
				most = b.Price
			}
		}
		cost := p.Rate(market.Decimal{}, q).Amount
		if cost.Cmp(q.Mul(least)) < 0 || cost.Cmp(q.Mul(most)) > 0 {
			t.Fatalf("%s of %s cost %s", q, market.FormatBrackets(p.Brackets), cost)
		}
	})
}

func anyPrice(t *rapid.T, model market.PriceModel) market.Price {
	var text strings.Builder
	upTo := int64(0)
	for range rapid.IntRange(0, 4).Draw(t, "brackets") {
		upTo += rapid.Int64Range(1, 100).Draw(t, "width")
		fmt.Fprintf(&text, "%d:%s;", upTo, anyPriceOf(t))
	}
	text.WriteString(":" + anyPriceOf(t))
	return priced(t, model, text.String())
}

func anyPriceOf(t *rapid.T) string {
	return market.DecimalFrom(big64(rapid.Int64Range(0, 1_000_000).Draw(t, "price")), -rapid.Int32Range(0, 12).Draw(t, "decimals")).String()
}

func TestAPriceSaysWhatIsWrongWithIt(t *testing.T) {
	step := priced(t, market.PriceStep, "3:0.3;:0.2")
	for name, change := range map[string]func(*market.Price){
		"two brackets are no fixed price":      func(p *market.Price) { p.Model = market.PriceFixed },
		"a tier price adds nothing up":         func(p *market.Price) { p.Model, p.Accumulation = market.PriceTier, market.CycleDay },
		"hours are not billed by calendar day": func(p *market.Price) { p.Measure, p.Cycle = market.MeasureHours, market.CycleDay },
	} {
		p := step
		if err := p.Valid(); err != nil {
			t.Fatal(err)
		}
		if change(&p); p.Valid() == nil {
			t.Error(name)
		}
	}
}
