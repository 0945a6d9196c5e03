package reports

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"nightshift/rules/market"
)

// sampleBilling is a small night with something of everything, in two currencies.
func sampleBilling() BillingReport {
	usd := func(text string) market.Money {
		m, err := market.ParseMoney(text + " USD")
		if err != nil {
			panic(err)
		}
		return m
	}
	none := time.Time{}
	day := func(n int) (time.Time, time.Time) {
		from := at8("2026-04-01 00:00:00").AddDate(0, 0, n)
		return from, from.AddDate(0, 0, 1)
	}
	from, until := day(-1)
	return BillingReport{
		Site: "cn", Zone: shanghai, On: market.NewDate(2026, time.April, 1), AsOf: at8("2026-04-02 04:00:00"), Build: "v0.2.0", Schema: 11,
		Policies: []PolicyUsed{
			{"payment", 1, market.NewDate(2017, time.January, 1), []byte{0xab, 0xcd}},
			{"waterfall", 1, market.NewDate(2017, time.January, 1), []byte{9, 8, 7}},
		},
		ResultHash: []byte{0xde, 0xad, 0xbe, 0xef},
		Counts: BillingCounts{Buyers: 6, Parked: 1, Judged: 5, Errors: 2,
			Decided: map[string]int64{"deduct": 5, "repurchase": 1, "refund": 1, "refuse": 1, "reject": 2, "cancel": 1, "wait": 1, "bill": 1, "arrears": 1, "arrears grace": 1, "audit": 3}},
		Books: []BillingBook{{
			Currency: "CNY",
			Counts: BookCounts{Deductions: 5, Price: yuan("1629.956000000001"), Discounted: yuan("100.00"), Due: yuan("1529.95"), Dropped: yuan("0.006000000001"), Owed: yuan("20.00"), Back: yuan("10.10"),
				Taken: yuan("1529.95"), LetGo: yuan("0.006000000001"), DroppedRows: 2, DroppedAll: yuan("0.002000000001"),
				Refunds: Tally{2, yuan("12.34")}, Refunded: yuan("12.34"), NotPaid: Tally{3, yuan("249.01")}, Short: yuan("50.01"), Months: Tally{1, yuan("750.00")}, Lines: Tally{2, yuan("11.00")}, LinesDue: yuan("10.996"), LinesLet: yuan("-0.004"), Arrears: Tally{3, yuan("25.00")}, Overdue: yuan("750.00")},
			Deductions: list(
				DeductionRow{"order/cn/C-1/paid", "ann", "acme", "order", "", none, none, at8("2026-04-01 10:00:00"), yuan("1000.00"), "D-1", yuan("100.00"), yuan("900.00"), yuan("0.00"), yuan("0.00"), "V-1 100.00, K-50 50.00, cash 750.00"},
				DeductionRow{"usage/cn/i-api/storage/2026-03-31T05:00:00Z/u-1", "ann", "acme", "usage", "storage", from, until, at8("2026-04-01 16:00:00"), yuan("0.056000000001"), "", yuan("0.00"), yuan("0.05"), yuan("0.006000000001"), yuan("0.00"), "cash 0.05"},
				DeductionRow{"usage/cn/i-bob/calls/2026-03-31T16:00:00Z/u-7", "bob", "acme", "usage", "calls", from, until, at8("2026-04-02 03:00:00"), yuan("520.00"), "", yuan("0.00"), yuan("520.00"), yuan("0.00"), yuan("20.00"), "cash 300.00, credit 200.00, arrears 20.00"},
				DeductionRow{"charge/cn/F-1", "=cmd|' /C calc'!A0", "globex", "charge", "credit note", none, none, at8("2026-04-02 03:00:00"), yuan("-10.10"), "", yuan("0.00"), yuan("-10.10"), yuan("0.00"), yuan("0.00"), ""},
				DeductionRow{"repurchase/cn/A/2026-04-01", "ann", "", "repurchase", "A", none, none, at8("2026-04-02 03:00:00"), yuan("120.00"), "", yuan("0.00"), yuan("120.00"), yuan("0.00"), yuan("0.00"), "cash 120.00"}),
			Buyers: list(
				PartyRow{"ann", 3, yuan("1120.056000000001"), yuan("100.00"), yuan("0.006000000001"), yuan("1020.05"), yuan("0.00")},
				PartyRow{"bob", 1, yuan("520.00"), yuan("0.00"), yuan("0.00"), yuan("520.00"), yuan("20.00")},
				PartyRow{"=cmd|' /C calc'!A0", 1, yuan("-10.10"), yuan("0.00"), yuan("0.00"), yuan("-10.10"), yuan("0.00")}),
			Sellers: list(
				PartyRow{"acme", 3, yuan("1520.056000000001"), yuan("100.00"), yuan("0.006000000001"), yuan("1420.05"), yuan("20.00")},
				PartyRow{"", 1, yuan("120.00"), yuan("0.00"), yuan("0.00"), yuan("120.00"), yuan("0.00")},
				PartyRow{"globex", 1, yuan("-10.10"), yuan("0.00"), yuan("0.00"), yuan("-10.10"), yuan("0.00")}),
			Sources: list(SourceRow{"voucher", "V-1", 1, 1, yuan("100.00")}, SourceRow{"coupon", "K-50", 1, 1, yuan("50.00")}, SourceRow{"cash", "cash", 4, 2, yuan("1170.05")},
				SourceRow{"credit", "credit", 1, 1, yuan("200.00")}, SourceRow{"arrears", "arrears", 1, 1, yuan("20.00")}),
			Dropped: list(DroppedRow{"usage/cn/i-api/storage/2026-03-31T05:00:00Z/u-1", "ann", "usage of ann", at8("2026-04-01 16:00:00"), yuan("0.006000000001")},
				DroppedRow{"rounding/cn/bob/2026-03/CNY", "bob", "Rounding of the month of bob", at8("2026-04-01 00:00:00"), yuan("-0.004")}),
			Refunds: list(
				RefundRow{"R-1", "C-0", "ann", "unconditional", "refund", at8("2026-04-01 09:00:00"), at8("2026-04-01 09:00:00"), yuan("12.34"), "within five days", "The order took effect less than five days before."},
				RefundRow{"R-2", "C-9", "bob", "negotiated", "refuse", at8("2026-03-31 09:00:00"), at8("2026-04-01 09:30:00"), yuan("0.00"), "more than was paid", "More is asked back than was paid."}),
			NotPaid: list(
				NotPaidRow{Subject{"C-2", "bob", "acme", "saas", yuan("150.01")}, "reject", at8("2026-04-01 11:00:00"), at8("2026-04-01 11:00:00"), yuan("50.01"), at8("2026-04-08 11:00:00"), "short of money", "What the buyer has does not cover the order.", "V-1: Its validity was over."},
				NotPaidRow{Subject{"C-3", "cid", "acme", "hardware", yuan("99.00")}, "cancel", at8("2026-04-01 12:00:00"), none, yuan("0.00"), none, "hardware not paid in time", "Hardware was not paid within one hour.", ""},
				NotPaidRow{Subject{"C-4", "cid", "", "saas", market.Money{}}, "wait", at8("2026-04-01 12:00:00"), none, yuan("0.00"), at8("2026-04-08 12:00:00"), "otherwise", "Nobody has asked to pay the order yet.", ""}),
			Lines: list(SharedRow{"bob", market.NewDate(2026, 3, 1), "charge/cn/F-9", at8("2026-03-20 10:00:00"), yuan("1.002"), yuan("1.01"), yuan("-0.008")},
				SharedRow{"bob", market.NewDate(2026, 3, 1), "renewal/cn/S-1/2026-03-28", at8("2026-03-21 03:00:00"), yuan("9.994"), yuan("9.99"), yuan("0.004")}),
			Months: list(MonthRow{"fay", market.NewDate(2026, 3, 1), yuan("750.00"), at8("2026-04-01 00:00:00"), at8("2026-04-16 00:00:00"), "otherwise", "What was bought on account is paid within fifteen days."}),
			Arrears: list(
				ArrearsRow{"fay", yuan("0.00"), none, yuan("750.00"), at8("2026-03-18 00:00:00"), market.NewDate(2026, 2, 1), "freeze", at8("2026-04-17 00:00:00"), "grace of a bill is over", "The bill of a month was not paid until the end of the grace period."},
				ArrearsRow{"cid", yuan("5.00"), at8("2026-03-10 03:00:00"), yuan("0.00"), none, 0, "freeze", at8("2026-04-09 03:00:00"), "grace is over", "Nothing was paid until the end of the grace period."},
				ArrearsRow{"bob", yuan("20.00"), at8("2026-04-02 03:00:00"), yuan("0.00"), none, 0, "grace", at8("2026-04-17 03:00:00"), "otherwise", "The buyer owes for use, and the grace period runs."}),
		}, {
			Currency:   "USD",
			Counts:     BookCounts{Deductions: 1, Price: usd("19.999"), Due: usd("19.99"), Dropped: usd("0.009"), Taken: usd("19.99"), LetGo: usd("0.009"), DroppedRows: 1, DroppedAll: usd("0.009")},
			Deductions: list(DeductionRow{"charge/cn/F-2", "dee", "globex", "charge", "", none, none, at8("2026-04-02 03:00:00"), usd("19.999"), "", usd("0.00"), usd("19.99"), usd("0.009"), usd("0.00"), "card-7 19.99"}),
			Buyers:     list(PartyRow{"dee", 1, usd("19.999"), usd("0.00"), usd("0.009"), usd("19.99"), usd("0.00")}),
			Sellers:    list(PartyRow{"globex", 1, usd("19.999"), usd("0.00"), usd("0.009"), usd("19.99"), usd("0.00")}),
			Sources:    list(SourceRow{"card", "card-7", 1, 1, usd("19.99")}),
			Dropped:    list(DroppedRow{"charge/cn/F-2", "dee", "charge of dee", at8("2026-04-02 03:00:00"), usd("0.009")}),
		}},
		Errors: list(
			ErrorRow{"001", "u-6", "up-1", "acme", "", "i-none", "calls", "20260331T110000Z", "20260331T120000Z", "1", at8("2026-04-01 20:00:02"), false, "instance unknown", "No instance of that code is known."},
			ErrorRow{"013", "u-9", "", "acme", "cid", "i-cid", "calls", "20260301T110000Z", "20260301T120000Z", "=1+1", at8("2026-04-01 20:00:03"), true, "wrong state", "The instance could not be used then."}),
		Parked: list(ParkedRow{"eve", at8("2026-04-02 04:00:00"), "book money M-9: two currencies: correct it, then nightshift runs requeue"}),
	}
}

func billingOf(t *testing.T, r BillingReport) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Billing(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestBillingGolden(t *testing.T) {
	golden(t, "billing.golden", printed(t, billingOf(t, sampleBilling())))
}

func TestBillingCSVGolden(t *testing.T) {
	var out bytes.Buffer
	for _, list := range BillingLists {
		out.WriteString("== " + list + "\n")
		if err := BillingCSV(&out, sampleBilling(), list); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "billing_csv.golden", out.String())
	if err := BillingCSV(io.Discard, sampleBilling(), "deduction"); err == nil || !strings.Contains(err.Error(), "deductions, buyers") {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestTheSameBillingReportGivesTheSameBytes(t *testing.T) {
	first := billingOf(t, sampleBilling())
	for range 5 {
		if same, err := Same(bytes.NewReader(first), bytes.NewReader(billingOf(t, sampleBilling()))); err != nil || !same {
			t.Fatalf("another writing differs: %v", err)
		}
	}
}

func TestLibreOfficeComputesABillingRunAsItIsKept(t *testing.T) {
	quiet := sampleBilling()
	quiet.Counts, quiet.Books = BillingCounts{}, []BillingBook{{Currency: "CNY"}}
	quiet.Errors, quiet.Parked = nil, nil
	off := sampleBilling()
	off.Books[0].Counts.Taken, off.Counts.Errors = yuan("1529.94"), 3
	huge := sampleBilling()
	huge.Books = []BillingBook{{Currency: "CNY", Sources: list(SourceRow{"cash", "cash", 1, 1, yuan("12345678901234567.89")}), Counts: BookCounts{Due: yuan("12345678901234567.89")}}}
	for name, r := range map[string]BillingReport{"a night": sampleBilling(), "a night of nothing": quiet, "one that does not tie": off, "amounts as text": huge} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := Billing(&buf, r); err != nil && !errors.Is(err, ErrDoesNotTie) {
				t.Fatal(err)
			}
			recomputesAsKept(t, buf.Bytes(), 80)
		})
	}
}

func TestMoneyThatTheJournalsDoNotHaveTurnsTheControlSheetRed(t *testing.T) {
	for want, spoil := range map[string]func(*BookCounts){
		"Journals: from buyers = due (CNY): 1529.94 CNY in the database, 1529.95 CNY in the workbook":                                    func(n *BookCounts) { n.Taken = yuan("1529.94") },
		"Journals: dropped in all = dropped (CNY): 0.00 CNY in the database, 0.002000000001 CNY in the workbook":                         func(n *BookCounts) { n.DroppedAll = yuan("0.00") },
		"Sources = due + given back (CNY): 1529.95 CNY in the database, 1540.05 CNY in the workbook":                                     func(n *BookCounts) { n.Back = yuan("0.00") },
		"Deductions: rows (CNY): 6 in the database, 5 in the workbook; By buyer: deductions (CNY): 6 in the database, 5 in the workbook": func(n *BookCounts) { n.Deductions = 6 },
	} {
		r := sampleBilling()
		spoil(&r.Books[0].Counts)
		if err := Billing(io.Discard, r); !errors.Is(err, ErrDoesNotTie) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAnAmountOfAnotherCurrencyIsRefusedByItsList(t *testing.T) {
	r := sampleBilling()
	r.Books[0].Sources = list(SourceRow{"cash", "cash", 1, 1, yuan("1.00")}, SourceRow{"card", "card-7", 1, 1, market.NewMoney(market.DecimalOf(1), "USD")})
	if err := Billing(io.Discard, r); !errors.Is(err, market.ErrMixedCurrencies) || !strings.Contains(err.Error(), "row 2 of By source") {
		t.Errorf("two currencies in one list: %v", err)
	}
}
