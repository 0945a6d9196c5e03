package reports

import (
	"errors"
	"fmt"
	"time"

	"nightshift/rules/market"
)

// headings writes the heading of a table of the summary: the first is words,
// the others figures.
func headings(s *sheet, of label, labels ...label) error {
	cells := []styled{{of.stacked(), heading}}
	for _, l := range labels {
		cells = append(cells, styled{l.stacked(), headingRight})
	}
	return s.line(headingHeight, cells...)
}

// figure is an amount as the summary has it: zero of the site's currency where
// nothing was added up.
func (a *backtest) figure(m market.Money) market.Money {
	if m.Currency == "" && m.IsZero() {
		m.Currency = a.Currency
	}
	return m
}

// outcomes says what became of the orders, before and after.
func (a *backtest) outcomes(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"结论：原来与候选", "Outcomes, as they were and as they would be"}.String()),
		headings(s, label{"规则集：结论", "Ruleset: outcome"}, label{"原订单数", "Orders were"}, label{"原金额", "Amount was"},
			label{"新订单数", "Would be"}, label{"新金额", "Amount would be"}, label{"差额", "Difference"}))
	first := s.row + 1
	var before, after int64
	for _, k := range BacktestKeys(a.Counts.Outcomes) {
		t := a.Counts.Outcomes[k]
		before, after = before+t.Before.Rows, after+t.After.Rows
		row := s.row + 1
		difference := sellerRow{k, t}.more()
		cell := any(a.figure(difference))
		if exactly(t.Before.Amount) && exactly(t.After.Amount) && exactly(difference) {
			cell = formula{fmt.Sprintf("ROUND(E%d-C%d,%d)", row, row, places(t.Before.Amount, t.After.Amount, difference)), a.figure(difference)}
		}
		err = errors.Join(err, s.line(18, styled{k.Ruleset + ": " + outcomeName(k.Outcome), words}, styled{t.Before.Rows, plain},
			styled{a.figure(t.Before.Amount), plain}, styled{t.After.Rows, plain}, styled{a.figure(t.After.Amount), plain}, styled{cell, plain}))
	}
	if first > s.row {
		err = errors.Join(err, s.line(18, styled{nothing, words}, styled{int64(0), plain}, styled{nil, plain}, styled{int64(0), plain}, styled{nil, plain}, styled{nil, plain}))
	}
	sum := func(column string, n int64) formula {
		return formula{fmt.Sprintf("SUM(%s%d:%s%d)", column, first, column, s.row), n}
	}
	b, n := sum("B", before), sum("D", after)
	a.before = formula{fmt.Sprintf("%s!$B$%d", summaryTab, s.row+1), before}
	a.after = formula{fmt.Sprintf("%s!$D$%d", summaryTab, s.row+1), after}
	return errors.Join(err, s.line(20, styled{label{"合计", "Total"}.String(), totalWords}, styled{b, total}, styled{nil, total}, styled{n, total}, styled{nil, total}, styled{nil, total}))
}

// places is how many decimals the amounts have at most.
func places(amounts ...market.Money) int32 {
	most := int32(0)
	for _, m := range amounts {
		most = max(most, m.Currency.Places(), decimals(m.Amount.String()))
	}
	return most
}

// kinds counts the ways in which decisions change, and by how long.
func (a *backtest) kinds(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"变化的方式", "How they change"}.String()),
		headings(s, label{"变化", "Change"}, label{"订单数", "Orders"}, label{"金额", "Amount"}, label{"平均天数", "Days on average"}, label{"最多天数", "Days at most"}))
	for _, kind := range changeKinds {
		t := a.Counts.Kinds[kind]
		var mean, most any
		if kind == ChangeEarlier || kind == ChangeLater {
			mean, most = inDays(t.Mean()), inDays(t.Most)
		}
		err = errors.Join(err, s.line(18, styled{changeNames[kind].String(), words}, styled{t.Rows, plain}, styled{a.figure(t.Amount), plain}, styled{mean, plain}, styled{most, plain}))
	}
	return errors.Join(err, s.line(18, styled{unknownAfter.String(), words}, styled{a.Counts.Unknown, plain}))
}

func inDays(d time.Duration) any {
	return daysLater(ChangedDecision{Kind: ChangeLater, Final: true, After: Stood{Since: time.Time{}.Add(d)}})
}

// byRule counts the listed changes by the candidate's rule.
func (a *backtest) byRule(s *sheet) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"由哪条规则引起", "The rules that change them"}.String()),
		headings(s, label{"规则集：规则", "Ruleset: rule"}, label{"订单数", "Orders"}, label{"金额", "Amount"}, label{"结论", "Outcome"}))
	for _, k := range BacktestKeys(a.Counts.Rules) {
		t := a.Counts.Rules[k]
		name := k.Rule
		if name == "" {
			name = changeNames[ChangeUndecidable].String()
		}
		err = errors.Join(err, s.line(18, styled{k.Ruleset + ": " + name, words}, styled{t.Rows, plain}, styled{a.figure(t.Amount), plain}, styled{k.Outcome, words}))
	}
	return err
}

func (a *backtest) howToRead(s *sheet) error {
	return s.howToRead([]label{
		{"每个订单按保存下来的事实重新决定；下一条决定之前，事实视为不变。", "Each order is decided again from the facts that were kept; a decision's facts hold until the next one."},
		{"候选规则适用于所有日期，不论其生效日期。", "The candidate judges every date, whatever its effective date says."},
		{"“已超出记录的事实”：原规则已了结订单，候选规则会更晚了结或仍未了结；此后发生的事没有记录。", "“Beyond what was recorded”: the order had ended, and the candidate would end it later or leave it open; what happened after that is not known."},
		{"数据库没有任何改变。", "Nothing in the database was changed."},
	})
}
