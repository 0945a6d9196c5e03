package reports

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// FocusProblem is a rule of FOCUS that a dataset breaks, told of the first row
// that breaks it.
type FocusProblem struct {
	Row  int // counted from 1; 0 is the header
	Rows int // that break it
	Rule string
}

// focusNull is how some datasets write that there is no value; others leave the
// cell empty. Both are read.
const focusNull = "NULL"

// focusValues are what is told of a value beside the rule that it breaks.
var focusValues = regexp.MustCompile(`"[^"]*"|-?[0-9][0-9.eE-]*`)

// CheckFocus reads a dataset and tells which of the rules that a program can
// check it breaks: the columns there are, types, nulls, allowed words, periods,
// prices times quantities, and what must be the same in all rows. It answers
// what was billed in each currency.
//
// The rules are the requirements that FOCUS 1.2 has for each column and for the
// attributes of datasets (https://focus.finops.org/focus-specification/v1-2/; their
// source is github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, specification/columns).
// What needs an invoice or a price list beside the dataset, such as that its sum
// is billed, is tied elsewhere.
func CheckFocus(r io.Reader) (problems []FocusProblem, sums map[market.Currency]market.Decimal, err error) {
	in := csv.NewReader(r)
	names, err := in.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("read the FOCUS dataset: %w", err)
	}
	names[0] = strings.TrimPrefix(names[0], byteOrderMark)
	for _, rule := range focusHeader(names) {
		problems = append(problems, FocusProblem{0, 1, rule})
	}
	told := map[string]int{} // rules without values, to where they stand among the problems
	check := newFocusCheck(slices.Clone(names))
	exact := map[market.Currency]*big.Rat{}
	for row := 1; ; row++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			sums, err = billedInAll(exact)
			return problems, sums, err
		}
		if err != nil {
			return problems, nil, fmt.Errorf("read row %d of the FOCUS dataset: %w", row, err)
		}
		for _, rule := range check.row(record) {
			key := focusValues.ReplaceAllString(rule, "")
			if _, known := told[key]; !known {
				told[key] = len(problems)
				problems = append(problems, FocusProblem{Row: row, Rule: rule})
			}
			problems[told[key]].Rows++
		}
		if cost, ok := focusNumber(check.of(record).value("BilledCost")); ok {
			c := market.Currency(check.of(record).value("BillingCurrency"))
			if exact[c] == nil {
				exact[c] = new(big.Rat)
			}
			exact[c].Add(exact[c], cost)
		}
	}
}

// billedInAll are sums as exact as amounts are kept.
func billedInAll(exact map[market.Currency]*big.Rat) (map[market.Currency]market.Decimal, error) {
	sums := map[market.Currency]market.Decimal{}
	for c, sum := range exact {
		d, err := market.ParseDecimal(sum.FloatString(market.MaxFractionDigits))
		if err != nil {
			return nil, fmt.Errorf("add up what the FOCUS dataset bills in %q: %w", c, err)
		}
		sums[c] = d
	}
	return sums, nil
}

// focusHeader are the rules of columns.
func focusHeader(names []string) (broken []string) {
	groups := map[string]bool{}
	for _, c := range focusColumns {
		if slices.Contains(names, c.name) {
			groups[c.group] = true
		}
	}
	delete(groups, "")
	for _, c := range focusColumns {
		switch {
		case slices.Contains(names, c.name):
		case c.must:
			broken = append(broken, "the column "+c.name+" is missing")
		case groups[c.group]:
			broken = append(broken, fmt.Sprintf("the column %s is missing, as the dataset tells of %s", c.name, c.group))
		}
	}
	for i, name := range names {
		known := slices.ContainsFunc(focusColumns, func(c focusColumn) bool { return c.name == name })
		switch {
		case slices.Contains(names[:i], name):
			broken = append(broken, "the column "+name+" is there twice")
		case !known && !strings.HasPrefix(name, "x_"):
			broken = append(broken, fmt.Sprintf("the column %s is none of FOCUS %s, so its name must begin with x_", name, FocusVersion))
		}
	}
	return broken
}
