package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// EarningsQuery says which sellers' trade is read, and as of when.
type EarningsQuery struct {
	Site     string
	Currency market.Currency // of sellers that name none
	Sellers  []int64
	Period   market.Period
	Cut      time.Time // the end of the period
	AsOf     time.Time // deductions and payments up to it are known
	Zone     *time.Location
	Again    bool // as if nothing had been settled for the period or later
}

// SellerBooks reads what sellers earned and gave back, in the order of their
// ids: the orders of their products and their parts of others, renewals, use,
// charges, refunds, partners' parts, adjustments; and what was settled of it. What
// was settled whole is not read again where what tiers count of it is known.
func (tx *Tx) SellerBooks(ctx context.Context, q EarningsQuery) ([]market.SellerBook, error) {
	if len(q.Sellers) == 0 {
		return nil, nil
	}
	r := &earningsReader{tx: tx, ctx: ctx, q: q, books: make([]market.SellerBook, len(q.Sellers)), at: map[int64]int{},
		goods: map[int64]*goods{}, orders: map[int64]*soldOrder{}, paid: map[string]*paidDeduction{},
		dead: map[int64]bool{}, done: map[string]bool{}}
	for i, id := range q.Sellers {
		r.books[i].Seller.ID, r.at[id] = id, i
		r.books[i].Settled, r.books[i].Before = map[string]bool{}, map[string][]market.StatementLine{}
	}
	err := tx.lookingUp(ctx, func() error {
		for _, read := range []func() error{r.sellers, r.counted, r.open, r.sold, r.lines, r.deducted, r.used, r.read, r.sources, r.refunds, r.renewalsTakenBack, r.agreed, r.earn, r.repaid, r.settled, r.neverOpened, r.cancelled, r.stillOpen, r.carried} {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the trade of %d sellers from seller %d: %w", len(q.Sellers), q.Sellers[0], err)
	}
	return r.books, nil
}

// earningsReader reads the trade of some sellers.
type earningsReader struct {
	tx    *Tx
	ctx   context.Context
	q     EarningsQuery
	books []market.SellerBook
	at    map[int64]int // of each seller, its place in books

	goods  map[int64]*goods
	orders map[int64]*soldOrder
	sorted []*soldOrder
	others []*paidDeduction // that are of no order
	paid   map[string]*paidDeduction
	given  []givenBack

	partial    bool // what was settled whole is not read
	openOrders []openTrade
	openOthers []openTrade
	dead       map[int64]bool  // orders that were cancelled, and of which nothing was settled before
	done       map[string]bool // the keys that show what is settled, whoever earned it
}

// goods is what settlement has to know of a product.
type goods struct {
	code, class, access, model                              string
	seller                                                  int64
	fee, partnerShare, floorDiscount, taxRate, operatingFee *market.Decimal
}

// soldOrder is an order with what was paid for it.
type soldOrder struct {
	market.Earning // what its lines share; Paid is of all of it
	site           string
	seller         int64 // where the order names one
	product        int64
	partner        int64
	partnerShare   market.Decimal
	cash           *market.Decimal // reported
	lines          []soldLine
	deducted       *paidDeduction // nil where the marketplace took the money itself
	keys           []string       // of all that is to be settled of it, whoever earns it
	goesOn         bool           // something of it is given back in a later month
	cancelled      bool           // by the instant up to which payments are known
}

type soldLine struct {
	no              int
	product, seller int64
	amount          market.Money
	quantity        market.Decimal
}

// paidDeduction is a deduction with its sources.
type paidDeduction struct {
	key, kind              string
	on                     market.Date
	subject, buyer, seller int64
	product                int64
	item                   string
	usedAt, at             time.Time
	due                    market.Money
	effectiveAt            time.Time
	sources                []market.Source
	lies                   market.Account // of an order: where the money lies until it is settled
	givenBack              []givenBack    // of a renewal
	keys                   []string       // of all that is to be settled of it
	goesOn                 bool           // it is given back in a later month
}

// givenBack is a refund of an order.
type givenBack struct {
	order  int64
	key    string
	amount *market.Decimal // nil: all of it
	at     time.Time
}

func (r *earningsReader) sellers() error {
	return r.tx.Query(r.ctx, `SELECT id, site, code, coalesce(country, ''), coalesce(currency, ''), certified_at FROM sellers WHERE id = ANY($1)`,
		[]any{r.q.Sellers}, func(rows pgx.Rows) error {
			var s market.Seller
			var certified pgtype.Timestamptz
			if err := rows.Scan(&s.ID, &s.Site, &s.Code, &s.Country, &s.Currency, &certified); err != nil {
				return err
			}
			if s.CertifiedAt = certified.Time; s.Currency == "" {
				s.Currency = r.q.Currency
			}
			r.books[r.at[s.ID]].Seller = s
			return nil
		})
}

// sold reads the orders in which the sellers have a part.
func (r *earningsReader) sold() error {
	mine, of := `SELECT DISTINCT order_id AS id FROM order_sellers WHERE seller_id = ANY($1)`, r.q.Sellers
	if r.partial {
		mine, of = `SELECT DISTINCT unnest($1::bigint[]) AS id`, tradeOrders(r.openOrders)
	}
	err := r.tx.Query(r.ctx, `
		WITH mine AS (`+mine+`)
		SELECT o.paid_at IS NULL AND (e.outcome = 'cancelled' OR o.cancelled_at IS NOT NULL AND e.outcome IS DISTINCT FROM 'paid') IS TRUE,
		       (e.outcome = 'cancelled' OR o.cancelled_at <= $3) IS TRUE, o.id, o.site, o.code, o.buyer_id, coalesce(o.seller_id, 0), coalesce(o.product_id, 0), o.order_type, o.access_type, o.delivery_mode, o.charge_mode, o.track,
		       o.placed_at, coalesce(o.paid_at, e.at), coalesce(o.amount, 0), coalesce(o.currency, ''), coalesce(o.term_count, 1), o.quantity,
		       o.list_price, coalesce(o.discount, 1),
		       coalesce(o.provisioned_at, (SELECT min(d.delivered_at) FROM deliveries d WHERE d.order_id = o.id), (SELECT min(i.opened_at) FROM instances i WHERE i.order_id = o.id),
		                (SELECT min(s.term_start) FROM subscriptions s WHERE s.order_id = o.id)),
		       o.effective_at, c.completed_at, o.on_credit, o.repaid_at, o.cash_amount, coalesce(o.withheld, 0), coalesce(o.wht, 0), coalesce(o.dst, 0),
		       o.wht IS NOT NULL OR o.dst IS NOT NULL, coalesce(o.partner_id, 0), coalesce(o.partner_share, 0)
		FROM mine JOIN orders o ON o.id = mine.id
		LEFT JOIN order_ends_seen e ON e.order_id = o.id
		LEFT JOIN completions_seen c ON c.order_id = o.id AND c.outcome = 'accept'
		      AND NOT EXISTS (SELECT FROM reversals v WHERE v.order_id = c.order_id AND v.no = c.no)
		WHERE o.placed_at < $2`,
		[]any{of, r.q.Cut, r.q.AsOf}, r.takeOrder)
	slices.SortFunc(r.sorted, func(a, b *soldOrder) int { return int(a.OrderID - b.OrderID) })
	return err
}

func (r *earningsReader) takeOrder(rows pgx.Rows) error {
	o := &soldOrder{}
	var paid, provisioned, effective, completed, repaid pgtype.Timestamptz
	var list, cash *market.Decimal
	var term int64
	var dead bool
	if err := rows.Scan(&dead, &o.cancelled, &o.OrderID, &o.site, &o.Order, &o.BuyerID, &o.seller, &o.product, &o.OrderType, &o.AccessType, &o.DeliveryMode, &o.ChargeMode, &o.Track,
		&o.PlacedAt, &paid, &o.Paid.Amount, &o.Paid.Currency, &term, &o.Quantity, &list, &o.Discount, &provisioned, &effective, &completed,
		&o.Borrowed, &repaid, &cash, &o.Withheld, &o.WHT, &o.DST, &o.Taxed, &o.partner, &o.partnerShare); err != nil {
		return err
	}
	if dead {
		r.dead[o.OrderID] = true
		return nil
	}
	o.PaidAt, o.ProvisionedAt, o.EffectiveAt, o.CompletedAt, o.RepaidAt = paid.Time, provisioned.Time, effective.Time, completed.Time, repaid.Time
	o.Duration, o.cash = market.DecimalOf(term), cash
	if list != nil {
		o.ListPrice, o.Listed = *list, true
	}
	o.From = market.PlatformCollected
	r.orders[o.OrderID] = o
	r.sorted = append(r.sorted, o)
	return nil
}

// orderIDs are the orders that were read.
func (r *earningsReader) orderIDs() []int64 {
	ids := make([]int64, len(r.sorted))
	for i, o := range r.sorted {
		ids[i] = o.OrderID
	}
	return ids
}

func (r *earningsReader) lines() error {
	return r.tx.Query(r.ctx, `
		SELECT order_id, line, coalesce(product_id, 0), coalesce(seller_id, 0), amount, currency, quantity FROM order_lines
		WHERE order_id = ANY($1) ORDER BY order_id, line`, []any{r.orderIDs()}, func(rows pgx.Rows) error {
		var id int64
		var l soldLine
		if err := rows.Scan(&id, &l.no, &l.product, &l.seller, &l.amount.Amount, &l.amount.Currency, &l.quantity); err != nil {
			return err
		}
		o := r.orders[id]
		o.lines = append(o.lines, l)
		return nil
	})
}

// deducted finds what was deducted for orders that the marketplace reported as
// unpaid.
func (r *earningsReader) deducted() error {
	return r.tx.Query(r.ctx, `
		SELECT e.order_id, d.key, d.business_date, d.due, d.currency, d.at, coalesce(d.seller_id, 0), coalesce(s.code, '')
		FROM order_ends_seen e JOIN orders o ON o.id = e.order_id
		JOIN deductions_seen d ON d.key = 'order/' || o.site || '/' || o.code || '/paid' AND d.business_date = e.business_date
		LEFT JOIN sellers s ON s.id = d.seller_id
		WHERE e.order_id = ANY($1) AND e.outcome = 'paid'`, []any{r.orderIDs()}, func(rows pgx.Rows) error {
		var id int64
		d := &paidDeduction{lies: market.PlatformShared}
		var seller string
		if err := rows.Scan(&id, &d.key, &d.on, &d.due.Amount, &d.due.Currency, &d.at, &d.seller, &seller); err != nil {
			return err
		}
		if seller != "" {
			d.lies = market.SellerAccrued(seller)
		}
		o := r.orders[id]
		o.deducted, o.PaidAt, o.Borrowed = d, d.at, false
		r.paid[d.key] = d
		return nil
	})
}

// used reads what was deducted for renewals, use, charges and packages.
func (r *earningsReader) used() error {
	const known = ` FROM deductions_seen d WHERE d.seller_id = ANY($1) AND d.kind <> 'order' AND d.at <= $2`
	from, args := known, []any{r.q.Sellers, r.q.AsOf}
	if r.partial {
		keys, dates := tradeDeductions(r.openOthers)
		from = ` FROM unnest($1::text[], $3::text[]::date[]) AS u (key, business_date) JOIN deductions d ON d.key = u.key AND d.business_date = u.business_date WHERE d.at <= $2`
		args = []any{keys, r.q.AsOf, dates}
	}
	return r.tx.Query(r.ctx, `
		SELECT d.key, d.business_date, d.kind, d.subject, d.buyer_id, d.seller_id, coalesce(d.product_id, 0), coalesce(d.item, ''), coalesce(d.used_from, d.at), d.at,
		       d.due, d.currency, (SELECT t.from_at FROM terms_seen t WHERE d.kind = 'renewal' AND t.paid_by = d.key)`+from, args, func(rows pgx.Rows) error {
		d := &paidDeduction{}
		var effective pgtype.Timestamptz
		if err := rows.Scan(&d.key, &d.on, &d.kind, &d.subject, &d.buyer, &d.seller, &d.product, &d.item, &d.usedAt, &d.at, &d.due.Amount, &d.due.Currency, &effective); err != nil {
			return err
		}
		d.effectiveAt = effective.Time
		r.others = append(r.others, d)
		r.paid[d.key] = d
		return nil
	})
}

// read reads the products of what was sold.
func (r *earningsReader) read() error {
	var ids []int64
	want := func(id int64) {
		if _, known := r.goods[id]; !known && id != 0 {
			r.goods[id] = nil
			ids = append(ids, id)
		}
	}
	for _, o := range r.sorted {
		want(o.product)
		for i := range o.lines {
			want(o.lines[i].product)
		}
	}
	for _, d := range r.others {
		want(d.product)
	}
	return r.tx.Query(r.ctx, `
		SELECT id, code, coalesce(product_class, ''), coalesce(access_type, ''), model, coalesce(seller_id, 0), fee_rate, partner_share, floor_discount, tax_rate, operating_fee
		FROM products WHERE id = ANY($1)`, []any{ids}, func(rows pgx.Rows) error {
		var id int64
		g := &goods{}
		if err := rows.Scan(&id, &g.code, &g.class, &g.access, &g.model, &g.seller, &g.fee, &g.partnerShare, &g.floorDiscount, &g.taxRate, &g.operatingFee); err != nil {
			return err
		}
		r.goods[id] = g
		return nil
	})
}

// sources reads who paid the deductions.
func (r *earningsReader) sources() error {
	if len(r.paid) == 0 {
		return nil
	}
	keys, dates := make([]string, 0, len(r.paid)), make([]string, 0, len(r.paid))
	for key, d := range r.paid {
		keys, dates = append(keys, key), append(dates, d.on.String())
	}
	return r.tx.Query(r.ctx, `
		SELECT s.key, s.kind, s.account, s.amount, coalesce(g.code, '')
		FROM unnest($1::text[], $2::text[]::date[]) AS d (key, business_date)
		JOIN deduction_sources_seen s ON s.key = d.key AND s.business_date = d.business_date
		LEFT JOIN instruments i ON s.kind IN ('voucher', 'coupon', 'card') AND i.site = $3 AND i.code = s.instrument AND i.borne_by = 'seller'
		LEFT JOIN sellers g ON g.id = i.seller_id
		ORDER BY s.key, s.no`, []any{keys, dates, r.q.Site}, func(rows pgx.Rows) error {
		var key, bearer string
		var s market.Source
		if err := rows.Scan(&key, &s.Kind, &s.Account, &s.Amount.Amount, &bearer); err != nil {
			return err
		}
		d := r.paid[key]
		if s.Amount.Currency = d.due.Currency; bearer != "" {
			s.Returns = market.SellerVouchers(bearer)
		}
		d.sources = append(d.sources, s)
		return nil
	})
}

// refunds reads what was given back of the orders: by billing, or by the
// marketplace itself.
func (r *earningsReader) refunds() error {
	return r.tx.Query(r.ctx, `
		SELECT b.order_id, coalesce('refund/' || f.site || '/' || f.code, 'refund/' || o.site || '/supervision/' || o.code), b.amount, b.at
		FROM refund_results_seen b JOIN orders o ON o.id = b.order_id LEFT JOIN refunds f ON f.id = b.refund_id
		WHERE b.order_id = ANY($1) AND b.outcome = 'refund' AND b.amount > 0
		UNION ALL
		SELECT f.order_id, 'refund/' || f.site || '/' || f.code, f.amount, f.refunded_at
		FROM refunds f WHERE f.order_id = ANY($1) AND f.refunded_at IS NOT NULL
		ORDER BY 1, 4, 2`, []any{r.orderIDs()}, func(rows pgx.Rows) error {
		var g givenBack
		if err := rows.Scan(&g.order, &g.key, &g.amount, &g.at); err != nil {
			return err
		}
		if g.at.Before(r.q.Cut) {
			r.given = append(r.given, g)
		} else {
			r.orders[g.order].goesOn = true
		}
		return nil
	})
}

// renewalsTakenBack reads what was given back of renewals that had not begun.
func (r *earningsReader) renewalsTakenBack() error {
	var keys []string
	for _, d := range r.others {
		if d.kind == market.DeductedRenewal {
			keys = append(keys, d.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return r.tx.Query(r.ctx, `
		SELECT paid_by, amount, requested_at FROM unsubscription_results_seen
		WHERE paid_by = ANY($1) AND outcome = 'refund' AND amount > 0`, []any{keys}, func(rows pgx.Rows) error {
		var key string
		var amount market.Decimal
		var at time.Time
		if err := rows.Scan(&key, &amount, &at); err != nil {
			return err
		}
		if d := r.paid[key]; at.Before(r.q.Cut) {
			d.givenBack = append(d.givenBack, givenBack{key: "refund/" + key, amount: &amount, at: at})
		} else {
			d.goesOn = true
		}
		return nil
	})
}

func (r *earningsReader) add(seller int64, e market.Earning) {
	if i, mine := r.at[seller]; mine {
		r.books[i].Earnings = append(r.books[i].Earnings, e)
	}
}
