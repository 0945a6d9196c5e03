package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"nightshift/rules/market"
)

// A spreadsheet's limits.
const (
	exactDigits = 15     // decimal digits that a cell's number, a float64, holds exactly
	maxText     = 32_767 // UTF-16 units in a cell
	maxLink     = 255    // characters of a text inside a formula
)

// link is text that leads somewhere when it is clicked.
type link struct{ text, to string }

// formula is a live formula and the value that it has now.
type formula struct {
	expression string
	value      any
}

// days is a stretch of time in ten-thousandths of a day of 24 hours.
type days int64

// cell makes the cell of a value in a look. A value is a string, an int64, days, a
// market.Money, a market.Date, a time.Time, a link, a formula, or nil for an
// empty cell; empty texts, zero instants and money without a currency are
// empty cells too.
func (b *book) cell(v any, l look) (cell, error) {
	switch v := v.(type) {
	case string:
		return b.make(styleKey{look: l}, b.text(v))
	case int64:
		return b.make(styleKey{look: l, format: countFormat}, v)
	case days:
		return b.make(styleKey{look: l, format: daysFormat}, float64(v)/10_000)
	case market.Money:
		return b.money(v, l)
	case rate:
		return b.rate(v, l)
	case market.Date:
		return b.make(styleKey{look: l, format: dayFormat}, dayNumber(v))
	case time.Time:
		return b.instant(v, l)
	case link:
		if len(v.to) > maxLink || len(v.text) > maxLink {
			return b.make(styleKey{look: l}, b.text(v.text))
		}
		v2 := formula{"HYPERLINK(" + literal(v.to) + "," + literal(v.text) + ")", v.text}
		return b.cell(v2, l)
	case formula:
		c, err := b.cell(v.value, l)
		c.formula = v.expression
		return c, err
	case nil:
		return b.make(styleKey{look: l}, nil)
	}
	panic(fmt.Sprintf("a cell cannot hold a %T", v))
}

func (b *book) make(k styleKey, value any) (cell, error) {
	id, err := b.style(k)
	if value == "" {
		value = nil
	}
	return cell{style: id, value: value}, err
}

// money writes an amount so that the digits in the file are its own: a number
// where a spreadsheet holds it exactly, text where it does not.
func (b *book) money(m market.Money, l look) (cell, error) {
	if m.Currency == "" && m.IsZero() {
		return b.make(styleKey{look: l}, nil)
	}
	digits := m.Amount.String()
	if significant(digits) > exactDigits {
		b.asText++
		return b.make(styleKey{look: l, format: textFormat}, m.String())
	}
	// Up to 15 digits a float64 gives back the decimal it was read from, and
	// that is the text which is written.
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return cell{}, fmt.Errorf("write amount %s: %w", m, err)
	}
	return b.make(styleKey{look: l, currency: m.Currency, places: max(m.Currency.Places(), decimals(digits))}, n)
}

// rate is a part of an amount, shown in percent.
type rate market.Decimal

func (b *book) rate(r rate, l look) (cell, error) {
	digits := market.Decimal(r).String()
	if significant(digits) > exactDigits {
		return b.make(styleKey{look: l, format: textFormat}, digits)
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return cell{}, fmt.Errorf("write rate %s: %w", digits, err)
	}
	return b.make(styleKey{look: l, format: rateFormat}, n)
}

// exactly tells whether a cell's number can hold the amount.
func exactly(m market.Money) bool { return significant(m.Amount.String()) <= exactDigits }

// significant is how many digits of a plain decimal number carry its value.
// Trailing zeros of a whole number count, to be on the safe side.
func significant(number string) int {
	digits := strings.TrimLeft(strings.Replace(strings.TrimPrefix(number, "-"), ".", "", 1), "0")
	return len(digits)
}

// decimals is how many digits a plain decimal number has after its point.
func decimals(number string) int32 {
	_, fraction, _ := strings.Cut(number, ".")
	return int32(len(fraction))
}

// firstDay is where the day numbers of all spreadsheets agree; 29 February
// 1900, which never was, comes before it.
var firstDay = market.NewDate(1900, time.March, 1)

// dayNumber is a date as spreadsheets count days, or its text where they do not.
func dayNumber(d market.Date) any {
	if d < firstDay {
		return d.String()
	}
	return int64(d) + dayZero
}

// dayZero is the spreadsheet's number of 1970-01-01.
const dayZero = 25_569

// instant writes the local time in the site's zone, to the second.
func (b *book) instant(t time.Time, l look) (cell, error) {
	if t.IsZero() {
		return b.make(styleKey{look: l, format: instantFormat}, nil)
	}
	local := t.In(b.zone)
	date := market.DateOf(local, b.zone)
	if date < firstDay {
		return b.make(styleKey{look: l}, local.Format(time.DateTime))
	}
	hour, minute, second := local.Clock()
	seconds := int64((hour*60+minute)*60 + second)
	return b.make(styleKey{look: l, format: instantFormat}, serial(int64(date)+dayZero, seconds))
}

// serial is a day and the seconds since its midnight as a spreadsheet's number
// of 15 digits. It is rounded up, by less than a hundred-thousandth of a
// second: some programs show the second below of what falls short of one.
func serial(day, seconds int64) float64 {
	const (
		secondsADay = 24 * 60 * 60
		scale       = 10_000_000_000 // with five digits of days, 15 in all
	)
	return float64(day*scale+(seconds*scale+secondsADay-1)/secondsADay) / scale
}

// text is s as far as a cell holds it. What is cut ends in an ellipsis and is
// counted, so that the report can say so.
func (b *book) text(s string) string {
	if len(s) <= maxText {
		return s
	}
	units := utf16.Encode([]rune(s))
	if len(units) <= maxText {
		return s
	}
	b.cut++
	return string(utf16.Decode(units[:maxText-2])) + "…"
}

// literal is a text as formulas write it.
func literal(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
