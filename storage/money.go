package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// MoneyOf is the money of buyers that came or went up to an instant and is not
// booked yet, by buyer and in the order of its instants, then of its codes.
func (tx *Tx) MoneyOf(ctx context.Context, buyers []int64, upto time.Time) (map[int64][]market.MoneyIn, error) {
	found := map[int64][]market.MoneyIn{}
	err := tx.Query(ctx, `
		SELECT m.buyer_id, m.code, b.code, m.kind, coalesce(m.account, ''), m.amount, m.currency, m.at, coalesce(m.reference, ''), coalesce(m.instrument, '')
		FROM money m JOIN buyers b ON b.id = m.buyer_id
		WHERE m.buyer_id = ANY($1) AND m.at <= $2
		  AND NOT EXISTS (SELECT FROM events_seen e WHERE e.key = 'money/' || m.site || '/' || m.code)
		ORDER BY m.buyer_id, m.at, m.code COLLATE "C"`, []any{buyers, upto}, func(rows pgx.Rows) error {
		var buyer int64
		var m market.MoneyIn
		if err := rows.Scan(&buyer, &m.Code, &m.Buyer, &m.Kind, &m.Account, &m.Amount.Amount, &m.Amount.Currency, &m.At, &m.Reference, &m.Instrument); err != nil {
			return err
		}
		found[buyer] = append(found[buyer], m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the money of %d buyers: %w", len(buyers), err)
	}
	return found, nil
}
