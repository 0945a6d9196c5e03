package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"nightshift/rules/market"
)

// Errors of asking a site when it runs a job.
var (
	ErrNoJob       = errors.New("the site does not run the job")
	ErrNoMonthsEnd = errors.New("not the last day of a month")
)

// JobTime is a job's line in the timetable of a site: which business dates it
// has, the instant at which each is decided, what it waits for, and what becomes
// of nights that were missed.
type JobTime struct {
	At        market.TimeOfDay // the local time at which it evaluates,
	DaysAfter int              // so many days after the business date
	Monthly   bool             // its business dates are the last days of months, and it runs on their bill days
	Working   bool             // its business dates are the working days of the calendar

	After    []string          // jobs of the same night that have to be completed first
	Needs    []Need            // files that have to be there first, in the order of the file
	Deadline *market.TimeOfDay // the local time by which a night is to be done; nil: none is named
	Wake     string            // a cron expression in the site's zone; empty: at the as-of

	Once    bool // of missed nights the last alone is caught up, instead of each
	MostOf  int  // missed nights that are caught up by themselves; more wait for a person
	Skipped bool // a wake that comes while the job runs is skipped, instead of following at once

	wakes cron.Schedule
}

// Need is what has to be taken in of one kind before a night may begin.
type Need struct {
	Kind  string
	Files int   // at least
	Rows  int64 // at least, in all of them

	MostFiles int   // more than these are not taken for granted: a person has to look;
	MostRows  int64 // zero: any number

	Within time.Duration    // taken in so long before the as-of, or later
	Until  market.TimeOfDay // the local time after which the night does not begin by itself
}

// mostMissed is how many missed nights are caught up where a file says nothing.
const mostMissed = 31

// The words of the timetable.
var (
	catchUps  = []string{"each", "once"}
	spans     = []string{"day", "month"}
	dayKinds  = []string{"each", "working"}
	overlaps  = []string{"wait", "skip"}
	mostLooks = 3 * 366 // days looked through for a business date
)

// job is the line of a job.
func (s *Site) job(name string) (JobTime, error) {
	j, ok := s.Jobs[name]
	if !ok {
		return j, fmt.Errorf("%w: site %s has no time for job %s: add jobs: %s: as_of: \"02:00\" to its %s", ErrNoJob, s.Name, name, name, siteFile)
	}
	return j, nil
}

// AsOf is the instant at which a job evaluates for a business date. It is ErrNoJob
// where the site does not run the job; of a job that runs by the month
// ErrNoMonthsEnd for another date than the last of one, and
// market.ErrOutsideCalendar where the calendar does not know its bill day.
func (s *Site) AsOf(job string, on market.Date) (time.Time, error) {
	night, err := s.NightOf(job, on)
	if err != nil {
		return time.Time{}, err
	}
	return night.At(s.Jobs[job].At, s.Zone), nil
}

// NightOf is the date of the night in which a business date is worked.
func (s *Site) NightOf(job string, on market.Date) (market.Date, error) {
	j, err := s.job(job)
	if err != nil || !j.Monthly {
		return on.AddDays(j.DaysAfter), err
	}
	period := market.Month(on)
	if on != period.Last() {
		return 0, fmt.Errorf("%s of %s at %s: %w: it runs for months, the business date of this one is %s", job, on, s.Name, ErrNoMonthsEnd, period.Last())
	}
	return s.BillDay(period)
}

// Has tells whether a day is a business date of a job.
func (s *Site) Has(job string, on market.Date) (bool, error) {
	j, err := s.job(job)
	switch {
	case err != nil:
		return false, err
	case j.Monthly:
		return on == market.Month(on).Last(), nil
	case j.Working:
		return s.Calendar.IsWorkingDay(on)
	}
	return true, nil
}

// Night is the business date of a job that is worked in the night of a date; ok
// is false where it works none in that night: another than the bill day of a
// month, or the night of a holiday.
func (s *Site) Night(job string, of market.Date) (on market.Date, ok bool, err error) {
	j, err := s.job(job)
	if err != nil {
		return 0, false, err
	}
	if !j.Monthly {
		on = of.AddDays(-j.DaysAfter)
		ok, err = s.Has(job, on)
		return on, ok, err
	}
	period := market.Month(of).Previous()
	day, err := s.BillDay(period)
	return period.Last(), err == nil && day == of, err
}

// DatesBetween are the business dates of a job from one to another, both of
// them included.
func (s *Site) DatesBetween(job string, from, to market.Date) (dates []market.Date, err error) {
	for on := from; on <= to; on++ {
		has, err := s.Has(job, on)
		if err != nil {
			return nil, err
		}
		if has {
			dates = append(dates, on)
		}
	}
	return dates, nil
}

// LastDue is the last business date of a job whose as-of has come by now.
func (s *Site) LastDue(job string, now time.Time) (on market.Date, err error) {
	on = market.DateOf(now, s.Zone)
	for range mostLooks {
		has, err := s.Has(job, on)
		if err != nil {
			return 0, err
		}
		if has {
			at, err := s.AsOf(job, on)
			if err != nil || !at.After(now) {
				return on, err
			}
		}
		on--
	}
	return 0, fmt.Errorf("find a business date of %s at %s before %s: there is none", job, s.Name, now.In(s.Zone).Format(time.DateOnly))
}

// NextWake is the first instant after now at which a job is woken: where its
// cron expression says so, else the as-of of its next business date. An hour
// that comes twice wakes it once, one that never comes when the clocks went on.
func (s *Site) NextWake(job string, now time.Time) (time.Time, error) {
	j, err := s.job(job)
	if err != nil {
		return time.Time{}, err
	}
	if j.wakes != nil {
		return nextCron(j.wakes, now, s.Zone), nil
	}
	on, err := s.LastDue(job, now)
	if err != nil {
		return time.Time{}, err
	}
	for range mostLooks {
		on++
		has, err := s.Has(job, on)
		if err != nil {
			return time.Time{}, err
		}
		if has {
			return s.AsOf(job, on)
		}
	}
	return time.Time{}, fmt.Errorf("find a business date of %s at %s after %s: there is none", job, s.Name, on)
}

// nextCron walks the local clock as if it never jumped, and asks the zone when
// each of its times is.
func nextCron(wakes cron.Schedule, now time.Time, zone *time.Location) time.Time {
	year, month, day := now.In(zone).Date()
	hour, minute, second := now.In(zone).Clock()
	wall := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	for {
		if wall = wakes.Next(wall); wall.IsZero() {
			return wall // the expression names no day that comes
		}
		at := market.TimeOfDay{Hour: wall.Hour(), Minute: wall.Minute(), Second: wall.Second()}
		if instant := market.DateOf(wall, time.UTC).At(at, zone); instant.After(now) {
			return instant
		}
	}
}

// DeadlineOf is the instant by which a job is to be done with a business date;
// zero where none is named. A deadline at or before the as-of is of the day after.
func (s *Site) DeadlineOf(job string, on market.Date) (time.Time, error) {
	j, err := s.job(job)
	if err != nil || j.Deadline == nil {
		return time.Time{}, err
	}
	return s.lateOf(job, on, *j.Deadline)
}

// NeedUntil is the instant after which a night does not begin by itself for
// want of a file.
func (s *Site) NeedUntil(job string, on market.Date, n Need) (time.Time, error) {
	return s.lateOf(job, on, n.Until)
}

// lateOf is the first instant after the as-of at which the local clock shows a
// time of day.
func (s *Site) lateOf(job string, on market.Date, at market.TimeOfDay) (time.Time, error) {
	night, err := s.NightOf(job, on)
	if err != nil {
		return time.Time{}, err
	}
	late := night.At(at, s.Zone)
	if !late.After(night.At(s.Jobs[job].At, s.Zone)) {
		late = (night + 1).At(at, s.Zone)
	}
	return late, nil
}

// JobsInOrder are the names of the site's jobs, each behind those that it waits
// for, and otherwise in the order of the names given.
func (s *Site) JobsInOrder(names []string) []string {
	var order []string
	var add func(name string)
	add = func(name string) {
		j, runs := s.Jobs[name]
		if !runs || slices.Contains(order, name) {
			return
		}
		for _, first := range j.After {
			if slices.Contains(names, first) {
				add(first)
			}
		}
		order = append(order, name)
	}
	for _, name := range names {
		add(name)
	}
	return order
}

// circle is a way from a job back to itself along what jobs wait for.
func (s *Site) circle(job string, way []string) []string {
	if i := slices.Index(way, job); i >= 0 {
		return append(slices.Clone(way[i:]), job)
	}
	for _, first := range s.Jobs[job].After {
		if c := s.circle(first, append(slices.Clone(way), job)); c != nil {
			return c
		}
	}
	return nil
}

func arrows(way []string) string { return strings.Join(way, " after ") }
