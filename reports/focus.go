package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"nightshift/rules/market"
)

// FocusVersion is the version of FOCUS, the FinOps Open Cost and Usage
// Specification, whose columns and rules these are.
const FocusVersion = "1.2"

const focusTimeLayout = "2006-01-02T15:04:05Z"

// FocusRow is one charge as FOCUS has it. Empty texts, zero times and nil
// decimals are null.
type FocusRow struct {
	BilledCost, ContractedCost, EffectiveCost, ListCost market.Decimal
	ContractedUnitPrice, ListUnitPrice, PricingQuantity *market.Decimal
	ConsumedQuantity                                    *market.Decimal // of use

	BillingAccount           string // id and name
	BillingAccountType       string
	BillingCurrency          market.Currency
	BillingStart, BillingEnd time.Time
	ChargeStart, ChargeEnd   time.Time

	ChargeCategory, ChargeClass, ChargeDescription, ChargeFrequency string
	InvoiceID, InvoiceIssuer, Provider, Publisher                   string
	PricingCategory, PricingUnit, ConsumedUnit                      string
	Resource, ResourceType                                          string // the instance that was used
	ServiceCategory, ServiceSubcategory, ServiceName                string
	SkuID, SkuMeter, SkuPriceID                                     string
	ChargeID, Order                                                 string // columns of our own
}

func number(d *market.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

// WriteFocus writes charges as a FOCUS dataset in CSV: UTF-8, commas, null as an
// empty field, times in UTC, numbers plain. It answers what was billed in each
// currency. A row that breaks a rule of the specification is an error that names
// the rule.
func WriteFocus(w io.Writer, rows iter.Seq2[FocusRow, error]) (map[market.Currency]market.Decimal, error) {
	out := csv.NewWriter(w)
	names := make([]string, len(focusExport))
	for i, c := range focusExport {
		names[i] = c.name
	}
	if err := out.Write(names); err != nil {
		return nil, fmt.Errorf("write the FOCUS dataset: %w", err)
	}
	check := newFocusCheck(names)
	sums := map[market.Currency]market.Decimal{}
	record := make([]string, len(focusExport))
	n := 0
	for r, err := range sequence(rows) {
		if err != nil {
			return nil, fmt.Errorf("read the charges: %w", err)
		}
		n++
		for i, c := range focusExport {
			record[i] = c.of(&r)
		}
		if broken := check.row(record); len(broken) > 0 {
			return nil, fmt.Errorf("write charge %d (%s) as FOCUS %s: %s", n, r.ChargeID, FocusVersion, strings.Join(broken, "; "))
		}
		for i, field := range record {
			if focusExport[i].kind == focusText {
				record[i] = guarded(field)
			}
		}
		if err := out.Write(record); err != nil {
			return nil, fmt.Errorf("write the FOCUS dataset: %w", err)
		}
		sums[r.BillingCurrency] = sums[r.BillingCurrency].Add(r.BilledCost)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return nil, fmt.Errorf("write the FOCUS dataset: %w", err)
	}
	return sums, nil
}
