package reports

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nightshift/rules/market"
)

// FocusProblem is a rule of FOCUS that a dataset breaks.
type FocusProblem struct {
	Row  int // counted from 1; 0 is the header
	Rule string
}

// focusNull is how some datasets write that there is no value; others leave the
// cell empty. Both are read.
const focusNull = "NULL"

// mostFocusProblems are told of one dataset.
const mostFocusProblems = 100

// CheckFocus reads a dataset and tells which of the rules that a program can
// check it breaks: the columns there are, types, nulls, allowed words, periods,
// and prices times quantities. It answers what was billed in each currency.
//
// The rules are the requirements that FOCUS 1.2 has for each column and for the
// attributes of datasets (https://focus.finops.org/focus-specification/v1-2/; their
// source is github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, specification/columns).
// What needs an invoice beside the dataset, such as that its sum is billed, is tied
// elsewhere.
func CheckFocus(r io.Reader) (problems []FocusProblem, sums map[market.Currency]market.Decimal, err error) {
	in := csv.NewReader(r)
	names, err := in.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("read the FOCUS dataset: %w", err)
	}
	names[0] = strings.TrimPrefix(names[0], byteOrderMark)
	names = slices.Clone(names)
	for _, rule := range focusHeader(names) {
		problems = append(problems, FocusProblem{0, rule})
	}
	billed, currency := slices.Index(names, "BilledCost"), slices.Index(names, "BillingCurrency")
	sums = map[market.Currency]market.Decimal{}
	for row := 1; ; row++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return problems, sums, nil
		}
		if err != nil {
			return problems, nil, fmt.Errorf("read row %d of the FOCUS dataset: %w", row, err)
		}
		for _, rule := range focusRules(names, record) {
			if len(problems) < mostFocusProblems {
				problems = append(problems, FocusProblem{row, rule})
			}
		}
		if billed < 0 || currency < 0 {
			continue
		}
		if d, err := market.ParseDecimal(record[billed]); err == nil {
			c := market.Currency(record[currency])
			sums[c] = sums[c].Add(d)
		}
	}
}

// focusHeader are the rules of columns.
func focusHeader(names []string) (broken []string) {
	for _, c := range focusColumns {
		if !c.absent && !slices.Contains(names, c.name) {
			broken = append(broken, "the column "+c.name+" is missing")
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			broken = append(broken, "the column "+name+" is there twice")
		}
	}
	return broken
}

// focusRules are the rules that a row breaks, each in words.
func focusRules(names, record []string) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	value := func(name string) string {
		if i := slices.Index(names, name); i >= 0 && record[i] != focusNull {
			return record[i]
		}
		return ""
	}
	for _, c := range focusColumns {
		if rule := c.breaks(value(c.name)); rule != "" && slices.Contains(names, c.name) {
			say("%s %s", c.name, rule)
		}
	}
	if len(broken) > 0 {
		return broken // rules between columns build on those of each
	}
	for _, period := range []string{"BillingPeriod", "ChargePeriod"} {
		if value(period+"Start") >= value(period+"End") {
			say("%sStart must be before %sEnd", period, period)
		}
	}
	category, correction := value("ChargeCategory"), value("ChargeClass") != ""
	sold := (category == "Usage" || category == "Purchase") && !correction
	for _, name := range []string{"PricingQuantity", "PricingUnit", "PricingCategory", "SkuId", "SkuPriceId", "ContractedUnitPrice", "ListUnitPrice"} {
		switch present := value(name) != ""; {
		case sold && !present:
			say("%s must not be null where ChargeCategory is %s and ChargeClass is null", name, category)
		case category == "Tax" && present:
			say("%s must be null where ChargeCategory is Tax", name)
		}
	}
	if (value("PricingQuantity") == "") != (value("PricingUnit") == "") {
		say("PricingUnit must be null where PricingQuantity is, and only there")
	}
	if category == "Purchase" && value("ChargeFrequency") == "Usage-Based" {
		say("ChargeFrequency must not be Usage-Based where ChargeCategory is Purchase")
	}
	for _, by := range []string{"Contracted", "List"} {
		price, quantity := value(by+"UnitPrice"), value("PricingQuantity")
		if price == "" || quantity == "" || correction {
			continue
		}
		if p, q, cost := decimalOf(price), decimalOf(quantity), decimalOf(value(by+"Cost")); p.Mul(q).Cmp(cost) != 0 {
			say("%sUnitPrice × PricingQuantity must be %sCost: %s × %s is not %s", by, by, price, quantity, cost)
		}
	}
	return broken
}

// decimalOf is a number that was read before.
func decimalOf(text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// breaks is the rule that one value breaks.
func (c focusColumn) breaks(value string) string {
	if value == "" {
		if c.null {
			return ""
		}
		return "must not be null"
	}
	switch c.kind {
	case focusDecimal:
		if _, err := market.ParseDecimal(value); err != nil {
			return fmt.Sprintf("must be a number, not %q", value)
		}
	case focusTime:
		if t, err := time.Parse(focusTimeLayout, value); err != nil || t.IsZero() {
			return fmt.Sprintf("must be a time like 2024-05-01T00:00:00Z, not %q", value)
		}
	case focusCurrency:
		if _, err := market.ParseCurrency(value); err != nil {
			return fmt.Sprintf("must be a currency of ISO 4217, not %q", value)
		}
	}
	if c.words != nil && !slices.Contains(c.words, value) {
		return fmt.Sprintf("must be one of %s, not %q", strings.Join(c.words, ", "), value)
	}
	return ""
}
