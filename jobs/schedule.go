package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Schedule wakes the jobs of the timetable: at their local time in their
// site's zone, and once when it starts. It is an alarm clock, not a memory:
// whoever is woken asks the database which business dates are due. So a missed
// night is caught up, and an hour that comes twice or never is one run all the
// same. Of several schedules on one database one leads a site; the others stand
// by, and take over when its connection is gone.
type Schedule struct {
	Engine *Engine
	Sites  []string
	Clock  clockwork.Clock
	Log    *slog.Logger
	Watch  Watcher // is told what happens; nil: nobody
}

// Watcher is told how the nights of a schedule go. It may be told by several
// jobs at once.
type Watcher interface {
	Completed(ctx context.Context, r market.Run)               // a run came to its end, its workbook is kept
	Stood(ctx context.Context, site, job string, why error)    // a job did not begin, or did not come to its end
	Woken(site, job string, took time.Duration, err error)     // what gocron measured of a wake
	Leads(site string, leads bool)                             // this schedule leads the site now, or does not any more
	Tick(ctx context.Context, site *rules.Site, now time.Time) // some seconds passed while it leads
}

// How long a schedule sleeps at most: an alarm may be missed where the machine
// sleeps; and what failed, or waits, is tried again.
const (
	longestSleep = time.Hour
	afterTrouble = 5 * time.Minute
	whileWaiting = time.Minute      // for a job that goes first, a file, a person or the database
	whileAlive   = 5 * time.Second  // for a run that somebody else carries: he may die
	longestStop  = time.Minute      // for what is running to end when asked to stop
	aDay         = 24 * time.Hour   // between looks at the coming month
	heartbeat    = 2 * time.Second  // between a leader's signs of life, and a follower's questions
	longestBeat  = 10 * time.Second // that a busy database may take for one of them
)

// Run wakes jobs until the context ends. What is running then stops after its
// chunk, and Run returns.
func (s *Schedule) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, name := range s.Sites {
		site, err := s.Engine.Book.Site(name)
		if err != nil {
			return fmt.Errorf("start the schedule: %w: %w", ErrBadRequest, err)
		}
		all.Go(func() error { return s.stand(ctx, site) })
	}
	return all.Wait()
}

// stand leads a site whenever nobody else does.
func (s *Schedule) stand(ctx context.Context, site *rules.Site) error {
	log, standsBy, away := s.Log.With("site", site.Name), false, false
	for {
		lock, err := s.Engine.Store.Lock(ctx, "schedule/"+site.Name)
		switch {
		case ctx.Err() != nil:
			if lock != nil {
				lock.Release(ctx)
			}
			return nil
		case err != nil && !storage.Transient(err):
			return fmt.Errorf("lead the nights of %s: %w", site.Name, err)
		case err != nil && !away:
			log.Warn("the database is not there: asking again until it is", "error", err)
		case err == nil && lock == nil && !standsBy:
			log.Info("standing by: another schedule leads the site")
			standsBy = true
		case lock != nil:
			standsBy = false
			if err := s.lead(ctx, site, lock, log); err != nil {
				return err
			}
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-s.Clock.After(heartbeat):
		}
	}
}

// lead wakes the jobs of a site for as long as the lock is held.
func (s *Schedule) lead(ctx context.Context, site *rules.Site, lock *storage.Lock, log *slog.Logger) error {
	defer lock.Release(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clock, err := gocron.NewScheduler(gocron.WithClock(s.Clock), gocron.WithStopTimeout(longestStop), gocron.WithMonitorStatus(monitor{s, site.Name}))
	if err != nil {
		return fmt.Errorf("start the schedule: %w", err)
	}
	watch := &siteWatch{schedule: s, site: site, clock: clock, alarms: map[string]*alarm{}}
	for _, job := range NamesAt(site) {
		watch.alarms[job] = &alarm{watch: watch, job: job, log: s.Log.With("job", job, "site", site.Name)}
	}
	for _, a := range watch.alarms {
		if err := a.set(ctx, gocron.OneTimeJobStartImmediately()); err != nil {
			return errors.Join(err, clock.Shutdown())
		}
	}
	log.Info("leading the nights of the site")
	s.leads(site.Name, true)
	defer s.leads(site.Name, false)
	clock.Start()
	lost := watch.beat(ctx, lock)
	cancel()
	if err := clock.Shutdown(); err != nil { // it ends after its chunk all the same, and a run has a lock of its own
		log.Warn("what is running takes long to stop", "error", err)
	}
	if errors.Is(lost, storage.ErrSchemaNewer) || errors.Is(lost, storage.ErrSchemaOlder) {
		return fmt.Errorf("lead the nights of %s: %w", site.Name, lost) // another build does
	}
	if lost != nil {
		log.Warn("lost the lead: another schedule takes over, or this one again", "error", lost)
	}
	return nil
}

func (s *Schedule) leads(site string, leads bool) {
	if s.Watch != nil {
		s.Watch.Leads(site, leads)
	}
}

// siteWatch is the alarms of a site that this schedule leads.
type siteWatch struct {
	schedule *Schedule
	site     *rules.Site
	clock    gocron.Scheduler
	alarms   map[string]*alarm
	nights   sync.Mutex // held by the alarm that makes up for missed nights, so that they go one after the other
}

// beat gives signs of life until the context ends, or the lock is lost. A clock
// that was set forward has gone past alarms: they ring. So do all where it was set
// back, since they were set by a time that was wrong.
func (w *siteWatch) beat(ctx context.Context, lock *storage.Lock) (lost error) {
	ticks := w.schedule.Clock.NewTicker(heartbeat)
	defer ticks.Stop()
	var ahead time.Time // when months were made last
	before := w.schedule.Clock.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.Chan():
		}
		soon, cancel := context.WithTimeout(ctx, longestBeat)
		err := lock.Held(soon)
		cancel()
		if err != nil && ctx.Err() == nil {
			return err
		}
		now := w.schedule.Clock.Now()
		for _, a := range w.alarms {
			if now.Before(before) {
				a.again(ctx)
			}
			a.overdue(ctx, now)
		}
		before = now
		if w.schedule.Watch != nil {
			w.schedule.Watch.Tick(ctx, w.site, now)
		}
		if now.Sub(ahead).Abs() > aDay {
			ahead = now
			w.housekeep(ctx, now)
		}
	}
}

// housekeep keeps house once a day. Nothing of a night waits for it.
func (w *siteWatch) housekeep(ctx context.Context, now time.Time) {
	log := w.schedule.Log.With("site", w.site.Name)
	switch k, err := w.schedule.Engine.Housekeep(ctx, w.site, now, false); {
	case err != nil && ctx.Err() == nil:
		log.Warn("housekeeping: it is tried again tomorrow", "error", err)
	case len(k.CouldGo) > 0:
		log.Warn("old history does not leave for the archive", "months", k.CouldGo, "because", k.Lacks)
	case k.Documents > 0 || k.Shards > 0 || len(k.Away) > 0:
		log.Info("kept house", "documents", k.Documents, "bytes", k.Bytes, "shards", k.Shards, "archived", k.Away)
	}
}

// completed rings the alarms of the jobs that wait for one.
func (w *siteWatch) completed(ctx context.Context, job string) {
	for name, a := range w.alarms {
		for _, first := range w.site.Jobs[name].After {
			if first == job {
				a.again(ctx)
			}
		}
	}
}
