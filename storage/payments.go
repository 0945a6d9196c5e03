package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// ErrNoBuyer marks a buyer who is not there.
var ErrNoBuyer = errors.New("there is no such buyer")

// BuyerID finds a buyer by the marketplace's own code.
func (tx *Tx) BuyerID(ctx context.Context, site, code string) (id int64, err error) {
	found, err := tx.one(ctx, `SELECT id FROM buyers WHERE site = $1 AND code = $2`, []any{site, code}, &id)
	if err == nil && !found {
		err = ErrNoBuyer
	}
	if err != nil {
		return 0, fmt.Errorf("find buyer %q at site %s: %w", code, site, err)
	}
	return id, nil
}

// DeductionQuery names deductions: that of a key, or the newest of a buyer.
type DeductionQuery struct {
	Key   string
	Buyer int64
	Upto  market.Date // kept up to this business date; zero: any
	Limit int
}

// Deductions are deductions with all that is kept of how they were paid, the
// newest first.
func (tx *Tx) Deductions(ctx context.Context, q DeductionQuery) (list []market.Deduction, err error) {
	at := map[string]int{}
	keys := []string{}
	err = tx.Query(ctx, `
		SELECT d.key, d.kind, d.subject, d.buyer_id, b.code, coalesce(s.code, ''), coalesce(d.item, ''), d.at, d.currency,
		       d.price, coalesce(d.discount, ''), d.due, d.dropped, coalesce(d.refused, '[]')
		FROM deductions d JOIN buyers b ON b.id = d.buyer_id LEFT JOIN sellers s ON s.id = d.seller_id
		WHERE CASE WHEN $1 <> '' THEN d.key = $1 ELSE d.buyer_id = $2 END AND ($3::date IS NULL OR d.business_date <= $3)
		ORDER BY d.at DESC, d.key COLLATE "C" LIMIT $4`, []any{q.Key, q.Buyer, dateOrNull(q.Upto), q.Limit}, func(rows pgx.Rows) error {
		var d market.Deduction
		var refused []byte
		p := &d.Payment
		if err := rows.Scan(&d.Key, &d.Kind, &d.Subject, &d.BuyerID, &d.Buyer, &d.Seller, &d.Item, &d.At, (*string)(&p.Price.Currency),
			&p.Price.Amount, &p.Discount, &p.Due.Amount, &p.Dropped.Amount, &refused); err != nil {
			return err
		}
		p.Due.Currency, p.Dropped.Currency = p.Price.Currency, p.Price.Currency
		at[d.Key], keys, list = len(list), append(keys, d.Key), append(list, d)
		return json.Unmarshal(refused, &list[len(list)-1].Payment.Refused)
	})
	if err == nil && len(keys) > 0 {
		err = tx.Query(ctx, `SELECT key, instrument, kind, account, amount, rule FROM deduction_sources WHERE key = ANY($1) ORDER BY key, no`, []any{keys}, func(rows pgx.Rows) error {
			var key string
			var s market.Source
			err := rows.Scan(&key, &s.Instrument, &s.Kind, (*string)(&s.Account), &s.Amount.Amount, &s.Rule)
			p := &list[at[key]].Payment
			s.Amount.Currency = p.Price.Currency
			p.Sources = append(p.Sources, s)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read how deductions were paid: %w", err)
	}
	return list, nil
}

// DeductionSum adds deductions of one kind and currency up.
type DeductionSum struct {
	Kind       string       `json:"kind"`
	Deductions int64        `json:"deductions"`
	Price      market.Money `json:"price"`
	Due        market.Money `json:"due"`
	Dropped    market.Money `json:"dropped"`
	Owed       market.Money `json:"stayed_owed"`
}

// SumDeductions adds the deductions up that were kept on the business dates of
// a period, at every site, by kind.
func (s *Store) SumDeductions(ctx context.Context, p market.Period) (sums []DeductionSum, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		sums = nil
		return tx.Query(ctx, `
			SELECT d.kind, d.currency, count(*), sum(d.price), sum(d.due), sum(d.dropped), coalesce(sum(a.amount), 0)
			FROM deductions d LEFT JOIN deduction_sources a ON a.key = d.key AND a.business_date = d.business_date AND a.kind = 'arrears'
			WHERE d.business_date >= $1 AND d.business_date < $2
			GROUP BY d.kind, d.currency ORDER BY d.currency, d.kind`, []any{p.From, p.To}, func(rows pgx.Rows) error {
			var v DeductionSum
			var c market.Currency
			err := rows.Scan(&v.Kind, (*string)(&c), &v.Deductions, &v.Price.Amount, &v.Due.Amount, &v.Dropped.Amount, &v.Owed.Amount)
			v.Price.Currency, v.Due.Currency, v.Dropped.Currency, v.Owed.Currency = c, c, c, c
			sums = append(sums, v)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("add up the deductions from %s to %s: %w", p.From, p.To, err)
	}
	return sums, nil
}

func dateOrNull(d market.Date) any {
	if d == 0 {
		return nil
	}
	return d
}
