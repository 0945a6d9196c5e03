package storage

import (
	"context"
	"fmt"
	"iter"

	"nightshift/rules/market"
)

// KeepMonthBills appends what buyers on account were billed. A month that was
// billed before is a violation of its key: nothing is kept.
func (tx *Tx) KeepMonthBills(ctx context.Context, k Keeping, bills []market.MonthBill) error {
	columns := []string{"buyer_id", "month", "site", "owed", "currency", "at", "due_at", "rule", "because", "facts", "run_id", "business_date"}
	return tx.CopyRows(ctx, "month_bills", columns, len(bills), func(i int, row *Row) error {
		b := &bills[i]
		return row.Put(b.BuyerID, b.Month, k.Site, b.Owed.Amount, string(b.Owed.Currency), b.At, b.DueAt, b.Rule, b.Because, b.Facts, k.run(), k.On)
	})
}

// MonthBillsBy are the bills of a run in one currency, by buyer.
func (tx *Tx) MonthBillsBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[market.MonthBill, error] {
	v := market.MonthBill{Owed: market.NewMoney(market.Decimal{}, c)}
	return each(ctx, tx, `
		SELECT u.code, m.month, m.owed, m.at, m.due_at, m.rule, m.because
		FROM month_bills m JOIN buyers u ON u.id = m.buyer_id
		WHERE m.business_date = $1 AND m.run_id = $2 AND m.currency = $3
		ORDER BY u.code COLLATE "C", m.month`, []any{r.On, r.ID, c},
		[]any{&v.Buyer, &v.Month, &v.Owed.Amount, &v.At, &v.DueAt, &v.Rule, &v.Because}, func() market.MonthBill { return v })
}

// TallyMonthBills counts them and adds up what they come to.
func (tx *Tx) TallyMonthBills(ctx context.Context, r market.Run, c market.Currency) (rows int64, owed market.Decimal, err error) {
	_, err = tx.one(ctx, `SELECT count(*), coalesce(sum(owed), 0) FROM month_bills WHERE business_date = $1 AND run_id = $2 AND currency = $3`, []any{r.On, r.ID, c}, &rows, &owed)
	if err != nil {
		err = fmt.Errorf("add up the bills of the month of run %d: %w", r.ID, err)
	}
	return rows, owed, err
}

// wakeOnAccount has billing look at buyers whom another job let buy on account:
// they are billed when the month has ended.
func (tx *Tx) wakeOnAccount(ctx context.Context, k Keeping, deductions []market.Deduction) error {
	var buyers []int64
	for i := range deductions {
		d := &deductions[i]
		if d.Kind != market.DeductedRenewal {
			continue
		}
		for _, s := range d.Payment.Sources {
			if s.Kind == market.MonthEnd {
				buyers = append(buyers, d.BuyerID)
			}
		}
	}
	return tx.WakeBilling(ctx, k.Site, buyers)
}

// WakeBilling has billing look at buyers in its next night, for what another job
// booked.
func (tx *Tx) WakeBilling(ctx context.Context, site string, buyers []int64) error {
	if len(buyers) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO due AS d (job, site, subject, look_at)
		SELECT DISTINCT 'billing', $1, b, '-infinity'::timestamptz FROM unnest($2::bigint[]) AS b
		ON CONFLICT (job, subject) DO UPDATE SET look_at = excluded.look_at`, site, buyers)
	if err != nil {
		return fmt.Errorf("wake %d buyers for billing: %w", len(buyers), err)
	}
	return nil
}
