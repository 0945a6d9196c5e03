package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"nightshift/rules/market"
)

const holidays = "date,day,name\n2024-02-12,holiday,Spring Festival\n2024-02-18,workday,Spring Festival\n2024-06-10,holiday,Dragon Boat\n2024-12-25,holiday,a day\n"

// timetabled is a site with the jobs that a text says.
func timetabled(t *testing.T, zone, jobs string) *Site {
	t.Helper()
	book, err := Load(directory(map[string]string{"site.yaml": "site: cn\ncurrency: CNY\ntime_zone: " + zone + "\ncalendar: days.csv\njobs:\n" + jobs, "days.csv": holidays}))
	if err != nil {
		t.Fatal(err)
	}
	return book.Sites()[0]
}

func TestTheTimetableSaysWhenEveryDateIsDecided(t *testing.T) {
	s := timetabled(t, "Asia/Shanghai", `  daily: {as_of: "02:00"}
  after: {as_of: "04:00", days_after: 1, deadline: "06:00"}
  late: {as_of: "23:00", deadline: "01:00"}
  working: {as_of: "09:00", days: working}
`)
	for _, tt := range []struct {
		name, job, on string
		asOf, by      string
	}{
		{"a daily job decides on its date", "daily", "2024-04-01", "2024-04-01 02:00", ""},
		{"and one for the day before in the night after it", "after", "2024-04-01", "2024-04-02 04:00", "2024-04-02 06:00"},
		{"a deadline before the as-of is of the day after", "late", "2024-04-01", "2024-04-01 23:00", "2024-04-02 01:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, err := s.AsOf(tt.job, on(tt.on))
			if err != nil || at.In(s.Zone).Format("2006-01-02 15:04") != tt.asOf {
				t.Errorf("as of %s %v, want %s", at.In(s.Zone), err, tt.asOf)
			}
			by, err := s.DeadlineOf(tt.job, on(tt.on))
			if err != nil || by.IsZero() != (tt.by == "") || !by.IsZero() && by.In(s.Zone).Format("2006-01-02 15:04") != tt.by {
				t.Errorf("by %s %v, want %q", by, err, tt.by)
			}
		})
	}
	for _, tt := range []struct {
		name, job, night, want string
	}{
		{"every night has its date", "daily", "2024-04-01", "2024-04-01 true"},
		{"which may be the day before", "after", "2024-04-01", "2024-03-31 true"},
		{"a holiday is no business date of a job of working days", "working", "2024-02-12", "2024-02-12 false"},
		{"a Sunday that is worked is one", "working", "2024-02-18", "2024-02-18 true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if date, works, err := s.Night(tt.job, on(tt.night)); err != nil || fmt.Sprint(date, works) != tt.want {
				t.Errorf("%v %v %v, want %s", date, works, err, tt.want)
			}
		})
	}
	if _, err := s.Has("working", on("2025-01-01")); !errors.Is(err, market.ErrOutsideCalendar) {
		t.Errorf("a day outside the calendar: %v", err)
	}
	if _, err := s.AsOf("daylie", on("2024-01-01")); !errors.Is(err, ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
}

func TestTheLastDateThatIsDueAndTheNextWake(t *testing.T) {
	s := timetabled(t, "Asia/Shanghai", `  daily: {as_of: "02:00"}
  often: {as_of: "02:00", wake: "*/15 2-3 * * 1-5"}
`)
	for _, tt := range []struct{ job, now, last, next string }{
		{"daily", "2024-04-01 01:59:59", "2024-03-31", "2024-04-01 02:00"},
		{"daily", "2024-04-01 02:00:00", "2024-04-01", "2024-04-02 02:00"},
		{"often", "2024-04-05 03:45:00", "2024-04-05", "2024-04-08 02:00"}, // Friday's last, Monday's first
		{"often", "2024-04-08 02:14:59", "2024-04-08", "2024-04-08 02:15"},
	} {
		now, err := time.ParseInLocation(time.DateTime, tt.now, s.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if last, err := s.LastDue(tt.job, now); err != nil || last.String() != tt.last {
			t.Errorf("%s at %s: the last is %s %v, want %s", tt.job, tt.now, last, err, tt.last)
		}
		if next, err := s.NextWake(tt.job, now); err != nil || next.In(s.Zone).Format("2006-01-02 15:04") != tt.next {
			t.Errorf("%s at %s: woken next at %s %v, want %s", tt.job, tt.now, next, err, tt.next)
		}
	}
}

// TestEveryChangeOfTheClocks walks through each one of 2000 to 2037, forward and
// back, with alarms before, in and after the hour that is missing or comes twice.
func TestEveryChangeOfTheClocks(t *testing.T) {
	for _, zone := range []string{"America/New_York", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		forward, back := 0, 0
		end := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
		_, next := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).In(place).ZoneBounds()
		for ; !next.IsZero() && next.Before(end); _, next = next.ZoneBounds() {
			_, before := next.Add(-time.Second).Zone()
			_, after := next.Zone()
			if after > before {
				forward++
			} else {
				back++
			}
			for _, minutes := range []int{-45, 0, 15, 45, 75} {
				at := next.Add(time.Duration(minutes)*time.Minute + time.Duration(before-after)*time.Second) // on the clock before the change
				walkClocks(t, place, next, at.In(place).Format("15:04"))
			}
		}
		if forward == 0 || back == 0 {
			t.Errorf("%s: the clocks went forward %d times and back %d times", zone, forward, back)
		}
	}
}

// walkClocks is woken for some days around a change: by the as-of, and by a
// cron expression for the same time. Each date becomes due at one wake, at its
// own as-of, in order.
func walkClocks(t *testing.T, zone *time.Location, change time.Time, clock string) {
	t.Helper()
	at, err := market.ParseTimeOfDay(clock)
	if err != nil {
		t.Fatal(err)
	}
	byAsOf := JobTime{At: at, DaysAfter: 1}
	byCron := byAsOf
	if byCron.wakes, err = cron.ParseStandard(fmt.Sprintf("%d %d * * *", at.Minute, at.Hour)); err != nil {
		t.Fatal(err)
	}
	for name, j := range map[string]JobTime{"as-of": byAsOf, "cron": byCron} {
		s := &Site{Name: "x", Zone: zone, Jobs: map[string]JobTime{"job": j}}
		at := change.Add(-72 * time.Hour)
		last, err := s.LastDue("job", at)
		if err != nil {
			t.Fatal(err)
		}
		for at.Before(change.Add(72 * time.Hour)) {
			wake, err := s.NextWake("job", at)
			if err != nil || !wake.After(at) || wake.Sub(at) > 72*time.Hour {
				t.Fatalf("%s %s by %s: after %s woken at %s: %v", zone, clock, name, at, wake, err)
			}
			due, err := s.LastDue("job", wake)
			if err != nil || due != last+1 {
				t.Fatalf("%s %s by %s: woken at %s the last date is %s, want %s: %v", zone, clock, name, wake.In(zone), due, last+1, err)
			}
			if asOf, err := s.AsOf("job", due); err != nil || !asOf.Equal(wake) || market.DateOf(wake, zone) != due+1 {
				t.Fatalf("%s %s by %s: %s is decided at %s, woken at %s: %v", zone, clock, name, due, asOf.In(zone), wake.In(zone), err)
			}
			at, last = wake, due
		}
	}
}

func TestATimetableSaysWhatIsWrongAndWhere(t *testing.T) {
	const head = "site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\njobs:\n"
	for _, tt := range []struct{ name, jobs, want string }{
		{"a cron expression of four fields", "  a: {as_of: \"02:00\", wake: \"30 2 * *\"}\n", `site.yaml:5:29: wake "30 2 * *" is not a cron expression`},
		{"a cron expression of a day that never comes", "  a: {as_of: \"02:00\", wake: \"0 2 31 2 *\"}\n", `site.yaml:5:29: wake "0 2 31 2 *" names a day that never comes`},
		{"a cron expression with a clock of its own", "  a: {as_of: \"02:00\", wake: \"TZ=UTC 0 2 * * *\"}\n", "the clock is that of the site"},
		{"a job that nobody runs", "  billing: {as_of: \"02:00\"}\n  b: {as_of: \"02:00\", after: [biling]}\n", "site.yaml:6:31: job b waits for biling, which the site does not run, did you mean billing?"},
		{"jobs that wait for each other", "  a: {as_of: \"02:00\", after: [b]}\n  b: {as_of: \"02:00\", after: [a]}\n", "site.yaml:5:30: jobs wait for each other: a after b after a"},
		{"working days without a calendar", "  a: {as_of: \"02:00\", days: working}\n", "site.yaml:5:29: job a asks for working days, and the site has no calendar"},
		{"a misspelt kind of days", "  a: {as_of: \"02:00\", days: workday}\n", `days cannot be "workday", use each or working`},
		{"a misspelt way to catch up", "  a: {as_of: \"02:00\", catch_up: onec}\n", `catch_up cannot be "onec", use each or once`},
		{"a limit of what is caught up once", "  a: {as_of: \"02:00\", catch_up: once, catch_up_most: 3}\n", "site.yaml:5:54: catch_up_most is of nights that are caught up one by one"},
		{"a deadline that is no time of day", "  a: {as_of: \"02:00\", deadline: 6h}\n", "site.yaml:5:33: read time of day"},
		{"a need without an end", "  a: {as_of: \"02:00\", needs: {usage: {files: 1}}}\n", "need usage has no until, add until:"},
		{"a need of no length of time", "  a: {as_of: \"02:00\", needs: {usage: {within: yesterday, until: \"03:00\"}}}\n", "within is not a length of time"},
		{"fewer at most than at least", "  a: {as_of: \"02:00\", needs: {usage: {rows: 10, most_rows: 9, until: \"03:00\"}}}\n", "need usage asks for 10 rows at least and 9 at most"},
		{"a word for how many", "  a: {as_of: \"02:00\", needs: {usage: {rows: many, until: \"03:00\"}}}\n", `rows "many" is not a whole number from 0 to 1000000000`},
		{"an overlap that is neither", "  a: {as_of: \"02:00\", overlap: both}\n", `overlap cannot be "both"`},
		{"a key that is not there", "  a: {as_of: \"02:00\", deadlin: \"06:00\"}\n", "job a has no key deadlin, did you mean deadline?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(directory(map[string]string{"site.yaml": head + tt.jobs}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestJobsStandBehindThoseTheyWaitFor(t *testing.T) {
	s := timetabled(t, "UTC", "  a: {as_of: \"01:00\", after: [c]}\n  b: {as_of: \"01:00\"}\n  c: {as_of: \"01:00\", after: [b]}\n")
	if got := s.JobsInOrder([]string{"a", "b", "c", "d"}); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("%v", got)
	}
}
