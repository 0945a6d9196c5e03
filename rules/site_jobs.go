package rules

import (
	"fmt"

	"nightshift/rules/market"
)

// CalendarRuleset is the ruleset that says on which day a month is settled.
const CalendarRuleset = "settlement_calendar"

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
