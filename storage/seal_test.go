package storage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func seal(t testing.TB, s *storage.Store) []storage.Block {
	t.Helper()
	blocks, err := s.Seal(t.Context(), "cn")
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func verify(t testing.TB, s *storage.Store) storage.LedgerCheck {
	t.Helper()
	check, err := s.VerifyLedger(t.Context(), "cn", nil)
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// The head of the chain depends on what was booked alone: not on how many
// workers booked it, nor in which order.
func TestTheHeadDoesNotDependOnTheWorkers(t *testing.T) {
	const payments = 60
	heads := map[string]int{}
	for _, workers := range []int{1, 2, 8} {
		s := ledger(t)
		seal(t, s)
		run := aRun(t, s)
		k := storage.Keeping{RunID: run, Site: "cn", On: april}
		work := make(chan market.Journal)
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for j := range work {
					err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
						return tx.KeepJournals(ctx, k, storage.RunSource(run), []market.Journal{j})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for n := range payments {
			work <- journal(t, fmt.Sprintf("order/cn/A-%d/paid", (n*7)%payments), "buyer:ann:cash -> seller:acme:accrued 0.50 CNY")
		}
		close(work)
		all.Wait()
		if blocks := seal(t, s); len(blocks) != 0 {
			t.Errorf("a run was sealed before it was completed: %+v", blocks)
		}
		one[int64](t, s, `UPDATE runs SET state = 'completed', result_hash = '' WHERE id = ? RETURNING id`, run)
		blocks := seal(t, s)
		if len(blocks) != 1 || blocks[0].Journals != payments || blocks[0].No != 2 {
			t.Fatalf("%d workers leave the blocks %+v", workers, blocks)
		}
		heads[fmt.Sprintf("%x", blocks[0].SHA256)] = workers
		check := verify(t, s)
		if len(check.Wrong) != 0 || len(check.Unsealed) != 0 || check.Journals != payments+1 {
			t.Errorf("%d workers: %+v", workers, check)
		}
		if again := seal(t, s); len(again) != 0 {
			t.Errorf("sealed twice: %+v", again)
		}
	}
	if len(heads) != 1 {
		t.Errorf("the heads differ: %v", heads)
	}
}

// What people book while somebody seals is in one block, and in one only.
func TestSealingWhilePeopleBook(t *testing.T) {
	s := ledger(t)
	const people, each = 8, 10
	var all, sealing sync.WaitGroup
	done := make(chan struct{})
	sealing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if _, err := s.Seal(t.Context(), "cn"); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for p := range people {
		all.Go(func() {
			for n := range each {
				if err := book(t.Context(), s, journal(t, fmt.Sprintf("p%d/%d", p, n), "platform:bank -> buyer:bob:cash 1.00 CNY")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(done)
	sealing.Wait()
	seal(t, s)
	check := verify(t, s)
	var sealed int64
	for _, b := range check.Blocks {
		sealed += b.Journals
	}
	if sealed != people*each+1 || check.Journals != sealed || len(check.Wrong) != 0 || len(check.Unsealed) != 0 {
		t.Errorf("%d of %d journals are sealed: %+v", sealed, people*each+1, check)
	}
}

// Somebody with all rights changes a row, and it is found and named.
func TestVerifyNamesWhatWasChanged(t *testing.T) {
	const disarm = `ALTER TABLE %s DISABLE TRIGGER ALL`
	for _, tt := range []struct {
		name   string
		change string
		want   []string
	}{
		{"nothing", ``, nil},
		{"an amount", `UPDATE postings SET amount = 31 WHERE amount = 30`, []string{
			"journal order/cn/A-1/paid of 2026-04-01 does not say what it said when it was booked",
			"block 1 (person/2026-04-01 of 2026-04-01) has the SHA-256",
			"account buyer:ann:cash has a balance of 70.00 CNY, and its postings say 69.00 CNY"}},
		{"who got it", `UPDATE postings SET to_account = 'seller:evil:accrued' WHERE amount = 30`, []string{"journal order/cn/A-1/paid of", "block 1 (person"}},
		{"when it took effect", `UPDATE journals SET at = at + interval '1 day' WHERE key = 'order/cn/A-1/paid'`, []string{"journal order/cn/A-1/paid of", "block 1 (person"}},
		{"when a posting did", `UPDATE postings SET at = at + interval '1 day' WHERE amount = 30`, []string{"journal order/cn/A-1/paid of"}},
		{"when it was known", `UPDATE postings SET recorded_at = recorded_at - interval '1 day' WHERE amount = 30`, []string{"journal order/cn/A-1/paid of"}},
		{"a row and its digest", `UPDATE journals SET memo = 'x', digest = sha256('x') WHERE key = 'order/cn/A-1/paid'`, []string{"journal order/cn/A-1/paid of", "block 1 (person"}},
		{"a journal is taken away", `DELETE FROM journals WHERE key = 'order/cn/A-1/paid'`, []string{
			"block 1 (person/2026-04-01 of 2026-04-01) has 2 journals, and was sealed with 3", "block 1 (person", "the key order/cn/A-1/paid of 2026-04-01 has lost its journal", "a posting of journal number"}},
		{"a journal is taken away with all that is its", `DELETE FROM postings WHERE amount = 30; DELETE FROM journals WHERE key = 'order/cn/A-1/paid'; DELETE FROM event_keys WHERE key = 'order/cn/A-1/paid'`, []string{
			"block 1 (person/2026-04-01 of 2026-04-01) has 2 journals, and was sealed with 3", "block 1 (person", "account buyer:ann:cash has a balance of 70.00 CNY, and its postings say 100.00 CNY"}},
		{"a key is taken away", `DELETE FROM event_keys WHERE key = 'order/cn/A-1/paid'`, []string{"journal order/cn/A-1/paid of 2026-04-01 has lost its key"}},
		{"a posting is added", `INSERT INTO postings SELECT journal_id, 2, business_date, site, 'platform:bank', 'buyer:bob:cash', 5, currency, at, recorded_at FROM postings WHERE amount = 30`, []string{
			"journal order/cn/A-1/paid of", "block 1 (person", "account buyer:bob:cash has lost its balance: its postings say 5.00 CNY"}},
		{"a balance", `UPDATE accounts SET balance = balance + 1 WHERE name = 'buyer:ann:cash'`, []string{"account buyer:ann:cash has a balance of 71.00 CNY, and its postings say 70.00 CNY"}},
		{"a balance and its law", `ALTER TABLE accounts DROP CONSTRAINT accounts_floor; UPDATE accounts SET balance = -1 WHERE name = 'buyer:ann:cash'`, []string{
			"account buyer:ann:cash has a balance of -1.00 CNY, and its postings say 70.00 CNY", "account buyer:ann:cash is below its floor: -1.00 CNY"}},
		{"a block is taken away", `DELETE FROM blocks WHERE no = 1`, []string{"block 2 of person/2026-04-02 does not follow the block before it"}},
		{"a block is sealed anew", `UPDATE blocks SET sha256 = sha256('x') WHERE no = 1`, []string{
			"block 1 (person/2026-04-01 of 2026-04-01) has the SHA-256", "block 2 of person/2026-04-02 does not follow the block before it"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := ledger(t)
			if err := book(t.Context(), s, journal(t, "order/cn/A-1/paid", "buyer:ann:cash -> seller:acme:accrued 30.00 CNY"), market.Journal{Key: "order/cn/A-2/paid", At: noon, Memo: "free"}); err != nil {
				t.Fatal(err)
			}
			seal(t, s)
			inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
				on := april.AddDays(1)
				return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: on}, storage.PersonSource(on), []market.Journal{journal(t, "k", "platform:bank -> platform:fees 1.00 CNY")})
			})
			seal(t, s)
			for _, table := range []string{"journals", "postings", "event_keys", "blocks", "journals_2026_04", "postings_2026_04"} {
				storagetest.AsOwner(t, s, fmt.Sprintf(disarm, table))
			}
			if tt.change != "" {
				storagetest.AsOwner(t, s, tt.change)
			}
			check := verify(t, s)
			got := slices.Clone(check.Wrong)
			for i := range got {
				if i < len(tt.want) && strings.HasPrefix(got[i], tt.want[i]) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +found):\n%s\n%s", diff, strings.Join(check.Wrong, "\n"))
			}
		})
	}
}

func TestBalancesAsTheyWereAndAsTheyWereKnown(t *testing.T) {
	s := ledger(t)
	late := journal(t, "late", "buyer:ann:cash -> seller:acme:accrued 40.00 CNY")
	late.At = noon.Add(-time.Hour)
	known := one[time.Time](t, s, `SELECT max(recorded_at) FROM journals`)
	if err := book(t.Context(), s, late, journal(t, "k", "buyer:ann:cash -> seller:acme:accrued 10.00 CNY")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		at   storage.BooksAt
		want string
	}{
		{"now", storage.BooksAt{}, "50.00 CNY"},
		{"at noon", storage.BooksAt{AsOf: noon}, "50.00 CNY"},
		{"before noon", storage.BooksAt{AsOf: noon.Add(-time.Second)}, "-40.00 CNY"},
		{"at noon, as it was known before the late one", storage.BooksAt{AsOf: noon, KnownAt: known}, "100.00 CNY"},
		{"before noon, as it was known then", storage.BooksAt{AsOf: noon.Add(-time.Second), KnownAt: known}, ""},
	} {
		tt.at.Site = "cn"
		list, err := s.Balances(t.Context(), tt.at, "buyer:ann")
		got := ""
		for _, b := range list {
			got += b.Balance.String()
		}
		if err != nil || got != tt.want {
			t.Errorf("%s there is %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
	if list, err := s.Balances(t.Context(), storage.BooksAt{Site: "cn"}, "buyer:an"); err != nil || len(list) != 0 {
		t.Errorf("half a code names %v (%v)", list, err)
	}
	trial, err := s.TrialBalance(t.Context(), storage.BooksAt{Site: "cn"})
	var lines []string
	for _, b := range trial {
		lines = append(lines, fmt.Sprintf("%s %s - %s = %s", b.Account, b.In.Amount, b.Out.Amount, b.Balance))
	}
	want := []string{"buyer:*:cash 100 - 50 = 50.00 CNY", "platform:bank 0 - 100 = -100.00 CNY", "seller:*:accrued 50 - 0 = 50.00 CNY"}
	if diff := cmp.Diff(want, lines); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	of, err := s.JournalsOf(t.Context(), "cn", annCNY, noon, time.Time{}, 10)
	if err != nil || len(of) != 2 || of[0].Key != "k" || of[1].Key != "money/cn/T1" {
		t.Errorf("from noon on %v (%v)", of, err)
	}
}
