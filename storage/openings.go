package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Openings reads orders with the calls that were to open them, in the order of
// the ids, which must be sorted.
func (tx *Tx) Openings(ctx context.Context, ids []int64) ([]market.Opening, error) {
	list := make([]market.Opening, 0, len(ids))
	at := map[int64]int{}
	err := tx.lookingUp(ctx, func() error {
		if err := tx.Query(ctx, `
			SELECT o.id, o.site, o.code, o.order_type, o.access_type, o.charge_mode, coalesce(o.amount, 0), coalesce(o.currency, ''), o.cancelled_at,
			       coalesce(s.id, 0), coalesce(s.code, ''), coalesce(p.code, ''),
			       EXISTS (SELECT FROM completions_seen c WHERE c.order_id = o.id AND `+standing+`),
			       (SELECT min(d.accepted_at) FROM deliveries d WHERE d.order_id = o.id),
			       (SELECT e.at FROM endings_seen e WHERE e.job = 'openings' AND e.subject = o.id AND e.outcome = 'failed'),
			       (SELECT count(*) FROM reversals r WHERE r.order_id = o.id)
			FROM orders o LEFT JOIN products p ON p.id = o.product_id LEFT JOIN sellers s ON s.id = coalesce(o.seller_id, p.seller_id)
			WHERE o.id = ANY($1)
			ORDER BY o.id`, []any{ids}, func(rows pgx.Rows) error {
			var o market.Opening
			err := rows.Scan(&o.ID, &o.Site, &o.Code, &o.Type, &o.AccessType, &o.ChargeMode, &o.Amount.Amount, &o.Amount.Currency, (*instant)(&o.CancelledAt),
				&o.SellerID, &o.Seller, &o.Product, &o.Ended, (*instant)(&o.AcceptedAt), (*instant)(&o.FailedAt), &o.Reopened)
			at[o.ID] = len(list)
			list = append(list, o)
			return err
		}); err != nil {
			return err
		}
		return tx.Query(ctx, `
			SELECT order_id, activity, called_at, coalesce(code, ''), coalesce(instance, '') FROM calls
			WHERE order_id = ANY($1)
			ORDER BY order_id, called_at, activity`, []any{ids}, func(rows pgx.Rows) error {
			var id int64
			var c market.SellerCall
			err := rows.Scan(&id, &c.Activity, &c.At, &c.Code, &c.Instance)
			list[at[id]].Calls = append(list[at[id]].Calls, c)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read how %d orders are opened: %w", len(ids), err)
	}
	return list, nil
}

// keepEndings appends what small jobs came to. Of an order that was not opened the
// delivery is not watched any more, and its product is looked at.
func (tx *Tx) keepEndings(ctx context.Context, k Keeping, endings []market.Ending) error {
	err := tx.CopyRows(ctx, "endings", []string{"job", "subject", "outcome", "at", "run_id", "business_date"}, len(endings), func(i int, row *Row) error {
		e := &endings[i]
		return row.Put(e.Job, e.Subject, e.Outcome, e.At, k.run(), k.On)
	})
	if err != nil {
		return err
	}
	var failed []int64
	for i := range endings {
		if e := &endings[i]; e.Job == "openings" && e.Outcome == market.Failed {
			failed = append(failed, e.Subject)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	if err := tx.Dismiss(ctx, "acceptance", failed); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO due AS d (job, site, subject, look_at)
		SELECT 'listings', o.site, o.product_id, min(e.at) FROM orders o JOIN endings_seen e ON e.job = 'openings' AND e.subject = o.id
		WHERE o.id = ANY($1) AND o.product_id IS NOT NULL
		GROUP BY o.site, o.product_id
		ON CONFLICT (job, subject) DO UPDATE SET look_at = least(d.look_at, excluded.look_at)`, failed); err != nil {
		return fmt.Errorf("wake the products of %d orders that were not opened: %w", len(failed), err)
	}
	return nil
}

// Concerns tells whether a job of a site has ever had anything to look at, or has
// been run.
func (tx *Tx) Concerns(ctx context.Context, job, site string) (ever bool, err error) {
	_, err = tx.one(ctx, `SELECT EXISTS (SELECT FROM due WHERE job = $1 AND site = $2) OR EXISTS (SELECT FROM runs WHERE job = $1 AND site = $2)`, []any{job, site}, &ever)
	if err != nil {
		return false, fmt.Errorf("ask whether there is anything for %s at %s: %w", job, site, err)
	}
	return ever, nil
}
