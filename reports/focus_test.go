package reports

import (
	"bytes"
	"encoding/csv"
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
	return FocusRow{BilledCost: amount, ContractedCost: amount, EffectiveCost: amount, ListCost: amount, ContractedUnitPrice: &unit, ListUnitPrice: &unit, PricingQuantity: &quantity,
		BillingAccount: "ann", BillingAccountType: "Buyer", BillingCurrency: "CNY", BillingStart: at8("2024-05-01 00:00:00"), BillingEnd: at8("2024-06-01 00:00:00"),
		ChargeStart: at8("2024-05-02 00:00:00"), ChargeEnd: at8("2024-05-03 00:00:00"), ChargeCategory: category, ChargeFrequency: frequency, ChargeDescription: "order of crm",
		InvoiceIssuer: "acme", Provider: "cn", Publisher: "acme", PricingCategory: "Standard", PricingUnit: "Units", ServiceCategory: FocusService("saas"), ServiceName: "crm", SkuID: "crm", SkuPriceID: "crm",
		ChargeID: id, Order: id}
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

func TestADatasetOfOthersIsChecked(t *testing.T) {
	var b bytes.Buffer
	if _, err := WriteFocus(&b, list(charge("A-1", "100.00", "Purchase", "One-Time"))); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("ProviderName", "Vendor", "2024-04-30T16:00:00Z", "2024-05-01", ",100,", ",1e2,").Replace(b.String())
	problems, _, err := CheckFocus(strings.NewReader(text))
	told := ""
	for _, p := range problems {
		told += p.Rule + "\n"
	}
	for _, want := range []string{"the column ProviderName is missing", `BillingPeriodStart must be a time like 2024-05-01T00:00:00Z, not "2024-05-01"`, `must be a number, not "1e2"`} {
		if err != nil || !strings.Contains(told, want) {
			t.Errorf("want %q among\n%s%v", want, told, err)
		}
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
