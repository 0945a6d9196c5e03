package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"nightshift/rules/market"
)

// KeepDeductions appends deductions with the sources that paid them.
func (tx *Tx) KeepDeductions(ctx context.Context, k Keeping, deductions []market.Deduction) error {
	columns := []string{"key", "business_date", "site", "kind", "subject", "buyer_id", "seller_id", "product_id", "item", "used_from", "used_until",
		"at", "currency", "price", "discount", "discounted", "due", "dropped", "refused", "run_id"}
	err := tx.CopyRows(ctx, "deductions", columns, len(deductions), func(i int, row *Row) error {
		d := &deductions[i]
		p := &d.Payment
		refused, err := refusals(p.Refused)
		if err != nil {
			return err
		}
		discounted := p.Price.Amount.Sub(p.Due.Amount).Sub(p.Dropped.Amount)
		return row.Put(d.Key, k.On, k.Site, d.Kind, d.Subject, d.BuyerID, idOrNull(d.SellerID), idOrNull(d.ProductID), textOrNull(d.Item),
			orNull(d.Used.From), orNull(d.Used.To), d.At, string(p.Price.Currency), p.Price.Amount, textOrNull(p.Discount), discounted,
			p.Due.Amount, p.Dropped.Amount, refused, k.run())
	})
	if err != nil {
		return err
	}
	type paid struct{ deduction, no int }
	var sources []paid
	for i := range deductions {
		for n := range deductions[i].Payment.Sources {
			sources = append(sources, paid{i, n})
		}
	}
	columns = []string{"key", "no", "business_date", "instrument", "kind", "account", "amount", "rule"}
	err = tx.CopyRows(ctx, "deduction_sources", columns, len(sources), func(i int, row *Row) error {
		d := &deductions[sources[i].deduction]
		s := &d.Payment.Sources[sources[i].no]
		return row.Put(d.Key, sources[i].no+1, k.On, s.Instrument, s.Kind, string(s.Account), s.Amount.Amount, s.Rule)
	})
	if err != nil {
		return err
	}
	return tx.wakeOnAccount(ctx, k, deductions)
}

// refusals are the instruments that were not used, as they are kept.
func refusals(refused []market.Refusal) (any, error) {
	if len(refused) == 0 {
		return nil, nil
	}
	return json.Marshal(refused)
}

func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// KeepOrderEnds appends what became of orders that were reported as unpaid, and
// has acceptance look at them again.
func (tx *Tx) KeepOrderEnds(ctx context.Context, k Keeping, ends []market.OrderEnd) error {
	if len(ends) == 0 {
		return nil
	}
	orders := make([]int64, len(ends))
	err := tx.CopyRows(ctx, "order_ends", []string{"order_id", "outcome", "at", "run_id", "business_date"}, len(ends), func(i int, row *Row) error {
		orders[i] = ends[i].OrderID
		return row.Put(ends[i].OrderID, ends[i].Outcome, ends[i].At, k.run(), k.On)
	})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `
		UPDATE due SET look_at = least(due.look_at, o.placed_at)
		FROM orders o
		WHERE due.job = 'acceptance' AND due.subject = o.id AND o.id = ANY($1)`, orders); err != nil {
		return fmt.Errorf("wake %d orders for acceptance: %w", len(orders), err)
	}
	return nil
}

// KeepBooked takes facts off what is open.
func (tx *Tx) KeepBooked(ctx context.Context, booked []market.Booked) error {
	if len(booked) == 0 {
		return nil
	}
	buyers, kinds, facts := make([]int64, len(booked)), make([]string, len(booked)), make([]int64, len(booked))
	for i, b := range booked {
		buyers[i], kinds[i], facts[i] = b.BuyerID, b.Kind, b.Fact
	}
	return tx.lookingUp(ctx, func() error {
		if _, err := tx.Exec(ctx, `
			DELETE FROM unbooked u USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS b (buyer_id, kind, fact)
			WHERE (u.buyer_id, u.kind, u.fact) = (b.buyer_id, b.kind, b.fact)`, buyers, kinds, facts); err != nil {
			return fmt.Errorf("take %d facts off what is open: %w", len(booked), err)
		}
		return nil
	})
}

// wakePayers has billing look at the buyers of orders that a supervision ended
// with a refund: what they paid goes back.
func (tx *Tx) wakePayers(ctx context.Context, ended []market.Completion) error {
	var orders []int64
	for i := range ended {
		if ended[i].Outcome == market.Refund {
			orders = append(orders, ended[i].OrderID)
		}
	}
	if len(orders) == 0 {
		return nil
	}
	const paid = `EXISTS (SELECT FROM deductions_seen p WHERE p.key = 'order/' || o.site || '/' || o.code || '/paid')`
	_, err := tx.Exec(ctx, `
		INSERT INTO unbooked
		SELECT o.buyer_id, 'completion', o.id, o.placed_at FROM orders o WHERE o.id = ANY($1) AND o.paid_at IS NULL
		ON CONFLICT DO NOTHING`, orders)
	if err != nil {
		return fmt.Errorf("note %d orders whose supervision ended with a refund: %w", len(orders), err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO due AS d (job, site, subject, look_at)
		SELECT DISTINCT 'billing', o.site, o.buyer_id, '-infinity'::timestamptz
		FROM orders o
		WHERE o.id = ANY($1) AND `+paid+`
		ON CONFLICT (job, subject) DO UPDATE SET look_at = excluded.look_at`, orders)
	if err != nil {
		return fmt.Errorf("wake the buyers of %d refunded orders: %w", len(orders), err)
	}
	return nil
}
