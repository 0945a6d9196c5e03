package reports

import (
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"nightshift/rules/market"
)

func (r BacktestReport) cover() cover {
	return cover{
		title:    label{"规则回测", "Backtest of rules"},
		subject:  r.Site + " · " + r.From.String() + " – " + r.To.String(),
		zone:     r.Zone,
		currency: r.Currency,
		dated:    r.AsOf,
	}
}

// backtest is the workbook of a backtest while it is written.
type backtest struct {
	BacktestReport
	book    *book
	changed listed
	sellers listed
	before  formula // all that was decided, as the summary adds it up
	after   formula
}

// Figures of the list of sellers.
const (
	sellerBefore       = 3
	sellerBeforeAmount = 4
	sellerAfter        = 5
	sellerAfterAmount  = 6
)

var changeNames = map[string]label{
	ChangeNone:        {"不变", "unchanged"},
	ChangeOutcome:     {"结论不同", "another outcome"},
	ChangeEarlier:     {"提前", "earlier"},
	ChangeLater:       {"推迟", "later"},
	ChangeValues:      {"附带值不同", "other values"},
	ChangeRule:        {"仅规则不同", "another rule alone"},
	ChangeUndecidable: {"无法决定", "cannot be decided"},
}

// changeKinds is their order.
var changeKinds = []string{ChangeOutcome, ChangeEarlier, ChangeLater, ChangeValues, ChangeUndecidable, ChangeRule, ChangeNone}

var unknownAfter = label{"已超出记录的事实", "beyond what was recorded"}

var changedTable = table[ChangedDecision]{
	name: "Changed", title: label{"变化的决定", "Changed decisions"}, tab: amber,
	columns: append(
		subjectColumns(func(r ChangedDecision) Subject { return r.Subject }),
		texts("变化", "Change", 22, func(r ChangedDecision) string { return changeNames[r.Kind].String() }),
		texts("原结论", "Was", 13, func(r ChangedDecision) string { return r.Before.Outcome }),
		texts("原规则", "By the rule", 32, func(r ChangedDecision) string { return r.Before.Rule }),
		instants("原时刻", "Since", func(r ChangedDecision) time.Time { return r.Before.Since }),
		texts("新结论", "Would be", 13, func(r ChangedDecision) string { return r.After.Outcome }),
		texts("新规则", "Because of the rule", 32, func(r ChangedDecision) string { return r.After.Rule }),
		instants("新时刻", "Would be since", func(r ChangedDecision) time.Time { return r.After.Since }),
		column[ChangedDecision]{label: label{"推迟天数", "Days later"}, width: 14, figure: true, of: daysLater},
		texts("说明", "Note", 30, func(r ChangedDecision) string {
			if r.Unknown {
				return unknownAfter.String()
			}
			return ""
		}),
		texts("原因", "Because", 64, func(r ChangedDecision) string { return r.Because })),
}

// daysLater is by how long a decision moves, in days of 24 hours with four
// decimals, half up; empty where it does not.
func daysLater(r ChangedDecision) any {
	by := r.By()
	if by == 0 {
		return nil
	}
	const tenThousandth = 24 * time.Hour / 10_000
	return days(by.Round(tenThousandth) / tenThousandth)
}

// sellerRow is a seller's orders of one outcome, before and after.
type sellerRow struct {
	BacktestKey
	BeforeAfter
}

// more is by how much the amount after is larger.
func (r sellerRow) more() market.Money {
	before, after := r.Before.Amount, r.After.Amount
	if before.Currency == "" {
		return after
	}
	if after.Currency == "" {
		return before.Neg()
	}
	sum, err := after.Sub(before)
	if err != nil {
		panic(fmt.Sprintf("a total of seller %s has two currencies: %v", r.Seller, err)) // Add refused it
	}
	return sum
}

func always(n func(sellerRow) int64) func(sellerRow) (int64, bool) {
	return func(r sellerRow) (int64, bool) { return n(r), true }
}

var sellersTable = table[sellerRow]{
	name: "Sellers", title: label{"按卖家", "By seller"}, tab: "2563A8",
	columns: []column[sellerRow]{
		texts("卖家", "Seller", 17, func(r sellerRow) string { return r.Seller }),
		texts("规则集", "Ruleset", 15, func(r sellerRow) string { return r.Ruleset }),
		texts("结论", "Outcome", 15, func(r sellerRow) string { return outcomeName(r.Outcome) }),
		counts("原订单数", "Orders were", 14, always(func(r sellerRow) int64 { return r.Before.Rows })),
		amounts("原金额", "Amount was", 20, func(r sellerRow) market.Money { return r.Before.Amount }),
		counts("新订单数", "Orders would be", 14, always(func(r sellerRow) int64 { return r.After.Rows })),
		amounts("新金额", "Amount would be", 20, func(r sellerRow) market.Money { return r.After.Amount }),
		amounts("差额", "Difference", 20, sellerRow.more),
	},
}

func outcomeName(word string) string {
	if word == "" {
		return changeNames[ChangeUndecidable].String()
	}
	return word
}

// bySeller lists the totals, seller after seller.
func (r BacktestReport) bySeller() iter.Seq2[sellerRow, error] {
	return func(yield func(sellerRow, error) bool) {
		for _, k := range BacktestKeys(r.Counts.Sellers) {
			if !yield(sellerRow{k, r.Counts.Sellers[k]}, nil) {
				return
			}
		}
	}
}

func (r BacktestReport) write(b *book) (*control, error) {
	a := &backtest{BacktestReport: r, book: b}
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	var err error
	if a.changed, err = writeTable(b, changedTable, r.Changed, nil); err != nil {
		return nil, err
	}
	if a.sellers, err = writeTable(b, sellersTable, r.bySeller(), nil); err != nil {
		return nil, err
	}
	c := a.control()
	if err := a.writeSummary(c); err != nil {
		return nil, err
	}
	n := len(c.ties)
	c.ties[n-2].workbook, c.ties[n-1].workbook = a.before, a.after // the summary stands by now
	return c, c.writeSheet(b, controlSheet{policies: r.Policies})
}

// control says what must tie: what was read to what there is, and each sheet to
// the orders that were decided again.
func (a *backtest) control() *control {
	n := a.Counts
	var subjects int64
	var all sum
	for _, kind := range changeKinds {
		t := n.Kinds[kind]
		subjects += t.Rows
		if err := all.add(t.Amount); err != nil {
			panic(fmt.Sprintf("a total of the backtest has two currencies: %v", err)) // Add refused it
		}
	}
	amount := all.amount
	if amount.Currency == "" {
		amount.Currency = a.Currency
	}
	count := func(column int, rows int64) formula {
		return formula{a.sellers.each("SUM", column), rows}
	}
	var before, after int64
	for _, t := range n.Sellers {
		before, after = before+t.Before.Rows, after+t.After.Rows
	}
	var wereBefore, wouldBe int64 // as the summary will add them up
	for _, t := range n.Outcomes {
		wereBefore, wouldBe = wereBefore+t.Before.Rows, wouldBe+t.After.Rows
	}
	return &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{
		{label{"历史决定 = 已读取", "Decisions kept = decisions read"}, a.Rows, n.Rows},
		{label{"变化：行数", "Changes: rows"}, n.Listed(), a.changed.count()},
		{label{"卖家：原订单数", "Sellers: orders were"}, subjects, count(sellerBefore, before)},
		{label{"卖家：新订单数", "Sellers: orders would be"}, subjects, count(sellerAfter, after)},
		{label{"卖家：原金额", "Sellers: amount was"}, amount, a.sellers.amount(sellerBeforeAmount, a.Currency)},
		{label{"卖家：新金额", "Sellers: amount would be"}, amount, a.sellers.amount(sellerAfterAmount, a.Currency)},
		{label{"汇总：原订单数", "Summary: orders were"}, subjects, wereBefore},
		{label{"汇总：新订单数", "Summary: orders would be"}, subjects, wouldBe},
	}}
}

// hashText names a policy by its content.
func hashText(p PolicyUsed) string { return hex.EncodeToString(p.Hash) }

func (a *backtest) writeSummary(c *control) error {
	s, err := a.book.open(page{
		name: summaryTab, title: a.book.title, tab: navy, gridless: true, portrait: true, single: true,
		widths: []float64{34, 16, 18, 16, 18, 18, 24},
	})
	if err != nil {
		return err
	}
	for _, step := range []func(*sheet) error{
		func(s *sheet) error { return a.head(s, c) }, a.outcomes, a.kinds, a.byRule, a.howToRead, (*sheet).close,
	} {
		if err := step(s); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	return nil
}

func (a *backtest) head(s *sheet, c *control) error {
	facts := []told{
		{label{"站点", "Site"}, a.Site},
		{label{"业务日期", "Business dates"}, a.From.String() + " – " + a.To.String()},
		{label{"最后时刻", "As of"}, a.AsOf},
		{label{"时区", "Time zone"}, nil},
		{label{"重新决定的订单", "Orders decided again"}, a.Counts.Orders},
	}
	for _, p := range a.Policies {
		facts = append(facts, told{label{"候选规则", "Candidate"}, fmt.Sprintf("%s@%d %.12s", p.Ruleset, p.Version, hashText(p))})
	}
	return s.head(c, facts)
}
