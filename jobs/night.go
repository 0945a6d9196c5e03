package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// Night runs every job that a site works in the night of a date, in order:
// each for its business date, which for some is the day before; a month is settled in
// the night of its bill day. A job that
// fails stops the night: what follows would stand on it.
func (e *Engine) Night(ctx context.Context, siteName string, of market.Date) ([]Result, error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	var results []Result
	for _, job := range NamesAt(site) {
		on, works, err := site.Night(job, of)
		if err != nil {
			return results, err
		}
		if !works {
			continue
		}
		result, err := e.Run(ctx, Request{Job: job, Site: site.Name, On: on})
		results = append(results, result)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// Backfill runs a job for every business date from one to another, both of
// them included, and tells of each result.
func (e *Engine) Backfill(ctx context.Context, job, site string, from, to market.Date, each func(Result)) error {
	if to < from {
		return fmt.Errorf("%w: backfill from %s to %s: the first date is after the last", ErrBadRequest, from, to)
	}
	rules, err := e.Book.Site(site)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	for on := rules.DateAfter(job, from-1); on <= to; on = rules.DateAfter(job, on) {
		result, err := e.Run(ctx, Request{Job: job, Site: site, On: on})
		if err != nil {
			return err
		}
		each(result)
	}
	return nil
}

// DueDates are the business dates of a job that should have run by now and
// have no completed run, oldest first, since the first that ever ran. A job
// that never ran is due for the last date alone.
func (e *Engine) DueDates(ctx context.Context, job, siteName string, now time.Time) ([]market.Date, error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	last := site.DateBefore(job, market.DateOf(now, site.Zone).AddDays(1-site.Jobs[job].DaysAfter))
	at, err := asOf(site, job, last)
	if err != nil {
		return nil, err
	}
	if at.After(now) {
		last = site.DateBefore(job, last)
	}
	var dates []market.Date
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		dates, err = tx.MissingDates(ctx, job, siteName, last, site.Jobs[job].Monthly)
		return err
	})
	return dates, err
}

// skip drops, of a job that catches up once, the dates before the last that
// nobody began to run, and records them: the last one does their work.
func (e *Engine) skip(ctx context.Context, job, siteName string, dates []market.Date) (left []market.Date, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil || !site.Jobs[job].Once || len(dates) < 2 {
		return dates, err
	}
	last := dates[len(dates)-1]
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		skipped, err := tx.SkipDates(ctx, job, siteName, dates[:len(dates)-1], last)
		for _, on := range dates {
			if !slices.Contains(skipped, on) {
				left = append(left, on)
			}
		}
		return err
	})
	return left, err
}

// CatchUp runs a job for every business date that is due, oldest first, and
// tells of each completed run at once; a job that catches up once is run for the
// last of them alone. A date that somebody else is running is
// left to them.
func (e *Engine) CatchUp(ctx context.Context, job, site string, now time.Time, each func(market.Run)) error {
	dates, err := e.DueDates(ctx, job, site, now)
	if err != nil {
		return err
	}
	if dates, err = e.skip(ctx, job, site, dates); err != nil {
		return err
	}
	for _, on := range dates {
		result, err := e.Run(ctx, Request{Job: job, Site: site, On: on})
		if errors.Is(err, ErrAlive) {
			return nil
		}
		if err != nil {
			return err
		}
		each(result.Run)
	}
	return nil
}
