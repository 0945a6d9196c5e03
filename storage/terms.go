package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// termReader adds to subscriptions what happened to them after they were bought.
type termReader struct {
	tx  *Tx
	ctx context.Context
	ids []int64
	of  func(id int64) *market.Subscription
}

// terms are those that were bought, and those of them that were taken back.
func (r *termReader) terms() error {
	if len(r.ids) == 0 {
		return nil
	}
	return r.tx.Query(r.ctx, `
		SELECT t.subscription_id, t.no, t.from_at, t.until_at, t.paid_by, t.automatic, t.at, t.again, coalesce(m.amount, 0), coalesce(m.currency, ''), u.requested_at
		FROM terms_seen t
		LEFT JOIN unsubscription_results_seen u ON u.subscription_id = t.subscription_id AND u.term_no = t.no AND u.outcome = 'refund'
		LEFT JOIN subscriptions s ON s.id = t.subscription_id AND NOT t.automatic
		LEFT JOIN manual_renewals m ON m.site = s.site AND t.paid_by = 'manual_renewal/' || m.site || '/' || m.code AND m.subscription_id = s.id
		WHERE t.subscription_id = ANY($1)
		ORDER BY t.subscription_id, t.no`, []any{r.ids}, func(rows pgx.Rows) error {
		var t market.BoughtTerm
		var taken instant
		if err := rows.Scan(&t.SubscriptionID, &t.No, &t.Span.From, &t.Span.To, &t.PaidBy, &t.Automatic, &t.At, &t.Again,
			&t.Amount.Amount, (*string)(&t.Amount.Currency), &taken); err != nil {
			return err
		}
		s := r.of(t.SubscriptionID)
		if at := time.Time(taken); at.IsZero() {
			s.Terms = append(s.Terms, t)
		} else {
			s.TakenBack = append(s.TakenBack, market.TakenBack{BoughtTerm: t, TakenAt: at})
		}
		return nil
	})
}

// byHand are the renewals by hand that are not among the terms yet.
func (r *termReader) byHand() error {
	return r.tx.Query(r.ctx, `
		SELECT m.subscription_id, m.code, m.term_count, m.term_unit, m.at, coalesce(p.code, ''), coalesce(m.amount, 0), coalesce(m.currency, '')
		FROM manual_renewals m LEFT JOIN products p ON p.id = m.product_id
		WHERE m.subscription_id = ANY($1)
		  AND NOT EXISTS (SELECT FROM terms_seen t WHERE t.paid_by = 'manual_renewal/' || m.site || '/' || m.code)
		ORDER BY m.subscription_id, m.at, m.code COLLATE "C"`, []any{r.ids}, func(rows pgx.Rows) error {
		var id int64
		var m market.ManualRenewal
		if err := rows.Scan(&id, &m.Code, &m.Term.Count, &m.Term.Unit, &m.At, &m.Product, &m.Amount.Amount, (*string)(&m.Amount.Currency)); err != nil {
			return err
		}
		s := r.of(id)
		s.ByHand = append(s.ByHand, m)
		return nil
	})
}

// changes are those of what the buyer wants, with what became of them.
func (r *termReader) changes() error {
	return r.tx.Query(r.ctx, `
		SELECT c.subscription_id, c.id, c.at, c.policy, coalesce(c.renew_count, 0), coalesce(c.renew_unit, ''), coalesce(c.renewals, -1), coalesce(c.charge_day, 0), coalesce(b.outcome, '')
		FROM policy_changes c LEFT JOIN policy_results_seen b ON b.change_id = c.id
		WHERE c.subscription_id = ANY($1)
		ORDER BY c.subscription_id, c.at`, []any{r.ids}, func(rows pgx.Rows) error {
		var id int64
		var c market.PolicyChange
		if err := rows.Scan(&id, &c.ID, &c.At, &c.Policy, &c.Renews.Count, &c.Renews.Unit, &c.Renewals, &c.ChargeDay, &c.Outcome); err != nil {
			return err
		}
		s := r.of(id)
		s.Changes = append(s.Changes, c)
		return nil
	})
}

// asked are the requests to take a renewal back that nobody has decided. What
// paid the terms that they may be about is read with them.
func (r *termReader) asked() error {
	var keys []string
	terms := map[string]*market.BoughtTerm{}
	err := r.tx.Query(r.ctx, `
		SELECT u.subscription_id, u.id, u.code, u.requested_at
		FROM unsubscriptions u
		WHERE u.subscription_id = ANY($1) AND NOT EXISTS (SELECT FROM unsubscription_results_seen b WHERE b.unsubscription_id = u.id)
		ORDER BY u.subscription_id, u.requested_at, u.code COLLATE "C"`, []any{r.ids}, func(rows pgx.Rows) error {
		var id int64
		var u market.Unsubscription
		if err := rows.Scan(&id, &u.ID, &u.Code, &u.At); err != nil {
			return err
		}
		s := r.of(id)
		s.Asked = append(s.Asked, u)
		for i := range s.Terms {
			if t := &s.Terms[i]; t.Automatic && terms[t.PaidBy] == nil {
				terms[t.PaidBy] = t
				keys = append(keys, t.PaidBy)
			}
		}
		return nil
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	return r.tx.sourcesOf(r.ctx, keys, func(key, seller string, s market.Source) {
		t := terms[key]
		t.Paid, t.Seller = append(t.Paid, s), seller
	})
}

// termPrices adds what terms cost by the lists of the products, once each.
func (tx *Tx) termPrices(ctx context.Context, all []market.Subscription) error {
	listed := map[int64][]market.TermPrice{}
	var products []int64
	for i := range all {
		if id := all[i].ProductID; id != 0 {
			if _, known := listed[id]; !known {
				listed[id], products = nil, append(products, id)
			}
		}
	}
	if len(products) == 0 {
		return nil
	}
	err := tx.Query(ctx, `
		SELECT product_id, term_count, term_unit, from_at, price, currency, coalesce(sold_as, '')
		FROM renewal_prices WHERE product_id = ANY($1)
		ORDER BY product_id, from_at, term_unit, term_count`, []any{products}, func(rows pgx.Rows) error {
		var id int64
		var p market.TermPrice
		if err := rows.Scan(&id, &p.Term.Count, &p.Term.Unit, &p.From, &p.Price.Amount, (*string)(&p.Price.Currency), &p.SoldAs); err != nil {
			return err
		}
		listed[id] = append(listed[id], p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what terms of %d products cost: %w", len(products), err)
	}
	for i := range all {
		all[i].Prices = listed[all[i].ProductID]
	}
	return nil
}

// KeepTerms appends terms that were bought.
func (tx *Tx) KeepTerms(ctx context.Context, k Keeping, terms []market.BoughtTerm) error {
	columns := []string{"subscription_id", "no", "from_at", "until_at", "paid_by", "automatic", "at", "again", "run_id", "business_date"}
	return tx.CopyRows(ctx, "terms", columns, len(terms), func(i int, row *Row) error {
		t := &terms[i]
		return row.Put(t.SubscriptionID, t.No, t.Span.From, t.Span.To, t.PaidBy, t.Automatic, t.At, t.Again, k.run(), k.On)
	})
}

// KeepPolicies appends what became of changes.
func (tx *Tx) KeepPolicies(ctx context.Context, k Keeping, results []market.PolicyResult) error {
	columns := []string{"change_id", "subscription_id", "outcome", "rule", "because", "at", "facts", "run_id", "business_date"}
	return tx.CopyRows(ctx, "policy_results", columns, len(results), func(i int, row *Row) error {
		r := &results[i]
		return row.Put(r.ChangeID, r.SubscriptionID, r.Outcome, r.Rule, r.Because, r.At, r.Facts, k.run(), k.On)
	})
}

// KeepUnsubscriptions appends what became of requests to take a renewal back.
func (tx *Tx) KeepUnsubscriptions(ctx context.Context, k Keeping, results []market.UnsubscriptionResult) error {
	columns := []string{"unsubscription_id", "subscription_id", "buyer_id", "seller_id", "term_no", "paid_by", "outcome", "rule", "because",
		"amount", "currency", "requested_at", "facts", "run_id", "business_date"}
	return tx.CopyRows(ctx, "unsubscription_results", columns, len(results), func(i int, row *Row) error {
		r := &results[i]
		return row.Put(r.UnsubscriptionID, r.SubscriptionID, r.BuyerID, idOrNull(r.SellerID), idOrNull(int64(r.TermNo)), textOrNull(r.PaidBy), r.Outcome, r.Rule, r.Because,
			r.Amount.Amount, string(r.Amount.Currency), r.At, r.Facts, k.run(), k.On)
	})
}
