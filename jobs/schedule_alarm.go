package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"

	"nightshift/rules/market"
	"nightshift/storage"
)

// alarm wakes one job of one site, one time after the other. The next one is
// set when the job has ended, so that a job never runs beside itself.
type alarm struct {
	watch *siteWatch
	job   string
	log   *slog.Logger

	mu      sync.Mutex
	next    gocron.Job // that is set; nil while none is
	at      time.Time  // when it rings; zero: at once
	ringing bool
	once    bool   // it has to ring again when the job ends
	said    string // why the job did not begin, last time
}

// set sets the one alarm there is, in place of any other.
func (a *alarm) set(ctx context.Context, at gocron.OneTimeJobStartAtOption) error {
	job, err := a.watch.clock.NewJob(gocron.OneTimeJob(at), gocron.NewTask(func() error { return a.ring(ctx) }), gocron.WithName(a.job+" at "+a.watch.site.Name))
	if err != nil {
		return fmt.Errorf("set the alarm of %s at %s: %w", a.job, a.watch.site.Name, err)
	}
	if a.next != nil {
		_ = a.watch.clock.RemoveJob(a.next.ID()) // it may have rung, and be gone
	}
	a.next = job
	return nil
}

// overdue rings an alarm whose time has gone by.
func (a *alarm) overdue(ctx context.Context, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ringing && !a.at.IsZero() && now.Sub(a.at) > heartbeat {
		a.at = time.Time{}
		a.tell(a.set(ctx, gocron.OneTimeJobStartImmediately()))
	}
}

// again rings at once; where it rings already, as soon as the job has ended.
func (a *alarm) again(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ringing || ctx.Err() != nil {
		a.once = true
		return
	}
	a.at = time.Time{}
	a.tell(a.set(ctx, gocron.OneTimeJobStartImmediately()))
}

func (a *alarm) tell(err error) {
	if err != nil {
		a.log.Error("the job is not woken again: restart", "error", err)
	}
}

// ring has the job catch up with the dates that are due, and sets the next alarm.
func (a *alarm) ring(ctx context.Context) error {
	if ctx.Err() != nil || !a.begin() {
		return nil
	}
	began := a.watch.schedule.Clock.Now()
	err := a.carry(ctx, began)
	if ctx.Err() != nil {
		a.log.Info("stopped: what was finished is kept")
		return nil
	}
	a.end(ctx, began, a.sleep(ctx, err))
	return err
}

// begin is false where the job is running.
func (a *alarm) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ringing {
		a.once = true
		return false
	}
	a.ringing, a.next = true, nil
	return true
}

// carry runs every date that is due.
func (a *alarm) carry(ctx context.Context, now time.Time) error {
	s := a.watch.schedule
	now, early := s.Engine.Agreed(ctx, now)
	if early != nil && !errors.Is(early, ErrClock) {
		return early
	}
	within, span := s.Engine.Tracer.Of(ctx, "wake "+a.job, attribute.String("nightshift.site", a.watch.site.Name))
	var ran bool
	var untied error
	told := func(r market.Run) {
		ran = true
		untied = errors.Join(untied, a.completed(context.WithoutCancel(within), r)) // a night that is done has its workbook, also when serve is stopped now
	}
	a.watch.nights.Lock()
	err := s.Engine.MakeUp(within, a.job, a.watch.site.Name, now, told)
	a.watch.nights.Unlock()
	if err == nil {
		err = s.Engine.CatchUp(within, a.job, a.watch.site.Name, now, told)
	}
	err = errors.Join(err, untied, early)
	if ran || err != nil && !onlyWaits(err) {
		span.End(err) // of a wake with nothing to do nothing is told
	}
	return err
}

// completed keeps the workbook of a run that came to its end, and tells of it.
func (a *alarm) completed(ctx context.Context, r market.Run) error {
	s := a.watch.schedule
	s.Log.Info("run completed", "job", r.Job, "site", r.Site, "date", r.On, "run", r.ID, "candidates", r.Candidates, "parked", r.Parked)
	_, untied := s.Engine.KeepWorkbook(ctx, r)
	if s.Watch != nil {
		s.Watch.Completed(ctx, r)
	}
	a.watch.completed(ctx, r.Job)
	return untied
}

// onlyWaits tells whether a job waits for something or somebody.
func onlyWaits(err error) bool {
	return errors.Is(err, ErrWaits) || errors.Is(err, ErrPaused) || errors.Is(err, ErrClock)
}

// sleep says how a wake went, and how long the job may sleep after it.
func (a *alarm) sleep(ctx context.Context, err error) time.Duration {
	if err == nil {
		a.said = ""
		return longestSleep
	}
	if errors.Is(err, ErrAlive) {
		if a.said != err.Error() {
			a.log.Info("left to somebody else", "because", err)
		}
		a.said = err.Error()
		return whileAlive
	}
	if w := a.watch.schedule.Watch; w != nil {
		w.Stood(ctx, a.watch.site.Name, a.job, err)
	}
	person := errors.Is(err, ErrNoInput) || errors.Is(err, ErrTooMuch) || errors.Is(err, ErrManyMissed)
	switch again := a.said == err.Error(); {
	case onlyWaits(err) && !again:
		a.log.Info("the job does not begin", "because", err)
	case person && !again:
		a.log.Error("the job does not begin before a person says so", "because", err)
	case !person && !onlyWaits(err):
		a.log.Error("run stopped, it goes on at the next wake", "error", err)
	}
	a.said = err.Error()
	if onlyWaits(err) || person || storage.Transient(err) {
		return whileWaiting
	}
	return afterTrouble
}

// end sets the alarm of the next time.
func (a *alarm) end(ctx context.Context, began time.Time, sleep time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ringing = false
	if a.once {
		a.once, a.at = false, time.Time{}
		a.tell(a.set(ctx, gocron.OneTimeJobStartImmediately()))
		return
	}
	now, site := a.watch.schedule.Clock.Now(), a.watch.site
	from := began // a wake that came meanwhile is one to follow
	if site.Jobs[a.job].Skipped {
		from = now
	}
	wake, err := site.NextWake(a.job, from)
	if err != nil {
		a.log.Error("the next wake is not known: asking again", "error", err)
		wake = time.Time{}
	}
	a.at = wake
	if site.Jobs[a.job].Wake == "" || sleep < longestSleep || wake.IsZero() { // a cron expression says when, and when not
		a.at = earliest(wake, now.Add(sleep))
	}
	at := gocron.OneTimeJobStartDateTime(a.at)
	if !a.at.After(now) {
		at = gocron.OneTimeJobStartImmediately()
	}
	a.tell(a.set(ctx, at))
}

// monitor is what gocron tells of the wakes of a site.
type monitor struct {
	schedule *Schedule
	site     string
}

// IncrementJob belongs to the interface; a wake is counted with its time.
func (monitor) IncrementJob(uuid.UUID, string, []string, gocron.JobStatus) {}

// RecordJobTiming belongs to the interface; it comes again with its end.
func (monitor) RecordJobTiming(time.Time, time.Time, uuid.UUID, string, []string) {}

// RecordJobTimingWithStatus tells the watcher of a wake.
func (m monitor) RecordJobTimingWithStatus(from, to time.Time, _ uuid.UUID, name string, _ []string, _ gocron.JobStatus, err error) {
	if m.schedule.Watch != nil {
		job, _, _ := strings.Cut(name, " at ")
		m.schedule.Watch.Woken(m.site, job, to.Sub(from), err)
	}
}
