package market

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// chinese is the calendar file that the product ships for the default site.
func chinese(t *testing.T) *Calendar {
	t.Helper()
	f, err := os.Open("../defaults/calendar.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := ParseCalendar("calendar.csv", f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func date(t *testing.T, text string) Date {
	t.Helper()
	d, err := ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A settlement is run on the 3rd of the month after, or on the next working day.
func TestTheThirdOrTheNextWorkingDay(t *testing.T) {
	c := chinese(t)
	for _, tt := range []struct{ name, third, run string }{
		{"a Saturday moves to a Sunday that is worked", "2024-02-03", "2024-02-04"},
		{"over Labour Day", "2024-05-03", "2024-05-06"},
		{"a Monday stays", "2024-06-03", "2024-06-03"},
		{"over a weekend", "2024-08-03", "2024-08-05"},
		{"over National Day", "2024-10-03", "2024-10-08"},
		{"over the Spring Festival", "2025-02-03", "2025-02-05"},
		{"over Labour Day of the year after", "2025-05-03", "2025-05-06"},
		{"over the eight days of 2025", "2025-10-03", "2025-10-09"},
		{"the Spring Festival of 2020 was made longer, the 3rd was worked", "2020-02-03", "2020-02-03"},
		{"over the nine days of 2026", "2026-02-15", "2026-02-24"},
	} {
		if got, err := c.OnOrAfter(date(t, tt.third)); err != nil || got != date(t, tt.run) {
			t.Errorf("%s: %s runs on %s (%v), want %s", tt.name, tt.third, got, err, tt.run)
		}
	}
}

func TestWorkingDaysAfterAnEvent(t *testing.T) {
	c := chinese(t)
	for _, tt := range []struct {
		name, from string
		n          int
		want       string
	}{
		{"an appeal of a Friday before a Saturday that is worked", "2024-05-10", 3, "2024-05-14"},
		{"a bill of 6 May is reviewed in 2 days", "2024-05-06", 2, "2024-05-08"},
		{"then countersigned in 8, a Saturday among them", "2024-05-08", 8, "2024-05-17"},
		{"then paid in 6", "2024-05-17", 6, "2024-05-27"},
		{"none is the day itself, worked or not", "2024-05-04", 0, "2024-05-04"},
		{"a holiday does not count as the first", "2024-05-01", 1, "2024-05-06"},
	} {
		if got, err := c.AddWorkingDays(date(t, tt.from), tt.n); err != nil || got != date(t, tt.want) {
			t.Errorf("%s: %d working days after %s is %s (%v), want %s", tt.name, tt.n, tt.from, got, err, tt.want)
		}
	}
}

// Each count was added up from the published notices: the days from Monday to
// Friday that are not worked, and the Saturdays and Sundays that are.
func TestEachYearOfTheShippedCalendar(t *testing.T) {
	c := chinese(t)
	for _, tt := range []struct{ year, working, makeUp int }{
		{2017, 249, 5}, {2018, 250, 7}, {2019, 250, 6}, {2020, 249, 6}, {2021, 250, 7},
		{2022, 249, 7}, {2023, 249, 7}, {2024, 251, 8}, {2025, 248, 5}, {2026, 248, 6},
	} {
		working, makeUp := 0, 0
		for d := NewDate(tt.year, 1, 1); d <= NewDate(tt.year, 12, 31); d++ {
			worked, err := c.IsWorkingDay(d)
			if err != nil {
				t.Fatal(err)
			}
			weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
			if worked {
				working++
			}
			if worked && weekend {
				makeUp++
			}
			if c.special[d] && !weekend {
				t.Errorf("%s is named a working day, and is one of the week anyway", d)
			}
		}
		if working != tt.working || makeUp != tt.makeUp {
			t.Errorf("%d has %d working days, %d of them on a weekend; want %d and %d", tt.year, working, makeUp, tt.working, tt.makeUp)
		}
	}
}

func TestNobodyGuessesHolidays(t *testing.T) {
	c := chinese(t)
	for _, text := range []string{"2016-12-31", "2027-01-01"} {
		_, err := c.IsWorkingDay(date(t, text))
		if !errors.Is(err, ErrOutsideCalendar) || !strings.Contains(err.Error(), "knows 2017 to 2026") {
			t.Errorf("is %s a working day: %v", text, err)
		}
	}
	if _, err := c.AddWorkingDays(date(t, "2026-12-31"), 1); !errors.Is(err, ErrOutsideCalendar) {
		t.Errorf("the working day after the last year: %v", err)
	}
}

func TestCalendarFilesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "names no day"},
		{"only a header", "date,day,name\n", "names no day"},
		{"another header", "day,date,name\n", "the header is"},
		{"a word that is neither", "date,day,name\n2024-01-01,off,New Year\n", `line 2: day "off" is neither`},
		{"a day twice", "date,day,name\n2024-01-01,holiday,a\n2024-01-01,workday,b\n", "line 3: 2024-01-01 stands there twice"},
		{"a day that does not exist", "date,day,name\n2023-02-29,holiday,a\n", "line 2: read date"},
		{"a field too many", "date,day,name\n2024-01-01,holiday,a,b\n", "wrong number of fields"},
	} {
		if _, err := ParseCalendar("c.csv", strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
