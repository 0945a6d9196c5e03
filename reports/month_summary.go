package reports

import (
	"errors"
	"fmt"
	"strconv"

	"nightshift/rules/market"
)

// listHeadings head a table of names, counts, amounts and where they are listed.
func listHeadings(s *sheet, title, first, second, third label, c market.Currency) error {
	s.skip(1)
	return errors.Join(
		s.across(22, section, nil, label{title.chinese + " · " + string(c), title.english}.String()),
		s.across(headingHeight, heading, []styled{{first.stacked(), heading}, {second.stacked(), headingRight}, {third.stacked(), headingRight}, {label{"名单", "List"}.stacked(), heading}},
			label{"含义", "What it means"}.stacked()))
}

// totalsNow says what the month came to.
func (l *listedMonth) totalsNow(s *sheet) error {
	err := listHeadings(s, label{"本月合计", "The month"}, label{"项目", "Item"}, label{"份数或行数", "How many"}, label{"金额", "Amount"}, l.Currency)
	column := func(i int) any { return l.statements.amount(i, l.Currency) }
	for _, line := range []sold{
		{name: label{"可结算额", "Billable"}, rows: l.statements.count(), amount: column(statementBillableColumn), list: l.statements, meaning: label{"本期入账的交易", "what entered the bills of the period"}},
		{name: label{"平台费", "Platform fee"}, amount: column(statementFeeColumn), list: l.statements, meaning: label{"归平台", "the platform's"}},
		{name: label{"税", "Taxes"}, amount: column(statementTaxesColumn), list: l.statements, meaning: label{"代扣税款", "kept back for tax offices"}},
		{name: label{"运营管理费", "Operating fee"}, amount: column(statementOperatingColumn), list: l.statements, meaning: label{"归平台", "the platform's"}},
		{name: label{"结算额", "Settled"}, rows: l.products.count(), amount: column(statementSettledColumn), list: l.products, meaning: label{"归卖家", "the sellers'"}, total: true},
		{name: label{"调整与期初", "Adjustments and opening"}, amount: column(statementAdjustmentsColumn), list: l.statements, meaning: label{"争议确认后的差额与期初余额", "agreed after disputes, or open at the cutover"}},
		{name: label{"上期结转", "Carried in"}, amount: column(statementCarriedInColumn), list: l.statements, meaning: label{"上期为负的余额", "below zero in the period before"}},
		{name: label{"应付", "Payout"}, amount: column(statementPayoutColumn), list: l.statements, meaning: label{"付给卖家", "to be paid to sellers"}, total: true},
		{name: label{"结转下期", "Carried on"}, amount: column(statementCarriedOutColumn), list: l.statements, meaning: label{"为负，不付款", "below zero, not paid"}, total: true},
	} {
		err = errors.Join(err, line.write(s))
	}
	return err
}

// whyItChanged splits the difference to the month before, and draws it.
func (l *listedMonth) whyItChanged(s *sheet) error {
	err := listHeadings(s, label{"与上月的差异", "Against last month"}, label{"项目", "Item"}, label{"笔数", "Units"}, label{"金额", "Amount"}, l.Currency)
	first := s.row + 1
	column := func(i int) any { return l.products.amount(i, l.Currency) }
	units := func(i int) any { return formula{l.products.each("SUM", productUnitsColumn+i), l.units[i]} }
	for _, line := range []sold{
		{name: label{"上月结算额", "Settled last month"}, rows: units(1), amount: column(productLastSettledColumn), list: l.products, meaning: label{"上一账期", "the period before"}},
		{name: label{"数量影响", "By volume"}, amount: column(productVolumeColumn), list: l.products, meaning: label{"笔数增减，按上月单价与比例", "more or fewer units, at last month's price and share"}},
		{name: label{"价格影响", "By price"}, amount: column(productPriceColumn), list: l.products, meaning: label{"单价变化，按上月比例", "other prices, at last month's share"}},
		{name: label{"规则影响", "By rule"}, amount: column(productRuleColumn), list: l.products, meaning: label{"费率、阶梯与税变化", "other fees, tiers and taxes"}},
	} {
		err = errors.Join(err, line.write(s))
	}
	sums := sumOf(l.in(l.products.sums[productSettledColumn].amount))
	now := any(sums.amount)
	if allLive(column(productLastSettledColumn), column(productVolumeColumn), column(productPriceColumn), column(productRuleColumn)) {
		now = sums.formula("%s", fmt.Sprintf("SUM(C%d:C%d)", first, first+3))
	}
	return errors.Join(err, sold{name: label{"本月结算额", "Settled this month"}, rows: units(0), amount: now, list: l.products, meaning: label{"以上四项之和", "the four lines above"}, total: true}.write(s))
}

// largest names the sellers who are paid most, and draws them.
func (l *listedMonth) largest(s *sheet) error {
	l.keepTop()
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"应付最多的卖家 · " + string(l.Currency), "The largest sellers"}.String()),
		headings(s, label{"卖家", "Seller"}, label{"", ""}, label{"应付", "Payout"}))
	first := s.row + 1
	for _, t := range l.top {
		sheetName, row := l.statements.place(t.row - 2)
		at := quoted(sheetName) + "!$" + column26(statementPayoutColumn) + "$" + strconv.Itoa(row)
		var figure any = t.payout
		if exactly(t.payout) && t.payout.Currency != "" {
			figure = formula{at, t.payout}
		}
		err = errors.Join(err, s.line(18, styled{link{t.seller, "#" + quoted(sheetName) + "!A" + strconv.Itoa(row)}, linked}, styled{nil, plain}, styled{figure, plain}))
	}
	if len(l.top) == 0 {
		return err
	}
	const chartRows = 13
	err = errors.Join(err, bars(s, first, s.row, "C", label{"应付最多的卖家", "The largest payouts"}, string(l.Currency), chartRows))
	s.skip(max(0, first+chartRows-2-s.row))
	return err
}

// place is where a row of a list stands, counted from zero.
func (l listed) place(row int) (sheet string, at int) {
	for _, p := range l.parts {
		if n := p.last - p.first + 1; row >= n {
			row -= n
			continue
		}
		return p.sheet, p.first + row
	}
	panic("there is no such row")
}

// whatWaits says what was not settled, condition by condition.
func (l *listedMonth) whatWaits(s *sheet) error {
	s.skip(1)
	return errors.Join(s.across(22, section, nil, label{"待出账原因 · " + string(l.Currency), "What waits, and for what"}.String()), unmetLines(s, l.waiting, l.unmet, l.Currency))
}

// howOld says since when what waits was paid, and draws it.
func (l *listedMonth) howOld(s *sheet) error {
	err := listHeadings(s, label{"待出账账龄（自付款）", "Age of what waits, since it was paid"}, label{"账龄", "Age"}, label{"行数", "Lines"}, label{"金额", "Amount"}, l.Currency)
	for i := range monthAges {
		err = errors.Join(err, sold{name: label{monthAgeLabel(i), ""}, list: l.waiting,
			rows:   formula{l.waiting.every(func(p stretch) string { return aged("COUNTIFS", p, i, "") }), l.ages[i].rows},
			amount: l.filled(l.ages[i].amount).formula("%s", l.waiting.every(func(p stretch) string { return aged("SUMIFS", p, i, p.ref(unsettledAmountColumn)) }))}.write(s))
	}
	return errors.Join(err, sold{name: label{"尚未付款", "Not paid yet"}, list: l.waiting,
		rows: formula{l.waiting.every(func(p stretch) string { return "ROWS(" + p.ref(0) + ")-COUNT(" + p.ref(unsettledAgeColumn) + ")" }) + l.blanks(), l.noAge.rows},
		amount: l.filled(l.noAge.amount).formula("%s", l.waiting.every(func(p stretch) string {
			return "SUMIFS(" + p.ref(unsettledAmountColumn) + "," + p.ref(unsettledAgeColumn) + ",\"\")"
		}))}.write(s))
}

// blanks takes the empty row away that stands for a list of nothing.
func (l *listedMonth) blanks() string {
	if l.waiting.rows > 0 {
		return ""
	}
	return "-" + strconv.Itoa(len(l.waiting.parts))
}

// filled is a total of the book's currency.
func (l *listedMonth) filled(s sum) sum {
	if s.amount.Currency == "" {
		return sumOf(market.NewMoney(market.Decimal{}, l.Currency))
	}
	return s
}

func howToReadAMonth(s *sheet) error {
	return s.howToRead([]label{
		{"每个卖家一张结算单；最新版本计入合计。", "Each seller has one statement; its newest version counts."},
		{"数量影响 = 上月结算额 × 笔数变化 ÷ 上月笔数；价格影响按上月比例；其余为规则影响。新商品与停售商品全部计入数量影响。", "By volume = last month's amount × change of units ÷ last month's units; by price at last month's share; the rest is by rule. A new product, or one that is gone, is all volume."},
		{"待出账的一行可缺多个条件，因此各条件之和可大于合计。", "A line that waits may lack several conditions, so that they add up to more than the total."},
		{"不同币种从不相加，各有自己的名单与合计。", "Currencies are never added to each other."},
		{"合计都是公式；“Control”页把结算单、明细与日记账逐项核对。再次生成的文件逐字节相同。", "Totals are formulas; Control ties statements, lines and journals. Written again, the file is the same byte by byte."},
	})
}
