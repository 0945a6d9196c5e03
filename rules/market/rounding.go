package market

import (
	"fmt"
	"slices"
)

// RoundingPolicy is a named way in which the lines of a bill become amounts
// that can be charged.
type RoundingPolicy string

// The rounding policies.
const (
	TruncateEach     RoundingPolicy = "truncate each"     // every line towards zero; what it loses is dropped
	HalfUpEach       RoundingPolicy = "half up each"      // every line to the nearest, half away from zero
	HalfUpTotal      RoundingPolicy = "half up the total" // the lines as they are, their sum to the nearest
	LargestRemainder RoundingPolicy = "largest remainder" // as half up the total, and shared out so that the lines add up to it
)

// RoundingPolicies are all there are.
var RoundingPolicies = []RoundingPolicy{TruncateEach, HalfUpEach, HalfUpTotal, LargestRemainder}

// Rounded is a bill after rounding: for each line exactly what was charged and
// what was dropped, and what the sum of the lines still drops. Dropped is
// negative where more is charged than was due.
type Rounded struct {
	Charged []Decimal
	Dropped []Decimal // line = charged + dropped
	Total   Decimal   // what is to be paid: the sum of Charged less Rest
	Rest    Decimal   // dropped from the sum alone, by half up the total
}

// Round rounds the exact lines of a bill in one currency to places decimals.
func (p RoundingPolicy) Round(lines []Decimal, places int32) (Rounded, error) {
	r := Rounded{Charged: make([]Decimal, len(lines)), Dropped: make([]Decimal, len(lines))}
	var sum Decimal
	for _, line := range lines {
		sum = sum.Add(line)
	}
	var err error
	switch p {
	case TruncateEach, HalfUpEach:
		how := RoundTruncate
		if p == HalfUpEach {
			how = RoundHalfUp
		}
		for i, line := range lines {
			if r.Charged[i], err = line.Round(places, how); err != nil {
				return Rounded{}, fmt.Errorf("round line %d of the bill: %w", i+1, err)
			}
			r.Total = r.Total.Add(r.Charged[i])
		}
	case HalfUpTotal:
		copy(r.Charged, lines)
		r.Total, err = sum.Round(places, RoundHalfUp)
		r.Rest = sum.Sub(r.Total)
	case LargestRemainder:
		if r.Total, err = sum.Round(places, RoundHalfUp); err == nil {
			r.Charged, err = shareOut(r.Total, lines, places)
		}
	default:
		return Rounded{}, fmt.Errorf("unknown rounding policy %q: it is one of %q", string(p), RoundingPolicies)
	}
	if err != nil {
		return Rounded{}, fmt.Errorf("round the bill: %w", err)
	}
	for i, line := range lines {
		r.Dropped[i] = line.Sub(r.Charged[i])
	}
	return r, nil
}

// Split shares an amount out in proportion to weights of 0 or more, in steps
// of the last of places decimals; the parts add up to the amount exactly. What
// cannot be shared evenly goes to the largest remainders, of equal ones to the
// first. Where no weight is above zero the first part is all of it.
func Split(amount Decimal, weights []Decimal, places int32) ([]Decimal, error) {
	if len(weights) == 0 {
		return nil, fmt.Errorf("split %s: among nobody", clip(amount.String()))
	}
	if rounded, err := amount.Round(places, RoundTruncate); err != nil || rounded.Cmp(amount) != 0 {
		return nil, fmt.Errorf("split %s: it has more than %d decimals: round it first", clip(amount.String()), places)
	}
	var sum Decimal
	for i, w := range weights {
		if w.Sign() < 0 {
			return nil, fmt.Errorf("split %s: weight %d is less than nothing: %s", clip(amount.String()), i+1, clip(w.String()))
		}
		sum = sum.Add(w)
	}
	shares := make([]Decimal, len(weights))
	if sum.IsZero() {
		shares[0] = amount
		return shares, nil
	}
	// A share truncated, and what its exact value exceeds it by, times the sum
	// of the weights: the remainders are compared without ever dividing.
	ideal := make([]Decimal, len(weights))
	for i, w := range weights {
		ideal[i] = amount.Mul(w)
		var err error
		if shares[i], err = ideal[i].Quo(sum, places, RoundTruncate); err != nil {
			return nil, err
		}
		ideal[i] = ideal[i].Sub(shares[i].Mul(sum)).Abs()
	}
	giveOut(amount, shares, ideal, places)
	return shares, nil
}

// shareOut rounds lines of any sign to places decimals so that they add up to
// total, which is their rounded sum: each is truncated towards minus infinity,
// and the largest remainders are rounded up.
func shareOut(total Decimal, lines []Decimal, places int32) ([]Decimal, error) {
	shares, remainders := make([]Decimal, len(lines)), make([]Decimal, len(lines))
	for i, line := range lines {
		down, err := line.Round(places, RoundTruncate)
		if err != nil {
			return nil, err
		}
		if down.Cmp(line) > 0 {
			down = down.Sub(DecimalOf(1).shifted(-places))
		}
		shares[i], remainders[i] = down, line.Sub(down)
	}
	giveOut(total, shares, remainders, places)
	return shares, nil
}

// giveOut adds one last decimal to the shares with the largest remainders, until
// they add up to total.
func giveOut(total Decimal, shares, remainders []Decimal, places int32) {
	short := total
	order := make([]int, len(shares))
	for i, s := range shares {
		short, order[i] = short.Sub(s), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainders[b].Cmp(remainders[a]) })
	step := DecimalOf(int64(short.Sign())).shifted(-places)
	for i := 0; !short.IsZero(); i++ {
		shares[order[i%len(order)]] = shares[order[i%len(order)]].Add(step)
		short = short.Sub(step)
	}
}
