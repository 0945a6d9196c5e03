package market

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// MonthLine is a deduction that counts to the total of a buyer's month, where
// that is what is rounded.
type MonthLine struct {
	BuyerID int64
	Month   Date   // its first day
	Key     string // of the deduction
	At      time.Time
	Due     Money   // exact
	Charged Decimal // its part of the rounded total, once that is shared out
}

// RoundedMonth is a buyer's month whose total was rounded.
type RoundedMonth struct {
	BuyerID  int64
	Month    Date // its first day
	Currency Currency
	Lines    []MonthLine // among which the total was shared out; none where it was not
}

// ShareOut rounds the sum of the lines of a month, half away from zero, to places
// decimals, and shares the rounded total out among them by LargestRemainder: every
// line is truncated towards minus infinity, and the lines that lost most get one
// last decimal each until they add up to the total. Of lines that lost as much, those
// deducted first come first, then those whose key does. The lines come back in that
// order, each with what it is charged.
func ShareOut(lines []MonthLine, places int32) ([]MonthLine, error) {
	lines = slices.Clone(lines)
	slices.SortFunc(lines, func(a, b MonthLine) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	due := make([]Decimal, len(lines))
	for i := range lines {
		if due[i] = lines[i].Due.Amount; lines[i].Due.Currency != lines[0].Due.Currency {
			return nil, fmt.Errorf("share out the month of %s: %w: %s and %s", lines[i].Key, ErrMixedCurrencies, lines[0].Due, lines[i].Due)
		}
	}
	r, err := LargestRemainder.Round(due, places)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		lines[i].Charged = r.Charged[i]
	}
	return lines, nil
}
