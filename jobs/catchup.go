package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// MakeUp works the nights before tonight that were missed, one after the other and
// the jobs of each in their order, as `night` would have: what a late night finds
// is what a punctual one found. It is asked on behalf of a job that was woken. A job
// that does not come to its end leaves its later dates, and stops what waits for
// it; the error is that of the job woken alone, the others are woken themselves.
// What a cron expression wakes is made up for by its own wake.
func (e *Engine) MakeUp(ctx context.Context, woken, siteName string, now time.Time, each func(market.Run)) error {
	site, err := e.site(siteName)
	if err != nil {
		return err
	}
	nights, failed, err := e.missed(ctx, site, woken, now)
	if err != nil {
		return err
	}
	for _, m := range nights {
		if failed[m.job] != nil {
			continue
		}
		result, err := e.attempt(ctx, site, m.job, m.on, now)
		if ctx.Err() != nil || storage.Transient(err) {
			return err
		}
		if failed[m.job] = err; err == nil {
			each(result.Run)
		}
	}
	return failed[woken]
}

// missedDate is a business date that was not run in its night.
type missedDate struct {
	job       string
	on, night market.Date
}

// missed are the dates of the nights before tonight, in their order, and why those
// of some jobs are not made up for.
func (e *Engine) missed(ctx context.Context, site *rules.Site, woken string, now time.Time) (nights []missedDate, failed map[string]error, err error) {
	failed = map[string]error{}
	tonight := market.DateOf(now, site.Zone)
	for _, job := range NamesAt(site) {
		if job != woken && site.Jobs[job].Wake != "" {
			continue
		}
		dates, err := e.toRun(ctx, site, job, now)
		if ctx.Err() != nil || storage.Transient(err) {
			return nil, nil, err
		}
		failed[job] = err
		for _, on := range dates {
			night, err := site.NightOf(job, on)
			if err != nil {
				return nil, nil, err
			}
			if night < tonight {
				nights = append(nights, missedDate{job, on, night})
			}
		}
	}
	slices.SortStableFunc(nights, func(a, b missedDate) int { return int(a.night - b.night) })
	return nights, failed, nil
}

// CatchUp runs a job for every business date that is due, oldest first, and
// tells of each completed run at once; a job that catches up once is run for the
// last of them alone. A date that somebody else is running is left to them, and is
// ErrAlive: what comes after it waits.
func (e *Engine) CatchUp(ctx context.Context, job, siteName string, now time.Time, each func(market.Run)) error {
	site, err := e.site(siteName)
	if err != nil {
		return err
	}
	dates, err := e.toRun(ctx, site, job, now)
	if err != nil {
		return err
	}
	for _, on := range dates {
		result, err := e.attempt(ctx, site, job, on, now)
		if err != nil {
			return err
		}
		each(result.Run)
	}
	return nil
}

// toRun are the dates of a job that are due and run by themselves.
func (e *Engine) toRun(ctx context.Context, site *rules.Site, job string, now time.Time) (dates []market.Date, err error) {
	err = e.patiently(ctx, func() error {
		if dates, err = e.DueDates(ctx, job, site.Name, now); err == nil {
			dates, err = e.skip(ctx, job, site, dates, now)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if most := site.Jobs[job].MostOf; !site.Jobs[job].Once && len(dates) > most {
		return nil, fmt.Errorf("%s at %s: %w: %d nights from %s to %s, more than the %d that are caught up by themselves: run `nightshift backfill %s --from %s --to %s`, or raise catch_up_most",
			job, site.Name, ErrManyMissed, len(dates), dates[0], dates[len(dates)-1], most, job, dates[0], dates[len(dates)-1])
	}
	return dates, nil
}

// skip drops, of a job that catches up once, the dates before the last that
// nobody began to run, and records them: the last one does their work. Where that
// one is paused or lacks a file nothing is skipped. Of two who skip at once both
// find the same dates left.
func (e *Engine) skip(ctx context.Context, job string, site *rules.Site, dates []market.Date, now time.Time) (left []market.Date, err error) {
	if !site.Jobs[job].Once || len(dates) < 2 {
		return dates, nil
	}
	last := dates[len(dates)-1]
	begun, err := e.begun(ctx, site, job, last)
	if err == nil && !begun {
		err = e.allFed(ctx, site, job, last, now)
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s at %s: %w", job, last, site.Name, err)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.SkipDates(ctx, job, site.Name, dates[:len(dates)-1], last); err != nil {
			return err
		}
		left, err = tx.Missing(ctx, job, site.Name, dates)
		return err
	})
	return left, err
}
