package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// DecisionCount is how often an outcome of a ruleset was decided.
type DecisionCount struct {
	Ruleset string `json:"ruleset"`
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// CountDecisions counts the decisions that were kept on the business dates of
// a period, at every site, by ruleset and outcome.
func (s *Store) CountDecisions(ctx context.Context, p market.Period) (counts []DecisionCount, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		counts = nil
		return tx.Query(ctx, `
			SELECT ruleset, outcome, count(*)
			FROM decisions
			WHERE business_date >= $1 AND business_date < $2
			GROUP BY ruleset, outcome
			ORDER BY ruleset, outcome`, []any{p.From, p.To}, func(rows pgx.Rows) error {
			var c DecisionCount
			if err := rows.Scan(&c.Ruleset, &c.Outcome, &c.Count); err != nil {
				return err
			}
			counts = append(counts, c)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count the decisions from %s to %s: %w", p.From, p.To, err)
	}
	return counts, nil
}
