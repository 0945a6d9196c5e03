package watching

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// metrics are the figures of this process, and those that are asked of the
// database whenever somebody looks.
type metrics struct {
	registry  *prometheus.Registry
	completed *prometheus.CounterVec
	stood     *prometheus.CounterVec
	wakes     *prometheus.CounterVec
	messages  *prometheus.CounterVec
	took      *prometheus.HistogramVec
	wakeTook  *prometheus.HistogramVec
	leads     *prometheus.GaugeVec
}

// seconds are the bounds of times: from a night with nothing due to a long one.
var seconds = []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600}

func newMetrics(e *jobs.Engine, sites []string) *metrics {
	of := []string{"site", "job"}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nightshift_" + name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "nightshift_" + name, Help: help, Buckets: seconds}, of)
	}
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		completed: counter("runs_completed_total", "Runs that this schedule brought to their end.", of...),
		stood:     counter("runs_stood_total", "Wakes after which a job did not come to its end, by reason.", "site", "job", "reason"),
		wakes:     counter("wakes_total", "Wakes of the alarm clock, by result.", "site", "job", "result"),
		messages:  counter("messages_total", "Digests and alarms that were sent.", "site", "kind"),
		took:      histogram("run_seconds", "How long completed runs took, from the start of the run."),
		wakeTook:  histogram("wake_seconds", "How long wakes took."),
		leads:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "nightshift_leader", Help: "1 where this schedule leads the site."}, []string{"site"}),
	}
	for _, site := range sites {
		m.leads.WithLabelValues(site).Set(0)
	}
	m.registry.MustRegister(m.completed, m.stood, m.wakes, m.messages, m.took, m.wakeTook, m.leads,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &kept{engine: e, sites: sites, now: time.Now})
	return m
}

// Handler answers a scrape.
func (w *Watch) Handler() http.Handler {
	return promhttp.HandlerFor(w.metrics.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError, Timeout: scrapeTime})
}

// scrapeTime is how long a scrape may ask the database.
const scrapeTime = 8 * time.Second

// kept are the figures that the database knows.
type kept struct {
	engine *jobs.Engine
	sites  []string
	now    func() time.Time
}

func described(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("nightshift_"+name, help, labels, nil)
}

var (
	runsDesc     = described("runs", "Runs, by how they stand.", "site", "job", "state")
	rowsDesc     = described("rows", "Candidates that runs have looked at.", "site", "job", "state")
	parkedDesc   = described("parked", "Candidates that are set aside and wait for a person.", "site", "job")
	dueDesc      = described("due_dates", "Business dates that should have run by now.", "site", "job")
	lagDesc      = described("lag_seconds", "Since the oldest business date that did not run was due.", "site", "job")
	marginDesc   = described("deadline_margin_seconds", "From the forecast end to the deadline of the oldest due date; below zero it will be missed.", "site", "job")
	progressDesc = described("run_progress_ratio", "How much of the run that is under way is done.", "site", "job")
)

// Describe names the figures.
func (*kept) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runsDesc, rowsDesc, parkedDesc, dueDesc, lagDesc, marginDesc, progressDesc} {
		out <- d
	}
}

// Collect asks for them.
func (k *kept) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	var totals []storage.RunTotals
	err := k.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) (err error) {
		totals, err = tx.RunTotals(ctx)
		return err
	})
	if err != nil {
		out <- prometheus.NewInvalidMetric(runsDesc, err)
		return
	}
	for _, t := range totals {
		gauge(runsDesc, float64(t.Runs), t.Site, t.Job, t.State)
		gauge(rowsDesc, float64(t.Candidates), t.Site, t.Job, t.State)
	}
	for _, site := range k.sites {
		outlooks, err := k.engine.Outlook(ctx, site, k.now())
		if err != nil {
			out <- prometheus.NewInvalidMetric(dueDesc, err)
			return
		}
		for _, o := range outlooks {
			gauge(parkedDesc, float64(o.Parked), o.Site, o.Job)
			gauge(dueDesc, float64(len(o.Due)), o.Site, o.Job)
			gauge(lagDesc, o.Lag.Seconds(), o.Site, o.Job)
			if !o.Deadline.IsZero() {
				gauge(marginDesc, o.Deadline.Sub(o.Forecast).Seconds(), o.Site, o.Job)
			}
			if o.Run.State == market.RunRunning && o.Run.Due > 0 {
				gauge(progressDesc, min(float64(o.Run.Candidates)/float64(o.Run.Due), 1), o.Site, o.Job)
			}
		}
	}
}
