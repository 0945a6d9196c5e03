package reports

import (
	"fmt"
	"slices"
	"time"
)

// focusColumn is a column of FOCUS, with the rules that the specification has
// for it.
type focusColumn struct {
	name  string
	must  bool   // a dataset must have it
	group string // a dataset that has one column of a group must have all of it
	kind  focusKind
	nulls focusNulls // nil: it may be null
	words []string   // that are allowed; none: any
	least bool       // not below nothing

	of func(r *FocusRow) string // what the export says; nil: a marketplace of charges has nothing to say in it
}

type focusKind uint8

const (
	focusText focusKind = iota
	focusDecimal
	focusTime
	focusCurrency
	focusObject // keys and values as JSON
)

// What a dataset may support as a whole or not at all.
const (
	focusCapacity    = "capacity reservations"
	focusCommitment  = "commitment discounts"
	focusMeasured    = "the measurement of use"
	focusPriceLists  = "price lists"
	focusRegions     = "regions"
	focusResources   = "provisioned resources"
	focusSubAccounts = "sub accounts"
)

// focusColumns are the columns of FOCUS 1.2, in alphabetical order, and our own.
var focusColumns = []focusColumn{
	{name: "AvailabilityZone"},
	{name: "BilledCost", must: true, kind: focusDecimal, nulls: nullNever, of: func(r *FocusRow) string { return r.BilledCost.String() }},
	{name: "BillingAccountId", must: true, nulls: nullNever, of: func(r *FocusRow) string { return r.BillingAccount }},
	{name: "BillingAccountName", must: true, of: func(r *FocusRow) string { return r.BillingAccount }},
	{name: "BillingAccountType", nulls: nullNever, of: func(r *FocusRow) string { return r.BillingAccountType }},
	{name: "BillingCurrency", must: true, kind: focusCurrency, nulls: nullNever, of: func(r *FocusRow) string { return string(r.BillingCurrency) }},
	{name: "BillingPeriodEnd", must: true, kind: focusTime, nulls: nullNever, of: func(r *FocusRow) string { return utc(r.BillingEnd) }},
	{name: "BillingPeriodStart", must: true, kind: focusTime, nulls: nullNever, of: func(r *FocusRow) string { return utc(r.BillingStart) }},
	{name: "CapacityReservationId", group: focusCapacity},
	{name: "CapacityReservationStatus", group: focusCapacity, nulls: nullUsedOf("CapacityReservationId"), words: usedOrNot},
	{name: "ChargeCategory", must: true, nulls: nullNever, words: chargeCategories, of: func(r *FocusRow) string { return r.ChargeCategory }},
	{name: "ChargeClass", must: true, words: chargeClasses, of: func(r *FocusRow) string { return r.ChargeClass }},
	{name: "ChargeDescription", must: true, of: func(r *FocusRow) string { return r.ChargeDescription }},
	{name: "ChargeFrequency", nulls: nullNever, words: chargeFrequencies, of: func(r *FocusRow) string { return r.ChargeFrequency }},
	{name: "ChargePeriodEnd", must: true, kind: focusTime, nulls: nullNever, of: func(r *FocusRow) string { return utc(r.ChargeEnd) }},
	{name: "ChargePeriodStart", must: true, kind: focusTime, nulls: nullNever, of: func(r *FocusRow) string { return utc(r.ChargeStart) }},
	{name: "CommitmentDiscountCategory", group: focusCommitment, nulls: nullAs("CommitmentDiscountId"), words: []string{"Spend", "Usage"}},
	{name: "CommitmentDiscountId", group: focusCommitment},
	{name: "CommitmentDiscountName", group: focusCommitment, nulls: nullUnder("CommitmentDiscountId")},
	{name: "CommitmentDiscountQuantity", group: focusCommitment, kind: focusDecimal, nulls: nullCommitted},
	{name: "CommitmentDiscountStatus", group: focusCommitment, nulls: nullUsedOf("CommitmentDiscountId"), words: usedOrNot},
	{name: "CommitmentDiscountType", group: focusCommitment, nulls: nullAs("CommitmentDiscountId")},
	{name: "CommitmentDiscountUnit", group: focusCommitment, nulls: nullAs("CommitmentDiscountQuantity")},
	{name: "ConsumedQuantity", group: focusMeasured, kind: focusDecimal, nulls: nullConsumed, of: func(r *FocusRow) string { return number(r.ConsumedQuantity) }},
	{name: "ConsumedUnit", group: focusMeasured, nulls: nullAs("ConsumedQuantity"), of: func(r *FocusRow) string { return r.ConsumedUnit }},
	{name: "ContractedCost", must: true, kind: focusDecimal, nulls: nullNever, of: func(r *FocusRow) string { return r.ContractedCost.String() }},
	{name: "ContractedUnitPrice", kind: focusDecimal, least: true, nulls: nullSold, of: func(r *FocusRow) string { return number(r.ContractedUnitPrice) }},
	{name: "EffectiveCost", must: true, kind: focusDecimal, nulls: nullNever, of: func(r *FocusRow) string { return r.EffectiveCost.String() }},
	{name: "InvoiceId", of: func(r *FocusRow) string { return r.InvoiceID }},
	{name: "InvoiceIssuerName", must: true, nulls: nullNever, of: func(r *FocusRow) string { return r.InvoiceIssuer }},
	{name: "ListCost", must: true, kind: focusDecimal, nulls: nullNever, of: func(r *FocusRow) string { return r.ListCost.String() }},
	{name: "ListUnitPrice", kind: focusDecimal, least: true, nulls: nullSold, of: func(r *FocusRow) string { return number(r.ListUnitPrice) }},
	{name: "PricingCategory", nulls: nullSold, words: pricingCategories, of: func(r *FocusRow) string { return r.PricingCategory }},
	{name: "PricingCurrency", nulls: nullNever},
	{name: "PricingCurrencyContractedUnitPrice", kind: focusDecimal, least: true, nulls: nullSold},
	{name: "PricingCurrencyEffectiveCost", kind: focusDecimal, nulls: nullNever},
	{name: "PricingCurrencyListUnitPrice", kind: focusDecimal, least: true, nulls: nullSold},
	{name: "PricingQuantity", must: true, kind: focusDecimal, nulls: nullSold, of: func(r *FocusRow) string { return number(r.PricingQuantity) }},
	{name: "PricingUnit", must: true, nulls: nullAs("PricingQuantity"), of: func(r *FocusRow) string { return r.PricingUnit }},
	{name: "ProviderName", must: true, nulls: nullNever, of: func(r *FocusRow) string { return r.Provider }},
	{name: "PublisherName", must: true, nulls: nullNever, of: func(r *FocusRow) string { return r.Publisher }},
	{name: "RegionId", group: focusRegions},
	{name: "RegionName", group: focusRegions, nulls: nullAs("RegionId")},
	{name: "ResourceId", group: focusResources, of: func(r *FocusRow) string { return r.Resource }},
	{name: "ResourceName", group: focusResources, nulls: nullUnder("ResourceId"), of: func(*FocusRow) string { return "" }},
	{name: "ResourceType", nulls: nullAs("ResourceId"), of: func(r *FocusRow) string { return r.ResourceType }},
	{name: "ServiceCategory", must: true, nulls: nullNever, words: serviceCategories(), of: func(r *FocusRow) string { return r.ServiceCategory }},
	{name: "ServiceName", must: true, nulls: nullNever, of: func(r *FocusRow) string { return r.ServiceName }},
	{name: "ServiceSubcategory", nulls: nullNever, of: func(r *FocusRow) string { return r.ServiceSubcategory }},
	{name: "SkuId", group: focusPriceLists, nulls: nullSold, of: func(r *FocusRow) string { return r.SkuID }},
	{name: "SkuMeter", group: focusPriceLists, nulls: nullUnder("SkuId"), of: func(r *FocusRow) string { return r.SkuMeter }},
	{name: "SkuPriceDetails", group: focusPriceLists, kind: focusObject, nulls: nullUnder("SkuPriceId"), of: func(*FocusRow) string { return "" }},
	{name: "SkuPriceId", group: focusPriceLists, nulls: nullSold, of: func(r *FocusRow) string { return r.SkuPriceID }},
	{name: "SubAccountId", group: focusSubAccounts},
	{name: "SubAccountName", group: focusSubAccounts, nulls: nullAs("SubAccountId")},
	{name: "SubAccountType", nulls: nullAs("SubAccountId")},
	{name: "Tags", kind: focusObject},
	{name: "x_ChargeId", of: func(r *FocusRow) string { return r.ChargeID }},
	{name: "x_OrderId", of: func(r *FocusRow) string { return r.Order }},
}

// focusExport are the columns that the export has.
var focusExport = slices.DeleteFunc(slices.Clone(focusColumns), func(c focusColumn) bool { return c.of == nil })

func utc(t time.Time) string { return t.UTC().Format(focusTimeLayout) }

// focusNulls is the rule that a column breaks by being null, or by not being so;
// empty where it breaks none.
type focusNulls func(r focusRecord, null bool) string

func nullNever(_ focusRecord, null bool) string {
	if null {
		return "must not be null"
	}
	return ""
}

// nullSold is of what describes a price.
func nullSold(r focusRecord, null bool) string {
	switch category := r.value("ChargeCategory"); {
	case null && r.charged() && !r.corrects():
		return fmt.Sprintf("must not be null where ChargeCategory is %s and ChargeClass is null", category)
	case !null && category == "Tax":
		return "must be null where ChargeCategory is Tax"
	}
	return ""
}

// nullAs is null where another column is, and only there.
func nullAs(other string) focusNulls {
	return func(r focusRecord, null bool) string {
		if null != (r.value(other) == "") {
			return fmt.Sprintf("must be null where %s is, and only there", other)
		}
		return ""
	}
}

// nullUnder is null where another column is.
func nullUnder(other string) focusNulls {
	return func(r focusRecord, null bool) string {
		if !null && r.value(other) == "" {
			return fmt.Sprintf("must be null where %s is", other)
		}
		return ""
	}
}

// nullUsedOf tells of use whether it is what was reserved or bought ahead.
func nullUsedOf(id string) focusNulls {
	return func(r focusRecord, null bool) string {
		if null && r.value(id) != "" && r.value("ChargeCategory") == "Usage" {
			return fmt.Sprintf("must not be null where %s is not and ChargeCategory is Usage", id)
		}
		return nullUnder(id)(r, null)
	}
}

func nullCommitted(r focusRecord, null bool) string {
	of := r.charged() && r.value("CommitmentDiscountId") != ""
	switch {
	case null && of && !r.corrects():
		return "must not be null where CommitmentDiscountId is not and ChargeClass is null"
	case !null && !of:
		return "must be null where CommitmentDiscountId is, or ChargeCategory is not Usage or Purchase"
	}
	return ""
}

func nullConsumed(r focusRecord, null bool) string {
	of := r.value("ChargeCategory") == "Usage" && r.value("CommitmentDiscountStatus") != "Unused"
	switch {
	case null && of && !r.corrects():
		return "must not be null where ChargeCategory is Usage and ChargeClass is null"
	case !null && !of:
		return "must be null where ChargeCategory is not Usage, and of what was not used of a commitment"
	}
	return ""
}
