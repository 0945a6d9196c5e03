package jobs_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// subscribers writes buyers with two subscriptions each, whose terms end on many
// days, ends of months and 29 February among them.
func subscribers(t testing.TB, s *storage.Store, buyers int) {
	t.Helper()
	exec(t, s, `INSERT INTO sellers (site, code) VALUES ('cn', 'acme')`)
	exec(t, s, `INSERT INTO products (site, code, seller_id) SELECT 'cn', 'pro', id FROM sellers`)
	exec(t, s, `INSERT INTO buyers (site, code) SELECT 'cn', 'B-' || i FROM generate_series(1, ?) i`, buyers)
	exec(t, s, `INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT 'cn', 'T-' || id, id, 'top_up', CASE WHEN id % 5 = 0 THEN 25 ELSE 100000 END, 'CNY', '2023-12-01' FROM buyers`)
	exec(t, s, `
		INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, charge_day, price, currency)
		SELECT 'cn', 'S-' || b.id || '-' || k, b.id, p.id, 'saas', 1 + b.id % 3, 'month', (d + time '10:00') AT TIME ZONE 'Asia/Shanghai',
		       (least(date_trunc('month', d) + make_interval(months => (1 + b.id % 3)::int) + make_interval(days => extract(day FROM d)::int - 1),
		              date_trunc('month', d) + make_interval(months => (2 + b.id % 3)::int) - interval '1 day') + time '23:59:59') AT TIME ZONE 'Asia/Shanghai',
		       'auto', CASE WHEN k = 2 THEN 2 + b.id % 6 END, 10, 'CNY'
		FROM buyers b CROSS JOIN products p CROSS JOIN generate_series(1, 2) k
		CROSS JOIN LATERAL (SELECT timestamp '2023-12-01' + make_interval(days => (b.id * 7 + k * 13)::int % 62) AS d) d`)
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'renewal', 'cn', id, '-infinity' FROM buyers`)
}

// Where renewal was not run for some nights, the next one makes one attempt, and
// the dates between are on record; also where two schedules wake at once.
func TestMissedNightsOfRenewalAreCaughtUpOnce(t *testing.T) {
	s := storagetest.New(t)
	subscribers(t, s, 5)
	e := engine(t, s)
	mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: date(t, "2024-03-01")})
	for _, day := range []int{6, 9, 12} {
		now := time.Date(2024, 3, day, 4, 0, 0, 0, shanghai(t))
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := e.CatchUp(t.Context(), "renewal", "cn", now, func(market.Run) {}); err != nil && !errors.Is(err, jobs.ErrAlive) {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	if n := count(t, s, `SELECT count(*) FROM runs WHERE business_date IN ('2024-03-01', '2024-03-06', '2024-03-09', '2024-03-12')`); n != 4 || count(t, s, `SELECT count(*) FROM runs`) != 4 {
		t.Errorf("ran %v", nights(t, s))
	}
	if n := count(t, s, `SELECT count(*) FROM skipped_nights WHERE job = 'renewal' AND caught_up_by = '2024-03-06' AND business_date BETWEEN '2024-03-02' AND '2024-03-05'`); n != 4 {
		t.Errorf("%d nights are on record as skipped, not 4", n)
	}
}

// What is gone cannot be renewed any more: a person has to give the money back.
func TestARenewalByHandAfterTheReleaseIsParked(t *testing.T) {
	s := storagetest.New(t)
	subscribers(t, s, 1)
	exec(t, s, `UPDATE subscriptions SET policy = 'manual'`)
	e := engine(t, s)
	if run := mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: date(t, "2024-09-01")}).Run; run.Outcomes["release"] != 2 {
		t.Fatalf("%v", run.Outcomes)
	}
	exec(t, s, `INSERT INTO manual_renewals (site, code, subscription_id, term_count, term_unit, at) SELECT 'cn', 'M-1', min(id), 1, 'month', '2024-09-01 12:00+08' FROM subscriptions`)
	exec(t, s, `UPDATE due SET look_at = '2024-09-01 12:00+08' WHERE job = 'renewal'`)
	mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: date(t, "2024-09-02")})
	parked, err := e.Parked(t.Context(), "renewal", "cn", 10)
	if err != nil || len(parked) != 1 || !strings.Contains(parked[0].Reason, "renewed by hand as M-1 at 2024-09-01T12:00:00+08:00, after it was released") {
		t.Errorf("parked %+v, %v", parked, err)
	}
	if n := count(t, s, `SELECT count(*) FROM terms`); n != 0 {
		t.Errorf("%d terms", n)
	}
}
