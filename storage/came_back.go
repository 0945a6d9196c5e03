package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// noteBack has billing look at the cash that journals of others gave back: what its
// buyers owe for use is paid with it.
func (tx *Tx) noteBack(ctx context.Context, k Keeping, journals []market.Journal, ids []int64) error {
	var facts []int64
	var buyers []string
	var at []time.Time
	for i := range journals {
		if !journals[i].Back {
			continue
		}
		for _, p := range journals[i].Postings {
			if owner := p.To.Owner(); p.To == market.BuyerCash(owner) {
				facts, buyers, at = append(facts, ids[i]), append(buyers, owner), append(at, journals[i].At)
			}
		}
	}
	if len(facts) == 0 {
		return nil
	}
	var woken []int64
	err := tx.Query(ctx, `
		INSERT INTO unbooked (buyer_id, kind, fact, at)
		SELECT DISTINCT b.id, 'back', j.fact, j.at FROM unnest($2::bigint[], $3::text[], $4::timestamptz[]) AS j (fact, buyer, at) JOIN buyers b ON b.site = $1 AND b.code = j.buyer
		RETURNING buyer_id`, []any{k.Site, facts, buyers, at}, func(rows pgx.Rows) error {
		var id int64
		err := rows.Scan(&id)
		woken = append(woken, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that cash came back by %d journals: %w", len(facts), err)
	}
	return tx.WakeBilling(ctx, k.Site, woken)
}

// CameBack is the cash of buyers that came back by journals of others and that
// billing has not looked at, in the order of its instants.
func (tx *Tx) CameBack(ctx context.Context, buyers []int64) (found map[int64][]market.CameBack, err error) {
	var owners, facts []int64
	err = tx.Query(ctx, `SELECT buyer_id, fact FROM unbooked_seen WHERE buyer_id = ANY($1) AND kind = 'back'`, []any{buyers}, func(rows pgx.Rows) error {
		var buyer, fact int64
		err := rows.Scan(&buyer, &fact)
		owners, facts = append(owners, buyer), append(facts, fact)
		return err
	})
	if err == nil && len(facts) > 0 { // usually none
		err = tx.lookingUp(ctx, func() error {
			found, err = tx.cameBack(ctx, owners, facts)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read what came back to %d buyers: %w", len(buyers), err)
	}
	return found, nil
}

func (tx *Tx) cameBack(ctx context.Context, owners, facts []int64) (map[int64][]market.CameBack, error) {
	found := map[int64][]market.CameBack{}
	var keys []string
	err := tx.Query(ctx, `
		SELECT u.buyer_id, u.fact, j.key, j.at, min(p.currency)
		FROM unnest($1::bigint[], $2::bigint[]) AS u (buyer_id, fact)
		JOIN journals_seen j ON j.id = u.fact
		JOIN postings_seen p ON p.journal_id = j.id AND p.business_date = j.business_date AND p.to_account LIKE 'buyer:%:cash'
		GROUP BY u.buyer_id, u.fact, j.key, j.at
		ORDER BY j.at, j.key`, []any{owners, facts}, func(rows pgx.Rows) error {
		var buyer int64
		var c market.CameBack
		err := rows.Scan(&buyer, &c.ID, &c.Of, &c.At, (*string)(&c.Currency))
		found[buyer], keys = append(found[buyer], c), append(keys, c.Key())
		return err
	})
	if err != nil {
		return nil, err
	}
	seen, err := tx.EventsSeen(ctx, keys) // in a dry run, which leaves it among what is not booked
	for _, all := range found {
		for i := range all {
			all[i].Seen = seen[all[i].Key()]
		}
	}
	return found, err
}
