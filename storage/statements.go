package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// WakeSellers has a run look at every seller of a site that is not parked: what
// changed a seller's month is not only what was reported of the seller.
func (tx *Tx) WakeSellers(ctx context.Context, job, site string, asOf time.Time) error {
	if _, err := tx.Exec(ctx, `
		UPDATE due SET look_at = $3
		WHERE job = $1 AND site = $2 AND look_at > $3 AND look_at <> 'infinity'`, job, site, asOf); err != nil {
		return fmt.Errorf("wake the sellers of %s: %w", site, err)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO due (job, site, subject, look_at)
		SELECT $1, $2, s.id, '-infinity'
		FROM sellers s
		WHERE s.site = $2 AND NOT EXISTS (SELECT FROM due d WHERE d.job = $1 AND d.subject = s.id)
		ORDER BY s.id`, job, site); err != nil {
		return fmt.Errorf("wake the sellers of %s: %w", site, err)
	}
	return nil
}

// KeepStatements appends statements with their lines, and what shows of each line
// that it is settled: a line that was settled before is a violation of its key,
// and nothing is kept. Carried lines have no such key: they are no earnings.
func (tx *Tx) KeepStatements(ctx context.Context, k Keeping, statements []market.Statement) error {
	columns := []string{"site", "seller_id", "period", "version", "business_date", "run_id", "journal_key", "currency", "lines",
		"billable", "fee", "taxes", "operating_fee", "settled", "adjustments", "carried_in", "carried_out", "payout", "counts"}
	err := tx.CopyRows(ctx, "statements", columns, len(statements), func(i int, row *Row) error {
		s := &statements[i]
		return row.Put(s.Site, s.SellerID, int32(s.Period.Number()), int32(s.Version), k.On, k.run(), s.Key(), string(s.Currency), int32(len(s.Lines)),
			s.Billable, s.Fee, s.Taxes, s.OperatingFee, s.Settled, s.Adjustments, s.CarriedIn, s.CarriedOut, s.Payout, countsWord(s))
	})
	if err != nil {
		return err
	}
	if err := tx.keepCounted(ctx, statements); err != nil {
		return err
	}
	type place struct{ statement, line int }
	var earned []place
	for i := range statements {
		for n := range statements[i].Lines {
			if statements[i].Lines[n].Kind != market.EarnedCarried {
				earned = append(earned, place{i, n})
			}
		}
	}
	err = tx.CopyRows(ctx, "event_keys", []string{"key", "run_id", "business_date"}, len(earned), func(i int, row *Row) error {
		return row.Put(market.SettledKey(statements[earned[i].statement].Lines[earned[i].line].Key), k.run(), k.On)
	})
	if err != nil {
		return err
	}
	return tx.keepStatementLines(ctx, k, statements)
}

// keepStatementLines appends the lines of statements.
func (tx *Tx) keepStatementLines(ctx context.Context, k Keeping, statements []market.Statement) error {
	type place struct{ statement, line int }
	var all []place
	for i := range statements {
		for n := range statements[i].Lines {
			all = append(all, place{i, n})
		}
	}
	columns := []string{"key", "business_date", "site", "seller_id", "period", "version", "no", "kind", "order_id", "order_line", "buyer_id", "product_id", "product_class",
		"access_type", "model", "currency", "paid", "billable", "share", "fee_rate", "extra_rate", "tier_total", "fee", "withheld", "wht", "dst", "operating_fee",
		"settled", "paid_at", "decided_by", "decided_at", "reverses", "rules", "memo"}
	return tx.CopyRows(ctx, "statement_lines", columns, len(all), func(i int, row *Row) error {
		s := &statements[all[i].statement]
		l := &s.Lines[all[i].line]
		var tier, line any
		if l.Tiered {
			tier = l.TierTotal
		}
		if l.OrderLine > 0 {
			line = int32(l.OrderLine)
		}
		return row.Put(l.Key, k.On, s.Site, s.SellerID, int32(s.Period.Number()), int32(s.Version), int32(all[i].line+1), l.Kind, idOrNull(l.OrderID), line,
			idOrNull(l.BuyerID), idOrNull(l.ProductID), textOrNull(l.ProductClass), textOrNull(l.AccessType), textOrNull(l.Model), string(s.Currency),
			l.Paid.Amount, l.Billable, l.Share, l.FeeRate, l.ExtraRate, tier, l.Fee, l.Withheld, l.WHT, l.DST, l.OperatingFee, l.Settled,
			orNull(l.PaidAt), l.DecidedBy, l.DecidedAt, textOrNull(l.Reverses), l.Rules, textOrNull(l.Memo))
	})
}

// SellerWaiting is what of one seller waits.
type SellerWaiting struct {
	SellerID int64
	Currency market.Currency // that the seller is settled in
	Lines    []market.WaitingLine
}

// KeepWaiting appends what the run of a period did not settle.
func (tx *Tx) KeepWaiting(ctx context.Context, k Keeping, waiting []SellerWaiting) error {
	type place struct{ seller, line int }
	var all []place
	for i := range waiting {
		for n := range waiting[i].Lines {
			all = append(all, place{i, n})
		}
	}
	columns := []string{"key", "business_date", "site", "seller_id", "period", "run_id", "kind", "order_id", "order_line", "product_id", "product_class", "currency",
		"amount", "paid_at", "outcome", "unmet", "until_at", "rules", "because"}
	return tx.CopyRows(ctx, "waiting_lines", columns, len(all), func(i int, row *Row) error {
		w := &waiting[all[i].seller].Lines[all[i].line]
		var line any
		if w.OrderLine > 0 {
			line = int32(w.OrderLine)
		}
		currency := string(w.Paid.Currency)
		if currency == "" {
			currency = string(waiting[all[i].seller].Currency) // nobody said what it cost
		}
		return row.Put(w.Key, k.On, k.Site, waiting[all[i].seller].SellerID, int32(market.Month(k.On).Number()), k.run(), w.Kind, idOrNull(w.OrderID), line,
			idOrNull(w.ProductID), textOrNull(w.ProductClass), currency, w.Paid.Amount, orNull(w.PaidAt), w.Outcome, w.Unmet, orNull(w.Until), w.Rules, w.Because)
	})
}

// ParkAlso tells among what is parked of a seller whose other lines were settled:
// the seller is looked at again by the next run all the same.
func (tx *Tx) ParkAlso(ctx context.Context, job string, k Keeping, parked []Parked) error {
	for _, p := range parked {
		if _, err := tx.Exec(ctx, `
			INSERT INTO parked (job, site, subject, run_id, business_date, reason) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (run_id, subject) DO UPDATE SET reason = excluded.reason, requeued_at = NULL, requeued_by = NULL`,
			job, k.Site, p.Subject, k.RunID, k.On, p.Reason); err != nil {
			return fmt.Errorf("park lines of %s: %w", p.Code, err)
		}
	}
	return nil
}

// WaitingQuery says which waiting lines are listed.
type WaitingQuery struct {
	Site   string
	Period market.Period // whose run left them
	Seller string        // by code; empty: any
	Limit  int
}

// WaitingLines are what the run of a period did not settle, by seller and key,
// with the sellers' codes.
func (s *Store) WaitingLines(ctx context.Context, q WaitingQuery, each func(seller string, w market.WaitingLine) error) error {
	err := s.query(ctx, `
		SELECT s.code, w.key, w.kind, coalesce(w.order_id, 0), coalesce(w.order_line, 0), coalesce(o.code, ''), coalesce(p.code, ''), coalesce(w.product_class, ''), w.amount, w.currency,
		       w.paid_at, w.outcome, w.unmet, w.until_at, w.rules, w.because
		FROM waiting_lines_seen w JOIN sellers s ON s.id = w.seller_id LEFT JOIN products p ON p.id = w.product_id LEFT JOIN orders o ON o.id = w.order_id
		WHERE w.site = $1 AND w.business_date = $2 AND ($3 = '' OR s.code = $3)
		ORDER BY s.code COLLATE "C", w.key COLLATE "C"
		LIMIT $4`, []any{q.Site, q.Period.Last(), q.Seller, q.Limit}, func(rows pgx.Rows) error {
		var seller string
		var w market.WaitingLine
		var paid, until pgtype.Timestamptz
		if err := rows.Scan(&seller, &w.Key, &w.Kind, &w.OrderID, &w.OrderLine, &w.Order, &w.Product, &w.ProductClass, &w.Paid.Amount, &w.Paid.Currency,
			&paid, &w.Outcome, &w.Unmet, &until, &w.Rules, &w.Because); err != nil {
			return err
		}
		w.PaidAt, w.Until = paid.Time, until.Time
		return each(seller, w)
	})
	if err != nil {
		return fmt.Errorf("list what waits of %s at %s: %w", q.Period, q.Site, err)
	}
	return nil
}
