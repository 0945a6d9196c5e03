package storage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// countsWord is how a statement says what is kept of it for the tiers.
func countsWord(s *market.Statement) string {
	if s.CountedWhole {
		return "all"
	}
	return "more"
}

// keepCounted appends what tiers will count of what is settled.
func (tx *Tx) keepCounted(ctx context.Context, statements []market.Statement) error {
	type count struct {
		of *market.Statement
		in market.CountedMonth
	}
	var all []count
	for i := range statements {
		s := &statements[i]
		for _, in := range slices.SortedFunc(maps.Keys(s.Counted), func(a, b market.CountedMonth) int {
			return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Product, b.Product), cmp.Compare(a.ProductClass, b.ProductClass))
		}) {
			all = append(all, count{s, in})
		}
	}
	columns := []string{"site", "seller_id", "period", "version", "product", "product_class", "month", "amount"}
	return tx.CopyRows(ctx, "counted_months", columns, len(all), func(i int, row *Row) error {
		c := &all[i]
		return row.Put(c.of.Site, c.of.SellerID, int32(c.of.Period.Number()), int32(c.of.Version), c.in.Product, c.in.ProductClass, int32(c.in.Month), c.of.Counted[c.in])
	})
}

// openTrade is an order or a deduction that is not settled whole, of a seller.
type openTrade struct {
	seller int64
	market.OpenTrade
}

func tradeOrders(open []openTrade) []int64 {
	ids := make([]int64, len(open))
	for i := range open {
		ids[i] = open[i].OrderID
	}
	return ids
}

func tradeDeductions(open []openTrade) (keys, dates []string) {
	for i := range open {
		keys, dates = append(keys, open[i].Deduction), append(dates, open[i].On.String())
	}
	return keys, dates
}

// open reads what of the sellers' trade is not settled whole.
func (r *earningsReader) open() error {
	if r.q.Again {
		return nil
	}
	var t openTrade
	err := r.tx.Query(r.ctx, `SELECT seller_id, order_id, mark FROM unsettled_orders WHERE seller_id = ANY($1)`, []any{r.q.Sellers}, func(rows pgx.Rows) error {
		err := rows.Scan(&t.seller, &t.OrderID, &t.Mark)
		r.openOrders = append(r.openOrders, t)
		return err
	})
	if err != nil {
		return err
	}
	t = openTrade{}
	return r.tx.Query(r.ctx, `SELECT seller_id, key, business_date, mark FROM unsettled_deductions WHERE seller_id = ANY($1)`, []any{r.q.Sellers}, func(rows pgx.Rows) error {
		err := rows.Scan(&t.seller, &t.Deduction, &t.On, &t.Mark)
		r.openOthers = append(r.openOthers, t)
		return err
	})
}

// OpenTradeWithin is how many of some sellers, from the first on, have no more orders
// and deductions together that are not settled whole; at least one.
func (tx *Tx) OpenTradeWithin(ctx context.Context, sellers []int64, most int64) (fit int, err error) {
	open := map[int64]int64{}
	err = tx.Query(ctx, `
		SELECT seller_id, count(*) FROM (
			SELECT seller_id FROM unsettled_orders WHERE seller_id = ANY($1)
			UNION ALL SELECT seller_id FROM unsettled_deductions WHERE seller_id = ANY($1)) u
		GROUP BY 1`, []any{sellers}, func(rows pgx.Rows) error {
		var seller, n int64
		err := rows.Scan(&seller, &n)
		open[seller] = n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count what is open of %d sellers: %w", len(sellers), err)
	}
	for fit = range sellers {
		if most -= open[sellers[fit]]; most < 0 && fit > 0 {
			return fit, nil
		}
	}
	return len(sellers), nil
}

// stillOpen says of the open trade what of it is not settled, whoever earns it.
func (r *earningsReader) stillOpen() error {
	for _, t := range r.openOrders {
		o := r.orders[t.OrderID]
		if o == nil && !r.dead[t.OrderID] || o != nil && o.goesOn {
			continue // a later month has to do with it
		}
		if o != nil && !r.dead[t.OrderID] {
			t.Unsettled = r.unsettled(o.keys)
		}
		r.keepOpen(t)
	}
	for _, t := range r.openOthers {
		if d := r.paid[t.Deduction]; d != nil && !d.goesOn {
			t.Unsettled = r.unsettled(d.keys)
			r.keepOpen(t)
		}
	}
	return nil
}

func (r *earningsReader) keepOpen(t openTrade) {
	book := &r.books[r.at[t.seller]]
	book.Open = append(book.Open, t.OpenTrade)
}

func (r *earningsReader) unsettled(keys []string) (open []string) {
	for _, key := range keys {
		if !r.done[market.SettledKey(key)] {
			open = append(open, key)
		}
	}
	return open
}

// SettledTrade is trade of a seller that is settled whole.
type SettledTrade struct {
	SellerID int64
	market.OpenTrade
}

// SettleOff takes trade out of what is open. What was noted of it since it was
// read leaves it open.
func (tx *Tx) SettleOff(ctx context.Context, trade []SettledTrade) error {
	var sellers, orders, marks, deducted, deductedMarks []int64
	var keys, dates []string
	for i := range trade {
		if t := &trade[i]; t.OrderID != 0 {
			sellers, orders, marks = append(sellers, t.SellerID), append(orders, t.OrderID), append(marks, t.Mark)
		} else {
			deducted, keys, dates, deductedMarks = append(deducted, t.SellerID), append(keys, t.Deduction), append(dates, t.On.String()), append(deductedMarks, t.Mark)
		}
	}
	if len(orders) > 0 {
		if _, err := tx.Exec(ctx, `
			DELETE FROM unsettled_orders u USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS d (seller_id, order_id, mark)
			WHERE u.seller_id = d.seller_id AND u.order_id = d.order_id AND u.mark = d.mark`, sellers, orders, marks); err != nil {
			return fmt.Errorf("take settled orders out of what is open: %w", err)
		}
	}
	if len(keys) > 0 {
		if _, err := tx.Exec(ctx, `
			DELETE FROM unsettled_deductions u USING unnest($1::bigint[], $2::text[], $3::text[]::date[], $4::bigint[]) AS d (seller_id, key, business_date, mark)
			WHERE u.seller_id = d.seller_id AND u.key = d.key AND u.business_date = d.business_date AND u.mark = d.mark`, deducted, keys, dates, deductedMarks); err != nil {
			return fmt.Errorf("take settled deductions out of what is open: %w", err)
		}
	}
	return nil
}

// counted finds what tiers count of what the sellers settled before, and with it
// whether their open trade is enough. It is not where something was settled that
// nobody counted, or for the period or a later one already.
func (r *earningsReader) counted() error {
	if r.q.Again {
		return nil
	}
	var unknown bool
	err := r.tx.Query(r.ctx, `
		WITH newest AS (SELECT DISTINCT ON (seller_id, period) seller_id, period, counts FROM statements WHERE seller_id = ANY($1) ORDER BY seller_id, period, version DESC)
		SELECT coalesce(bool_or(uncounted > coalesce(base, 0) OR late), false)
		FROM (SELECT max(period) FILTER (WHERE counts = 'all') AS base, max(period) FILTER (WHERE counts IS NULL) AS uncounted, bool_or(period >= $2) AS late FROM newest GROUP BY seller_id) s`,
		[]any{r.q.Sellers, r.q.Period.Number()}, func(rows pgx.Rows) error { return rows.Scan(&unknown) })
	if err != nil || unknown {
		return err
	}
	for i := range r.books {
		r.books[i].Partial, r.books[i].Counted = true, map[market.CountedMonth]market.Decimal{}
	}
	r.partial = true
	return r.tx.Query(r.ctx, `
		WITH newest AS (SELECT DISTINCT ON (seller_id, period) seller_id, period, version, counts FROM statements WHERE seller_id = ANY($1) ORDER BY seller_id, period, version DESC),
		     base AS (SELECT seller_id, max(period) AS period FROM newest WHERE counts = 'all' GROUP BY 1)
		SELECT c.seller_id, c.product, c.product_class, c.month, sum(c.amount)
		FROM newest n LEFT JOIN base b ON b.seller_id = n.seller_id
		JOIN counted_months c ON c.seller_id = n.seller_id AND c.period = n.period AND c.version = n.version
		WHERE n.period >= coalesce(b.period, 0)
		GROUP BY 1, 2, 3, 4`, []any{r.q.Sellers}, func(rows pgx.Rows) error {
		var seller int64
		var in market.CountedMonth
		var amount market.Decimal
		if err := rows.Scan(&seller, &in.Product, &in.ProductClass, &in.Month, &amount); err != nil {
			return err
		}
		r.books[r.at[seller]].Counted[in] = amount
		return nil
	})
}
