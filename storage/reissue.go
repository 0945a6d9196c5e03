package storage

import (
	"context"
	"fmt"

	"nightshift/rules/market"
)

// KeepVersion appends another version of a statement with its lines, and notes of
// the fresh ones among them that they are settled. The version before stays.
func (tx *Tx) KeepVersion(ctx context.Context, k Keeping, s *market.Statement, because string, fresh []string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO statements (site, seller_id, period, version, business_date, run_id, journal_key, currency, lines,
		       billable, fee, taxes, operating_fee, settled, adjustments, carried_in, carried_out, payout, because)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		s.Site, s.SellerID, s.Period.Number(), s.Version, k.On, k.run(), s.Key(), string(s.Currency), len(s.Lines),
		s.Billable, s.Fee, s.Taxes, s.OperatingFee, s.Settled, s.Adjustments, s.CarriedIn, s.CarriedOut, s.Payout, because)
	if err != nil {
		return fmt.Errorf("keep version %d of the statement %s of %s: %w", s.Version, s.Period, s.Seller, closedPeriod(err))
	}
	err = tx.CopyRows(ctx, "event_keys", []string{"key", "run_id", "business_date"}, len(fresh), func(i int, row *Row) error {
		return row.Put(market.SettledKey(fresh[i]), k.run(), k.On)
	})
	if err != nil {
		return err
	}
	return tx.keepStatementLines(ctx, k, []market.Statement{*s})
}

// HasLaterStatement tells whether a seller has a statement of a later period.
func (tx *Tx) HasLaterStatement(ctx context.Context, seller int64, p market.Period) (has bool, err error) {
	_, err = tx.one(ctx, `SELECT EXISTS (SELECT FROM statements WHERE seller_id = $1 AND period > $2)`, []any{seller, p.Number()}, &has)
	if err != nil {
		err = fmt.Errorf("look for later statements than %s: %w", p, err)
	}
	return has, err
}
