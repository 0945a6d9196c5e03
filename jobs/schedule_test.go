package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jonboulle/clockwork"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// abroad is an engine for a site in New York whose acceptance is due at the
// local time given.
func abroad(t *testing.T, s *storage.Store, asOf string) *jobs.Engine {
	t.Helper()
	const anyRule = "hit: first\nrules:\n  - {name: paid, when: happened(paid_for), then: %s, because: It is paid.}\notherwise: %s\n"
	files := fstest.MapFS{
		"site.yaml":       {Data: []byte("site: us\ncurrency: USD\ntime_zone: America/New_York\njobs:\n  acceptance: {as_of: \"" + asOf + "\"}\n")},
		"acceptance.yaml": {Data: []byte("ruleset: acceptance\nversion: 1\neffective: 2020-01-01\n" + fmt.Sprintf(anyRule, "accept", "wait"))},
		"reminders.yaml":  {Data: []byte("ruleset: reminders\nversion: 1\neffective: 2020-01-01\nhit: first\nrules:\n  - {name: cancelled, when: cancelled, then: quiet, because: It is cancelled.}\notherwise: quiet\n")},
	}
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return &jobs.Engine{Store: s, Book: book, Workers: 1, Build: "test"}
}

// watch runs schedules of one engine beside each other on a fake clock, and
// moves it forward half an hour at a time until the end.
func watch(t *testing.T, e *jobs.Engine, schedules int, from, to time.Time) {
	t.Helper()
	clock := clockwork.NewFakeClockAt(from)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, schedules)
	for range schedules {
		s := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler)}
		go func() { done <- s.Run(ctx) }()
	}
	for clock.Now().Before(to) {
		if err := clock.BlockUntilContext(t.Context(), schedules); err != nil {
			t.Fatal(err)
		}
		clock.Advance(30 * time.Minute)
	}
	if err := clock.BlockUntilContext(t.Context(), schedules); err != nil {
		t.Fatal(err)
	}
	stop()
	for range schedules {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// nights are the business dates that have a completed run, each with its as-of.
func nights(t *testing.T, s *storage.Store) (found []string) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(),
		`SELECT to_char(business_date, 'YYYY-MM-DD') || ' ' || to_char(as_of AT TIME ZONE 'UTC', 'HH24:MI') FROM runs WHERE state = 'completed' ORDER BY business_date`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		found = append(found, one)
	}
	return found
}

func TestOneRunADate(t *testing.T) {
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct {
		name, asOf, from, to string
		schedules            int
		want                 string
	}{
		{"the hour that comes twice in autumn", "01:30", "2024-11-02 04:00", "2024-11-05 04:00", 1,
			"[2024-11-01 05:30 2024-11-02 05:30 2024-11-03 05:30 2024-11-04 06:30]"},
		{"the hour that never comes in spring", "02:30", "2024-03-09 05:00", "2024-03-12 05:00", 1,
			"[2024-03-08 07:30 2024-03-09 07:30 2024-03-10 07:00 2024-03-11 06:30]"},
		{"two schedules on one database", "02:30", "2024-06-01 05:00", "2024-06-03 05:00", 2,
			"[2024-05-31 06:30 2024-06-01 06:30 2024-06-02 06:30]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := storagetest.New(t)
			watch(t, abroad(t, s, tt.asOf), tt.schedules, utc(tt.from), utc(tt.to))
			if got := fmt.Sprint(nights(t, s)); got != tt.want {
				t.Errorf("runs:\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

func TestAMissedNightIsCaughtUp(t *testing.T) {
	s := storagetest.New(t)
	e := abroad(t, s, "02:00")
	if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "us", On: date(t, "2024-06-01")}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 6, 4, 12, 0, 0, 0, time.UTC)
	watch(t, e, 1, at, at)
	if got := len(nights(t, s)); got != 4 {
		t.Errorf("%d nights, want those of June 1 to 4: %v", got, nights(t, s))
	}
	if n := count(t, s, `SELECT count(*) FROM documents`); n != 3 {
		t.Errorf("%d workbooks of 3 caught up nights", n)
	}
}

// stopper stops a schedule as soon as it tells of a completed run.
type stopper struct {
	slog.Handler
	stop func()
}

func (s stopper) Enabled(context.Context, slog.Level) bool { return true }
func (s stopper) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s stopper) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "run completed" {
		s.stop()
	}
	return nil
}

func TestANightThatIsDoneHasItsWorkbook(t *testing.T) {
	s := storagetest.New(t)
	e := abroad(t, s, "02:00")
	if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "us", On: date(t, "2024-06-01")}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	clock := clockwork.NewFakeClockAt(time.Date(2024, 6, 4, 12, 0, 0, 0, time.UTC))
	schedule := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clock, Log: slog.New(stopper{slog.DiscardHandler, stop})}
	if err := schedule.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := len(nights(t, s)); got != 2 {
		t.Errorf("stopped after the first of three missed nights there are %d nights, want 2", got)
	}
	if n := count(t, s, `SELECT count(*) FROM documents`); n != 1 {
		t.Errorf("the night that was caught up has %d workbooks", n)
	}
}

func TestAScheduleSaysWhatIsWrong(t *testing.T) {
	s := jobs.Schedule{Engine: abroad(t, nil, "02:00"), Sites: []string{"mars"}, Clock: clockwork.NewFakeClock(), Log: slog.New(slog.DiscardHandler)}
	if err := s.Run(t.Context()); err == nil {
		t.Error("a schedule of an unknown site ran")
	}
}
