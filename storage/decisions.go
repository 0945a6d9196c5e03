package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// ErrNoOrder marks a code that no order of the site has.
var ErrNoOrder = errors.New("there is no such order")

// OrderID is the key of an order by the marketplace's own code.
func (tx *Tx) OrderID(ctx context.Context, site, code string) (id int64, err error) {
	found, err := tx.one(ctx, `SELECT id FROM orders WHERE site = $1 AND code = $2`, []any{site, code}, &id)
	if err == nil && !found {
		err = ErrNoOrder
	}
	if err != nil {
		return 0, fmt.Errorf("find order %q at site %s: %w", code, site, err)
	}
	return id, nil
}

// DecisionsOf is the whole history of a subject by these rulesets, oldest first.
// Orders and buyers are numbered apart, so that a key alone names no subject.
func (tx *Tx) DecisionsOf(ctx context.Context, subject int64, rulesets []string) ([]market.Decision, error) {
	var decisions []market.Decision
	err := tx.Query(ctx, `
		SELECT subject, ruleset, business_date, no, coalesce(run_id, 0), outcome, rule, due_at, look_at, facts, carried,
		       coalesce(actor, ''), coalesce(because, ''), coalesce(evidence, ''), coalesce(refused, '[]')
		FROM decisions
		WHERE subject = $1 AND ruleset = ANY($2)
		ORDER BY business_date, no, ruleset`, []any{subject, rulesets}, func(rows pgx.Rows) error {
		var d market.Decision
		var due, look pgtype.Timestamptz
		var refused []byte
		err := rows.Scan(&d.Subject, &d.Ruleset, &d.On, &d.No, &d.RunID, &d.Outcome, &d.Rule, &due, &look, &d.Facts, &d.Carried,
			&d.Actor, &d.Because, &d.Evidence, &refused)
		if err == nil {
			err = json.Unmarshal(refused, &d.Refused)
		}
		d.DueAt, d.LookAt = due.Time, look.Time
		decisions = append(decisions, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the decisions about %d: %w", subject, err)
	}
	return decisions, nil
}

// KeepPersonDecision appends what a person decided, under the next number of
// the date.
func (tx *Tx) KeepPersonDecision(ctx context.Context, k Keeping, d market.Decision) error {
	_, err := tx.one(ctx, `SELECT coalesce(max(no), 0) + 1 FROM decisions WHERE subject = $1 AND ruleset = $2 AND business_date = $3`,
		[]any{d.Subject, d.Ruleset, k.On}, &d.No)
	if err != nil {
		return fmt.Errorf("number the decision about %d: %w", d.Subject, err)
	}
	return tx.KeepDecisions(ctx, k, []market.Decision{d})
}

// Correct appends what a person established about the facts of an order.
func (tx *Tx) Correct(ctx context.Context, order int64, set map[string]string, at time.Time, actor, because string) error {
	for field, value := range set {
		if _, err := tx.Exec(ctx, `
			INSERT INTO corrections (order_id, field, value, at, actor, because) VALUES ($1, $2, $3, $4, $5, $6)`,
			order, field, value, at, actor, because); err != nil {
			return fmt.Errorf("correct %s of order %d: %w", field, order, err)
		}
	}
	return nil
}

// Ended is how an order's supervision ended; found is false while it is open.
func (tx *Tx) Ended(ctx context.Context, order int64) (c market.Completion, found bool, err error) {
	var from, until pgtype.Timestamptz
	found, err = tx.one(ctx, `SELECT order_id, outcome, completed_at, valid_from, valid_until FROM completions c WHERE order_id = $1 AND `+standing,
		[]any{order}, &c.OrderID, &c.Outcome, &c.CompletedAt, &from, &until)
	if err != nil {
		return c, false, fmt.Errorf("find how order %d ended: %w", order, err)
	}
	c.ValidFrom, c.ValidUntil = from.Time, until.Time
	return c, found, nil
}

// PayerParked is why billing set the buyer of an order aside that is not paid; found
// is false where it did not.
func (tx *Tx) PayerParked(ctx context.Context, order int64) (p Parked, found bool, err error) {
	found, err = tx.one(ctx, `
		SELECT p.id, p.job, p.site, p.subject, b.code, p.run_id, p.business_date, p.reason
		FROM orders o JOIN buyers b ON b.id = o.buyer_id JOIN parked p ON p.subject = b.id AND p.job = 'billing' AND p.requeued_at IS NULL
		WHERE o.id = $1 AND o.paid_at IS NULL AND o.cancelled_at IS NULL AND NOT EXISTS (SELECT FROM order_ends e WHERE e.order_id = o.id)
		ORDER BY p.id DESC LIMIT 1`, []any{order}, &p.ID, &p.Job, &p.Site, &p.Subject, &p.Code, &p.RunID, &p.On, &p.Reason)
	if err != nil {
		return p, false, fmt.Errorf("find whether the buyer of order %d is parked: %w", order, err)
	}
	return p, found, nil
}

// ParkedNow is why a job set a subject aside; found is false where it did not.
func (tx *Tx) ParkedNow(ctx context.Context, job string, subject int64) (p Parked, found bool, err error) {
	found, err = tx.one(ctx, `
		SELECT id, job, site, subject, run_id, business_date, reason FROM parked
		WHERE subject = $1 AND job = $2 AND requeued_at IS NULL ORDER BY id DESC LIMIT 1`,
		[]any{subject, job}, &p.ID, &p.Job, &p.Site, &p.Subject, &p.RunID, &p.On, &p.Reason)
	if err != nil {
		return p, false, fmt.Errorf("find whether %s parked %d: %w", job, subject, err)
	}
	return p, found, nil
}
