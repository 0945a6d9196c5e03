package jobs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// changedDefaults are the rules of the default site with some of its files changed.
func changedDefaults(t testing.TB, change func(files fstest.MapFS)) *rules.Book {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(rules.Defaults(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "/") {
			return err
		}
		text, err := fs.ReadFile(rules.Defaults(), name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	change(files)
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// timetabled is an engine on the default rules with a timetable of its own.
func timetabled(t testing.TB, s *storage.Store, timetable string) *jobs.Engine {
	t.Helper()
	book := changedDefaults(t, func(files fstest.MapFS) {
		files["site.yaml"].Data = []byte("site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\ncalendar: calendar.csv\njobs:\n" + timetable)
	})
	return &jobs.Engine{Store: s, Book: book, Workers: 2, Build: "test"}
}

// graph is three jobs: renewal stands alone, billing on acceptance.
const graph = `  acceptance: {as_of: "02:00"}
  renewal: {as_of: "03:00", catch_up: once}
  billing: {as_of: "04:00", days_after: 1, after: [acceptance], catch_up_most: 3}
`

// aNight works the night of a date, and answers which runs came to their end.
func aNight(t testing.TB, e *jobs.Engine, of string) (ran []string, err error) {
	t.Helper()
	on := date(t, of)
	err = e.Night(t.Context(), "cn", on, on.At(market.TimeOfDay{Hour: 8}, shanghai(t)), func(r jobs.Result) {
		ran = append(ran, r.Run.Job+" "+r.Run.On.String())
	})
	return ran, err
}

func TestAFailedJobStopsWhatWaitsForItAndNothingElse(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 100)
	e := timetabled(t, s, graph)
	e.ParkLimit = 1
	storagetest.AsOwner(t, s, `ALTER TABLE completions ADD CONSTRAINT nothing CHECK (false) NOT VALID`)
	ran, err := aNight(t, e, "2024-03-15")
	if fmt.Sprint(ran) != "[renewal 2024-03-15]" {
		t.Errorf("came to their end: %v", ran)
	}
	var failures jobs.Failures
	if !errors.As(err, &failures) || len(failures) != 2 || !errors.Is(failures[0], jobs.ErrParkLimit) || !errors.Is(failures[1], jobs.ErrWaits) ||
		!strings.Contains(err.Error(), "billing of 2024-03-14 at cn: it waits for acceptance of 2024-03-15, which is not completed") {
		t.Errorf("the night says %v", err)
	}
	storagetest.AsOwner(t, s, `ALTER TABLE completions DROP CONSTRAINT nothing`)
	if _, err := e.Requeue(t.Context(), "acceptance", "cn", nil, "ann"); err != nil {
		t.Fatal(err)
	}
	if ran, err = aNight(t, e, "2024-03-15"); err != nil || fmt.Sprint(ran) != "[acceptance 2024-03-15 renewal 2024-03-15 billing 2024-03-14]" {
		t.Errorf("after it was mended: %v, %v", ran, err)
	}
}

func TestNothingIsBuiltOnARunThatDoesNotTie(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 100)
	e := timetabled(t, s, graph)
	mustRun(t, e, request(t, "2024-03-15"))
	storagetest.AsOwner(t, s, `UPDATE runs SET decisions = decisions + 1`)
	ran, err := aNight(t, e, "2024-03-15")
	if fmt.Sprint(ran) != "[acceptance 2024-03-15 renewal 2024-03-15]" || !errors.Is(err, jobs.ErrControl) || !strings.Contains(err.Error(), "decisions and left") {
		t.Errorf("%v, %v", ran, err)
	}
}

func TestANightWaitsForItsFilesUntilALimit(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 10)
	e := timetabled(t, s, `  acceptance: {as_of: "02:00", needs: {shipments: {files: 2, rows: 100, within: 12h, until: "06:00"}}}`+"\n")
	asOf := time.Date(2024, 3, 15, 2, 0, 0, 0, shanghai(t))
	attempt := func(after time.Duration) (string, error) {
		ran := ""
		err := e.CatchUp(t.Context(), "acceptance", "cn", asOf.Add(after), func(r market.Run) { ran = r.On.String() })
		return ran, err
	}
	came := func(file string, rows int, at time.Time) {
		exec(t, s, `INSERT INTO imports (site, kind, file, sha256, added, changed, unchanged, rejected, at) VALUES ('cn', 'shipments', ?0, sha256(?0::bytea), ?1, 0, 0, 0, ?2)`, file, rows, at)
	}
	came("yesterday", 1000, asOf.Add(-13*time.Hour))
	_, err := attempt(0)
	if !errors.Is(err, jobs.ErrWaits) || !strings.Contains(err.Error(), "shipments: 0 of 2 files and 0 of 100 rows were taken in since 2024-03-14 14:00: it begins by itself when they are there, until 2024-03-15 06:00") {
		t.Errorf("without a file: %v", err)
	}
	came("first half", 60, asOf.Add(time.Minute))
	came("first half", 60, asOf.Add(2*time.Minute)) // the same file again
	if _, err := attempt(time.Hour); !errors.Is(err, jobs.ErrWaits) || !strings.Contains(err.Error(), "1 of 2 files and 60 of 100 rows") {
		t.Errorf("with half of it: %v", err)
	}
	if _, err := attempt(4*time.Hour + time.Second); !errors.Is(err, jobs.ErrNoInput) || !strings.Contains(err.Error(), "start `nightshift run acceptance --date 2024-03-15`") {
		t.Errorf("too late: %v", err)
	}
	came("the next night's", 1000, asOf.Add(4*time.Hour+time.Minute))
	if _, err := attempt(5 * time.Hour); !errors.Is(err, jobs.ErrNoInput) || !strings.Contains(err.Error(), "1 of 2 files") {
		t.Errorf("with a file that came after the deadline: %v", err)
	}
	came("second half", 40, asOf.Add(90*time.Minute))
	strict := timetabled(t, s, `  acceptance: {as_of: "02:00", needs: {shipments: {files: 2, most_files: 2, most_rows: 99, within: 12h, until: "06:00"}}}`+"\n")
	err = strict.CatchUp(t.Context(), "acceptance", "cn", asOf.Add(2*time.Hour), func(market.Run) {})
	if !errors.Is(err, jobs.ErrTooMuch) || !strings.Contains(err.Error(), "2 files with 100 rows were taken in since 2024-03-14 14:00, and 2 files with 99 rows are expected at most: see whether one came twice; `nightshift run acceptance --date 2024-03-15` goes on with them") {
		t.Errorf("with more than there should be: %v", err)
	}
	if ran, err := attempt(2 * time.Hour); err != nil || ran != "2024-03-15" {
		t.Errorf("with all of it: %q, %v", ran, err)
	}
}

func TestAPausedJobDoesNotBeginUntilSomebodyLetsItGoOn(t *testing.T) {
	s := storagetest.New(t)
	e := timetabled(t, s, graph)
	say := func(h storage.Halt) {
		t.Helper()
		if err := e.Halt(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	say(storage.Halt{Site: "cn", Job: "acceptance", Actor: "ann", Because: "the feed is being mended"})
	ran, err := aNight(t, e, "2024-03-15")
	if fmt.Sprint(ran) != "[renewal 2024-03-15]" || !errors.Is(err, jobs.ErrPaused) || !errors.Is(err, jobs.ErrWaits) || !strings.Contains(err.Error(), "acceptance at cn is paused by ann since") {
		t.Errorf("paused: %v, %v", ran, err)
	}
	if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15"), Actor: "bob"}); !errors.Is(err, jobs.ErrPaused) {
		t.Errorf("started by name while the job is paused: %v", err)
	}
	if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15"), DryRun: true}); err != nil {
		t.Errorf("a dry run while the job is paused: %v", err)
	}
	say(storage.Halt{Site: "cn", Actor: "ann", Because: "the whole site is moved"})
	say(storage.Halt{Site: "cn", Job: "acceptance", Resumes: true, Actor: "bob", Because: "mended"})
	if ran, err := aNight(t, e, "2024-03-15"); len(ran) != 0 || !strings.Contains(err.Error(), "every job at cn is paused by ann") {
		t.Errorf("the site is paused: %v, %v", ran, err)
	}
	say(storage.Halt{Site: "cn", Resumes: true, Actor: "bob", Because: "moved"})
	if ran, err := aNight(t, e, "2024-03-15"); err != nil || len(ran) != 3 {
		t.Errorf("resumed: %v, %v", ran, err)
	}
	for _, wrong := range []storage.Halt{{Site: "cn", Job: "acceptance", Because: "so"}, {Site: "cn", Actor: "ann"}, {Site: "cn", Job: "bling", Actor: "ann", Because: "so"}, {Site: "xx", Actor: "ann", Because: "so"}} {
		if err := e.Halt(t.Context(), wrong); !errors.Is(err, jobs.ErrBadRequest) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// A run that is asked to stop, from anywhere, stops after the chunk that is being
// carried, stays where it is, and goes on to the same end when it is started.
func TestARunStopsAtTheNextChunkAndGoesOnWhenItIsStarted(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 500)
	e := timetabled(t, s, graph)
	e.Workers, e.ChunkSize = 1, 50
	e.Progress = func(p jobs.Progress) {
		if p.Done == 100 {
			if err := e.Halt(t.Context(), storage.Halt{Site: "cn", Job: "acceptance", On: p.On, Actor: "ann", Because: "the rules are wrong"}); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := e.Run(t.Context(), request(t, "2024-03-15"))
	if !errors.Is(err, jobs.ErrPaused) || !strings.Contains(err.Error(), "acceptance of 2024-03-15 at cn is paused by ann") {
		t.Fatalf("asked to stop: %v", err)
	}
	if n := count(t, s, `SELECT candidates FROM runs WHERE state = 'failed' AND failure LIKE '%the rules are wrong%'`); n != 100 {
		t.Errorf("it stopped after %d candidates", n)
	}
	now := time.Date(2024, 3, 15, 5, 0, 0, 0, shanghai(t))
	if err := e.CatchUp(t.Context(), "acceptance", "cn", now, func(market.Run) { t.Error("the schedule went on with it") }); !errors.Is(err, jobs.ErrPaused) {
		t.Errorf("the schedule: %v", err)
	}
	e.Progress = nil
	again := request(t, "2024-03-15")
	again.Actor = "bob"
	result, err := e.Run(t.Context(), again)
	if err != nil || result.Run.Candidates != 500 {
		t.Errorf("started again: %+v, %v", result.Run, err)
	}
	if n := count(t, s, `SELECT count(*) FROM halts WHERE act = 'resume' AND actor = 'bob' AND business_date = '2024-03-15'`); n != 1 {
		t.Errorf("%d acts say who started it again", n)
	}
}

func TestMoreMissedNightsThanAreCaughtUpWaitForAPerson(t *testing.T) {
	s := storagetest.New(t)
	e := timetabled(t, s, graph)
	billing := jobs.Request{Job: "billing", Site: "cn", On: date(t, "2024-03-01")}
	mustRun(t, e, billing)
	now := time.Date(2024, 3, 6, 5, 0, 0, 0, shanghai(t))
	if _, err := aNight(t, e, "2024-03-06"); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `DELETE FROM shards`)
	storagetest.AsOwner(t, s, `DELETE FROM runs WHERE job = 'billing' AND business_date > '2024-03-01'`)
	var ran []string
	each := func(r market.Run) { ran = append(ran, r.On.String()) }
	err := e.CatchUp(t.Context(), "billing", "cn", now, each)
	if !errors.Is(err, jobs.ErrManyMissed) || !strings.Contains(err.Error(), "4 nights from 2024-03-02 to 2024-03-05, more than the 3") || !strings.Contains(err.Error(), "nightshift backfill billing --from 2024-03-02 --to 2024-03-05") {
		t.Errorf("%v", err)
	}
	if err := e.Backfill(t.Context(), "billing", "cn", date(t, "2024-03-02"), date(t, "2024-03-02"), func(jobs.Result) {}); err != nil {
		t.Fatal(err)
	}
	if err := e.CatchUp(t.Context(), "billing", "cn", now, each); err != nil || fmt.Sprint(ran) != "[2024-03-03 2024-03-04 2024-03-05]" {
		t.Errorf("%v, %v", ran, err)
	}
}

// Missed nights go one after the other, each with its jobs in order, so that a late
// night finds what a punctual one found; a job that is stuck stops what waits for it.
func TestMissedNightsAreMadeUpForOneAfterTheOther(t *testing.T) {
	s := storagetest.New(t)
	e := timetabled(t, s, graph)
	if _, err := aNight(t, e, "2024-03-02"); err != nil {
		t.Fatal(err)
	}
	var ran []string
	each := func(r market.Run) { ran = append(ran, r.Job+" "+r.On.String()[8:]) }
	now := time.Date(2024, 3, 5, 2, 30, 0, 0, shanghai(t))
	if err := e.MakeUp(t.Context(), "billing", "cn", now, each); err != nil || fmt.Sprint(ran) != "[acceptance 03 billing 02 acceptance 04 renewal 04 billing 03]" {
		t.Errorf("%v, %v", ran, err)
	}
	if err := e.Halt(t.Context(), storage.Halt{Site: "cn", Job: "acceptance", Actor: "ann", Because: "the feed is being mended"}); err != nil {
		t.Fatal(err)
	}
	ran, now = nil, now.AddDate(0, 0, 2)
	if err := e.MakeUp(t.Context(), "renewal", "cn", now, each); err != nil || fmt.Sprint(ran) != "[renewal 06]" {
		t.Errorf("acceptance is paused: %v, %v", ran, err)
	}
	if err := e.MakeUp(t.Context(), "billing", "cn", now, each); !errors.Is(err, jobs.ErrWaits) {
		t.Errorf("billing behind it: %v", err)
	}
}

func TestADayThatIsNoBusinessDateIsNotRun(t *testing.T) {
	e := timetabled(t, storagetest.New(t), "  settlement: {as_of: \"05:00\", every: month}\n")
	if _, err := e.Run(t.Context(), jobs.Request{Job: "settlement", Site: "cn", On: date(t, "2024-03-15")}); err == nil || !strings.Contains(err.Error(), "not the last day of a month") {
		t.Errorf("%v", err)
	}
	for clock, want := range map[string]string{"2025-06-03 05:00": "[2025-05-31]", "2025-06-03 04:59": "[2025-04-30]"} {
		at, err := time.ParseInLocation("2006-01-02 15:04", clock, shanghai(t))
		if err != nil {
			t.Fatal(err)
		}
		if dates, err := e.DueDates(t.Context(), "settlement", "cn", at); err != nil || fmt.Sprint(dates) != want {
			t.Errorf("at %s are due %v %v, want %s", clock, dates, err, want)
		}
	}
}
