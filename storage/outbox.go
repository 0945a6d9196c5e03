package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// keepCalls appends what sellers have to be told. The event of each is kept with
// it, so that it is there once.
func (tx *Tx) keepCalls(ctx context.Context, k Keeping, calls []market.Call) error {
	columns := []string{"key", "business_date", "site", "activity", "scene", "seller_id", "subject", "metered", "instance", "at", "payload", "run_id"}
	return tx.CopyRows(ctx, "outbox", columns, len(calls), func(i int, row *Row) error {
		c := &calls[i]
		return row.Put(c.Key, k.On, k.Site, c.Activity, c.Scene, idOrNull(c.SellerID), c.Subject, c.Metered, c.Instance, c.At, string(c.Payload), k.run())
	})
}

// MeteredInstances are the instances of buyers that are charged by use, by their codes.
func (tx *Tx) MeteredInstances(ctx context.Context, buyers []int64) (list []market.MeteredInstance, err error) {
	err = tx.Query(ctx, `
		SELECT i.id, i.buyer_id, i.seller_id, i.site, i.code, i.opened_at, i.closed_at FROM instances i
		WHERE i.buyer_id = ANY($1) AND i.charge_mode IN ('ON_DEMAND', 'ON_DEMAND_PKG')
		ORDER BY i.buyer_id, i.code COLLATE "C"`, []any{buyers}, func(rows pgx.Rows) error {
		var m market.MeteredInstance
		var closed pgtype.Timestamptz
		err := rows.Scan(&m.ID, &m.BuyerID, &m.SellerID, &m.Site, &m.Code, &m.OpenedAt, &closed)
		m.ClosedAt = closed.Time
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find what %d buyers use: %w", len(buyers), err)
	}
	return list, nil
}

// Outgoing is a call that is kept, and where it belongs.
type Outgoing struct {
	Key          string
	On           market.Date
	Activity     string
	Scene        string
	Seller       string // by code; empty where nobody is named
	Subscription string // by code; empty of what is charged by use
	Instance     string
	At           time.Time
	Payload      json.RawMessage
	RunID        int64
}

// OutboxQuery says which calls are listed. What is empty does not narrow.
type OutboxQuery struct {
	Site         string
	From, To     market.Date // business dates, both of them included; 0: no limit
	Seller       string
	Subscription string
	Limit        int
}

// Outbox lists calls, oldest first, as they happened.
func (s *Store) Outbox(ctx context.Context, q OutboxQuery) (list []Outgoing, err error) {
	var from, to any
	if q.From != 0 {
		from = q.From
	}
	if q.To != 0 {
		to = q.To
	}
	err = s.query(ctx, `
		SELECT o.key, o.business_date, o.activity, o.scene, coalesce(s.code, ''), coalesce(u.code, ''), o.instance, o.at, o.payload, coalesce(o.run_id, 0)
		FROM outbox o
		LEFT JOIN subscriptions u ON u.id = o.subject AND NOT o.metered
		LEFT JOIN sellers s ON s.id = o.seller_id
		WHERE o.site = $1 AND o.business_date >= coalesce($2::date, '-infinity') AND o.business_date <= coalesce($3::date, 'infinity')
		  AND ($4 = '' OR s.code = $4) AND ($5 = '' OR u.code = $5)
		ORDER BY o.at, o.key COLLATE "C"
		LIMIT $6`, []any{q.Site, from, to, q.Seller, q.Subscription, q.Limit}, func(rows pgx.Rows) error {
		var c Outgoing
		var payload string
		if err := rows.Scan(&c.Key, &c.On, &c.Activity, &c.Scene, &c.Seller, &c.Subscription, &c.Instance, &c.At, &payload, &c.RunID); err != nil {
			return err
		}
		c.Payload = json.RawMessage(payload)
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the calls to sellers at %s: %w", q.Site, err)
	}
	return list, nil
}
