package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// A schedule does not begin a night whose files are not there, says so, begins it by
// itself when they are, and leaves it to a person when they did not come in time.
func TestAScheduledNightWaitsForItsFiles(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 10)
	e := timetabled(t, s, `  acceptance: {as_of: "02:00", deadline: "03:00", needs: {shipments: {files: 2, rows: 100, within: 12h, until: "04:00"}}}`+"\n")
	mustRun(t, e, request(t, "2024-03-14"))
	clock := clockwork.NewFakeClockAt(time.Date(2024, 3, 15, 1, 59, 0, 0, shanghai(t)))
	ctx, stop := context.WithCancel(t.Context())
	stood, done := make(chan error, 1000), make(chan error, 1)
	var said strings.Builder
	schedule := jobs.Schedule{Engine: e, Sites: []string{"cn"}, Clock: clock, Log: slog.New(slog.NewTextHandler(&said, nil)), Watch: standing{leading{make(chan bool, 10)}, stood}}
	go func() { done <- schedule.Run(ctx) }()
	until := func(day, hour, minute int) {
		t.Helper()
		for at := time.Date(2024, 3, day, hour, minute, 0, 0, shanghai(t)); ; {
			if err := clock.BlockUntilContext(t.Context(), 2); err != nil { // the heartbeat, and the alarm
				t.Fatal(err)
			}
			if !clock.Now().Before(at) {
				return
			}
			clock.Advance(5 * time.Minute)
		}
	}
	why := func(want error, words string) {
		t.Helper()
		var last error
		for len(stood) > 0 {
			last = <-stood
		}
		if !errors.Is(last, want) || !strings.Contains(last.Error(), words) {
			t.Errorf("at %s it does not begin because %v", clock.Now(), last)
		}
	}
	came := func(file string, rows int) {
		exec(t, s, `INSERT INTO imports (site, kind, file, sha256, added, changed, unchanged, rejected, at) VALUES ('cn', 'shipments', ?0, sha256(?0::bytea), ?1, 0, 0, 0, ?2)`, file, rows, clock.Now())
	}
	told := func() (all string) {
		t.Helper()
		messages, err := e.Messages(t.Context(), "cn", clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			all += m.Subject + "\n" + m.Text()
		}
		return all
	}
	until(15, 2, 10)
	why(jobs.ErrWaits, "0 of 2 files and 0 of 100 rows")
	came("half", 60)
	until(15, 3, 1)
	why(jobs.ErrWaits, "1 of 2 files and 60 of 100 rows")
	if got := told(); !strings.Contains(got, "acceptance of 2024-03-15 is not done by 2024-03-15 03:00") || !strings.Contains(got, "It does not begin: it waits for shipments: 1 of 2 files") {
		t.Errorf("people are told %q", got)
	}
	came("the other half", 40)
	until(15, 3, 10)
	if n := count(t, s, `SELECT count(*) FROM runs WHERE business_date = '2024-03-15' AND state = 'completed'`); n != 1 {
		t.Error("it did not begin when all had come")
	}
	until(16, 4, 10)
	why(jobs.ErrNoInput, "start `nightshift run acceptance --date 2024-03-16`")
	if got := told(); !strings.Contains(got, "night of 2024-03-16: 0 runs, a person is needed") || !strings.Contains(got, "acceptance of 2024-03-16 does not begin: its input did not come by 2024-03-16 04:00") {
		t.Errorf("people are told %q", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if log := said.String(); strings.Count(log, "the job does not begin before a person says so") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}
