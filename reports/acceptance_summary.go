package reports

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// writeSummary writes the page that people look at first.
func (a *acceptance) writeSummary(c *control) error {
	s, err := a.book.open(page{
		name: summaryTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{26, 14, 14, 18, 14, 14, 14, 14, 14, 14},
	})
	if err != nil {
		return err
	}
	steps := []func(*sheet) error{
		func(s *sheet) error { return a.head(s, c) },
		a.results, a.waitingByAge, a.waitingChart, func(s *sheet) error { return s.rulesUsed(a.Policies) }, a.howToRead, (*sheet).close,
	}
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

func (a *acceptance) head(s *sheet, c *control) error {
	return s.head(c, runFacts(a.Site, a.On, a.AsOf, a.Build, a.Schema))
}

// results says what the run decided, and where that is listed.
func (a *acceptance) results(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"本次运行的结果", "What the run decided"}.String()),
		s.across(headingHeight, heading, []styled{
			{label{"结论", "Outcome"}.stacked(), heading},
			{label{"本次决定", "Decided"}.stacked(), headingRight},
			{label{"名单行数", "In the list"}.stacked(), headingRight},
			{label{"名单金额", "Amount"}.stacked(), headingRight},
			{label{"名单", "List"}.stacked(), heading},
		}, label{"含义", "What it means"}.stacked()),
	)
	first := s.row + 1
	for _, o := range a.outcomes() {
		err = errors.Join(err, a.result(s, o, a.Counts.Decided[o.word]))
	}
	err = errors.Join(err, a.result(s, outcome{
		name: label{"搁置", "Parked"}, meaning: label{"数据有问题，修正后重新排队", "could not be decided: fix, then requeue"}, list: &a.parked,
	}, a.Counts.Parked))
	var sum int64
	for _, n := range a.Counts.Decided {
		sum += n
	}
	a.dueCell = fmt.Sprintf("%s!$B$%d", summaryTab, s.row+1)
	return errors.Join(err, s.across(20, total, []styled{
		{label{"到期", "Due"}.String(), totalWords},
		{formula{fmt.Sprintf("SUM(B%d:B%d)", first, s.row), sum + a.Counts.Parked}, total},
		{nil, total}, {nil, total}, {nil, total},
	}, nil))
}

func (a *acceptance) result(s *sheet, o outcome, decided int64) error {
	var rows, amount, to any
	if o.list != nil {
		rows = o.list.count()
		tab := o.list.parts[0].sheet
		to = link{tab, "#" + quoted(tab) + "!A1"}
		if o.money {
			amount = o.list.amount(amountColumn, a.Currency)
		}
	}
	return s.across(18, words, []styled{
		{o.name.String(), words}, {decided, plain}, {rows, plain}, {amount, plain}, {to, linked},
	}, o.meaning.String())
}

// waitingByAge counts the waiting list by age and by whom it waits for.
func (a *acceptance) waitingByAge(s *sheet) error {
	s.skip(1)
	err := s.across(22, section, nil, label{"等待中的交付：等谁、等了多久", "Waiting: for whom, and how long"}.String())
	header := []styled{{label{"等待对象", "Waits for"}.stacked(), heading}}
	for age := range together + 1 {
		header = append(header, styled{ageLabel(age), headingRight})
	}
	err = errors.Join(err, s.line(headingHeight, header...))
	first := s.row + 1
	for waiter := range a.ageing.counts {
		name := label{"其他", "other"}.String()
		if waiter < len(a.ageing.waiters) {
			name = person(a.ageing.waiters[waiter])
		}
		line := []styled{{name, words}}
		for age := range together + 1 {
			line = append(line, styled{a.ageing.formula(a.waiting, waiter, age, s.row+1), plain})
		}
		err = errors.Join(err, s.line(18, line...))
	}
	sums := []styled{{label{"合计", "Total"}.String(), totalWords}}
	for age := range together + 1 {
		var n int64
		for _, counts := range a.ageing.counts {
			n += counts[age]
		}
		c := column26(1 + age)
		sums = append(sums, styled{formula{fmt.Sprintf("SUM(%s%d:%s%d)", c, first, c, s.row), n}, total})
	}
	return errors.Join(err, s.line(20, sums...))
}

// chartRows is how many rows of the page the chart covers.
const chartRows = 17

// waitingChart draws the table above it.
func (a *acceptance) waitingChart(s *sheet) error {
	last := s.row - 1 // without the total
	first := last - len(a.ageing.counts) + 1
	from, to := column26(1), column26(1+noAge)
	span := func(row int) string {
		return fmt.Sprintf("%s!$%s$%d:$%s$%d", summaryTab, from, row, to, row)
	}
	colours := []string{"2F6DB5", "E08A2C", "3C9A6B", "8A63B8", "9CA3AF"}
	var series []excelize.ChartSeries
	for i := range a.ageing.counts {
		series = append(series, excelize.ChartSeries{
			Name:       fmt.Sprintf("%s!$A$%d", summaryTab, first+i),
			Categories: span(first - 1), Values: span(first + i), Fill: fill(colours[i%len(colours)]),
		})
	}
	gap := uint(60)
	small := excelize.Font{Size: 9, Color: grey, Family: fontName}
	chart := &excelize.Chart{
		Type: excelize.ColStacked, Series: series, GapWidth: &gap,
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{
			Text: label{"等待天数", "Days waited"}.String(), Font: &excelize.Font{Size: 11, Bold: true, Color: navy, Family: fontName},
		}}},
		Legend:    excelize.ChartLegend{Position: "right", Font: &small},
		XAxis:     excelize.ChartAxis{Font: small},
		YAxis:     excelize.ChartAxis{Font: small, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: countFormat}},
		Dimension: excelize.ChartDimension{Width: 1240, Height: 310},
		Border:    excelize.LineOptions{Type: excelize.LineNone},
	}
	s.skip(1)
	at := "A" + strconv.Itoa(s.row+1)
	s.skip(chartRows)
	return a.book.file.AddChart(summaryTab, at, chart)
}

func (a *acceptance) howToRead(s *sheet) error {
	at := a.AsOf.In(a.book.zone).Format(time.DateTime)
	return s.howToRead([]label{
		{"“视为验收于”是规则条件满足的时刻，不是程序运行的时刻。", "“Accepted as of” is the instant at which the rule was met, not the time of the run."},
		{"“本次决定”只数本次到期的订单；等待和待人工名单列出 " + at + " 时所有未结的订单。", "“Decided” counts what was due this time; Waiting and Held list all that was open at the as-of."},
		{"所有时间均为 " + a.book.zone.String() + "；天数按 24 小时计，不满一天不计。", "All times are in that zone; a day is 24 full hours."},
		{"合计都是公式；筛选后，名单下方的合计只计显示的行。", "Totals are formulas; under a list they add up the rows that its filter shows."},
		{"对账页为绿色，表示每张名单的行数与金额都和数据库一致。", "Green on the control sheet: every list ties to the database in rows and amount."},
		{"同一次运行再次生成的文件逐字节相同。", "The same run always gives the same file, byte by byte."},
	})
}
