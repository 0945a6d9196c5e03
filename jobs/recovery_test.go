package jobs_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

const ides = "2024-03-15"

func request(t testing.TB, on string) jobs.Request {
	t.Helper()
	return jobs.Request{Job: "acceptance", Site: "cn", On: date(t, on)}
}

func mustRun(t testing.TB, e *jobs.Engine, req jobs.Request) jobs.Result {
	t.Helper()
	result, err := e.Run(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// history is everything a run leaves behind, as sorted text without serial
// numbers and clocks: two runs that did the same have the same history.
func history(t testing.TB, s *storage.Store) string {
	t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT concat_ws('|', o.code, ruleset, business_date, no, outcome, rule, due_at, look_at, facts, carried) FROM decisions d JOIN orders o ON o.id = subject ORDER BY o.code COLLATE "C", ruleset, business_date, no`,
		`SELECT concat_ws('|', key, business_date) FROM event_keys ORDER BY key COLLATE "C"`,
		`SELECT concat_ws('|', o.code, outcome, completed_at, valid_from, valid_until, business_date) FROM completions c JOIN orders o ON o.id = order_id ORDER BY o.code COLLATE "C"`,
		`SELECT concat_ws('|', key, kind, recipients, at, business_date) FROM notices ORDER BY key COLLATE "C"`,
		`SELECT concat_ws('|', o.code, look_at, encode(stands, 'hex')) FROM due d JOIN orders o ON o.id = subject WHERE job = 'acceptance' ORDER BY o.code COLLATE "C"`,
		`SELECT concat_ws('|', o.code, reason) FROM parked p JOIN orders o ON o.id = subject ORDER BY o.code COLLATE "C"`,
	} {
		rows, err := s.DB().QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(lines(t, rows))
	}
	return out.String()
}

func lines(t testing.TB, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String() + "--\n"
}

func TestTheResultDoesNotDependOnWorkersChunksOrShards(t *testing.T) {
	t.Parallel()
	var want string
	var hash []byte
	for _, c := range []struct{ workers, chunk int }{{1, 5000}, {2, 37}, {8, 50}} {
		s := storagetest.New(t)
		marketplace(t, s, 4000)
		e := engine(t, s)
		e.Workers, e.ChunkSize = c.workers, c.chunk
		result := mustRun(t, e, request(t, ides))
		if shards := count(t, s, `SELECT count(*) FROM shards WHERE done`); shards < 8 {
			t.Fatalf("the run was cut into %d shards, the test wants at least 8", shards)
		}
		got := history(t, s)
		if want == "" {
			want, hash = got, result.Run.ResultHash
		}
		if got != want || !bytes.Equal(hash, result.Run.ResultHash) {
			t.Errorf("%d workers with chunks of %d left another history", c.workers, c.chunk)
		}
	}
}

func TestADryRunKeepsNothingAndFindsWhatTheRunFinds(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	marketplace(t, s, 300)
	e := engine(t, s)
	on, random := date(t, "2024-02-20"), rand.New(rand.NewPCG(1, 2))
	for range 20 {
		e.Workers, e.ChunkSize = 1+random.IntN(3), 1+random.IntN(200)
		on += market.Date(1 + random.IntN(3))
		req := jobs.Request{Job: "acceptance", Site: "cn", On: on, DryRun: true}
		before := history(t, s)
		dry := mustRun(t, e, req)
		if after := history(t, s); after != before {
			t.Fatalf("the dry run of %s kept something:\n%s", on, differs(before, after))
		}
		req.DryRun = false
		run := mustRun(t, e, req)
		if !bytes.Equal(dry.Run.ResultHash, run.Run.ResultHash) || fmt.Sprint(dry.Run.Outcomes, dry.Run.Candidates, dry.Run.Decisions) != fmt.Sprint(run.Run.Outcomes, run.Run.Candidates, run.Run.Decisions) {
			t.Fatalf("the dry run said %+v, the run %+v", dry.Run, run.Run)
		}
	}
}

// A table of the database refuses these three; nobody can see that beforehand.
func TestWhatTheDatabaseRefusesIsParkedAloneAndMayBeRequeued(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 500)
	storagetest.AsOwner(t, s, `ALTER TABLE completions ADD CONSTRAINT no_thirteens CHECK (order_id NOT IN (13, 14, 301))`)
	e := engine(t, s)
	e.ChunkSize = 64
	result := mustRun(t, e, request(t, "2024-12-01"))
	parked, err := e.Parked(t.Context(), "acceptance", "cn", 10)
	if err != nil || result.Run.Parked != int64(len(parked)) || len(parked) == 0 {
		t.Fatalf("%d parked of %d, %v", len(parked), result.Run.Parked, err)
	}
	for _, p := range parked {
		if p.Subject != 13 && p.Subject != 14 && p.Subject != 301 || !strings.Contains(p.Reason, "no_thirteens") {
			t.Errorf("parked %+v", p)
		}
	}
	if total := result.Run.Parked + sum(result.Run.Outcomes); total != 500 || result.Run.Candidates != 500 {
		t.Errorf("%d decided or parked of %d", total, result.Run.Candidates)
	}
	storagetest.AsOwner(t, s, `ALTER TABLE completions DROP CONSTRAINT no_thirteens`)
	if n, err := e.Requeue(t.Context(), "", "cn", nil, "ann"); err != nil || n != result.Run.Parked {
		t.Fatalf("requeued %d, %v", n, err)
	}
	second := mustRun(t, e, request(t, "2024-12-02"))
	if second.Run.Parked != 0 || second.Run.Candidates < n(parked) {
		t.Errorf("after requeuing: %+v", second.Run)
	}
}

func n[T any](v []T) int64 { return int64(len(v)) }

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}

func TestARunInWhichEverythingIsBadStops(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 200)
	storagetest.AsOwner(t, s, `ALTER TABLE decisions ADD CONSTRAINT nothing CHECK (outcome = 'nothing') NOT VALID`)
	e := engine(t, s)
	e.ParkLimit = 10
	_, err := e.Run(t.Context(), request(t, ides))
	if !errors.Is(err, jobs.ErrParkLimit) {
		t.Fatalf("the run answered %v", err)
	}
	storagetest.AsOwner(t, s, `ALTER TABLE decisions DROP CONSTRAINT nothing`)
	if _, err := e.Requeue(t.Context(), "", "cn", nil, "ann"); err != nil {
		t.Fatal(err)
	}
	if result := mustRun(t, e, request(t, ides)); result.Run.State != "completed" {
		t.Errorf("started again it is %+v", result.Run)
	}
}

// cutAnywhere runs a job on copies of what was taken in, each with a line to the
// database that is cut at another message, COPY and COMMIT among them. A cut stops
// the run or is got over; started again, the run leaves what one does that nothing
// happened to. The short form cuts at every commit, at the first and the last of
// every other kind of message, and at a sample of all; the long one at all.
func cutAnywhere(t *testing.T, taken string, req jobs.Request, chunk int, left func(testing.TB, *storage.Store) string) {
	run := func(s *storage.Store) error {
		e := engine(t, s)
		e.Workers, e.ChunkSize, e.Patience = 1, chunk, time.Nanosecond // the line stays dead until somebody mends it
		_, err := e.Run(t.Context(), req)
		return err
	}
	untouched := anew(t, taken)
	if err := run(untouched); err != nil {
		t.Fatal(err)
	}
	want, cuts, kinds := left(t, untouched), []int{0}, map[string]bool{}
	for i := 0; i < len(cuts); i++ { // the first cuts nothing, and hears what there is to cut
		t.Run(fmt.Sprintf("message %d", cuts[i]), func(t *testing.T) {
			copied := storagetest.CopyOf(t, taken)
			direct, proxy := storagetest.Open(t, copied), storagetest.NewProxy(t, copied)
			proxy.CutAfter(cuts[i])
			err := run(storagetest.Open(t, proxy.URL()))
			heard := proxy.Heard()
			if proxy.WasCut() != (i > 0) {
				t.Fatalf("%d messages were heard, the last of them %s", len(heard), heard[len(heard)-1])
			}
			proxy.Heal()
			if err != nil {
				err = run(direct)
			}
			if got := left(t, direct); err != nil || got != want {
				t.Errorf("cut at %s, the run left something else (%v):\n%s", heard[len(heard)-1], err, differs(want, got))
			}
			if i == 0 {
				cuts = append(cuts, storagetest.Cuts(heard, cutEvery)...)
				for _, kind := range heard {
					kinds[kind] = true
				}
			} else {
				delete(kinds, heard[len(heard)-1])
			}
		})
	}
	if len(cuts) < 50 || len(kinds) > 0 {
		t.Errorf("the line was cut at %d messages, and never at %v", len(cuts)-1, slices.Sorted(maps.Keys(kinds)))
	}
}

func TestARunCutAtAnyMessageGoesOnAsIfNothingHadHappened(t *testing.T) {
	t.Parallel()
	taken := storagetest.URL(t)
	t.Run("a marketplace", func(t *testing.T) { marketplace(t, storagetest.Open(t, taken), 40) }) // whose connections end with it
	cutAnywhere(t, taken, request(t, ides), 20, history)
}

// What a restart of the server does to a run: all its connections end at once.
func TestARunOutlivesTheEndOfAllItsConnections(t *testing.T) {
	s, untouched := storagetest.New(t), storagetest.New(t)
	marketplace(t, s, 2000)
	marketplace(t, untouched, 2000)
	mustRun(t, engine(t, untouched), request(t, ides))
	e := engine(t, s)
	e.ChunkSize = 50
	ended := 0
	e.Progress = func(p jobs.Progress) {
		if p.Done > 300 && ended == 0 || p.Done > 1200 && ended == 1 {
			ended++
			storagetest.AsOwner(t, s, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		}
	}
	result := mustRun(t, e, request(t, ides))
	if ended != 2 || result.Run.State != market.RunCompleted || history(t, s) != history(t, untouched) {
		t.Errorf("after %d ends of all connections the run is %+v", ended, result.Run)
	}
}

func TestTheProgressOfAResumedRunCountsAllOfIt(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 500)
	e := engine(t, s)
	e.Workers, e.ChunkSize = 1, 100
	request := jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15")}
	ctx, stop := context.WithCancel(t.Context())
	var seen []jobs.Progress
	e.Progress = func(p jobs.Progress) {
		seen = append(seen, p)
		stop() // after the first chunk
	}
	if _, err := e.Run(ctx, request); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped after a chunk: %v", err)
	}
	r, err := e.Run(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 5 {
		t.Fatalf("only %d chunks: nothing was resumed", len(seen))
	}
	for i, p := range seen[1:] {
		if p.Done < seen[i].Done || p.Total != r.Run.Candidates {
			t.Errorf("%d of %d was done after %d", p.Done, p.Total, seen[i].Done)
		}
	}
	if last := seen[len(seen)-1]; last.Done != r.Run.Candidates {
		t.Errorf("in the end %d of %d", last.Done, r.Run.Candidates)
	}
}

func TestAPersonsDecisionIsCarriedOutOnceAndExplained(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 60)
	e := engine(t, s)
	mustRun(t, e, request(t, ides))
	var code string
	if err := s.DB().QueryRowContext(t.Context(), `SELECT o.code FROM due d JOIN orders o ON o.id = d.subject WHERE d.job = 'acceptance' ORDER BY o.id LIMIT 1`).Scan(&code); err != nil {
		t.Fatal(err)
	}
	i := jobs.Intervention{Site: "cn", Subject: code, Outcome: "accept", Because: "the buyer confirmed by phone", Actor: "ann", Evidence: "ticket 42",
		At: date(t, ides).At(noon, shanghai(t))}
	if err := e.Decide(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if err := e.Decide(t.Context(), i); !errors.Is(err, jobs.ErrBadRequest) {
		t.Errorf("decided a second time: %v", err)
	}
	story, err := e.Explain(t.Context(), "cn", code, 0)
	if err != nil || len(story.Decisions) < 2 {
		t.Fatalf("explained %d decisions, %v", len(story.Decisions), err)
	}
	last := story.Decisions[len(story.Decisions)-1]
	if last.Decision.Actor != "ann" || last.Reason != "the buyer confirmed by phone" || last.Decision.Outcome != "accept" {
		t.Errorf("the last decision is %+v", last)
	}
	if story.Ended == nil || story.Ended.Outcome != "accept" || story.Parked != nil {
		t.Errorf("it ended %+v, parked %+v", story.Ended, story.Parked)
	}
	if n := count(t, s, `SELECT count(*) FROM completions c JOIN orders o ON o.id = c.order_id WHERE o.code = ?`, code); n != 1 {
		t.Errorf("%d completions", n)
	}
}
