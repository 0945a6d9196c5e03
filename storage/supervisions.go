package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// Supervisions reads all that is known of the orders' deliveries, in the order
// of the ids, which must be sorted. It is one query a table and merges by key:
// close keys are read as one range, scattered ones are looked up.
func (tx *Tx) Supervisions(ctx context.Context, ids []int64) ([]market.Supervision, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	r := supervisionReader{tx: tx, ctx: ctx, ids: ids, out: make([]market.Supervision, len(ids))}
	for i, id := range ids {
		r.out[i].Order.ID = id
	}
	for _, read := range []func() error{r.orders, r.ends, r.deliveries, r.shipments, r.activations, r.appeals, r.corrections, r.reopened} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("read %d supervisions from order %d: %w", len(ids), ids[0], err)
		}
	}
	return r.out, nil
}

type supervisionReader struct {
	tx  *Tx
	ctx context.Context
	ids []int64
	out []market.Supervision
}

// scattered is the share of keys in their range below which they are looked up
// one by one instead of read as a range.
const scattered = 4

// each runs a query over the ids and hands every row to the supervision that
// its first column names. The query has one %s, for the condition on the key.
func (r *supervisionReader) each(query, key string, dest []any, id *int64, take func(s *market.Supervision)) error {
	first, last := r.ids[0], r.ids[len(r.ids)-1]
	condition, args := key+" BETWEEN $1 AND $2", []any{first, last}
	if last-first+1 > int64(scattered*len(r.ids)) {
		condition, args = key+" = ANY($1)", []any{r.ids}
	}
	i := 0
	return r.tx.Query(r.ctx, fmt.Sprintf(query, condition), args, func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i < len(r.ids) && r.ids[i] < *id {
			i++
		}
		if i < len(r.ids) && r.ids[i] == *id {
			take(&r.out[i])
		}
		return nil
	})
}

func (r *supervisionReader) orders() error {
	var o market.Order
	var paid, cancelled, invoiced pgtype.Timestamptz
	var count pgtype.Int4
	var seller, product pgtype.Int8
	buyers, sellers, products := parties{}, parties{}, parties{}
	var site, kind, access, mode, charge, track, unit, currency word
	var phone pgtype.Text
	var amount market.Decimal
	dest := []any{&o.ID, &o.Code, &o.BuyerID, &o.PlacedAt, &paid, &cancelled, &invoiced, &count, &phone, &amount,
		&site, &kind, &access, &mode, &charge, &track, &unit, &currency, &seller, &product}
	err := r.each(`
		SELECT id, code, buyer_id, placed_at, paid_at, cancelled_at, invoiced_at, term_count, receiver_phone, coalesce(amount, 0),
		       site, order_type, access_type, delivery_mode, charge_mode, track, term_unit, currency, seller_id, product_id
		FROM orders WHERE %s ORDER BY id`, "id", dest, &o.ID, func(s *market.Supervision) {
		o.PaidAt, o.CancelledAt, o.InvoicedAt = paid.Time, cancelled.Time, invoiced.Time
		o.Site, o.Type, o.AccessType, o.DeliveryMode = string(site), string(kind), string(access), string(mode)
		o.ChargeMode, o.Track, o.Phone = string(charge), string(track), phone.String
		o.Term = market.Term{Count: int(count.Int32), Unit: market.Unit(unit)}
		o.Amount = market.NewMoney(amount, market.Currency(currency))
		s.Order = o
		buyers.add(pgtype.Int8{Int64: o.BuyerID, Valid: true}, &s.Order.Buyer)
		sellers.add(seller, &s.Order.Seller)
		products.add(product, &s.Order.Product)
	})
	if err != nil {
		return err
	}
	if err := r.name(buyers, `SELECT id, code FROM buyers WHERE id = ANY($1)`); err != nil {
		return err
	}
	if err := r.name(sellers, `SELECT id, code FROM sellers WHERE id = ANY($1)`); err != nil {
		return err
	}
	return r.name(products, `SELECT id, code FROM products WHERE id = ANY($1)`)
}

// parties are the orders of buyers, of sellers or of products, by their keys: where their
// codes go.
type parties map[int64][]*string

func (p parties) add(id pgtype.Int8, code *string) {
	if id.Valid {
		p[id.Int64] = append(p[id.Int64], code)
	}
}

// name fills in the codes, each read once.
func (r *supervisionReader) name(p parties, query string) error {
	if len(p) == 0 {
		return nil
	}
	var id int64
	var code string
	dest := []any{&id, &code}
	return r.tx.Query(r.ctx, query, []any{slices.Collect(maps.Keys(p))}, func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for _, to := range p[id] {
			*to = code
		}
		return nil
	})
}

// ends are what billing made of orders that were reported as unpaid.
func (r *supervisionReader) ends() error {
	var unpaid []int64
	at := map[int64]*market.Order{}
	for i := range r.out {
		if o := &r.out[i].Order; o.PaidAt.IsZero() && o.CancelledAt.IsZero() {
			unpaid, at[o.ID] = append(unpaid, o.ID), o
		}
	}
	if len(unpaid) == 0 {
		return nil
	}
	return r.tx.Query(r.ctx, `SELECT order_id, outcome, at FROM order_ends_seen WHERE order_id = ANY($1)`, []any{unpaid}, func(rows pgx.Rows) error {
		var e market.OrderEnd
		if err := rows.Scan(&e.OrderID, &e.Outcome, &e.At); err != nil {
			return err
		}
		if e.Outcome == market.OrderPaid {
			at[e.OrderID].PaidAt = e.At
		} else {
			at[e.OrderID].CancelledAt = e.At
		}
		return nil
	})
}

func (r *supervisionReader) deliveries() error {
	var d market.Delivery
	var delivered, start, proof, collected, reviewed, accepted, rejected pgtype.Timestamptz
	dest := []any{&d.OrderID, &d.Attempt, &delivered, &start, &proof, &collected, &reviewed, &accepted, &rejected}
	all := make([]market.Delivery, 0, len(r.ids))
	return r.each(`
		SELECT order_id, attempt, delivered_at, start_at, proof_at, collected_at, reviewed_at, accepted_at, rejected_at
		FROM deliveries WHERE %s ORDER BY order_id, attempt`, "order_id", dest, &d.OrderID, func(s *market.Supervision) {
		d.DeliveredAt, d.StartAt, d.ProofAt, d.CollectedAt = delivered.Time, start.Time, proof.Time, collected.Time
		d.ReviewedAt, d.AcceptedAt, d.RejectedAt = reviewed.Time, accepted.Time, rejected.Time
		s.Deliveries = grown(&all, s.Deliveries, d)
	})
}

func (r *supervisionReader) shipments() error {
	var p market.Shipment
	var shipped, signed pgtype.Timestamptz
	var phone pgtype.Text
	dest := []any{&p.OrderID, &p.Attempt, &shipped, &signed, &phone}
	all := make([]market.Shipment, 0, len(r.ids))
	return r.each(`
		SELECT order_id, attempt, shipped_at, signed_at, phone
		FROM shipments WHERE %s ORDER BY order_id, attempt`, "order_id", dest, &p.OrderID, func(s *market.Supervision) {
		p.ShippedAt, p.SignedAt, p.Phone = shipped.Time, signed.Time, phone.String
		s.Shipments = grown(&all, s.Shipments, p)
	})
}

func (r *supervisionReader) activations() error {
	var a market.Activation
	dest := []any{&a.OrderID, &a.Code, &a.ActivatedAt}
	var all []market.Activation
	return r.each(`
		SELECT order_id, code, activated_at
		FROM activations WHERE %s ORDER BY order_id, activated_at, code`, "order_id", dest, &a.OrderID, func(s *market.Supervision) {
		s.Activations = grown(&all, s.Activations, a)
	})
}

func (r *supervisionReader) appeals() error {
	var a market.Appeal
	var decided pgtype.Timestamptz
	var decision word
	dest := []any{&a.OrderID, &a.Code, &a.OpenedAt, &decided, &decision}
	var all []market.Appeal
	return r.each(`
		SELECT order_id, code, opened_at, decided_at, decision
		FROM appeals WHERE %s ORDER BY order_id, opened_at, code`, "order_id", dest, &a.OrderID, func(s *market.Supervision) {
		a.DecidedAt, a.Decision = decided.Time, string(decision)
		s.Appeals = grown(&all, s.Appeals, a)
	})
}

func (r *supervisionReader) corrections() error {
	var c market.Correction
	dest := []any{&c.OrderID, &c.Field, &c.Value, &c.At}
	var all []market.Correction
	return r.each(`
		SELECT order_id, field, value, at
		FROM corrections WHERE %s ORDER BY order_id, at, id`, "order_id", dest, &c.OrderID, func(s *market.Supervision) {
		s.Corrections = grown(&all, s.Corrections, c)
	})
}

// grown appends v to part, the last part of all: the rows of a chunk share a few
// arrays instead of having one for each candidate. A full one stays as it is, for
// the parts in it, and only the last part moves on to the next.
func grown[T any](all *[]T, part []T, v T) []T {
	if len(*all) == cap(*all) {
		*all = append(make([]T, 0, max(2*len(part), min(2*cap(*all), 1024))+1), part...)
	}
	*all = append(*all, v)
	end := len(*all)
	return slices.Clip((*all)[end-len(part)-1 : end])
}

// word scans text of a small vocabulary without allocating it again for every
// row; null is empty.
type word string

var vocabulary = func() map[string]word {
	known := map[string]word{}
	for _, w := range []string{
		"", "new", "renewal", "change", "saas", "license", "image", "human_service", "consulting", "hardware", "container", "api", "agent",
		"ai_asset", "data_asset", "data_file", "orchestration", "content", "instant", "offline", "online_code", "identification_code", "package",
		"PERIOD", "ONE_TIME", "ON_DEMAND", "ON_DEMAND_PKG", "empowerment", "base", "day", "month", "year", "CNY", "USD", "BRL",
		market.AppealContinue, market.AppealAccept, market.AppealRefund, market.AppealBack,
	} {
		known[w] = word(w)
	}
	return known
}()

// ScanBytes is called by pgx with bytes that are valid for this row only.
func (w *word) ScanBytes(b []byte) error {
	known, ok := vocabulary[string(b)]
	if !ok {
		known = word(b)
	}
	*w = known
	return nil
}
