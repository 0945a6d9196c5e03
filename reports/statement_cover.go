package reports

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// writeCover writes the page that the seller looks at first.
func (a *statement) writeCover(c *control) error {
	s, err := a.book.open(page{
		name: statementTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{36, 11, 21, 18, 18, 50},
	})
	if err != nil {
		return err
	}
	for _, step := range []func(*sheet) error{
		func(s *sheet) error { return s.head(c, a.facts()) },
		a.fromSalesToPayout, a.byProduct, a.whatWaits, a.steps,
		func(s *sheet) error { return s.rulesUsed(a.Policies) },
		a.howToRead, (*sheet).close,
	} {
		if err := step(s); err != nil {
			return fmt.Errorf("write the cover: %w", err)
		}
	}
	return nil
}

func (a *statement) facts() []told {
	seller := a.Seller
	if a.SellerName != "" {
		seller += " · " + a.SellerName
	}
	version := strconv.Itoa(a.Version)
	if a.Because != "" {
		version += " · " + a.Because
	}
	return []told{
		{label{"卖家", "Seller"}, seller},
		{label{"站点与币种", "Site and currency"}, a.Site + ", " + string(a.Currency)},
		{label{"账期", "Period"}, a.Period.String() + " · " + a.Period.From.String() + " – " + a.Period.Last().String()},
		{label{"版本", "Version"}, version},
		{label{"出账日", "Bill day"}, a.BillDay},
		{label{"评估时刻", "As of"}, a.AsOf},
		{label{"时区", "Time zone"}, nil}, // the workbook's own
		{label{"程序与库结构", "Build and schema"}, a.Build + ", " + strconv.Itoa(a.Schema)},
		{label{"日记账", "Journals"}, a.Journal.Keys},
	}
}

// sold is a line of the way from sales to payout.
type sold struct {
	name    label
	rows    any
	amount  any
	list    listed
	meaning label
	total   bool
}

// fromSalesToPayout is the sum that the seller checks, line by line; its totals
// are formulas over the lines above them.
func (a *statement) fromSalesToPayout(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"从销售到应付 · " + string(a.Currency), "From sales to payout"}.String()),
		s.across(headingHeight, heading, []styled{
			{label{"项目", "Item"}.stacked(), heading},
			{label{"行数", "Lines"}.stacked(), headingRight},
			{label{"金额", "Amount"}.stacked(), headingRight},
			{label{"名单", "List"}.stacked(), heading},
		}, label{"含义", "What it means"}.stacked()))
	first := s.row + 1
	at := func(n int) string { return "C" + strconv.Itoa(first+n) }
	parts := []any{a.total(lineBillableColumn), negated(a.total(lineFeeColumn)), negated(a.total(lineWithheldColumn, lineWHTColumn, lineDSTColumn)), negated(a.total(lineOperatingColumn))}
	more := []any{a.adjusted(market.EarnedAdjustment, market.EarnedOpening), a.adjusted(market.EarnedCarried)}
	settled := addedUp(a.zero(), parts...)
	left := addedUp(settled, more...)
	payout, carried := left, a.zero()
	if left.Amount.Sign() < 0 {
		payout, carried = a.zero(), left
	}
	live := allLive(append(parts, more...)...)
	sum := func(expression string, m market.Money) any {
		if !live {
			return m
		}
		return sumOf(m).formula("%s", expression)
	}
	for _, line := range []sold{
		{name: label{"可结算额", "Billable"}, rows: a.lines.count(), amount: parts[0], list: a.lines, meaning: label{"本期入账的订单、续费、用量与退款", "what entered this bill: orders, renewals, use, refunds"}},
		{name: label{"减：平台费", "Less platform fee"}, amount: parts[1], list: a.groups, meaning: label{"按费率表与阶梯表", "by the fee table and the tiers"}},
		{name: label{"减：税", "Less taxes"}, amount: parts[2], list: a.lines, meaning: label{"客户代扣、预提税、数字服务税", "withheld by customers, WHT, DST"}},
		{name: label{"减：运营管理费", "Less operating fee"}, amount: parts[3], list: a.lines, meaning: label{"仅部分项目收取", "some projects have one"}},
		{name: label{"结算额", "Settled"}, amount: sum("SUM("+at(0)+":"+at(3)+")", settled), meaning: label{"明细金额逐行取整后的合计", "the sum of lines, each rounded"}, total: true},
		{name: label{"调整与期初", "Adjustments and opening"}, amount: more[0], list: a.adjustments, meaning: label{"争议确认后的差额", "agreed after disputes, or open at the cutover"}},
		{name: label{"上期结转", "Carried in"}, amount: more[1], list: a.adjustments, meaning: label{"上期为负的余额", "what the period before came to below zero"}},
		{name: label{"本期应付", "Payout"}, amount: sum("MAX(0,SUM("+at(4)+":"+at(6)+"))", payout), meaning: label{"付给卖家的金额", "what is paid to the seller"}, total: true},
		{name: label{"结转下期", "Carried on"}, amount: sum("MIN(0,SUM("+at(4)+":"+at(6)+"))", carried), meaning: label{"为负时不付款，结转下期", "below zero nothing is paid, it is carried on"}, total: true},
	} {
		err = errors.Join(err, line.write(s))
	}
	return err
}

func (line sold) write(s *sheet) error {
	words, figures, height := words, plain, 18.0
	if line.total {
		words, figures, height = totalWords, total, 20
	}
	var to any
	leads := words
	if line.list.parts != nil {
		to, leads = toTab(line.list), linked
	}
	return s.across(height, words, []styled{{line.name.String(), words}, {line.rows, figures}, {line.amount, figures}, {to, leads}}, line.meaning.String())
}

// addedUp adds what cells hold.
func addedUp(m market.Money, cells ...any) market.Money {
	for _, v := range cells {
		m.Amount = m.Amount.Add(value(v).(market.Money).Amount)
	}
	return m
}

// allLive tells whether a spreadsheet can compute with all the cells.
func allLive(cells ...any) bool {
	for _, v := range cells {
		if _, live := v.(formula); !live {
			return false
		}
	}
	return true
}

// sumOf is a total that stands by itself.
func sumOf(m market.Money) sum { return sum{amount: m, places: m.Currency.Places()} }

// negated is a figure with its sign turned, live if it was.
func negated(v any) any {
	if f, live := v.(formula); live {
		return formula{"-" + f.expression, f.value.(market.Money).Neg()}
	}
	return v.(market.Money).Neg()
}

// mostProducts are drawn; the others are one bar.
const mostProducts = 8

// byProduct adds up the largest products, and draws them.
func (a *statement) byProduct(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"按商品 · " + string(a.Currency), "By product"}.String()),
		headings(s, label{"商品", "Product"}, label{"行数", "Lines"}, label{"结算额", "Settled"}))
	first := s.row + 1
	products := a.products()
	shown := min(len(products), mostProducts)
	others := int64(0)
	rest := sum{amount: a.zero(), places: a.Currency.Places()}
	for i, p := range products {
		if i >= shown {
			others += p.rows
			err = errors.Join(err, rest.join(p.amount))
			continue
		}
		err = errors.Join(err, s.line(18, styled{cmp.Or(p.name, nothing), words},
			styled{formula{a.lines.every(func(at stretch) string { return "SUMPRODUCT(" + at.exactly(lineProductColumn, p.name) + ")" }), p.rows}, plain},
			styled{p.amount.formula("%s", a.lines.every(func(at stretch) string {
				return "SUMPRODUCT(" + at.exactly(lineProductColumn, p.name) + "," + at.ref(lineSettledColumn) + ")"
			})), plain}))
	}
	last := first + shown - 1
	above := func(column string) string { return fmt.Sprintf("-SUM(%s%d:%s%d)", column, first, column, last) }
	if len(products) > shown {
		err = errors.Join(err, s.line(18, styled{label{"其他", fmt.Sprintf("%d others", len(products)-shown)}.String(), words},
			styled{formula{a.lines.each("COUNTA", 0) + above("B"), others}, plain},
			styled{rest.formula("%s", a.lines.each("SUM", lineSettledColumn)+above("C")), plain}))
		last++
	}
	err = errors.Join(err, s.line(20, styled{label{"合计", "Total"}.String(), totalWords}, styled{a.lines.count(), total}, styled{a.total(lineSettledColumn), total}))
	if len(products) == 0 {
		return err
	}
	const chartRows = 11
	err = errors.Join(err, bars(s, first, last, "C", label{"各商品结算额", "Settled by product"}, string(a.Currency), chartRows))
	s.skip(max(0, first+chartRows-2-s.row))
	return err
}

// exactly is one for each row whose column has the text, to the letter, and zero
// for the others: the conditions of SUMIFS know no capitals, and take a text
// that begins with = or has a * for more than a text.
func (p stretch) exactly(column int, text string) string {
	return "--EXACT(" + p.ref(column) + "," + literal(text) + ")"
}

// productTotal adds up the lines of one product.
type productTotal struct {
	name   string
	rows   int64
	amount sum
}

// products are the products of the lines, the largest first.
func (a *statement) products() []*productTotal {
	byName := map[string]*productTotal{}
	var list []*productTotal
	for _, g := range a.feeGroups.list {
		p := byName[g.product]
		if p == nil {
			p = &productTotal{name: g.product}
			byName[g.product] = p
			list = append(list, p)
		}
		p.rows += g.lines
		if err := p.amount.join(g.settled); err != nil {
			panic(err) // a list has one currency, which its own sums have proved
		}
	}
	slices.SortStableFunc(list, func(x, y *productTotal) int {
		return cmp.Or(y.amount.amount.Amount.Cmp(x.amount.amount.Amount), cmp.Compare(x.name, y.name))
	})
	return list
}

// bars draws a column of figures beside its table.
func bars(s *sheet, first, last int, column string, name label, currency string, rows int) error {
	small := excelize.Font{Size: 9, Color: grey, Family: fontName}
	gap := uint(50)
	tab := quoted(s.page.name)
	return s.book.file.AddChart(s.page.name, "D"+strconv.Itoa(first-1), &excelize.Chart{
		Type: excelize.Bar,
		Series: []excelize.ChartSeries{{
			Name:       fmt.Sprintf("%s!$%s$%d", tab, column, first-1),
			Categories: fmt.Sprintf("%s!$A$%d:$A$%d", tab, first, last),
			Values:     fmt.Sprintf("%s!$%s$%d:$%s$%d", tab, column, first, column, last),
			Fill:       fill("2F6DB5"),
		}},
		GapWidth: &gap,
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{
			Text: name.String() + ", " + currency, Font: &excelize.Font{Size: 11, Bold: true, Color: navy, Family: fontName},
		}}},
		Legend:    excelize.ChartLegend{Position: "none"},
		XAxis:     excelize.ChartAxis{Font: small, ReverseOrder: true},
		YAxis:     excelize.ChartAxis{Font: small, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		Dimension: excelize.ChartDimension{Width: 520, Height: uint(rows * 20)}, // the library takes every row for 20 pixels
		Format:    excelize.GraphicOptions{OffsetX: 12},
		Border:    excelize.LineOptions{Type: excelize.LineNone},
	})
}

// whatWaits says what was not settled, condition by condition.
func (a *statement) whatWaits(s *sheet) error {
	s.skip(1)
	return errors.Join(s.across(22, section, nil, label{"待出账原因", "What waits, and for what"}.String()), unmetLines(s, a.waiting, a.unmet, a.Currency))
}

// unmetLines counts what waits by the condition that it lacks.
func unmetLines(s *sheet, waiting listed, totals map[string]*paidTotals, c market.Currency) error {
	err := s.across(headingHeight, heading, []styled{
		{label{"未满足的条件", "Condition not met"}.stacked(), heading},
		{label{"行数", "Lines"}.stacked(), headingRight},
		{label{"金额", "Amount"}.stacked(), headingRight},
		{label{"名单", "List"}.stacked(), heading},
	}, label{"含义", "What it means"}.stacked())
	for i, condition := range conditions {
		t := totals[condition.word]
		if t == nil {
			t = &paidTotals{}
		}
		column := unsettledConditionColumn + i
		amount := t.amount
		if amount.amount.Currency == "" {
			amount = sum{amount: market.NewMoney(market.Decimal{}, c), places: c.Places()}
		}
		err = errors.Join(err, s.across(18, words, []styled{
			{condition.name.String(), words},
			{countIf(waiting, column, unmet, t.rows), plain},
			{amount.formula("%s", waiting.every(func(p stretch) string {
				return "SUMIFS(" + p.ref(unsettledAmountColumn) + "," + p.ref(column) + "," + literal(unmet) + ")"
			})), plain},
			{toTab(waiting), linked},
		}, condition.long.String()))
	}
	return errors.Join(err, s.across(20, totalWords, []styled{
		{label{"待出账合计", "Waiting in all"}.String(), totalWords}, {waiting.count(), total}, {waiting.amount(unsettledAmountColumn, c), total}, {nil, totalWords},
	}, label{"一行可缺多个条件", "a line may lack several conditions"}.String()))
}

// steps says what happens to the statement by when.
func (a *statement) steps(s *sheet) error {
	if len(a.Steps) == 0 {
		return nil
	}
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"后续步骤", "What happens next"}.String()),
		s.across(headingHeight, heading, []styled{{label{"步骤", "Step"}.stacked(), heading}, {label{"最迟", "Until"}.stacked(), headingRight}}, ""))
	for _, step := range a.Steps {
		err = errors.Join(err, s.across(18, words, []styled{{wordOf(statementStates, step.State), words}, {step.Until, plain}}, ""))
	}
	return err
}

// statementStates are the states of a statement, as the step that leads out of
// each.
var statementStates = map[string]label{
	"in_review": {"复核", "review"}, "to_confirm": {"商家确认", "seller confirms"}, "to_countersign": {"会签", "countersign"}, "payable": {"付款", "payment"},
}

func (a *statement) howToRead(s *sheet) error {
	if a.Opening {
		return s.howToRead([]label{
			{"期初结算单列出切换日之前尚未结清的款项；应付部分照常付款，为负则结转下期。", "An opening statement holds what was open at the cutover. It is paid like any other; below zero it is carried on."},
			{"各笔款项及其原账期见“Adjustments”页；合计都是公式，“Control”页与日记账逐项核对。", "Adjustments lists each amount and the period it is of; totals are formulas, Control ties them to the journals."},
			{"如有异议，请提交工单；确认的差额作为调整行计入下一账期，本结算单不会改动。", "Dispute by ticket: what is agreed is an adjustment of the next period, this statement never changes."},
		})
	}
	return s.howToRead([]label{
		{"结算额 = 可结算额 − 平台费 − 税 − 运营管理费，逐行取整到分；合计是取整后各行之和。", "Settled = billable − platform fee − taxes − operating fee, each line rounded to the cent; totals are sums of rounded lines."},
		{"“入账时间”决定账期：开通、监管完成、续费生效、使用或退款的时刻，而不是付款时间。", "“Decided at” decides the period: when it was provisioned, accepted, effective, used or refunded, not when it was paid."},
		{"费率组 F1、F2…… 在“Fees and tiers”页列出所用的费率表、规则与当月实付总额。", "Groups F1, F2 … on Fees and tiers name the table and the rule used, and the month's total that the tier was found by."},
		{"退款按原行比例冲销，计入退款所在账期。", "A refund takes its line back by the share of that line, in the period of the refund."},
		{"“Waiting”页的 ✓ 与 ✗ 是五个出账条件；“预计满足”是可由日期推算时的时间。", "On Waiting, ✓ and ✗ are the conditions of settling; “will be met” is given where a date decides."},
		{"如有异议，请提交工单；确认的差额作为调整行计入下一账期，本结算单不会改动。", "Dispute by ticket: what is agreed is an adjustment of the next period, this statement never changes."},
		{"合计都是公式；“Control”页把明细、结算单与日记账逐项核对。再次生成的文件逐字节相同。", "Totals are formulas; Control ties lines, statement and journals. Written again, the file is the same byte by byte."},
	})
}
