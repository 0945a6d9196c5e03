package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// LastAnswer is what a small job last decided about one of its subjects.
type LastAnswer struct {
	Code    string
	Outcome string
	Rule    string
	Since   time.Time
	Turns   time.Time // when it turns if nothing else happens; zero: only then
	On      market.Date
	RunID   int64  // zero where a person decided
	Actor   string // the person; empty for a run
}

// Standings are what a small job last decided about each of its subjects at a site,
// the newest first; with an outcome, those alone.
func (s *Store) Standings(ctx context.Context, job, site, outcome string, limit int) (list []LastAnswer, err error) {
	err = s.query(ctx, `
		SELECT s.code, d.outcome, d.rule, d.due_at, d.look_at, d.business_date, coalesce(d.run_id, 0), coalesce(d.actor, '')
		FROM (SELECT subject FROM due WHERE job = $1 AND site = $2 UNION SELECT subject FROM endings WHERE job = $1) of_job
		JOIN subjects s ON s.job = $1 AND s.subject = of_job.subject AND s.site = $2
		JOIN LATERAL (
			SELECT * FROM decisions d WHERE d.subject = of_job.subject AND d.ruleset = $1
			ORDER BY d.business_date DESC, d.no DESC LIMIT 1) d ON true
		WHERE $3 = '' OR d.outcome = $3
		ORDER BY d.due_at DESC, s.code COLLATE "C"
		LIMIT $4`, []any{job, site, outcome, limit}, func(rows pgx.Rows) error {
		var st LastAnswer
		err := rows.Scan(&st.Code, &st.Outcome, &st.Rule, (*instant)(&st.Since), (*instant)(&st.Turns), &st.On, &st.RunID, &st.Actor)
		list = append(list, st)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what stands of %s at %s: %w", job, site, err)
	}
	return list, nil
}

// Proposals are the notices that proposed to take a product off the shelf, oldest
// first.
func (tx *Tx) Proposals(ctx context.Context, site, product string) (list []market.Notice, err error) {
	err = tx.Query(ctx, `
		SELECT n.key, n.kind, n.subject, n.recipients, n.at
		FROM (SELECT min(business_date) AS first, max(business_date) AS last FROM runs WHERE job = 'listings' AND site = $1) r,
		     generate_series(date_trunc('month', r.first) - interval '2 months', r.last, interval '1 month') month
		JOIN notices n ON n.key = 'delisting/' || $1 || '/' || $2 || '/' || to_char(month, 'YYYYMM')
		ORDER BY n.at`, []any{site, product}, func(rows pgx.Rows) error {
		var n market.Notice
		err := rows.Scan(&n.Key, &n.Kind, &n.Subject, &n.Recipients, &n.At)
		list = append(list, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the proposals about product %q of site %s: %w", product, site, err)
	}
	return list, nil
}
