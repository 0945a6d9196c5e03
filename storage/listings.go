package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Listings reads products with the orders of them that failed, and the days on
// which their interfaces were probed, in the order of the ids, which must be
// sorted. It looks back to the beginning of the month before the last.
func (tx *Tx) Listings(ctx context.Context, ids []int64, zone *time.Location, asOf time.Time) ([]market.Listing, error) {
	list := make([]market.Listing, 0, len(ids))
	at := map[int64]int{}
	since := market.Month(market.DateOf(asOf, zone)).Previous().Previous().From.At(market.TimeOfDay{}, zone)
	read := func(query string, take func(rows pgx.Rows) error, args ...any) error {
		return tx.Query(ctx, query, append([]any{ids}, args...), take)
	}
	err := tx.lookingUp(ctx, func() error {
		if err := read(`
			SELECT p.id, p.site, p.code, coalesce(s.code, ''), coalesce(p.access_type, ''), p.delisted_at
			FROM products p LEFT JOIN sellers s ON s.id = p.seller_id
			WHERE p.id = ANY($1)
			ORDER BY p.id`, func(rows pgx.Rows) error {
			l := market.Listing{Zone: zone, Since: since}
			err := rows.Scan(&l.ID, &l.Site, &l.Code, &l.Seller, &l.AccessType, (*instant)(&l.DelistedAt))
			at[l.ID] = len(list)
			list = append(list, l)
			return err
		}); err != nil {
			return err
		}
		if err := read(`
			SELECT o.product_id, e.at FROM endings_seen e JOIN orders o ON o.id = e.subject
			WHERE e.job = 'openings' AND e.outcome = 'failed' AND e.at >= $2 AND o.product_id = ANY($1)
			ORDER BY o.product_id, e.at`, func(rows pgx.Rows) error {
			var id int64
			var t time.Time
			err := rows.Scan(&id, &t)
			list[at[id]].Failed = append(list[at[id]].Failed, t)
			return err
		}, since); err != nil {
			return err
		}
		return read(`
			SELECT product_id, (at AT TIME ZONE $3)::date AS day, bool_or(passed) FROM probes
			WHERE product_id = ANY($1) AND at >= $2
			GROUP BY product_id, day
			ORDER BY product_id, day`, func(rows pgx.Rows) error {
			var id int64
			var p market.ProbedDay
			err := rows.Scan(&id, &p.On, &p.Passed)
			list[at[id]].Probed = append(list[at[id]].Probed, p)
			return err
		}, since, zone.String())
	})
	if err != nil {
		return nil, fmt.Errorf("read how the interfaces of %d products work: %w", len(ids), err)
	}
	return list, nil
}
