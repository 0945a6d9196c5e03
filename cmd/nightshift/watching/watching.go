// Package watching tells people and machines how the nights go: figures for
// Prometheus, a digest of each night and alarms by mail and webhook.
//
// Owns: the metrics, the ways a message takes.
// Does not own: what a message says, or when it is due (jobs).
// Always: a message that was not taken is sent again, one that was is not; no
// figure names a person; no secret is in a message, a figure or a log.
package watching

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// Watch is the watcher of a schedule.
type Watch struct {
	Engine  *jobs.Engine
	Log     *slog.Logger
	Senders []Sender

	metrics *metrics
	mu      sync.Mutex
	looked  map[string]time.Time // by site: when messages were last looked for
	telling sync.Mutex
	taken   map[string]bool // by message and sender: who need not send it again while another one still does
	sending sync.WaitGroup
}

// Sender is a way to people.
type Sender interface {
	// Send sends a message once; an error means that it was not taken.
	Send(ctx context.Context, m jobs.Message) error
	// Name is what logs call it; it tells no secret.
	Name() string
}

// How often messages are looked for, and how long sending one may take.
const (
	lookEvery = time.Minute
	sendTime  = 30 * time.Second
)

// New is a watch over the nights of an engine.
func New(e *jobs.Engine, sites []string, log *slog.Logger, senders ...Sender) *Watch {
	return &Watch{Engine: e, Log: log, Senders: senders, metrics: newMetrics(e, sites), looked: map[string]time.Time{}, taken: map[string]bool{}}
}

// Completed counts a run that came to its end.
func (w *Watch) Completed(_ context.Context, r market.Run) {
	w.metrics.completed.WithLabelValues(r.Site, r.Job).Inc()
	w.metrics.took.WithLabelValues(r.Site, r.Job).Observe(r.FinishedAt.Sub(r.StartedAt).Seconds())
}

// Stood counts a wake after which a job did not come to its end.
func (w *Watch) Stood(_ context.Context, site, job string, why error) {
	w.metrics.stood.WithLabelValues(site, job, jobs.InAWord(why)).Inc()
}

// Woken counts a wake, as gocron measured it.
func (w *Watch) Woken(site, job string, took time.Duration, err error) {
	result := "done"
	if err != nil {
		result = jobs.InAWord(err)
	}
	w.metrics.wakes.WithLabelValues(site, job, result).Inc()
	w.metrics.wakeTook.WithLabelValues(site, job).Observe(took.Seconds())
}

// Leads notes who leads.
func (w *Watch) Leads(site string, leads bool) {
	value := 0.0
	if leads {
		value = 1
	}
	w.metrics.leads.WithLabelValues(site).Set(value)
}

// Tick looks for messages once a minute, and sends them beside the schedule's
// heartbeat.
func (w *Watch) Tick(ctx context.Context, site *rules.Site, now time.Time) {
	if len(w.Senders) == 0 {
		return
	}
	w.mu.Lock()
	soon := now.Sub(w.looked[site.Name]).Abs() < lookEvery
	if !soon {
		w.looked[site.Name] = now
	}
	w.mu.Unlock()
	if soon {
		return
	}
	w.sending.Go(func() { w.tell(ctx, site.Name, now) })
}

// tell sends what is to be told. What no sender takes is told again a minute later.
func (w *Watch) tell(ctx context.Context, site string, now time.Time) {
	messages, err := w.Engine.Messages(ctx, site, now)
	if err != nil {
		w.Log.Warn("look for messages", "site", site, "error", err)
		return
	}
	for _, m := range messages {
		if w.send(ctx, m) {
			if err := w.Engine.Told(ctx, m); err != nil {
				w.Log.Warn("a message was sent and not noted: it may come twice", "message", m.Key, "error", err)
			}
		}
	}
}

// send tells everybody who has not been told, and answers whether all were.
func (w *Watch) send(ctx context.Context, m jobs.Message) bool {
	w.telling.Lock()
	defer w.telling.Unlock()
	all := true
	for _, s := range w.Senders {
		once := m.Key + " by " + s.Name()
		if w.taken[once] {
			continue
		}
		soon, cancel := context.WithTimeout(ctx, sendTime)
		err := s.Send(soon, m)
		cancel()
		if err != nil {
			w.Log.Error("a message was not taken: it is sent again", "message", m.Key, "to", s.Name(), "error", err)
			all = false
			continue
		}
		w.taken[once] = true
		w.Log.Info("told", "message", m.Key, "to", s.Name(), "subject", m.Subject)
	}
	if all {
		w.metrics.messages.WithLabelValues(m.Site, m.Kind).Inc()
	}
	return all
}

// Close waits for messages that are on their way.
func (w *Watch) Close() { w.sending.Wait() }
