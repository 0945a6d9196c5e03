package market

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PriceModel is how a price follows from a quantity.
type PriceModel string

// The price models.
const (
	PriceFixed PriceModel = "fixed" // one price for every unit
	PriceStep  PriceModel = "step"  // each slice of the quantity at the price of its bracket
	PriceTier  PriceModel = "tier"  // the whole quantity at the price of the bracket it falls in
)

// Measure is what is counted of a record of use.
type Measure string

// The measures.
const (
	MeasureUsage Measure = "usage" // what the record reports: calls, tokens, gigabyte hours
	MeasureHours Measure = "hours" // every clock hour that it touches, once for each different product on one machine
)

// ErrNoPrice marks use on a date for which nothing says what it costs.
var ErrNoPrice = errors.New("no price")

// Bracket is a slice of quantities with its price. It includes its end: three
// units belong to the bracket up to three.
type Bracket struct {
	UpTo  Decimal // the last quantity in it; nothing for an Open one
	Open  bool    // has no end; always and only the last
	Price Decimal // of Per units, in the currency of the price
}

// Price is what one billing item of a product costs from an instant on, until
// the next price of the item.
type Price struct {
	ProductID    int64
	Product      string // its code
	Item         string
	From         time.Time
	Model        PriceModel
	Cycle        Cycle // by which it is billed: hour, day or month
	Measure      Measure
	Per          int32 // the price is of ten to this power units: 6 for a million tokens
	Accumulation Cycle // for a step price, the span over which records add up; CycleNone: each starts at zero
	Brackets     []Bracket
	Currency     Currency
}

// MaxBrackets bounds a price list.
const MaxBrackets = 100

// ParseBrackets reads brackets as people write them, each "up to:price" with a
// price for everything above at the end: "3:0.3;:0.2", or "0.00028" for one
// price. They ascend; prices are 0 or more, with up to 12 decimals.
func ParseBrackets(text string) ([]Bracket, error) {
	parts := strings.Split(text, ";")
	if len(parts) > MaxBrackets {
		return nil, fmt.Errorf("read prices %q: they have %d brackets, at most %d are allowed", clip(text), len(parts), MaxBrackets)
	}
	var brackets []Bracket
	for i, part := range parts {
		b, err := parseBracket(strings.TrimSpace(part))
		switch {
		case err != nil:
			return nil, fmt.Errorf("read prices %q: %w", clip(text), err)
		case b.Open != (i == len(parts)-1):
			return nil, fmt.Errorf("read prices %q: the last bracket, and only it, has no end: write it like 3:0.3;:0.2", clip(text))
		case !b.Open && b.UpTo.Sign() <= 0, !b.Open && i > 0 && b.UpTo.Cmp(brackets[i-1].UpTo) <= 0:
			return nil, fmt.Errorf("read prices %q: the brackets do not ascend from 0", clip(text))
		}
		brackets = append(brackets, b)
	}
	return brackets, nil
}

func parseBracket(text string) (b Bracket, err error) {
	end, price, several := strings.Cut(text, ":")
	if !several {
		end, price = "", text
	}
	if b.Open = end == ""; !b.Open {
		if b.UpTo, err = ParseDecimal(end); err != nil {
			return b, err
		}
	}
	if b.Price, err = ParseDecimal(price); err == nil && b.Price.Sign() < 0 {
		err = fmt.Errorf("the price %s is less than nothing", price)
	}
	return b, err
}

// FormatBrackets writes what ParseBrackets reads.
func FormatBrackets(brackets []Bracket) string {
	parts := make([]string, len(brackets))
	for i, b := range brackets {
		end := ""
		if !b.Open {
			end = b.UpTo.String()
		}
		parts[i] = end + ":" + b.Price.String()
	}
	return strings.Join(parts, ";")
}

// Valid answers what is wrong with p, if anything.
func (p *Price) Valid() error {
	switch {
	case p.Model == PriceFixed && len(p.Brackets) != 1:
		return fmt.Errorf("a fixed price has one price, not %d brackets: is it step or tier?", len(p.Brackets))
	case p.Model != PriceStep && p.Accumulation != CycleNone:
		return fmt.Errorf("a %s price adds nothing up: leave accumulation at none, or make it a step price", p.Model)
	case p.Measure == MeasureHours && p.Cycle != CycleHour:
		return fmt.Errorf("hours are billed by the hour, not by the %s", p.Cycle)
	}
	return nil
}

// Rate is what quantity costs, exactly: nothing is rounded. before is what was
// used earlier in the accumulation period; fixed and tier prices do not ask.
func (p *Price) Rate(before, quantity Decimal) Money {
	var cost Decimal
	switch p.Model {
	case PriceStep:
		cost = p.step(before, quantity)
	case PriceTier:
		cost = quantity.Mul(p.bracket(quantity).Price)
	default:
		cost = quantity.Mul(p.Brackets[0].Price)
	}
	return NewMoney(cost.shifted(-p.Per), p.Currency)
}

// bracket is the one that a quantity falls in.
func (p *Price) bracket(quantity Decimal) Bracket {
	for _, b := range p.Brackets {
		if b.Open || quantity.Cmp(b.UpTo) <= 0 {
			return b
		}
	}
	panic("a price without an open bracket was not parsed")
}

// step prices the slice of quantities after before, bracket by bracket.
func (p *Price) step(before, quantity Decimal) Decimal {
	var cost Decimal
	for _, b := range p.Brackets {
		if quantity.Sign() <= 0 {
			break
		}
		if !b.Open && before.Cmp(b.UpTo) >= 0 {
			continue
		}
		slice := quantity
		if !b.Open {
			if room := b.UpTo.Sub(before); slice.Cmp(room) > 0 {
				slice = room
			}
		}
		cost = cost.Add(slice.Mul(b.Price))
		before, quantity = before.Add(slice), quantity.Sub(slice)
	}
	return cost
}

// Prices are the prices of one billing item of one product, the earliest first.
type Prices []Price

// At is the price in force at an instant. There is none before the first.
func (ps Prices) At(t time.Time) (*Price, bool) {
	i, _ := slices.BinarySearchFunc(ps, t, func(p Price, t time.Time) int {
		if p.From.After(t) {
			return 1
		}
		return -1
	})
	if i == 0 {
		return nil, false
	}
	return &ps[i-1], true
}
