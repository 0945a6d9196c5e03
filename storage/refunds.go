package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// RefundsOf are the requests of buyers that nobody has decided and that take
// effect by asOf, in the order of their instants, with all that the rules may
// ask about their orders, as it stood when they were made. Where the platform ended a supervision with a refund, or
// the seller did not open an order, that asks for all of it. The year of a request is that of the zone.
func (tx *Tx) RefundsOf(ctx context.Context, buyers []int64, asOf time.Time, zone *time.Location) (map[int64][]market.RefundRequest, error) {
	found := map[int64][]market.RefundRequest{}
	returned := map[int64][]*market.Return{}
	err := tx.lookingUp(ctx, func() error {
		return tx.openRefunds(ctx, buyers, asOf, zone, func(r market.RefundRequest) {
			if r.Return != nil {
				returned[r.Order.ID] = append(returned[r.Order.ID], r.Return)
			}
			found[r.Order.BuyerID] = append(found[r.Order.BuyerID], r)
		})
	})
	if err == nil {
		err = tx.appealsAgainst(ctx, returned)
	}
	if err != nil {
		return nil, fmt.Errorf("read the refunds of %d buyers: %w", len(buyers), err)
	}
	return found, tx.paidBy(ctx, found)
}

// openRefunds hands out the requests that nobody has decided.
func (tx *Tx) openRefunds(ctx context.Context, buyers []int64, asOf time.Time, zone *time.Location, each func(market.RefundRequest)) error {
	return tx.Query(ctx, `
		SELECT r.id, r.code, r.request, coalesce(r.amount, 0), coalesce(r.currency, ''), r.requested_at, coalesce(r.approved_at, r.requested_at),
		       o.id, o.site, o.code, o.buyer_id, o.order_type, o.access_type, o.delivery_mode, o.charge_mode, coalesce(o.amount, 0), coalesce(o.currency, ''),
		       coalesce(d.seller_id, 0), coalesce(s.code, ''), coalesce(p.code, ''),
		       coalesce((SELECT sum(b.amount) FROM refund_results_seen b WHERE b.order_id = o.id), 0),
		       coalesce(v.start_at, v.delivered_at, d.at, o.paid_at), c.valid_until, c.completed_at, v.collected_at,
		       coalesce((SELECT a.outcome <> 'unsupervised' FROM decisions_seen a WHERE a.subject = o.id AND a.ruleset = 'acceptance' AND (a.due_at IS NULL OR a.due_at <= r.requested_at) ORDER BY a.business_date DESC, a.no DESC LIMIT 1), true),
		       r.sent_at, r.taken_at, r.objected_at, r.approved_at,
		       (SELECT count(*) FROM refund_results_seen b WHERE b.buyer_id = o.buyer_id AND b.request = 'unconditional' AND b.outcome = 'refund'
		          AND extract(year FROM b.requested_at AT TIME ZONE $3) = extract(year FROM r.requested_at AT TIME ZONE $3))
		FROM (
			SELECT f.id, f.code, f.order_id, f.request, f.amount, f.currency, f.requested_at, f.approved_at, f.sent_at, f.taken_at, f.objected_at
			FROM unbooked_seen u JOIN refunds f ON f.id = u.fact
			WHERE u.buyer_id = ANY($1) AND u.kind = 'refund' AND f.refunded_at IS NULL
			UNION ALL
			SELECT -c.order_id, CASE WHEN f.subject IS NULL THEN 'supervision/' ELSE 'opening/' END || o.code, c.order_id, CASE WHEN f.subject IS NULL THEN 'granted' ELSE 'failed' END, NULL, NULL, c.completed_at, NULL, NULL, NULL, NULL
			FROM unbooked_seen u JOIN completions_seen c ON c.order_id = u.fact JOIN orders o ON o.id = c.order_id
			LEFT JOIN endings_seen f ON f.job = 'openings' AND f.subject = c.order_id AND f.outcome = 'failed'
			WHERE u.buyer_id = ANY($1) AND u.kind = 'completion' AND c.outcome = 'refund'
			  AND NOT EXISTS (SELECT FROM reversals v WHERE v.order_id = c.order_id AND v.no = c.no)
			  AND (EXISTS (SELECT FROM deductions_seen d WHERE d.key = 'order/' || o.site || '/' || o.code || '/paid')
			       OR EXISTS (SELECT FROM unbooked_seen w WHERE w.buyer_id = u.buyer_id AND w.kind = 'order' AND w.fact = o.id))) r
		JOIN orders o ON o.id = r.order_id
		LEFT JOIN LATERAL (SELECT d.seller_id, d.at FROM deductions_seen d WHERE d.key = 'order/' || o.site || '/' || o.code || '/paid') d ON true
		LEFT JOIN sellers s ON s.id = coalesce(d.seller_id, o.seller_id)
		LEFT JOIN products p ON p.id = o.product_id
		LEFT JOIN LATERAL (
			SELECT c.outcome, c.valid_until, c.completed_at FROM completions_seen c
			WHERE c.order_id = o.id AND c.completed_at <= r.requested_at AND NOT EXISTS (SELECT FROM reversals v WHERE v.order_id = c.order_id AND v.no = c.no)) c ON true
		LEFT JOIN LATERAL (
			SELECT coalesce(max(start_at) FILTER (WHERE start_at <= r.requested_at), min(start_at)) AS start_at,
			       coalesce(max(delivered_at) FILTER (WHERE delivered_at <= r.requested_at), min(delivered_at)) AS delivered_at, min(collected_at) AS collected_at
			FROM deliveries v WHERE v.order_id = o.id) v ON true
		WHERE o.buyer_id = ANY($1) AND CASE r.request WHEN 'return' THEN r.requested_at ELSE coalesce(r.approved_at, r.requested_at) END <= $2
		  AND (r.request <> 'negotiated' OR r.approved_at IS NOT NULL)
		  AND NOT EXISTS (SELECT FROM refund_results_seen b WHERE b.refund_id = r.id)
		ORDER BY o.buyer_id, 7, r.code COLLATE "C"`, []any{buyers, asOf, zone.String()}, func(rows pgx.Rows) error {
		var r market.RefundRequest
		var since, until, ended, taken pgtype.Timestamptz
		var sent, tookBack, objected, approved pgtype.Timestamptz
		o := &r.Order
		if err := rows.Scan(&r.ID, &r.Code, &r.Request, &r.Amount.Amount, &r.Amount.Currency, &r.RequestedAt, &r.At,
			&o.ID, &o.Site, &o.Code, &o.BuyerID, &o.Type, &o.AccessType, &o.DeliveryMode, &o.ChargeMode, &o.Amount.Amount, &o.Amount.Currency,
			&r.SellerID, &r.Seller, &r.Product, &r.Before.Amount, &since, &until, &ended, &taken, &r.Watched,
			&sent, &tookBack, &objected, &approved, &r.ThisYear); err != nil {
			return err
		}
		r.Before.Currency = o.Amount.Currency
		r.Since, r.Until, r.Ended, r.Taken = since.Time, until.Time, ended.Time, taken.Time
		if r.Request == market.RefundReturn {
			r.Return = &market.Return{ApprovedAt: approved.Time, SentAt: sent.Time, TakenAt: tookBack.Time, ObjectedAt: objected.Time}
		}
		each(r)
		return nil
	})
}

// appealsAgainst adds to returns the appeals of their orders.
func (tx *Tx) appealsAgainst(ctx context.Context, returned map[int64][]*market.Return) error {
	if len(returned) == 0 {
		return nil
	}
	return tx.Query(ctx, `
		SELECT order_id, code, opened_at, decided_at, coalesce(decision, '') FROM appeals
		WHERE order_id = ANY($1)
		ORDER BY order_id, opened_at, code COLLATE "C"`, []any{slices.Collect(maps.Keys(returned))}, func(rows pgx.Rows) error {
		var order int64
		var a market.Appeal
		var decided pgtype.Timestamptz
		if err := rows.Scan(&order, &a.Code, &a.OpenedAt, &decided, &a.Decision); err != nil {
			return err
		}
		a.OrderID, a.DecidedAt = order, decided.Time
		for _, r := range returned[order] {
			r.Appeals = append(r.Appeals, a)
		}
		return nil
	})
}

// paidBy adds to requests which sources paid their orders.
func (tx *Tx) paidBy(ctx context.Context, found map[int64][]market.RefundRequest) error {
	of := map[string][]*market.RefundRequest{}
	var keys []string
	for _, requests := range found {
		for i := range requests {
			key := "order/" + requests[i].Order.Site + "/" + requests[i].Order.Code + "/paid"
			keys, of[key] = append(keys, key), append(of[key], &requests[i])
		}
	}
	if len(keys) == 0 {
		return nil
	}
	err := tx.sourcesOf(ctx, keys, func(key, _ string, s market.Source) {
		for _, r := range of[key] {
			r.Paid = append(r.Paid, s)
		}
	})
	if err != nil {
		return fmt.Errorf("read what paid %d orders: %w", len(keys), err)
	}
	return nil
}

// sourcesOf hands out what paid deductions, by key and in the order in which it
// paid, with the code of the seller who earned it.
func (tx *Tx) sourcesOf(ctx context.Context, keys []string, each func(key, seller string, s market.Source)) error {
	return tx.Query(ctx, `
		SELECT s.key, s.instrument, s.kind, s.account, s.amount, d.currency, s.rule, coalesce(g.code, ''), coalesce(e.code, '')
		FROM deduction_sources_seen s JOIN deductions_seen d ON d.key = s.key AND d.business_date = s.business_date
		LEFT JOIN instruments i ON i.site = d.site AND i.code = s.instrument AND i.borne_by = 'seller'
		LEFT JOIN sellers g ON g.id = i.seller_id
		LEFT JOIN sellers e ON e.id = d.seller_id
		WHERE s.key = ANY($1)
		ORDER BY s.key, s.no`, []any{keys}, func(rows pgx.Rows) error {
		var key, bearer, seller string
		var s market.Source
		if err := rows.Scan(&key, &s.Instrument, &s.Kind, &s.Account, &s.Amount.Amount, &s.Amount.Currency, &s.Rule, &bearer, &seller); err != nil {
			return err
		}
		if bearer != "" {
			s.Returns = market.SellerVouchers(bearer)
		}
		each(key, seller, s)
		return nil
	})
}

// KeepRefunds appends what became of requests.
func (tx *Tx) KeepRefunds(ctx context.Context, k Keeping, results []market.RefundResult) error {
	columns := []string{"refund_id", "order_id", "buyer_id", "request", "outcome", "rule", "because", "amount", "currency", "requested_at", "at", "facts", "run_id", "business_date"}
	return tx.CopyRows(ctx, "refund_results", columns, len(results), func(i int, row *Row) error {
		r := &results[i]
		return row.Put(r.RefundID, r.OrderID, r.BuyerID, r.Request, r.Outcome, r.Rule, r.Because, r.Amount.Amount, string(r.Amount.Currency), r.RequestedAt, r.At, r.Facts, k.run(), k.On)
	})
}
