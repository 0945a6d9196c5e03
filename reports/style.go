package reports

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// The look of all reports: one ink, one accent, quiet lines.
const (
	fontName = "Microsoft YaHei" // has both languages, on Windows and with Office on a Mac
	ink      = "1F2937"
	navy     = "1F3A5F"
	grey     = "6B7280"
	line     = "D5DAE1"
	mist     = "F3F5F8"
	greenInk = "14532D"
	green    = "D1F0DA"
	redInk   = "7F1D1D"
	red      = "F9D2D2"
	amber    = "B7791F"
)

// look is the part that a cell plays.
type look uint8

const (
	plain look = iota // figures
	words             // and whatever reads from the left
	heading
	headingRight // over figures
	title
	subtitle
	section
	key // of a key and its value
	fact
	total
	totalWords
	verdict // green or red by a condition
	note
	linked
)

// styleKey is a look with a number format: one by its text, or that of a
// currency with so many decimals, whose text is only written when it is new.
type styleKey struct {
	look     look
	format   string
	currency market.Currency
	places   int32
}

// style is the number of a style in the workbook. Each is made once.
func (b *book) style(k styleKey) (int, error) {
	if id, ok := b.styles[k]; ok {
		return id, nil
	}
	id, err := b.file.NewStyle(k.style())
	if err != nil {
		return 0, fmt.Errorf("make a cell style: %w", err)
	}
	b.styles[k] = id
	return id, nil
}

func (k styleKey) style() *excelize.Style {
	s, format := k.look.style(), k.format
	if k.currency != "" {
		format = moneyFormat(k.currency, k.places)
	}
	if format != "" {
		s.CustomNumFmt = &format
	}
	return s
}

func (l look) style() *excelize.Style {
	s := &excelize.Style{
		Font:      &excelize.Font{Family: fontName, Size: 10, Color: ink},
		Alignment: &excelize.Alignment{Vertical: "center"},
	}
	switch l {
	case plain:
		s.Border = under(line, 1)
	case words, fact:
		s.Border = under(line, 1)
		s.Alignment.Horizontal, s.Alignment.Indent = "left", 1
	case heading, headingRight:
		s.Font.Bold, s.Font.Color = true, "FFFFFF"
		s.Fill = fill(navy)
		s.Alignment.WrapText = true
		s.Alignment.Horizontal, s.Alignment.Indent = "left", 1
		if l == headingRight {
			s.Alignment.Horizontal = "right"
		}
	case title:
		s.Font.Size, s.Font.Bold, s.Font.Color = 20, true, navy
	case subtitle:
		s.Font.Size, s.Font.Color = 11, grey
	case section:
		s.Font.Size, s.Font.Bold, s.Font.Color = 12, true, navy
		s.Border = under(navy, 2)
	case key:
		s.Font.Color = grey
		s.Alignment.Horizontal, s.Alignment.Indent = "left", 1
		s.Border = under(line, 1)
	case total, totalWords:
		s.Font.Bold = true
		if l == totalWords {
			s.Alignment.Horizontal, s.Alignment.Indent = "left", 1
		}
		s.Fill = fill(mist)
		s.Border = []excelize.Border{{Type: "top", Color: navy, Style: 1}, {Type: "bottom", Color: navy, Style: 1}}
	case verdict:
		s.Font.Bold = true
		s.Border = under(line, 1)
		s.Alignment.Horizontal = "center"
	case linked:
		s.Alignment.Horizontal, s.Alignment.Indent = "left", 1
		s.Font.Color, s.Font.Underline = "1D4ED8", "single"
		s.Border = under(line, 1)
	case note:
		s.Font.Color = grey
		s.Alignment.WrapText, s.Alignment.Vertical = true, "top"
	}
	return s
}

func fill(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

func under(colour string, style int) []excelize.Border {
	return []excelize.Border{{Type: "bottom", Color: colour, Style: style}}
}

// Number formats of what is not money.
const (
	countFormat   = `#,##0_);[Red]-#,##0_);"–"_)`
	daysFormat    = `#,##0.0000_);[Red]-#,##0.0000_)`
	rateFormat    = `0.00##%_);[Red]-0.00##%_);"–"_)`
	dayFormat     = "yyyy-mm-dd"
	instantFormat = "yyyy-mm-dd hh:mm:ss"
	textFormat    = "@"
)

// moneyFormat writes the currency beside each amount, places decimals, and
// what is negative in red with its sign.
func moneyFormat(c market.Currency, places int32) string {
	digits := "#,##0"
	if places > 0 {
		digits += "." + strings.Repeat("0", int(places))
	}
	code := "[$" + string(c) + "]* "
	return code + digits + `_);[Red]` + code + "-" + digits + `_)`
}

// traffic paints a range green where the condition holds and red where not.
func (b *book) traffic(sheet, area, condition string) error {
	paint := func(background, ink string) (*int, error) {
		id, err := b.file.NewConditionalStyle(&excelize.Style{
			Font: &excelize.Font{Bold: true, Color: ink}, Fill: fill(background),
		})
		return &id, err
	}
	good, err := paint(green, greenInk)
	if err != nil {
		return err
	}
	bad, err := paint(red, redInk)
	if err != nil {
		return err
	}
	return b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{
		{Type: "formula", Criteria: condition, Format: good},
		{Type: "formula", Criteria: "NOT(" + condition + ")", Format: bad},
	})
}
