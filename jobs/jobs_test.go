package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// engine is an engine on the default rules.
func engine(t testing.TB, s *storage.Store) *jobs.Engine {
	t.Helper()
	book, err := rules.Load(rules.Defaults())
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

// marketplace fills a database with n open orders, a third of them hardware
// signed for more than ten days on 2024-03-15 02:00 Shanghai.
func marketplace(t testing.TB, s *storage.Store, n int) {
	t.Helper()
	exec(t, s, `INSERT INTO buyers (site, code) SELECT 'cn', 'b' || i FROM generate_series(1, 1000) i`)
	exec(t, s, `
		INSERT INTO orders (site, code, buyer_id, access_type, delivery_mode, charge_mode, track, placed_at, paid_at, term_count, term_unit, receiver_phone, amount, currency)
		SELECT 'cn', 'A-' || i, 1 + i % 1000,
		       (ARRAY['hardware', 'hardware', 'license', 'saas', 'human_service', 'hardware'])[1 + i % 6],
		       (ARRAY['', '', 'online_code', 'offline', '', ''])[1 + i % 6],
		       (ARRAY['ONE_TIME', 'ONE_TIME', 'PERIOD', 'PERIOD', 'ONE_TIME', 'ONE_TIME'])[1 + i % 6],
		       CASE WHEN i % 25 = 0 THEN 'empowerment' ELSE '' END,
		       timestamptz '2024-02-20 10:00+08' + i % 86400 * interval '1 second', timestamptz '2024-02-20 10:05+08' + i % 86400 * interval '1 second',
		       CASE WHEN i % 6 IN (2, 3) THEN 1 END, CASE WHEN i % 6 IN (2, 3) THEN 'month' END, '13800138000', 99.00 + i % 100, 'CNY'
		FROM generate_series(1, ?) i`, n)
	exec(t, s, `
		INSERT INTO deliveries (order_id, attempt, delivered_at, proof_at)
		SELECT id, 1, placed_at + interval '3 days', CASE WHEN id % 2 = 0 THEN placed_at + interval '5 days' END FROM orders WHERE id % 6 IN (2, 3, 4)`)
	exec(t, s, `
		INSERT INTO shipments (order_id, attempt, shipped_at, signed_at, phone)
		SELECT id, 1, placed_at + interval '1 day', CASE WHEN id % 6 IN (0, 1) THEN placed_at + interval '4 days' WHEN id % 4 = 1 THEN placed_at + interval '15 days' END,
		       CASE WHEN id % 50 = 0 THEN '13900139000' ELSE '13800138000' END
		FROM orders WHERE id % 6 IN (0, 1, 5)`)
	exec(t, s, `
		INSERT INTO appeals (order_id, code, opened_at, decided_at, decision)
		SELECT id, 'P-' || id, placed_at + interval '6 days', placed_at + interval '8 days', 'continue' FROM orders WHERE id % 100 = 1`)
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', site, id, placed_at FROM orders`)
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
	if first.Run.Candidates != 3000 || first.Run.Parked != 0 || first.Run.Outcomes["accept"] < 900 {
		t.Fatalf("run came to %+v", first.Run)
	}
	if n := count(t, s, `SELECT count(*) FROM completions`); n != first.Run.Outcomes["accept"] {
		t.Errorf("%d completions, %d accepted", n, first.Run.Outcomes["accept"])
	}
	again, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15")})
	if err != nil || !again.Already || fmt.Sprintf("%x", again.Run.ResultHash) != fmt.Sprintf("%x", first.Run.ResultHash) {
		t.Errorf("the second start answered %+v, %v", again, err)
	}
	t.Logf("%+v", first.Run)
}
