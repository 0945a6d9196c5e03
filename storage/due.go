package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Due is a subject that a run has to look at.
type Due struct {
	Subject int64
	Stands  []byte // fingerprints of the standing decisions; nil where nothing was decided yet
}

// DueSpan is what there is to look at: how much, and between which keys.
type DueSpan struct{ Count, First, Last int64 }

// sparse is the share of keys below which reading by look-again instant is
// cheaper than walking the keys.
const sparse = 20

// Sparse tells whether few of the keys of the span are due.
func (d DueSpan) Sparse() bool { return d.Count*sparse < d.Last-d.First+1 }

// DueAt measures what a job of a site has to look at by asOf.
func (tx *Tx) DueAt(ctx context.Context, job, site string, asOf time.Time) (DueSpan, error) {
	// The index on look_at is right for a usual night, when little is due; the
	// planner's figures are older than the last night and would say otherwise.
	if err := tx.hint(ctx, "enable_seqscan"); err != nil {
		return DueSpan{}, err
	}
	var d DueSpan
	_, err := tx.one(ctx, `
		SELECT count(*), coalesce(min(subject), 0), coalesce(max(subject), 0)
		FROM due
		WHERE job = $1 AND site = $2 AND look_at <= $3`, []any{job, site, asOf}, &d.Count, &d.First, &d.Last)
	if err != nil {
		return DueSpan{}, fmt.Errorf("measure what is due of %s at %s: %w", job, site, err)
	}
	return d, tx.unhint(ctx, "enable_seqscan")
}

const dueByKey = `
	SELECT subject, stands
	FROM due
	WHERE job = $1 AND site = $2 AND look_at <= $3 AND subject > $4 AND subject <= $5
	ORDER BY job, subject
	LIMIT $6`

const dueByInstant = `
	WITH looks AS MATERIALIZED (
		SELECT subject, stands
		FROM due
		WHERE job = $1 AND site = $2 AND look_at <= $3
		ORDER BY job, site, look_at)
	SELECT subject, stands
	FROM looks
	WHERE subject > $4 AND subject <= $5
	ORDER BY subject
	LIMIT $6`

// DueChunk is the driving query of every job: the next subjects to look at by
// asOf with a key in (after, upto], in key order. Sparse says that few are due.
func (tx *Tx) DueChunk(ctx context.Context, job, site string, asOf time.Time, after, upto int64, limit int, sparse bool) ([]Due, error) {
	query := dueByKey
	if sparse {
		query = dueByInstant
	}
	if err := tx.hint(ctx, "enable_seqscan"); err != nil {
		return nil, err
	}
	chunk := make([]Due, 0, limit)
	var d Due
	dest := []any{&d.Subject, &d.Stands}
	err := tx.Query(ctx, query, []any{job, site, asOf, after, upto, limit}, func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		chunk = append(chunk, d)
		d.Stands = nil // the next row's bytes are its own
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is due of %s at %s: %w", job, site, err)
	}
	return chunk, tx.unhint(ctx, "enable_seqscan")
}

// PutBack says when to look again, and what stands until then.
type PutBack struct {
	Subjects []int64
	LookAt   []pgtype.Timestamptz // infinity: not before a fact or a rule changes
	Stands   [][]byte
}

// Cleared is p's room with nothing in it.
func (p PutBack) Cleared() PutBack {
	return PutBack{Subjects: p.Subjects[:0], LookAt: p.LookAt[:0], Stands: p.Stands[:0]}
}

// Add notes one subject. A zero look-again instant is "not before it changes".
func (p *PutBack) Add(subject int64, lookAt time.Time, stands []byte) {
	at := pgtype.Timestamptz{Time: lookAt, Valid: true}
	if lookAt.IsZero() {
		at = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	p.Subjects = append(p.Subjects, subject)
	p.LookAt = append(p.LookAt, at)
	p.Stands = append(p.Stands, stands)
}

// PutBack keeps the look-again instants of a chunk.
func (tx *Tx) PutBack(ctx context.Context, job string, p PutBack) error {
	if len(p.Subjects) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE due
		SET look_at = back.look_at, stands = back.stands
		FROM unnest($2::bigint[], $3::timestamptz[], $4::bytea[]) AS back (subject, look_at, stands)
		WHERE due.job = $1 AND due.subject = back.subject`, job, p.Subjects, p.LookAt, p.Stands)
	if err != nil {
		return fmt.Errorf("put back %d subjects of %s: %w", len(p.Subjects), job, err)
	}
	return nil
}

// Dismiss ends the looking: nothing can change the answer any more.
func (tx *Tx) Dismiss(ctx context.Context, job string, subjects []int64) error {
	if len(subjects) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `DELETE FROM due WHERE job = $1 AND subject = ANY($2)`, job, subjects); err != nil {
		return fmt.Errorf("dismiss %d subjects of %s: %w", len(subjects), job, err)
	}
	return nil
}

// Wake has a job look at a subject in its next run, whatever was put back.
func (tx *Tx) Wake(ctx context.Context, job, site string, subject int64, lookAt time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO due (job, site, subject, look_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (job, subject) DO UPDATE SET look_at = least(due.look_at, excluded.look_at)`, job, site, subject, lookAt)
	if err != nil {
		return fmt.Errorf("wake %d for %s: %w", subject, job, err)
	}
	return nil
}

// WakeOpen has the run at an as-of look at everything of a job and site that was
// decided before and is open, since the rules it was decided by have changed.
// What is parked stays so.
func (tx *Tx) WakeOpen(ctx context.Context, job, site string, asOf time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE due d SET look_at = $3
		WHERE d.job = $1 AND d.site = $2 AND d.look_at > $3 AND d.stands IS NOT NULL
		  AND NOT EXISTS (SELECT FROM public.parked p WHERE p.job = d.job AND p.subject = d.subject AND p.requeued_at IS NULL)`, job, site, asOf)
	if err != nil {
		return fmt.Errorf("wake what is open of %s at %s: %w", job, site, err)
	}
	return nil
}

// Standing is what stands of a subject, and whether it is still open.
func (tx *Tx) Standing(ctx context.Context, job string, subject int64) (stands []byte, open bool, err error) {
	open, err = tx.one(ctx, `SELECT stands FROM due WHERE job = $1 AND subject = $2 FOR UPDATE`, []any{job, subject}, &stands)
	if err != nil {
		return nil, false, fmt.Errorf("read what stands of %d: %w", subject, err)
	}
	return stands, open, nil
}

// BorrowDue copies what a run would look at into a dry run's own table: what is
// due, or with all everything that is open.
func (tx *Tx) BorrowDue(ctx context.Context, job, site string, asOf time.Time, all bool) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO due (job, site, subject, look_at, stands)
		SELECT job, site, subject, look_at, stands FROM public.due
		WHERE job = $1 AND site = $2 AND (look_at <= $3 OR $4)`, job, site, asOf, all)
	if err != nil {
		return fmt.Errorf("copy what is due of %s at %s: %w", job, site, err)
	}
	return nil
}
