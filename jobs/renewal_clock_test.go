package jobs_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// clock is how much the simulated clock runs through.
type clock struct {
	subscriptions int
	from          string
	nights        int
}

// twoZones are the rules that ship and a second site, whose clocks change.
func twoZones(t *testing.T) *rules.Book {
	t.Helper()
	dir := fstest.MapFS{}
	err := fs.WalkDir(rules.Defaults(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(rules.Defaults(), name)
		dir[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir["us/site.yaml"] = &fstest.MapFile{Data: []byte("site: us\ncurrency: USD\ntime_zone: America/New_York\n" +
		"shares: [waterfall, rounding, periods, refunds, renewal, expiry, renewal_reminders, renewal_policy]\njobs:\n  renewal: {as_of: \"03:00\", catch_up: once}\n")}
	book, err := rules.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// clockSubscribers writes subscriptions of two sites: by the day, month and year,
// whose terms end on every day of the month.
func clockSubscribers(t *testing.T, s *storage.Store, size clock) {
	t.Helper()
	for site, zone := range map[string]string{"cn": "Asia/Shanghai", "us": "America/New_York"} {
		currency := map[string]string{"cn": "CNY", "us": "USD"}[site]
		exec(t, s, `INSERT INTO sellers (site, code) VALUES (?, 'acme')`, site)
		exec(t, s, `INSERT INTO products (site, code, seller_id) SELECT site, 'pro', id FROM sellers WHERE site = ?`, site)
		exec(t, s, `INSERT INTO buyers (site, code) SELECT ?, 'B-' || i FROM generate_series(1, ?) i`, site, size.subscriptions/4)
		exec(t, s, `INSERT INTO money (site, code, buyer_id, kind, amount, currency, at) SELECT site, 'T-' || id, id, 'top_up', CASE WHEN id % 5 = 0 THEN 35 ELSE 1000000 END, ?, '2023-01-01' FROM buyers WHERE site = ?`, currency, site)
		exec(t, s, strings.NewReplacer("$site", site, "$currency", currency, "$zone", zone, "$from", size.from).Replace(`
			INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, charge_day, price, currency)
			SELECT b.site, 'S-' || b.id || '-' || k, b.id, p.id, 'license', t.count, t.unit, (d + time '10:00') AT TIME ZONE '$zone',
			       (CASE t.unit WHEN 'day' THEN d + make_interval(days => t.count)
			        ELSE least(date_trunc('month', d) + make_interval(months => t.months) + make_interval(days => extract(day FROM d)::int - 1),
			                   date_trunc('month', d) + make_interval(months => t.months + 1) - interval '1 day') END + time '23:59:59') AT TIME ZONE '$zone',
			       'auto', CASE WHEN k = 2 THEN 2 + b.id % 6 END, 10, '$currency'
			FROM buyers b JOIN products p ON p.site = b.site CROSS JOIN generate_series(1, 2) k
			CROSS JOIN LATERAL (SELECT timestamp '$from' + make_interval(days => (b.id * 7 + k * 13)::int % 75 - 20) AS d) d
			CROSS JOIN LATERAL (SELECT * FROM (VALUES (0, 1, 'month', 1), (1, 2, 'month', 2), (2, 3, 'month', 3), (3, 30, 'day', 0), (4, 1, 'year', 12), (5, 1, 'month', 1)) v (n, count, unit, months)
			                    WHERE v.n = (b.id + k) % 6) t
			WHERE b.site = '$site'`))
		exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'renewal', site, id, '-infinity' FROM buyers WHERE site = ?`, site)
	}
}

// naiveClock are the terms that the nights that were run buy, counted on a
// calendar as one would by hand. Every subscription has all the money it needs.
func naiveClock(start, end time.Time, count int, unit string, daysBefore int, ran []time.Time) (terms []string) {
	anchor := start.Day()
	for n := 2; ; n++ {
		first := time.Date(end.Year(), end.Month(), end.Day()-daysBefore, 3, 0, 0, 0, end.Location())
		at := time.Time{}
		for _, night := range ran {
			if !night.Before(first) {
				at = night
				break
			}
		}
		if at.IsZero() {
			return terms
		}
		var to time.Time
		if unit == "day" {
			to = time.Date(end.Year(), end.Month(), end.Day()+count, 23, 59, 59, 0, end.Location())
		} else {
			months := count * map[string]int{"month": 1, "year": 12}[unit]
			to = time.Date(start.Year(), start.Month()+time.Month(n*months), 1, 23, 59, 59, 0, end.Location())
			to = to.AddDate(0, 0, min(anchor, to.AddDate(0, 1, -1).Day())-1)
		}
		terms = append(terms, end.Format(time.DateTime)+" to "+to.Format(time.DateTime)+" on "+at.Format(time.DateTime))
		end = to
	}
}

// A simulated clock runs through nights of two zones, one with summer time: some
// nights are missed, some are tried dry, of some the line to the database is dead from
// a message on, as where a process is killed, and they are started again with other
// chunks and workers. Every term is bought once, in the right night. The short form is
// four months of 120 subscriptions, the long one three years of 5,000.
func TestTheClockOfRenewals(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t)
	s := storagetest.Open(t, url)
	clockSubscribers(t, s, clockSize)
	e := engine(t, s)
	e.Book = twoZones(t)
	proxy := storagetest.NewProxy(t, url)
	doomed := *e
	doomed.Store, doomed.Patience = storagetest.Open(t, proxy.URL()), time.Nanosecond // a dead line stays dead
	cuts := 0
	random := rand.New(rand.NewPCG(3, 4))
	ran := map[string][]time.Time{}
	first := date(t, clockSize.from)
	for on := first; on < first.AddDays(clockSize.nights); on++ {
		for _, site := range []string{"cn", "us"} {
			if random.IntN(30) == 0 {
				continue // nobody woke it
			}
			if random.IntN(8) == 0 && dies(t, &doomed, proxy, random, site, on) {
				cuts++
			}
			at := clockNight(t, e, random, site, on)
			ran[site] = append(ran[site], at)
		}
	}
	if cuts < 5 {
		t.Errorf("%d nights died", cuts)
	}
	clockTerms(t, s, e.Book, ran)
	clockLaws(t, s)
}

// dies begins a night whose line to the database is cut at some message, before it or
// after it, for good; false where the night had ended before.
func dies(t *testing.T, e *jobs.Engine, proxy *storagetest.Proxy, random *rand.Rand, site string, on market.Date) bool {
	t.Helper()
	cut := proxy.CutAfter
	if random.IntN(2) == 0 {
		cut = proxy.CutBefore
	}
	cut(1 + random.IntN(80))
	e.Workers, e.ChunkSize = 1, 1+random.IntN(30)
	_, err := e.Run(t.Context(), jobs.Request{Job: "renewal", Site: site, On: on})
	if err != nil && !proxy.WasCut() {
		t.Fatalf("night of %s at %s, whose line was not cut: %v", on, site, err)
	}
	died := proxy.WasCut()
	proxy.Heal()
	return died
}

// clockNight carries one night out. What a dry run before it found, it finds.
func clockNight(t *testing.T, e *jobs.Engine, random *rand.Rand, site string, on market.Date) time.Time {
	t.Helper()
	e.Workers, e.ChunkSize = 1+random.IntN(2), 1+random.IntN(60)
	req := jobs.Request{Job: "renewal", Site: site, On: on}
	var tried []byte
	if random.IntN(20) == 0 {
		dry := req
		dry.DryRun = true
		tried = mustRun(t, e, dry).Run.ResultHash
	}
	run := mustRun(t, e, req).Run
	if run.Parked > 0 || tried != nil && !bytes.Equal(run.ResultHash, tried) {
		t.Fatalf("night of %s at %s parked %d; the hash of its dry run is %x, its own %x", on, site, run.Parked, tried, run.ResultHash)
	}
	return run.AsOf
}

// clockTerms holds every term against the calendar.
func clockTerms(t *testing.T, s *storage.Store, book *rules.Book, ran map[string][]time.Time) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), `
		SELECT u.site, u.code, u.term_start, u.term_end, u.term_count, u.term_unit, coalesce(u.charge_day, 7), u.buyer_id % 5 = 0,
		       coalesce((SELECT string_agg(to_char(t.from_at AT TIME ZONE z, 'YYYY-MM-DD HH24:MI:SS') || ' to ' || to_char(t.until_at AT TIME ZONE z, 'YYYY-MM-DD HH24:MI:SS')
		                                   || ' on ' || to_char(t.at AT TIME ZONE z, 'YYYY-MM-DD HH24:MI:SS'), E'\n' ORDER BY t.no) FROM terms t WHERE t.subscription_id = u.id), '')
		FROM subscriptions u CROSS JOIN LATERAL (SELECT CASE u.site WHEN 'cn' THEN 'Asia/Shanghai' ELSE 'America/New_York' END AS z) z ORDER BY u.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	checked := 0
	for rows.Next() {
		var siteName, code, unit, got string
		var start, end time.Time
		var count, before int
		var poor bool
		if err := rows.Scan(&siteName, &code, &start, &end, &count, &unit, &before, &poor, &got); err != nil {
			t.Fatal(err)
		}
		site, err := book.Site(siteName)
		if err != nil {
			t.Fatal(err)
		}
		nights := make([]time.Time, len(ran[siteName]))
		for i, at := range ran[siteName] {
			nights[i] = at.In(site.Zone)
		}
		want := strings.Join(naiveClock(start.In(site.Zone), end.In(site.Zone), count, unit, before, nights), "\n")
		if poor && strings.HasPrefix(want, got) {
			continue // whose buyer can pay three times
		}
		if checked++; got != want {
			t.Errorf("%s at %s has the terms\n%s\ninstead of\n%s", code, siteName, got, want)
		}
	}
	if err := rows.Err(); err != nil || checked == 0 {
		t.Fatalf("%d subscriptions were checked, %v", checked, err)
	}
}

// clockLaws are what must hold of the tables after any nights.
func clockLaws(t *testing.T, s *storage.Store) {
	t.Helper()
	for law, none := range map[string]string{
		"a term that does not begin where the one before it ends": `
			SELECT count(*) FROM terms t JOIN subscriptions u ON u.id = t.subscription_id
			WHERE t.from_at <> coalesce((SELECT b.until_at FROM terms b WHERE b.subscription_id = t.subscription_id AND b.no = t.no - 1), u.term_end)`,
		"a renewal that is not in the books to the last decimal": `
			SELECT count(*) FROM deductions d
			WHERE d.due <> (SELECT coalesce(sum(p.amount), 0) FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key = d.key)`,
		"renewals that do not add up to what sellers earned": `
			SELECT count(*) FROM (SELECT currency, sum(due) AS due FROM deductions GROUP BY 1) d
			WHERE d.due <> (SELECT coalesce(sum(p.amount), 0) FROM postings p WHERE p.to_account LIKE 'seller:%' AND p.currency = d.currency)`,
		"a term that nobody paid":  `SELECT count(*) FROM terms t WHERE NOT EXISTS (SELECT FROM deductions d WHERE d.key = t.paid_by AND d.used_from = t.from_at AND d.used_until = t.until_at)`,
		"a renewal without a term": `SELECT count(*) FROM deductions d WHERE NOT EXISTS (SELECT FROM terms t WHERE t.paid_by = d.key)`,
		"a renewal that the seller is not told of once": `
			SELECT count(*) FROM terms t WHERE (SELECT count(*) FROM outbox o WHERE o.subject = t.subscription_id AND o.scene = 'RENEWAL' AND o.at = t.at) <> 1`,
		"a reminder that repeats":           `SELECT count(*) FROM (SELECT FROM notices GROUP BY subject, kind, at HAVING count(*) > 1) twice`,
		"a buyer who pays more than he can": `SELECT count(*) FROM accounts WHERE balance < 0`,
		"a poor buyer who has the money for another": `
			SELECT count(*) FROM buyers b WHERE b.id % 5 = 0 AND (SELECT count(*) FROM deductions d WHERE d.buyer_id = b.id) > 3`,
	} {
		if n := count(t, s, none); n > 0 {
			t.Errorf("%s: %d", law, n)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM terms`); n == 0 {
		t.Error("nothing was renewed")
	}
	t.Log(fmt.Sprint(count(t, s, `SELECT count(*) FROM terms`), " terms"))
}
