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

// UsageOf reads what the buyers, whose ids must be sorted, used and have not
// been billed for: the records received by asOf that have no result, and all
// that metering needs to know beside them. It is one query a table. The zone is
// the one whose calendar the windows of packages follow.
func (tx *Tx) UsageOf(ctx context.Context, site string, buyers []int64, asOf time.Time, zone *time.Location) ([]market.Usage, error) {
	if len(buyers) == 0 {
		return nil, nil
	}
	r := usageReader{tx: tx, ctx: ctx, site: site, buyers: buyers, asOf: asOf, zone: zone,
		out: make([]market.Usage, len(buyers)), places: make(map[int64]place), words: words{}}
	for i, id := range buyers {
		r.out[i].BuyerID = id
	}
	err := r.read()
	if err != nil {
		return nil, fmt.Errorf("read the use of %d buyers from %d: %w", len(buyers), buyers[0], err)
	}
	return r.out, nil
}

// usageReader reads the use of a chunk of buyers.
type usageReader struct {
	tx     *Tx
	ctx    context.Context
	site   string
	buyers []int64
	asOf   time.Time
	zone   *time.Location
	out    []market.Usage
	places map[int64]place // of instances
	words  words
}

// place is where an instance stands in what is read.
type place struct{ buyer, instance int }

func (r *usageReader) read() error {
	// Each instance has few new records among many old ones.
	return r.tx.lookingUp(r.ctx, func() error {
		for _, read := range []func() error{r.instances, r.freezes, r.records, r.packs, r.windows, r.before} {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
}

// each hands every row of a query to the buyer that its first column names. The
// query is ordered by it, and its first argument is the sorted buyers.
func (r *usageReader) each(query string, args, dest []any, buyer *int64, take func(i int)) error {
	i := 0
	return r.tx.Query(r.ctx, query, append([]any{r.buyers}, args...), func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i < len(r.buyers) && r.buyers[i] < *buyer {
			i++
		}
		if i < len(r.buyers) && r.buyers[i] == *buyer {
			take(i)
		}
		return nil
	})
}

func (r *usageReader) instances() error {
	var in market.Instance
	var access, mode word
	seller, product, model, machine := r.words.scan(), r.words.scan(), r.words.scan(), r.words.scan()
	var closed, delisted, stopped pgtype.Timestamptz
	all := make([]market.Instance, 0, len(r.buyers))
	dest := []any{&in.BuyerID, &in.ID, &in.Code, &in.SellerID, seller, &in.ProductID, product, model, &access, &mode, machine, &in.OpenedAt, &closed, &delisted, &stopped}
	return r.each(`
		SELECT i.buyer_id, i.id, i.code, s.id, s.code, i.product_id, p.code, coalesce(p.model, 'common'), i.access_type, i.charge_mode, coalesce(i.machine, ''), i.opened_at, i.closed_at,
		       p.delisted_at, stop.at
		FROM instances i
		JOIN products p ON p.id = i.product_id
		JOIN sellers s ON s.id = i.seller_id
		LEFT JOIN instance_stops_seen stop ON stop.instance_id = i.id
		WHERE i.buyer_id = ANY($1)
		ORDER BY i.buyer_id, i.id`, nil, dest, &in.BuyerID, func(b int) {
		in.AccessType, in.ChargeMode, in.Seller, in.Product, in.Model, in.Machine = string(access), string(mode), seller.text, product.text, model.text, machine.text
		in.ClosedAt, in.DelistedAt, in.StoppedAt = closed.Time, delisted.Time, stopped.Time
		u := &r.out[b]
		u.Instances = grown(&all, u.Instances, in)
		r.places[in.ID] = place{b, len(u.Instances) - 1}
	})
}

func (r *usageReader) freezes() error {
	var buyer, instance int64
	var span market.Span
	var thawed pgtype.Timestamptz
	return r.each(`
		SELECT i.buyer_id, i.id, f.frozen_at, f.thawed_at
		FROM instances i JOIN freezes f ON f.instance_id = i.id
		WHERE i.buyer_id = ANY($1)
		ORDER BY i.buyer_id, i.id, f.frozen_at`, nil, []any{&buyer, &instance, &span.From, &thawed}, &buyer, func(b int) {
		span.To = thawed.Time
		in := &r.out[b].Instances[r.places[instance].instance]
		in.Frozen = append(in.Frozen, span)
	})
}

// recordColumns are what a record is read from.
const recordColumns = `u.id, u.received_at, u.upload, u.metering_sn, u.seller, u.instance, u.item, u.record_time, u.begin_time, u.end_time, u.usage_value,
	u.relate_pkg_instance, u.forwarded, u.id_seen`

// recordInto scans recordColumns. Texts that come again are kept once.
func recordInto(w words, u *market.UsageRecord) (dest []any, settle func()) {
	texts := []*string{&u.Upload, &u.Seller, &u.Instance, &u.Item, &u.RecordTime, &u.BeginTime, &u.EndTime, &u.Value, &u.Package, &u.Forwarded}
	scans := make([]*known, len(texts))
	for i := range scans {
		scans[i] = w.scan()
	}
	dest = []any{&u.ID, &u.ReceivedAt, scans[0], &u.SN, scans[1], scans[2], scans[3], scans[4], scans[5], scans[6], scans[7], scans[8], scans[9], &u.Seen}
	return dest, func() {
		for i, s := range scans {
			*texts[i] = s.text
		}
	}
}

func (r *usageReader) records() error {
	var buyer int64
	var u market.UsageRecord
	dest, settle := recordInto(r.words, &u)
	all := make([]market.UsageRecord, 0, len(r.buyers))
	return r.each(`
		WITH marks AS MATERIALIZED (
			SELECT buyer_id, max(received) AS received
			FROM usage_marks_seen WHERE site = $2 AND buyer_id = ANY($1) GROUP BY buyer_id)
		SELECT i.buyer_id, `+recordColumns+`
		FROM instances i
		LEFT JOIN marks m ON m.buyer_id = i.buyer_id
		JOIN usage_records u ON u.instance = i.code AND u.site = i.site AND u.received_at > coalesce(m.received, '-infinity') AND u.received_at <= $3
		WHERE i.buyer_id = ANY($1) AND i.site = $2
		  AND NOT EXISTS (SELECT FROM usage_results_seen res WHERE res.record_id = u.id)
		ORDER BY i.buyer_id, u.received_at, u.id`, []any{r.site, r.asOf}, append([]any{&buyer}, dest...), &buyer, func(b int) {
		settle()
		r.out[b].Records = grown(&all, r.out[b].Records, u)
	})
}

func (r *usageReader) packs() error {
	var p market.Pack
	var items string
	var reset word
	var amount market.Decimal
	var currency word
	dest := []any{&p.BuyerID, &p.ID, &p.Code, &p.InstanceID, &p.ProductID, &items, &p.Quota, &p.ValidFrom, &p.ValidUntil, &p.PurchasedAt, &reset,
		&p.StopWhenUsedUp, &p.Watched, &p.Threshold, &p.Rebuy, &amount, &currency}
	const columns = `p.buyer_id, p.id, p.code, coalesce(p.instance_id, 0), coalesce(p.product_id, 0), coalesce(p.items, ''), p.quota, p.valid_from, p.valid_until, p.purchased_at,
		p.reset, p.stop_when_used_up, p.threshold IS NOT NULL, coalesce(p.threshold, 0), p.threshold IS NOT NULL AND p.authorised, coalesce(p.price, 0), coalesce(p.currency, '')`
	const alive = ` ON p.buyer_id = q.buyer_id AND CASE WHEN p.stop_when_used_up THEN 'infinity' ELSE p.valid_until END > q.since `
	since, named := r.packsSince()
	return r.each(`
		WITH q AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $4::timestamptz[]) AS q (buyer_id, since)),
			bought AS NOT MATERIALIZED ( -- what is bought again goes by the authorisation of the first
				SELECT b.*, coalesce((SELECT f.authorised AND f.threshold IS NOT NULL FROM packs f WHERE f.site = b.site AND f.code = split_part(b.code, '@', 1)), true) AS authorised
				FROM packs_bought_seen b)
		SELECT `+columns+` FROM q JOIN packs p `+alive+` WHERE p.site = $2 AND p.purchased_at <= $3
		UNION
		SELECT `+columns+` FROM q JOIN bought p `+alive+` WHERE p.site = $2
		UNION
		SELECT `+columns+` FROM packs p WHERE p.site = $2 AND p.code = ANY($5) AND p.buyer_id = ANY($1) AND p.purchased_at <= $3
		UNION
		SELECT `+columns+` FROM bought p WHERE p.site = $2 AND p.code = ANY($5) AND p.buyer_id = ANY($1)
		ORDER BY buyer_id, id`, []any{r.site, r.asOf, since, named}, dest, &p.BuyerID, func(b int) {
		p.Items, p.Reset, p.Price = strings.Fields(items), market.Reset(reset), market.NewMoney(amount, market.Currency(currency))
		r.out[b].Packs = append(r.out[b].Packs, &market.PackUse{Pack: p})
	})
}

// packsSince is from when on each buyer's packages may pay for something, and
// those that records name, however long they are over.
func (r *usageReader) packsSince() (since []pgtype.Timestamptz, named []string) {
	since = make([]pgtype.Timestamptz, len(r.buyers))
	for i := range r.out {
		since[i] = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
		for k := range r.out[i].Records {
			record := &r.out[i].Records[k]
			if record.Package != "" {
				named = append(named, record.Package)
			}
			begin, ok := market.ParseUsageTime(record.BeginTime)
			if ok && (since[i].InfinityModifier != pgtype.Finite || begin.Before(since[i].Time)) {
				since[i] = pgtype.Timestamptz{Time: begin, Valid: true}
			}
		}
	}
	slices.Sort(named)
	return since, slices.Compact(named)
}

// windows reads what was drawn of the packages' windows that records fall in.
func (r *usageReader) windows() error {
	var packs []int64
	var froms []time.Time
	owners := map[int64]*market.PackUse{}
	for i := range r.out {
		for _, p := range r.out[i].Packs {
			owners[p.ID] = p
			for _, w := range p.WindowsOf(r.out[i].Records, r.zone) {
				packs, froms = append(packs, p.ID), append(froms, w.From)
			}
		}
	}
	if len(packs) == 0 {
		return nil
	}
	var pack int64
	var w market.PackWindow
	err := r.tx.Query(r.ctx, `
		SELECT q.pack_id, d.window_from, d.window_to, d.used_after
		FROM unnest($1::bigint[], $2::timestamptz[]) AS q (pack_id, window_from)
		CROSS JOIN LATERAL (
			SELECT * FROM draws_seen d WHERE d.pack_id = q.pack_id AND d.window_from = q.window_from
			ORDER BY d.used_before DESC LIMIT 1) d`, []any{packs, froms}, func(rows pgx.Rows) error {
		if err := rows.Scan(&pack, &w.From, &w.To, &w.Used); err != nil {
			return err
		}
		owners[pack].Windows = append(owners[pack].Windows, w)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what packages gave: %w", err)
	}
	return nil
}

// before reads what was rated of the instances since their first new use, and
// what had added up.
func (r *usageReader) before() error {
	instances, since := r.firstUse()
	if len(instances) == 0 {
		return nil
	}
	var id int64
	var e market.Earlier
	var measure word
	err := r.tx.Query(r.ctx, `
		SELECT r.instance_id, r.item, r.measure, r.cycle_from, r.used_at, r.used_until
		FROM unnest($1::bigint[], $2::timestamptz[]) AS q (instance_id, since)
		JOIN rated_seen r ON r.instance_id = q.instance_id AND r.used_at >= q.since`, []any{instances, since}, func(rows pgx.Rows) error {
		if err := rows.Scan(&e.InstanceID, &e.Item, &measure, &e.CycleFrom, &e.UsedAt, &e.UsedUntil); err != nil {
			return err
		}
		e.Measure = market.Measure(measure)
		u := &r.out[r.places[e.InstanceID].buyer]
		u.Earlier = append(u.Earlier, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what was rated before: %w", err)
	}
	var a market.Accumulated
	err = r.tx.Query(r.ctx, `
		SELECT a.instance_id, a.item, a.from_at, a.until_at, max(a.quantity)
		FROM unnest($1::bigint[], $2::timestamptz[]) AS q (instance_id, since)
		JOIN accumulations_seen a ON a.instance_id = q.instance_id AND a.until_at > q.since
		GROUP BY a.instance_id, a.item, a.from_at, a.until_at`, []any{instances, since}, func(rows pgx.Rows) error {
		if err := rows.Scan(&id, &a.Item, &a.From, &a.To, &a.Quantity); err != nil {
			return err
		}
		a.InstanceID = id
		u := &r.out[r.places[id].buyer]
		u.Accumulated = append(u.Accumulated, a)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what had added up: %w", err)
	}
	return nil
}

// firstUse is when the first new use of each instance began, less the hour that
// it may share with use before it. Instances on one machine share theirs.
func (r *usageReader) firstUse() (instances []int64, since []time.Time) {
	for i := range r.out {
		u := &r.out[i]
		first := map[string]time.Time{}
		var ever time.Time
		for k := range u.Records {
			begin, ok := market.ParseUsageTime(u.Records[k].BeginTime)
			if !ok {
				continue
			}
			begin = begin.Add(-time.Hour)
			if at, ok := first[u.Records[k].Instance]; !ok || begin.Before(at) {
				first[u.Records[k].Instance] = begin
			}
			if ever.IsZero() || begin.Before(ever) {
				ever = begin
			}
		}
		for k := range u.Instances {
			at, used := first[u.Instances[k].Code]
			if u.Instances[k].Machine != "" && !ever.IsZero() {
				at, used = ever, true
			}
			if used {
				instances, since = append(instances, u.Instances[k].ID), append(since, at)
			}
		}
	}
	return instances, since
}

// StrayUsage are the next records received by asOf whose instance nobody has, in
// the order of receipt, behind the record after: no more than limit.
func (tx *Tx) StrayUsage(ctx context.Context, site string, asOf time.Time, after market.UsageRecord, limit int) ([]market.UsageRecord, error) {
	var u market.UsageRecord
	var records []market.UsageRecord
	dest, settle := recordInto(words{}, &u)
	err := tx.Query(ctx, `
		SELECT `+recordColumns+`
		FROM usage_records u
		WHERE u.site = $1 AND u.received_at <= $2 AND (u.received_at, u.id) > ($3, $4)
		  AND u.received_at > coalesce((SELECT max(received) FROM usage_marks_seen WHERE site = $1 AND buyer_id = 0), '-infinity')
		  AND NOT EXISTS (SELECT FROM instances i WHERE i.site = u.site AND i.code = u.instance)
		  AND NOT EXISTS (SELECT FROM usage_results_seen res WHERE res.record_id = u.id)
		ORDER BY u.received_at, u.id
		LIMIT $5`, []any{site, asOf, after.ReceivedAt, after.ID, limit}, func(rows pgx.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		settle()
		records = append(records, u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the use of unknown instances: %w", err)
	}
	return records, nil
}
