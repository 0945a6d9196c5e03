package jobs_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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

// A failing seed is run again by itself: the same seed, nights and buyers draw
// the same marketplace and the same faults.
var (
	simulationSeed   = flag.Uint64("simulation.seed", 1, "draws the marketplace and the faults")
	simulationNights = flag.Int("simulation.nights", 6, "how many nights; 1000 for the long one")
	simulationBuyers = flag.Int("simulation.buyers", 6, "how many buyers")
)

// TestSimulation carries the whole product through nights in which lines are cut,
// processes die, clocks are set, schedulers come in twos, files are bad, people
// pause jobs, and no machine is there at all. After every night the laws hold; at
// the end an undisturbed twin, that was woken on the same mornings, has the same
// runs, with the same hashes, and the same books.
//
//	go test ./jobs -run Simulation -simulation.nights 1000 -simulation.buyers 40 -timeout 6h
func TestSimulation(t *testing.T) {
	first := max(0, aSettlement-*simulationNights)
	w := newWorld(*simulationSeed, *simulationBuyers, first+*simulationNights)
	address := w.taken(t)
	t.Run("subscriptions", func(t *testing.T) {
		subscribed(t, storagetest.Open(t, address), *simulationBuyers, worldFirst.AddDays(first))
	})
	book := changedDefaults(t, func(files fstest.MapFS) { // a thousand nights go beyond the calendar that ships
		files["calendar.csv"].Data = append(files["calendar.csv"].Data, "\n2027-01-01,holiday,New Year\n2028-01-01,holiday,New Year\n2029-01-01,holiday,New Year\n"...)
	})
	twin := &simulated{t: t, book: book, address: storagetest.CopyOf(t, address)}
	world := &simulated{t: t, book: book, twin: twin, happened: map[string]int{}}
	if world.disk = storagetest.NewDisk(t, roomOfANight**simulationNights+roomAtFirst); world.disk != nil {
		world.address = world.disk.CopyOf(t, address)
	} else {
		world.address = storagetest.CopyOf(t, address)
	}
	world.proxy = storagetest.NewProxy(t, world.address)
	for _, s := range []*simulated{twin, world} {
		// The test server does not wait for what it keeps to be written; one that is restarted has to.
		storagetest.AsOwner(t, storagetest.Open(t, s.address), `DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END$$`)
		s.connect()
	}
	for night := range *simulationNights {
		last := night == *simulationNights-1
		// A night has draws of its own: what went before may have drawn more or fewer.
		world.Rand = rand.New(rand.NewPCG(*simulationSeed, uint64(first+night)))
		if world.IntN(7) == 0 && !last {
			world.happened["no machine"]++
			continue
		}
		on := worldFirst.AddDays(first + night + 1)
		morning := on.At(market.TimeOfDay{Hour: 8}, shanghai(t))
		what := world.disturbed(morning)
		if what == "a server that was restarted" { // all databases were on it
			twin.connect()
			world.connect()
		}
		twin.night(twin.engine(twin.direct), morning)
		when := fmt.Sprintf("seed %d, the night of %s, %s", *simulationSeed, on, what)
		world.holds(when)
		if t.Failed() {
			t.Fatalf("%s: run it again with -simulation.seed %d -simulation.nights %d -simulation.buyers %d", when, *simulationSeed, *simulationNights, *simulationBuyers)
		}
	}
	if want, got := twin.came(), world.came(); want != got {
		t.Errorf("seed %d: the twin and the world differ:\n%s", *simulationSeed, differs(want, got))
	}
	for _, what := range slices.Sorted(maps.Keys(world.happened)) {
		t.Logf("%4d × %s", world.happened[what], what)
	}
}

// subscribed adds buyers of their own whose subscriptions renew.
func subscribed(t *testing.T, s *storage.Store, buyers int, first market.Date) {
	t.Helper()
	exec(t, s, `INSERT INTO buyers (site, code) SELECT 'cn', 'sub' || i FROM generate_series(1, ?) i`, buyers)
	exec(t, s, `
		INSERT INTO money (site, code, buyer_id, kind, amount, currency, at)
		SELECT 'cn', 'TOP-' || id, id, 'top_up', CASE WHEN id % 3 = 0 THEN 25 ELSE 100000 END, 'CNY', '2024-05-30' FROM buyers WHERE code LIKE 'sub%'`)
	exec(t, s, `
		INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, price, currency)
		SELECT 'cn', 'S-' || b.id, b.id, (SELECT min(id) FROM products), 'saas', 1, 'month', d - interval '1 month', d, 'auto', 10, 'CNY'
		FROM buyers b CROSS JOIN LATERAL (SELECT (timestamp '2024-06-05 23:59:59' + make_interval(days => ?0 + (b.id % 20)::int)) AT TIME ZONE 'Asia/Shanghai' AS d) d
		WHERE b.code LIKE 'sub%'`, int(first-worldFirst))
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT job, 'cn', b.id, '-infinity' FROM buyers b, unnest(ARRAY['renewal', 'billing']) job WHERE code LIKE 'sub%' ON CONFLICT DO NOTHING`)
}

// simulated is a marketplace and the machines that work its nights.
type simulated struct {
	*rand.Rand
	t        *testing.T
	book     *rules.Book
	twin     *simulated
	address  string
	direct   *storage.Store
	proxy    *storagetest.Proxy
	behind   *storage.Store    // by way of the proxy
	disk     *storagetest.Disk // on which the database is; nil where none can be made
	happened map[string]int
	files    int
}

// A short simulation ends after the bill day of the first month. The disk has room
// for so many megabytes.
const (
	aSettlement  = 34 // nights
	roomAtFirst  = 64
	roomOfANight = 1
)

// connect makes connections where there are none yet, or none any more.
func (s *simulated) connect() {
	s.direct = storagetest.Open(s.t, s.address)
	if s.proxy != nil {
		s.behind = storagetest.Open(s.t, s.proxy.URL())
	}
}

// engine is a machine.
func (s *simulated) engine(store *storage.Store) *jobs.Engine {
	e := engine(s.t, store)
	e.Book = s.book
	e.Patience = time.Nanosecond // a line that was cut stays dead until somebody mends it
	if s.Rand != nil {
		e.Workers, e.ChunkSize = 1+s.IntN(3), 1+s.IntN(40)
	}
	return e
}

// night is one wake of every job, as a schedule has it, until nothing is due.
func (s *simulated) night(e *jobs.Engine, now time.Time) {
	s.t.Helper()
	if err := s.wake(e, now); err != nil {
		s.t.Fatal(err)
	}
}

// wake wakes every job once.
func (s *simulated) wake(e *jobs.Engine, now time.Time) error {
	site, err := e.Book.Site("cn")
	if err != nil {
		return err
	}
	var failed error
	for _, job := range jobs.NamesAt(site) {
		err := e.MakeUp(context.Background(), job, "cn", now, func(market.Run) {})
		if err == nil {
			err = e.CatchUp(context.Background(), job, "cn", now, func(market.Run) {})
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// disturbed works a night in which something happens, and then once more, as
// the next wake does; it says what happened.
func (s *simulated) disturbed(now time.Time) (what string) {
	faults := []struct {
		what string
		do   func(now time.Time)
	}{
		{"nothing", func(time.Time) {}},
		{"a line that was cut before a message", func(now time.Time) { s.cut(s.proxy.CutBefore, now) }},
		{"a line that was cut after a message", func(now time.Time) { s.cut(s.proxy.CutAfter, now) }},
		{"a process that died", s.killed},
		{"two schedulers", s.doubled},
		{"a clock that was set back", func(now time.Time) { s.atBoth(now.Add(-time.Duration(s.IntN(40)) * time.Hour)) }},
		{"a clock that was set forward", func(now time.Time) { s.atBoth(now.Add(time.Duration(s.IntN(40)) * time.Hour)) }},
		{"a bad file", s.badFile},
		{"a person who pauses", s.paused},
		{"a run that was stopped", s.stopped},
		{"statements that were refused", s.refused},
		{"a disk that was full", s.full},
		{"a server that was restarted", s.restarted},
	}
	fault := faults[s.IntN(len(faults))]
	s.happened[fault.what]++
	fault.do(now)
	s.night(s.engine(s.direct), now)
	return fault.what
}

// nightLaws are what must not be found after a night, besides what must not be in
// the books.
var nightLaws = map[string]string{
	"a run did not come to its end":   `SELECT concat_ws(' ', job, business_date, state, failure) FROM runs WHERE state <> 'completed'`,
	"a shard was left":                `SELECT run_id::text FROM shards WHERE NOT done OR checkpoint <> upto_id`,
	"a run says what it did not keep": `SELECT r.id::text FROM runs r WHERE r.decisions <> (SELECT count(*) FROM decisions d WHERE d.run_id = r.id)`,
	"terms do not tile":               `SELECT subscription_id::text FROM (SELECT subscription_id, from_at, lag(until_at) OVER (PARTITION BY subscription_id ORDER BY no) AS before FROM terms) t WHERE before <> from_at`,
	"a statement and its lines differ": `
		SELECT concat_ws(' ', s.seller_id, s.period) FROM statements s JOIN statement_lines l USING (seller_id, period, version)
		GROUP BY s.seller_id, s.period, s.version, s.lines, s.payout, s.carried_out HAVING count(*) <> s.lines OR sum(l.settled) <> s.payout + s.carried_out`,
	"a line is settled twice": `SELECT key FROM statement_lines WHERE version = 1 GROUP BY key HAVING count(*) > 1`,
	"a statement and its journal differ": `
		SELECT s.journal_key FROM statements s WHERE s.payout <> coalesce((SELECT sum(p.amount) FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key = s.journal_key AND p.to_account LIKE 'seller:%:payable'), 0)`,
	"a term is paid twice": `SELECT paid_by FROM terms GROUP BY paid_by HAVING count(*) > 1`,
	"a delivery is accepted before its time": `
		SELECT c.order_id::text FROM completions c JOIN runs r ON r.id = c.run_id WHERE c.completed_at > r.as_of`,
	"a night was skipped and run": `SELECT concat_ws(' ', job, business_date) FROM skipped_nights JOIN runs USING (job, site, business_date)`,
	"a bad file left something":   `SELECT code FROM money WHERE code LIKE 'BAD%' UNION ALL SELECT code FROM orders WHERE code LIKE 'BAD%'`,
	"a night is missing": `
		SELECT concat_ws(' ', job, day::date) FROM (SELECT job, min(business_date) AS first, max(business_date) AS last FROM runs WHERE job <> 'settlement' GROUP BY job) j,
		       generate_series(first, last, interval '1 day') day
		WHERE NOT EXISTS (SELECT FROM runs r WHERE r.job = j.job AND r.business_date = day::date)
		  AND NOT EXISTS (SELECT FROM skipped_nights k WHERE k.job = j.job AND k.business_date = day::date)`,
}

// holds checks all laws after a night.
func (s *simulated) holds(when string) {
	s.t.Helper()
	for law, query := range nightLaws {
		rows, err := s.direct.DB().QueryContext(context.Background(), query)
		if err != nil {
			s.t.Fatal(err, law)
		}
		if found := lines(s.t, rows); found != "--\n" {
			s.t.Errorf("%s, %s: %s", when, law, found[:min(len(found), 600)])
		}
	}
	lawful(s.t, s.direct, when)
	check, err := s.direct.VerifyLedger(context.Background(), "cn", nil)
	if err != nil || len(check.Wrong) > 0 || len(check.Unsealed) > 0 {
		s.t.Errorf("%s: the ledger: %v %v, unsealed %v", when, err, check.Wrong, check.Unsealed)
	}
}

// came is all that the nights came to: the runs with their hashes, and the books.
func (s *simulated) came() string {
	var out strings.Builder
	for _, query := range []string{
		`SELECT concat_ws('|', job, business_date, as_of AT TIME ZONE 'UTC', candidates, parked, decisions, outcomes, encode(result_hash, 'hex')) FROM runs ORDER BY job, business_date`,
		`SELECT concat_ws('|', job, business_date, caught_up_by) FROM skipped_nights ORDER BY 1`,
		`SELECT concat_ws('|', subscription_id, no, from_at AT TIME ZONE 'UTC', until_at AT TIME ZONE 'UTC', paid_by) FROM terms ORDER BY subscription_id, no`,
		`SELECT concat_ws('|', seller_id, period, lines, billable, fee, taxes, settled, carried_in, carried_out, payout) FROM statements ORDER BY seller_id, period`,
		`SELECT concat_ws('|', order_id, outcome, completed_at AT TIME ZONE 'UTC', valid_from, valid_until) FROM completions ORDER BY order_id`,
	} {
		rows, err := s.direct.DB().QueryContext(context.Background(), query)
		if err != nil {
			s.t.Fatal(err, query)
		}
		out.WriteString(lines(s.t, rows))
	}
	return out.String() + booksOf(s.t, s.direct)
}
