package jobs_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// What the doctor says of each trouble, and what to do about it. Those that need
// files or another database are tried by a script of the command.
func TestTheDoctorSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	s := storagetest.New(t)
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	book := changedDefaults(t, func(files fstest.MapFS) {
		files["site.yaml"].Data = []byte("site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\ncalendar: calendar.csv\njobs:\n" +
			"  acceptance: {as_of: \"02:00\"}\n  renewal: {as_of: \"03:00\"}\n  billing: {as_of: \"04:00\", needs: {usage: {files: 1, within: 1h, until: \"04:01\"}}}\n")
		files["calendar.csv"].Data = []byte("date,day,name\n" + now.Format("2006") + "-01-01,holiday,New Year\n")
	})
	e := &jobs.Engine{Store: s, Book: book, Workers: 1, Build: "test"}
	newYear := market.NewDate(now.Year()+1, 1, 2).At(market.TimeOfDay{}, time.UTC)
	sql := func(statement string) func() { return func() { exec(t, s, statement) } }
	halt := func(h storage.Halt) func() {
		return func() {
			if err := e.Halt(t.Context(), h); err != nil {
				t.Fatal(err)
			}
		}
	}
	ran := func(job string, daysAgo int) func() {
		return func() {
			mustRun(t, e, jobs.Request{Job: job, Site: "cn", On: market.DateOf(now, shanghai(t)).AddDays(-daysAgo)})
		}
	}
	on := market.DateOf(now, shanghai(t)).AddDays(-3).String()
	for _, tt := range []struct {
		name        string
		arrange     func()
		at          time.Time
		check       string
		grade, want string
	}{
		{"nothing ever ran", func() {}, now, "nights of cn", jobs.Good, "no job ever ran"},
		{"the clocks agree", func() {}, now, "clock", jobs.Good, "from the database's"},
		{"this one is some seconds ahead", func() {}, now.Add(10 * time.Second), "clock", jobs.BeAware, "ask the same time server"},
		{"this one is an hour behind", func() {}, now.Add(-time.Hour), "clock", jobs.Bad, "ask the same time server"},
		{"the coming months have no partitions", func() {}, now.AddDate(1, 0, 0), "partitions", jobs.BeAware, "`nightshift housekeeping`"},
		{"a file did not come", ran("billing", 3), now, "nights of cn", jobs.Bad, "its input did not come by"},
		{"and nights were missed", ran("acceptance", 3), now, "nights of cn", jobs.Bad, "acceptance is due for"},
		{"the calendar ends", func() {}, newYear.AddDate(0, 0, -10), "calendar of cn", jobs.BeAware, "add the year's holidays"},
		{"the calendar has ended", func() {}, newYear, "calendar of cn", jobs.Bad, "add the year's holidays"},
		{"somebody paused a job that is due", halt(storage.Halt{Site: "cn", Job: "acceptance", Actor: "ann", Because: "prices"}), now, "nights of cn", jobs.Bad, "it goes on with `nightshift runs resume acceptance`"},
		{"and lets it go on", halt(storage.Halt{Site: "cn", Job: "acceptance", Resumes: true, Actor: "ann", Because: "mended"}), now, "nights of cn", jobs.Bad, "start `nightshift serve`, or `nightshift night`"},
		{"candidates are set aside", sql(`INSERT INTO parked (job, site, subject, run_id, business_date, reason) VALUES ('renewal', 'cn', 1, 99, '2024-03-15', 'two currencies')`), now, "nights of cn", jobs.Bad, "1 of renewal are parked"},
		{"a run stopped, and nobody goes on", sql(`INSERT INTO runs (job, site, business_date, as_of, build, schema, policies, due, outcomes, state, failure, finished_at) VALUES ('renewal', 'cn', '` + on + `', now(), 'x', 1, '{}', 0, '{}', 'failed', 'too much was parked', now())`),
			now, "runs", jobs.Bad, "renewal of " + on + " at cn, is failed and nobody carries it"},
	} {
		tt.arrange()
		var said []string
		found := false
		for _, f := range e.Examine(t.Context(), tt.at) {
			said = append(said, f.Check+": "+f.Grade+": "+f.Says+" → "+f.Advice)
			found = found || f.Check == tt.check && f.Grade == tt.grade && strings.Contains(f.Says+f.Advice, tt.want)
		}
		if !found {
			t.Errorf("%s: %s is not %s with %q:\n%s", tt.name, tt.check, tt.grade, tt.want, strings.Join(said, "\n"))
		}
	}
}
