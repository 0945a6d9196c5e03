package storage_test

import (
	"context"
	"testing"
	"time"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// pastNights gives a buyer so many nights that are over: each with money, a
// voucher and a package that have run out, a charge, an order that was paid and
// given back, and use. What happened in them is booked.
const pastNights = `
	WITH nights AS (SELECT n, timestamptz '2026-03-31 12:00+08' - n * interval '1 day' AS at, b.id AS buyer, b.code || '-' || n AS code FROM buyers b, generate_series(1, ?1) n WHERE b.code = ?0),
	m AS (INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT 'cn', 'M-' || code, buyer, 'top_up', 5, 'CNY', at FROM nights),
	i AS (INSERT INTO instruments (site, code, buyer_id, kind, amount, currency, granted_at, valid_until) SELECT 'cn', 'V-' || code, buyer, 'voucher', 5, 'CNY', at - interval '400 days', at - interval '370 days' FROM nights),
	p AS (INSERT INTO packs (site, code, buyer_id, quota, valid_from, valid_until, purchased_at) SELECT 'cn', 'P-' || code, buyer, 5, at, at + interval '1 day', at FROM nights),
	c AS (INSERT INTO charges (site, code, buyer_id, seller_id, amount, currency, at) SELECT 'cn', 'C-' || code, buyer, (SELECT min(id) FROM sellers), 5, 'CNY', at FROM nights),
	o AS (INSERT INTO orders (site, code, buyer_id, access_type, placed_at, amount, currency, auto_pay) SELECT 'cn', 'A-' || code, buyer, 'saas', at, 5, 'CNY', true FROM nights RETURNING id, site, code, buyer_id, placed_at),
	r AS (INSERT INTO refunds (site, code, order_id, request, requested_at) SELECT 'cn', 'R-' || code, id, 'granted', placed_at FROM o RETURNING id, order_id),
	z AS (INSERT INTO refund_results SELECT r.id, o.id, o.buyer_id, 'granted', 'refund', '', '', 5, 'CNY', placed_at, placed_at, '{}', NULL, '2026-03-31' FROM r JOIN o ON o.id = order_id),
	e AS (INSERT INTO order_ends SELECT id, 'paid', placed_at, NULL, '2026-03-31' FROM o),
	u AS (INSERT INTO usage_records (site, received_at, metering_sn, instance, begin_time, end_time, usage_value) SELECT 'cn', at, code, split_part(code, '-', 1), '20260301T000000Z', '20260301T000000Z', '1' FROM nights RETURNING id, site, received_at, instance),
	x AS (INSERT INTO usage_results SELECT u.id, u.site, i.buyer_id, 'accept', NULL, '', false, received_at, NULL, '2026-03-31' FROM u JOIN instances i ON i.code = u.instance),
	k AS (INSERT INTO usage_marks SELECT 'cn', buyer, max(at) FROM nights GROUP BY buyer ON CONFLICT DO NOTHING)
	INSERT INTO event_keys (key, business_date) SELECT kind || '/cn/' || letter || '-' || code, '2026-03-31' FROM nights, (VALUES ('money', 'M'), ('issue', 'V'), ('charge', 'C')) AS k (kind, letter)`

// A night reads what is open of a buyer: as many rows for one with a thousand
// nights behind him as for one with one, each of whom has the same to settle.
func TestANightReadsWhatIsOpenOfABuyerAndNotHisHistory(t *testing.T) {
	s := storagetest.New(t)
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := s.DB().ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`INSERT INTO sellers (site, code) VALUES ('cn', 'acme')`)
	do(`INSERT INTO products (site, code, seller_id) SELECT 'cn', 'crm', id FROM sellers`)
	do(`INSERT INTO buyers (site, code) VALUES ('cn', 'old'), ('cn', 'young')`)
	do(`INSERT INTO instances (site, code, buyer_id, seller_id, product_id, access_type, charge_mode, opened_at)
		SELECT 'cn', b.code, b.id, s.id, p.id, 'api', 'ON_DEMAND', '2020-01-01' FROM buyers b, sellers s, products p`)
	do(pastNights, "young", 1)
	do(pastNights, "old", 1000)
	storagetest.AsOwner(t, s, `DELETE FROM unbooked`) // as the nights left it
	do(`INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT 'cn', 'late-' || code, id, 'top_up', 7, 'CNY', timestamptz '2026-03-30' FROM buyers`)
	do(`INSERT INTO orders (site, code, buyer_id, access_type, placed_at, amount, currency, auto_pay) SELECT 'cn', 'open-' || code, id, 'saas', '2026-03-31 10:00+08', 5, 'CNY', true FROM buyers`)
	do(`INSERT INTO packs (site, code, buyer_id, quota, valid_from, valid_until, purchased_at) SELECT 'cn', 'now-' || code, id, 5, '2026-03-01', '2026-05-01', '2026-03-01' FROM buyers`)
	do(`INSERT INTO usage_records (site, received_at, metering_sn, instance, begin_time, end_time, usage_value) SELECT 'cn', '2026-03-31 20:00+08', 'new-' || code, code, '20260331T100000Z', '20260331T110000Z', '1' FROM buyers`)
	storagetest.AsOwner(t, s, `ANALYZE`)
	old, young := one[int64](t, s, `SELECT id FROM buyers WHERE code = 'old'`), one[int64](t, s, `SELECT id FROM buyers WHERE code = 'young'`)
	if of, a := readAtNight(t, s, old), readAtNight(t, s, young); of > a || of == 0 {
		t.Errorf("a night reads %d rows of who has a thousand nights behind him, and %d of who has one", of, a)
	}
}

// readAtNight is how many rows of facts and history a night of a buyer reads.
func readAtNight(t *testing.T, s *storage.Store, buyer int64) (rows int64) {
	t.Helper()
	asOf := time.Date(2026, 3, 31, 20, 0, 0, 0, time.UTC)
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		ids := []int64{buyer}
		before, err := touched(ctx, tx)
		if err != nil {
			return err
		}
		usage, err := tx.UsageOf(ctx, "cn", ids, asOf, time.UTC)
		if err != nil {
			return err
		}
		payers, err := tx.Payers(ctx, ids, []time.Time{usage[0].Since(asOf)}, map[int64]bool{buyer: true})
		if err != nil {
			return err
		}
		money, err := tx.MoneyOf(ctx, ids, asOf)
		if err != nil {
			return err
		}
		refunds, err := tx.RefundsOf(ctx, ids, asOf, time.UTC)
		if err != nil {
			return err
		}
		if _, err = tx.FactsAfter(ctx, "cn", ids, asOf); err != nil {
			return err
		}
		p := payers[0]
		if len(usage[0].Records) != 1 || len(usage[0].Packs) != 1 || len(p.Orders) != 1 || len(p.Charges)+len(refunds) != 0 || len(money[buyer]) != 1 {
			t.Errorf("of buyer %d there is %+v, %+v, %v, %v to settle", buyer, usage[0], p, money, refunds)
		}
		after, err := touched(ctx, tx)
		rows = after - before
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// touched is how many rows of tables the session has read so far.
func touched(ctx context.Context, tx *storage.Tx) (int64, error) {
	var rows int64
	err := tx.NewRaw(`SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables`).Scan(ctx, &rows)
	return rows, err
}
