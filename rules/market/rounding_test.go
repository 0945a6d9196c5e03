package market_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func big64(n int64) *big.Int { return big.NewInt(n) }

func decs(t interface{ Fatal(...any) }, texts string) []market.Decimal {
	var out []market.Decimal
	for _, text := range strings.Fields(texts) {
		out = append(out, dec(t, text))
	}
	return out
}

func written(ds []market.Decimal) string {
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.String()
	}
	return strings.Join(texts, " ")
}

func TestABillIsRoundedByItsPolicy(t *testing.T) {
	for _, tt := range []struct {
		name           string
		policy         market.RoundingPolicy
		lines          string
		charged, drops string
		total, rest    string
	}{
		{"the part below a fen is dropped", market.TruncateEach, "0.056", "0.05", "0.006", "0.05", "0"},
		{"each line by itself", market.TruncateEach, "0.019 0.019", "0.01 0.01", "0.009 0.009", "0.02", "0"},
		{"a refund drops as much as its line", market.TruncateEach, "-0.056", "-0.05", "-0.006", "-0.05", "0"},
		{"half a fen rounds away from zero", market.HalfUpEach, "0.005 -0.005 0.0049", "0.01 -0.01 0", "-0.005 0.005 0.0049", "0", "0"},
		{"only the sum is rounded", market.HalfUpTotal, "0.004 0.004", "0.004 0.004", "0 0", "0.01", "-0.002"},
		{"the sum is rounded and the lines add up to it", market.LargestRemainder, "0.014 0.016 0.01", "0.01 0.02 0.01", "0.004 -0.004 0", "0.04", "0"},
		{"of equal remainders the first line pays", market.LargestRemainder, "0.005 0.005", "0.01 0", "-0.005 0.005", "0.01", "0"},
		{"so it is with refunds among the lines", market.LargestRemainder, "-0.014 0.004", "-0.01 0", "-0.004 0.004", "-0.01", "0"},
		{"no lines, no bill", market.LargestRemainder, "", "", "", "0", "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.policy.Round(decs(t, tt.lines), 2)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{written(r.Charged), written(r.Dropped), r.Total.String(), r.Rest.String()}
			if want := []string{tt.charged, tt.drops, tt.total, tt.rest}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	if _, err := market.RoundingPolicy("half even").Round(nil, 2); err == nil || !strings.Contains(err.Error(), "half even") {
		t.Errorf("an unknown policy: %v", err)
	}
}

// Whatever the policy, what was charged and dropped is what was due, and no
// line is off by a fen or more.
func TestRoundingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom(market.RoundingPolicies).Draw(t, "policy")
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) market.Decimal {
			return market.DecimalFrom(big64(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "amount")), -rapid.Int32Range(0, 6).Draw(t, "decimals"))
		}), 0, 8).Draw(t, "lines")
		r, err := policy.Round(lines, 2)
		if err != nil {
			t.Fatal(err)
		}
		fen := market.DecimalFrom(big64(1), -2)
		var exact, charged, dropped market.Decimal
		for i, line := range lines {
			if line.Cmp(r.Charged[i].Add(r.Dropped[i])) != 0 || r.Dropped[i].Abs().Cmp(fen) >= 0 {
				t.Fatalf("%s: line %s was charged %s and dropped %s", policy, line, r.Charged[i], r.Dropped[i])
			}
			exact, charged, dropped = exact.Add(line), charged.Add(r.Charged[i]), dropped.Add(r.Dropped[i])
		}
		if r.Total.Cmp(charged.Sub(r.Rest)) != 0 || exact.Cmp(r.Total.Add(dropped).Add(r.Rest)) != 0 {
			t.Fatalf("%s: %s is not %s charged, %s dropped and %s of the sum", policy, exact, r.Total, dropped, r.Rest)
		}
		if cents, err := r.Total.Round(2, market.RoundTruncate); err != nil || cents.Cmp(r.Total) != 0 {
			t.Fatalf("%s: a total of %s", policy, r.Total)
		}
	})
}

func TestASplitSharesOut(t *testing.T) {
	for _, tt := range []struct{ name, amount, weights, want string }{
		{"a hundred among three", "100.00", "1 1 1", "33.34 33.33 33.33"},
		{"by the size of each", "10.00", "2 1", "6.67 3.33"},
		{"the largest remainder comes first", "1.00", "1 1.5 3.5", "0.17 0.25 0.58"},
		{"a refund like its payment", "-100.00", "1 1 1", "-33.34 -33.33 -33.33"},
		{"one fen among two", "0.01", "1 1", "0.01 0"},
		{"nobody weighs anything", "5.00", "0 0", "5 0"},
		{"nothing among two", "0", "3 1", "0 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := market.Split(dec(t, tt.amount), decs(t, tt.weights), 2)
			if err != nil || written(got) != tt.want {
				t.Errorf("got %s, %v, want %s", written(got), err, tt.want)
			}
		})
	}
	for name, split := range map[string]func() ([]market.Decimal, error){
		"among nobody":         func() ([]market.Decimal, error) { return market.Split(dec(t, "1"), nil, 2) },
		"of parts of a fen":    func() ([]market.Decimal, error) { return market.Split(dec(t, "0.001"), decs(t, "1"), 2) },
		"by a negative weight": func() ([]market.Decimal, error) { return market.Split(dec(t, "1"), decs(t, "1 -1"), 2) },
	} {
		if got, err := split(); err == nil {
			t.Errorf("%s: got %s", name, written(got))
		}
	}
}

func TestASplitNeverLosesACent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := market.DecimalFrom(big64(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "amount")), -2)
		var weights []market.Decimal
		var sum market.Decimal
		for _, w := range rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 9).Draw(t, "weights") {
			weights = append(weights, market.DecimalFrom(big64(w), -3))
			sum = sum.Add(weights[len(weights)-1])
		}
		parts, err := market.Split(amount, weights, 2)
		if err != nil {
			t.Fatal(err)
		}
		var all market.Decimal
		fen := market.DecimalFrom(big64(1), -2)
		for i, p := range parts {
			all = all.Add(p)
			// No part is a fen or more away from its exact share: |p × sum − amount × weight| < fen × sum.
			if off := p.Mul(sum).Sub(amount.Mul(weights[i])).Abs(); sum.Sign() > 0 && off.Cmp(fen.Mul(sum)) >= 0 {
				t.Fatalf("%s by %s: part %d is %s", amount, written(weights), i, p)
			}
		}
		if all.Cmp(amount) != 0 {
			t.Fatalf("%s became %s", amount, written(parts))
		}
	})
}
