package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// ShadowAnswer is what the rules in force, or a shadow of them, answered.
type ShadowAnswer struct {
	Outcome, Rule string
	DueAt         time.Time
}

// ShadowDifference is a candidate that a shadow answered otherwise.
type ShadowDifference struct {
	Subject int64
	Ruleset string
	Shadow  []byte // the content hash
	Was     ShadowAnswer
	Would   ShadowAnswer // zero where it could not decide
	Trouble string       // why it could not
}

// KeepShadows appends the differences that a run found.
func (tx *Tx) KeepShadows(ctx context.Context, k Keeping, differences []ShadowDifference) error {
	columns := []string{"business_date", "run_id", "subject", "shadow", "ruleset", "was", "was_rule", "was_due", "would", "would_rule", "would_due", "trouble"}
	return tx.CopyRows(ctx, "shadow_differences", columns, len(differences), func(i int, row *Row) error {
		d := &differences[i]
		return row.Put(k.On, k.RunID, d.Subject, d.Shadow, d.Ruleset, d.Was.Outcome, d.Was.Rule, orNull(d.Was.DueAt),
			textOrNull(d.Would.Outcome), textOrNull(d.Would.Rule), orNull(d.Would.DueAt), textOrNull(d.Trouble))
	})
}

// ShadowTally is how often a shadow answered one thing where another was
// decided. Nights and Decided are those of the shadow in all.
type ShadowTally struct {
	Ruleset        string
	Version        int
	File           string
	Shadow         []byte
	Nights         int64 // runs it stood beside
	Decided        int64 // candidates that it was asked about
	Was, Would     string
	Orders         int64
	Earlier, Later int64 // of these, with the same outcome
}

const shadowTallies = `
	WITH beside AS (
		SELECT decode(p.value, 'hex') AS shadow, count(*) AS nights, sum(r.candidates - r.parked) AS decided
		FROM runs r, jsonb_each_text(r.policies) p
		WHERE p.key LIKE 'shadow:%%' AND %s
		GROUP BY p.value),
	differ AS (
		SELECT d.shadow, d.was, coalesce(d.would, '') AS would, count(*) AS orders,
		       count(*) FILTER (WHERE d.was = d.would AND d.would_due < d.was_due) AS earlier,
		       count(*) FILTER (WHERE d.was = d.would AND d.would_due > d.was_due) AS later
		FROM shadow_differences d JOIN runs r ON r.id = d.run_id
		WHERE %s
		GROUP BY d.shadow, d.was, would)
	SELECT v.ruleset, v.version, v.file, v.hash, b.nights, b.decided, coalesce(d.was, ''), coalesce(d.would, ''),
	       coalesce(d.orders, 0), coalesce(d.earlier, 0), coalesce(d.later, 0)
	FROM beside b JOIN rule_versions v ON v.hash = b.shadow LEFT JOIN differ d ON d.shadow = b.shadow
	ORDER BY v.ruleset, v.version, v.file, v.hash, d.was, d.would`

// ShadowsOfRun tallies the shadows of one run.
func (tx *Tx) ShadowsOfRun(ctx context.Context, run market.Run) ([]ShadowTally, error) {
	return tx.shadowTallies(ctx, fmt.Sprintf(shadowTallies, "r.id = $1", "r.id = $1 AND d.business_date = $2"), run.ID, run.On)
}

// ShadowsBetween tallies those of a site's nights, both dates included.
func (tx *Tx) ShadowsBetween(ctx context.Context, site string, from, to market.Date) ([]ShadowTally, error) {
	return tx.shadowTallies(ctx, fmt.Sprintf(shadowTallies, "r.site = $1 AND r.business_date BETWEEN $2 AND $3", "r.site = $1 AND d.business_date BETWEEN $2 AND $3"), site, from, to)
}

func (tx *Tx) shadowTallies(ctx context.Context, query string, args ...any) ([]ShadowTally, error) {
	var tallies []ShadowTally
	err := tx.Query(ctx, query, args, func(rows pgx.Rows) error {
		var t ShadowTally
		err := rows.Scan(&t.Ruleset, &t.Version, &t.File, &t.Shadow, &t.Nights, &t.Decided, &t.Was, &t.Would, &t.Orders, &t.Earlier, &t.Later)
		tallies = append(tallies, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add up what shadows would have decided: %w", err)
	}
	return tallies, nil
}

// ShadowOrder is an order that a shadow answered otherwise on a date.
type ShadowOrder struct {
	ShadowDifference
	Order   string
	On      market.Date
	Version int
}

// ShadowOrders are the newest differences of a site.
func (tx *Tx) ShadowOrders(ctx context.Context, site string, from, to market.Date, limit int) ([]ShadowOrder, error) {
	var orders []ShadowOrder
	err := tx.Query(ctx, `
		SELECT o.code, d.business_date, v.version, d.subject, d.ruleset, d.shadow, d.was, d.was_rule, d.was_due,
		       coalesce(d.would, ''), coalesce(d.would_rule, ''), d.would_due, coalesce(d.trouble, '')
		FROM shadow_differences d
		JOIN runs r ON r.id = d.run_id JOIN rule_versions v ON v.hash = d.shadow JOIN orders o ON o.id = d.subject
		WHERE r.site = $1 AND d.business_date BETWEEN $2 AND $3
		ORDER BY d.business_date DESC, o.code, v.version, d.shadow
		LIMIT $4`, []any{site, from, to, limit}, func(rows pgx.Rows) error {
		var o ShadowOrder
		var was, would pgtype.Timestamptz
		err := rows.Scan(&o.Order, &o.On, &o.Version, &o.Subject, &o.Ruleset, &o.Shadow, &o.Was.Outcome, &o.Was.Rule, &was,
			&o.Would.Outcome, &o.Would.Rule, &would, &o.Trouble)
		o.Was.DueAt, o.Would.DueAt = was.Time, would.Time
		orders = append(orders, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what shadows would have decided at %s: %w", site, err)
	}
	return orders, nil
}
