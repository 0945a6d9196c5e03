package jobs

import (
	"context"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Outlook is how a job stands, and when it will be done.
type Outlook struct {
	Site, Job string
	Ran       bool          // it was run for some date before
	Due       []market.Date // business dates that should have run by now, oldest first
	Run       market.Run    // that is under way, for the oldest of them; of no id where none is
	Parked    int64         // what waits for a person
	Night     market.Date   // in which the oldest is worked
	Lag       time.Duration // since the oldest date was due
	Deadline  time.Time     // of the oldest date; zero where none is named, or none is due
	Usual     time.Duration // that its past runs took; zero where none is known
	Forecast  time.Time     // when all of them will be done, by how long past runs took; zero where none is due
	Why       error         // why it does not begin; nil where it may

	today bool // the night of the oldest date is today's
}

// Late tells whether the deadline is missed, or will be, of a night that people wait
// for.
func (o Outlook) Late() bool {
	return !o.Deadline.IsZero() && o.Forecast.After(o.Deadline) && (o.Ran || o.Stands())
}

// Stands tells whether a night that people wait for does not begin. Of a job that
// never ran nobody waits for the nights before today's.
func (o Outlook) Stands() bool { return o.Why != nil && (o.Ran || o.today) }

// Outlook looks ahead, job by job in the order of a night: a job is done after
// those that it waits for, in the time that its past runs took. A job that nothing
// was ever reported for is left out.
func (e *Engine) Outlook(ctx context.Context, siteName string, now time.Time) ([]Outlook, error) {
	site, err := e.site(siteName)
	if err != nil {
		return nil, err
	}
	var all []Outlook
	done := map[string]time.Time{}
	for _, job := range NamesAt(site) {
		if idle, err := e.idle(ctx, job, site.Name); err != nil || idle {
			if err != nil {
				return nil, err
			}
			continue
		}
		o, err := e.outlookOf(ctx, site, job, now, done)
		if err != nil {
			return nil, err
		}
		done[job] = o.Forecast
		all = append(all, o)
	}
	return all, nil
}

// outlookOf looks at one job; done is when those before it will be.
func (e *Engine) outlookOf(ctx context.Context, site *rules.Site, job string, now time.Time, done map[string]time.Time) (Outlook, error) {
	o := Outlook{Site: site.Name, Job: job}
	var usual time.Duration
	var err error
	if o.Due, err = e.DueDates(ctx, job, site.Name, now); err != nil {
		return o, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if _, o.Ran, err = tx.FirstRun(ctx, job, site.Name); err != nil {
			return err
		}
		if o.Parked, err = tx.ParkedCount(ctx, job, site.Name); err != nil || len(o.Due) == 0 {
			return err
		}
		if usual, err = tx.UsualTime(ctx, job, site.Name); err != nil {
			return err
		}
		o.Run, _, err = tx.FindRun(ctx, job, site.Name, o.Due[0])
		if err == nil && o.Run.State == market.RunRunning {
			var shards []storage.Shard
			shards, err = tx.Shards(ctx, o.Run.ID)
			for _, s := range shards {
				o.Run.Candidates += s.Candidates
			}
		}
		return err
	})
	if err != nil || len(o.Due) == 0 {
		return o, err
	}
	asOf, err := site.AsOf(job, o.Due[0])
	if err != nil {
		return o, err
	}
	if o.Night, err = site.NightOf(job, o.Due[0]); err != nil {
		return o, err
	}
	o.Usual, o.today = usual, o.Night == market.DateOf(now, site.Zone)
	o.Lag = max(now.Sub(asOf), 0)
	if o.Deadline, err = site.DeadlineOf(job, o.Due[0]); err != nil {
		return o, err
	}
	begins := now
	for _, first := range site.Jobs[job].After {
		if done[first].After(begins) {
			begins = done[first]
		}
	}
	nights := len(o.Due)
	if site.Jobs[job].Once {
		nights = 1
	}
	o.Forecast = begins.Add(usual*time.Duration(nights) - time.Duration(float64(usual)*share(o.Run)))
	o.Why = e.ready(ctx, site, job, o.Due[0], now)
	return o, nil
}

// share is how much of a run is done, from 0 to 1.
func share(r market.Run) float64 {
	if r.ID == 0 || r.Due == 0 {
		return 0
	}
	return min(float64(r.Candidates)/float64(r.Due), 1)
}

// Standing is how far a run has come, shard by shard.
func (e *Engine) Standing(ctx context.Context, r market.Run) (shards []storage.Shard, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		shards, err = tx.Shards(ctx, r.ID)
		return err
	})
	return shards, err
}
