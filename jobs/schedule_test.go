package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jonboulle/clockwork"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
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
// moves it forward by steps until the end. A schedule that leads waits for its
// alarm and its heartbeat, one that stands by for its next question.
func watch(t *testing.T, e *jobs.Engine, schedules int, from, to time.Time) {
	t.Helper()
	clock := clockwork.NewFakeClockAt(from)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, schedules)
	for range schedules {
		s := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler)}
		go func() { done <- s.Run(ctx) }()
	}
	idle := func() {
		if err := clock.BlockUntilContext(t.Context(), schedules+1); err != nil {
			t.Fatal(err)
		}
	}
	for clock.Now().Before(to) {
		idle()
		clock.Advance(30 * time.Minute)
	}
	idle()
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

// said tells a test of every time that a schedule says something.
type said struct {
	slog.Handler
	what string
	tell func()
}

func (s said) Enabled(context.Context, slog.Level) bool { return true }
func (s said) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s said) Handle(_ context.Context, r slog.Record) error {
	if r.Message == s.what {
		s.tell()
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
	schedule := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clock, Log: slog.New(said{slog.DiscardHandler, "run completed", stop})}
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

// wall is a clock that somebody sets: its hands jump, its timers do not.
type wall struct {
	*clockwork.FakeClock
	set atomic.Int64 // seconds
}

func (w *wall) Now() time.Time {
	return w.FakeClock.Now().Add(time.Duration(w.set.Load()) * time.Second)
}

// leading tells a test who leads.
type leading struct{ told chan bool }

func (l leading) Leads(_ string, leads bool)                         { l.told <- leads }
func (leading) Completed(context.Context, market.Run)                {}
func (leading) Stood(context.Context, string, string, error)         {}
func (leading) Woken(string, string, time.Duration, error)           {}
func (leading) Tick(_ context.Context, _ *rules.Site, now time.Time) {}

func TestAClockThatIsSetRunsEachDateOnce(t *testing.T) {
	s := storagetest.New(t)
	clock := &wall{FakeClock: clockwork.NewFakeClockAt(time.Date(2024, 6, 3, 12, 0, 0, 0, time.UTC))}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	schedule := jobs.Schedule{Engine: abroad(t, s, "02:00"), Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- schedule.Run(ctx) }()
	for _, tt := range []struct {
		name string
		set  time.Duration
		want string
	}{
		{"the night of the start", 0, "[2024-06-03 06:00]"},
		{"set forward by a day and a half, the nights between are due", 36 * time.Hour, "[2024-06-03 06:00 2024-06-04 06:00]"},
		{"set back again, nothing is", 0, "[2024-06-03 06:00 2024-06-04 06:00]"},
		{"set forward again, still nothing", 36 * time.Hour, "[2024-06-03 06:00 2024-06-04 06:00]"},
		{"set forward by three days", 72 * time.Hour, "[2024-06-03 06:00 2024-06-04 06:00 2024-06-05 06:00 2024-06-06 06:00]"},
	} {
		clock.set.Store(int64(tt.set / time.Second))
		for range 3 { // heartbeats, of which the first may be older than the new time
			if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			clock.Advance(2 * time.Second)
		}
		for asked := 0; asked < 20_000 && fmt.Sprint(nights(t, s)) != tt.want; asked++ { // what was woken works on by itself
		}
		if got := fmt.Sprint(nights(t, s)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The leader's connection is cut, as a machine that dies has it cut: another
// schedule leads after its next question.
func TestAnotherScheduleTakesOverWhenTheLeadIsLost(t *testing.T) {
	s := storagetest.New(t)
	e := abroad(t, s, "02:00")
	clock := clockwork.NewFakeClockAt(time.Date(2024, 6, 3, 12, 0, 0, 0, time.UTC))
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan bool, 100)
	done := make(chan error, 2)
	for range 2 {
		schedule := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler), Watch: leading{told}}
		go func() { done <- schedule.Run(ctx) }()
	}
	if !<-told {
		t.Fatal("nobody leads")
	}
	for range 3 {
		storagetest.AsOwner(t, s, `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database() AND locktype = 'advisory' AND granted AND pid <> pg_backend_pid()`)
		for lost, led := 0, 0; lost < 1 || led < 1; { // the new one may lead before the old one knows
			select {
			case leads := <-told:
				if leads {
					led++
				} else {
					lost++
				}
			default:
				clock.Advance(2 * time.Second)
				nights(t, s) // takes a moment, in which schedules can do something
			}
		}
	}
	stop()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A run that somebody else carries is asked for again within seconds: he may die.
func TestARunThatSomebodyElseLeavesIsTakenUpWithinSeconds(t *testing.T) {
	s := storagetest.New(t)
	release, free, err := s.Exclusive(t.Context(), "run/acceptance/us/2024-06-03")
	if err != nil || !free {
		t.Fatal(free, err)
	}
	clock := clockwork.NewFakeClockAt(time.Date(2024, 6, 3, 12, 0, 0, 0, time.UTC))
	ctx, stop := context.WithCancel(t.Context())
	left, done := make(chan struct{}, 10), make(chan error, 1)
	schedule := jobs.Schedule{Engine: abroad(t, s, "02:00"), Sites: []string{"us"}, Clock: clock, Log: slog.New(said{slog.DiscardHandler, "left to somebody else", func() { left <- struct{}{} }})}
	go func() { done <- schedule.Run(ctx) }()
	<-left
	release()
	for passed := time.Duration(0); len(nights(t, s)) == 0; passed += time.Second {
		if passed > 10*time.Second {
			t.Fatal("nobody took it up")
		}
		if err := clock.BlockUntilContext(t.Context(), 2); err != nil { // the heartbeat, and the alarm
			t.Fatal(err)
		}
		clock.Advance(time.Second)
		for asked := 0; asked < 200 && len(nights(t, s)) == 0; asked++ { // takes a moment, in which what was woken works
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A machine whose clock is ahead begins nothing that has not come by the
// database's; what has come by both is run.
func TestAClockThatIsAheadOfTheDatabasesBeginsNothing(t *testing.T) {
	s := storagetest.New(t)
	e := abroad(t, s, "02:00")
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	yesterday := market.DateOf(now.Add(-30*time.Hour), time.UTC)
	mustRun(t, e, jobs.Request{Job: "acceptance", Site: "us", On: yesterday})
	stood := make(chan error, 10)
	ctx, stop := context.WithCancel(t.Context())
	schedule := jobs.Schedule{Engine: e, Sites: []string{"us"}, Clock: clockwork.NewFakeClockAt(now.Add(72 * time.Hour)), Log: slog.New(slog.DiscardHandler), Watch: standing{leading{make(chan bool, 10)}, stood}}
	done := make(chan error, 1)
	go func() { done <- schedule.Run(ctx) }()
	if err := <-stood; !errors.Is(err, jobs.ErrClock) || !strings.Contains(err.Error(), "ahead of the database's by 72h0m0s") {
		t.Errorf("%v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if late := count(t, s, `SELECT count(*) FROM runs WHERE as_of > now()`); late != 0 {
		t.Errorf("%d runs looked at what has not come", late)
	}
}

// standing tells a test why a job did not begin.
type standing struct {
	leading
	stood chan error
}

func (s standing) Stood(_ context.Context, _, _ string, why error) { s.stood <- why }

// A schedule that leads gives the lead away when the database is migrated for
// another program, and ends.
func TestAScheduleOfAnOlderProgramGivesTheLeadAway(t *testing.T) {
	s := storagetest.New(t)
	clock := clockwork.NewFakeClockAt(time.Date(2024, 6, 3, 12, 0, 0, 0, time.UTC))
	told, done := make(chan bool, 10), make(chan error, 1)
	schedule := jobs.Schedule{Engine: abroad(t, s, "02:00"), Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler), Watch: leading{told}}
	go func() { done <- schedule.Run(context.Background()) }()
	<-told
	storagetest.AsOwner(t, s, newerSchema)
	if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Second)
	if err := <-done; !errors.Is(err, storage.ErrSchemaNewer) {
		t.Errorf("it ended with %v", err)
	}
	storagetest.AsOwner(t, s, fmt.Sprintf("DELETE FROM schema_migrations WHERE name::int > %d", storage.SchemaVersion()))
	if lock, err := s.Lock(t.Context(), "schedule/us"); err != nil || lock == nil {
		t.Errorf("nobody can lead: %v %v", lock, err)
	} else {
		lock.Release(t.Context())
	}
}

// A job that a cron expression wakes is not woken before, however long its date has
// been due by then.
func TestACronExpressionSaysWhenAndWhenNot(t *testing.T) {
	s := storagetest.New(t)
	clock := clockwork.NewFakeClockAt(time.Date(2024, 6, 3, 5, 0, 0, 0, time.UTC)) // one in the morning
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	schedule := jobs.Schedule{Engine: abroad(t, s, `02:00", wake: "0 6 * * *`), Sites: []string{"us"}, Clock: clock, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- schedule.Run(ctx) }()
	for _, tt := range []struct{ until, want string }{
		{"05:30", "[2024-06-02 06:00]"}, // that of its start
		{"06:30", "[2024-06-02 06:00 2024-06-03 06:00]"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2024-06-03 "+tt.until, schedule.Engine.Book.Sites()[0].Zone)
		if err != nil {
			t.Fatal(err)
		}
		for {
			if err := clock.BlockUntilContext(t.Context(), 2); err != nil { // the heartbeat, and the alarm
				t.Fatal(err)
			}
			if !clock.Now().Before(at) {
				break
			}
			clock.Advance(30 * time.Minute)
		}
		if got := fmt.Sprint(nights(t, s)); got != tt.want {
			t.Errorf("at %s: %s, want %s", tt.until, got, tt.want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
