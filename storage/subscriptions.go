package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// SubscriptionsOf are the subscriptions of buyers with the terms that were
// bought after the first, by buyer and by code; of orders that their sellers failed
// to open there is nothing to renew. Discounts that their order or an
// earlier renewal had are among their promotions. Renewed to another product it is
// that, and the price that was reported is not its own.
func (tx *Tx) SubscriptionsOf(ctx context.Context, buyers []int64) (map[int64][]market.Subscription, error) {
	var all []market.Subscription
	at := map[int64]int{}
	err := tx.Query(ctx, `
		SELECT u.id, u.site, u.code, u.buyer_id, coalesce(s.id, 0), coalesce(s.code, ''), coalesce(p.id, 0), coalesce(p.code, ''), coalesce(p.product_class, ''), coalesce(p.model, 'common'),
		       coalesce(p.credit_allowed, true), u.access_type, u.policy, u.trial, u.term_count, u.term_unit, coalesce(u.renew_count, 0), coalesce(u.renew_unit, ''),
		       coalesce(u.renewals, -1), coalesce(u.charge_day, 0), coalesce(u.anchor_day, 0), u.term_start, u.term_end, coalesce(u.price, 0),
		       CASE WHEN coalesce(m.product_id, u.product_id) IS NOT DISTINCT FROM u.product_id THEN coalesce(u.currency, '') ELSE '' END,
		       coalesce(u.instance, ''), coalesce(o.code, ''), p.delisted_at,
		       concat_ws(' ', u.promotions, (SELECT string_agg(d.discount, ' ' ORDER BY d.key) FROM deductions_seen d
		          WHERE d.buyer_id = u.buyer_id AND (d.kind = 'renewal' AND d.subject = u.id OR d.kind = 'order' AND d.subject = u.order_id)))
		FROM subscriptions u
		LEFT JOIN orders o ON o.id = u.order_id
		LEFT JOIN LATERAL (
			SELECT m.product_id FROM manual_renewals m
			WHERE m.subscription_id = u.id AND m.product_id IS NOT NULL
			  AND EXISTS (SELECT FROM terms_seen t WHERE t.paid_by = 'manual_renewal/' || m.site || '/' || m.code
			    AND NOT EXISTS (SELECT FROM unsubscription_results_seen b WHERE b.subscription_id = u.id AND b.term_no = t.no AND b.outcome = 'refund'))
			ORDER BY m.at DESC, m.code COLLATE "C" DESC LIMIT 1) m ON true
		LEFT JOIN products p ON p.id = coalesce(m.product_id, u.product_id, o.product_id)
		LEFT JOIN sellers s ON s.id = coalesce(p.seller_id, o.seller_id)
		WHERE u.buyer_id = ANY($1) AND NOT EXISTS (SELECT FROM endings_seen e WHERE e.job = 'openings' AND e.subject = u.order_id AND e.outcome = 'failed')
		ORDER BY u.buyer_id, u.code COLLATE "C"`, []any{buyers}, func(rows pgx.Rows) error {
		var s market.Subscription
		var promotions string
		w := &s.Reported
		if err := rows.Scan(&s.ID, &s.Site, &s.Code, &s.BuyerID, &s.SellerID, &s.Seller, &s.ProductID, &s.Product, &s.ProductClass, &s.Model,
			&s.CreditAllowed, &s.AccessType, &w.Policy, &s.Trial, &s.Bought.Count, &s.Bought.Unit, &w.Renews.Count, &w.Renews.Unit,
			&w.Renewals, &w.ChargeDay, &s.AnchorDay, &s.Start, &s.End, &s.Price.Amount, &s.Price.Currency,
			&s.Instance, &s.Order, (*instant)(&s.DelistedAt), &promotions); err != nil {
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
	r := termReader{tx: tx, ctx: ctx, ids: ids, of: func(id int64) *market.Subscription { return &all[at[id]] }}
	for _, read := range []func() error{r.terms, r.byHand, r.changes, r.asked} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("read the terms of %d subscriptions: %w", len(ids), err)
		}
	}
	if err := tx.termPrices(ctx, all); err != nil {
		return nil, err
	}
	found := map[int64][]market.Subscription{}
	for i := range all {
		found[all[i].BuyerID] = append(found[all[i].BuyerID], all[i])
	}
	return found, nil
}

// ErrNoSubscription marks a code that no subscription of the site has.
var ErrNoSubscription = errors.New("there is no such subscription")

// SubscriptionID finds a subscription and its buyer.
func (tx *Tx) SubscriptionID(ctx context.Context, site, code string) (id, buyer int64, err error) {
	found, err := tx.one(ctx, `SELECT id, buyer_id FROM subscriptions WHERE site = $1 AND code = $2`, []any{site, code}, &id, &buyer)
	if err == nil && !found {
		err = ErrNoSubscription
	}
	if err != nil {
		return 0, 0, fmt.Errorf("find subscription %q at site %s: %w", code, site, err)
	}
	return id, buyer, nil
}

// Stands is what stands of a subject; nil where nothing was decided yet.
func (tx *Tx) Stands(ctx context.Context, job string, subject int64) (stands []byte, err error) {
	if _, err = tx.one(ctx, `SELECT stands FROM due WHERE job = $1 AND subject = $2`, []any{job, subject}, &stands); err != nil {
		return nil, fmt.Errorf("read what stands of %d: %w", subject, err)
	}
	return stands, nil
}

// Asked is what became of something that a buyer asked for about a subscription:
// another policy, or to take a renewal back.
type Asked struct {
	At            time.Time
	For           string // the policy; or the request
	TakeBack      bool
	Outcome       string
	Amount        market.Money // that was given back
	Rule, Because string
}

// AskedOf is what became of what was asked for about a subscription, oldest first.
func (tx *Tx) AskedOf(ctx context.Context, id int64) (list []Asked, err error) {
	err = tx.Query(ctx, `
		SELECT r.at, c.policy, false, r.outcome, 0::numeric, '', r.rule, r.because FROM policy_results r JOIN policy_changes c ON c.id = r.change_id WHERE r.subscription_id = $1
		UNION ALL
		SELECT r.requested_at, q.code, true, r.outcome, r.amount, r.currency, r.rule, r.because
		FROM unsubscription_results r JOIN unsubscriptions q ON q.id = r.unsubscription_id WHERE r.subscription_id = $1
		ORDER BY 1, 3, 2`, []any{id}, func(rows pgx.Rows) error {
		var a Asked
		err := rows.Scan(&a.At, &a.For, &a.TakeBack, &a.Outcome, &a.Amount.Amount, (*string)(&a.Amount.Currency), &a.Rule, &a.Because)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was asked for about subscription %d: %w", id, err)
	}
	return list, nil
}
