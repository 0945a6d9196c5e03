package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Keeping is whose work a chunk is: a run's, or with no run a person's.
type Keeping struct {
	RunID int64
	Site  string
	On    market.Date
}

func (k Keeping) run() any {
	if k.RunID == 0 {
		return nil
	}
	return k.RunID
}

func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// KeepDecisions appends decisions to the history.
func (tx *Tx) KeepDecisions(ctx context.Context, k Keeping, decisions []market.Decision) error {
	columns := []string{"subject", "ruleset", "business_date", "no", "run_id", "outcome", "rule", "due_at", "look_at", "facts", "carried", "actor", "because", "evidence", "refused"}
	return tx.CopyRows(ctx, "decisions", columns, len(decisions), func(i int, row *Row) error {
		d := &decisions[i]
		refused, err := refusals(d.Refused)
		if err != nil {
			return err
		}
		return row.Put(d.Subject, d.Ruleset, k.On, d.No, k.run(), d.Outcome, d.Rule, orNull(d.DueAt), orNull(d.LookAt),
			d.Facts, bytesOrNull(d.Carried), textOrNull(d.Actor), textOrNull(d.Because), textOrNull(d.Evidence), refused)
	})
}

// KeepEffects appends what the decisions changed. An event that happened
// before is a violation of its unique key: nothing is kept.
func (tx *Tx) KeepEffects(ctx context.Context, k Keeping, e market.Effects) error {
	err := tx.CopyRows(ctx, "event_keys", []string{"key", "run_id", "business_date"}, len(e.Events), func(i int, row *Row) error {
		return row.Put(e.Events[i].Key, k.run(), k.On)
	})
	if err != nil {
		return err
	}
	if err := tx.wakePayers(ctx, e.Completions); err != nil {
		return err
	}
	err = tx.CopyRows(ctx, "completions", []string{"order_id", "outcome", "completed_at", "valid_from", "valid_until", "run_id", "business_date", "no"}, len(e.Completions), func(i int, row *Row) error {
		c := &e.Completions[i]
		return row.Put(c.OrderID, c.Outcome, c.CompletedAt, orNull(c.ValidFrom), orNull(c.ValidUntil), k.run(), k.On, c.No)
	})
	if err != nil {
		return err
	}
	if err := tx.keepCalls(ctx, k, e.Calls); err != nil {
		return err
	}
	if err := tx.keepEndings(ctx, k, e.Endings); err != nil {
		return err
	}
	return tx.CopyRows(ctx, "notices", []string{"key", "business_date", "site", "kind", "subject", "recipients", "at", "run_id"}, len(e.Notices), func(i int, row *Row) error {
		n := &e.Notices[i]
		return row.Put(n.Key, k.On, k.Site, n.Kind, n.Subject, n.Recipients, n.At, k.run())
	})
}

// EventsSeen are those of the keys that were kept before.
func (tx *Tx) EventsSeen(ctx context.Context, keys []string) (map[string]bool, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	// A plan that was made while there were few keys would read them all for ever.
	if err := tx.hint(ctx, "enable_seqscan"); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	err := tx.Query(ctx, `SELECT key FROM events_seen WHERE key = ANY($1)`, []any{keys}, func(rows pgx.Rows) error {
		var key string
		err := rows.Scan(&key)
		seen[key] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for %d event keys: %w", len(keys), err)
	}
	return seen, tx.unhint(ctx, "enable_seqscan")
}

// Completed are those of the orders whose supervision has ended.
func (tx *Tx) Completed(ctx context.Context, orders []int64) (map[int64]bool, error) {
	done := map[int64]bool{}
	err := tx.Query(ctx, `SELECT order_id FROM completions_seen c WHERE order_id = ANY($1) AND `+standing, []any{orders}, func(rows pgx.Rows) error {
		var id int64
		err := rows.Scan(&id)
		done[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for completed orders: %w", err)
	}
	return done, nil
}

// Parked is a candidate that was set aside, until somebody requeues it.
type Parked struct {
	ID      int64
	Job     string
	Site    string
	Subject int64
	Code    string // the subject's: an order's, a buyer's
	RunID   int64
	On      market.Date
	Reason  string
}

// Park sets candidates of a run aside; they are not looked at until requeued.
func (tx *Tx) Park(ctx context.Context, job string, k Keeping, parked []Parked) error {
	for _, p := range parked {
		if _, err := tx.Exec(ctx, `
			INSERT INTO parked (job, site, subject, run_id, business_date, reason) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (run_id, subject) DO UPDATE SET reason = excluded.reason, requeued_at = NULL, requeued_by = NULL`,
			job, k.Site, p.Subject, k.RunID, k.On, p.Reason); err != nil {
			return fmt.Errorf("park %d of %s: %w", p.Subject, job, err)
		}
		if _, err := tx.Exec(ctx, `UPDATE due SET look_at = 'infinity' WHERE job = $1 AND subject = $2`, job, p.Subject); err != nil {
			return fmt.Errorf("park %d of %s: %w", p.Subject, job, err)
		}
	}
	return nil
}

// ParkedOpen are the parked candidates nobody has requeued, oldest first.
func (tx *Tx) ParkedOpen(ctx context.Context, job, site string, limit int) ([]Parked, error) {
	var parked []Parked
	err := tx.Query(ctx, `
		SELECT p.id, p.job, p.site, p.subject, o.code, p.run_id, p.business_date, p.reason
		FROM parked p JOIN subjects o ON o.job = p.job AND o.subject = p.subject
		WHERE ($1 = '' OR p.job = $1) AND p.site = $2 AND p.requeued_at IS NULL
		ORDER BY p.id
		LIMIT $3`, []any{job, site, limit}, func(rows pgx.Rows) error {
		var p Parked
		err := rows.Scan(&p.ID, &p.Job, &p.Site, &p.Subject, &p.Code, &p.RunID, &p.On, &p.Reason)
		parked = append(parked, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list parked work: %w", err)
	}
	return parked, nil
}

// Requeue gives parked candidates back to the next run. With no codes it is
// all of the job and site. It answers how many there were, with those among the
// codes that an import gave back before.
func (tx *Tx) Requeue(ctx context.Context, job, site string, codes []string, actor string) (int64, error) {
	n, err := tx.Exec(ctx, `
		WITH given AS (
			UPDATE parked p SET requeued_at = now(), requeued_by = $4
			FROM subjects o
			WHERE o.job = p.job AND o.subject = p.subject AND ($1 = '' OR p.job = $1) AND p.site = $2 AND p.requeued_at IS NULL
			  AND (coalesce(cardinality($3::text[]), 0) = 0 OR o.code = ANY($3))
			RETURNING p.job, p.subject, o.begins)
		UPDATE due SET look_at = given.begins
		FROM given WHERE due.job = given.job AND due.subject = given.subject`, job, site, codes, actor)
	if err != nil {
		return 0, fmt.Errorf("requeue parked work: %w", err)
	}
	var before int64 // an import of what was mended gave them back
	_, err = tx.one(ctx, `
		SELECT count(*) FROM (
			SELECT DISTINCT ON (p.job, p.subject) p.requeued_by FROM parked p JOIN subjects o ON o.job = p.job AND o.subject = p.subject
			WHERE ($1 = '' OR p.job = $1) AND p.site = $2 AND o.code = ANY($3)
			ORDER BY p.job, p.subject, p.run_id DESC) newest
		WHERE requeued_by = $4`, []any{job, site, codes, byImport}, &before)
	if err != nil {
		return 0, fmt.Errorf("ask what an import gave back: %w", err)
	}
	return n + before, nil
}

// byImport is who gave back what was parked until its facts were reported again.
const byImport = "import"
