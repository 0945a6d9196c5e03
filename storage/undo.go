package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// standing are the completions c that nobody has reversed.
const standing = `NOT EXISTS (SELECT FROM reversals r WHERE r.order_id = c.order_id AND r.no = c.no)`

// Undoable is a decision that stands, and that ended an order's supervision.
type Undoable struct {
	OrderLine
	market.Decision
	PlacedAt time.Time
	No       int  // of its completion
	Complete bool // there is one; an order that needed no supervision has none
}

// UndoQuery says which decisions are to be undone: those of some runs with
// outcomes that ended the work, about which nothing was decided since.
type UndoQuery struct {
	Site     string
	Ruleset  string
	Runs     []int64
	From, To market.Date // the business dates of the runs
	Outcomes []string
}

// Undoables are the next of them after a key, by key.
func (tx *Tx) Undoables(ctx context.Context, q UndoQuery, after int64, limit int) ([]Undoable, error) {
	var list []Undoable
	err := tx.Query(ctx, `
		SELECT d.subject, d.ruleset, d.business_date, d.no, d.run_id, d.outcome, d.rule, d.due_at, d.facts, o.placed_at,
		       coalesce(c.no, 0), c.no IS NOT NULL, `+orderLine+`
		FROM decisions d
		JOIN orders o ON o.id = d.subject AND o.site = $1
		LEFT JOIN completions c ON c.order_id = d.subject AND c.run_id = d.run_id AND `+standing+`
		WHERE d.ruleset = $2 AND d.run_id = ANY($3) AND d.business_date BETWEEN $4 AND $5 AND d.outcome = ANY($6) AND d.subject > $7
		  AND NOT EXISTS (SELECT FROM decisions l WHERE l.subject = d.subject AND l.ruleset = d.ruleset AND (l.business_date, l.no) > (d.business_date, d.no))
		ORDER BY d.subject
		LIMIT $8`, []any{q.Site, q.Ruleset, q.Runs, q.From, q.To, q.Outcomes, after, limit}, func(rows pgx.Rows) error {
		var u Undoable
		var due pgtype.Timestamptz
		err := rows.Scan(append([]any{&u.Subject, &u.Ruleset, &u.On, &u.Decision.No, &u.RunID, &u.Outcome, &u.Rule, &due, &u.Facts, &u.PlacedAt, &u.No, &u.Complete}, u.dest()...)...)
		u.DueAt = due.Time
		list = append(list, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what %s decided at %s: %w", q.Ruleset, q.Site, err)
	}
	return list, nil
}

// CountOutcomes counts what runs decided of a ruleset, by outcome.
func (tx *Tx) CountOutcomes(ctx context.Context, q UndoQuery) (map[string]int64, error) {
	counts := map[string]int64{}
	err := tx.Query(ctx, `
		SELECT outcome, count(*) FROM decisions
		WHERE ruleset = $1 AND run_id = ANY($2) AND business_date BETWEEN $3 AND $4
		GROUP BY outcome`, []any{q.Ruleset, q.Runs, q.From, q.To}, func(rows pgx.Rows) error {
		var outcome string
		var n int64
		err := rows.Scan(&outcome, &n)
		counts[outcome] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count what %s decided at %s: %w", q.Ruleset, q.Site, err)
	}
	return counts, nil
}

// Reversal is the record that the end of a supervision does not stand.
type Reversal struct {
	OrderID int64
	No      int
	On      market.Date
	At      time.Time
	Undone  string // the version of the rules
	Actor   string
	Because string
}

// Reverse appends a reversal. One that is there already is an error of the
// unique key: nothing is reversed twice.
func (tx *Tx) Reverse(ctx context.Context, r Reversal) error {
	_, err := tx.Exec(ctx, `INSERT INTO reversals (order_id, no, business_date, at, undone, actor, because) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.OrderID, r.No, r.On, r.At, r.Undone, r.Actor, r.Because)
	if err != nil {
		return fmt.Errorf("reverse the end of order %d: %w", r.OrderID, err)
	}
	return nil
}

// reopened is how often the end of each supervision was reversed.
func (r *supervisionReader) reopened() error {
	var id int64
	return r.each(`SELECT order_id FROM reversals WHERE %s ORDER BY order_id`, "order_id", []any{&id}, &id, func(s *market.Supervision) { s.Reopened++ })
}

// VersionHashes are the content hashes of every text of a version that was used
// or released.
func (tx *Tx) VersionHashes(ctx context.Context, site, ruleset string, version int) (hashes [][]byte, err error) {
	err = tx.Query(ctx, `SELECT hash FROM rule_versions WHERE site = $1 AND ruleset = $2 AND version = $3 ORDER BY first_used, hash`,
		[]any{site, ruleset, version}, func(rows pgx.Rows) error {
			var hash []byte
			err := rows.Scan(&hash)
			hashes = append(hashes, hash)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("find the texts of %s@%d at %s: %w", ruleset, version, site, err)
	}
	return hashes, nil
}
