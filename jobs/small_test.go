package jobs_test

import (
	"context"
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

var smallJobs = []string{"openings", "acceptance", "listings", "leads", "offers"}

// smallWorld is orders, calls, probes, leads and offers of ten days, the same for a
// seed.
func smallWorld(seed uint64) map[string][]string {
	r := rand.New(rand.NewPCG(seed, 1))
	first := time.Date(2024, 5, 26, 0, 0, 0, 0, time.UTC)
	at := func(from time.Time, span time.Duration) time.Time {
		return from.Add(time.Duration(r.Int64N(int64(span/time.Minute))) * time.Minute) // whole minutes: instants meet
	}
	write := func(t time.Time) string { return t.Format(time.RFC3339) }
	files := map[string][]string{}
	row := func(kind, header, format string, values ...any) {
		if files[kind] == nil {
			files[kind] = []string{header}
		}
		files[kind] = append(files[kind], fmt.Sprintf(format, values...))
	}
	row("sellers", "code", "acme")
	row("buyers", "code", "ann")
	for p := range 4 {
		row("products", "code,seller,access_type", "P-%d,acme,saas", p)
		for probe := range 20 {
			row("probes", "product,at,passed", "P-%d,%s,%t", p, write(first.Add(time.Duration(probe)*12*time.Hour+time.Duration(p)*time.Minute)), r.IntN(12) == 0)
		}
	}
	for o := range 60 {
		placed := at(first, 8*24*time.Hour)
		row("orders", "code,buyer,product,access_type,delivery_mode,charge_mode,placed_at,paid_at,amount", "O-%d,ann,P-%d,saas,offline,PERIOD,%s,%[3]s,9.00 CNY", o, r.IntN(2), write(placed))
		called := placed
		for range r.IntN(8) {
			called = called.Add(time.Duration(50+r.IntN(20)) * time.Minute)
			activity := []string{"newInstance", "newInstance", "newInstance", "queryInstance"}[r.IntN(4)]
			row("calls", "order,activity,called_at,code", "O-%d,%s,%s,%s", o, activity, write(called), []string{"000000", "000004", "000005", "000005", "000005", ""}[r.IntN(6)])
		}
		if r.IntN(3) == 0 {
			row("deliveries", "order,delivered_at,accepted_at", "O-%d,%s,%s", o, write(placed), write(at(placed, 24*time.Hour)))
		}
		row("leads", "code,seller,assigned_at,received_at", "L-%d,acme,%s,%s", o, write(placed), []string{"", write(at(placed, 7*24*time.Hour))}[r.IntN(2)])
		starts := at(placed.Add(-time.Hour), 4*time.Hour)
		row("offers", "code,seller,buyer,discount,asked_at,starts_at,ends_at", "X-%d,acme,ann,0.%d,%s,%s,%s", o, 5+r.IntN(5), write(placed), write(starts), write(at(starts.Add(time.Minute), 72*time.Hour)))
	}
	return files
}

// cameSmall is all that the small jobs came to, whenever they ran.
func cameSmall(t *testing.T, s *storage.Store) string {
	t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT concat_ws('|', e.job, s.code, e.outcome, e.at AT TIME ZONE 'UTC') FROM endings e JOIN subjects s ON s.job = e.job AND s.subject = e.subject ORDER BY 1`,
		`SELECT concat_ws('|', o.code, c.outcome, c.completed_at AT TIME ZONE 'UTC') FROM completions c JOIN orders o ON o.id = c.order_id ORDER BY 1`,
		`SELECT concat_ws('|', key, kind, recipients, at AT TIME ZONE 'UTC') FROM notices ORDER BY 1`,
		`SELECT concat_ws('|', key, at AT TIME ZONE 'UTC', payload) FROM outbox ORDER BY 1`,
	} {
		rows, err := s.DB().QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err, query)
		}
		out.WriteString(lines(t, rows))
	}
	return out.String()
}

// TestSmallJobsDoNotDependOnWhoWorksThemAndWhen: what they come to is the same with
// one worker or several, in one chunk or many, night by night or in one late night,
// and a dry run says what the night does.
func TestSmallJobsDoNotDependOnWhoWorksThemAndWhen(t *testing.T) {
	t.Parallel()
	last := market.NewDate(2024, 6, 5)
	come := func(workers, chunk int, dates ...market.Date) (came string, hashes []string) {
		s := storagetest.New(t)
		e := engine(t, s)
		takeInFiles(t, s, e, smallWorld(7), func(lines []string) []string { return lines })
		e.Workers, e.ChunkSize = workers, chunk
		for _, on := range dates {
			for _, job := range smallJobs {
				var dry jobs.Result
				if on == market.NewDate(2024, 6, 1) { // each makes some dozens of tables
					var err error
					if dry, err = e.Run(t.Context(), jobs.Request{Job: job, Site: "cn", On: on, DryRun: true}); err != nil {
						t.Fatal(err)
					}
				}
				done, err := e.Run(t.Context(), jobs.Request{Job: job, Site: "cn", On: on})
				if err != nil || done.Run.Parked > 0 {
					t.Fatalf("%s of %s: %d parked, %v", job, on, done.Run.Parked, err)
				}
				if dry.DryRun && fmt.Sprintf("%x", dry.Run.ResultHash) != fmt.Sprintf("%x", done.Run.ResultHash) {
					t.Errorf("%s of %s: the dry run said something else", job, on)
				}
				hashes = append(hashes, fmt.Sprintf("%s %s %x", job, on, done.Run.ResultHash))
			}
		}
		return cameSmall(t, s), hashes
	}
	nights := []market.Date{market.NewDate(2024, 5, 27), market.NewDate(2024, 5, 30), market.NewDate(2024, 6, 1), last}
	punctual, hashes := come(1, 0, nights...)
	for _, must := range []string{"openings|", "|failed|", "|opened|", "leads|", "|close|", "offers|", "|expire|", "delisting/cn/P-", "opened_late/cn/O-", "queryInstance"} {
		if !strings.Contains(punctual, must) {
			t.Errorf("nothing of %q came: the world says too little", must)
		}
	}
	if came, same := come(3, 7, nights...); came != punctual || fmt.Sprint(same) != fmt.Sprint(hashes) {
		t.Error("three workers in small chunks came to something else")
	}
	if came, _ := come(2, 0, last); came != punctual {
		t.Errorf("one late night came to something else:\n%s\n---\n%s", came, punctual)
	}
}
