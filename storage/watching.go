package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// UsualTime is how long the newest completed runs of a job took: the median of
// up to nine of them; zero where there is none.
func (tx *Tx) UsualTime(ctx context.Context, job, site string) (time.Duration, error) {
	var seconds float64
	_, err := tx.one(ctx, `
		SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)), 0)::float8
		FROM (
			SELECT started_at, finished_at FROM runs
			WHERE job = $1 AND site = $2 AND state = 'completed'
			ORDER BY business_date DESC LIMIT 9) AS newest`, []any{job, site}, &seconds)
	if err != nil {
		return 0, fmt.Errorf("find how long %s at %s usually takes: %w", job, site, err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// RunTotals are the runs of a job and site that stand alike.
type RunTotals struct {
	Job, Site, State         string
	Runs, Candidates, Parked int64 // Parked: that nobody has requeued yet; of the whole job
}

// RunTotals counts all runs, by job, site and state.
func (tx *Tx) RunTotals(ctx context.Context) (totals []RunTotals, err error) {
	err = tx.Query(ctx, `
		SELECT job, site, state, count(*), sum(candidates)::bigint,
		       (SELECT count(*) FROM parked p WHERE p.job = runs.job AND p.site = runs.site AND p.requeued_at IS NULL)
		FROM runs GROUP BY job, site, state ORDER BY job, site, state`, nil, func(rows pgx.Rows) error {
		var t RunTotals
		err := rows.Scan(&t.Job, &t.Site, &t.State, &t.Runs, &t.Candidates, &t.Parked)
		totals = append(totals, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count the runs: %w", err)
	}
	return totals, nil
}

// ParkedCount is how much of a job is set aside and waits for a person.
func (tx *Tx) ParkedCount(ctx context.Context, job, site string) (n int64, err error) {
	if _, err = tx.one(ctx, `SELECT count(*) FROM parked WHERE job = $1 AND site = $2 AND requeued_at IS NULL`, []any{job, site}, &n); err != nil {
		return 0, fmt.Errorf("count what is parked of %s at %s: %w", job, site, err)
	}
	return n, nil
}

// Told tells whether a message was sent, by whatever machine.
func (tx *Tx) Told(ctx context.Context, key string) (told bool, err error) {
	if _, err = tx.one(ctx, `SELECT EXISTS (SELECT FROM messages WHERE key = $1)`, []any{key}, &told); err != nil {
		return false, fmt.Errorf("look for the message %s: %w", key, err)
	}
	return told, nil
}

// KeepMessage records that a message was sent.
func (tx *Tx) KeepMessage(ctx context.Context, key, site, text string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO messages (key, site, text) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, key, site, text); err != nil {
		return fmt.Errorf("keep the message %s: %w", key, err)
	}
	return nil
}
