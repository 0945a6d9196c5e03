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

// FocusRow is one charge as FOCUS has it. Empty texts, zero times and nil
// decimals are null.
type FocusRow struct {
	BilledCost, ContractedCost, EffectiveCost, ListCost market.Decimal
	ContractedUnitPrice, ListUnitPrice, PricingQuantity *market.Decimal

	BillingAccount           string // id and name
	BillingAccountType       string
	BillingCurrency          market.Currency
	BillingStart, BillingEnd time.Time
	ChargeStart, ChargeEnd   time.Time

	ChargeCategory, ChargeClass, ChargeDescription, ChargeFrequency string
	InvoiceID, InvoiceIssuer, Provider, Publisher                   string
	PricingCategory, PricingUnit                                    string
	ServiceCategory, ServiceName, SkuID, SkuPriceID                 string
	ChargeID, Order                                                 string // columns of our own
}

// focusColumn is a column of the export, with the rules that the specification
// has for each value by itself.
type focusColumn struct {
	name   string
	kind   focusKind
	null   bool     // it may be null
	words  []string // that are allowed; none: any
	of     func(r *FocusRow) string
	absent bool // the specification does not ask for it
}

type focusKind uint8

const (
	focusText focusKind = iota
	focusDecimal
	focusTime
	focusCurrency
)

// Words that the specification allows.
var (
	chargeCategories   = []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
	chargeFrequencies  = []string{"One-Time", "Recurring", "Usage-Based"}
	pricingCategories  = []string{"Standard", "Dynamic", "Committed", "Other"}
	serviceCategories  = []string{"AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other"}
	chargeClasses      = []string{"Correction"}
	focusTimeLayout    = "2006-01-02T15:04:05Z"
	focusServiceOfType = map[string]string{"saas": "Business Applications", "license": "Business Applications", "content": "Media", "image": "Compute", "container": "Compute", "hardware": "Compute",
		"api": "Integration", "orchestration": "Integration", "agent": "AI and Machine Learning", "ai_asset": "AI and Machine Learning", "data_asset": "Analytics", "data_file": "Analytics"}
)

// FocusService is the category of an access type.
func FocusService(accessType string) string {
	if c, ok := focusServiceOfType[accessType]; ok {
		return c
	}
	return "Other"
}

func number(d *market.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func utc(t time.Time) string { return t.UTC().Format(focusTimeLayout) }

// focusColumns are in alphabetical order, our own last. Those that a marketplace
// of charges has nothing to say in (capacity, commitments, regions, resources)
// are left out, as the specification has it for what a provider does not support.
var focusColumns = []focusColumn{
	{name: "BilledCost", kind: focusDecimal, of: func(r *FocusRow) string { return r.BilledCost.String() }},
	{name: "BillingAccountId", of: func(r *FocusRow) string { return r.BillingAccount }},
	{name: "BillingAccountName", null: true, of: func(r *FocusRow) string { return r.BillingAccount }},
	{name: "BillingAccountType", null: true, of: func(r *FocusRow) string { return r.BillingAccountType }},
	{name: "BillingCurrency", kind: focusCurrency, of: func(r *FocusRow) string { return string(r.BillingCurrency) }},
	{name: "BillingPeriodEnd", kind: focusTime, of: func(r *FocusRow) string { return utc(r.BillingEnd) }},
	{name: "BillingPeriodStart", kind: focusTime, of: func(r *FocusRow) string { return utc(r.BillingStart) }},
	{name: "ChargeCategory", words: chargeCategories, of: func(r *FocusRow) string { return r.ChargeCategory }},
	{name: "ChargeClass", null: true, words: chargeClasses, of: func(r *FocusRow) string { return r.ChargeClass }},
	{name: "ChargeDescription", null: true, of: func(r *FocusRow) string { return r.ChargeDescription }},
	{name: "ChargeFrequency", words: chargeFrequencies, of: func(r *FocusRow) string { return r.ChargeFrequency }},
	{name: "ChargePeriodEnd", kind: focusTime, of: func(r *FocusRow) string { return utc(r.ChargeEnd) }},
	{name: "ChargePeriodStart", kind: focusTime, of: func(r *FocusRow) string { return utc(r.ChargeStart) }},
	{name: "ContractedCost", kind: focusDecimal, of: func(r *FocusRow) string { return r.ContractedCost.String() }},
	{name: "ContractedUnitPrice", kind: focusDecimal, null: true, of: func(r *FocusRow) string { return number(r.ContractedUnitPrice) }},
	{name: "EffectiveCost", kind: focusDecimal, of: func(r *FocusRow) string { return r.EffectiveCost.String() }},
	{name: "InvoiceId", null: true, of: func(r *FocusRow) string { return r.InvoiceID }},
	{name: "InvoiceIssuerName", of: func(r *FocusRow) string { return r.InvoiceIssuer }},
	{name: "ListCost", kind: focusDecimal, of: func(r *FocusRow) string { return r.ListCost.String() }},
	{name: "ListUnitPrice", kind: focusDecimal, null: true, of: func(r *FocusRow) string { return number(r.ListUnitPrice) }},
	{name: "PricingCategory", null: true, words: pricingCategories, of: func(r *FocusRow) string { return r.PricingCategory }},
	{name: "PricingQuantity", kind: focusDecimal, null: true, of: func(r *FocusRow) string { return number(r.PricingQuantity) }},
	{name: "PricingUnit", null: true, of: func(r *FocusRow) string { return r.PricingUnit }},
	{name: "ProviderName", of: func(r *FocusRow) string { return r.Provider }},
	{name: "PublisherName", of: func(r *FocusRow) string { return r.Publisher }},
	{name: "ServiceCategory", words: serviceCategories, of: func(r *FocusRow) string { return r.ServiceCategory }},
	{name: "ServiceName", of: func(r *FocusRow) string { return r.ServiceName }},
	{name: "SkuId", null: true, of: func(r *FocusRow) string { return r.SkuID }},
	{name: "SkuPriceId", null: true, of: func(r *FocusRow) string { return r.SkuPriceID }},
	{name: "x_ChargeId", null: true, absent: true, of: func(r *FocusRow) string { return r.ChargeID }},
	{name: "x_OrderId", null: true, absent: true, of: func(r *FocusRow) string { return r.Order }},
}

// WriteFocus writes charges as a FOCUS dataset in CSV: UTF-8, commas, null as an
// empty field, times in UTC, numbers plain. It answers what was billed in each
// currency. A row that breaks a rule of the specification is an error that names
// the rule.
func WriteFocus(w io.Writer, rows iter.Seq2[FocusRow, error]) (map[market.Currency]market.Decimal, error) {
	out := csv.NewWriter(w)
	names := make([]string, len(focusColumns))
	for i, c := range focusColumns {
		names[i] = c.name
	}
	if err := out.Write(names); err != nil {
		return nil, fmt.Errorf("write the FOCUS dataset: %w", err)
	}
	sums := map[market.Currency]market.Decimal{}
	record := make([]string, len(focusColumns))
	n := 0
	for r, err := range sequence(rows) {
		if err != nil {
			return nil, fmt.Errorf("read the charges: %w", err)
		}
		n++
		for i, c := range focusColumns {
			record[i] = c.of(&r)
		}
		if broken := focusRules(names, record); len(broken) > 0 {
			return nil, fmt.Errorf("write charge %d (%s) as FOCUS %s: %s", n, r.ChargeID, FocusVersion, strings.Join(broken, "; "))
		}
		for i, field := range record {
			if focusColumns[i].kind == focusText {
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
