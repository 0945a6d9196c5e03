package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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

// naiveTerms are the terms that punctual nights up to last buy, counted on a
// calendar as one would by hand. Every subscription has all the money it needs.
func naiveTerms(start, end time.Time, months, daysBefore int, last time.Time) (terms []string) {
	anchor := start.Day()
	for n := 2; ; n++ {
		first := time.Date(end.Year(), end.Month(), end.Day()-daysBefore, 3, 0, 0, 0, end.Location())
		if first.After(last) {
			return terms
		}
		day := anchor
		to := time.Date(start.Year(), start.Month()+time.Month(n*months), 1, 23, 59, 59, 0, end.Location())
		if most := to.AddDate(0, 1, -1).Day(); day > most {
			day = most
		}
		to = to.AddDate(0, 0, day-1)
		terms = append(terms, end.Format(time.DateTime)+" to "+to.Format(time.DateTime)+" on "+first.Format(time.DateTime))
		end = to
	}
}

// Every term is bought once, on the right night, and the books say the same: with
// any number of workers and any chunks, in nights that were stopped and started
// again, and after dry runs.
func TestRenewalsAgainstTheCalendar(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	subscribers(t, s, 40)
	e := engine(t, s)
	random := rand.New(rand.NewPCG(1, 2))
	zone := shanghai(t)
	last := date(t, "2024-07-10")
	for on := date(t, "2023-12-05"); on <= last; on++ {
		e.Workers, e.ChunkSize = 1+random.IntN(2), 1+random.IntN(50)
		req := jobs.Request{Job: "renewal", Site: "cn", On: on}
		if random.IntN(20) == 0 {
			req.DryRun = true
			dry := mustRun(t, e, req)
			req.DryRun = false
			if run := mustRun(t, e, req); !bytes.Equal(run.Run.ResultHash, dry.Run.ResultHash) {
				t.Fatalf("night of %s: the dry run found %v, the run %v", on, dry.Run.Outcomes, run.Run.Outcomes)
			}
			continue
		}
		if random.IntN(4) == 0 {
			ctx, stop := context.WithCancel(t.Context())
			e.Progress = func(jobs.Progress) {
				if random.IntN(2) == 0 {
					stop()
				}
			}
			e.Workers = 1
			if _, err := e.Run(ctx, req); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			stop()
			e.Progress = nil
		}
		if run := mustRun(t, e, req).Run; run.Parked > 0 {
			t.Fatalf("night of %s parked %d", on, run.Parked)
		}
	}
	rows, err := s.DB().QueryContext(t.Context(), `
		SELECT u.code, u.term_start, u.term_end, u.term_count, coalesce(u.charge_day, 7), u.buyer_id % 5 = 0,
		       coalesce((SELECT string_agg(to_char(t.from_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') || ' to ' || to_char(t.until_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')
		                                   || ' on ' || to_char(t.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), E'\n' ORDER BY t.no) FROM terms t WHERE t.subscription_id = u.id), '')
		FROM subscriptions u ORDER BY u.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var code, got string
		var start, end time.Time
		var months, before int
		var poor bool
		if err := rows.Scan(&code, &start, &end, &months, &before, &poor, &got); err != nil {
			t.Fatal(err)
		}
		want := strings.Join(naiveTerms(start.In(zone), end.In(zone), months, before, last.At(market.TimeOfDay{Hour: 3}, zone)), "\n")
		if poor {
			if !strings.HasPrefix(want, got) {
				t.Errorf("%s, whose buyer can pay twice, has the terms\n%s\ninstead of the first of\n%s", code, got, want)
			}
			continue
		}
		if got != want {
			t.Errorf("%s has the terms\n%s\ninstead of\n%s", code, got, want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for question, none := range map[string]string{
		"a renewal that is not in the books to the fen": `
			SELECT count(*) FROM deductions d
			WHERE d.due <> (SELECT coalesce(sum(p.amount), 0) FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key = d.key)`,
		"a term that nobody paid":           `SELECT count(*) FROM terms t WHERE NOT EXISTS (SELECT FROM deductions d WHERE d.key = t.paid_by AND d.used_from = t.from_at AND d.used_until = t.until_at)`,
		"a renewal without a term":          `SELECT count(*) FROM deductions d WHERE NOT EXISTS (SELECT FROM terms t WHERE t.paid_by = d.key)`,
		"a buyer who pays more than he can": `SELECT count(*) FROM accounts WHERE balance < 0`,
		"a poor buyer who has the money for another": `
			SELECT count(*) FROM buyers b WHERE b.id % 5 = 0 AND (SELECT count(*) FROM deductions d WHERE d.buyer_id = b.id) > 2`,
	} {
		if n := count(t, s, none); n > 0 {
			t.Errorf("%s: %d", question, n)
		}
	}
}

// Where renewal was not run for some nights, the next one makes one attempt, and
// the dates between are on record.
func TestMissedNightsOfRenewalAreCaughtUpOnce(t *testing.T) {
	s := storagetest.New(t)
	subscribers(t, s, 5)
	e := engine(t, s)
	mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: date(t, "2024-03-01")})
	var ran []string
	catchUp := func() {
		t.Helper()
		now := time.Date(2024, 3, 6, 4, 0, 0, 0, shanghai(t))
		if err := e.CatchUp(t.Context(), "renewal", "cn", now, func(r market.Run) { ran = append(ran, r.On.String()) }); err != nil {
			t.Fatal(err)
		}
	}
	catchUp()
	catchUp()
	if fmt.Sprint(ran) != "[2024-03-06]" {
		t.Errorf("ran %v", ran)
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
