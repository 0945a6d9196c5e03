package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// Kind is what sort of thing a fact, a let or a part of a condition is.
type Kind uint8

// The kinds. A whole number becomes a number where it meets one; nothing else
// changes its kind by itself.
const (
	KindBool      Kind = iota + 1
	KindInt            // whole number, int64, checked for overflow
	KindDecimal        // exact decimal number
	KindText           // text
	KindMoney          // exact amount of one currency
	KindDuration       // length of time
	KindStopwatch      // time since (or until) an instant, less its stops
	KindList           // list of one kind; as a fact and as a carried value: of texts
)

// String is the kind as errors call it.
func (k Kind) String() string {
	switch k {
	case KindBool:
		return "a yes or no"
	case KindInt:
		return "a whole number"
	case KindDecimal:
		return "a number"
	case KindText:
		return "a text"
	case KindMoney:
		return "money"
	case KindDuration:
		return "a duration"
	case KindStopwatch:
		return "a stopwatch"
	case KindList:
		return "a list"
	}
	return "nothing"
}

// Value is one named value that an outcome carries.
type Value struct {
	Name string
	Kind Kind

	yes      bool
	whole    int64
	number   market.Decimal
	text     string
	money    market.Money
	duration time.Duration
	list     []string
}

// Bool is a yes or no; false for another kind. So with the other readers: a
// value of another kind reads as zero.
func (v Value) Bool() bool { return v.yes }

// Int is a whole number.
func (v Value) Int() int64 { return v.whole }

// Decimal is an exact number; a whole number reads as one too.
func (v Value) Decimal() market.Decimal {
	if v.Kind == KindInt {
		return market.DecimalOf(v.whole)
	}
	return v.number
}

// Text is a text.
func (v Value) Text() string { return v.text }

// Money is an exact amount with its currency.
func (v Value) Money() market.Money { return v.money }

// Duration is a length of time.
func (v Value) Duration() time.Duration { return v.duration }

// List is a list of texts. It is shared: do not change it.
func (v Value) List() []string { return v.list }

// String writes the value as rule authors do, without quotation marks.
func (v Value) String() string {
	switch v.Kind {
	case KindBool:
		return strconv.FormatBool(v.yes)
	case KindInt:
		return strconv.FormatInt(v.whole, 10)
	case KindDecimal:
		return v.number.String()
	case KindText:
		return v.text
	case KindMoney:
		return v.money.String()
	case KindDuration:
		return FormatDuration(v.duration)
	case KindList:
		return strings.Join(v.list, ", ")
	}
	return ""
}

// AppendJSON appends the value as JSON: money and durations as text, numbers
// as exact text too, since JSON's own are floats to many readers.
func (v Value) AppendJSON(buf []byte) []byte {
	switch v.Kind {
	case KindBool:
		return strconv.AppendBool(buf, v.yes)
	case KindInt:
		return strconv.AppendInt(buf, v.whole, 10)
	case KindList:
		return appendTexts(buf, v.list)
	}
	return appendText(buf, v.String())
}

// Equal tells whether two values are the same: 1.0 CNY is 1.00 CNY.
func (v Value) Equal(w Value) bool {
	if v.Name != w.Name || v.Kind != w.Kind {
		return false
	}
	switch v.Kind {
	case KindBool:
		return v.yes == w.yes
	case KindInt:
		return v.whole == w.whole
	case KindDecimal:
		return v.number.Cmp(w.number) == 0
	case KindText:
		return v.text == w.text
	case KindMoney:
		return v.money.Currency == w.money.Currency && v.money.Amount.Cmp(w.money.Amount) == 0
	case KindDuration:
		return v.duration == w.duration
	}
	return slices.Equal(v.list, w.list)
}

// plus adds two values of one kind that has a size.
func (v Value) plus(w Value) (Value, error) {
	var err error
	fits := true
	switch v.Kind {
	case KindInt:
		v.whole, fits = addInt(v.whole, w.whole)
	case KindDuration:
		var sum int64
		sum, fits = addInt(int64(v.duration), int64(w.duration))
		v.duration = time.Duration(sum)
	case KindDecimal:
		v.number = v.number.Add(w.number)
		err = v.number.Fits()
	case KindMoney:
		if v.money, err = v.money.Add(w.money); err == nil {
			err = v.money.Amount.Fits()
		}
	}
	if !fits {
		err = fmt.Errorf("the sum of %s: %w", v.Name, ErrOverflow)
	}
	return v, err
}

// compare orders two values of one kind that has a size.
func (v Value) compare(w Value) (int, error) {
	switch v.Kind {
	case KindInt:
		return cmp.Compare(v.whole, w.whole), nil
	case KindDuration:
		return cmp.Compare(v.duration, w.duration), nil
	case KindDecimal:
		return v.number.Cmp(w.number), nil
	}
	return v.money.Cmp(w.money)
}

var durationUnits = []struct {
	letter byte
	length time.Duration
}{{'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// ParseDuration reads a length of time such as 10d, 7d1s or 1d12h30m: days of
// 24 hours, hours, minutes and seconds, in this order, each at most once.
func ParseDuration(text string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	wrong := fmt.Errorf("read duration %q: write it like 10d, 7d1s or 1d12h30m", clip(text))
	var total time.Duration
	unit := 0
	for first := true; first || rest != ""; first = false {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil || digits == len(rest) {
			return 0, wrong
		}
		for unit < len(durationUnits) && durationUnits[unit].letter != rest[digits] {
			unit++
		}
		if unit == len(durationUnits) {
			return 0, wrong
		}
		part, ok := mulInt(n, int64(durationUnits[unit].length))
		sum, fits := addInt(int64(total), part)
		if !ok || !fits {
			return 0, fmt.Errorf("read duration %q: it is longer than 292 years", clip(text))
		}
		total, rest, unit = time.Duration(sum), rest[digits+1:], unit+1
	}
	if negative {
		total = -total
	}
	return total, nil
}

// FormatDuration writes what ParseDuration reads; a part of a second follows
// as a decimal.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range durationUnits {
		n := d / u.length
		d -= n * u.length
		switch {
		case u.letter == 's' && d > 0:
			fmt.Fprintf(&b, "%d.%ss", n, strings.TrimRight(fmt.Sprintf("%09d", int64(d)), "0"))
		case n > 0:
			fmt.Fprintf(&b, "%d%c", n, u.letter)
		}
	}
	return b.String()
}

// addInt, subInt and mulInt are int64 arithmetic that says when it does not fit.
func addInt(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

func subInt(a, b int64) (int64, bool) {
	c := a - b
	return c, (c < a) == (b > 0)
}

func mulInt(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, c/b == a && (c < 0) == ((a < 0) != (b < 0))
}
