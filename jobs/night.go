package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Failures are what went wrong with the jobs of a night, in their order.
type Failures []error

// Error is a line for each of them.
func (f Failures) Error() string {
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap is all of them.
func (f Failures) Unwrap() []error { return f }

// Night runs every job that a site works in the night of a date, in order: each
// for its business dates, which for some are of the day before. A job that does
// not come to its end stops what waits for it, and nothing else. Each completed
// run is told at once; the error is Failures.
func (e *Engine) Night(ctx context.Context, siteName string, of market.Date, now time.Time, each func(Result)) error {
	site, err := e.site(siteName)
	if err != nil {
		return err
	}
	var failures Failures
	for _, job := range NamesAt(site) {
		on, works, err := site.Night(job, of)
		if err != nil {
			failures = append(failures, fmt.Errorf("find what %s at %s works in the night of %s: %w", job, site.Name, of, err))
		}
		if !works {
			continue
		}
		if idle, err := e.idle(ctx, job, site.Name); err != nil || idle {
			if err != nil {
				failures = append(failures, err)
			}
			continue
		}
		result, err := e.attempt(ctx, site, job, on, now)
		if ctx.Err() != nil {
			return errors.Join(append(failures, err)...)
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		each(result)
	}
	if failures != nil {
		return failures
	}
	return nil
}

// idle tells whether a night leaves a job out that nothing was ever reported for.
func (e *Engine) idle(ctx context.Context, job, site string) (idle bool, err error) {
	err = e.patiently(ctx, func() error {
		return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
			idle, err = idles(ctx, tx, job, site)
			return err
		})
	})
	return idle, err
}

// attempt runs a job for a business date where nothing stands in its way. It is
// the one way in which `night` and the schedule begin a run.
func (e *Engine) attempt(ctx context.Context, site *rules.Site, job string, on market.Date, now time.Time) (Result, error) {
	if err := e.patiently(ctx, func() error { return e.ready(ctx, site, job, on, now) }); err != nil {
		return Result{}, fmt.Errorf("%s of %s at %s: %w", job, on, site.Name, err)
	}
	return e.Run(ctx, Request{Job: job, Site: site.Name, On: on})
}

// Backfill runs a job for its business dates from one to another, both of them
// included, and tells of each result.
func (e *Engine) Backfill(ctx context.Context, job, siteName string, from, to market.Date, each func(Result)) error {
	if to < from {
		return fmt.Errorf("%w: backfill from %s to %s: the first date is after the last", ErrBadRequest, from, to)
	}
	site, err := e.site(siteName)
	if err != nil {
		return err
	}
	dates, err := site.DatesBetween(job, from, to)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	for _, on := range dates {
		result, err := e.Run(ctx, Request{Job: job, Site: site.Name, On: on})
		if err != nil {
			return err
		}
		each(result)
	}
	return nil
}

// site finds a site of the book.
func (e *Engine) site(name string) (*rules.Site, error) {
	site, err := e.Book.Site(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return site, nil
}
