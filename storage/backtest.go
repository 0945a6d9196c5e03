package storage

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// Past is a kept decision with the order it is about, for deciding history
// again.
type Past struct {
	OrderLine
	market.Decision
}

// PastSpan is what there is of history: how many decisions, and between which
// keys.
type PastSpan struct{ Count, First, Last int64 }

// History is the part of a site's history that is decided again: all that was
// decided under some rulesets up to a business date.
type History struct {
	Site     string
	Rulesets []string
	To       market.Date
}

const past = `
	FROM decisions d JOIN orders o ON o.id = d.subject
	WHERE o.site = $1 AND d.ruleset = ANY($2) AND d.business_date <= $3`

// ReadOnly has the database refuse every write of the transaction. It comes
// before everything else.
func (tx *Tx) ReadOnly(ctx context.Context) error {
	if _, err := tx.Exec(ctx, `SET TRANSACTION READ ONLY`); err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	return nil
}

// MeasurePast says how much there is to decide again.
func (tx *Tx) MeasurePast(ctx context.Context, h History) (s PastSpan, err error) {
	_, err = tx.one(ctx, `SELECT count(*), coalesce(min(d.subject), 0), coalesce(max(d.subject), 0)`+past,
		[]any{h.Site, h.Rulesets, h.To}, &s.Count, &s.First, &s.Last)
	if err != nil {
		return s, fmt.Errorf("measure the history of %s up to %s: %w", h.Site, h.To, err)
	}
	return s, nil
}

// Past are the decisions about the subjects in (after, upto], by subject and
// then in the order in which they were taken. A row's facts are its own.
func (tx *Tx) Past(ctx context.Context, h History, after, upto int64) iter.Seq2[Past, error] {
	var v Past
	var due pgtype.Timestamptz
	dest := append([]any{&v.Subject, &v.Ruleset, &v.On, &v.No, &v.RunID, &v.Outcome, &v.Rule, &due, &v.Facts, &v.Carried, &v.Actor, &v.Decision.Because}, v.dest()...)
	return each(ctx, tx, `
		SELECT d.subject, d.ruleset, d.business_date, d.no, coalesce(d.run_id, 0), d.outcome, d.rule, d.due_at, d.facts, d.carried,
		       coalesce(d.actor, ''), coalesce(d.because, ''), `+orderLine+`
		FROM decisions d JOIN orders o ON o.id = d.subject
		WHERE o.site = $1 AND d.ruleset = ANY($2) AND d.business_date <= $3 AND d.subject > $4 AND d.subject <= $5
		ORDER BY d.subject, d.business_date, d.no, d.ruleset`, []any{h.Site, h.Rulesets, h.To, after, upto}, dest, func() Past {
		row := v
		row.DueAt = due.Time
		v.Facts, v.Carried = nil, nil // the next row's bytes are its own
		return row
	})
}
