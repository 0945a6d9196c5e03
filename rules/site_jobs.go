package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"nightshift/rules/market"
)

// Errors of asking a site when it runs a job.
var (
	ErrNoJob       = errors.New("the site does not run the job")
	ErrNoMonthsEnd = errors.New("not the last day of a month")
)

// CalendarRuleset is the ruleset that says on which day a month is settled.
const CalendarRuleset = "settlement_calendar"

// JobTime is when the runs of a job evaluate: a local time, so many days after
// the business date, or once a month on its bill day; and what becomes of nights
// that were missed.
type JobTime struct {
	At        market.TimeOfDay
	DaysAfter int
	Once      bool // of missed nights the last alone is caught up, instead of each
	Monthly   bool // its business dates are the last days of months, and it runs on their bill days
}

// catchUps are the ways to catch up with missed nights, spans what a run is for.
var (
	catchUps = []string{"each", "once"}
	spans    = []string{"day", "month"}
)

// AsOf is the instant at which a job evaluates for a business date. It is ErrNoJob
// where the site does not run the job; of a job that runs by the month
// ErrNoMonthsEnd for another date than the last of one, and
// market.ErrOutsideCalendar where the calendar does not know its bill day.
func (s *Site) AsOf(job string, on market.Date) (time.Time, error) {
	j, ok := s.Jobs[job]
	switch {
	case !ok:
		return time.Time{}, fmt.Errorf("%s at %s: %w", job, s.Name, ErrNoJob)
	case !j.Monthly:
		return on.AddDays(j.DaysAfter).At(j.At, s.Zone), nil
	}
	period := market.Month(on)
	if on != period.Last() {
		return time.Time{}, fmt.Errorf("%s of %s at %s: %w: it runs for months, the business date of this one is %s", job, on, s.Name, ErrNoMonthsEnd, period.Last())
	}
	day, err := s.BillDay(period)
	return day.At(j.At, s.Zone), err
}

// BillDay is the date on which a month is settled: a day of the month after it,
// by the version of the settlement calendar that is in force on its last day.
func (s *Site) BillDay(period market.Period) (market.Date, error) {
	policy, err := s.Policy(CalendarRuleset, period.Last())
	if err != nil {
		return 0, fmt.Errorf("find the bill day of %s: %w", period, err)
	}
	answer, err := policy.Decide(&SettlementCalendarFacts{Site: s.Name}, period.To.At(market.TimeOfDay{}, s.Zone))
	if err != nil {
		return 0, fmt.Errorf("find the bill day of %s: %w", period, err)
	}
	day, _ := answer.Value("day")
	shift, _ := answer.Value("shift")
	if day.Int() < 1 || day.Int() > mostBillDay {
		return 0, fmt.Errorf("find the bill day of %s: %s, rule %q: day %d is not a day of every month, from 1 to %d", period, policy, answer.Rule, day.Int(), mostBillDay)
	}
	date := period.To.AddDays(int(day.Int()) - 1)
	if shift.Text() != BillDayShifts {
		return date, nil
	}
	if s.Calendar == nil {
		return 0, fmt.Errorf("find the bill day of %s: site %s has no calendar of working days: name one in its site.yaml", period, s.Name)
	}
	if date, err = s.Calendar.OnOrAfter(date); err != nil {
		return 0, fmt.Errorf("find the bill day of %s: %w", period, err)
	}
	return date, nil
}

// mostBillDay is the last day that every month has.
const mostBillDay = 28

// Night is the business date of a job that is worked in the night of a date; ok
// is false where the site does not run the job, or not in that night.
func (s *Site) Night(job string, of market.Date) (on market.Date, ok bool, err error) {
	j, ok := s.Jobs[job]
	if !ok || !j.Monthly {
		return of.AddDays(-j.DaysAfter), ok, nil
	}
	period := market.Month(of).Previous()
	day, err := s.BillDay(period)
	return period.Last(), err == nil && day == of, err
}

// DateBefore is the last business date of a job that is before a date.
func (s *Site) DateBefore(job string, date market.Date) market.Date {
	if s.Jobs[job].Monthly {
		return market.Month(date).Previous().Last()
	}
	return date - 1
}

// DateAfter is the first business date of a job that is after a date.
func (s *Site) DateAfter(job string, date market.Date) market.Date {
	switch last := market.Month(date).Last(); {
	case !s.Jobs[job].Monthly:
		return date + 1
	case last > date:
		return last
	}
	return market.Month(date).Next().Last()
}

// mostDaysAfter is as long as a run may evaluate after its business date.
const mostDaysAfter = 31

// daysAfter reads days_after: 0 where the job evaluates on the business date.
func (s *section) daysAfter() int {
	if s.fields["days_after"] == nil {
		return 0
	}
	text := s.word("days_after")
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > mostDaysAfter {
		s.doc.problem(s.fields["days_after"], "", fmt.Sprintf("days_after %q is not a number of days from 0 to %d", clip(text), mostDaysAfter), "write days_after: 1 for the day after the business date")
	}
	return days
}

// catchUp reads catch_up: each missed night where nothing is said.
func (s *section) catchUp() string {
	if s.fields["catch_up"] == nil {
		return "each"
	}
	way := s.word("catch_up")
	if !slices.Contains(catchUps, way) {
		s.doc.problem(s.fields["catch_up"], "", fmt.Sprintf("catch_up %q is no way to catch up with missed nights", clip(way)), didYouMean(way, catchUps))
	}
	return way
}

// every reads every: a day where nothing is said.
func (s *section) every() string {
	if s.fields["every"] == nil {
		return "day"
	}
	span := s.word("every")
	if !slices.Contains(spans, span) {
		s.doc.problem(s.fields["every"], "", fmt.Sprintf("every %q is nothing that a run is for", clip(span)), didYouMean(span, spans))
	}
	if s.fields["days_after"] != nil && span == "month" {
		s.doc.problem(s.fields["days_after"], "", "a job that runs for months runs on their bill days", "take days_after away: the ruleset "+CalendarRuleset+" says when")
	}
	return span
}
