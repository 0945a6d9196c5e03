package market

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrOutsideCalendar marks a day of a year that the calendar file lacks.
var ErrOutsideCalendar = errors.New("outside the working-day calendar")

// Calendar knows the working days of some whole years: Monday to Friday, less
// the holidays, plus the make-up days that are worked on a weekend.
type Calendar struct {
	name     string
	from, to int // the first and the last year it knows
	special  map[Date]bool
}

// ParseCalendar reads a calendar file: CSV with the header date,day,name, a
// line for each day that differs from its week, day being "holiday" or
// "workday". It knows every year from its first line's to its last line's.
func ParseCalendar(name string, r io.Reader) (*Calendar, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = 3
	lines.Comment = '#'
	c := &Calendar{name: name, special: map[Date]bool{}}
	for first := true; ; first = false {
		fields, err := lines.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read calendar %s: %w", name, err)
		}
		if first {
			if fields[0] != "date" || fields[1] != "day" || fields[2] != "name" {
				return nil, fmt.Errorf("read calendar %s: the header is %q, it must be date,day,name", name, fields)
			}
			continue
		}
		if err := c.add(fields); err != nil {
			line, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("read calendar %s, line %d: %w", name, line, err)
		}
	}
	if len(c.special) == 0 {
		return nil, fmt.Errorf("read calendar %s: it names no day", name)
	}
	return c, nil
}

func (c *Calendar) add(fields []string) error {
	d, err := ParseDate(fields[0])
	if err != nil {
		return err
	}
	if fields[1] != "holiday" && fields[1] != "workday" {
		return fmt.Errorf("day %q is neither holiday nor workday", fields[1])
	}
	if _, twice := c.special[d]; twice {
		return fmt.Errorf("%s stands there twice", d)
	}
	c.special[d] = fields[1] == "workday"
	year, _, _ := d.Split()
	if c.from == 0 || year < c.from {
		c.from = year
	}
	c.to = max(c.to, year)
	return nil
}

// IsWorkingDay tells whether d is worked. A day outside the years of the file
// is ErrOutsideCalendar: nobody guesses holidays.
func (c *Calendar) IsWorkingDay(d Date) (bool, error) {
	if year, _, _ := d.Split(); year < c.from || year > c.to {
		return false, fmt.Errorf("is %s a working day: %w: %s knows %d to %d: add the year's holidays to it", d, ErrOutsideCalendar, c.name, c.from, c.to)
	}
	if worked, special := c.special[d]; special {
		return worked, nil
	}
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday, nil
}

// OnOrAfter is the first working day that is not before d.
func (c *Calendar) OnOrAfter(d Date) (Date, error) {
	for ; ; d++ {
		worked, err := c.IsWorkingDay(d)
		if worked || err != nil {
			return d, err
		}
	}
}

// AddWorkingDays is the n-th working day after d; d itself is not counted.
func (c *Calendar) AddWorkingDays(d Date, n int) (Date, error) {
	var err error
	for ; n > 0 && err == nil; n-- {
		d, err = c.OnOrAfter(d + 1)
	}
	return d, err
}
