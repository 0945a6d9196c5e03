package jobs

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"nightshift/reports"
	"nightshift/rules/market"
	"nightshift/storage"
)

// StatementName is what the workbook of a statement is called.
func StatementName(s storage.StatementStand) string {
	name := fmt.Sprintf("statement-%s-%s-%s", s.Site, url.PathEscape(s.Seller), s.Period)
	if s.Version > 1 {
		name += fmt.Sprintf("-v%d", s.Version)
	}
	return name + ".xlsx"
}

// IncomeName is what the workbook of the platform's income is called.
func IncomeName(r market.Run) string {
	return fmt.Sprintf("income-%s-%s.xlsx", r.Site, market.Month(r.On))
}

// settlementReport writes finance's month of a settlement run.
func settlementReport(a *account, w io.Writer) error {
	report, err := a.month()
	if err != nil {
		return err
	}
	return reports.Month(w, report)
}

// incomeReport writes what the platform earned in it.
func incomeReport(a *account, w io.Writer) error {
	report, err := a.month()
	if err != nil {
		return err
	}
	return reports.Income(w, report)
}

func (a *account) month() (reports.MonthReport, error) {
	period := market.Month(a.run.On)
	report := reports.MonthReport{
		Site: a.site.Name, Zone: a.site.Zone, Period: period, AsOf: a.run.AsOf, Build: a.run.Build, Schema: a.run.Schema, ResultHash: a.run.ResultHash,
		Counts: reports.MonthCounts{Sellers: a.run.Candidates, Decided: a.run.Outcomes},
		Parked: mapped(a.tx.ParkedBy(a.ctx, a.run), a.setAside),
	}
	if err := a.prepare(); err != nil {
		return report, err
	}
	var err error
	if report.BillDay, err = a.site.BillDay(period); err != nil {
		return report, err
	}
	if report.Policies, err = a.used(settlementRulesets); err != nil {
		return report, err
	}
	for _, err := range a.tx.ParkedBy(a.ctx, a.run) {
		if err != nil {
			return report, err
		}
		report.Counts.Parked++
	}
	currencies, err := a.tx.MonthCurrencies(a.ctx, a.run.ID, a.run.Site, period)
	if err != nil {
		return report, err
	}
	own := slices.Index(currencies, a.site.Currency)
	if own >= 0 {
		currencies = slices.Delete(currencies, own, own+1)
	}
	for i, c := range append([]market.Currency{a.site.Currency}, currencies...) {
		book, err := a.monthBook(storage.MonthQuery{Run: a.run.ID, Site: a.run.Site, Period: period, Currency: c, Nameless: i == 0})
		if err != nil {
			return report, err
		}
		report.Books = append(report.Books, book)
	}
	return report, nil
}

// monthBook is the month in one currency.
func (a *account) monthBook(q storage.MonthQuery) (reports.MonthBook, error) {
	of := func(d market.Decimal) market.Money { return market.NewMoney(d, q.Currency) }
	t, err := a.tx.TallyMonth(a.ctx, q)
	book := reports.MonthBook{
		Currency: q.Currency,
		Totals: reports.MonthTotals{Statements: t.Statements, Lines: t.Lines, Products: t.Products, Waiting: t.Waiting, Billable: of(t.Billable), Fee: of(t.Fee), Taxes: of(t.Taxes),
			OperatingFee: of(t.OperatingFee), Settled: of(t.Settled), Adjustments: of(t.Adjustments), CarriedIn: of(t.CarriedIn), CarriedOut: of(t.CarriedOut), Payout: of(t.Payout),
			WaitingAmount: of(t.WaitingAmount), LinesSettled: of(t.LinesSettled), JournalFees: of(t.JournalFees), JournalTaxes: of(t.JournalTaxes), JournalPayable: of(t.JournalPayable),
			JournalMoved: of(t.JournalMoved), LastSettled: of(t.LastSettled)},
		Statements: mapped(a.tx.StatementsOf(a.ctx, q), func(s storage.RunStatement) (reports.StatementRow, error) {
			row := reports.StatementRow{Seller: s.Seller, Version: int64(s.Version), Lines: s.Lines, Billable: of(s.Billable), Fee: of(s.Fee), Taxes: of(s.Taxes), OperatingFee: of(s.OperatingFee),
				Settled: of(s.Settled), Adjustments: of(s.Adjustments), CarriedIn: of(s.CarriedIn), CarriedOut: of(s.CarriedOut), Payout: of(s.Payout), Document: StatementName(s.StatementStand)}
			if s.Last != nil {
				row.Last = of(*s.Last)
			}
			return row, nil
		}),
		Products: mapped(a.tx.ProductMonths(a.ctx, q), func(p storage.ProductMonth) (reports.ProductMonthRow, error) {
			return reports.ProductMonthRow{Seller: p.Seller, Product: p.Product, ProductClass: p.ProductClass, Units: p.Units, LastUnits: p.LastUnits, Billable: of(p.Billable), LastBillable: of(p.LastBillable),
				Fee: of(p.Fee), Settled: of(p.Settled), LastSettled: of(p.LastSettled)}, nil
		}),
		Waiting: mapped(a.tx.UnsettledIn(a.ctx, q), func(u storage.Unsettled) (reports.UnsettledRow, error) { return unsettledRow(u, q.Currency), nil }),
		Rates: mapped(a.tx.MonthRates(a.ctx, q), func(r storage.MonthRate) (reports.RateRow, error) {
			return reports.RateRow{Model: r.Model, FeeRate: r.FeeRate, ExtraRate: r.ExtraRate, Lines: r.Lines, Billable: of(r.Billable), Fee: of(r.Fee)}, nil
		}),
	}
	if t.Lines <= reports.MostMonthLines {
		book.Lines = mapped(a.tx.MonthLines(a.ctx, q), func(l storage.SettledLine) (reports.MonthLineRow, error) {
			return reports.MonthLineRow{Seller: l.Seller, StatementLineRow: lineRow(l, q.Currency)}, nil
		})
	}
	return book, err
}

// unsettledRow is a line that waits. An amount of another currency than the
// list's is told in words: it is not added up.
func unsettledRow(u storage.Unsettled, c market.Currency) reports.UnsettledRow {
	row := reports.UnsettledRow{Seller: u.Seller, Key: u.Key, Kind: u.Kind, Order: u.Order, Product: u.Product, ProductClass: u.ProductClass, PaidAt: u.PaidAt, Amount: u.Amount,
		Outcome: u.Outcome, Unmet: u.Unmet, Until: u.Until, Because: u.Because}
	if u.Amount.Currency != c {
		row.Amount, row.Because = market.Money{}, u.Amount.String()+": "+u.Because
	}
	return row
}

// statementReport is all that a statement's workbook shows. The rules are those
// of the run of its period.
func (a *account) statementReport(s storage.StatementStand, used []reports.PolicyUsed, billDay market.Date, steps []reports.StatementStep) (reports.StatementReport, error) {
	of := func(d market.Decimal) market.Money { return market.NewMoney(d, s.Currency) }
	t, err := a.tx.TallyStatement(a.ctx, s)
	if err != nil {
		return reports.StatementReport{}, err
	}
	waiting, err := a.tx.CountUnsettled(a.ctx, s.Site, s.Period, s.SellerID)
	if err != nil {
		return reports.StatementReport{}, err
	}
	return reports.StatementReport{
		Site: s.Site, Zone: a.site.Zone, Seller: s.Seller, Period: s.Period, Version: s.Version, Because: s.Because, Currency: s.Currency, BillDay: billDay, AsOf: s.AsOf,
		Build: a.run.Build, Schema: a.run.Schema, Policies: used, Steps: steps, Opening: t.Openings > 0 && t.Openings == s.Lines,
		Totals: reports.StatementTotals{Lines: s.Lines, Waiting: waiting, Billable: of(s.Billable), Fee: of(s.Fee), Taxes: of(s.Taxes), OperatingFee: of(s.OperatingFee), Settled: of(s.Settled),
			Adjustments: of(s.Adjustments), CarriedIn: of(s.CarriedIn), CarriedOut: of(s.CarriedOut), Payout: of(s.Payout)},
		Journal: reports.StatementJournal{Keys: statementKeys(s), Fees: of(t.JournalFees), Taxes: of(t.JournalTaxes), Payable: of(t.JournalPayable), Carried: of(t.JournalMoved)},
		Lines:   kindsOf(a.tx.LinesOf(a.ctx, s), true, func(l storage.SettledLine) reports.StatementLineRow { return lineRow(l, s.Currency) }),
		Adjustments: kindsOf(a.tx.OutsideLinesOf(a.ctx, s), false, func(l storage.SettledLine) reports.AdjustmentRow {
			return reports.AdjustmentRow{Key: l.Key, Kind: l.Kind, At: l.DecidedAt, Amount: of(l.Settled), Memo: l.Memo}
		}),
		Waiting: mapped(a.tx.UnsettledOf(a.ctx, s.Site, s.Period, s.SellerID), func(u storage.Unsettled) (reports.UnsettledRow, error) { return unsettledRow(u, s.Currency), nil }),
		Differences: mapped(a.tx.DifferencesOf(a.ctx, s), func(d storage.LineDifference) (reports.DifferenceRow, error) {
			row := reports.DifferenceRow{Key: d.Key, Order: d.Order, Product: d.Product, Why: d.Why}
			if d.Before != nil {
				row.Before = of(*d.Before)
			}
			if d.After != nil {
				row.After = of(*d.After)
			}
			return row, nil
		}),
	}, nil
}

// statementKeys are the keys of a statement's journals.
func statementKeys(s storage.StatementStand) string {
	var keys []string
	for version := range s.Version {
		keys = append(keys, (&market.Statement{Site: s.Site, Seller: s.Seller, Period: s.Period, Version: version + 1}).Key())
	}
	return strings.Join(keys, ", ")
}

// kindsOf are the lines of the trade, or those from outside it.
func kindsOf[R any](lines func(func(storage.SettledLine, error) bool), ofTrade bool, row func(storage.SettledLine) R) func(func(R, error) bool) {
	return func(yield func(R, error) bool) {
		for l, err := range lines {
			outside := slices.Contains([]string{market.EarnedAdjustment, market.EarnedOpening, market.EarnedCarried}, l.Kind)
			if err == nil && outside == ofTrade {
				continue
			}
			var r R
			if err == nil {
				r = row(l)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func lineRow(l storage.SettledLine, c market.Currency) reports.StatementLineRow {
	of := func(d market.Decimal) market.Money { return market.NewMoney(d, c) }
	row := reports.StatementLineRow{Key: l.Key, Kind: l.Kind, Order: l.Order, Line: l.OrderLine, Product: l.Product, ProductClass: l.ProductClass, Access: l.AccessType, Model: l.Model,
		PaidAt: l.PaidAt, DecidedBy: l.DecidedBy, DecidedAt: l.DecidedAt, Paid: of(l.Paid.Amount), Billable: of(l.Billable), FeeRate: l.FeeRate, ExtraRate: l.ExtraRate, Share: l.Share,
		Fee: of(l.Fee), Withheld: of(l.Withheld), WHT: of(l.WHT), DST: of(l.DST), OperatingFee: of(l.OperatingFee), Settled: of(l.Settled), Rules: l.Rules, Reverses: l.Reverses}
	if l.Tiered {
		row.TierTotal = of(l.TierTotal)
	}
	return row
}
