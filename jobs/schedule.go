package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"

	"nightshift/rules"
	"nightshift/rules/market"
)

// Schedule wakes the jobs of the timetable: at their local time in their
// site's zone, and once when it starts. It is an alarm clock, not a memory:
// whoever is woken asks the database which business dates are due. So a missed
// night is caught up, a second schedule finds nothing to do, and an hour that
// comes twice or never is one run all the same.
type Schedule struct {
	Engine *Engine
	Sites  []string
	Clock  clockwork.Clock
	Log    *slog.Logger
}

// How long a schedule sleeps at most: an alarm may be missed where the clock is
// moved or the machine sleeps; and what failed is tried again.
const (
	longestSleep = time.Hour
	afterTrouble = 5 * time.Minute
	longestStop  = time.Minute // for what is running to end when asked to stop
)

// Run wakes jobs until the context ends. What is running then stops after its
// chunk, and Run returns.
func (s *Schedule) Run(ctx context.Context) error {
	clock, err := gocron.NewScheduler(gocron.WithClock(s.Clock), gocron.WithStopTimeout(longestStop))
	if err != nil {
		return fmt.Errorf("start the schedule: %w", err)
	}
	for _, name := range s.Sites {
		site, err := s.Engine.Book.Site(name)
		if err != nil {
			return errors.Join(fmt.Errorf("start the schedule: %w: %w", ErrBadRequest, err), clock.Shutdown())
		}
		for _, job := range NamesAt(site) {
			a := &alarm{schedule: s, clock: clock, job: job, site: site, log: s.Log.With("job", job, "site", name)}
			if err := a.set(ctx, gocron.OneTimeJobStartImmediately()); err != nil {
				return errors.Join(err, clock.Shutdown())
			}
		}
	}
	clock.Start()
	<-ctx.Done()
	if err := clock.Shutdown(); err != nil {
		return fmt.Errorf("stop the schedule: %w", err)
	}
	return nil
}

// alarm wakes one job of one site, one time after the other. The next one is
// set when the job has ended, so that a job never runs beside itself.
type alarm struct {
	schedule *Schedule
	clock    gocron.Scheduler
	job      string
	site     *rules.Site
	log      *slog.Logger
}

func (a *alarm) set(ctx context.Context, at gocron.OneTimeJobStartAtOption) error {
	_, err := a.clock.NewJob(gocron.OneTimeJob(at), gocron.NewTask(func() { a.ring(ctx) }), gocron.WithName(a.job+" at "+a.site.Name))
	if err != nil {
		return fmt.Errorf("set the alarm of %s at %s: %w", a.job, a.site.Name, err)
	}
	return nil
}

// ring has the job catch up with the dates that are due, and sets the next alarm.
func (a *alarm) ring(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	engine, sleep := a.schedule.Engine, longestSleep
	var untied error
	err := engine.CatchUp(ctx, a.job, a.site.Name, a.schedule.Clock.Now(), func(r market.Run) {
		a.log.Info("run completed", "date", r.On, "run", r.ID, "candidates", r.Candidates, "parked", r.Parked)
		// A night that is done has its workbook, also when serve is stopped now.
		_, kept := engine.KeepWorkbook(context.WithoutCancel(ctx), r)
		untied = errors.Join(untied, kept)
	})
	err = errors.Join(err, untied)
	if ctx.Err() != nil {
		a.log.Info("stopped: what was finished is kept")
		return
	}
	if err != nil {
		a.log.Error("run stopped, it goes on at the next wake", "error", err)
		sleep = afterTrouble
	}
	now := a.schedule.Clock.Now()
	wake := earliest(a.next(now), now.Add(sleep))
	if err := a.set(ctx, gocron.OneTimeJobStartDateTime(wake)); err != nil && ctx.Err() == nil {
		a.log.Error("the job is not woken again: restart", "error", err)
	}
}

// next is the first instant after now at which a business date becomes due.
func (a *alarm) next(now time.Time) time.Time {
	on := a.site.DateBefore(a.job, market.DateOf(now, a.site.Zone).AddDays(-a.site.Jobs[a.job].DaysAfter))
	for ; ; on = a.site.DateAfter(a.job, on) {
		if at, err := a.site.AsOf(a.job, on); err != nil || at.After(now) {
			return at // the zero instant of an error: it is asked again when the schedule wakes
		}
	}
}
