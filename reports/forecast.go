package reports

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// ForecastReport is what the workbook of a forecast shows.
type ForecastReport struct {
	Site     string
	Zone     *time.Location
	From, To market.Date // the first and the last night
	AsOf     time.Time   // of the first night; the document is dated with it
	Build    string
	Schema   int
	Policies []PolicyUsed

	Books  []ForecastBook // one a currency, the site's own first
	Parked []ParkedRow
}

// ForecastBook is the forecast of one currency.
type ForecastBook struct {
	Currency market.Currency
	Days     []ForecastDay // every night, in order
	Events   iter.Seq2[ForecastRow, error]
}

// ForecastDay is one night of a forecast.
type ForecastDay struct {
	On                market.Date
	Renewed           int64
	Due               market.Money // of those renewed
	Failed, FailedNew int64        // could not be paid; the first night of them
	Short             market.Money
	Held              int64
	Lapsed            int64
	LapsedCost        market.Money // what their next terms would have cost
	Frozen, Released  int64
}

// ForecastRow is one thing that would happen.
type ForecastRow struct {
	On                           market.Date
	What                         string
	Subscription, Buyer, Product string
	At                           time.Time
	Amount, Short                market.Money
	Rule                         string
}

// Forecast writes the workbook of a forecast. Where its lists do not tie to its
// days the workbook is written all the same, red, and the error is ErrDoesNotTie.
func Forecast(w io.Writer, r ForecastReport) error {
	return publish(w, "forecast", cover{title: label{"续费预测", "Renewal forecast"}, subject: fmt.Sprintf("%s · %s – %s", r.Site, r.From, r.To), zone: r.Zone, currency: r.Books[0].Currency, dated: r.AsOf}, r.write)
}

// forecasted is the lists of one currency after they were written.
type forecasted struct {
	ForecastBook
	suffix       string
	days, events listed
	happened     map[string]int64
	amounts      map[string]*sum
}

func (r ForecastReport) write(b *book) (*control, error) {
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	var books []*forecasted
	for i, of := range r.Books {
		l := &forecasted{ForecastBook: of, happened: map[string]int64{}, amounts: map[string]*sum{}}
		if i > 0 {
			l.suffix = " " + string(of.Currency)
		}
		if err := l.write(b); err != nil {
			return nil, err
		}
		books = append(books, l)
	}
	parked, err := writeTable(b, parkedBuyersTable, inOrder(r.Parked), nil)
	if err != nil {
		return nil, err
	}
	c := &control{verdictCell: quoted(controlTab) + "!$B$4"}
	for _, l := range books {
		c.ties = append(c.ties, l.ties(len(books) > 1)...)
	}
	c.ties = append(c.ties, tie{label{"搁置：行数", "Parked: rows"}, int64(len(r.Parked)), parked.count()})
	if err := r.writeSummary(b, c, books); err != nil {
		return nil, err
	}
	return c, c.writeSheet(b, controlSheet{policies: r.Policies})
}

// inOrder is a list that is held in memory, as one that is streamed.
func inOrder[R any](rows []R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (l *forecasted) write(b *book) (err error) {
	if l.days, err = writeTable(b, named(forecastDaysTable, l.suffix), inOrder(l.Days), nil); err != nil {
		return err
	}
	see := func(row ForecastRow) {
		l.happened[row.What]++
		if l.amounts[row.What] == nil {
			l.amounts[row.What] = &sum{}
		}
		_ = l.amounts[row.What].add(row.Amount) // the list refuses another currency
	}
	l.events, err = writeTable(b, named(forecastTable, l.suffix), l.Events, see)
	return err
}

// Columns of the days that the summary, the control sheet and the chart use.
const (
	dayRenewedColumn  = 1
	dayDueColumn      = 2
	dayFailedColumn   = 3
	dayNewColumn      = 4
	dayShortColumn    = 5
	dayHeldColumn     = 6
	dayLapsedColumn   = 7
	dayCostColumn     = 8
	dayFrozenColumn   = 9
	dayReleasedColumn = 10
)

func dayCount(chinese, english string, width float64, of func(ForecastDay) int64) column[ForecastDay] {
	return counts(chinese, english, width, func(r ForecastDay) (int64, bool) { return of(r), true })
}

var forecastDaysTable = table[ForecastDay]{
	name: "Days", title: label{"逐日预测", "Day by day"}, tab: "2563A8",
	columns: []column[ForecastDay]{
		texts("日期", "Night", 13, func(r ForecastDay) string { return r.On.String() }),
		dayCount("续费", "Renewed", 11, func(r ForecastDay) int64 { return r.Renewed }),
		amounts("应付", "Due", 18, func(r ForecastDay) market.Money { return r.Due }),
		dayCount("余额不足", "Short of money", 15, func(r ForecastDay) int64 { return r.Failed }),
		dayCount("其中首次", "For the first time", 16, func(r ForecastDay) int64 { return r.FailedNew }),
		amounts("差额", "Short by", 18, func(r ForecastDay) market.Money { return r.Short }),
		dayCount("待人工", "Held", 10, func(r ForecastDay) int64 { return r.Held }),
		dayCount("到期", "Lapse", 10, func(r ForecastDay) int64 { return r.Lapsed }),
		amounts("下期价格", "Their next terms", 18, func(r ForecastDay) market.Money { return r.LapsedCost }),
		dayCount("冻结", "Frozen", 10, func(r ForecastDay) int64 { return r.Frozen }),
		dayCount("释放", "Released", 10, func(r ForecastDay) int64 { return r.Released }),
	},
}

var forecastTable = table[ForecastRow]{
	name: "Events", title: label{"预计发生", "What would happen"}, tab: "2E7D4F",
	columns: []column[ForecastRow]{
		texts("日期", "Night", 13, func(r ForecastRow) string { return r.On.String() }),
		texts("订阅", "Subscription", 18, func(r ForecastRow) string { return r.Subscription }),
		texts("买家", "Buyer", 15, func(r ForecastRow) string { return r.Buyer }),
		texts("商品", "Product", 15, func(r ForecastRow) string { return r.Product }),
		texts("事件", "What", 28, func(r ForecastRow) string { return wordOf(forecastWords, r.What) }),
		instants("时间", "At", func(r ForecastRow) time.Time { return r.At }),
		amounts("金额", "Amount", 18, func(r ForecastRow) market.Money { return r.Amount }),
		amounts("差额", "Short by", 18, func(r ForecastRow) market.Money { return r.Short }),
		texts("规则", "Rule", 30, func(r ForecastRow) string { return r.Rule }),
	},
}

var forecastWords = map[string]label{
	"renew":   {"续费", "renewed"},
	"retry":   {"余额不足（首次）", "short of money"},
	"hold":    {"待人工", "held"},
	"cancel":  {"停止重试", "given up"},
	"lapse":   {"到期", "lapses"},
	"freeze":  {"冻结", "frozen"},
	"release": {"释放", "released"},
}

// added is a live total of a column of the days.
func (l *forecasted) added(column int, of func(ForecastDay) int64) formula {
	var n int64
	for _, d := range l.Days {
		n += of(d)
	}
	return formula{l.days.each("SUM", column), n}
}

func (l *forecasted) amountOf(what string) market.Money {
	if s := l.amounts[what]; s != nil && s.amount.Currency != "" {
		return s.amount
	}
	return market.NewMoney(market.Decimal{}, l.Currency)
}

// ties hold the days against the list of events.
func (l *forecasted) ties(several bool) []tie {
	lines := []tie{
		{label{"续费：逐日 = 事件", "Renewed: events = days"}, l.happened["renew"], l.added(dayRenewedColumn, func(d ForecastDay) int64 { return d.Renewed })},
		{label{"续费：应付", "Renewed: due"}, l.amountOf("renew"), l.days.amount(dayDueColumn, l.Currency)},
		{label{"首次余额不足", "Short for the first time"}, l.happened["retry"], l.added(dayNewColumn, func(d ForecastDay) int64 { return d.FailedNew })},
		{label{"到期", "Lapse"}, l.happened["lapse"], l.added(dayLapsedColumn, func(d ForecastDay) int64 { return d.Lapsed })},
		{label{"到期：下期价格", "Lapse: next terms"}, l.amountOf("lapse"), l.days.amount(dayCostColumn, l.Currency)},
		{label{"冻结", "Frozen"}, l.happened["freeze"], l.added(dayFrozenColumn, func(d ForecastDay) int64 { return d.Frozen })},
		{label{"释放", "Released"}, l.happened["release"], l.added(dayReleasedColumn, func(d ForecastDay) int64 { return d.Released })},
	}
	for i := range lines {
		if several {
			t := &lines[i]
			t.label = label{t.chinese + "（" + string(l.Currency) + "）", fmt.Sprintf("%s (%s)", t.english, l.Currency)}
		}
	}
	return lines
}

func (r ForecastReport) writeSummary(b *book, c *control, books []*forecasted) error {
	s, err := b.open(page{
		name: summaryTab, title: b.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{48, 16, 22, 18, 20, 20},
	})
	if err != nil {
		return err
	}
	steps := []func(*sheet) error{func(s *sheet) error {
		return s.head(c, []told{
			{label{"站点", "Site"}, r.Site},
			{label{"首夜", "First night"}, r.From},
			{label{"末夜", "Last night"}, r.To},
			{label{"时区", "Time zone"}, nil},
			{label{"程序与库结构", "Build and schema"}, r.Build + ", " + strconv.Itoa(r.Schema)},
		})
	}}
	for _, l := range books {
		steps = append(steps, l.summary)
	}
	steps = append(steps, func(s *sheet) error { return s.rulesUsed(r.Policies) }, func(s *sheet) error {
		return s.howToRead([]label{
			{"预测以同一程序在副本上逐夜模拟得出，不影响真实运行。", "The same code ran night after night on a copy: nothing real was touched."},
			{"假设今后没有尚未报告的充值、购买或变更。", "It assumes that nobody pays in, buys or changes anything that is not known yet."},
			{"“余额不足”每夜计数；“其中首次”与事件名单只计首次。", "Short of money counts every night; the list of events has each renewal once."},
		})
	}, (*sheet).close)
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

// summary adds a currency up, and draws its days.
func (l *forecasted) summary(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"合计 · " + string(l.Currency), "In all"}.String()),
		headings(s, label{"项目", "What"}, label{"笔数", "Number"}, label{"金额", "Amount"}))
	zero := any(nil)
	for _, line := range []struct {
		name   label
		number formula
		amount any
	}{
		{label{"续费", "Renewed"}, l.added(dayRenewedColumn, func(d ForecastDay) int64 { return d.Renewed }), l.days.amount(dayDueColumn, l.Currency)},
		{label{"首次余额不足", "Short of money, for the first time"}, l.added(dayNewColumn, func(d ForecastDay) int64 { return d.FailedNew }), zero},
		{label{"余额不足（夜次）", "Short of money, night after night"}, l.added(dayFailedColumn, func(d ForecastDay) int64 { return d.Failed }), l.days.amount(dayShortColumn, l.Currency)},
		{label{"待人工", "Held"}, l.added(dayHeldColumn, func(d ForecastDay) int64 { return d.Held }), zero},
		{label{"到期未续", "Lapse"}, l.added(dayLapsedColumn, func(d ForecastDay) int64 { return d.Lapsed }), l.days.amount(dayCostColumn, l.Currency)},
		{label{"冻结", "Frozen"}, l.added(dayFrozenColumn, func(d ForecastDay) int64 { return d.Frozen }), zero},
		{label{"释放", "Released"}, l.added(dayReleasedColumn, func(d ForecastDay) int64 { return d.Released }), zero},
	} {
		err = errors.Join(err, s.line(18, styled{line.name.String(), words}, styled{line.number, plain}, styled{line.amount, plain}))
	}
	s.skip(1)
	at := s.row + 1
	const chartRows = 17
	s.skip(chartRows)
	return errors.Join(err, l.draw(s, at))
}

// labelledDays is about how many days have their date below the chart.
const labelledDays = 12

// draw puts a chart of the days onto the summary, from a row on.
func (l *forecasted) draw(s *sheet, row int) error {
	days := l.days.parts[0]
	small := excelize.Font{Size: 9, Color: grey, Family: fontName}
	gap := uint(30)
	series := func(column int, colour string) excelize.ChartSeries {
		name := column26(column)
		return excelize.ChartSeries{
			Name:       fmt.Sprintf("%s!$%s$1", quoted(days.sheet), name),
			Categories: days.ref(0), Values: days.ref(column), Fill: fill(colour),
		}
	}
	return s.book.file.AddChart(summaryTab, "A"+strconv.Itoa(row), &excelize.Chart{
		Type:     excelize.ColStacked,
		Series:   []excelize.ChartSeries{series(dayDueColumn, "2E7D4F"), series(dayShortColumn, "C2410C"), series(dayCostColumn, "6B7280")},
		GapWidth: &gap,
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{
			Text: label{"逐日：应付、差额、到期未续", "Day by day: due, short by, lapsing"}.String() + ", " + string(l.Currency), Font: &excelize.Font{Size: 11, Bold: true, Color: navy, Family: fontName},
		}}},
		Legend:    excelize.ChartLegend{Position: "bottom"},
		XAxis:     excelize.ChartAxis{Font: small, TickLabelSkip: max(len(l.Days)/labelledDays, 1)},
		YAxis:     excelize.ChartAxis{Font: small, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		Dimension: excelize.ChartDimension{Width: 900, Height: 16 * 20},
		Format:    excelize.GraphicOptions{OffsetX: 12},
		Border:    excelize.LineOptions{Type: excelize.LineNone},
	})
}
