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

func exactRate(text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// lineOf is a line of common goods, its amounts as the rules would make them.
func lineOf(no, product, class, paid, feeRate, extra, fee, settled string) StatementLineRow {
	return StatementLineRow{Key: "order/cn/" + no, Kind: "order", Order: no, Product: product, ProductClass: class, Access: "saas", Model: "common", PaidAt: at8("2024-05-02 10:00:00"),
		DecidedBy: "provisioned", DecidedAt: at8("2024-05-02 10:01:00"), Paid: yuan(paid), Billable: yuan(paid), FeeRate: exactRate(feeRate), ExtraRate: exactRate(extra),
		Share: exactRate("1").Sub(exactRate(feeRate)).Add(exactRate(extra)), Fee: yuan(fee), Withheld: yuan("0"), WHT: yuan("0"), DST: yuan("0"), OperatingFee: yuan("0"), Settled: yuan(settled), Rules: "fees@2 otherwise; tiers@2 otherwise"}
}

// sampleStatement is a month of a seller with something of everything.
func sampleStatement() StatementReport {
	big := lineOf("A-1", "crm", "software", "600000.00", "0.05", "0.01", "24000.00", "576000.00")
	big.TierTotal, big.Rules = yuan("600000.00"), "fees@2 otherwise; tiers@2 from 500,000"
	refund := lineOf("A-0", "crm", "software", "-1000.00", "0.05", "0", "-50.00", "-950.00")
	refund.Key, refund.Kind, refund.DecidedBy, refund.Reverses = "refund/cn/R-1", "refund", "given_back", "order/cn/A-0"
	taxed := lineOf("=A-3", "=cmd|' /C calc'!A0", "service", "850.00", "0.15", "0", "120.00", "560.00")
	taxed.Withheld, taxed.WHT, taxed.DST, taxed.Rules = yuan("50.00"), yuan("100.00"), yuan("20.00"), "fees@2 international; settlement_taxes@1 reported"
	operated := lineOf("A-4", "box", "hardware", "100.01", "0.05", "0", "5.00", "93.01")
	operated.OperatingFee, operated.Line, operated.Access = yuan("2.00"), 2, "hardware"
	return StatementReport{
		Site: "cn", Zone: shanghai, Seller: "acme", SellerName: "安科软件", Period: market.PeriodNumbered(202405), Version: 1, Currency: "CNY",
		BillDay: market.NewDate(2024, time.June, 3), AsOf: at8("2024-06-03 05:00:00"), Build: "v0.3.0", Schema: 15,
		Policies: []PolicyUsed{{"fees", 2, market.NewDate(2024, time.March, 1), []byte{0xab, 0xcd}}, {"tiers", 2, market.NewDate(2024, time.March, 1), []byte{9, 8, 7}}},
		Steps:    []StatementStep{{"in_review", market.NewDate(2024, time.June, 5)}, {"to_countersign", market.NewDate(2024, time.June, 18)}, {"payable", market.NewDate(2024, time.June, 26)}},
		Totals: StatementTotals{Lines: 8, Waiting: 2, Billable: yuan("599950.01"), Fee: yuan("24075.00"), Taxes: yuan("170.00"), OperatingFee: yuan("2.00"), Settled: yuan("575703.01"),
			Adjustments: yuan("133.45"), CarriedIn: yuan("-36.46"), Payout: yuan("575800.00")},
		Journal: StatementJournal{Keys: "settlement/cn/acme/202405", Fees: yuan("24077.00"), Taxes: yuan("170.00"), Payable: yuan("575800.00"), Carried: yuan("36.46")},
		Lines:   list(big, refund, taxed, operated),
		Adjustments: list(
			AdjustmentRow{"adjustment/cn/D-1", "adjustment", at8("2024-05-20 12:00:00"), yuan("123.45"), "争议：202404 少计 disputed lines of 202404"},
			AdjustmentRow{"adjustment/cn/D-2", "adjustment", at8("2024-05-21 12:00:00"), yuan("-90.00"), "@SUM(1+1) is only text"},
			AdjustmentRow{"adjustment/cn/O-1", "opening", at8("2024-05-01 00:00:00"), yuan("100.00"), "open at the cutover"},
			AdjustmentRow{"carried/cn/acme/202404", "carried", at8("2024-05-31 00:00:00"), yuan("-36.46"), "carried from 202404"}),
		Waiting: list(
			UnsettledRow{"acme", "order/cn/A-7", "order", "A-7", "crm", "software", at8("2024-05-28 09:00:00"), yuan("5000.00"), "wait", []string{"paid", "accepted"}, time.Time{}, "Paid on credit, and the billing month is not repaid; supervision is open."},
			UnsettledRow{"acme", "order/cn/A-8/line/1", "renewal", "A-8", "crm", "software", at8("2024-05-30 09:00:00"), yuan("12.00"), "wait", []string{"effective"}, at8("2024-06-06 23:59:59"), "The renewed period has not begun."}),
	}
}

func statementOf(t *testing.T, r StatementReport) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Statement(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// reissued is the second version of the sample.
func reissued() StatementReport {
	r := sampleStatement()
	r.Version, r.Because = 2, "A-4 was counted with the wrong fee"
	r.Differences = list(DifferenceRow{"order/cn/A-4", "A-4", "box", yuan("90.00"), yuan("93.01"), "fee rate 8 % → 5 %"}, DifferenceRow{"order/cn/A-9", "A-9", "box", market.Money{}, yuan("1.00"), "was missing"})
	return r
}

func TestStatementGolden(t *testing.T) {
	golden(t, "statement.golden", printed(t, statementOf(t, sampleStatement())))
	golden(t, "statement_v2.golden", printed(t, statementOf(t, reissued())))
}

func TestStatementCSVGolden(t *testing.T) {
	var out bytes.Buffer
	for _, list := range StatementLists {
		out.WriteString("== " + list + "\n")
		if err := StatementCSV(&out, sampleStatement(), list); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "statement_csv.golden", out.String())
	if err := StatementCSV(io.Discard, sampleStatement(), "line"); err == nil || !strings.Contains(err.Error(), "lines, adjustments, waiting") {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestTheSameStatementGivesTheSameBytes(t *testing.T) {
	first := statementOf(t, sampleStatement())
	for range 5 {
		if same, err := Same(bytes.NewReader(first), bytes.NewReader(statementOf(t, sampleStatement()))); err != nil || !same {
			t.Fatalf("another writing differs: %v", err)
		}
	}
}

// owing is a statement that comes to less than nothing.
func owing() StatementReport {
	r := sampleStatement()
	r.Lines, r.Waiting = list(lineOf("A-1", "crm", "software", "-10.00", "0.05", "0", "-0.50", "-9.50")), nil
	r.Adjustments = nil
	r.Totals = StatementTotals{Lines: 1, Billable: yuan("-10.00"), Fee: yuan("-0.50"), Settled: yuan("-9.50"), CarriedOut: yuan("-9.50")}
	r.Journal = StatementJournal{Fees: yuan("-0.50"), Carried: yuan("-9.50")}
	return r
}

// broad is a statement of more products than are drawn.
func broad() StatementReport {
	r := owing()
	var rows []StatementLineRow
	for i := range 13 {
		rows = append(rows, lineOf("A-1", "product "+string(rune('a'+i)), "software", "10.00", "0.05", "0", "0.50", "9.50"))
	}
	r.Lines = list(rows...)
	r.Totals = StatementTotals{Lines: 13, Billable: yuan("130.00"), Fee: yuan("6.50"), Settled: yuan("123.50"), Payout: yuan("123.50")}
	r.Journal = StatementJournal{Fees: yuan("6.50"), Payable: yuan("123.50")}
	return r
}

func TestLibreOfficeComputesAStatementAsItIsKept(t *testing.T) {
	nothing := StatementReport{Site: "cn", Zone: shanghai, Seller: "acme", Period: market.PeriodNumbered(202405), Version: 1, Currency: "CNY", AsOf: at8("2024-06-03 05:00:00")}
	huge := owing()
	huge.Lines = list(lineOf("A-1", "crm", "software", "12345678901234567.89", "0", "0", "0.00", "12345678901234567.89"))
	for name, r := range map[string]StatementReport{"a month": sampleStatement(), "a second version": reissued(), "less than nothing": owing(), "many products": broad(), "nothing": nothing, "amounts as text": huge} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Statement(&b, r); err != nil && !errors.Is(err, ErrDoesNotTie) {
				t.Fatal(err)
			}
			recomputesAsKept(t, b.Bytes(), 40)
		})
	}
}

func TestAStatementThatDoesNotTieIsRed(t *testing.T) {
	for want, spoil := range map[string]func(*StatementReport){
		"Statement: settled: 575703.02 CNY in the database, 575703.01 CNY in the workbook":             func(r *StatementReport) { r.Totals.Settled = yuan("575703.02") },
		"Statement: lines: 9 in the database, 8 in the workbook":                                       func(r *StatementReport) { r.Totals.Lines = 9 },
		"Journals: platform and operating fee: 24076.99 CNY in the database, 24077.00 CNY":             func(r *StatementReport) { r.Journal.Fees = yuan("24076.99") },
		"Journals: payable: 0.00 CNY in the database, 575800.00 CNY in the workbook":                   func(r *StatementReport) { r.Journal.Payable = yuan("0.00") },
		"Journals: carried moved by: 0.00 CNY in the database, 36.46 CNY in the workbook":              func(r *StatementReport) { r.Journal.Carried = market.Money{} },
		"Statement: carried in: -36.45 CNY in the database, -36.46 CNY in the workbook":                func(r *StatementReport) { r.Totals.CarriedIn = yuan("-36.45") },
		"Statement: payout + carried on: 575800.01 CNY in the database, 575800.00 CNY in the workbook": func(r *StatementReport) { r.Totals.Payout = yuan("575800.01") },
		"Waiting: rows: 3 in the database, 2 in the workbook":                                          func(r *StatementReport) { r.Totals.Waiting = 3 },
	} {
		r := sampleStatement()
		spoil(&r)
		if err := Statement(io.Discard, r); !errors.Is(err, ErrDoesNotTie) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestALineOfAnotherCurrencyIsRefused(t *testing.T) {
	r := sampleStatement()
	other := lineOf("A-2", "crm", "software", "1.00", "0", "0", "0.00", "1.00")
	other.Settled.Currency = "USD"
	r.Lines = list(lineOf("A-1", "crm", "software", "1.00", "0", "0", "0.00", "1.00"), other)
	if err := Statement(io.Discard, r); !errors.Is(err, market.ErrMixedCurrencies) {
		t.Errorf("two currencies in one statement: %v", err)
	}
}
