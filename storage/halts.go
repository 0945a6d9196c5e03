package storage

import (
	"context"
	"fmt"
	"time"

	"nightshift/rules/market"
)

// Halt is what a person said of a site, of a job of it or of one run: that it
// pauses, or that it goes on.
type Halt struct {
	Site    string
	Job     string      // empty: every job of the site
	On      market.Date // of one run; zero: every date
	Resumes bool
	Actor   string
	Because string
	At      time.Time // when it was recorded
}

// KeepHalt records what a person said.
func (tx *Tx) KeepHalt(ctx context.Context, h Halt) error {
	act := "pause"
	if h.Resumes {
		act = "resume"
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO public.halts (site, job, business_date, act, actor, because)
		VALUES ($1, nullif($2, ''), $3, $4, $5, $6)`, h.Site, h.Job, dateOrNull(h.On), act, h.Actor, h.Because)
	if err != nil {
		return fmt.Errorf("%s %s at %s: %w", act, h.place(), h.Site, err)
	}
	return nil
}

// HaltOf is why a run may not go on: the newest word about its site, its job or
// itself says that it pauses. The wider one is told first.
func (tx *Tx) HaltOf(ctx context.Context, site, job string, on market.Date) (h Halt, halted bool, err error) {
	h.Site = site
	var date *market.Date
	halted, err = tx.one(ctx, `
		SELECT coalesce(job, ''), business_date, actor, because, at
		FROM (
			SELECT DISTINCT ON (job, business_date) job, business_date, act, actor, because, at
			FROM public.halts
			WHERE site = $1 AND (job IS NULL OR job = $2) AND (business_date IS NULL OR business_date = $3)
			ORDER BY job, business_date, id DESC) AS newest
		WHERE act = 'pause'
		ORDER BY job IS NOT NULL, business_date IS NOT NULL
		LIMIT 1`, []any{site, job, on}, &h.Job, &date, &h.Actor, &h.Because, &h.At)
	if err != nil {
		return h, false, fmt.Errorf("ask whether %s of %s at %s is paused: %w", job, on, site, err)
	}
	if date != nil {
		h.On = *date
	}
	return h, halted, nil
}

// Stopped tells whether somebody asked this very run to stop.
func (tx *Tx) Stopped(ctx context.Context, r market.Run) (h Halt, stopped bool, err error) {
	var act string
	found, err := tx.one(ctx, `
		SELECT act, actor, because, at FROM public.halts
		WHERE site = $1 AND job = $2 AND business_date = $3
		ORDER BY id DESC LIMIT 1`, []any{r.Site, r.Job, r.On}, &act, &h.Actor, &h.Because, &h.At)
	if err != nil {
		return h, false, fmt.Errorf("ask whether run %d is to stop: %w", r.ID, err)
	}
	h.Site, h.Job, h.On = r.Site, r.Job, r.On
	return h, found && act == "pause", nil
}

// place names what is paused.
func (h Halt) place() string {
	switch {
	case h.Job == "":
		return "every job"
	case h.On == 0:
		return h.Job
	}
	return h.Job + " of " + h.On.String()
}

// String says who paused what, since when and why.
func (h Halt) String() string {
	return fmt.Sprintf("%s at %s is paused by %s since %s: %s", h.place(), h.Site, h.Actor, h.At.UTC().Format(time.RFC3339), h.Because)
}
