package jobs_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

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

// cutEvery is at how many messages' distance a line is cut: a run of billing
// sends hundreds, and each cut is a run of its own. NIGHTSHIFT_CUT_EVERY=1 cuts at
// every one.
func cutEvery() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHTSHIFT_CUT_EVERY")); err == nil && n > 0 {
		return n
	}
	return 13
}

// The line to the database is cut at one message after the other. Started again,
// the run ends with the books of one that nothing happened to.
func TestABillingRunCutAtAnyMessageLeavesTheSameBooks(t *testing.T) {
	taken := newWorld(5, 8, 4).taken(t)
	untouched := anew(t, taken)
	e := engine(t, untouched)
	e.Workers, e.ChunkSize = 1, 5
	mustRun(t, e, billingNight(3))
	want, last := booksOf(t, untouched), head(t, untouched)
	message, cut := 0, true
	for cut && !t.Failed() {
		message += cutEvery()
		t.Run(fmt.Sprintf("message %d", message), func(t *testing.T) {
			url := storagetest.CopyOf(t, taken)
			proxy := storagetest.NewProxy(t, url)
			proxy.CutAfter(message)
			e := engine(t, storagetest.Open(t, proxy.URL()))
			e.Workers, e.ChunkSize, e.Patience = 1, 5, time.Nanosecond // the line stays dead until somebody mends it
			_, err := e.Run(t.Context(), billingNight(3))
			cut = proxy.WasCut()
			proxy.Heal()
			direct := storagetest.Open(t, url)
			if err != nil {
				e.Store = direct
				mustRun(t, e, billingNight(3))
			}
			if got := booksOf(t, direct); got != want || head(t, direct) != last {
				t.Errorf("the run left other books:\n%s", differs(want, got))
			}
		})
	}
	if message < 60 {
		t.Errorf("only %d messages were cut", message)
	}
}
