package reports

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nightshift/rules/market"
)

// ErrDoesNotTie marks a report whose lists differ from what the database says.
var ErrDoesNotTie = errors.New("does not tie to the database")

// tie is one line of a control sheet: a figure of the database, the same
// figure as the workbook has it, and their difference, which must be zero.
type tie struct {
	label
	database any // an int64 or a market.Money
	workbook any // the same, or its formula
}

// control is a control sheet.
type control struct {
	ties        []tie
	verdictCell string // where other sheets find the verdict
}

// The words of a verdict begin with one of these.
const (
	tick  = "✓"
	cross = "✗"
)

func verdictOf(ok bool) string {
	if ok {
		return tick + " 平 Ties"
	}
	return cross + " 不平 Does not tie"
}

// value is what a cell holds now.
func value(v any) any {
	if f, ok := v.(formula); ok {
		return f.value
	}
	return v
}

// off is the difference: database less workbook, exactly.
func (t tie) off() (any, error) {
	switch d := t.database.(type) {
	case int64:
		return d - value(t.workbook).(int64), nil
	case market.Money:
		m, err := d.Sub(value(t.workbook).(market.Money))
		if err != nil {
			return nil, fmt.Errorf("tie %s: %w", t.english, err)
		}
		return m, nil
	}
	panic(fmt.Sprintf("a %T cannot be tied", t.database))
}

func zero(v any) bool {
	if m, ok := v.(market.Money); ok {
		return m.IsZero()
	}
	return v == int64(0)
}

// live tells whether a spreadsheet can compute the difference.
func (t tie) live() bool {
	_, live := t.workbook.(formula)
	m, money := t.database.(market.Money)
	return live && (!money || exactly(m))
}

// places is how many decimals the difference has at most.
func (t tie) places() int32 {
	most := int32(0)
	for _, v := range []any{t.database, value(t.workbook)} {
		if m, money := v.(market.Money); money {
			most = max(most, m.Currency.Places(), decimals(m.Amount.String()))
		}
	}
	return most
}

// ok tells whether the line ties.
func (t tie) ok() bool {
	off, err := t.off()
	return err == nil && zero(off)
}

func (c *control) verdict() string { return verdictOf(c.err() == nil) }

// err is ErrDoesNotTie with each line that does not.
func (c *control) err() error {
	var lines []string
	for _, t := range c.ties {
		if !t.ok() {
			lines = append(lines, fmt.Sprintf("%s: %v in the database, %v in the workbook", t.english, t.database, value(t.workbook)))
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDoesNotTie, strings.Join(lines, "; "))
}

// writeTies writes the lines, each green or red by its own live difference.
func (c *control) writeTies(s *sheet) error {
	err := errors.Join(
		s.across(22, section, nil, label{"对账", "Ties"}.String()),
		s.line(headingHeight,
			styled{label{"项目", "Item"}.stacked(), heading},
			styled{label{"数据库", "Database"}.stacked(), headingRight},
			styled{label{"本工作簿", "This workbook"}.stacked(), headingRight},
			styled{label{"差额", "Difference"}.stacked(), headingRight},
			styled{label{"结果", "Result"}.stacked(), heading}),
	)
	for _, t := range c.ties {
		off, offErr := t.off()
		row := s.row + 1
		difference := off
		if t.live() {
			difference = formula{fmt.Sprintf("ROUND(B%d-C%d,%d)", row, row, t.places()), off}
		}
		result := formula{fmt.Sprintf("IF(D%d=0,%s,%s)", row, literal(verdictOf(true)), literal(verdictOf(false))), verdictOf(t.ok())}
		err = errors.Join(err, offErr, s.line(18, styled{t.String(), words}, styled{t.database, plain},
			styled{t.workbook, plain}, styled{difference, plain}, styled{result, verdict}))
	}
	return err
}

// control says what must tie.
func (a *acceptance) control() *control {
	n := a.Counts
	var decided int64
	for _, count := range n.Decided {
		decided += count
	}
	lists := []struct {
		name  label
		list  listed
		tally Tally
	}{
		{label{"已验收", "Accepted"}, a.accepted, n.Accepted},
		{label{"已退款", "Refunded"}, a.refunded, n.Refunded},
		{label{"等待中", "Waiting"}, a.waiting, n.Waiting},
		{label{"待人工", "Held"}, a.held, n.Held},
	}
	c := &control{verdictCell: quoted(controlTab) + "!$B$4", ties: []tie{
		{label{"到期 = 已决定 + 搁置", "Due = decided + parked"}, n.Due, decided + n.Parked},
		{label{"验收决定 = 验收名单", "Decided to accept = accepted"}, n.Decided[market.Accept], a.accepted.count()},
		{label{"退款决定 = 退款名单", "Decided to refund = refunded"}, n.Decided[market.Refund], a.refunded.count()},
	}}
	for _, l := range lists {
		c.ties = append(c.ties, tie{label{l.name.chinese + "：行数", l.name.english + ": rows"}, l.tally.Rows, l.list.count()})
	}
	c.ties = append(c.ties,
		tie{label{"提醒：行数", "Reminders: rows"}, n.Reminders, a.reminders.count()},
		tie{label{"搁置：行数", "Parked: rows"}, n.Parked, a.parked.count()})
	for _, l := range lists {
		amount := l.tally.Amount
		if amount.Currency == "" && amount.IsZero() {
			amount.Currency = a.Currency
		}
		c.ties = append(c.ties, tie{label{l.name.chinese + "：金额", l.name.english + ": amount"}, amount, l.list.amount(amountColumn, a.Currency)})
	}
	return c
}

// write writes the sheet of an acceptance workbook.
func (c *control) write(b *book, a *acceptance) error {
	c.ties[0].workbook = formula{a.dueCell, c.ties[0].workbook} // the summary stands by now
	return c.writeSheet(b, controlSheet{sum: a.ResultHash, policies: a.Policies})
}

// controlSheet is what a control sheet shows besides its ties.
type controlSheet struct {
	sum      []byte // the SHA-256 of the result; nil where there is none
	policies []PolicyUsed
}

// writeSheet writes the sheet. Its verdict is the fourth row's second cell.
func (c *control) writeSheet(b *book, also controlSheet) error {
	s, err := b.open(page{
		name: controlTab, title: label{"对账", "Control"}, tab: "2E7D4F", gridless: true, portrait: true,
		widths: []float64{58, 24, 24, 18, 24},
	})
	if err != nil {
		return err
	}
	const verdictRow = 4
	firstTie := 8
	if also.sum != nil {
		firstTie++
	}
	last := firstTie + len(c.ties) - 1
	all := fmt.Sprintf("SUMPRODUCT(--(D%d:D%d<>0))=0", firstTie, last)
	err = errors.Join(
		s.line(34, styled{label{"对账", "Control"}.String(), title}),
		s.line(18, styled{b.subject, subtitle}),
		s.line(0),
		s.line(26, styled{label{"总结果", "Verdict"}.String(), key}, styled{formula{
			"IF(" + all + "," + literal(verdictOf(true)) + "," + literal(verdictOf(false)) + ")", c.verdict()}, verdict}),
	)
	if also.sum != nil {
		err = errors.Join(err,
			s.line(18, styled{label{"结果的 SHA-256", "SHA-256 of the result"}.String(), key}, styled{hex.EncodeToString(also.sum), fact},
				styled{nil, fact}, styled{nil, fact}, styled{nil, fact}))
	}
	err = errors.Join(err, s.line(0), c.writeTies(s))
	tied := fmt.Sprintf("E%d:E%d", firstTie, last)
	err = errors.Join(err,
		b.traffic(controlTab, tied, "$D"+strconv.Itoa(firstTie)+"=0"),
		b.traffic(controlTab, "B"+strconv.Itoa(verdictRow), all),
		policyLines(s, also.policies), c.writeRemarks(s, b), s.close())
	if err != nil {
		return fmt.Errorf("write the control sheet: %w", err)
	}
	return nil
}

// policyLines names the rules by their content.
func policyLines(s *sheet, policies []PolicyUsed) error {
	s.skip(1)
	err := s.across(22, section, nil, label{"所用规则", "Rules used"}.String())
	for _, p := range policies {
		name := fmt.Sprintf("%s@%d, %s", p.Ruleset, p.Version, p.Effective)
		err = errors.Join(err, s.across(18, fact, []styled{{name, key}}, hex.EncodeToString(p.Hash)))
	}
	return err
}

// writeRemarks says where a cell could not hold what it should.
func (c *control) writeRemarks(s *sheet, b *book) error {
	s.skip(1)
	err := s.across(22, section, nil, label{"备注", "Remarks"}.String())
	if b.asText > 0 {
		err = errors.Join(err, s.across(30, note, nil, fmt.Sprintf(
			"有 %d 处金额超过 15 位有效数字，以文本保存：精确，但不参与公式。\nIn %d places an amount has more than 15 digits and is kept as text: exact, but not part of formulas.", b.asText, b.asText)))
	}
	if b.cut > 0 {
		err = errors.Join(err, s.across(30, note, nil, fmt.Sprintf(
			"%d 段文字超过 32767 个字符，已截断并以 … 结尾。\n%d texts are longer than 32,767 characters and were cut; they end in ….", b.cut, b.cut)))
	}
	if b.asText == 0 && b.cut == 0 {
		err = errors.Join(err, s.across(30, note, nil, "所有金额均为精确数字，没有文字被截断。\nEvery amount is an exact number; no text was cut."))
	}
	return err
}
