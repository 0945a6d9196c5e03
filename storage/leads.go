package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Leads reads leads in the order of the ids, which must be sorted.
func (tx *Tx) Leads(ctx context.Context, ids []int64) (list []market.Lead, err error) {
	err = tx.Query(ctx, `
		SELECT l.id, l.site, l.code, s.code, l.assigned_at, l.received_at, l.refused_at, l.closed_at
		FROM leads l JOIN sellers s ON s.id = l.seller_id
		WHERE l.id = ANY($1)
		ORDER BY l.id`, []any{ids}, func(rows pgx.Rows) error {
		var l market.Lead
		err := rows.Scan(&l.ID, &l.Site, &l.Code, &l.Seller, &l.AssignedAt, (*instant)(&l.ReceivedAt), (*instant)(&l.RefusedAt), (*instant)(&l.ClosedAt))
		list = append(list, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d leads: %w", len(ids), err)
	}
	return list, nil
}

// Offers reads offers with what people answered, in the order of the ids, which
// must be sorted.
func (tx *Tx) Offers(ctx context.Context, ids []int64) ([]market.Offer, error) {
	list := make([]market.Offer, 0, len(ids))
	at := map[int64]int{}
	err := tx.lookingUp(ctx, func() error {
		if err := tx.Query(ctx, `
			SELECT o.id, o.site, o.code, s.code, b.code, coalesce(p.code, ''), o.discount, o.asked_at, o.starts_at, o.ends_at
			FROM offers o JOIN sellers s ON s.id = o.seller_id JOIN buyers b ON b.id = o.buyer_id LEFT JOIN products p ON p.id = o.product_id
			WHERE o.id = ANY($1)
			ORDER BY o.id`, []any{ids}, func(rows pgx.Rows) error {
			var o market.Offer
			err := rows.Scan(&o.ID, &o.Site, &o.Code, &o.Seller, &o.Buyer, &o.Product, &o.Discount, &o.AskedAt, &o.StartsAt, &o.EndsAt)
			at[o.ID] = len(list)
			list = append(list, o)
			return err
		}); err != nil {
			return err
		}
		return tx.Query(ctx, `
			SELECT offer_id, outcome, at FROM offer_answers
			WHERE offer_id = ANY($1)
			ORDER BY offer_id, at, no`, []any{ids}, func(rows pgx.Rows) error {
			var id int64
			var a market.OfferAnswer
			err := rows.Scan(&id, &a.Outcome, &a.At)
			list[at[id]].Answers = append(list[at[id]].Answers, a)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read %d offers: %w", len(ids), err)
	}
	return list, nil
}

// AnswerOffer keeps a person's answer to an offer: the decision, and that it holds.
func (tx *Tx) AnswerOffer(ctx context.Context, k Keeping, d market.Decision) error {
	if _, err := tx.Exec(ctx, `INSERT INTO offer_answers (offer_id, outcome, at, actor) VALUES ($1, $2, $3, $4)`, d.Subject, d.Outcome, d.DueAt, d.Actor); err != nil {
		return fmt.Errorf("keep the answer to offer %d: %w", d.Subject, err)
	}
	return tx.KeepPersonDecision(ctx, k, d)
}

// ErrNoSubject marks a code that nothing of a job has.
var ErrNoSubject = errors.New("there is none of that number")

// SubjectID is the key of what a job decides about, by the marketplace's own code.
func (tx *Tx) SubjectID(ctx context.Context, job, site, code string) (id int64, err error) {
	found, err := tx.one(ctx, `SELECT subject FROM subjects WHERE job = $1 AND site = $2 AND code = $3`, []any{job, site, code}, &id)
	if err == nil && !found {
		err = ErrNoSubject
	}
	if err != nil {
		return 0, fmt.Errorf("find %q of %s at site %s: %w", code, job, site, err)
	}
	return id, nil
}
