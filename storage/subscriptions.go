package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// SubscriptionsOf are the subscriptions of buyers with the terms that were
// bought after the first, by buyer and by code. Discounts that their order or an
// earlier renewal had are among their promotions.
func (tx *Tx) SubscriptionsOf(ctx context.Context, buyers []int64) (map[int64][]market.Subscription, error) {
	var all []market.Subscription
	at := map[int64]int{}
	err := tx.Query(ctx, `
		SELECT u.id, u.site, u.code, u.buyer_id, coalesce(s.id, 0), coalesce(s.code, ''), coalesce(u.product_id, 0), coalesce(p.code, ''), coalesce(p.product_class, ''),
		       coalesce(p.credit_allowed, true), u.access_type, u.policy, u.trial, u.term_count, u.term_unit, coalesce(u.renew_count, 0), coalesce(u.renew_unit, ''),
		       coalesce(u.renewals, -1), coalesce(u.charge_day, 0), coalesce(u.anchor_day, 0), u.term_start, u.term_end, coalesce(u.price, 0), coalesce(u.currency, ''),
		       concat_ws(' ', u.promotions, (SELECT string_agg(d.discount, ' ' ORDER BY d.key) FROM deductions_seen d
		          WHERE d.buyer_id = u.buyer_id AND (d.kind = 'renewal' AND d.subject = u.id OR d.kind = 'order' AND d.subject = u.order_id)))
		FROM subscriptions u
		LEFT JOIN orders o ON o.id = u.order_id
		LEFT JOIN products p ON p.id = coalesce(u.product_id, o.product_id)
		LEFT JOIN sellers s ON s.id = coalesce(p.seller_id, o.seller_id)
		WHERE u.buyer_id = ANY($1)
		ORDER BY u.buyer_id, u.code COLLATE "C"`, []any{buyers}, func(rows pgx.Rows) error {
		var s market.Subscription
		var promotions string
		if err := rows.Scan(&s.ID, &s.Site, &s.Code, &s.BuyerID, &s.SellerID, &s.Seller, &s.ProductID, &s.Product, &s.ProductClass,
			&s.CreditAllowed, &s.AccessType, &s.Policy, &s.Trial, &s.Bought.Count, &s.Bought.Unit, &s.Renews.Count, &s.Renews.Unit,
			&s.Renewals, &s.ChargeDay, &s.AnchorDay, &s.Start, &s.End, &s.Price.Amount, &s.Price.Currency, &promotions); err != nil {
			return err
		}
		s.Promotions = listed(promotions)
		at[s.ID] = len(all)
		all = append(all, s)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the subscriptions of %d buyers: %w", len(buyers), err)
	}
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	if err := tx.termsOf(ctx, ids, func(id int64) *market.Subscription { return &all[at[id]] }); err != nil {
		return nil, fmt.Errorf("read the terms of %d subscriptions: %w", len(ids), err)
	}
	found := map[int64][]market.Subscription{}
	for i := range all {
		found[all[i].BuyerID] = append(found[all[i].BuyerID], all[i])
	}
	return found, nil
}

// termsOf adds the terms that were bought, and those bought by hand that are not
// among them yet.
func (tx *Tx) termsOf(ctx context.Context, ids []int64, of func(id int64) *market.Subscription) error {
	if len(ids) == 0 {
		return nil
	}
	err := tx.Query(ctx, `
		SELECT subscription_id, no, from_at, until_at, paid_by, automatic, at
		FROM terms_seen
		WHERE subscription_id = ANY($1)
		ORDER BY subscription_id, no`, []any{ids}, func(rows pgx.Rows) error {
		var t market.BoughtTerm
		if err := rows.Scan(&t.SubscriptionID, &t.No, &t.Span.From, &t.Span.To, &t.PaidBy, &t.Automatic, &t.At); err != nil {
			return err
		}
		s := of(t.SubscriptionID)
		s.Terms = append(s.Terms, t)
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Query(ctx, `
		SELECT m.subscription_id, m.code, m.term_count, m.term_unit, m.at
		FROM manual_renewals m
		WHERE m.subscription_id = ANY($1)
		  AND NOT EXISTS (SELECT FROM terms_seen t WHERE t.paid_by = 'manual_renewal/' || m.site || '/' || m.code)
		ORDER BY m.subscription_id, m.at, m.code COLLATE "C"`, []any{ids}, func(rows pgx.Rows) error {
		var id int64
		var m market.ManualRenewal
		var at pgtype.Timestamptz
		if err := rows.Scan(&id, &m.Code, &m.Term.Count, &m.Term.Unit, &at); err != nil {
			return err
		}
		m.At = at.Time
		s := of(id)
		s.ByHand = append(s.ByHand, m)
		return nil
	})
}

// KeepTerms appends terms that were bought.
func (tx *Tx) KeepTerms(ctx context.Context, k Keeping, terms []market.BoughtTerm) error {
	columns := []string{"subscription_id", "no", "from_at", "until_at", "paid_by", "automatic", "at", "run_id", "business_date"}
	return tx.CopyRows(ctx, "terms", columns, len(terms), func(i int, row *Row) error {
		t := &terms[i]
		return row.Put(t.SubscriptionID, t.No, t.Span.From, t.Span.To, t.PaidBy, t.Automatic, t.At, k.run(), k.On)
	})
}
