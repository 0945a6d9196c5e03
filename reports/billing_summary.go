package reports

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// writeSummary writes the page that people look at first.
func (a *billing) writeSummary(c *control) error {
	s, err := a.book.open(page{
		name: summaryTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{30, 14, 22, 18, 20, 20, 18, 14},
	})
	if err != nil {
		return err
	}
	steps := []func(*sheet) error{
		func(s *sheet) error { return s.head(c, runFacts(a.Site, a.On, a.AsOf, a.Build, a.Schema)) },
		a.results,
	}
	for _, l := range a.books {
		steps = append(steps, l.amounts, l.whoPaid)
	}
	steps = append(steps, func(s *sheet) error { return s.rulesUsed(a.Policies) }, a.howToRead, (*sheet).close)
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

// came is a line of what the run came to, and the list that shows it.
type came struct {
	name    label
	decided any
	list    func(l *listedBook) listed // of each currency
	one     *listed                    // or of all
	meaning label
}

func (a *billing) came() []came {
	of := func(word string) int64 { return a.Counts.Decided[word] }
	lines := []came{
		{name: label{"已查看的买家", "Buyers looked at"}, decided: a.Counts.Buyers, meaning: label{"有事可结的买家", "with something to settle"}},
		{name: label{"扣费", "Deduct"}, decided: of(deducted), list: func(l *listedBook) listed { return l.deductions }, meaning: label{"订单、用量与已定价的费用", "orders, use and priced charges"}},
		{name: label{"自动续购", "Repurchase"}, decided: of(repurchase), list: func(l *listedBook) listed { return l.deductions }, meaning: label{"资源包余量不足，再次购买", "packages bought again, in the same list"}},
		{name: label{"退款", "Refund"}, decided: of(refund), list: func(l *listedBook) listed { return l.refunds }, meaning: label{"按原付款来源退回，后付的先退", "back to the sources that paid, the last first"}},
		{name: label{"拒绝退款", "Refuse"}, decided: of(refuse), list: func(l *listedBook) listed { return l.refunds }, meaning: label{"规则不允许退款", "the rules do not allow the refund"}},
		{name: label{"撤回退货", "Withdraw"}, decided: of(withdraw), list: func(l *listedBook) listed { return l.refunds }, meaning: label{"逾期未填写退货物流，视为撤回", "it was not sent back in time and counts as withdrawn"}},
		{name: label{"拒付", "Reject"}, decided: of("reject"), list: func(l *listedBook) listed { return l.notPaid }, meaning: label{"余额不足或不可付，可手工再付", "short of money or forbidden; paid by hand"}},
		{name: label{"取消", "Cancel"}, decided: of(cancelled), list: func(l *listedBook) listed { return l.notPaid }, meaning: label{"逾期未付，订单取消", "not paid in time"}},
		{name: label{"等待", "Wait"}, decided: of(market.Wait), list: func(l *listedBook) listed { return l.notPaid }, meaning: label{"尚无人付款", "nobody has asked to pay yet"}},
		{name: label{"月结账单", "Bill"}, decided: of("bill"), list: func(l *listedBook) listed { return l.months }, meaning: label{"月末未还的月结款项", "owed on account when the month had ended"}},
		{name: label{"部分欠款的扣费", "Left owed"}, decided: of("arrears"), list: func(l *listedBook) listed { return l.arrears }, meaning: label{"用量扣费，资金不足的部分转欠款", "use that money did not cover"}},
	}
	shown := []string{deducted, repurchase, refund, refuse, withdraw, "reject", cancelled, market.Wait, "bill", "arrears"}
	for _, state := range []string{"grace", "freeze", "release", "clear"} {
		word := "arrears " + state
		shown = append(shown, word)
		lines = append(lines, came{name: label{"欠款：" + arrearsStates[state].chinese, "Arrears: " + arrearsStates[state].english}, decided: of(word),
			list: func(l *listedBook) listed { return l.arrears }, meaning: label{"本次进入此状态的买家", "buyers who came to it in this run"}})
	}
	var others []string
	for word := range a.Counts.Decided {
		if !slices.Contains(shown, word) {
			others = append(others, word)
		}
	}
	slices.Sort(others)
	for _, word := range others {
		lines = append(lines, came{name: label{word, ""}, decided: of(word)})
	}
	return append(lines,
		came{name: label{"已判定的用量记录", "Use records judged"}, decided: a.Counts.Judged, meaning: label{"每条记录只判定一次", "each record once"}},
		came{name: label{"用量错误", "Use in error"}, decided: a.Counts.Errors, one: &a.errors, meaning: label{"不计费，须卖家更正后重报", "not billed: the seller reports it anew"}},
		came{name: label{"搁置", "Parked"}, decided: a.Counts.Parked, one: &a.parked, meaning: label{"数据有问题，修正后重新排队", "could not be settled: fix, then requeue"}})
}

// results says what the run decided, and where that is listed.
func (a *billing) results(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"本次运行的结果", "What the run decided"}.String()),
		s.across(headingHeight, heading, []styled{
			{label{"结论", "Outcome"}.stacked(), heading},
			{label{"本次决定", "Decided"}.stacked(), headingRight},
			{label{"名单", "List"}.stacked(), heading},
			{label{"名单行数", "In the list"}.stacked(), headingRight},
		}, label{"含义", "What it means"}.stacked()),
	)
	for _, line := range a.came() {
		var to, rows any
		switch {
		case line.one != nil:
			to, rows = toTab(*line.one), line.one.count()
		case line.list != nil:
			to = toTab(line.list(a.books[0]))
			rows = a.together(func(l *listedBook) formula { return line.list(l).count() })
		}
		err = errors.Join(err, s.across(18, words, []styled{
			{line.name.String(), words}, {line.decided, plain}, {to, linked}, {rows, plain},
		}, line.meaning.String()))
	}
	return err
}

// toTab leads to a list.
func toTab(l listed) link {
	tab := l.parts[0].sheet
	return link{tab, "#" + quoted(tab) + "!A1"}
}

// deductionKinds are the kinds of deductions in the order of the summary.
var deductionKinds = []struct {
	word string
	name label
}{
	{market.DeductedOrder, label{"订单", "orders"}},
	{market.DeductedUsage, label{"用量", "use"}},
	{market.DeductedCharge, label{"已定价费用", "priced charges"}},
	{market.DeductedPack, label{"续购资源包", "packages bought again"}},
	{"renewal", label{"续费", "renewals"}},
}

// amounts adds the deductions of a currency up by kind.
func (l *listedBook) amounts(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"扣费金额 · " + string(l.Currency), "What was charged"}.String()),
		headings(s, label{"种类", "Kind"}, label{"笔数", "Deductions"}, label{"价格", "Price"}, label{"折扣额", "Discounted"},
			label{"舍去", "Dropped"}, label{"应付", "Due"}, label{"其中欠款", "Of it owed"}))
	for _, k := range deductionKinds {
		t := l.kinds[k.word]
		if t == nil {
			t = &kindTotals{}
		}
		line := []styled{{k.name.String(), words}, {countIf(l.deductions, kindColumn, k.word, t.rows), plain}}
		for _, c := range []struct {
			sum    sum
			column int
		}{{t.price, priceColumn}, {t.discounted, discountedColumn}, {t.dropped, droppedColumn}, {t.due, dueColumn}, {t.owed, leftOwedColumn}} {
			line = append(line, styled{l.sumIf(l.deductions, c.sum, c.column, kindColumn, k.word), plain})
		}
		err = errors.Join(err, s.line(18, line...))
	}
	sums := []styled{{label{"合计", "Total"}.String(), totalWords}, {l.deductions.count(), total}}
	for _, column := range []int{priceColumn, discountedColumn, droppedColumn, dueColumn, leftOwedColumn} {
		sums = append(sums, styled{l.deductions.amount(column, l.Currency), total})
	}
	return errors.Join(err, s.line(20, sums...))
}

// whoPaid adds up what each kind of source paid, and draws it.
func (l *listedBook) whoPaid(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"付款来源 · " + string(l.Currency), "Who paid what is due"}.String()),
		headings(s, label{"来源", "Source"}, label{"笔数", "Deductions"}, label{"金额", "Amount"}))
	first := s.row + 1
	for _, k := range sourceKinds {
		t := l.paid[k.word]
		if t == nil {
			t = &paidTotals{}
		}
		name := k.name.String()
		rows := formula{l.sources.every(func(p stretch) string {
			return "SUMIFS(" + p.ref(sourceRowsColumn) + "," + p.ref(sourceKindColumn) + "," + literal(name) + ")"
		}), t.rows}
		err = errors.Join(err, s.line(18, styled{name, words}, styled{rows, plain},
			styled{l.sumIf(l.sources, t.amount, sourceAmountColumn, sourceKindColumn, name), plain}))
	}
	last := s.row
	err = errors.Join(err, s.line(20, styled{label{"合计", "Total"}.String(), totalWords}, styled{nil, total},
		styled{l.sources.amount(sourceAmountColumn, l.Currency), total}), l.draw(s, first, last))
	s.skip(1)
	return err
}

// draw puts the chart beside the table.
func (l *listedBook) draw(s *sheet, first, last int) error {
	small := excelize.Font{Size: 9, Color: grey, Family: fontName}
	gap := uint(50)
	return s.book.file.AddChart(summaryTab, "D"+strconv.Itoa(first-1), &excelize.Chart{
		Type: excelize.Bar,
		Series: []excelize.ChartSeries{{
			Name:       fmt.Sprintf("%s!$C$%d", summaryTab, first-1),
			Categories: fmt.Sprintf("%s!$A$%d:$A$%d", summaryTab, first, last),
			Values:     fmt.Sprintf("%s!$C$%d:$C$%d", summaryTab, first, last),
			Fill:       fill("2F6DB5"),
		}},
		GapWidth: &gap,
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{
			Text: label{"各来源支付的应付金额", "Due by kind of source"}.String() + ", " + string(l.Currency), Font: &excelize.Font{Size: 11, Bold: true, Color: navy, Family: fontName},
		}}},
		Legend:    excelize.ChartLegend{Position: "none"},
		XAxis:     excelize.ChartAxis{Font: small, ReverseOrder: true},
		YAxis:     excelize.ChartAxis{Font: small, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		Dimension: excelize.ChartDimension{Width: 700, Height: 9 * 20}, // the library takes every row for 20 pixels
		Format:    excelize.GraphicOptions{OffsetX: 12},
		Border:    excelize.LineOptions{Type: excelize.LineNone},
	})
}

func (a *billing) howToRead(s *sheet) error {
	at := a.AsOf.In(a.book.zone).Format(time.DateTime)
	return s.howToRead([]label{
		{"价格 = 折扣额 + 应付 + 舍去；舍去为负表示进位多收。", "Price = discounted + due + dropped; below zero, dropped was added by rounding up."},
		{"应付由付款来源逐一支付，合计等于应付；应付为负时退还买家余额，没有来源。", "The sources add up to what is due; what is due below zero goes back to the buyer's cash and has no source."},
		{"代金券由发出它的卖家承担，付款退回该卖家，不计入其收入。", "A seller's own voucher goes back to that seller and so lowers what the seller gets."},
		{"“扣费时间”是业务发生的时刻，不是程序运行的时刻。", "“Deducted at” is the instant of the event, not the time of the run."},
		{"拒付与等待每夜都计数；“未付订单”只列本次有新结论的订单。", "Rejected and waiting orders are counted every night; Not paid lists those about which something new was decided."},
		{"“欠款”名单列出 " + at + " 时所有仍有用量欠款或月结账单逾期的买家。", "Arrears lists everybody who owed for use, or had a bill of the month overdue, at the as-of, whenever that began."},
		{"“月度取整分摊”列出月末合计按最大余额法分到每笔的金额；余额相同时先扣费者先得。", "Month lines shows what each deduction of a month got of its rounded total, by largest remainder; of equal ones the first deducted comes first."},
		{"不同币种从不相加，各有自己的名单和合计。", "Currencies are never added to each other: each has lists and totals of its own."},
		{"合计都是公式；对账页把名单与日记账逐项核对。同一次运行再次生成的文件逐字节相同。", "Totals are formulas; the control sheet ties the lists to the journals. The same run always gives the same file."},
	})
}
