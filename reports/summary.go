package reports

import (
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"nightshift/rules/market"
)

// told is a fact at the head of a summary.
type told struct {
	label
	value any
}

// runFacts say which run a workbook is of.
func runFacts(site string, on market.Date, asOf time.Time, build string, schema int) []told {
	return []told{
		{label{"站点", "Site"}, site},
		{label{"业务日期", "Business date"}, on},
		{label{"评估时刻", "As of"}, asOf},
		{label{"时区", "Time zone"}, nil}, // the workbook's own
		{label{"程序与库结构", "Build and schema"}, build + ", " + strconv.Itoa(schema)},
	}
}

// head is the top of a summary: its title, what it is of, and whether it ties.
func (s *sheet) head(c *control, facts []told) error {
	err := errors.Join(
		s.line(34, styled{s.book.title.String(), title}),
		s.line(18, styled{s.book.subject, subtitle}),
	)
	s.skip(1)
	for _, f := range facts {
		if f.value == nil {
			f.value = s.book.zone.String()
		}
		err = errors.Join(err, s.pair(18, f.label, f.value, fact))
	}
	err = errors.Join(err, s.pair(22, label{"对账", "Control"}, formula{c.verdictCell, c.verdict()}, verdict))
	row := strconv.Itoa(s.row)
	return errors.Join(err,
		s.book.traffic(s.page.name, "B"+row+":C"+row, `LEFT($B$`+row+`,1)="`+tick+`"`))
}

// pair is a key and its value, which takes two columns.
func (s *sheet) pair(height float64, l label, value any, as look) error {
	row := strconv.Itoa(s.row + 1)
	return errors.Join(
		s.line(height, styled{l.String(), key}, styled{value, as}, styled{nil, as}),
		s.frame.MergeCell("B"+row, "C"+row))
}

// rulesUsed names the rules that decided, by their content.
func (s *sheet) rulesUsed(policies []PolicyUsed) error {
	s.skip(1)
	err := errors.Join(
		s.across(22, section, nil, label{"所用规则", "Rules used"}.String()),
		s.across(headingHeight, heading, []styled{
			{label{"规则集", "Ruleset"}.stacked(), heading},
			{label{"版本", "Version"}.stacked(), headingRight},
			{label{"生效日期", "Effective"}.stacked(), heading},
		}, label{"内容的 SHA-256", "SHA-256 of its content"}.stacked()),
	)
	for _, p := range policies {
		err = errors.Join(err, s.across(18, words, []styled{
			{p.Ruleset, words}, {int64(p.Version), plain}, {p.Effective, words},
		}, hex.EncodeToString(p.Hash)))
	}
	return err
}

// howToRead ends a summary with what its readers have to know.
func (s *sheet) howToRead(lines []label) error {
	s.skip(1)
	err := s.across(22, section, nil, label{"如何阅读", "How to read it"}.String())
	for _, l := range lines {
		err = errors.Join(err, s.across(30, note, nil, "• "+l.chinese+"\n   "+l.english))
	}
	return err
}
