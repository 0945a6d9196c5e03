package rules

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"nightshift/rules/market"
)

// asOf of all tests of the language.
var noon = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// trialText is a rule file with one condition.
func trialText(when, lets string) string {
	return "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\n" + lets +
		"rules:\n  - name: it\n    when: |-\n      " + strings.ReplaceAll(when, "\n", "\n      ") + "\n    then: yes\n    because: So.\notherwise: no\n"
}

// compileText compiles a rule file of site currency CNY.
func compileText(text string) (*Policy, error) {
	rs, _ := Parse("trial.yaml", []byte(text))
	p, problems := Compile(rs, "CNY")
	return p, problems.err()
}

func mustCompile(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := compileText(text)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return p
}

func money(text string) market.Money {
	m, err := market.ParseMoney(text)
	if err != nil {
		panic(err)
	}
	return m
}

// holds compiles a condition and asks it of the facts.
func holds(t testing.TB, when, lets string, facts *trialFacts) (bool, error) {
	t.Helper()
	a, err := mustCompile(t, trialText(when, lets)).Decide(facts, noon)
	return a.Outcome == "yes", err
}

func trial() *trialFacts {
	return &trialFacts{
		Ready: true, Count: 3, Days: 10, Weight: market.DecimalFrom(big.NewInt(12500), -4), Kind: "hardware", Note: "Hello 世界", Tags: []string{"a", "b"},
		Price: money("99.00 CNY"), Balance: money("100.5 CNY"),
		SignedFor: market.StartedAt(noon.Add(-10 * day)), EndsIn: market.Until(noon.Add(7 * day)),
	}
}

// TestConditions asks what every operator answers. The price is 99.00 CNY, the
// balance 100.5 CNY, count_of 3, window_days 10, signed_for 10d, ends_in 7d;
// placed_for has not started.
func TestConditions(t *testing.T) {
	for when, want := range map[string]bool{
		// amounts beside bare numbers, exactly
		"price == 99.00": true, "price == 99": true, "price == 99.0000": true, "99 == price": true, "price != 99.00": false,
		"price < 99.01": true, "price < 99.00": false, "price <= 99.00": true, "price > 98.999999999999": true, "price >= 99.000000000001": false,
		"0.1 < price": true, "price > -1": true, "price > -(1 + 0.5)": true, "98.99 < price <= 99.00": true, "price == +99.00": true,
		// amounts beside amounts
		"price == balance": false, "price != balance": true, "price < balance": true, "price <= balance": true, "price > balance": false, "price >= balance": false,
		`price == money("99.00 CNY")`: true, "price == floor": true, "balance - price == 1.5": true, "price + balance == 199.5": true,
		"price + 1 == 100": true, "1 + price == 100.00": true, "100 - price == 1": true, "price - 0.01 == 98.99": true, "-price == -99": true, "-price < 0": true,
		// amounts and numbers
		"price * 3 == 297": true, "3 * price == 297.00": true, "price * 0.06 == 5.94": true, "price * rate == 5.544": true, "price * count_of == 297": true,
		"count_of * price > 296.99": true, "price / 4 == 24.75": true, "price / 0.5 == 198": true, "price / -8 == -12.375": true, "price * (1 + 0.06) == 104.94": true,
		`divide(price, 7, 2, "half up") == 14.14`: true, `divide(price, count_of, 2, "truncate") == 33`: true, `divide(price, balance, 4, "half up") == 0.9851`: true,
		`round(price * 0.333, 2, "half up") == 32.97`: true, `round(price * 0.3333, 2, "truncate") == 32.99`: true, `round(-0.05 * price, 1, "half up") == -5.0`: true,
		`round(0.125, 2, "half up") == 0.13`: true, `divide(1, 3, 4, "half up") == 0.3333`: true, `divide(count_of, 2, 0, "truncate") == 1`: true,
		// in, min, max, sum, abs, ? :, ??
		"price in [1, 99.000, 3]": true, "price in [balance, floor]": true, "price in [1.00, 2]": false, "price not in [98.99]": true, "price in floors": true,
		"price in 1..99": true, "price in 100..200": false, "price in 98..balance": true,
		"min(price, balance) == 99": true, "max(price, balance) == 100.5": true, "min(price, 5) == 5": true, "max([price, 500.00]) == 500": true, "min(1, 0.5, price) == 0.5": true,
		"sum([price, balance, 0.5]) == 200": true, "sum(price, 1) == 100": true, "abs(price - balance) == 1.5": true, "abs(-price) == 99": true,
		"(ready ? price : balance) == 99": true, "(open ? price : balance) == 100.5": true, "(ready ? price : 0) == 99": true, "(open ? price : 0.5) == 0.5": true, "(ready ? 1 : 2) < price": true,
		"(price ?? balance) == 99": true, "(price ?? 0) == 99": true, "if ready { price == 99 } else { open }": true,
		// whole and exact numbers
		"count_of == 3": true, "count_of + 1 == 4": true, "count_of * 2 - 1 == 5": true, "count_of % 2 == 1": true, "-count_of == -3": true, "count_of == 3.0": true,
		"0.1 + 0.2 == 0.3": true, "0.1 * 3 == 0.3": true, "count_of * 0.1 == 0.3": true, "count_of > 2.999999999999": true, "rate == 0.0560": true, "1_000 == 1000": true, ".5 == 0.5": true,
		"count_of in [1, 3]": true, "count_of in 1..2": false, "count_of in 3..3": true, "max(count_of, 7, 2) == 7": true, "abs(-3) == count_of": true, "sum([count_of, 0.5]) == 3.5": true,
		"weight == 1.25": true, "weight > 1.2499": true, "weight <= 0": false, "weight + 0.0001 == 1.2501": true, "weight * count_of == 3.75": true, "price * weight == 123.75": true, "weight in [1.250, 2]": true, "max(weight, 0.1) == weight": true,
		"1 < count_of < 4": true, "1 < count_of < 3": false, "0x10 == 16": true,
		// texts and lists
		`product == "hardware"`: true, `product != "saas"`: true, `product == ""`: false, `product in kinds`: true, `product in ["saas"]`: false, `product not in kinds`: false,
		`note contains "世"`: true, `note startsWith "He"`: true, `note endsWith "x"`: false, `note matches "^H.*界$"`: true, `not (note matches "^$")`: true, `len(note) == 8`: true,
		`lower(note) == "hello 世界"`: true, `upper("a") == "A"`: true, `trim(" a ") == "a"`: true, `note + "!" == "Hello 世界!"`: true, `note < "I"`: true, `"a" in tags`: true, `"c" in tags`: false, `len(tags) == 2`: true,
		`note | lower() == "hello 世界"`: true,
		// yes and no
		"ready": true, "not ready": false, "!open": true, "ready and open": false, "ready or open": true, "ready == true": true, "ready != open": true, "ready && !open || open": true, "ready and not open": true,
		// stopwatches
		"signed_for >= days(10)": true, "signed_for > days(10)": false, "signed_for == days(10)": true, "signed_for != days(10)": false, "signed_for <= window": true, "signed_for < window": false,
		"days(10) <= signed_for": true, "days(10) < signed_for": false, "signed_for >= days(window_days)": true, "signed_for >= hours(239) + minutes(59) + seconds(60)": true, "signed_for > 2 * days(5) - seconds(1)": true,
		"placed_for >= days(0)": false, "placed_for > days(-1)": false, "placed_for == days(0)": false, "placed_for < days(1)": true, "placed_for <= days(1)": true, "placed_for != days(1)": true,
		"days(1) > placed_for": true, "happened(signed_for)": true, "happened(placed_for)": false, "ends_in <= days(7)": true, "ends_in < days(7)": false, "ends_in <= days(8)": true,
		"signed_for >= min(window, days(20))": true, "signed_for >= (ready ? days(11) : days(1))": false, "days(1) == hours(24)": true, "window in [days(10)]": true, "longer == days(10) + hours(1)": true,
	} {
		const lets = "let:\n  floor: 99.00 CNY\n  floors: [1.00 CNY, 99.00 CNY]\n  rate: 0.056\n  kinds: [\"hardware\", \"saas\"]\n  longer: window + hours(1)\n  window: 10d\n"
		t.Run(when, func(t *testing.T) {
			got, err := holds(t, "ready and ("+when+")", lets, trial())
			if got != want || err != nil {
				t.Errorf("%s: %v, %v; want %v", when, got, err, want)
			}
		})
	}
}

// TestRefused is what a condition cannot say, and a word of the reason.
func TestRefused(t *testing.T) {
	for when, reason := range map[string]string{
		"price == count_of": "a number is no amount", "count_of < price": "a number is no amount", "price >= rate": "a number is no amount", `price == "99"`: "without quotation marks",
		`price == "99.00 CNY"`: `money("99.00 CNY")`, "price * price > 1": "money times money", "price / 3 == 33": "not exact", "price / count_of == 33": "divide(a, b, places", "price / balance == 1": "divide(a, b, places",
		"price / 0 == 1": "divided by zero", "price % 2 == 1": "% on money", "price ** 2 > 1": "not exact", "1 / price > 0": "divided by", "price + count_of > 1": "a number is no amount", "price - rate > 1": "a number is no amount",
		"price and ready": "both sides have to be a yes or no", "not price": "not before money", "price": "not a yes or no", `floor == money("99.00 USD")`: "two currencies", `floor + money("1.00 USD") == price`: "two currencies",
		`price in [1.00, "a"]`: "a list of", "price in [count_of]": "a number is no amount", "price == days(1)": "between", "price == tags": "in list", "price contains \"9\"": "have to be texts", `price == money("99.00 XYZ")`: "unknown currency",
		`price == money(note)`: "fixed text", "min(price, count_of) > 1": "a number is no amount", "sum([]) > price": "nothing", `round(price, count_of, "half up") > 1`: "not fixed", `round(price, 2, "up") > 1`: "unknown rounding", `divide(price, 3, 99, "half up") > 1`: "places",
		"(ready ? price : count_of) > 1": "a number is no amount", "(price ?? note) == 1": "between", "99.00 CNY <= price": "money(", "price >= 1e3": "plain decimal", "price[0] == 1": "no parts", "price.Amount == 1": "no parts",
		"count_of / 2 == 1": "not always exact", "count_of ** 2 == 9": "not exact", "1.5 % 1 == 0.5": "whole numbers", "count_of / 0 == 1": "not always exact", "9223372036854775807 + 1 > count_of": "too large", "count_of % 0 == 1": "", "99999999999999999999 > count_of": "too large",
		`product == "hardwear"`: "did you mean hardware", `product in ["sass"]`: "did you mean saas", `"hardwear" == product`: "did you mean hardware", "note == 1": "compared with a text", "note matches note": "not fixed", `note matches "("`: "cannot be read", "ready > open": "neither more nor less",
		"tags == tags": "cannot be compared", `note in "abc"`: "contains", "signed_for >= 10": "days(10)", "signed_for >= 10d": "days(10)", "signed_for >= placed_for": "stopwatch is compared with a stopwatch", "signed_for + days(1) > days(2)": "other side", `signed_for > "10d"`: "compare it with a duration",
		"signed_for": "happened(signed_for)", "signed_for in [days(1)]": "cannot be in a list", "signed_for >= (placed_for > days(1) ? days(1) : days(2))": "a rule for each case", "signed_for >= days(1.5)": "smaller unit", "days(200000) > days(1)": "too large", "now() > date(\"2024-01-01\")": "reads a clock",
		"sined_for >= days(1)": "did you mean signed_for", "hardware == product": `"hardware"`, "dayz(1) == days(1)": "did you mean days", "filter(tags, # == \"a\") == tags": "no bound", "len(map(tags, #)) > 1": "no bound", "ready = true": "compare with ==", "ready and": "ends too early",
		"nil == note": "nil is not part", "let x = 1; x == 1": "one expression", "$env == 1": "not part", "env(\"HOME\") == note": "unknown function", "signed_for >= window，ready": "full-width comma ，", "（ready）": "full-width parenthesis （", "product == “saas”": "curly quotation mark “", "count_of ≥ 3": "write >=",
		"count_of > １": "full-width digit", "days == 1": "is a function", "days() == days(1)": "called with 0 arguments", `product == 1 or sgned_for == 2`: "did you mean", "repeat(note, 100000000) == note": "no bound", "1..3 == 1": "a range", "{a: 1} == 1": "maps are not", "true": "always true", "1 == 2": "never true", "": "not a condition",
	} {
		t.Run(when, func(t *testing.T) {
			_, err := compileText(trialText(when, "let:\n  floor: 99.00 CNY\n  rate: 0.056\n  window: 10d\n"))
			switch {
			case err == nil && when == "count_of % 0 == 1":
			case err == nil:
				t.Errorf("%s is accepted", when)
			case !strings.Contains(err.Error(), reason):
				t.Errorf("%s: the error is\n%v\nand says nothing of %q", when, err, reason)
			}
		})
	}
}

// TestCandidateErrors is what only the facts can show to be wrong: it parks the
// candidate.
func TestCandidateErrors(t *testing.T) {
	for when, want := range map[string]error{
		"price == balance": market.ErrMixedCurrencies, "price + balance > 1": market.ErrMixedCurrencies, "price - balance > 1": market.ErrMixedCurrencies, "balance > 1": market.ErrMixedCurrencies,
		"min(price, balance) > 1": market.ErrMixedCurrencies, "sum([price, balance]) > 1": market.ErrMixedCurrencies, "balance in [1.00]": market.ErrMixedCurrencies, "balance in 1..2": market.ErrMixedCurrencies,
		`divide(price, balance, 2, "half up") > 1`: market.ErrMixedCurrencies, "not (balance == 1)": market.ErrMixedCurrencies, "(open ? price : balance) > 1": market.ErrMixedCurrencies, `balance < money("1.00 CNY") or ready`: market.ErrMixedCurrencies,
		"count_of + 1 > 0": ErrOverflow, "count_of * 2 > 0": ErrOverflow, "-1 - count_of - 2 < 0": ErrOverflow, "count_of % window_days == 1": ErrByZero, `divide(1, window_days, 0, "half up") == 1`: ErrByZero, "signed_for >= days(count_of)": ErrOverflow,
	} {
		facts := trial()
		facts.Balance, facts.Count, facts.Days = money("99.00 USD"), 1<<63-1, 0
		_, err := holds(t, when, "", facts)
		var candidate *CandidateError
		if !errors.Is(err, want) || !errors.As(err, &candidate) || candidate.Rule != "it" {
			t.Errorf("%s: %v, want %v of rule it", when, err, want)
		}
	}
	// What is not computed cannot fail.
	facts := trial()
	facts.Balance = money("99.00 USD")
	if got, err := holds(t, "ready or price == balance", "", facts); !got || err != nil {
		t.Errorf("ready or …: %v, %v", got, err)
	}
}

// TestLiterals proves that an amount is read from its source text: a float
// could not tell these apart.
func TestLiterals(t *testing.T) {
	facts := trial()
	facts.Price = money("99999999999999999999.000000000001 CNY")
	for when, want := range map[string]bool{
		"price == 99999999999999999999.000000000001": true,
		"price == 99999999999999999999.000000000002": false,
		"price > 99999999999999999999.0":             true,
	} {
		if got, err := holds(t, when, "", facts); got != want || err != nil {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
}

// TestCurrencyOfRules proves that a bare amount is of the file's currency, or
// else of the site's.
func TestCurrencyOfRules(t *testing.T) {
	text := strings.Replace(trialText("price >= 12.00", ""), "hit:", "currency: BRL\nhit:", 1)
	p := mustCompile(t, text)
	facts := trial()
	facts.Price = money("12.00 BRL")
	if a, err := p.Decide(facts, noon); a.Outcome != "yes" || err != nil {
		t.Errorf("%v %v", a, err)
	}
	if q := mustCompile(t, trialText("price >= 12.00", "")); q.Hash == p.Hash {
		t.Error("two currencies, one hash")
	}
}

func TestCarriedValues(t *testing.T) {
	text := strings.Replace(trialText("ready", "let:\n  window: 10d\n"), "    because: So.", `    because: So.
    with: {amount: price * 0.5, rate: 0.056, times: count_of + 1, window: window, reason: "it is so", kinds: ["a", "b"], ok: not open, who: 'seller'}`, 1)
	p := mustCompile(t, text)
	a, err := p.Decide(trial(), noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range a.Values {
		got = append(got, fmt.Sprintf("%s=%s %s", v.Name, v, v.AppendJSON(nil)))
	}
	want := `amount=49.50 CNY "49.50 CNY"; rate=0.056 "0.056"; times=4 4; window=10d "10d"; reason=it is so "it is so"; kinds=a, b ["a","b"]; ok=true true; who=seller "seller"`
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	facts := trial()
	facts.Price = money("99999999999999999999999999 CNY")
	if _, err := mustCompile(t, strings.Replace(text, "price * 0.5", "price * 10", 1)).Decide(facts, noon); !errors.Is(err, market.ErrOutOfRange) {
		t.Errorf("an amount that cannot be kept: %v", err)
	}
}
