package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// Payers reads buyers with what they can pay with and what they have to pay, in
// the order of the ids, which must be sorted: what is open, not what ever
// happened. Beside each id stands the first instant at which the buyer may have
// to pay for something that is not a fact of those read here; instruments that
// were over long before that, and before what is open, are left out. Attempts are
// looked up of the orders of buyers who stood: where nothing stands, nothing open
// was tried before.
func (tx *Tx) Payers(ctx context.Context, ids []int64, since []time.Time, stood map[int64]bool) ([]market.Payer, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	r := payerReader{tx: tx, ctx: ctx, ids: ids, since: since, stood: stood, out: make([]market.Payer, len(ids)), at: make(map[int64]int, len(ids))}
	for i, id := range ids {
		r.out[i].ID, r.at[id] = id, i
	}
	err := tx.lookingUp(ctx, func() error {
		for _, read := range []func() error{r.buyers, r.instruments, r.orders, r.charges} {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = r.known()
	}
	if err != nil {
		return nil, fmt.Errorf("read %d payers from buyer %d: %w", len(ids), ids[0], err)
	}
	return r.out, nil
}

type payerReader struct {
	tx    *Tx
	ctx   context.Context
	ids   []int64
	since []time.Time
	out   []market.Payer
	at    map[int64]int // of each buyer, its place in out

	stood map[int64]bool
}

func (r *payerReader) buyers() error {
	return r.tx.Query(r.ctx, `SELECT id, site, code, coalesce(level, ''), month_end FROM buyers WHERE id = ANY($1)`, []any{r.ids}, func(rows pgx.Rows) error {
		var p market.Payer
		if err := rows.Scan(&p.ID, &p.Site, &p.Code, &p.Level, &p.OnAccount); err != nil {
			return err
		}
		r.out[r.at[p.ID]] = p
		return nil
	})
}

func (r *payerReader) instruments() error {
	return r.tx.Query(r.ctx, `
		SELECT i.buyer_id, i.id, i.code, i.kind, coalesce(s.code, ''), i.borne_by, coalesce(i.amount, 0), coalesce(i.currency, ''),
		       coalesce(i.rate, 0), coalesce(i.discount_kind, ''), i.granted_at, i.valid_from, i.valid_until, i.restricted, coalesce(i.min_spend, 0),
		       coalesce(i.products, ''), coalesce(i.charge_modes, ''), coalesce(i.order_types, ''), coalesce(i.models, ''), coalesce(i.term_units, ''), coalesce(i.not_with, ''),
		       coalesce((SELECT false FROM unbooked_seen u WHERE u.buyer_id = i.buyer_id AND u.kind = 'instrument' AND u.fact = i.id LIMIT 1), true)
		FROM unnest($1::bigint[], $2::timestamptz[]) AS q (buyer_id, since)
		CROSS JOIN LATERAL (SELECT least(q.since, min(u.at)) - $3::interval AS at FROM unbooked_seen u WHERE u.buyer_id = q.buyer_id) f
		JOIN instruments i ON i.buyer_id = q.buyer_id AND coalesce(i.valid_until, 'infinity') >= f.at
		LEFT JOIN sellers s ON s.id = i.seller_id
		ORDER BY i.buyer_id, i.code`, []any{r.ids, r.since, market.Remembered}, func(rows pgx.Rows) error {
		var i market.Instrument
		var buyer int64
		var from, until pgtype.Timestamptz
		var products, modes, types, models, terms, barred string
		if err := rows.Scan(&buyer, &i.ID, &i.Code, &i.Kind, &i.Issuer, &i.BorneBy, &i.Granted.Amount, &i.Granted.Currency,
			&i.Rate, &i.DiscountKind, &i.GrantedAt, &from, &until, &i.Restricted, &i.MinSpend.Amount,
			&products, &modes, &types, &models, &terms, &barred, &i.Issued); err != nil {
			return err
		}
		p := &r.out[r.at[buyer]]
		i.ValidFrom, i.ValidUntil, i.MinSpend.Currency = from.Time, until.Time, i.Granted.Currency
		if i.ValidFrom.IsZero() {
			i.ValidFrom = i.GrantedAt
		}
		i.Products, i.ChargeModes, i.OrderTypes, i.NotWith = listed(products), listed(modes), listed(types), listed(barred)
		i.Models, i.TermUnits = listed(models), listed(terms)
		settleAccounts(&i, p.Code)
		p.Granted = append(p.Granted, i)
		return nil
	})
}

// upgrades adds what change orders upgrade, as it was when they were placed.
func (r *payerReader) upgrades() error {
	at := map[int64]*market.OpenOrder{}
	var ids []int64
	for i := range r.out {
		for n := range r.out[i].Orders {
			if o := &r.out[i].Orders[n]; o.Type == "change" {
				at[o.ID], ids = o, append(ids, o.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return r.tx.Query(r.ctx, `
		SELECT g.order_id, g.old_price, g.new_price, coalesce(g.currency, ''), g.discount, p.delisted_at,
		       coalesce((SELECT max(t.until_at) FROM terms_seen t WHERE t.subscription_id = u.id
		          AND NOT EXISTS (SELECT FROM unsubscription_results_seen b WHERE b.subscription_id = u.id AND b.term_no = t.no AND b.outcome = 'refund')), u.term_end)
		FROM upgrades g JOIN orders o ON o.id = g.order_id JOIN subscriptions u ON u.id = g.subscription_id
		LEFT JOIN products p ON p.id = coalesce(o.product_id, u.product_id)
		WHERE g.order_id = ANY($1)`, []any{ids}, func(rows pgx.Rows) error {
		var id int64
		var u market.Upgrade
		var currency string
		if err := rows.Scan(&id, &u.Old.Amount, &u.New.Amount, &currency, &u.Discount, (*instant)(&u.Delisted), &u.Ends); err != nil {
			return err
		}
		u.Old.Currency, u.New.Currency = market.Currency(currency), market.Currency(currency)
		at[id].Upgrade = &u
		return nil
	})
}

// settleAccounts says what an instrument draws on, and where what it pays goes.
func settleAccounts(i *market.Instrument, buyer string) {
	switch i.Kind {
	case market.Voucher:
		i.Account = market.BuyerVoucher(buyer, i.Code)
	case market.Coupon:
		i.Account = market.BuyerCoupon(buyer, i.Code)
	case market.Card:
		i.Account = market.BuyerCard(buyer, i.Code)
	}
	if i.BorneBy == "seller" && i.Account != "" {
		i.Returns = market.SellerVouchers(i.Issuer)
	}
}

// listed reads a list as people write one into a cell.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\t' })
}

func (r *payerReader) orders() error {
	w := words{}
	site, kind, access, mode, currency := w.scan(), w.scan(), w.scan(), w.scan(), w.scan()
	seller, product, class, model, unit, with := w.scan(), w.scan(), w.scan(), w.scan(), w.scan(), w.scan()
	var o market.OpenOrder
	var payAt, delisted pgtype.Timestamptz
	dest := []any{&o.ID, site, &o.Code, &o.BuyerID, kind, access, mode, &o.PlacedAt, &o.Amount.Amount, currency,
		&o.SellerID, seller, &o.ProductID, product, class, model, unit, &o.CreditAllowed, &o.AutoPay, &payAt, with, &delisted}
	var of []market.OpenOrder // one buyer's, who comes with all of them
	hand := func() {
		if len(of) > 0 {
			r.out[r.at[of[0].BuyerID]].Orders = slices.Clone(of)
			of = of[:0]
		}
	}
	// Planned anew each time: the first night finds no ends, and leaves as many as orders.
	err := r.tx.Query(r.ctx, `
		SELECT o.id, o.site, o.code, o.buyer_id, o.order_type, o.access_type, o.charge_mode, o.placed_at, coalesce(o.amount, 0), coalesce(o.currency, ''),
		       coalesce(s.id, 0), coalesce(s.code, ''), coalesce(o.product_id, 0), coalesce(p.code, ''), coalesce(p.product_class, ''), coalesce(p.model, 'common'), coalesce(o.term_unit, ''),
		       coalesce(p.credit_allowed, true), o.auto_pay, o.pay_at, coalesce(o.pay_with, ''), p.delisted_at
		FROM unbooked_seen u JOIN orders o ON o.id = u.fact
		LEFT JOIN products p ON p.id = o.product_id
		LEFT JOIN sellers s ON s.id = coalesce(o.seller_id, p.seller_id)
		WHERE u.buyer_id = ANY($1) AND u.kind = 'order' AND o.paid_at IS NULL AND o.cancelled_at IS NULL
		  AND NOT EXISTS (SELECT FROM order_ends_seen e WHERE e.order_id = o.id)
		ORDER BY o.buyer_id, o.placed_at, o.id`, []any{pgx.QueryExecModeDescribeExec, r.ids}, func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if len(of) > 0 && of[0].BuyerID != o.BuyerID {
			hand()
		}
		o.Site, o.Type, o.AccessType, o.ChargeMode, o.Amount.Currency = site.text, kind.text, access.text, mode.text, market.Currency(currency.text)
		o.Seller, o.Product, o.ProductClass, o.Model, o.TermUnit = seller.text, product.text, class.text, model.text, unit.text
		o.PayAt, o.PayWith, o.DelistedAt = payAt.Time, listed(with.text), delisted.Time
		of = append(of, o)
		return nil
	})
	hand()
	if err == nil {
		err = r.lines()
	}
	if err != nil {
		return err
	}
	return r.upgrades()
}

// lines adds what the lines say of the orders that have some: their seller, where
// nobody named the order's and it is one; that another than the order's has a part
// of it; what the lines of images cost where others stand beside them. What a line's
// product is says the product, and the order where it is the order's or nobody named
// it.
func (r *payerReader) lines() error {
	var ids []int64
	for i := range r.out {
		for n := range r.out[i].Orders {
			ids = append(ids, r.out[i].Orders[n].ID)
		}
	}
	return r.tx.Query(r.ctx, `
		SELECT l.buyer_id, l.order_id, coalesce(s.id, 0), coalesce(s.code, ''), l.shared, l.images FROM (
			SELECT o.buyer_id, l.order_id, CASE WHEN min(l.seller_id) = max(l.seller_id) THEN min(l.seller_id) END AS seller,
			       bool_or(coalesce(l.seller_id, g.seller_id) <> coalesce(o.seller_id, p.seller_id)) IS TRUE AS shared,
			       CASE WHEN bool_or(k.image) AND NOT bool_and(k.image) THEN sum(l.amount) FILTER (WHERE k.image) END AS images
			FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN products p ON p.id = o.product_id LEFT JOIN products g ON g.id = l.product_id
			CROSS JOIN LATERAL (SELECT CASE WHEN l.currency = o.currency
				THEN coalesce(g.access_type, CASE WHEN l.product_id IS NULL OR l.product_id = o.product_id THEN o.access_type END, '') = 'image' END AS image) k
			WHERE l.order_id = ANY($1) GROUP BY 1, 2) l
		LEFT JOIN sellers s ON s.id = l.seller`, []any{ids}, func(rows pgx.Rows) error {
		var buyer, order, seller int64
		var code string
		var shared bool
		var images *market.Decimal
		if err := rows.Scan(&buyer, &order, &seller, &code, &shared, &images); err != nil {
			return err
		}
		orders := r.out[r.at[buyer]].Orders
		o := &orders[slices.IndexFunc(orders, func(o market.OpenOrder) bool { return o.ID == order })]
		switch {
		case o.SellerID == 0:
			o.SellerID, o.Seller = seller, code
		case shared:
			o.SellerID, o.Seller = 0, ""
		}
		if images != nil {
			o.ImageLines = market.NewMoney(*images, o.Amount.Currency)
		}
		return nil
	})
}

func (r *payerReader) charges() error {
	var keys []string
	err := r.tx.Query(r.ctx, `
		SELECT c.buyer_id, c.id, c.code, coalesce(c.seller_id, 0), coalesce(s.code, ''), coalesce(c.product_id, 0), coalesce(p.code, ''), coalesce(p.model, 'common'), coalesce(c.item, ''),
		       c.amount, c.currency, c.used_from, c.used_until, c.at
		FROM unbooked_seen u JOIN charges c ON c.id = u.fact
		LEFT JOIN sellers s ON s.id = c.seller_id LEFT JOIN products p ON p.id = c.product_id
		WHERE u.buyer_id = ANY($1) AND u.kind = 'charge'
		ORDER BY c.buyer_id, c.at, c.code COLLATE "C"`, []any{r.ids}, func(rows pgx.Rows) error {
		var buyer int64
		var c market.Charge
		var from, until pgtype.Timestamptz
		if err := rows.Scan(&buyer, &c.ID, &c.Code, &c.SellerID, &c.Seller, &c.ProductID, &c.Product, &c.Model, &c.Item,
			&c.Amount.Amount, &c.Amount.Currency, &from, &until, &c.At); err != nil {
			return err
		}
		c.Used = market.Span{From: from.Time, To: until.Time}
		p := &r.out[r.at[buyer]]
		p.Charges = append(p.Charges, c)
		keys = append(keys, c.Key(p.Site))
		return nil
	})
	if err != nil {
		return err
	}
	seen, err := r.tx.EventsSeen(r.ctx, keys) // by their keys alone: a join could read all that ever happened
	for i := range r.out {
		p := &r.out[i]
		p.Charges = slices.DeleteFunc(p.Charges, func(c market.Charge) bool { return seen[c.Key(p.Site)] })
	}
	return err
}

// known finds what was booked and tried before: instruments that were issued,
// payments that were tried.
func (r *payerReader) known() error {
	var keys []string
	r.each(func(p *market.Payer, i *market.Instrument, o *market.OpenOrder, at time.Time) {
		switch {
		case i != nil:
			keys = append(keys, i.IssueKey(p.Site))
		default:
			keys = append(keys, o.AttemptKey(at))
		}
	})
	seen, err := r.tx.EventsSeen(r.ctx, keys)
	if err != nil || len(seen) == 0 {
		return err
	}
	n := 0
	r.each(func(p *market.Payer, i *market.Instrument, o *market.OpenOrder, at time.Time) {
		switch was := seen[keys[n]]; {
		case i != nil:
			i.Issued = was // in a dry run, which leaves it among what is not booked
		case was:
			o.Attempted = append(o.Attempted, at)
		}
		n++
	})
	return nil
}

// each visits every instrument with an account that may have to be issued, and
// every instant at which an order of a buyer who stood is asked to be paid.
func (r *payerReader) each(visit func(p *market.Payer, i *market.Instrument, o *market.OpenOrder, at time.Time)) {
	for n := range r.out {
		p := &r.out[n]
		for i := range p.Granted {
			if p.Granted[i].Account != "" && !p.Granted[i].Issued {
				visit(p, &p.Granted[i], nil, time.Time{})
			}
		}
		for i := range p.Orders {
			if !r.stood[p.ID] {
				break
			}
			for _, at := range p.Orders[i].Asked() {
				visit(p, nil, &p.Orders[i], at)
			}
		}
	}
}

// FactsAfter is, for each of the buyers, the first instant after another at
// which money or use is reported that lies ahead: history may be imported as a
// whole, and its nights run afterwards.
func (tx *Tx) FactsAfter(ctx context.Context, site string, buyers []int64, after time.Time) (next map[int64]time.Time, err error) {
	err = tx.lookingUp(ctx, func() error {
		next, err = tx.factsAfter(ctx, site, buyers, after)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for what lies ahead of %d buyers: %w", len(buyers), err)
	}
	return next, nil
}

func (tx *Tx) factsAfter(ctx context.Context, site string, buyers []int64, after time.Time) (map[int64]time.Time, error) {
	next := map[int64]time.Time{}
	for _, query := range []string{`
		SELECT u.buyer_id, min(m.at) FROM unbooked_seen u JOIN money m ON m.id = u.fact
		WHERE u.buyer_id = ANY($2) AND u.kind = 'money' AND m.at > $3 AND m.site = $1 GROUP BY u.buyer_id`, `
		SELECT u.buyer_id, min(coalesce(r.approved_at, r.requested_at))
		FROM unbooked_seen u JOIN refunds r ON r.id = u.fact
		WHERE u.buyer_id = ANY($2) AND u.kind = 'refund' AND r.site = $1 AND coalesce(r.approved_at, r.requested_at) > $3 AND (r.request <> 'negotiated' OR r.approved_at IS NOT NULL) AND r.refunded_at IS NULL
		GROUP BY u.buyer_id`, `
		SELECT i.buyer_id, min(u.received_at)
		FROM instances i CROSS JOIN LATERAL (
			SELECT received_at FROM usage_records u
			WHERE u.instance = i.code AND u.site = $1 AND u.received_at > $3
			ORDER BY received_at LIMIT 1) u
		WHERE i.buyer_id = ANY($2)
		GROUP BY i.buyer_id`} {
		err := tx.Query(ctx, query, []any{site, buyers, after}, func(rows pgx.Rows) error {
			var buyer int64
			var at time.Time
			if err := rows.Scan(&buyer, &at); err != nil {
				return err
			}
			if known, ok := next[buyer]; !ok || at.Before(known) {
				next[buyer] = at
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}
