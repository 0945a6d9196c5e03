package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// StatementsOf are the statements that a run made, by seller, without their
// lines.
func (s *Store) StatementsOf(ctx context.Context, run int64) (list []market.Statement, err error) {
	err = s.query(ctx, `
		SELECT t.site, t.seller_id, s.code, t.period, t.version, t.currency, t.lines, t.billable, t.fee, t.taxes, t.operating_fee, t.settled, t.adjustments,
		       t.carried_in, t.carried_out, t.payout
		FROM statements t JOIN sellers s ON s.id = t.seller_id
		WHERE t.run_id = $1
		ORDER BY s.code COLLATE "C"`, []any{run}, func(rows pgx.Rows) error {
		var t market.Statement
		var period, lines int
		if err := rows.Scan(&t.Site, &t.SellerID, &t.Seller, &period, &t.Version, &t.Currency, &lines, &t.Billable, &t.Fee, &t.Taxes, &t.OperatingFee, &t.Settled,
			&t.Adjustments, &t.CarriedIn, &t.CarriedOut, &t.Payout); err != nil {
			return err
		}
		t.Period, t.LineCount = market.PeriodNumbered(period), lines
		list = append(list, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the statements of run %d: %w", run, err)
	}
	return list, nil
}

// StatementLines are the lines of a seller's statements of a period, of each
// version in the order of the statement, with the codes of what they are about.
func (s *Store) StatementLines(ctx context.Context, site, seller string, period market.Period, each func(version int, l market.StatementLine) error) error {
	err := s.query(ctx, `
		SELECT l.version, l.key, l.kind, coalesce(l.order_id, 0), coalesce(l.order_line, 0), coalesce(o.code, ''), coalesce(l.buyer_id, 0), coalesce(l.product_id, 0), coalesce(p.code, ''),
		       coalesce(l.product_class, ''), coalesce(l.access_type, ''), coalesce(l.model, ''), l.currency, l.paid, l.billable, l.share, l.fee_rate, l.extra_rate, l.tier_total, l.fee,
		       l.withheld, l.wht, l.dst, l.operating_fee, l.settled, l.paid_at, l.decided_by, l.decided_at, coalesce(l.reverses, ''), l.rules, coalesce(l.memo, '')
		FROM sellers s JOIN statement_lines_seen l ON l.seller_id = s.id
		LEFT JOIN orders o ON o.id = l.order_id LEFT JOIN products p ON p.id = l.product_id
		WHERE s.site = $1 AND s.code = $2 AND l.business_date = $3
		ORDER BY l.version, l.no`, []any{site, seller, period.Last()}, func(rows pgx.Rows) error {
		var version int
		var l market.StatementLine
		var tier *market.Decimal
		var paid pgtype.Timestamptz
		if err := rows.Scan(&version, &l.Key, &l.Kind, &l.OrderID, &l.OrderLine, &l.Order, &l.BuyerID, &l.ProductID, &l.Product, &l.ProductClass, &l.AccessType, &l.Model,
			&l.Paid.Currency, &l.Paid.Amount, &l.Billable, &l.Share, &l.FeeRate, &l.ExtraRate, &tier, &l.Fee, &l.Withheld, &l.WHT, &l.DST, &l.OperatingFee, &l.Settled,
			&paid, &l.DecidedBy, &l.DecidedAt, &l.Reverses, &l.Rules, &l.Memo); err != nil {
			return err
		}
		if l.PaidAt = paid.Time; tier != nil {
			l.TierTotal, l.Tiered = *tier, true
		}
		return each(version, l)
	})
	if err != nil {
		return fmt.Errorf("list the lines of %s for %s: %w", seller, period, err)
	}
	return nil
}

// SellerID is the id of a seller by its code.
func (s *Store) SellerID(ctx context.Context, site, code string) (id int64, err error) {
	err = s.queryRow(ctx, `SELECT id FROM sellers WHERE site = $1 AND code = $2`, []any{site, code}, &id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("find seller %s at %s: there is none: import the seller first, or look for the code in its file", code, site)
	}
	if err != nil {
		return 0, fmt.Errorf("find seller %s at %s: %w", code, site, err)
	}
	return id, nil
}
