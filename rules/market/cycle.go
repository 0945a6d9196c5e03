package market

import (
	"fmt"
	"time"
)

// Cycle is what use is billed by: each clock hour, calendar day or calendar
// month of the site's zone is a bill of its own. CycleNone is no such span.
type Cycle string

// The cycles, and the spans over which step prices add use up.
const (
	CycleNone  Cycle = "none"
	CycleHour  Cycle = "hour"
	CycleDay   Cycle = "day"
	CycleMonth Cycle = "month"
	CycleYear  Cycle = "year"
)

// Contains is the cycle that t falls in. A day is a calendar day of the zone,
// so that the record of 16:30 UTC belongs to the next day in Shanghai. An hour
// is one of the zone's clock; where clocks are put back it comes twice.
func (c Cycle) Contains(t time.Time, zone *time.Location) Span {
	midnight := func(d Date) time.Time { return d.At(TimeOfDay{}, zone) }
	on := DateOf(t, zone)
	switch c {
	case CycleHour:
		_, offset := t.In(zone).Zone()
		shift := time.Duration(offset) * time.Second
		from := t.Add(shift).Truncate(time.Hour).Add(-shift).UTC()
		return Span{From: from, To: from.Add(time.Hour)}
	case CycleDay:
		return Span{From: midnight(on).UTC(), To: midnight(on + 1).UTC()}
	case CycleMonth:
		first := on.FirstOfMonth()
		return Span{From: midnight(first).UTC(), To: midnight(first.AddMonths(1, 1)).UTC()}
	case CycleYear:
		year, _, _ := on.Split()
		return Span{From: midnight(NewDate(year, time.January, 1)).UTC(), To: midnight(NewDate(year+1, time.January, 1)).UTC()}
	}
	panic(fmt.Sprintf("%q is no cycle", string(c)))
}

// Split cuts a span of use where cycles end: 10:09:06–12:53:16 gives three
// hours. A moment without length lies in one cycle all the same.
func (c Cycle) Split(use Span, zone *time.Location) []Span {
	first := c.Contains(use.From, zone)
	if !use.To.After(first.To) {
		return []Span{use}
	}
	var parts []Span
	for from := use.From; ; from = first.To {
		first = c.Contains(from, zone)
		if !use.To.After(first.To) {
			return append(parts, Span{From: from, To: use.To})
		}
		parts = append(parts, Span{From: from, To: first.To})
	}
}

// Hours are the clock hours that a span of use touches. Each counts as a whole
// one: 17:00–18:20 are two hours, 50 minutes within one hour are one.
func Hours(use Span, zone *time.Location) []Span {
	parts := CycleHour.Split(use, zone)
	for i, p := range parts {
		parts[i] = CycleHour.Contains(p.From, zone)
	}
	return parts
}
