package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// SpentSince is what was posted from accounts of a site, of each from an instant
// on, in the order of the instants. It may have been posted in the run of the day
// before.
func (tx *Tx) SpentSince(ctx context.Context, site string, accounts []market.Account, since []time.Time) (map[market.Account][]market.Spent, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	found := map[market.Account][]market.Spent{}
	err := tx.lookingUp(ctx, func() error {
		return tx.Query(ctx, `
			SELECT p.from_account, p.at, p.amount
			FROM unnest($2::text[], $3::timestamptz[]) AS q (account, since)
			JOIN postings_seen p ON p.from_account = q.account AND p.at >= q.since AND p.business_date >= q.since::date - 2 AND p.site = $1
			ORDER BY p.from_account, p.at`, []any{site, accounts, since}, func(r pgx.Rows) error {
			var account market.Account
			var s market.Spent
			err := r.Scan(&account, &s.At, &s.Amount)
			found[account] = append(found[account], s)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read what was spent from %d accounts: %w", len(accounts), err)
	}
	return found, nil
}

// MoneyOf is the money of buyers that came or went up to an instant and is not
// booked yet, by buyer and in the order of its instants, then of its codes.
func (tx *Tx) MoneyOf(ctx context.Context, buyers []int64, upto time.Time) (map[int64][]market.MoneyIn, error) {
	type row struct {
		buyer int64
		key   string
		money market.MoneyIn
	}
	var rows []row
	var keys []string
	err := tx.lookingUp(ctx, func() error {
		return tx.Query(ctx, `
			SELECT m.buyer_id, m.id, m.site, m.code, b.code, m.kind, coalesce(m.account, ''), m.amount, m.currency, m.at, coalesce(m.reference, ''), coalesce(m.instrument, '')
			FROM unbooked_seen u JOIN money m ON m.id = u.fact JOIN buyers b ON b.id = m.buyer_id
			WHERE u.buyer_id = ANY($1) AND u.kind = 'money' AND m.at <= $2
			ORDER BY m.buyer_id, m.at, m.code COLLATE "C"`, []any{buyers, upto}, func(r pgx.Rows) error {
			var one row
			var site string
			m := &one.money
			err := r.Scan(&one.buyer, &m.ID, &site, &m.Code, &m.Buyer, &m.Kind, &m.Account, &m.Amount.Amount, &m.Amount.Currency, &m.At, &m.Reference, &m.Instrument)
			one.key = market.MoneyKey(site, m.Code)
			rows, keys = append(rows, one), append(keys, one.key)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the money of %d buyers: %w", len(buyers), err)
	}
	booked, err := tx.EventsSeen(ctx, keys) // by their keys alone: a join could read all that ever happened
	if err != nil {
		return nil, err
	}
	found := map[int64][]market.MoneyIn{}
	for _, r := range rows {
		if !booked[r.key] {
			found[r.buyer] = append(found[r.buyer], r.money)
		}
	}
	return found, nil
}

// WakeOwners has billing look at the buyers whose accounts people moved.
func (tx *Tx) WakeOwners(ctx context.Context, site string, j market.Journal) error {
	var buyers []string
	for _, p := range j.Postings {
		for _, a := range []market.Account{p.From, p.To} {
			if strings.HasPrefix(string(a), "buyer:") {
				buyers = append(buyers, a.Owner())
			}
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO due AS d (job, site, subject, look_at)
		SELECT 'billing', $1, b.id, '-infinity' FROM buyers b WHERE b.site = $1 AND b.code = ANY($2)
		ON CONFLICT (job, subject) DO UPDATE SET look_at = excluded.look_at`, site, buyers)
	if err != nil {
		return fmt.Errorf("wake the buyers whom %s concerns: %w", j.Key, err)
	}
	return nil
}
