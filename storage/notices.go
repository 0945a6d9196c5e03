package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// KeptNotice is a notice with the run and the date that found it owed.
type KeptNotice struct {
	market.Notice
	On    market.Date
	RunID int64  // zero where a person's decision led to it
	Code  string // the subject's, as the marketplace knows it; empty where it is no order
}

// Notices hands the notices of a site and a period to each, by date and key.
func (s *Store) Notices(ctx context.Context, site string, p market.Period, each func(KeptNotice) error) error {
	err := s.query(ctx, `
		SELECT n.key, n.kind, n.subject, n.recipients, n.at, n.business_date, coalesce(n.run_id, 0), coalesce(o.code, '')
		FROM notices n LEFT JOIN orders o ON o.id = n.subject
		WHERE n.site = $1 AND n.business_date >= $2 AND n.business_date < $3
		ORDER BY n.business_date, n.key`, []any{site, p.From, p.To}, func(rows pgx.Rows) error {
		var n KeptNotice
		if err := rows.Scan(&n.Key, &n.Kind, &n.Subject, &n.Recipients, &n.At, &n.On, &n.RunID, &n.Code); err != nil {
			return err
		}
		return each(n)
	})
	if err != nil {
		return fmt.Errorf("list the notices of site %s: %w", site, err)
	}
	return nil
}
