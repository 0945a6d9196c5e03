package reports

import (
	"errors"
	"fmt"

	"nightshift/rules/market"
)

// billing is a billing workbook while it is written: its lists stand, its
// summary and its control sheet are to be made from them.
type billing struct {
	BillingReport
	book   *book
	books  []*listedBook
	errors listed
	parked listed
}

// listedBook is the lists of one currency after they were written.
type listedBook struct {
	BillingBook
	deductions, buyers, sellers, sources, dropped, refunds, notPaid, months, lines, arrears listed

	kinds     map[string]*kindTotals // of the deductions
	paid      map[string]*paidTotals // of the sources
	cancelled int64
	of        struct{ buyers, sellers int64 } // deductions that their lists add up
}

// kindTotals adds the deductions of one kind up, column by column.
type kindTotals struct {
	rows                                  int64
	price, discounted, dropped, due, owed sum
}

// paidTotals adds up what one kind of source paid.
type paidTotals struct {
	rows   int64
	amount sum
}

// write fills the workbook. Summary and control come first in it, but are
// written last, when the lists have been counted.
func (r BillingReport) write(b *book) (*control, error) {
	a := &billing{BillingReport: r, book: b}
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	for i, of := range r.Books {
		l := &listedBook{BillingBook: of, kinds: map[string]*kindTotals{}, paid: map[string]*paidTotals{}}
		suffix := ""
		if i > 0 {
			suffix = " " + string(of.Currency)
		}
		if err := l.write(b, suffix, r); err != nil {
			return nil, err
		}
		a.books = append(a.books, l)
	}
	var err error
	if a.errors, err = writeTable(b, errorsTable, r.Errors, nil); err != nil {
		return nil, err
	}
	if a.parked, err = writeTable(b, parkedBuyersTable, r.Parked, nil); err != nil {
		return nil, err
	}
	c := a.control()
	if err := a.writeSummary(c); err != nil {
		return nil, err
	}
	return c, c.writeSheet(b, controlSheet{sum: r.ResultHash, policies: r.Policies})
}

// write writes the lists of a currency; the tabs of the second end in its code.
func (l *listedBook) write(b *book, suffix string, r BillingReport) (err error) {
	if l.deductions, err = writeTable(b, named(deductionsTable, suffix), l.Deductions, l.seeDeduction); err != nil {
		return err
	}
	if l.buyers, err = writeTable(b, named(buyersTable, suffix), l.Buyers, func(row PartyRow) { l.of.buyers += row.Deductions }); err != nil {
		return err
	}
	if l.sellers, err = writeTable(b, named(billedSellersTable, suffix), l.Sellers, func(row PartyRow) { l.of.sellers += row.Deductions }); err != nil {
		return err
	}
	if l.sources, err = writeTable(b, named(sourcesTable, suffix), l.Sources, l.seeSource); err != nil {
		return err
	}
	if l.dropped, err = writeTable(b, named(droppedTable, suffix), l.Dropped, nil); err != nil {
		return err
	}
	if l.refunds, err = writeTable(b, named(refundsTable, suffix), l.Refunds, nil); err != nil {
		return err
	}
	see := func(row NotPaidRow) {
		if row.Outcome == cancelled {
			l.cancelled++
		}
	}
	if l.notPaid, err = writeTable(b, named(notPaidTable, suffix), l.NotPaid, see); err != nil {
		return err
	}
	if l.months, err = writeTable(b, named(monthsTable, suffix), l.Months, nil); err != nil {
		return err
	}
	if l.lines, err = writeTable(b, named(sharedTable, suffix), l.Lines, nil); err != nil {
		return err
	}
	l.arrears, err = writeTable(b, named(arrearsTable(r.AsOf), suffix), l.Arrears, nil)
	return err
}

// named is a list whose tab has another name.
func named[R any](t table[R], suffix string) table[R] {
	t.name += suffix
	return t
}

func (l *listedBook) seeDeduction(r DeductionRow) {
	k := l.kinds[r.Kind]
	if k == nil {
		k = &kindTotals{}
		l.kinds[r.Kind] = k
	}
	k.rows++
	for _, column := range []struct {
		sum *sum
		of  market.Money
	}{{&k.price, r.Price}, {&k.discounted, r.Discounted}, {&k.dropped, r.Dropped}, {&k.due, r.Due}, {&k.owed, r.LeftOwed}} {
		l.add(column.sum, column.of)
	}
}

func (l *listedBook) seeSource(r SourceRow) {
	k := l.paid[r.Kind]
	if k == nil {
		k = &paidTotals{}
		l.paid[r.Kind] = k
	}
	k.rows += r.Deductions
	l.add(&k.amount, r.Amount)
}

// add counts an amount in. One of another currency is counted nowhere: the list
// it stands in refuses it.
func (l *listedBook) add(s *sum, m market.Money) {
	if m.Currency == l.Currency {
		_ = s.add(m)
	}
}

// zeroed is an amount of the book: zero where nothing was added up.
func (l *listedBook) zeroed(m market.Money) market.Money {
	if m.Currency == "" && m.IsZero() {
		m.Currency = l.Currency
	}
	return m
}

// sumIf is the live total of a column over the rows whose other column has a word.
func (l *listedBook) sumIf(list listed, s sum, column, by int, word string) any {
	if s.amount.Currency == "" {
		s.amount.Currency, s.places = l.Currency, l.Currency.Places()
	}
	return s.formula("%s", list.every(func(p stretch) string {
		return "SUMIFS(" + p.ref(column) + "," + p.ref(by) + "," + literal(word) + ")"
	}))
}

// countIf is how many rows have a word in a column, live.
func countIf(list listed, column int, word string, n int64) formula {
	return formula{list.every(func(p stretch) string { return "COUNTIFS(" + p.ref(column) + "," + literal(word) + ")" }), n}
}

// every joins an expression of each stretch of a list with plus signs.
func (l listed) every(of func(p stretch) string) string {
	out := ""
	for i, p := range l.parts {
		if i > 0 {
			out += "+"
		}
		out += of(p)
	}
	return out
}

// together adds up, live, what each currency has a count of.
func (a *billing) together(of func(l *listedBook) formula) formula {
	var all formula
	var n int64
	for i, l := range a.books {
		f := of(l)
		if i > 0 {
			all.expression += "+"
		}
		all.expression += f.expression
		n += f.value.(int64)
	}
	all.value = n
	return all
}

// Outcomes of the run that a list shows.
const (
	deducted   = "deduct"
	repurchase = "repurchase"
	cancelled  = "cancel"
	refund     = "refund"
	refuse     = "refuse"
	withdraw   = "withdraw"
)

// control says what must tie: lists to tables, tables to the journals.
func (a *billing) control() *control {
	n := a.Counts
	c := &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{
		{label{"扣费决定 = 扣费明细", "Decided to deduct = deductions"}, n.Decided[deducted] + n.Decided[repurchase],
			a.together(func(l *listedBook) formula { return l.deductions.count() })},
		{label{"取消决定 = 未付名单", "Decided to cancel = not paid"}, n.Decided[cancelled],
			a.together(func(l *listedBook) formula {
				return countIf(l.notPaid, unpaidOutcomeColumn, cancelled, l.cancelled)
			})},
		{label{"退款决定 = 退款名单", "Decided on refunds = refunds"}, n.Decided[refund] + n.Decided[refuse] + n.Decided[withdraw],
			a.together(func(l *listedBook) formula { return l.refunds.count() })},
		{label{"错误清单：行数", "Error list: rows"}, n.Errors, a.errors.count()},
		{label{"搁置：行数", "Parked: rows"}, n.Parked, a.parked.count()},
	}}
	for _, l := range a.books {
		c.ties = append(c.ties, l.ties(len(a.books) > 1)...)
	}
	return c
}

// ties are those of one currency, which is named where there are several.
func (l *listedBook) ties(several bool) []tie {
	n := l.Counts
	paid := l.zeroed(n.Due) // what is due and is not given back
	paid.Amount = paid.Amount.Add(n.Back.Amount)
	rowsOf := func(list listed, n int64) any { return formula{list.each("SUM", partyRowsColumn), n} }
	lines := []struct {
		name     label
		database any
		workbook any
	}{
		{label{"扣费：行数", "Deductions: rows"}, n.Deductions, l.deductions.count()},
		{label{"扣费：价格", "Deductions: price"}, n.Price, l.deductions.amount(priceColumn, l.Currency)},
		{label{"扣费：折扣额", "Deductions: discounted"}, n.Discounted, l.deductions.amount(discountedColumn, l.Currency)},
		{label{"扣费：舍去", "Deductions: dropped"}, n.Dropped, l.deductions.amount(droppedColumn, l.Currency)},
		{label{"扣费：应付", "Deductions: due"}, n.Due, l.deductions.amount(dueColumn, l.Currency)},
		{label{"日记账：买家付出 = 应付", "Journals: from buyers = due"}, n.Taken, l.deductions.amount(dueColumn, l.Currency)},
		{label{"日记账：扣费的舍去 = 明细", "Journals: dropped = deductions"}, n.LetGo, l.deductions.amount(droppedColumn, l.Currency)},
		{label{"日记账：舍去笔数 = 名单", "Journals: dropped rows = dropped"}, n.DroppedRows, l.dropped.count()},
		{label{"日记账：舍去金额 = 名单", "Journals: dropped in all = dropped"}, n.DroppedAll, l.dropped.amount(droppedAmountColumn, l.Currency)},
		{label{"付款来源 = 应付 + 退还", "Sources = due + given back"}, paid, l.sources.amount(sourceAmountColumn, l.Currency)},
		{label{"按买家：笔数", "By buyer: deductions"}, n.Deductions, rowsOf(l.buyers, l.of.buyers)},
		{label{"按买家：应付", "By buyer: due"}, n.Due, l.buyers.amount(partyDueColumn, l.Currency)},
		{label{"按卖家：笔数", "By seller: deductions"}, n.Deductions, rowsOf(l.sellers, l.of.sellers)},
		{label{"按卖家：应付", "By seller: due"}, n.Due, l.sellers.amount(partyDueColumn, l.Currency)},
		{label{"其中欠款：扣费明细", "Of it owed: deductions"}, n.Owed, l.deductions.amount(leftOwedColumn, l.Currency)},
		{label{"其中欠款：按买家", "Of it owed: by buyer"}, n.Owed, l.buyers.amount(partyOwedColumn, l.Currency)},
		{label{"退款：行数", "Refunds: rows"}, n.Refunds.Rows, l.refunds.count()},
		{label{"退款：金额", "Refunds: given back"}, n.Refunds.Amount, l.refunds.amount(refundAmountColumn, l.Currency)},
		{label{"日记账：退给买家 = 退款", "Journals: given back = refunds"}, n.Refunded, l.refunds.amount(refundAmountColumn, l.Currency)},
		{label{"未付订单：行数", "Not paid: rows"}, n.NotPaid.Rows, l.notPaid.count()},
		{label{"未付订单：金额", "Not paid: amount"}, n.NotPaid.Amount, l.notPaid.amount(amountColumn, l.Currency)},
		{label{"未付订单：差额", "Not paid: short by"}, n.Short, l.notPaid.amount(shortfallColumn, l.Currency)},
		{label{"月结账单：行数", "Month bills: rows"}, n.Months.Rows, l.months.count()},
		{label{"月结账单：金额", "Month bills: owed"}, n.Months.Amount, l.months.amount(monthOwedColumn, l.Currency)},
		{label{"月度分摊：行数", "Month lines: rows"}, n.Lines.Rows, l.lines.count()},
		{label{"月度分摊：应付", "Month lines: due"}, n.LinesDue, l.lines.amount(sharedDueColumn, l.Currency)},
		{label{"月度分摊：分摊后", "Month lines: charged"}, n.Lines.Amount, l.lines.amount(sharedChargedColumn, l.Currency)},
		{label{"日记账：月度取整 = 月度分摊", "Journals: months rounded = lines"}, n.LinesLet, l.lines.amount(sharedDroppedColumn, l.Currency)},
		{label{"欠款：行数", "Arrears: rows"}, n.Arrears.Rows, l.arrears.count()},
		{label{"欠款：用量", "Arrears: owed for use"}, n.Arrears.Amount, l.arrears.amount(owedColumn, l.Currency)},
		{label{"欠款：逾期月结", "Arrears: overdue bills"}, n.Overdue, l.arrears.amount(overdueColumn, l.Currency)},
	}
	var ties []tie
	for _, line := range lines {
		if m, money := line.database.(market.Money); money {
			line.database = l.zeroed(m)
		}
		if several {
			line.name = label{line.name.chinese + "（" + string(l.Currency) + "）", fmt.Sprintf("%s (%s)", line.name.english, l.Currency)}
		}
		ties = append(ties, tie{line.name, line.database, line.workbook})
	}
	return ties
}
