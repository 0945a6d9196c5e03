package market

import (
	"fmt"
	"time"
)

// Date is a calendar day, without a time or a zone: the days since 1970-01-01.
// Two dates compare and subtract as numbers.
type Date int32

const dateLayout = "2006-01-02"

// NewDate is the day of that year, month and day; 2024-02-30 is 2024-03-01.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
}

const secondsADay = 24 * 60 * 60

// ParseDate reads a date such as 2026-04-01.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		return 0, fmt.Errorf("read date %q: write it like 2026-04-01", clip(text))
	}
	return DateOf(t, time.UTC), nil
}

// DateOf is the day that t falls on in the zone.
func DateOf(t time.Time, zone *time.Location) Date {
	year, month, day := t.In(zone).Date()
	return NewDate(year, month, day)
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*secondsADay, 0).UTC() }

// Split is d as year, month and day.
func (d Date) Split() (year int, month time.Month, day int) { return d.utc().Date() }

// Weekday is the day of the week of d.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// AddDays is the date n days after d.
func (d Date) AddDays(n int) Date { return d + Date(n) }

// FirstOfMonth is the first day of d's month.
func (d Date) FirstOfMonth() Date {
	year, month, _ := d.Split()
	return NewDate(year, month, 1)
}

// AddMonths is the date n months after d, on the anchor day, or on the last
// day of a month that is too short for it: 31 January, 29 February, 31 March.
// An anchor day of 0 is d's own day.
func (d Date) AddMonths(n, anchorDay int) Date {
	year, month, day := d.Split()
	if anchorDay == 0 {
		anchorDay = day
	}
	first := NewDate(year, month+time.Month(n), 1)
	y, m, _ := first.Split()
	last := NewDate(y, m+1, 0)
	return min(first.AddDays(anchorDay-1), last)
}

// At is the instant of the time of day on d in the zone. A time of day that
// the zone skips in spring is the instant at which the clocks went forward,
// one that comes twice in autumn is the first of the two.
func (d Date) At(at TimeOfDay, zone *time.Location) time.Time {
	year, month, day := d.Split()
	t := time.Date(year, month, day, at.Hour, at.Minute, at.Second, 0, zone)
	return firstOf(t, at, zone)
}

// firstOf settles what time.Date leaves open when a zone's clocks change.
func firstOf(t time.Time, at TimeOfDay, zone *time.Location) time.Time {
	const longestShift = 3 * time.Hour
	if h, m, s := t.Clock(); h != at.Hour || m != at.Minute || s != at.Second {
		// Skipped: the first instant of the new offset after the gap.
		lo, hi := t.Add(-longestShift), t.Add(longestShift)
		_, before := lo.Zone()
		for hi.Sub(lo) > time.Second {
			mid := lo.Add(hi.Sub(lo) / 2).Truncate(time.Second)
			if _, offset := mid.Zone(); offset == before {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi
	}
	_, offset := t.Zone()
	_, earlier := t.Add(-longestShift).Zone()
	if shift := time.Duration(earlier-offset) * time.Second; shift > 0 {
		if u := t.Add(-shift); u.In(zone).Format(time.TimeOnly) == t.Format(time.TimeOnly) {
			return u
		}
	}
	return t
}

// String writes d like 2026-04-01.
func (d Date) String() string { return d.utc().Format(dateLayout) }

// MarshalText writes d as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate reads.
func (d *Date) UnmarshalText(text []byte) error {
	v, err := ParseDate(string(text))
	*d = v
	return err
}

// TimeOfDay is a local time such as 02:00.
type TimeOfDay struct{ Hour, Minute, Second int }

// ParseTimeOfDay reads 02:00 or 23:59:59.
func ParseTimeOfDay(text string) (TimeOfDay, error) {
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return TimeOfDay{t.Hour(), t.Minute(), t.Second()}, nil
		}
	}
	return TimeOfDay{}, fmt.Errorf("read time of day %q: write it like 02:00", clip(text))
}

// String writes a time of day like 02:00, with seconds where it has some.
func (t TimeOfDay) String() string {
	if t.Second == 0 {
		return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute)
	}
	return fmt.Sprintf("%02d:%02d:%02d", t.Hour, t.Minute, t.Second)
}

// Period is a half-open span of days: From is in it, To is not.
type Period struct{ From, To Date }

// Month is the period of the calendar month of d.
func Month(d Date) Period {
	first := d.FirstOfMonth()
	return Period{From: first, To: first.AddMonths(1, 1)}
}

// ParsePeriod reads a month written YYYYMM, such as 202404.
func ParsePeriod(text string) (Period, error) {
	t, err := time.Parse("200601", text)
	if err != nil {
		return Period{}, fmt.Errorf("read period %q: write it like 202404", clip(text))
	}
	return Month(DateOf(t, time.UTC)), nil
}

// PeriodNumbered is the month of a number YYYYMM, as it is kept; the reverse of
// Number.
func PeriodNumbered(n int) Period { return Month(NewDate(n/100, time.Month(n%100), 1)) }

// Number is a calendar month as the number YYYYMM.
func (p Period) Number() int {
	year, month, _ := p.From.Split()
	return year*100 + int(month)
}

// Last is the last day of p.
func (p Period) Last() Date { return p.To - 1 }

// Next is the calendar month after p.
func (p Period) Next() Period { return Month(p.To) }

// Previous is the calendar month before p.
func (p Period) Previous() Period { return Month(p.From - 1) }

// Contains tells whether d lies in p.
func (p Period) Contains(d Date) bool { return p.From <= d && d < p.To }

// String writes a calendar month like 202404.
func (p Period) String() string { return p.From.utc().Format("200601") }
