package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// DueDates are the business dates of a job that should have run by now and
// have no completed run, oldest first, since the first that ever ran. A job
// that never ran is due for the last date alone, and not at all while few sites
// have anything for it and this one does not.
func (e *Engine) DueDates(ctx context.Context, job, siteName string, now time.Time) ([]market.Date, error) {
	site, err := e.site(siteName)
	if err != nil {
		return nil, err
	}
	last, err := site.LastDue(job, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return e.missingUpTo(ctx, site, job, last)
}

// missingUpTo are the business dates of a job from its first run to last that
// have no completed run; last alone where there was none.
func (e *Engine) missingUpTo(ctx context.Context, site *rules.Site, job string, last market.Date) (dates []market.Date, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		first, ran, err := tx.FirstRun(ctx, job, site.Name)
		if err != nil {
			return err
		}
		if !ran {
			if idle, err := idles(ctx, tx, job, site.Name); err != nil || idle {
				return err
			}
			first = last
		}
		all, err := site.DatesBetween(job, first, last)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		dates, err = tx.Missing(ctx, job, site.Name, all)
		return err
	})
	return dates, err
}

// idles tells whether a job is one that few sites have anything for, and nothing
// was ever reported for it to this one: no night runs it by itself.
func idles(ctx context.Context, tx *storage.Tx, job, site string) (bool, error) {
	if l, err := find(job); err != nil || !l.asked {
		return false, err
	}
	ever, err := tx.Concerns(ctx, job, site)
	return !ever, err
}

// ErrClock says that this machine's clock is ahead of the database's.
var ErrClock = errors.New("this machine's clock is ahead of the database's")

// Agreed is the time by this machine's clock, or by the database's where that one
// is far behind, with ErrClock: what runs too early takes for silence what people
// have yet to say, and cannot be taken back. What runs late does no harm.
func (e *Engine) Agreed(ctx context.Context, now time.Time) (time.Time, error) {
	there, err := e.Store.Now(ctx)
	if err != nil {
		return now, err
	}
	if ahead := now.Sub(there); ahead > clockBad {
		return there, fmt.Errorf("%w by %s, whose time counts: have both ask the same time server, `nightshift doctor` compares them", ErrClock, ahead.Round(time.Minute))
	}
	return now, nil
}
