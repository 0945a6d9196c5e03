package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"nightshift/rules/market"
)

func charge(id, cost, category, frequency string) FocusRow {
	amount, quantity := exactRate(cost), market.DecimalOf(1)
	unit := amount
	if amount.Sign() < 0 {
		quantity, unit = market.DecimalOf(-1), amount.Neg()
	}
	service, part := FocusService("saas")
	r := FocusRow{BilledCost: amount, ContractedCost: amount, EffectiveCost: amount, ListCost: amount, ContractedUnitPrice: &unit, ListUnitPrice: &unit, PricingQuantity: &quantity,
		BillingAccount: "ann", BillingAccountType: "Buyer", BillingCurrency: "CNY", BillingStart: at8("2024-05-01 00:00:00"), BillingEnd: at8("2024-06-01 00:00:00"),
		ChargeStart: at8("2024-05-02 00:00:00"), ChargeEnd: at8("2024-05-03 00:00:00"), ChargeCategory: category, ChargeFrequency: frequency, ChargeDescription: "order of crm",
		InvoiceIssuer: "acme", Provider: "cn", Publisher: "acme", PricingCategory: "Standard", PricingUnit: "Units", ServiceCategory: service, ServiceSubcategory: part, ServiceName: "crm", SkuID: "crm", SkuMeter: "seats",
		SkuPriceID: "crm", ChargeID: id, Order: id}
	if category == "Usage" {
		r.ConsumedQuantity, r.ConsumedUnit, r.Resource, r.ResourceType = &quantity, "Hours", "inst-1", "saas"
	}
	return r
}

func correction() FocusRow {
	r := charge("R-1", "-10.00", "Purchase", "One-Time")
	r.ChargeClass, r.PricingQuantity, r.PricingUnit, r.ContractedUnitPrice, r.ListUnitPrice = "Correction", nil, "", nil, nil
	return r
}

func TestChargesAsFOCUSKeepItsRules(t *testing.T) {
	var b bytes.Buffer
	sums, err := WriteFocus(&b, list(charge("A-1", "100.00", "Purchase", "One-Time"), charge("=U-1", "0.000000000001", "Usage", "Usage-Based"), charge("A-2", "-5.00", "Purchase", "Recurring"), correction()))
	if err != nil || sums["CNY"].String() != "85.000000000001" {
		t.Fatalf("%v, %v", sums, err)
	}
	golden(t, "focus.csv", b.String())
	problems, read, err := CheckFocus(&b)
	if err != nil || len(problems) > 0 || read["CNY"].Cmp(sums["CNY"]) != 0 {
		t.Errorf("%v, %v, %v", problems, read, err)
	}
}

func TestARuleOfFOCUSThatIsBrokenIsNamed(t *testing.T) {
	for want, spoil := range map[string]func(*FocusRow){
		"BillingAccountId must not be null":                                                       func(r *FocusRow) { r.BillingAccount = "" },
		"ChargeCategory must be one of Usage, Purchase":                                           func(r *FocusRow) { r.ChargeCategory = "Sale" },
		"ChargeClass must be one of Correction":                                                   func(r *FocusRow) { r.ChargeClass = "Refund" },
		"ServiceCategory must be one of":                                                          func(r *FocusRow) { r.ServiceCategory = "saas" },
		"BillingCurrency must be a currency of ISO 4217":                                          func(r *FocusRow) { r.BillingCurrency = "RMB" },
		"BillingPeriodStart must be before BillingPeriodEnd":                                      func(r *FocusRow) { r.BillingEnd = r.BillingStart },
		"ChargePeriodStart must be before ChargePeriodEnd":                                        func(r *FocusRow) { r.ChargeEnd = r.ChargeStart },
		"PricingQuantity must not be null where ChargeCategory is Purchase and ChargeClass is nu": func(r *FocusRow) { r.PricingQuantity = nil },
		"SkuId must not be null where ChargeCategory is Purchase":                                 func(r *FocusRow) { r.SkuID = "" },
		"SkuPriceId must be null where ChargeCategory is Tax":                                     func(r *FocusRow) { r.ChargeCategory = "Tax" },
		"ChargeFrequency must not be Usage-Based where ChargeCategory is Purchase":                func(r *FocusRow) { r.ChargeFrequency = "Usage-Based" },
		"ContractedUnitPrice × PricingQuantity must be ContractedCost: 100 × 1 is not 99":         func(r *FocusRow) { r.ContractedCost = exactRate("99") },
		"ListUnitPrice × PricingQuantity must be ListCost":                                        func(r *FocusRow) { r.ListCost = exactRate("99") },
		"PricingUnit must be null where PricingQuantity is":                                       func(r *FocusRow) { r.ChargeClass, r.PricingQuantity = "Correction", nil },
		"ConsumedQuantity must not be null where ChargeCategory is Usage":                         func(r *FocusRow) { r.ChargeCategory, r.ChargeFrequency = "Usage", "Usage-Based" },
		"ConsumedQuantity must be null where ChargeCategory is not Usage":                         func(r *FocusRow) { r.ConsumedQuantity, r.ConsumedUnit = r.PricingQuantity, "Hours" },
		"ResourceType must be null where ResourceId is, and only there":                           func(r *FocusRow) { r.Resource = "inst-1" },
		"SkuMeter must be null where SkuId is":                                                    func(r *FocusRow) { r.ChargeClass, r.SkuID = "Correction", "" },
		"ServiceSubcategory must be one of ServiceCategory Media":                                 func(r *FocusRow) { r.ServiceCategory = "Media" },
		"ContractedUnitPrice must not be below 0":                                                 func(r *FocusRow) { p := exactRate("-100"); r.ContractedUnitPrice = &p },
	} {
		r := charge("A-1", "100", "Purchase", "One-Time")
		spoil(&r)
		if _, err := WriteFocus(&bytes.Buffer{}, list(r)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestNothingMayBeWrittenAsNULL(t *testing.T) {
	var b, other bytes.Buffer
	if _, err := WriteFocus(&b, list(charge("A-1", "100.00", "Purchase", "One-Time"))); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range rows[1] {
		if value == "" {
			rows[1][i] = "NULL"
		}
	}
	if err := csv.NewWriter(&other).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(other.String(), "NULL") {
		t.Fatal("nothing is empty in the dataset")
	}
	if problems, _, err := CheckFocus(&other); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// others is a dataset with columns that we do not write: the columns of ours and
// more, and a row for each change of it.
func others(t *testing.T, more map[string]string, changes ...map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteFocus(&b, list(charge("A-1", "100.00", "Usage", "Usage-Based"))); err != nil {
		t.Fatal(err)
	}
	ours, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	names := append(slices.Clone(ours[0]), slices.Sorted(maps.Keys(more))...)
	rows := [][]string{names}
	for _, change := range changes {
		row := slices.Clone(ours[1])
		for _, name := range names[len(row):] {
			row = append(row, more[name])
		}
		for name, value := range change {
			row[slices.Index(names, name)] = value
		}
		rows = append(rows, row)
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func toldOf(t *testing.T, dataset string) string {
	t.Helper()
	problems, _, err := CheckFocus(strings.NewReader(dataset))
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, p := range problems {
		told += fmt.Sprintf("%d: %s\n", p.Row, p.Rule)
	}
	return told
}

func TestADatasetOfOthersIsChecked(t *testing.T) {
	told := toldOf(t, strings.NewReplacer("ProviderName", "Vendor", "2024-04-30T16:00:00Z", "2024-05-01", ",100,", ",1e+2,").Replace(others(t, nil, nil)))
	for _, want := range []string{
		"0: the column ProviderName is missing", "0: the column Vendor is none of FOCUS 1.2, so its name must begin with x_",
		`BillingPeriodStart must be a time like 2024-05-01T00:00:00Z, not "2024-05-01"`, `must be a number, not "1e+2"`,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("want %q among\n%s", want, told)
		}
	}
}

func TestARuleThatManyRowsBreakIsToldOnce(t *testing.T) {
	bad := map[string]string{"ListCost": "1"}
	problems, _, err := CheckFocus(strings.NewReader(others(t, nil, nil, bad, map[string]string{"ListCost": "-2.5"}, bad)))
	want := FocusProblem{Row: 2, Rows: 3, Rule: "ListUnitPrice × PricingQuantity must be ListCost: 100 × 1 is not 1"}
	if err != nil || len(problems) != 1 || problems[0] != want {
		t.Errorf("%v, %v", problems, err)
	}
}

// A dataset that tells of regions, commitments, capacity, sub accounts, tags and
// prices in points keeps the rules; and each rule of those columns is told where
// it is broken.
func TestTheColumnsThatOnlyOthersHaveAreHeldAgainstTheirRules(t *testing.T) {
	more := map[string]string{
		"AvailabilityZone": "a", "RegionId": "sa-1", "RegionName": "São Paulo", "SubAccountId": "s-1", "SubAccountName": "team a", "SubAccountType": "Team", "Tags": `{"team": "a", "shared": true}`,
		"CommitmentDiscountId": "c-1", "CommitmentDiscountCategory": "Spend", "CommitmentDiscountName": "", "CommitmentDiscountType": "Plan", "CommitmentDiscountStatus": "Used",
		"CommitmentDiscountQuantity": "1e-3", "CommitmentDiscountUnit": "Hours", "CapacityReservationId": "r-1", "CapacityReservationStatus": "Used",
		"PricingCurrency": "points", "PricingCurrencyListUnitPrice": "5", "PricingCurrencyContractedUnitPrice": "4", "PricingCurrencyEffectiveCost": "4",
	}
	byCommitment := map[string]string{"PricingCategory": "Committed"}
	if told := toldOf(t, others(t, more, byCommitment)); told != "" {
		t.Errorf("a dataset that keeps them:\n%s", told)
	}
	for want, change := range map[string]map[string]string{
		"RegionName must be null where RegionId is, and only there":                                                 {"RegionId": ""},
		"SubAccountType must be null where SubAccountId is, and only there":                                         {"SubAccountType": ""},
		`Tags must have plain values: that of "team" is none`:                                                       {"Tags": `{"team": ["a"]}`},
		"Tags must be an object of JSON":                                                                            {"Tags": `team=a`},
		"CommitmentDiscountCategory must be one of Spend, Usage":                                                    {"CommitmentDiscountCategory": "Money"},
		"CommitmentDiscountType must be null where CommitmentDiscountId is, and only there":                         {"CommitmentDiscountType": "NULL"},
		"CommitmentDiscountStatus must not be null where CommitmentDiscountId is not and ChargeCategory is Usage":   {"CommitmentDiscountStatus": ""},
		"CommitmentDiscountQuantity must not be null where CommitmentDiscountId is not and ChargeClass is null":     {"CommitmentDiscountQuantity": ""},
		"CommitmentDiscountQuantity must be null where CommitmentDiscountId is":                                     {"CommitmentDiscountId": ""},
		"CommitmentDiscountUnit must be null where CommitmentDiscountQuantity is":                                   {"CommitmentDiscountUnit": ""},
		"ConsumedQuantity must be null where ChargeCategory is not Usage, and of what was not used of a commitment": {"CommitmentDiscountStatus": "Unused"},
		"CapacityReservationStatus must not be null where CapacityReservationId is not":                             {"CapacityReservationStatus": ""},
		"PricingCurrency must not be null":                                                                          {"PricingCurrency": ""},
		"PricingCurrencyListUnitPrice must not be below 0":                                                          {"PricingCurrencyListUnitPrice": "-5"},
		"PricingCategory must be Committed where CommitmentDiscountStatus is Used":                                  {"PricingCategory": "Standard"},
		`RegionId must be null where there is nothing to say, not "N/A"`:                                            {"RegionId": "N/A"},
		`SkuPriceId "crm" must go with one SkuId: "erp" here, "crm" before`:                                         {"SkuId": "erp"},
		`ServiceName "crm" must go with one ServiceCategory: "Media" here`:                                          {"ServiceCategory": "Media", "ServiceSubcategory": "Gaming"},
		"ListUnitPrice × PricingQuantity must be ListCost: 100 × 1 is not 99.98":                                    {"ListCost": "99.98"},
		"EffectiveCost must be BilledCost where ChargeCategory is Credit":                                           {"ChargeCategory": "Credit", "EffectiveCost": "1", "ConsumedQuantity": "", "ConsumedUnit": "", "CommitmentDiscountQuantity": "", "CommitmentDiscountUnit": ""},
	} {
		changed := maps.Clone(byCommitment)
		maps.Copy(changed, change)
		if told := toldOf(t, others(t, more, byCommitment, changed)); !strings.Contains(told, "2: "+want) || strings.Contains(told, "1: ") {
			t.Errorf("want %q among\n%s", want, told)
		}
	}
	if told := toldOf(t, others(t, map[string]string{"RegionId": "sa-1"}, nil)); told != "0: the column RegionName is missing, as the dataset tells of regions\n" {
		t.Errorf("half of what tells of regions:\n%s", told)
	}
}

// A wrong value beside a formula is found by whoever computes it anew.
func TestAWrongCachedValueIsFound(t *testing.T) {
	workbook := statementOf(t, owing())
	planted := replaced(t, workbook, "<v>-9.5</v>", "<v>-9.4</v>")
	f, now := opened(t, planted), recalculated(t, planted)
	wrong := 0
	for _, sheet := range f.GetSheetList() {
		for row, cells := range rowsOf(t, f, sheet) {
			for col, kept := range cells {
				name := column26(col) + market.DecimalOf(int64(row+1)).String()
				if formulaOf(t, f, sheet, name) == "" {
					continue
				}
				if got := rawAt(t, now, sheet, name); got != kept {
					wrong++
				}
			}
		}
	}
	if wrong == 0 {
		t.Error("nobody found the planted value")
	}
	if difference, err := Difference(bytes.NewReader(planted), bytes.NewReader(workbook)); err != nil || !strings.Contains(difference, `"-9.4" kept, "-9.5" recomputed`) {
		t.Errorf("compared with what the history gives: %q, %v", difference, err)
	}
}
