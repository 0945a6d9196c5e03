package intake

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
	"nightshift/rules/table"
)

// maxCode is how long a code may be, in bytes: codes are indexed.
const maxCode = 200

// converter turns the cells of a row into the values that are staged, and says
// of each cell that has none what is wrong with it.
type converter struct {
	kind     *Kind
	zone     *time.Location
	source   source   // where the cells of the kind's columns come from
	staged   []string // the columns that are staged, in their order; behind them stands the row's line
	columns  []*Column
	from     []int // of each staged column, the cell it is read from; -1 for the default
	currency int   // the cell of the currency column, or -1
	workbook bool
	date1904 bool
}

// row answers the staged values of a row, or what is wrong with it, or neither
// for a row that the mapping leaves out.
func (c *converter) row(row table.Row) (values []any, bad []Reject) {
	cells, keep, err := c.source.cells(row.Cells)
	if err != nil {
		return nil, append(bad, rejectOf(row.Line, err))
	}
	if !keep {
		return nil, bad
	}
	values = make([]any, 0, len(c.staged)+1)
	for i, col := range c.columns {
		if col == nil { // the currency, which its amount brings
			continue
		}
		cell := col.Default
		if c.from[i] >= 0 {
			cell = strings.TrimSpace(cells[c.from[i]])
		}
		value, err := c.value(col, cell, cells)
		if err != nil {
			bad = append(bad, Reject{Line: row.Line, Column: col.Name, Value: cell, Reason: err.Error()})
		}
		if col.Type == Money {
			values = appendMoney(values, value)
		} else {
			values = append(values, value)
		}
	}
	if len(bad) == 0 {
		bad = c.together(row.Line, values)
	}
	return append(values, int64(row.Line)), bad
}

func appendMoney(values []any, value any) []any {
	if m, ok := value.(market.Money); ok {
		return append(values, m.Amount, string(m.Currency))
	}
	return append(values, nil, nil)
}

var (
	errEmpty    = errors.New("is empty: it must be filled in")
	errNegative = errors.New("is less than nothing: write 0 or more")
	errNoPart   = errors.New("is no part of anything: write a number from 0 to 1, such as 0.9")
	errNUL      = errors.New("holds a NUL character, which no database text can: remove it")
)

// value is what one cell means; nil where it is empty.
func (c *converter) value(col *Column, cell string, cells []string) (any, error) {
	if cell == "" {
		cell = col.Default
	}
	if cell == "" {
		switch {
		case col.Required:
			return nil, errEmpty
		case col.blank:
			return "", nil
		}
		return nil, nil
	}
	switch col.Type {
	case Instant:
		return c.instant(cell)
	case Money:
		m, err := c.money(cell, cells)
		if err == nil && col.owed && m.Amount.Sign() < 0 {
			return nil, errNegative
		}
		return m, err
	case Number:
		n, err := decimal(cell)
		switch {
		case err != nil:
		case col.owed && n.Sign() < 0:
			return nil, errNegative
		case col.part && (n.Sign() < 0 || n.Cmp(market.DecimalOf(1)) > 0):
			return nil, errNoPart
		}
		return n, err
	case Count:
		return count(cell, col.bounds)
	case Bool:
		return truth(cell)
	case Word:
		if !slices.Contains(col.Words, cell) {
			return nil, errors.New("is no " + col.Name + ": " + suggestion(cell, col.Words))
		}
	case Code:
		if len(cell) > maxCode {
			return nil, fmt.Errorf("is %d bytes long: a code has at most %d", len(cell), maxCode)
		}
	}
	if strings.IndexByte(cell, 0) >= 0 {
		return nil, errNUL
	}
	return cell, nil
}

// together checks what holds between the cells of a row.
func (c *converter) together(line int, values []any) (bad []Reject) {
	for _, pair := range c.kind.Both {
		a, b := slices.Index(c.staged, pair[0]), slices.Index(c.staged, pair[1])
		if a < 0 || (values[a] == nil) == (values[b] == nil) {
			continue
		}
		if values[a] != nil {
			a, b = b, a
		}
		bad = append(bad, Reject{Line: line, Column: c.staged[a], Reason: "is empty while " + c.staged[b] + " is filled in: fill in both or neither"})
	}
	if c.kind.holds != nil {
		if column, reason := c.kind.holds(c.filled(values), c.word(values)); column != "" {
			bad = append(bad, Reject{Line: line, Column: column, Value: c.word(values)(column), Reason: reason})
		}
	}
	for _, o := range c.kind.Order {
		a, b := slices.Index(c.staged, o[0]), slices.Index(c.staged, o[2])
		if a < 0 || b < 0 || values[a] == nil || values[b] == nil {
			continue
		}
		first, then := values[a].(time.Time), values[b].(time.Time)
		if then.Before(first) || o[1] == "<" && then.Equal(first) {
			bad = append(bad, Reject{Line: line, Column: o[2], Value: then.In(c.zone).Format(time.RFC3339),
				Reason: "is not after " + o[0] + ", " + first.In(c.zone).Format(time.RFC3339)})
		}
	}
	return bad
}

// filled tells whether a column of a row is filled in.
func (c *converter) filled(values []any) func(string) bool {
	return func(column string) bool {
		i := slices.Index(c.staged, column)
		return i >= 0 && values[i] != nil
	}
}

// word is the text in a column of a row; empty where there is none.
func (c *converter) word(values []any) func(string) string {
	return func(column string) string {
		if i := slices.Index(c.staged, column); i >= 0 {
			switch v := values[i].(type) {
			case string:
				return v
			case bool:
				return strconv.FormatBool(v)
			}
		}
		return ""
	}
}

// Instants without an offset, in the site's zone.
const localLayout, localLayoutT = "2006-01-02 15:04:05", "2006-01-02T15:04:05"

// instant reads an instant, to the microsecond. One without an offset is local:
// a time of day that the zone skipped is the instant at which the clocks went
// forward, one that came twice is the first of the two. In a workbook it may be
// a date cell, which is local time to the second.
func (c *converter) instant(cell string) (any, error) {
	if local, err := time.Parse(localLayout, cell); err == nil {
		return c.local(local)
	}
	if t, err := time.Parse(time.RFC3339Nano, cell); err == nil {
		return stored(t)
	}
	if local, err := time.Parse(localLayoutT, cell); err == nil {
		return c.local(local)
	}
	if t, err := time.Parse("2006-01-02 15:04:05Z07:00", cell); err == nil {
		return stored(t)
	}
	if c.workbook {
		if local, ok := table.SerialTime(cell, c.date1904); ok {
			return c.local(local)
		}
	}
	return nil, errors.New("is no instant: write 2024-04-01T10:00:00+08:00, or 2024-04-01 10:00:00 for the local time in " + c.zone.String())
}

// local puts a clock reading, given in UTC, into the site's zone.
func (c *converter) local(clock time.Time) (any, error) {
	h, m, s := clock.Clock()
	at := market.DateOf(clock, time.UTC).At(market.TimeOfDay{Hour: h, Minute: m, Second: s}, c.zone)
	return stored(at.Add(time.Duration(clock.Nanosecond())))
}

// stored is t as the database keeps it, so that the same file twice is the same.
func stored(t time.Time) (any, error) {
	if t.Year() < 1900 || t.Year() > 9998 {
		return nil, fmt.Errorf("is in the year %d: is a digit missing?", t.Year())
	}
	return t.Truncate(time.Microsecond), nil
}

// money reads "99.00 CNY", or a bare amount beside a currency cell.
func (c *converter) money(cell string, cells []string) (market.Money, error) {
	amount, code, _ := strings.Cut(cell, " ")
	code = strings.TrimSpace(code)
	if c.currency >= 0 {
		beside := strings.TrimSpace(cells[c.currency])
		if code != "" && beside != "" && code != beside {
			return market.Money{}, fmt.Errorf("is in %s while the column %s says %s: make them agree", code, CurrencyColumn, beside)
		}
		if code == "" {
			code = beside
		}
	}
	if code == "" {
		return market.Money{}, errors.New("has no currency: write it like 99.00 CNY, or fill in the column " + CurrencyColumn)
	}
	n, err := decimal(amount)
	if err != nil {
		return market.Money{}, err
	}
	currency, err := market.ParseCurrency(code)
	if err != nil {
		return market.Money{}, err
	}
	return market.NewMoney(n, currency), nil
}

func decimal(cell string) (market.Decimal, error) {
	n, err := market.ParseDecimal(cell)
	if err != nil && strings.Contains(cell, ",") {
		return n, errors.New("has a comma in it: write amounts like 1234.56")
	}
	return n, err
}

func count(cell string, bounds [2]int32) (any, error) {
	if bounds == [2]int32{} {
		bounds = [2]int32{1, math.MaxInt32}
	}
	n, err := strconv.ParseInt(cell, 10, 32)
	if err != nil || int32(n) < bounds[0] || int32(n) > bounds[1] {
		return nil, fmt.Errorf("is no whole number from %d to %d", bounds[0], bounds[1])
	}
	return int32(n), nil
}

func truth(cell string) (any, error) {
	switch strings.ToLower(cell) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return nil, errors.New("is neither true nor false")
}
