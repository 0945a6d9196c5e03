package reports

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Income writes the workbook of what the platform earned in a month: its fees
// by product class, rate, seller and product. It is made from the same lists as the
// month, which it reads anew.
func Income(w io.Writer, r MonthReport) error {
	return publish(w, "income", r.cover(label{"平台收入", "Platform income"}), r.writeIncome)
}

// writeIncome fills the workbook.
func (r MonthReport) writeIncome(b *book) (*control, error) {
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	c := &control{verdictCell: quoted(controlTab) + "!$B$4"}
	var books []*listedMonth
	for i, of := range r.Books {
		l := newListedMonth(of)
		if err := l.write(b, suffixOf(i, of.Currency), r, false); err != nil {
			return nil, err
		}
		books = append(books, l)
		for _, t := range append(l.ties(), l.rateTies()...) {
			if len(r.Books) > 1 {
				t.label = label{t.chinese + "（" + string(l.Currency) + "）", fmt.Sprintf("%s (%s)", t.english, l.Currency)}
			}
			c.ties = append(c.ties, t)
		}
	}
	s, err := b.open(page{
		name: summaryTab, title: b.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{34, 13, 22, 22, 22, 40},
	})
	if err != nil {
		return nil, err
	}
	err = s.head(c, r.facts())
	for _, l := range books {
		err = errors.Join(err, l.income(s), l.byClass(s))
	}
	err = errors.Join(err, s.rulesUsed(r.Policies), s.howToRead([]label{
		{"收入 = 平台费 + 运营管理费；税款只是代扣，不是收入。", "Income = platform fee + operating fee; taxes are kept for others and are no income."},
		{"退款按原比例退回平台费，因此平台费可以为负。", "A refund gives the fee back by its old share, so that a fee can be below zero."},
		{"费率 = 平台费 ÷ 可结算额，按类别加权。", "The rate is the fee divided by what is billable, of each class."},
	}), s.close())
	if err != nil {
		return nil, fmt.Errorf("write the summary: %w", err)
	}
	return c, c.writeSheet(b, controlSheet{sum: r.ResultHash, policies: r.Policies})
}

// income says what the platform earned, and what it keeps for others.
func (l *listedMonth) income(s *sheet) error {
	err := listHeadings(s, label{"平台收入", "What the platform earned"}, label{"项目", "Item"}, label{"份数", "How many"}, label{"金额", "Amount"}, l.Currency)
	column := func(i int) any { return l.statements.amount(i, l.Currency) }
	for _, line := range []sold{
		{name: label{"平台费", "Platform fee"}, rows: l.statements.count(), amount: column(statementFeeColumn), list: l.rates, meaning: label{"按费率表，见“Rates”页", "by the fee tables: Rates adds them up"}},
		{name: label{"运营管理费", "Operating fee"}, amount: column(statementOperatingColumn), list: l.statements, meaning: label{"按项目约定", "agreed for projects"}},
		{name: label{"收入合计", "Income"}, amount: l.statements.together(l.Currency, statementFeeColumn, statementOperatingColumn), list: l.statements, meaning: label{"归平台", "the platform's"}, total: true},
		{name: label{"代扣税款", "Taxes kept back"}, amount: column(statementTaxesColumn), list: l.statements, meaning: label{"须上缴，不是收入", "owed to tax offices, no income"}},
		{name: label{"争议调整", "Adjustments"}, amount: negated(column(statementAdjustmentsColumn)), list: l.statements, meaning: label{"平台承担为负", "below zero the platform bears them"}},
	} {
		err = errors.Join(err, line.write(s))
	}
	return err
}

// byClass adds the fee up by product class, and draws it.
func (l *listedMonth) byClass(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"按产品类别 · " + string(l.Currency), "By product class"}.String()),
		headings(s, label{"产品类别", "Class"}, label{"商品数", "Products"}, label{"平台费", "Platform fee"}))
	first := s.row + 1
	for _, word := range slices.Sorted(maps.Keys(l.classes)) {
		t := l.classes[word]
		name := wordOf(productClasses, word)
		err = errors.Join(err, s.line(18, styled{orNothing(name), words},
			styled{formula{l.products.every(func(p stretch) string { return "SUMPRODUCT(" + p.exactly(productClassColumn, name) + ")" }), t.rows}, plain},
			styled{l.filled(t.fee).formula("%s", l.products.every(func(p stretch) string {
				return "SUMPRODUCT(" + p.exactly(productClassColumn, name) + "," + p.ref(productFeeColumn) + ")"
			})), plain}))
	}
	last := s.row
	err = errors.Join(err, s.line(20, styled{label{"合计", "Total"}.String(), totalWords}, styled{l.products.count(), total}, styled{l.products.amount(productFeeColumn, l.Currency), total}))
	if last < first {
		return err
	}
	const chartRows = 10
	err = errors.Join(err, bars(s, first, last, "C", label{"各类别平台费", "Fee by product class"}, string(l.Currency), chartRows))
	s.skip(max(0, first+chartRows-2-s.row))
	return err
}

func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return text
}

// Columns of the products that the income adds up.
const (
	productClassColumn = 2
	productFeeColumn   = 7
)
