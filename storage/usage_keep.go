package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// PricesOf reads the prices of products by billing item, each the earliest
// first. They change rarely and are read once a run.
func (tx *Tx) PricesOf(ctx context.Context, site string, each func(market.Price)) error {
	var p market.Price
	var model, cycle, measure, accumulation, currency word
	var per, brackets string
	err := tx.Query(ctx, `
		SELECT p.id, p.code, r.item, r.from_at, r.model, r.cycle, r.measure, r.per, r.accumulation, r.brackets, r.currency
		FROM prices r JOIN products p ON p.id = r.product_id
		WHERE p.site = $1
		ORDER BY p.id, r.item, r.from_at`, []any{site}, func(rows pgx.Rows) error {
		err := rows.Scan(&p.ProductID, &p.Product, &p.Item, &p.From, &model, &cycle, &measure, &per, &accumulation, &brackets, &currency)
		if err != nil {
			return err
		}
		if p.Brackets, err = market.ParseBrackets(brackets); err != nil {
			return fmt.Errorf("product %s, item %s: %w", p.Product, p.Item, err)
		}
		p.Model, p.Cycle, p.Measure = market.PriceModel(model), market.Cycle(cycle), market.Measure(measure)
		p.Accumulation, p.Currency, p.Per = market.Cycle(accumulation), market.Currency(currency), int32(len(per)-1)
		each(p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the prices of %s: %w", site, err)
	}
	return nil
}

// KeepUsage appends what became of records, and what it came to. A record that
// has a result is a violation of its key: nothing is kept. So is a draw that
// does not go on where the last one of its window ended.
func (tx *Tx) KeepUsage(ctx context.Context, k Keeping, u market.MeteredUse) error {
	bought, err := tx.keepBought(ctx, k, u.Bought)
	if err != nil {
		return err
	}
	err = tx.CopyRows(ctx, "usage_results", []string{"record_id", "site", "buyer_id", "outcome", "code", "rule", "late", "due_at", "run_id", "business_date"},
		len(u.Results), func(i int, row *Row) error {
			r := &u.Results[i]
			return row.Put(r.RecordID, k.Site, idOrNull(r.BuyerID), r.Outcome, textOrNull(r.Code), r.Rule, r.Late, r.DueAt, k.run(), k.On)
		})
	if err != nil {
		return err
	}
	if err := tx.keepRated(ctx, k, u.Rated); err != nil {
		return err
	}
	err = tx.CopyRows(ctx, "draws", []string{"pack_id", "window_from", "window_to", "used_before", "used_after", "quota", "record_id", "run_id", "business_date"},
		len(u.Drawn), func(i int, row *Row) error {
			d := &u.Drawn[i]
			after, pack := d.Quota.Sub(d.Left), d.PackID
			if pack == 0 {
				pack = bought[d.Pack]
			}
			return row.Put(pack, d.Window.From, d.Window.To, after.Sub(d.Quantity), after, d.Quota, d.RecordID, k.run(), k.On)
		})
	if err != nil {
		return err
	}
	err = tx.CopyRows(ctx, "instance_stops", []string{"instance_id", "pack", "record_id", "at", "run_id", "business_date"}, len(u.Stops), func(i int, row *Row) error {
		s := &u.Stops[i]
		return row.Put(s.InstanceID, s.Pack, s.RecordID, s.At, k.run(), k.On)
	})
	if err != nil {
		return err
	}
	if err := tx.keepAccumulated(ctx, u.Rated); err != nil {
		return err
	}
	return tx.keepMarks(ctx, k.Site, u.Marks)
}

func (tx *Tx) keepRated(ctx context.Context, k Keeping, rated []market.Rated) error {
	columns := []string{"record_id", "buyer_id", "instance_id", "item", "measure", "cycle", "cycle_from", "cycle_to", "used_at", "used_until", "due_at",
		"quantity", "drawn", "excess", "unbilled", "accumulated_from", "accumulated", "price_from", "amount", "currency", "run_id", "business_date"}
	return tx.CopyRows(ctx, "rated", columns, len(rated), func(i int, row *Row) error {
		r := &rated[i]
		var accumulated any
		if !r.AccumulatedFrom.IsZero() {
			accumulated = r.Accumulated
		}
		return row.Put(r.RecordID, r.BuyerID, r.InstanceID, r.Item, string(r.Measure), string(r.Cycle), r.CycleFrom, r.CycleTo, r.UsedAt, r.UsedUntil, r.DueAt,
			r.Quantity, r.Drawn, r.Excess, r.Unbilled, orNull(r.AccumulatedFrom), accumulated, orNull(r.PriceFrom), exactly{r.Amount.Amount},
			textOrNull(string(r.Amount.Currency)), k.run(), k.On)
	})
}

// keepBought appends packages that were bought again, and answers their ids.
func (tx *Tx) keepBought(ctx context.Context, k Keeping, packs []market.Pack) (map[string]int64, error) {
	ids := map[string]int64{}
	for i := range packs {
		p := &packs[i]
		var id int64
		var threshold any
		if p.Watched {
			threshold = p.Threshold
		}
		_, err := tx.one(ctx, `
			INSERT INTO packs_bought (site, code, buyer_id, instance_id, product_id, items, quota, valid_from, valid_until, purchased_at, reset,
				stop_when_used_up, threshold, price, currency, run_id, business_date)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			RETURNING id`,
			[]any{k.Site, p.Code, p.BuyerID, idOrNull(p.InstanceID), idOrNull(p.ProductID), textOrNull(strings.Join(p.Items, " ")), p.Quota, p.ValidFrom, p.ValidUntil,
				p.PurchasedAt, string(p.Reset), p.StopWhenUsedUp, threshold, p.Price.Amount, string(p.Price.Currency), k.run(), k.On}, &id)
		if err != nil {
			return nil, fmt.Errorf("keep package %s: %w", p.Code, err)
		}
		ids[p.Code] = id
	}
	return ids, nil
}

// keepAccumulated notes what has added up in each accumulation period.
func (tx *Tx) keepAccumulated(ctx context.Context, rated []market.Rated) error {
	type period struct {
		instance int64
		item     string
		until    time.Time
	}
	last := map[period]int{}
	for i := range rated {
		if r := &rated[i]; !r.AccumulatedFrom.IsZero() {
			last[period{r.InstanceID, r.Item, r.AccumulatedTo}] = i
		}
	}
	if len(last) == 0 {
		return nil
	}
	var instances []int64
	var items []string
	var from, until []time.Time
	var quantities []market.Decimal
	for _, i := range last {
		r := &rated[i]
		instances, items, quantities = append(instances, r.InstanceID), append(items, r.Item), append(quantities, r.Accumulated)
		from, until = append(from, r.AccumulatedFrom), append(until, r.AccumulatedTo)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO accumulations AS a (instance_id, item, from_at, until_at, quantity)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::numeric[])
		ORDER BY 1, 4, 2
		ON CONFLICT (instance_id, until_at, item) DO UPDATE SET quantity = excluded.quantity`, instances, items, from, until, quantities)
	if err != nil {
		return fmt.Errorf("keep what added up of %d instances: %w", len(instances), err)
	}
	return nil
}

// keepMarks notes how far the use of buyers has come.
func (tx *Tx) keepMarks(ctx context.Context, site string, marks []market.UsageMark) error {
	if len(marks) == 0 {
		return nil
	}
	buyers, received := make([]int64, len(marks)), make([]time.Time, len(marks))
	for i, m := range marks {
		buyers[i], received[i] = m.BuyerID, m.Received
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO usage_marks AS m (site, buyer_id, received)
		SELECT $1, b, r FROM unnest($2::bigint[], $3::timestamptz[]) AS new (b, r)
		ORDER BY b
		ON CONFLICT (site, buyer_id) DO UPDATE SET received = greatest(m.received, excluded.received)`, site, buyers, received)
	if err != nil {
		return fmt.Errorf("keep how far the use of %d buyers has come: %w", len(marks), err)
	}
	return nil
}
