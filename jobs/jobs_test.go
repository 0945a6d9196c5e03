package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// defaults are the rules that ship, read once.
var defaults = sync.OnceValues(func() (*rules.Book, error) { return rules.Load(rules.Defaults()) })

// engine is an engine on the default rules.
func engine(t testing.TB, s *storage.Store) *jobs.Engine {
	t.Helper()
	book, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	return &jobs.Engine{Store: s, Book: book, Workers: 2, Build: "test"}
}

func date(t testing.TB, text string) market.Date {
	t.Helper()
	d, err := market.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var noon = market.TimeOfDay{Hour: 12}

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func exec(t testing.TB, s *storage.Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.DB().ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

func count(t testing.TB, s *storage.Store, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.DB().QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return n
}

func TestARunDecidesWhatIsDueAndASecondStartChangesNothing(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 3000)
	e := engine(t, s)
	e.ChunkSize = 100
	first, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15")})
	if err != nil {
		t.Fatal(err)
	}
	if first.Run.Candidates != 3000 || first.Run.Parked != 0 || first.Run.Outcomes["accept"]+first.Run.Outcomes["refund"] != 990 {
		t.Fatalf("run came to %+v", first.Run)
	}
	if n := count(t, s, `SELECT count(*) FROM completions`); n != 990 {
		t.Errorf("%d completions, 990 orders are due", n)
	}
	again, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15")})
	if err != nil || !again.Already || fmt.Sprintf("%x", again.Run.ResultHash) != fmt.Sprintf("%x", first.Run.ResultHash) {
		t.Errorf("the second start answered %+v, %v", again, err)
	}
	t.Logf("%+v", first.Run)
}
