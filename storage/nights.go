package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// FirstRun is the first business date that a job of a site was run for.
func (tx *Tx) FirstRun(ctx context.Context, job, site string) (on market.Date, found bool, err error) {
	var first *market.Date
	_, err = tx.one(ctx, `SELECT min(business_date) FROM runs WHERE job = $1 AND site = $2`, []any{job, site}, &first)
	if err != nil || first == nil {
		if err != nil {
			err = fmt.Errorf("find the first %s run at %s: %w", job, site, err)
		}
		return 0, false, err
	}
	return *first, true, nil
}

// Missing are those of the dates, oldest first, that have no completed run of
// the job and whose work no other night did.
func (tx *Tx) Missing(ctx context.Context, job, site string, dates []market.Date) (missing []market.Date, err error) {
	if len(dates) == 0 {
		return nil, nil
	}
	err = tx.Query(ctx, `
		SELECT day
		FROM unnest($3::text[]::date[]) AS day
		WHERE NOT EXISTS (SELECT FROM runs r WHERE r.job = $1 AND r.site = $2 AND r.business_date = day AND r.state = 'completed')
		  AND NOT EXISTS (SELECT FROM skipped_nights k WHERE k.job = $1 AND k.site = $2 AND k.business_date = day)
		ORDER BY day`, []any{job, site, days(dates)}, func(rows pgx.Rows) error {
		var day market.Date
		err := rows.Scan(&day)
		missing = append(missing, day)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the dates without a %s run at %s: %w", job, site, err)
	}
	return missing, nil
}

func days(dates []market.Date) []string {
	days := make([]string, len(dates))
	for i, on := range dates {
		days[i] = on.String()
	}
	return days
}

// SkipDates records that another night does the work of dates of a job, of those
// that nobody has begun to run and nobody else has skipped.
func (tx *Tx) SkipDates(ctx context.Context, job, site string, dates []market.Date, by market.Date) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO skipped_nights (job, site, business_date, caught_up_by)
		SELECT $1, $2, day, $4
		FROM unnest($3::text[]::date[]) AS day
		WHERE NOT EXISTS (SELECT FROM runs r WHERE r.job = $1 AND r.site = $2 AND r.business_date = day)
		ORDER BY day
		ON CONFLICT DO NOTHING`, job, site, days(dates), by)
	if err != nil {
		return fmt.Errorf("skip %d nights of %s at %s: %w", len(dates), job, site, err)
	}
	return nil
}

// Feed is what was taken in of one kind since an instant.
type Feed struct {
	Files int
	Rows  int64
	Last  time.Time // when the newest file came; zero where none did
}

// FeedBetween counts what a site took in of a kind from an instant to another, both
// included: each file once, however often it was imported.
func (tx *Tx) FeedBetween(ctx context.Context, site, kind string, since, until time.Time) (f Feed, err error) {
	var last *time.Time
	_, err = tx.one(ctx, `
		SELECT count(*), coalesce(sum(n), 0)::bigint, max(last)
		FROM (
			SELECT max(added + changed + unchanged) AS n, max(at) AS last
			FROM imports
			WHERE site = $1 AND kind = $2 AND at BETWEEN $3 AND $4
			GROUP BY sha256) AS files`, []any{site, kind, since, until}, &f.Files, &f.Rows, &last)
	if err != nil {
		return f, fmt.Errorf("count the imports of %s at %s: %w", kind, site, err)
	}
	if last != nil {
		f.Last = *last
	}
	return f, nil
}

// Tie is a control total of a run: what it said, and what is kept.
type Tie struct {
	What       string
	Said, Kept int64
}

// Ties are the control totals of a completed run: its counts, beside the rows
// that it left.
func (tx *Tx) Ties(ctx context.Context, r market.Run) (ties []Tie, err error) {
	var shards, parked, decisions int64
	_, err = tx.one(ctx, `
		SELECT
			(SELECT coalesce(sum(candidates), 0) FROM shards WHERE run_id = $1)::bigint,
			(SELECT count(*) FROM parked WHERE run_id = $1),
			(SELECT count(*) FROM decisions WHERE run_id = $1 AND business_date = $2 AND no = 0)`,
		[]any{r.ID, r.On}, &shards, &parked, &decisions)
	if err != nil {
		return nil, fmt.Errorf("tie run %d: %w", r.ID, err)
	}
	return []Tie{{"candidates", r.Candidates, shards}, {"parked candidates", r.Parked, parked}, {"decisions", r.Decisions, decisions}}, nil
}
