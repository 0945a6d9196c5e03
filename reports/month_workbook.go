package reports

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"nightshift/rules/market"
)

// month is a month's workbook while it is written.
type month struct {
	MonthReport
	book   *book
	books  []*listedMonth
	parked listed
}

// listedMonth is the lists of one currency after they were written.
type listedMonth struct {
	MonthBook
	statements, products, waiting, rates, lines listed

	top     []topSeller
	units   [2]int64 // of the products, now and the month before
	unmet   map[string]*paidTotals
	ages    [len(monthAges)]paidTotals
	noAge   paidTotals
	classes map[string]*classTotal
}

// topSeller is a seller among the largest.
type topSeller struct {
	seller string
	row    int // of the statements
	payout market.Money
}

// classTotal adds up the products of a class.
type classTotal struct {
	rows                   int64
	billable, fee, settled sum
}

// write fills the workbook.
func (r MonthReport) write(b *book) (*control, error) {
	a := &month{MonthReport: r, book: b}
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	for i, of := range r.Books {
		l := newListedMonth(of)
		if err := l.write(b, suffixOf(i, of.Currency), r, true); err != nil {
			return nil, err
		}
		a.books = append(a.books, l)
	}
	var err error
	if a.parked, err = writeTable(b, parkedSellersTable, r.Parked, nil); err != nil {
		return nil, err
	}
	c := a.control()
	if err := a.writeSummary(c); err != nil {
		return nil, err
	}
	return c, c.writeSheet(b, controlSheet{sum: r.ResultHash, policies: r.Policies})
}

// suffixOf tells the tabs of a second currency apart.
func suffixOf(i int, c market.Currency) string {
	if i == 0 {
		return ""
	}
	return " " + string(c)
}

func newListedMonth(of MonthBook) *listedMonth {
	return &listedMonth{MonthBook: of, unmet: map[string]*paidTotals{}, classes: map[string]*classTotal{}}
}

func (l *listedMonth) write(b *book, suffix string, r MonthReport, waiting bool) (err error) {
	if l.statements, err = writeTable(b, named(statementsTable, suffix), l.Statements, l.seeStatement); err != nil {
		return err
	}
	var wrong error
	if l.products, err = writeTable(b, named(productsTable(), suffix), l.Products, func(row ProductMonthRow) {
		if failed := l.seeProduct(row); failed != nil {
			wrong = failed
		}
	}); err != nil {
		return err
	}
	if !waiting {
		l.rates, err = writeTable(b, named(ratesTable, suffix), l.Rates, nil)
		return errors.Join(err, wrong)
	}
	l.waiting, err = writeTable(b, named(unsettledTable(r.AsOf, true), suffix), l.Waiting, func(row UnsettledRow) {
		if failed := l.seeWaiting(row, r); failed != nil {
			wrong = failed
		}
	})
	if err == nil && l.Lines != nil {
		l.lines, err = writeTable(b, named(monthLinesTable, suffix), l.Lines, nil)
	}
	return errors.Join(err, wrong)
}

// mostSellers are drawn.
const mostSellers = 10

func (l *listedMonth) seeStatement(r StatementRow) {
	l.top = append(l.top, topSeller{r.Seller, 2 + int(l.statements.rows) + len(l.top), r.Payout})
	if len(l.top) > 1000 {
		l.keepTop()
	}
}

// keepTop forgets all but the largest.
func (l *listedMonth) keepTop() {
	slices.SortStableFunc(l.top, func(a, b topSeller) int { return b.payout.Amount.Cmp(a.payout.Amount) })
	l.top = l.top[:min(len(l.top), mostSellers)]
}

func (l *listedMonth) seeProduct(r ProductMonthRow) error {
	l.units[0] += r.Units
	l.units[1] += r.LastUnits
	c := l.classes[r.ProductClass]
	if c == nil {
		c = &classTotal{}
		l.classes[r.ProductClass] = c
	}
	c.rows++
	return errors.Join(c.billable.add(r.Billable), c.fee.add(r.Fee), c.settled.add(r.Settled))
}

func (l *listedMonth) seeWaiting(row UnsettledRow, r MonthReport) error {
	t := &l.noAge
	if i := ageOf(row, r.AsOf); i >= 0 {
		t = &l.ages[i]
	}
	t.rows++
	return errors.Join(seeUnmet(l.unmet, row), t.amount.add(row.Amount))
}

var parkedSellersTable = table[ParkedRow]{
	name: parkedTable.name, title: parkedTable.title, tab: parkedTable.tab,
	columns: append([]column[ParkedRow]{
		texts("卖家", "Seller", 20, func(r ParkedRow) string { return r.Code }),
	}, parkedTable.columns[1:]...),
}

// in is an amount of the book: zero where it has no currency.
func (l *listedMonth) in(m market.Money) market.Money {
	if m.Currency == "" && m.IsZero() {
		m.Currency = l.Currency
	}
	return m
}

// control says what must tie: statements to tables and lines, and these to the
// journals.
func (a *month) control() *control {
	c := &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{{label{"搁置：行数", "Parked: rows"}, a.Counts.Parked, a.parked.count()}}}
	for _, l := range a.books {
		for _, t := range slices.Concat(l.ties(), l.waitingTies(), l.lineTies()) {
			if len(a.books) > 1 {
				t.label = label{t.chinese + "（" + string(l.Currency) + "）", fmt.Sprintf("%s (%s)", t.english, l.Currency)}
			}
			c.ties = append(c.ties, t)
		}
	}
	return c
}

func (l *listedMonth) ties() []tie {
	t := l.Totals
	column := func(i int) any { return l.statements.amount(i, l.Currency) }
	paid := l.statements.together(l.Currency, statementPayoutColumn, statementCarriedOutColumn)
	moved := market.NewMoney(t.CarriedOut.Amount.Sub(t.CarriedIn.Amount), l.Currency)
	return []tie{
		{label{"结算单：份数", "Statements"}, t.Statements, l.statements.count()},
		{label{"结算单：行数", "Statements: lines"}, t.Lines, formula{l.statements.each("SUM", statementLinesColumn), t.Lines}},
		{label{"结算单：可结算额", "Statements: billable"}, l.in(t.Billable), column(statementBillableColumn)},
		{label{"结算单：平台费", "Statements: platform fee"}, l.in(t.Fee), column(statementFeeColumn)},
		{label{"结算单：结算额", "Statements: settled"}, l.in(t.Settled), column(statementSettledColumn)},
		{label{"结算单：应付", "Statements: payout"}, l.in(t.Payout), column(statementPayoutColumn)},
		{label{"结算单：结转下期", "Statements: carried on"}, l.in(t.CarriedOut), column(statementCarriedOutColumn)},
		{label{"明细合计 = 应付 + 结转", "Lines = payout + carried on"}, l.in(t.LinesSettled), paid},
		{label{"日记账：平台费 + 运营管理费", "Journals: platform and operating fee"}, l.in(t.JournalFees), l.statements.together(l.Currency, statementFeeColumn, statementOperatingColumn)},
		{label{"日记账：税", "Journals: taxes"}, l.in(t.JournalTaxes), column(statementTaxesColumn)},
		{label{"日记账：应付", "Journals: payable"}, l.in(t.JournalPayable), column(statementPayoutColumn)},
		{label{"日记账：结转变动", "Journals: carried moved by"}, l.in(t.JournalMoved), moved},
		{label{"商品：行数", "Products: rows"}, t.Products, l.products.count()},
		{label{"商品：结算额 = 结算单", "Products: settled = statements"}, l.in(t.Settled), l.products.amount(productSettledColumn, l.Currency)},
		{label{"商品：上月结算额 = 上月", "Products: settled last month"}, l.in(t.LastSettled), l.products.amount(productLastSettledColumn, l.Currency)},
		{label{"变动 = 数量 + 价格 + 规则", "Change = volume + price + rule"}, l.in(l.products.sums[productChangeColumn].amount),
			l.products.together(l.Currency, productVolumeColumn, productPriceColumn, productRuleColumn)},
	}
}

func (l *listedMonth) waitingTies() []tie {
	return []tie{
		{label{"待出账：行数", "Waiting: rows"}, l.Totals.Waiting, l.waiting.count()},
		{label{"待出账：金额", "Waiting: amount"}, l.in(l.Totals.WaitingAmount), l.waiting.amount(unsettledAmountColumn, l.Currency)},
	}
}

// writeSummary writes the page that finance looks at first.
func (a *month) writeSummary(c *control) error {
	s, err := a.book.open(page{
		name: summaryTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: len(a.books) == 1,
		widths: []float64{34, 13, 22, 22, 22, 44},
	})
	if err != nil {
		return err
	}
	steps := []func(*sheet) error{func(s *sheet) error { return s.head(c, a.facts()) }}
	for _, l := range a.books {
		steps = append(steps, l.totalsNow, l.whyItChanged, l.largest, l.whatWaits, l.howOld)
	}
	steps = append(steps, func(s *sheet) error { return s.rulesUsed(a.Policies) }, howToReadAMonth, (*sheet).close)
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

func (r MonthReport) facts() []told {
	facts := []told{
		{label{"站点", "Site"}, r.Site},
		{label{"账期", "Period"}, r.Period.String() + " · " + r.Period.From.String() + " – " + r.Period.Last().String()},
		{label{"出账日", "Bill day"}, r.BillDay},
		{label{"评估时刻", "As of"}, r.AsOf},
		{label{"时区", "Time zone"}, nil}, // the workbook's own
		{label{"程序与库结构", "Build and schema"}, r.Build + ", " + strconv.Itoa(r.Schema)},
		{label{"已查看的卖家", "Sellers looked at"}, r.Counts.Sellers},
	}
	for _, word := range slices.Sorted(keysOf(r.Counts.Decided)) {
		facts = append(facts, told{wordLabel(monthOutcomes, word), r.Counts.Decided[word]})
	}
	return facts
}

func keysOf(m map[string]int64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

var monthOutcomes = map[string]label{"settle": {"已出账", "Settled"}, "carry": {"结转下期", "Carried on"}, "waiting lines": {"待出账行", "Lines that wait"}, "held lines": {"待更正行", "Lines to be mended"}}

// wordLabel is a word in both languages, or as it is.
func wordLabel(names map[string]label, word string) label {
	if l, ok := names[word]; ok {
		return l
	}
	return label{word, ""}
}
