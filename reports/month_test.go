package reports

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// sampleMonth is a small month with something of everything.
func sampleMonth() MonthReport {
	none := market.Money{}
	dollars := func(text string) market.Money {
		m := yuan(text)
		m.Currency = "USD"
		return m
	}
	return MonthReport{
		Site: "cn", Zone: shanghai, Period: market.PeriodNumbered(202405), BillDay: market.NewDate(2024, time.June, 3), AsOf: at8("2024-06-03 05:00:00"), Build: "v0.3.0", Schema: 17,
		Policies:   []PolicyUsed{{"fees", 2, market.NewDate(2024, time.March, 1), []byte{0xab, 0xcd}}},
		ResultHash: []byte{1, 2, 3}, Counts: MonthCounts{Sellers: 5, Decided: map[string]int64{"settle": 3, "carry": 1, "waiting lines": 3}, Parked: 1},
		Books: []MonthBook{{
			Currency: "CNY",
			Totals: MonthTotals{Statements: 3, Lines: 9, Products: 4, Waiting: 3, Billable: yuan("1990.00"), Fee: yuan("99.50"), Taxes: yuan("10.00"), OperatingFee: yuan("2.00"), Settled: yuan("1878.50"),
				Adjustments: yuan("23.45"), CarriedIn: yuan("-5.00"), CarriedOut: yuan("-9.50"), Payout: yuan("1906.45"), WaitingAmount: yuan("5112.00"), LinesSettled: yuan("1896.95"),
				JournalFees: yuan("101.50"), JournalTaxes: yuan("10.00"), JournalPayable: yuan("1906.45"), JournalMoved: yuan("-4.50"), LastSettled: yuan("1520.00")},
			Statements: list(
				StatementRow{"acme", 1, 5, yuan("1000.00"), yuan("50.00"), yuan("10.00"), yuan("2.00"), yuan("938.00"), yuan("23.45"), yuan("0.00"), yuan("0.00"), yuan("961.45"), yuan("950.00"), "statement-cn-acme-202405.xlsx"},
				StatementRow{"=globex", 2, 3, yuan("1000.00"), yuan("50.00"), yuan("0.00"), yuan("0.00"), yuan("950.00"), yuan("0.00"), yuan("-5.00"), yuan("0.00"), yuan("945.00"), yuan("570.00"), "statement-cn-globex-202405-v2.xlsx"},
				StatementRow{"zed", 1, 1, yuan("-10.00"), yuan("-0.50"), yuan("0.00"), yuan("0.00"), yuan("-9.50"), yuan("0.00"), yuan("0.00"), yuan("-9.50"), yuan("0.00"), none, "statement-cn-zed-202405.xlsx"}),
			Products: list(
				ProductMonthRow{"acme", "crm", "software", 10, 10, yuan("1000.00"), yuan("1000.00"), yuan("50.00"), yuan("938.00"), yuan("950.00")},
				ProductMonthRow{"=globex", "*", "hardware", 4, 3, yuan("1000.00"), yuan("600.00"), yuan("50.00"), yuan("950.00"), yuan("570.00")},
				ProductMonthRow{"zed", "box", "hardware", -1, 0, yuan("-10.00"), none, yuan("-0.50"), yuan("-9.50"), none},
				ProductMonthRow{"zed", "old", "", 0, 0, none, none, none, none, none}),
			Waiting: list(
				UnsettledRow{"acme", "order/cn/A-7", "order", "A-7", "crm", "software", at8("2024-05-28 09:00:00"), yuan("5000.00"), "wait", []string{"paid", "accepted"}, time.Time{}, "not repaid"},
				UnsettledRow{"acme", "order/cn/A-8", "order", "A-8", "crm", "software", at8("2023-05-28 09:00:00"), yuan("100.00"), "wait", []string{"minimum"}, at8("2024-07-03 05:00:00"), "less than the minimum"},
				UnsettledRow{"zed", "order/cn/A-9", "order", "A-9", "box", "", time.Time{}, yuan("12.00"), "hold", []string{"paid", "trouble"}, time.Time{}, "no product class"}),
			Rates: list(
				RateRow{"common", exactRate("0.05"), exactRate("0"), 3, yuan("1000.00"), yuan("50.00")},
				RateRow{"common", exactRate("0.05"), exactRate("0.01"), 2, yuan("990.00"), yuan("49.50")},
				RateRow{"partner", exactRate("0"), exactRate("0"), 1, yuan("0.00"), yuan("0.00")}),
		}, {
			Currency:   "USD",
			Totals:     MonthTotals{Statements: 1, Lines: 1, Products: 1, Billable: dollars("850.00"), Fee: dollars("120.00"), Taxes: dollars("170.00"), Settled: dollars("560.00"), Payout: dollars("560.00"), LinesSettled: dollars("560.00"), JournalFees: dollars("120.00"), JournalTaxes: dollars("170.00"), JournalPayable: dollars("560.00")},
			Statements: list(StatementRow{"inter", 1, 1, dollars("850.00"), dollars("120.00"), dollars("170.00"), dollars("0.00"), dollars("560.00"), dollars("0.00"), dollars("0.00"), dollars("0.00"), dollars("560.00"), none, "statement-cn-inter-202405.xlsx"}),
			Products:   list(ProductMonthRow{"inter", "saas", "service", 1, 0, dollars("850.00"), none, dollars("120.00"), dollars("560.00"), none}),
			Rates:      list(RateRow{"common", exactRate("0.15"), exactRate("0"), 1, dollars("850.00"), dollars("120.00")}),
			Lines: list(MonthLineRow{"inter", StatementLineRow{Key: "order/cn/I-1", Kind: "order", Order: "I-1", Product: "saas", ProductClass: "service", DecidedBy: "provisioned", DecidedAt: at8("2024-05-02 10:00:00"),
				Billable: dollars("850.00"), FeeRate: exactRate("0.15"), Share: exactRate("0.85"), Fee: dollars("120.00"), Withheld: dollars("50.00"), WHT: dollars("100.00"), DST: dollars("20.00"), OperatingFee: dollars("0.00"), Settled: dollars("560.00"), Rules: "fees@1 otherwise"}}),
		}},
		Parked: list(ParkedRow{"eve", at8("2024-06-03 05:00:00"), "two currencies: correct it, then nightshift runs requeue"}),
	}
}

func written(t *testing.T, write func(io.Writer, MonthReport) error, r MonthReport) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestMonthGolden(t *testing.T) {
	golden(t, "month.golden", printed(t, written(t, Month, sampleMonth())))
	golden(t, "income.golden", printed(t, written(t, Income, sampleMonth())))
}

func TestTheSameMonthGivesTheSameBytes(t *testing.T) {
	for _, write := range []func(io.Writer, MonthReport) error{Month, Income} {
		first := written(t, write, sampleMonth())
		if same, err := Same(bytes.NewReader(first), bytes.NewReader(written(t, write, sampleMonth()))); err != nil || !same {
			t.Fatalf("another writing differs: %v", err)
		}
	}
}

func TestLibreOfficeComputesAMonthAsItIsKept(t *testing.T) {
	quiet := MonthReport{Site: "cn", Zone: shanghai, Period: market.PeriodNumbered(202405), AsOf: at8("2024-06-03 05:00:00"), Books: []MonthBook{{Currency: "CNY"}}}
	for name, r := range map[string]MonthReport{"a month": sampleMonth(), "a month of nothing": quiet} {
		for form, write := range map[string]func(io.Writer, MonthReport) error{"month": Month, "income": Income} {
			t.Run(name+", "+form, func(t *testing.T) {
				var b bytes.Buffer
				if err := write(&b, r); err != nil && !errors.Is(err, ErrDoesNotTie) {
					t.Fatal(err)
				}
				recomputesAsKept(t, b.Bytes(), 30)
			})
		}
	}
}

func TestAMonthThatDoesNotTieIsRed(t *testing.T) {
	for want, spoil := range map[string]func(*MonthTotals){
		"Statements: payout (CNY): 1906.46 CNY in the database, 1906.45 CNY in the workbook":               func(n *MonthTotals) { n.Payout = yuan("1906.46") },
		"Lines = payout + carried on (CNY): 1896.94 CNY in the database, 1896.95 CNY in the workbook":      func(n *MonthTotals) { n.LinesSettled = yuan("1896.94") },
		"Journals: payable (CNY): 1906.44 CNY in the database, 1906.45 CNY in the workbook":                func(n *MonthTotals) { n.JournalPayable = yuan("1906.44") },
		"Journals: platform and operating fee (CNY): 0.00 CNY in the database, 101.50 CNY in the workbook": func(n *MonthTotals) { n.JournalFees = market.Money{} },
		"Products: settled last month (CNY): 1520.01 CNY in the database, 1520.00 CNY in the workbook":     func(n *MonthTotals) { n.LastSettled = yuan("1520.01") },
		"Waiting: rows (CNY): 2 in the database, 3 in the workbook":                                        func(n *MonthTotals) { n.Waiting = 2 },
	} {
		r := sampleMonth()
		spoil(&r.Books[0].Totals)
		if err := Month(io.Discard, r); !errors.Is(err, ErrDoesNotTie) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAChangeIsSplitWithoutACentLost(t *testing.T) {
	tests := []struct {
		name                     string
		row                      ProductMonthRow
		all, volume, price, rule string
	}{
		{"one more at the same price and share", ProductMonthRow{Units: 4, LastUnits: 3, Billable: yuan("400.00"), LastBillable: yuan("300.00"), Settled: yuan("380.00"), LastSettled: yuan("285.00")}, "95.00", "95.00", "0.00", "0.00"},
		{"a higher price", ProductMonthRow{Units: 3, LastUnits: 3, Billable: yuan("330.00"), LastBillable: yuan("300.00"), Settled: yuan("313.50"), LastSettled: yuan("285.00")}, "28.50", "0.00", "28.50", "0.00"},
		{"a better share", ProductMonthRow{Units: 3, LastUnits: 3, Billable: yuan("300.00"), LastBillable: yuan("300.00"), Settled: yuan("291.00"), LastSettled: yuan("285.00")}, "6.00", "0.00", "0.00", "6.00"},
		{"all three", ProductMonthRow{Units: 2, LastUnits: 3, Billable: yuan("220.00"), LastBillable: yuan("300.00"), Settled: yuan("213.40"), LastSettled: yuan("285.00")}, "-71.60", "-95.00", "19.00", "4.40"},
		{"a new product is all volume", ProductMonthRow{Units: 2, Billable: yuan("220.00"), Settled: yuan("209.00")}, "209.00", "209.00", "0.00", "0.00"},
		{"so is one that is gone", ProductMonthRow{LastUnits: 2, LastBillable: yuan("220.00"), LastSettled: yuan("209.00")}, "-209.00", "-209.00", "0.00", "0.00"},
	}
	for _, test := range tests {
		all, volume, price, rule := test.row.change()
		for i, got := range []market.Money{all, volume, price, rule} {
			if want := yuan([]string{test.all, test.volume, test.price, test.rule}[i]); got.Amount.Cmp(want.Amount) != 0 {
				t.Errorf("%s, part %d: %s, want %s", test.name, i, got, want)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		cents := func(name string) market.Money {
			return market.NewMoney(market.DecimalOf(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, name)).Mul(exactRate("0.01")), "CNY")
		}
		r := ProductMonthRow{Units: rapid.Int64Range(-3, 9).Draw(t, "units"), LastUnits: rapid.Int64Range(-3, 9).Draw(t, "last"), Billable: cents("b"), LastBillable: cents("lb"), Settled: cents("s"), LastSettled: cents("ls")}
		all, volume, price, rule := r.change()
		if sum := volume.Amount.Add(price.Amount).Add(rule.Amount); sum.Cmp(all.Amount) != 0 || all.Amount.Cmp(r.Settled.Amount.Sub(r.LastSettled.Amount)) != 0 {
			t.Errorf("%+v: %s is %s + %s + %s", r, all, volume, price, rule)
		}
	})
}
