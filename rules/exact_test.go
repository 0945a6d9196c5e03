package rules

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// drawAmount writes a decimal as people do: up to 20 digits before the point
// and 12 after.
func drawAmount(t *rapid.T, label string) string {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,12})?`).Draw(t, label)
}

func rational(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// TestMoneyIsExact holds every operator on money against exact fractions, the
// literals written into the rule.
func TestMoneyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price, balance, literal, rate := drawAmount(t, "price"), drawAmount(t, "balance"), drawAmount(t, "literal"), drawAmount(t, "rate")
		p, b, l, r := rational(price), rational(balance), rational(literal), rational(rate)
		sides := map[string]*big.Rat{
			"price": p, literal: l, "price + balance": add(p, b), "price - " + "(" + literal + ")": sub(p, l), "price * " + "(" + rate + ")": new(big.Rat).Mul(p, r), "-price": new(big.Rat).Neg(p),
			"price / 8": new(big.Rat).Quo(p, big.NewRat(8, 1)), "abs(price)": new(big.Rat).Abs(p), "sum([price, balance, " + literal + "])": add(add(p, b), l),
			"min(price, " + literal + ")": least(p, l), "max(price, balance)": most(p, b), "(price > balance ? price : " + literal + ")": map[bool]*big.Rat{true: p, false: l}[p.Cmp(b) > 0],
		}
		var names []string
		for name := range sides {
			names = append(names, name)
		}
		left := rapid.SampledFrom(slices.Sorted(slices.Values(names))).Draw(t, "left")
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "operator")
		order := sides[left].Cmp(b)
		condition := fmt.Sprintf("%s %s balance", left, op)
		facts := trial()
		facts.Price, facts.Balance = money(price+" CNY"), money(balance+" CNY")
		policy, err := compileText(trialText(condition, ""))
		if err != nil {
			if strings.Contains(err.Error(), "too large") {
				t.Skip(err) // a whole literal beyond int64 has to be written with decimals
			}
			t.Fatal(err)
		}
		a, err := policy.Decide(facts, noon)
		if err != nil {
			t.Fatal(err)
		}
		if want := truth[op][order+1]; (a.Outcome == "yes") != want {
			t.Fatalf("%s is %v of price %s and balance %s", condition, !want, price, balance)
		}
	})
}

func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

func most(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// TestDecideConcurrently: one policy serves all workers.
func TestDecideConcurrently(t *testing.T) {
	p := mustCompile(t, trialText("signed_for >= days(window_days) and price + 1 >= 100", ""))
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() {
			facts := trial()
			facts.Days = int64(10 + i%2)
			want := []string{"yes", "no"}[i%2]
			for range 1000 {
				a, err := p.Decide(facts, noon)
				p.Since(facts, noon, a)
				p.Next(facts, noon, a)
				if a.Outcome != want || err != nil {
					t.Errorf("%v %v, want %s", a, err, want)
					return
				}
			}
		})
	}
	workers.Wait()
}

// FuzzMapping: any mapping is refused with a reason, or maps any row without a
// panic.
func FuzzMapping(f *testing.F) {
	f.Add("time(a)", "2024-01-01")
	f.Add(`money(a, b) + money(a, "CNY")`, "1.00")
	f.Add(`split(a, ",", 1) ?? replace(a, "x", "y")`, "x,y")
	f.Add(`number(a) > 3 ? "many" : col("b c")`, "9")
	f.Add(`time(a, "02/01/2006 15:04")`, "31/12/2023 23:59")
	f.Fuzz(func(t *testing.T, expression, cell string) {
		text := "kind: orders\ncolumns:\n  code: |-\n    " + strings.ReplaceAll(expression, "\n", "\n    ") + "\n"
		m, err := ParseMapping("m.yaml", []byte(text), []string{"code"})
		if err != nil {
			return
		}
		header := m.Sources()
		if err := m.Check(header); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(header))
		for i := range row {
			row[i] = cell
		}
		if _, err := m.Row(make([]string, 1), row); err != nil && err.Error() == "" {
			t.Fatal("a row is refused without a reason")
		}
	})
}
