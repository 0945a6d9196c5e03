package reports

import (
	"errors"
	"iter"

	"nightshift/rules/market"
)

// statementTab is the cover of a statement.
const statementTab = "Statement"

// statement is a statement's workbook while it is written: its lists stand, its
// cover and its control sheet are to be made from them.
type statement struct {
	StatementReport
	book *book

	lines, groups, adjustments, waiting, differences listed

	feeGroups *groups
	kinds     map[string]*sum // of the adjustments, by kind
	unmet     map[string]*paidTotals
}

// write fills the workbook. Cover and control come first in it, but are
// written last, when the lists have been counted.
func (r StatementReport) write(b *book) (*control, error) {
	a := &statement{StatementReport: r, book: b, feeGroups: newGroups(), kinds: map[string]*sum{}, unmet: map[string]*paidTotals{}}
	if err := errors.Join(b.addTab(statementTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	var wrong error
	note := func(err error) {
		if wrong == nil {
			wrong = err
		}
	}
	var err error
	if a.lines, err = writeTable(b, linesTable(a.feeGroups), r.Lines, func(row StatementLineRow) { note(a.feeGroups.of(&row).see(&row)) }); err != nil {
		return nil, err
	}
	if a.groups, err = writeTable(b, groupsTable, a.groupRows(), nil); err != nil {
		return nil, err
	}
	if a.adjustments, err = writeTable(b, adjustmentsTable, r.Adjustments, func(row AdjustmentRow) { note(a.seeAdjustment(row)) }); err != nil {
		return nil, err
	}
	if a.waiting, err = writeTable(b, unsettledTable(r.AsOf, false), r.Waiting, func(row UnsettledRow) { note(seeUnmet(a.unmet, row)) }); err != nil {
		return nil, err
	}
	if r.Version > 1 {
		if a.differences, err = writeTable(b, differencesTable, r.Differences, nil); err != nil {
			return nil, err
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	c := a.control()
	if err := a.writeCover(c); err != nil {
		return nil, err
	}
	return c, c.writeSheet(b, controlSheet{policies: r.Policies})
}

// groupRows are the fee groups that the lines had.
func (a *statement) groupRows() iter.Seq2[groupRow, error] {
	return func(yield func(groupRow, error) bool) {
		for _, g := range a.feeGroups.list {
			if !yield(groupRow{g, a.lines}, nil) {
				return
			}
		}
	}
}

func (a *statement) seeAdjustment(row AdjustmentRow) error {
	s := a.kinds[row.Kind]
	if s == nil {
		s = &sum{}
		a.kinds[row.Kind] = s
	}
	return s.add(row.Amount)
}

// seeUnmet counts a line in under each condition that it lacks.
func seeUnmet(to map[string]*paidTotals, row UnsettledRow) error {
	var err error
	for _, word := range row.Unmet {
		t := to[word]
		if t == nil {
			t = &paidTotals{}
			to[word] = t
		}
		t.rows++
		err = errors.Join(err, t.amount.add(row.Amount))
	}
	return err
}

// total is a column of the lines added up, live.
func (a *statement) total(columns ...int) any {
	return a.lines.together(a.Currency, columns...)
}

// together adds up several columns of a list, live.
func (l listed) together(c market.Currency, columns ...int) any {
	all := sum{amount: market.NewMoney(market.Decimal{}, c), places: c.Places()}
	expression := ""
	for i, column := range columns {
		if err := all.join(l.sums[column]); err != nil {
			panic(err) // a list has one currency, which its own sums have proved
		}
		if i > 0 {
			expression += "+"
		}
		expression += l.each("SUM", column)
	}
	return all.formula("%s", expression)
}

// adjusted is what the adjustments of some kinds come to, live.
func (a *statement) adjusted(kinds ...string) any {
	all := sum{amount: a.zero(), places: a.Currency.Places()}
	expression := ""
	for i, kind := range kinds {
		if s := a.kinds[kind]; s != nil {
			if err := all.join(*s); err != nil {
				panic(err) // as above
			}
		}
		if i > 0 {
			expression += "+"
		}
		expression += a.adjustments.every(func(p stretch) string {
			return "SUMIFS(" + p.ref(adjustmentAmountColumn) + "," + p.ref(adjustmentKindColumn) + "," + literal(wordOf(lineKinds, kind)) + ")"
		})
	}
	return all.formula("%s", expression)
}

// control says what must tie: lines to the statement, the statement to its
// journals.
func (a *statement) control() *control {
	t, j := a.Totals, a.Journal
	less := func(x, y market.Money) market.Money { return market.NewMoney(x.Amount.Sub(y.Amount), a.Currency) }
	plus := func(all ...market.Money) market.Money {
		s := a.zero()
		for _, m := range all {
			s.Amount = s.Amount.Add(m.Amount)
		}
		return s
	}
	lines := formula{a.lines.each("COUNTA", 0) + "+" + a.adjustments.each("COUNTA", 0), a.lines.rows + a.adjustments.rows}
	due := a.due()
	c := &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{
		{label{"结算单：行数", "Statement: lines"}, t.Lines, lines},
		{label{"结算单：可结算额", "Statement: billable"}, a.in(t.Billable), a.total(lineBillableColumn)},
		{label{"结算单：平台费", "Statement: platform fee"}, a.in(t.Fee), a.total(lineFeeColumn)},
		{label{"结算单：税", "Statement: taxes"}, a.in(t.Taxes), a.total(lineWithheldColumn, lineWHTColumn, lineDSTColumn)},
		{label{"结算单：运营管理费", "Statement: operating fee"}, a.in(t.OperatingFee), a.total(lineOperatingColumn)},
		{label{"结算单：结算额", "Statement: settled"}, a.in(t.Settled), a.total(lineSettledColumn)},
		{label{"结算单：调整", "Statement: adjustments"}, a.in(t.Adjustments), a.adjusted(market.EarnedAdjustment, market.EarnedOpening)},
		{label{"结算单：上期结转", "Statement: carried in"}, a.in(t.CarriedIn), a.adjusted(market.EarnedCarried)},
		{label{"结算单：应付 + 结转下期", "Statement: payout + carried on"}, plus(t.Payout, t.CarriedOut), due},
		{label{"费率组合计 = 明细", "Fee groups = lines"}, a.in(a.lines.sums[lineSettledColumn].amount), a.groups.amount(groupSettledColumn, a.Currency)},
		{label{"日记账：平台费 + 运营管理费", "Journals: platform and operating fee"}, a.in(j.Fees), a.total(lineFeeColumn, lineOperatingColumn)},
		{label{"日记账：税", "Journals: taxes"}, a.in(j.Taxes), a.total(lineWithheldColumn, lineWHTColumn, lineDSTColumn)},
		{label{"日记账：应付", "Journals: payable"}, a.in(j.Payable), a.in(t.Payout)},
		{label{"日记账：结转变动", "Journals: carried moved by"}, a.in(j.Carried), less(t.CarriedOut, t.CarriedIn)},
		{label{"待出账：行数", "Waiting: rows"}, t.Waiting, a.waiting.count()},
	}}
	if a.Version > 1 {
		c.ties = append(c.ties, tie{label{"差异合计 = 版本之差", "Differences = this version less the one before"}, a.in(a.versionChange()), a.differences.amount(differenceColumn, a.Currency)})
	}
	return c
}

// groupSettledColumn is what fee groups were settled at, differenceColumn what
// versions differ by.
const (
	groupSettledColumn = 14
	differenceColumn   = 5
)

// due is what the lists come to together: the payout, or what is carried on.
func (a *statement) due() any {
	all := sum{amount: a.zero(), places: a.Currency.Places()}
	for _, s := range []sum{a.lines.sums[lineSettledColumn], a.adjustments.sums[adjustmentAmountColumn]} {
		if err := all.join(s); err != nil {
			panic(err) // as above
		}
	}
	return all.formula("%s", a.lines.each("SUM", lineSettledColumn)+"+"+a.adjustments.each("SUM", adjustmentAmountColumn))
}

// versionChange is by how much the version differs from the one before.
func (a *statement) versionChange() market.Money {
	return market.NewMoney(a.differences.sums[4].amount.Amount.Sub(a.differences.sums[3].amount.Amount), a.Currency)
}
