package reports

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"nightshift/rules/market"
)

// renewal is a renewal workbook while it is written.
type renewal struct {
	RenewalReport
	book                                             *book
	books                                            []*renewalListed
	lapsing, byHand, wishes, notices, calls, parkeds listed
	states                                           map[string]int64
}

// renewalListed is the lists of one currency after they were written.
type renewalListed struct {
	RenewalBook
	renewed, notPaid, takenBack listed
	outcomes                    map[string]int64
	outcomePrice, outcomeShort  map[string]*sum
}

// write fills the workbook. Summary and control come first in it, but are
// written last, when the lists have been counted.
func (r RenewalReport) write(b *book) (*control, error) {
	a := &renewal{RenewalReport: r, book: b, states: map[string]int64{}}
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	for i, of := range r.Books {
		l := &renewalListed{RenewalBook: of, outcomes: map[string]int64{}, outcomePrice: map[string]*sum{}, outcomeShort: map[string]*sum{}}
		suffix := ""
		if i > 0 {
			suffix = " " + string(of.Currency)
		}
		if err := l.write(b, suffix); err != nil {
			return nil, err
		}
		a.books = append(a.books, l)
	}
	var err error
	write := func(to *listed, list listed, failed error) {
		*to, err = list, errors.Join(err, failed)
	}
	list, failed := writeTable(b, lapsingTable, r.Lapsing, func(row LapsingRow) { a.states[row.State]++ })
	write(&a.lapsing, list, failed)
	list, failed = writeTable(b, byHandTable, r.ByHand, nil)
	write(&a.byHand, list, failed)
	list, failed = writeTable(b, wishesTable, r.Wishes, nil)
	write(&a.wishes, list, failed)
	list, failed = writeTable(b, noticesTable, r.Notices, nil)
	write(&a.notices, list, failed)
	list, failed = writeTable(b, callsTable, r.Calls, nil)
	write(&a.calls, list, failed)
	list, failed = writeTable(b, parkedBuyersTable, r.Parked, nil)
	write(&a.parkeds, list, failed)
	if err != nil {
		return nil, err
	}
	c := a.control()
	if err := a.writeSummary(c); err != nil {
		return nil, err
	}
	return c, c.writeSheet(b, controlSheet{sum: r.ResultHash, policies: r.Policies})
}

// write writes the lists of a currency; the tabs of the second end in its code.
func (l *renewalListed) write(b *book, suffix string) (err error) {
	if l.renewed, err = writeTable(b, named(renewedTable, suffix), l.Renewed, nil); err != nil {
		return err
	}
	see := func(row NotRenewedRow) {
		l.outcomes[row.Outcome]++
		if l.outcomePrice[row.Outcome] == nil {
			l.outcomePrice[row.Outcome], l.outcomeShort[row.Outcome] = &sum{}, &sum{}
		}
		_ = l.outcomePrice[row.Outcome].add(row.Price) // the list refuses another currency
		_ = l.outcomeShort[row.Outcome].add(row.Shortfall)
	}
	if l.notPaid, err = writeTable(b, named(notRenewedTable, suffix), l.NotPaid, see); err != nil {
		return err
	}
	l.takenBack, err = writeTable(b, named(takenBackTable, suffix), l.TakenBack, nil)
	return err
}

// zeroed is an amount of the book: zero where nothing was added up.
func (l *renewalListed) zeroed(m market.Money) market.Money {
	if m.Currency == "" && m.IsZero() {
		m.Currency = l.Currency
	}
	return m
}

// with is how many rows of the list of a currency have an outcome, live.
func (l *renewalListed) with(outcome string) formula {
	return countIf(l.notPaid, notRenewedOutcomeColumn, wordOf(renewalOutcomes, outcome), l.outcomes[outcome])
}

// together adds up, live, what each currency has a count of.
func (a *renewal) together(of func(l *renewalListed) formula) formula {
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

// inState is how many subscriptions came into a state, live.
func (a *renewal) inState(state string) formula {
	return countIf(a.lapsing, lapsingStateColumn, wordOf(lifeStates, state), a.states[state])
}

// control says what must tie: lists to tables, tables to the journals.
func (a *renewal) control() *control {
	n := a.Counts
	c := &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{
		{label{"续费决定 = 已续费", "Decided to renew = renewed"}, n.Decided["renew"], a.together(func(l *renewalListed) formula { return l.renewed.count() })},
		{label{"重试决定 = 未续费名单", "Decided to retry = not renewed"}, n.Decided["retry"], a.together(func(l *renewalListed) formula { return l.with("retry") })},
		{label{"进入宽限期", "In grace: rows"}, n.Lapsed, a.inState("lapse")},
		{label{"冻结", "Frozen: rows"}, n.Frozen, a.inState("freeze")},
		{label{"释放", "Released: rows"}, n.Released, a.inState("release")},
		{label{"恢复使用", "Runs again: rows"}, n.Running, a.inState("wait")},
		{label{"手工续费：行数", "By hand: rows"}, n.ByHand, a.byHand.count()},
		{label{"策略变更：行数", "Policies: rows"}, n.Wishes, a.wishes.count()},
		{label{"通知：行数", "Notices: rows"}, n.Notices, a.notices.count()},
		{label{"接口消息：行数", "Calls: rows"}, n.Calls, a.calls.count()},
		{label{"搁置：行数", "Parked: rows"}, n.Parked, a.parkeds.count()},
	}}
	for _, l := range a.books {
		c.ties = append(c.ties, l.ties(len(a.books) > 1)...)
	}
	return c
}

// ties are those of one currency, which is named where there are several.
func (l *renewalListed) ties(several bool) []tie {
	n := l.Counts
	lines := []tie{
		{label{"续费：扣费笔数", "Renewed: deductions"}, n.Deductions, l.renewed.count()},
		{label{"续费：周期数", "Renewed: terms"}, n.Terms, l.renewed.count()},
		{label{"续费：价格", "Renewed: price"}, n.Price, l.renewed.amount(renewedPriceColumn, l.Currency)},
		{label{"续费：折扣额", "Renewed: discounted"}, n.Discounted, l.renewed.amount(renewedDiscountedColumn, l.Currency)},
		{label{"续费：舍去", "Renewed: dropped"}, n.Dropped, l.renewed.amount(renewedDroppedColumn, l.Currency)},
		{label{"续费：应付", "Renewed: due"}, n.Due, l.renewed.amount(renewedDueColumn, l.Currency)},
		{label{"日记账：买家付出 = 应付", "Journals: from buyers = due"}, n.Taken, l.renewed.amount(renewedDueColumn, l.Currency)},
		{label{"日记账：舍去 = 名单", "Journals: dropped = renewed"}, n.LetGo, l.renewed.amount(renewedDroppedColumn, l.Currency)},
		{label{"未续费：余额不足", "Not renewed: short of money"}, n.Tried, l.with("retry")},
		{label{"未续费：待人工", "Not renewed: held"}, n.Held, l.with("hold")},
		{label{"未续费：停止重试", "Not renewed: given up"}, n.Given, l.with("cancel")},
		{label{"未续费：价格", "Not renewed: price"}, n.Open, l.notPaid.amount(notRenewedPriceColumn, l.Currency)},
		{label{"未续费：差额", "Not renewed: short by"}, n.Short, l.notPaid.amount(notRenewedShortColumn, l.Currency)},
		{label{"退续费：行数", "Taken back: rows"}, n.TakenBack, l.takenBack.count()},
		{label{"日记账：退续费 = 决定", "Journals: given back = decided"}, n.GaveBack, l.zeroed(n.Back)},
	}
	for i := range lines {
		t := &lines[i]
		if m, money := t.database.(market.Money); money {
			t.database = l.zeroed(m)
		}
		if several {
			t.label = label{t.chinese + "（" + string(l.Currency) + "）", fmt.Sprintf("%s (%s)", t.english, l.Currency)}
		}
	}
	return lines
}

// writeSummary writes the page that people look at first.
func (a *renewal) writeSummary(c *control) error {
	s, err := a.book.open(page{
		name: summaryTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{34, 16, 22, 18, 24, 34},
	})
	if err != nil {
		return err
	}
	steps := []func(*sheet) error{
		func(s *sheet) error { return s.head(c, runFacts(a.Site, a.On, a.AsOf, a.Build, a.Schema)) },
		a.results,
	}
	for _, l := range a.books {
		steps = append(steps, l.amounts)
	}
	steps = append(steps, func(s *sheet) error { return s.rulesUsed(a.Policies) }, a.howToRead, (*sheet).close)
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

// renewalLine is a line of what the run came to.
type renewalLine struct {
	name    label
	decided any
	list    listed
	rows    any
	meaning label
}

func (a *renewal) lines() []renewalLine {
	of := func(word string) int64 { return a.Counts.Decided[word] }
	first := a.books[0]
	lines := []renewalLine{
		{label{"续费", "Renewed"}, of("renew"), first.renewed, a.together(func(l *renewalListed) formula { return l.renewed.count() }), label{"全额支付，续期一次", "paid in full, one term more"}},
		{label{"余额不足", "Short of money"}, of("retry"), first.notPaid, a.together(func(l *renewalListed) formula { return l.with("retry") }), label{"未扣款，次日再试", "nothing deducted, tried again the next night"}},
		{label{"待人工", "Held"}, of("hold"), first.notPaid, a.together(func(l *renewalListed) formula { return l.with("hold") }), label{"如无价格；名单只列新结论", "without a price, say; listed where that is new"}},
		{label{"停止重试", "Given up"}, of("cancel"), first.notPaid, a.together(func(l *renewalListed) formula { return l.with("cancel") }), label{"不再尝试", "not tried any more"}},
	}
	for _, state := range []string{"lapse", "freeze", "release", "wait"} {
		name := lifeStates[state]
		var decided any
		if state != "wait" { // which the rules of renewals answer as well
			decided = of(state)
		}
		lines = append(lines, renewalLine{name, decided, a.lapsing, a.inState(state), label{"本次进入此状态", "came to it in this run"}})
	}
	lines = append(lines,
		renewalLine{label{"退续费", "Taken back"}, of("taken back: refund") + of("taken back: refuse"), first.takenBack, a.together(func(l *renewalListed) formula { return l.takenBack.count() }), label{"续费未生效前退订", "before the renewed term began"}},
		renewalLine{label{"策略变更", "Policies"}, of("policy change") + of("policy refuse"), a.wishes, a.wishes.count(), label{"买家修改到期策略", "what buyers want at the end of a term"}},
		renewalLine{label{"手工续费", "By hand"}, nil, a.byHand, a.byHand.count(), label{"在站外支付", "paid outside"}},
		renewalLine{label{"通知", "Notices"}, nil, a.notices, a.notices.count(), label{"每件事只通知一次", "each once"}},
		renewalLine{label{"接口消息", "Calls"}, nil, a.calls, a.calls.count(), label{"待发给卖家接口", "for the interfaces of sellers"}},
		renewalLine{label{"搁置", "Parked"}, a.Counts.Parked, a.parkeds, a.parkeds.count(), label{"数据有问题，修正后重新排队", "could not be settled: fix, then requeue"}})
	return lines
}

// results says what the run decided, and where that is listed.
func (a *renewal) results(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"本次运行的结果", "What the run decided"}.String()),
		s.across(headingHeight, heading, []styled{
			{label{"结论", "Outcome"}.stacked(), heading},
			{label{"本次决定", "Decided"}.stacked(), headingRight},
			{label{"名单", "List"}.stacked(), heading},
			{label{"名单行数", "In the list"}.stacked(), headingRight},
		}, label{"含义", "What it means"}.stacked()),
		s.across(18, words, []styled{{label{"已查看的买家", "Buyers looked at"}.String(), words}, {a.Counts.Buyers, plain}, {nil, words}, {nil, plain}},
			label{"有事可做的买家", "with something to do"}.String()))
	for _, line := range a.lines() {
		err = errors.Join(err, s.across(18, words, []styled{
			{line.name.String(), words}, {line.decided, plain}, {toTab(line.list), linked}, {line.rows, plain},
		}, line.meaning.String()))
	}
	return err
}

// amounts adds the money of a currency up.
func (l *renewalListed) amounts(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"金额 · " + string(l.Currency), "Amounts"}.String()),
		headings(s, label{"项目", "What"}, label{"笔数", "Rows"}, label{"价格", "Price"}, label{"折扣额", "Discounted"}, label{"应付", "Due"}, label{"差额", "Short by"}),
		s.line(18, styled{label{"已续费", "Renewed"}.String(), words}, styled{l.renewed.count(), plain}, styled{l.renewed.amount(renewedPriceColumn, l.Currency), plain},
			styled{l.renewed.amount(renewedDiscountedColumn, l.Currency), plain}, styled{l.renewed.amount(renewedDueColumn, l.Currency), plain}, styled{nil, plain}))
	for _, outcome := range slices.Sorted(maps.Keys(renewalOutcomes)) {
		price, short := sum{}, sum{}
		if l.outcomePrice[outcome] != nil {
			price, short = *l.outcomePrice[outcome], *l.outcomeShort[outcome]
		}
		name := wordOf(renewalOutcomes, outcome)
		err = errors.Join(err, s.line(18, styled{name, words}, styled{l.with(outcome), plain}, styled{l.sumIf(price, notRenewedPriceColumn, name), plain},
			styled{nil, plain}, styled{nil, plain}, styled{l.sumIf(short, notRenewedShortColumn, name), plain}))
	}
	return errors.Join(err, s.line(18, styled{label{"退续费", "Taken back"}.String(), words}, styled{l.takenBack.count(), plain}, styled{nil, plain}, styled{nil, plain},
		styled{l.takenBack.amount(takenBackAmountColumn, l.Currency), plain}, styled{nil, plain}))
}

// sumIf is the live total of a column over the rows with an outcome.
func (l *renewalListed) sumIf(s sum, column int, word string) any {
	if s.amount.Currency == "" {
		s.amount.Currency, s.places = l.Currency, l.Currency.Places()
	}
	return s.formula("%s", l.notPaid.every(func(p stretch) string {
		return "SUMIFS(" + p.ref(column) + "," + p.ref(notRenewedOutcomeColumn) + "," + literal(word) + ")"
	}))
}

func (a *renewal) howToRead(s *sheet) error {
	at := a.AsOf.In(a.book.zone).Format(time.DateTime)
	return s.howToRead([]label{
		{"续费要么全额支付，要么分文不扣；价格与折扣由首次尝试确定，其后只付款。", "A renewal is paid in full or not at all. Its first attempt fixes price and discount; later ones only pay."},
		{"续期从原到期时刻算起，无论何时支付。", "A new term begins at the end of the old one, however late it is paid."},
		{"“到期与释放”的时间是状态变化的时刻，不是程序运行的时刻（" + at + "）。", "Lapsing shows since when a state holds, not the time of the run."},
		{"接口消息与事件在同一事务中写入，只有一条；发送由另一程序负责。", "A call is kept with its event, once; sending it is another's work."},
		{"合计都是公式；对账页把名单与日记账逐项核对。同一次运行再次生成的文件逐字节相同。", "Totals are formulas; the control sheet ties the lists to the journals. The same run always gives the same file."},
	})
}
