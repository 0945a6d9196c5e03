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

// Why a run does not begin. None of them is the run's own failure.
var (
	ErrWaits      = errors.New("it waits")                 // begins by itself once what it waits for is there
	ErrPaused     = errors.New("it is paused")             // a person said so, and has to say that it goes on
	ErrNoInput    = errors.New("its input did not come")   // a person has to decide
	ErrTooMuch    = errors.New("more came than it should") // a person has to look
	ErrManyMissed = errors.New("too many nights were missed")
)

// ready tells what stands in the way of a run: a pause, a job of the same night
// that is not completed or does not tie, a file that has not come. What was begun
// before waits for nothing but a pause.
func (e *Engine) ready(ctx context.Context, site *rules.Site, job string, on market.Date, now time.Time) error {
	begun, err := e.begun(ctx, site, job, on)
	if err != nil || begun {
		return err
	}
	for _, first := range site.Jobs[job].After {
		if err := e.completed(ctx, site, job, on, first); err != nil {
			return err
		}
	}
	return e.allFed(ctx, site, job, on, now)
}

// begun tells whether a run was begun; it is ErrPaused where people do not let it
// begin or go on.
func (e *Engine) begun(ctx context.Context, site *rules.Site, job string, on market.Date) (begun bool, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if h, halted, err := tx.HaltOf(ctx, site.Name, job, on); err != nil || halted {
			return errors.Join(err, paused(h, halted))
		}
		var err error
		_, begun, err = tx.FindRun(ctx, job, site.Name, on)
		return err
	})
	return begun, err
}

func paused(h storage.Halt, halted bool) error {
	if !halted {
		return nil
	}
	return fmt.Errorf("%w: %s; %s", ErrPaused, h, resumes(h))
}

// resumes is how what is paused goes on.
func resumes(h storage.Halt) string {
	if h.On != 0 {
		return fmt.Sprintf("it goes on with `nightshift run %s --date %s`", h.Job, h.On)
	}
	return fmt.Sprintf("it goes on with `nightshift runs resume %s`", h.Job)
}

// completed asks whether a job that goes first has done its dates of the same
// night, and those before, and whether the last of them ties.
func (e *Engine) completed(ctx context.Context, site *rules.Site, job string, on market.Date, first string) error {
	night, err := site.NightOf(job, on)
	if err != nil {
		return err
	}
	last, any, err := lastOfNight(site, first, night)
	if err != nil || !any {
		return err
	}
	missing, err := e.missingUpTo(ctx, site, first, last)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w for %s of %s, which is not completed", ErrWaits, first, missing[0])
	}
	return e.tied(ctx, first, site.Name, last)
}

// lastOfNight is the last business date of a job that is worked by a night.
func lastOfNight(site *rules.Site, job string, night market.Date) (last market.Date, any bool, err error) {
	const longest = 100 // days back to the last month's end, and over every holiday
	for on := night.AddDays(-site.Jobs[job].DaysAfter); on > night-longest; on-- {
		has, err := site.Has(job, on)
		if err != nil {
			return 0, false, err
		}
		if !has {
			continue
		}
		worked, err := site.NightOf(job, on)
		if err != nil || worked <= night {
			return on, true, err
		}
	}
	return 0, false, nil
}

// tied compares what a run said with what it left. Nothing is built on a run
// that does not tie.
func (e *Engine) tied(ctx context.Context, job, site string, on market.Date) error {
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		run, found, err := tx.FindRun(ctx, job, site, on)
		if err != nil || !found {
			return err
		}
		ties, err := tx.Ties(ctx, run)
		for _, tie := range ties {
			if tie.Said != tie.Kept {
				err = errors.Join(err, fmt.Errorf("%w: %s of %s, run %d, says %d %s and left %d: what stands on it does not begin: see `nightshift reports verify %d` and `nightshift ledger verify`",
					ErrControl, job, on, run.ID, tie.Said, tie.What, tie.Kept, run.ID))
			}
		}
		return err
	})
}

// allFed asks whether all files are there that a night needs.
func (e *Engine) allFed(ctx context.Context, site *rules.Site, job string, on market.Date, now time.Time) error {
	for _, need := range site.Jobs[job].Needs {
		if err := e.fed(ctx, site, job, on, need, now); err != nil {
			return err
		}
	}
	return nil
}

// fed asks whether the files of one kind are there. What comes after the
// deadline may be the next night's: it makes up for nothing.
func (e *Engine) fed(ctx context.Context, site *rules.Site, job string, on market.Date, need rules.Need, now time.Time) error {
	asOf, err := site.AsOf(job, on)
	if err != nil {
		return err
	}
	until, err := site.NeedUntil(job, on, need)
	if err != nil {
		return err
	}
	since := asOf.Add(-need.Within)
	var came storage.Feed
	if err := e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		came, err = tx.FeedBetween(ctx, site.Name, need.Kind, since, until)
		return err
	}); err != nil {
		return err
	}
	const shown = "2006-01-02 15:04"
	if most := mostOf(need); need.MostFiles > 0 && came.Files > need.MostFiles || need.MostRows > 0 && came.Rows > need.MostRows {
		return fmt.Errorf("%w: %s: %d files with %d rows were taken in since %s, and %s are expected at most: see whether one came twice; `nightshift run %s --date %s` goes on with them",
			ErrTooMuch, need.Kind, came.Files, came.Rows, since.In(site.Zone).Format(shown), most, job, on)
	}
	if came.Files >= need.Files && came.Rows >= need.Rows {
		return nil
	}
	said := fmt.Sprintf("%d of %d files", came.Files, need.Files)
	if need.Rows > 0 {
		said += fmt.Sprintf(" and %d of %d rows", came.Rows, need.Rows)
	}
	said = fmt.Sprintf("%s: %s were taken in since %s", need.Kind, said, since.In(site.Zone).Format(shown))
	if now.After(until) {
		return fmt.Errorf("%w by %s: %s: import it and start `nightshift run %s --date %s`, or do without it the same way",
			ErrNoInput, until.In(site.Zone).Format(shown), said, job, on)
	}
	return fmt.Errorf("%w for %s: it begins by itself when they are there, until %s", ErrWaits, said, until.In(site.Zone).Format(shown))
}

// mostOf says how much of a feed is expected at most.
func mostOf(need rules.Need) string {
	var said []string
	if need.MostFiles > 0 {
		said = append(said, fmt.Sprintf("%d files", need.MostFiles))
	}
	if need.MostRows > 0 {
		said = append(said, fmt.Sprintf("%d rows", need.MostRows))
	}
	return strings.Join(said, " with ")
}

// Halt records that a site, a job or a run pauses or goes on. A run that is
// carried somewhere stops after its chunk.
func (e *Engine) Halt(ctx context.Context, h storage.Halt) error {
	site, err := e.site(h.Site)
	if err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(h.Actor) == "":
		return fmt.Errorf("%w: nobody is named who pauses or resumes: name yourself with --actor", ErrBadRequest)
	case strings.TrimSpace(h.Because) == "":
		return fmt.Errorf("%w: no reason is given: whoever comes after has to know why", ErrBadRequest)
	}
	if _, runs := site.Jobs[h.Job]; h.Job != "" && !runs {
		return fmt.Errorf("%w: %w: site %s runs %v", ErrBadRequest, rules.ErrNoJob, site.Name, NamesAt(site))
	}
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error { return tx.KeepHalt(ctx, h) })
}
