package rules

import (
	"errors"
	"testing"

	"nightshift/rules/market"
)

// TestBillDays: a month is settled on the 3rd of the next or the working day after
// it, until 2019 on the 7th whatever day that was, elsewhere on the 7th
// (examples D1 and D2 of the rule book).
func TestBillDays(t *testing.T) {
	book := defaultBook(t)
	for _, tt := range []struct{ name, site, period, want string }{
		{"the 3rd is a make-up Saturday, worked on the Sunday after it", "cn", "202401", "2024-02-04"},
		{"the holiday of May", "cn", "202404", "2024-05-06"},
		{"a usual Monday", "cn", "202405", "2024-06-03"},
		{"a Saturday", "cn", "202407", "2024-08-05"},
		{"the holiday of October", "cn", "202409", "2024-10-08"},
		{"the Spring Festival", "cn", "202501", "2025-02-05"},
		{"the holiday of May a year later", "cn", "202504", "2025-05-06"},
		{"a long holiday of October", "cn", "202509", "2025-10-09"},
		{"a Monday of 2020 that was worked", "cn", "202001", "2020-02-03"},
		{"the 7th, within the Spring Festival, while bills were made on the 7th", "cn", "201901", "2019-02-07"},
		{"the last month of the 7th", "cn", "201911", "2019-12-07"},
		{"the first of the 3rd", "cn", "202001", "2020-02-03"},
		{"abroad on the 7th, a Sunday", "intl", "202403", "2024-04-07"},
		{"in Brazil on the 7th", "br", "201712", "2018-01-07"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site, err := book.Site(tt.site)
			if err != nil {
				t.Fatal(err)
			}
			period, err := market.ParsePeriod(tt.period)
			if err != nil {
				t.Fatal(err)
			}
			got, err := site.BillDay(period)
			if err != nil || got.String() != tt.want {
				t.Errorf("settled on %s, %v; want %s", got, err, tt.want)
			}
			on, works, err := site.Night("settlement", got)
			if err != nil || !works || on != period.Last() {
				t.Errorf("the night of %s settles %s, %t, %v; want the month that ends on %s", got, on, works, err, period.Last())
			}
			if _, works, err := site.Night("settlement", got-1); works || err != nil {
				t.Errorf("the night before settles something: %t, %v", works, err)
			}
		})
	}
}

func TestAMonthNeedsACalendarAndItsLastDay(t *testing.T) {
	site, err := defaultBook(t).Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.BillDay(market.PeriodNumbered(202612)); !errors.Is(err, market.ErrOutsideCalendar) {
		t.Errorf("the bill day of 202612, which is in 2027: %v, want ErrOutsideCalendar", err)
	}
	if _, err := site.AsOf("settlement", market.NewDate(2024, 5, 30)); !errors.Is(err, ErrNoMonthsEnd) {
		t.Errorf("settlement of a day within a month: %v, want ErrNoMonthsEnd", err)
	}
	if _, err := site.AsOf("laundry", market.NewDate(2024, 5, 31)); !errors.Is(err, ErrNoJob) {
		t.Errorf("a job that the site does not run: %v, want ErrNoJob", err)
	}
}

func TestBusinessDatesFollowEachOther(t *testing.T) {
	site, err := defaultBook(t).Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	day := func(text string) market.Date {
		d, err := market.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tt := range []struct{ name, job, date, after string }{
		{"days of a daily job", "acceptance", "2024-05-31", "2024-06-01"},
		{"months, from within one", "settlement", "2024-05-15", "2024-05-31"},
		{"months, from the last day of one", "settlement", "2024-05-31", "2024-06-30"},
		{"months, from the first day of one", "settlement", "2024-03-01", "2024-03-31"},
	} {
		if got := site.DateAfter(tt.job, day(tt.date)); got.String() != tt.after {
			t.Errorf("%s: after %s is %s, want %s", tt.name, tt.date, got, tt.after)
		}
	}
}
