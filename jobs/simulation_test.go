package jobs_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/jobs/intake"
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
	w := newWorld(*simulationSeed, *simulationBuyers, *simulationNights)
	address := w.taken(t)
	t.Run("subscriptions", func(t *testing.T) { subscribed(t, storagetest.Open(t, address), *simulationBuyers) })
	twin := &simulated{t: t, direct: anew(t, address)}
	copied := storagetest.CopyOf(t, address)
	proxy := storagetest.NewProxy(t, copied)
	world := &simulated{
		t: t, direct: storagetest.Open(t, copied), proxy: proxy, behind: storagetest.Open(t, proxy.URL()),
		Rand: rand.New(rand.NewPCG(*simulationSeed, 2)), happened: map[string]int{},
	}
	outages := rand.New(rand.NewPCG(*simulationSeed, 3))
	for night := range *simulationNights {
		last := night == *simulationNights-1
		if outages.IntN(7) == 0 && !last {
			world.happened["no machine"]++
			continue
		}
		on := worldFirst.AddDays(night + 1)
		morning := on.At(market.TimeOfDay{Hour: 8}, shanghai(t))
		twin.night(twin.engine(twin.direct), morning)
		what := world.disturbed(morning)
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
func subscribed(t *testing.T, s *storage.Store, buyers int) {
	t.Helper()
	exec(t, s, `INSERT INTO buyers (site, code) SELECT 'cn', 'sub' || i FROM generate_series(1, ?) i`, buyers)
	exec(t, s, `
		INSERT INTO money (site, code, buyer_id, kind, amount, currency, at)
		SELECT 'cn', 'TOP-' || id, id, 'top_up', CASE WHEN id % 3 = 0 THEN 25 ELSE 100000 END, 'CNY', '2024-05-30' FROM buyers WHERE code LIKE 'sub%'`)
	exec(t, s, `
		INSERT INTO subscriptions (site, code, buyer_id, product_id, access_type, term_count, term_unit, term_start, term_end, policy, price, currency)
		SELECT 'cn', 'S-' || b.id, b.id, (SELECT min(id) FROM products), 'saas', 1, 'month', d - interval '1 month', d, 'auto', 10, 'CNY'
		FROM buyers b CROSS JOIN LATERAL (SELECT (timestamp '2024-06-05 23:59:59' + make_interval(days => (b.id % 20)::int)) AT TIME ZONE 'Asia/Shanghai' AS d) d
		WHERE b.code LIKE 'sub%'`)
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT job, 'cn', b.id, '-infinity' FROM buyers b, unnest(ARRAY['renewal', 'billing']) job WHERE code LIKE 'sub%' ON CONFLICT DO NOTHING`)
}

// simulated is a marketplace and the machines that work its nights.
type simulated struct {
	*rand.Rand
	t        *testing.T
	direct   *storage.Store
	proxy    *storagetest.Proxy
	behind   *storage.Store // by way of the proxy
	happened map[string]int
	files    int
}

// engine is a machine.
func (s *simulated) engine(store *storage.Store) *jobs.Engine {
	e := engine(s.t, store)
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
		failed = errors.Join(failed, e.CatchUp(context.Background(), job, "cn", now, func(market.Run) {}))
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
		{"a clock that was set back", func(now time.Time) { s.night(s.engine(s.direct), now.Add(-time.Duration(s.IntN(20))*time.Hour)) }},
		{"a clock that was set forward", func(now time.Time) { s.night(s.engine(s.direct), now.Add(time.Duration(s.IntN(15))*time.Hour)) }},
		{"a bad file", s.badFile},
		{"a person who pauses", s.paused},
		{"a run that was stopped", s.stopped},
	}
	fault := faults[s.IntN(len(faults))]
	s.happened[fault.what]++
	fault.do(now)
	s.night(s.engine(s.direct), now)
	return fault.what
}

// cut lets the lines of a machine die at some message.
func (s *simulated) cut(arm func(n int), now time.Time) {
	arm(1 + s.IntN(600))
	_ = s.wake(s.engine(s.behind), now) // dies somewhere, or comes to its end before
	s.proxy.Heal()
}

// killed lets a machine die after a chunk, with all its lines at once.
func (s *simulated) killed(now time.Time) {
	e := s.engine(s.behind)
	left := s.IntN(6)
	var die sync.Once
	e.Progress = func(jobs.Progress) {
		if left--; left < 0 {
			die.Do(func() { go s.proxy.Kill() })
		}
	}
	e.Workers = 1
	_ = s.wake(e, now)
	s.proxy.Kill()
	s.proxy.Heal()
}

// doubled has two machines wake at the same moment.
func (s *simulated) doubled(now time.Time) {
	var both sync.WaitGroup
	for _, e := range []*jobs.Engine{s.engine(s.direct), s.engine(s.behind)} {
		both.Go(func() {
			// One may find the other at a job that its own next one waits for.
			if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrWaits) && !errors.Is(err, jobs.ErrAlive) {
				s.t.Error(err)
			}
		})
	}
	both.Wait()
}

// badFile brings files that are refused as a whole.
func (s *simulated) badFile(time.Time) {
	s.files++
	for kind, text := range map[string]string{
		"money":  "code,buyer,kind,account,amount,at\nBAD-1,b000,top_up,,12.00 CNY,2024-06-01T10:00:00\nBAD-2,b000,top_up,,many,2024-06-01T10:00:00\n",
		"orders": "code,buyer,access_type,placed_at\nBAD-3,nobody's,saas\n",
		"buyers": "code\n\"unended\n",
	} {
		path := filepath.Join(s.t.TempDir(), fmt.Sprintf("%s-%d.csv", kind, s.files))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		if _, err := intake.Import(s.t.Context(), s.direct, intake.Request{Kind: kind, Site: "cn", Zone: shanghai(s.t), Files: []string{path}}); err == nil {
			s.t.Errorf("a bad file of %s was taken", kind)
		}
	}
}

// paused has a person pause a job for a wake.
func (s *simulated) paused(now time.Time) {
	e := s.engine(s.direct)
	job := []string{"acceptance", "renewal", "billing", ""}[s.IntN(4)]
	say := func(resumes bool) {
		if err := e.Halt(s.t.Context(), storage.Halt{Site: "cn", Job: job, Resumes: resumes, Actor: "ann", Because: "a simulation"}); err != nil {
			s.t.Fatal(err)
		}
	}
	say(false)
	if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrPaused) {
		s.t.Error(err)
	}
	say(true)
}

// stopped has a person stop a run after some chunk, and start it again.
func (s *simulated) stopped(now time.Time) {
	e := s.engine(s.direct)
	var stop sync.Once
	var run jobs.Request
	e.Progress = func(p jobs.Progress) {
		stop.Do(func() {
			run = jobs.Request{Job: p.Job, Site: "cn", On: p.On, Actor: "bob"}
			if err := e.Halt(context.Background(), storage.Halt{Site: "cn", Job: p.Job, On: p.On, Actor: "ann", Because: "a simulation"}); err != nil {
				s.t.Error(err)
			}
		})
	}
	if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrPaused) && !errors.Is(err, jobs.ErrWaits) {
		s.t.Error(err)
	}
	if run.Job == "" {
		return // nothing was due
	}
	e.Progress = nil
	if _, err := e.Run(s.t.Context(), run); err != nil {
		s.t.Error(err)
	}
}

// nightLaws are what must not be found after a night, besides what must not be in
// the books.
var nightLaws = map[string]string{
	"a run did not come to its end":   `SELECT concat_ws(' ', job, business_date, state, failure) FROM runs WHERE state <> 'completed'`,
	"a shard was left":                `SELECT run_id::text FROM shards WHERE NOT done OR checkpoint <> upto_id`,
	"a run says what it did not keep": `SELECT r.id::text FROM runs r WHERE r.decisions <> (SELECT count(*) FROM decisions d WHERE d.run_id = r.id)`,
	"terms do not tile":               `SELECT subscription_id::text FROM (SELECT subscription_id, from_at, lag(until_at) OVER (PARTITION BY subscription_id ORDER BY no) AS before FROM terms) t WHERE before <> from_at`,
	"a term is paid twice":            `SELECT paid_by FROM terms GROUP BY paid_by HAVING count(*) > 1`,
	"a delivery is accepted before its time": `
		SELECT c.order_id::text FROM completions c JOIN runs r ON r.id = c.run_id WHERE c.completed_at > r.as_of`,
	"a bad file left something": `SELECT code FROM money WHERE code LIKE 'BAD%' UNION ALL SELECT code FROM orders WHERE code LIKE 'BAD%'`,
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
