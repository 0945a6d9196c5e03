package jobs_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// worldNights are the nights of a world: all of June, and the day after.
const worldNights = 31

// head is the last block of the books.
func head(t testing.TB, s *storage.Store) string {
	t.Helper()
	var sum string
	if err := s.DB().QueryRowContext(t.Context(), `SELECT encode(sha256, 'hex') || ' ' || no FROM blocks WHERE site = 'cn' ORDER BY no DESC LIMIT 1`).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// Nights that are run on time keep the laws of the books, each of them; a dry
// run before each says what it will do, and one run at the end of the month
// comes to the same books.
func TestALateRunOfBillingBooksWhatPunctualOnesDid(t *testing.T) {
	t.Parallel()
	taken := newWorld(7, 100, worldNights).taken(t)
	punctual, late := anew(t, taken), anew(t, taken)
	e := engine(t, punctual)
	e.ChunkSize = 40
	for night := range worldNights {
		req := billingNight(night)
		if night%4 == 3 {
			previewed(t, e, req)
		} else {
			mustRun(t, e, req)
		}
		lawful(t, punctual, req.On.String())
	}
	mustRun(t, engine(t, late), billingNight(worldNights-1))
	lawful(t, late, "late")
	want, got := booksOf(t, punctual), booksOf(t, late)
	if want != got {
		t.Errorf("the late run (+) left other books than punctual ones (-):\n%s", differs(want, got))
	}
	var kinds []string
	for _, query := range []string{`SELECT DISTINCT kind FROM deductions`, `SELECT DISTINCT kind FROM deduction_sources`, `SELECT DISTINCT outcome FROM refund_results`, `SELECT DISTINCT outcome FROM order_ends`, `SELECT DISTINCT kind FROM notices`,
		`SELECT DISTINCT code FROM usage_results WHERE code IS NOT NULL`} {
		rows, err := punctual.DB().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, lines(t, rows))
	}
	short := count(t, punctual, `SELECT count(DISTINCT buyer_id) FROM deductions d JOIN deduction_sources s ON s.key = d.key WHERE s.kind = 'arrears'`) +
		count(t, punctual, `SELECT count(DISTINCT o.buyer_id) FROM decisions d JOIN orders o ON o.id = d.subject WHERE d.outcome = 'reject'`)
	t.Logf("%d deductions, %d short; %q", count(t, punctual, `SELECT count(*) FROM deductions`), short, kinds)
}

// previewed runs a night dry, and then for good: both find the same, and the
// first keeps nothing.
func previewed(t *testing.T, e *jobs.Engine, req jobs.Request) {
	t.Helper()
	req.DryRun = true
	before := booksOf(t, e.Store)
	dry := mustRun(t, e, req).Run
	if after := booksOf(t, e.Store); after != before {
		t.Fatalf("the dry run of %s kept something:\n%s", req.On, differs(before, after))
	}
	req.DryRun = false
	run := mustRun(t, e, req).Run
	if !bytes.Equal(dry.ResultHash, run.ResultHash) || fmt.Sprint(dry.Outcomes, dry.Candidates, dry.Decisions) != fmt.Sprint(run.Outcomes, run.Candidates, run.Decisions) {
		t.Errorf("of %s the dry run said %+v, the run %+v", req.On, dry, run)
	}
}

func TestTheBooksDoNotDependOnWorkersChunksOrShards(t *testing.T) {
	t.Parallel()
	const buyers = 820 // eight shards
	taken := newWorld(11, buyers, 8).taken(t)
	var books, last string
	var hashes [][]byte
	for _, c := range []struct{ workers, chunk int }{{1, 500}, {2, 13}, {8, 7}} {
		s := anew(t, taken)
		e := engine(t, s)
		e.Workers, e.ChunkSize = c.workers, c.chunk
		var got [][]byte
		for _, night := range []int{1, 7} {
			got = append(got, mustRun(t, e, billingNight(night)).Run.ResultHash)
		}
		if shards := count(t, s, `SELECT max(n) FROM (SELECT count(*) AS n FROM shards WHERE done GROUP BY run_id) s`); shards < 8 {
			t.Fatalf("the runs were cut into %d shards, the test wants at least 8", shards)
		}
		lawful(t, s, fmt.Sprint(c))
		if books == "" {
			books, last, hashes = booksOf(t, s), head(t, s), got
			continue
		}
		if b := booksOf(t, s); b != books {
			t.Errorf("%d workers with chunks of %d left other books:\n%s", c.workers, c.chunk, differs(books, b))
		}
		if !slices.EqualFunc(hashes, got, bytes.Equal) || head(t, s) != last {
			t.Errorf("%d workers with chunks of %d: result hashes %x and head %s, want %x and %s", c.workers, c.chunk, got, head(t, s), hashes, last)
		}
	}
}

func TestABillingRunCutAtAnyMessageLeavesTheSameBooks(t *testing.T) {
	t.Parallel()
	cutAnywhere(t, newWorld(5, 8, 4).taken(t), billingNight(3), 5, func(t testing.TB, s *storage.Store) string { return booksOf(t, s) + head(t, s) })
}

// What is wrong with a record, or missing beside it, concerns one buyer, and the
// reason says what to do; the others are billed.
func TestBadInputOfABillingRunHasAnOutcomeOfItsOwn(t *testing.T) {
	s := storagetest.New(t)
	take := usageDesk(t, s)
	take("sellers", "code\nacme\n")
	take("buyers", "code\nann\nbob\ncy\ndee\n")
	take("products", "code,seller\napi,acme\n")
	take("instances", "code,buyer,seller,product,access_type,charge_mode,opened_at\ni-ann,ann,acme,api,api,ON_DEMAND,2024-05-01 00:00:00\ni-bob,bob,acme,api,api,ON_DEMAND,2024-05-01 00:00:00\n")
	take("prices", "product,item,from_at,cycle,brackets,currency\napi,calls,2024-05-01 00:00:00,hour,0.5,CNY\napi,late,2024-06-02 00:00:00,hour,0.5,CNY\n")
	take("money", "code,buyer,kind,amount,at\nM-1,bob,top_up,100.00 CNY,2024-05-31 10:00:00\nM-2,ann,top_up,100.00 CNY,2024-05-31 10:00:00\n")
	take("instruments", "code,buyer,kind,amount,currency,granted_at\nK-1,cy,coupon,10.00,CNY,2024-05-31 10:00:00\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-1,cy,acme,saas,PERIOD,2024-06-01 10:00:00,8.00 CNY,true\nO-2,cy,acme,saas,PERIOD,2024-06-01 10:00:00,8.00 CNY,true\nO-3,dee,acme,saas,PERIOD,2024-06-01 10:00:00,,true\n")
	const head = "received_at,metering_sn,seller,instance,item,record_time,begin_time,end_time,usage_value\n"
	record := func(sn, seller, instance, item, begin, end, value string) string {
		return "2024-06-01 12:00:00," + sn + "," + seller + "," + instance + "," + item + ",20240601T040000Z," + begin + "," + end + "," + value + "\n"
	}
	const from, to = "20240601T030000Z", "20240601T033000Z"
	take("usage", head+
		record("negative", "acme", "i-bob", "calls", from, to, "-1")+
		record("zero", "acme", "i-bob", "calls", from, to, "0")+
		record("five decimals", "acme", "i-bob", "calls", from, to, "1.00001")+
		record("1e30", "acme", "i-bob", "calls", from, to, "1e30")+
		record("ten to the thirtieth", "acme", "i-bob", "calls", from, to, "1000000000000000000000000000000")+
		record("unknown instance", "acme", "i-zed", "calls", from, to, "1")+
		record("wrong seller", "globex", "i-bob", "calls", from, to, "1")+
		record("ends before it begins", "acme", "i-bob", "calls", to, from, "1")+
		record("right", "acme", "i-bob", "calls", from, to, "3")+
		record("no price for the date", "acme", "i-ann", "late", from, to, "1"))
	e := engine(t, s)
	if r := mustRun(t, e, billingNight(0)); r.Run.Parked != 2 {
		t.Errorf("the run parked %d buyers", r.Run.Parked)
	}
	wantLines(t, s, `SELECT b.code || ': ' || p.reason FROM parked p JOIN buyers b ON b.id = p.subject ORDER BY b.code`,
		`ann: no price of item "late" of product api on 2024-06-01: import prices that hold by then`,
		`dee: order O-3 is to be paid and has no amount: import it with its amount`)
	wantLines(t, s, `SELECT concat_ws(' ', u.metering_sn || ':', r.outcome, r.code) FROM usage_records u LEFT JOIN usage_results r ON r.record_id = u.id ORDER BY u.id`,
		"negative: reject 003", "zero: reject 003", "five decimals: reject 003", "1e30: reject 003", "ten to the thirtieth: reject 003", "unknown instance: reject 001", "wrong seller: reject 009",
		"ends before it begins: reject 011", "right: accept", "no price for the date:")
	wantLines(t, s, `SELECT concat_ws(' ', d.key, trim_scale(d.due)) FROM deductions d ORDER BY d.key COLLATE "C"`,
		"order/cn/O-1/paid 8", "usage/cn/i-bob/calls/2024-06-01T03:00:00Z/right 1.5")
	wantLines(t, s, `SELECT concat_ws(' ', o.code, d.outcome, d.rule, d.facts->>'shortfall') FROM decisions d JOIN orders o ON o.id = d.subject ORDER BY o.code`,
		"O-1 deduct paid in full 0.00 CNY", "O-2 reject short of money 6.00 CNY")
	wantLines(t, s, `SELECT concat_ws(' ', name, trim_scale(balance)) FROM accounts WHERE name LIKE 'buyer:cy:%'`, "buyer:cy:coupon:K-1 2")

	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-3,dee,acme,saas,PERIOD,2024-06-01 10:00:00,0.00 CNY,true\n")
	take("prices", "product,item,from_at,cycle,brackets,currency\napi,late,2024-05-01 00:00:00,hour,0.5,CNY\n") // nobody has to requeue her
	mustRun(t, e, billingNight(1))
	wantLines(t, s, `SELECT concat_ws(' ', d.key, trim_scale(d.due), d.at AT TIME ZONE 'Asia/Shanghai') FROM deductions d WHERE key LIKE '%i-ann%'`,
		"usage/cn/i-ann/late/2024-06-01T03:00:00Z/no price for the date 0.5 2024-06-01 14:00:00")
	wantLines(t, s, `SELECT concat_ws(' ', d.key, d.at AT TIME ZONE 'Asia/Shanghai') FROM deductions d WHERE key LIKE '%O-3%'`, "order/cn/O-3/paid 2024-06-01 10:00:00")
	lawful(t, s, "in the end")

	// However many records are of nobody's, they are judged some at a time, each once.
	exec(t, s, `INSERT INTO usage_records (site, received_at, metering_sn, instance, begin_time, end_time, usage_value)
		SELECT 'cn', timestamptz '2024-06-03 10:00+08' + n / 5000 * interval '1 second', 'stray-' || n, 'i-nobody', '20240603T010000Z', '20240603T013000Z', '1' FROM generate_series(1, 10001) n`)
	mustRun(t, e, billingNight(2))
	if n := count(t, s, `SELECT count(*) FROM usage_results WHERE code = '001'`); n != 10002 {
		t.Errorf("%d records of unknown instances are on the error list, want 10002", n)
	}
}

func wantLines(t *testing.T, s *storage.Store, query string, want ...string) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(t, rows); got != strings.Join(append(want, "--\n"), "\n") {
		t.Errorf("got\n%swant\n%s", got, strings.Join(want, "\n"))
	}
}

// What is reported nights after it happened is booked at its own instant by the
// next run: nothing that came late is lost, and nothing is booked twice.
func TestWhatIsReportedLateIsBookedAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(5, 30, 8)
	s := storagetest.New(t)
	take := usageDesk(t, s)
	late := map[string]string{}
	for _, kind := range worldKinds {
		rows := strings.SplitAfter(w.files[kind].String(), "\n")
		var now, held strings.Builder
		now.WriteString(rows[0])
		held.WriteString(rows[0])
		for i, row := range rows[1:] {
			if i%2 == 0 && slices.Contains([]string{"money", "instruments", "charges", "refunds"}, kind) {
				held.WriteString(row)
			} else {
				now.WriteString(row)
			}
		}
		take(kind, now.String())
		late[kind] = held.String()
	}
	e := engine(t, s)
	for night := range 9 {
		if night == 6 {
			for _, kind := range []string{"instruments", "money", "charges", "refunds"} {
				take(kind, late[kind])
			}
		}
		mustRun(t, e, billingNight(night))
		lawful(t, s, fmt.Sprint("night ", night))
	}
	if n := count(t, s, `SELECT count(*) FROM unbooked WHERE kind IN ('money', 'instrument', 'charge') AND at < '2024-06-08'`); n != 0 {
		t.Errorf("%d facts are open that the nights should have settled", n)
	}
}
