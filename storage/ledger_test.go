package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

var (
	april  = market.NewDate(2026, 4, 1)
	noon   = time.Date(2026, 4, 1, 4, 0, 0, 0, time.UTC)
	annCNY = market.BuyerCash("ann")
)

func money(t testing.TB, text string) market.Money {
	t.Helper()
	m, err := market.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// journal is one posting under a key, written like "a -> b 1.00 CNY".
func journal(t testing.TB, key, posting string) market.Journal {
	t.Helper()
	from, rest, _ := strings.Cut(posting, " -> ")
	to, amount, _ := strings.Cut(rest, " ")
	j := market.Journal{Key: key, At: noon}
	j.Post(market.Account(from), market.Account(to), money(t, amount))
	return j
}

// book keeps journals as what a person did on the first of April.
func book(ctx context.Context, s *storage.Store, journals ...market.Journal) error {
	return s.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: april}, storage.PersonSource(april), journals)
	})
}

// ledger is a store with a month to book in and two buyers, ann with 100.00 CNY.
func ledger(t testing.TB) *storage.Store {
	t.Helper()
	s := storagetest.New(t)
	if err := s.EnsureMonth(t.Context(), april); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO buyers (site, code, credit_limit, currency) VALUES ('cn', 'ann', 50, 'CNY'), ('cn', 'bob', NULL, NULL)`); err != nil {
		t.Fatal(err)
	}
	if err := book(t.Context(), s, journal(t, "money/cn/T1", "platform:bank -> buyer:ann:cash 100.00 CNY")); err != nil {
		t.Fatal(err)
	}
	return s
}

func balance(t testing.TB, s *storage.Store, a market.Account) string {
	t.Helper()
	var books *market.Books
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) (err error) {
		books, err = tx.ReadBalances(ctx, "cn", []market.Account{a})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return books.Balance(a, "CNY").String()
}

func TestFloorsHoldInTheDatabase(t *testing.T) {
	for _, tt := range []struct {
		name     string
		postings []string // journals k1, k2 … of one transaction
		refused  string
		cash     string
	}{
		{"all of the cash is spent", []string{"buyer:ann:cash -> seller:acme:accrued 100.00 CNY"}, "", "0.00 CNY"},
		{"a fen more is refused, by how much", []string{"buyer:ann:cash -> seller:acme:accrued 100.01 CNY"}, "k1: account over its limit: buyer:ann:cash by 0.01 CNY", "100.00 CNY"},
		{"the journal that goes too far is named, and none is kept", []string{
			"buyer:ann:cash -> seller:acme:accrued 60.00 CNY", "platform:bank -> buyer:ann:cash 10.00 CNY", "buyer:ann:cash -> seller:acme:accrued 70.00 CNY"},
			"k3: account over its limit: buyer:ann:cash by 20.00 CNY", "100.00 CNY"},
		{"what comes in and goes out at once passes", []string{"buyer:ann:cash -> seller:acme:accrued 150.00 CNY", "platform:bank -> buyer:ann:cash 50.00 CNY"}, "", "0.00 CNY"},
		{"credit goes down to its limit", []string{"buyer:ann:credit -> seller:acme:accrued 50.00 CNY"}, "", "100.00 CNY"},
		{"and no further", []string{"buyer:ann:credit -> seller:acme:accrued 50.000001 CNY"}, "k1: account over its limit: buyer:ann:credit by 0.000001 CNY", "100.00 CNY"},
		{"credit of another currency there is none", []string{"buyer:ann:credit -> seller:acme:accrued 1.00 USD"}, "k1: account over its limit: buyer:ann:credit by 1.00 USD", "100.00 CNY"},
		{"who has no limit has no credit", []string{"buyer:bob:credit -> seller:acme:accrued 1.00 CNY"}, "k1: account over its limit: buyer:bob:credit by 1.00 CNY", "100.00 CNY"},
		{"nor has a buyer that nobody reported", []string{"buyer:e v%3Ae:cash -> seller:acme:accrued 1.00 CNY"}, "", "100.00 CNY"},
		{"arrears have no end", []string{"buyer:bob:arrears -> seller:acme:accrued 1000000.00 CNY"}, "", "100.00 CNY"},
		{"a coupon that was never issued", []string{"buyer:ann:coupon:C1 -> seller:acme:accrued 1.00 CNY"}, "k1: account over its limit: buyer:ann:coupon:C1 by 1.00 CNY", "100.00 CNY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := ledger(t)
			var journals []market.Journal
			for i, p := range tt.postings {
				if strings.Contains(p, "e v") { // a code with a blank and a colon
					j := market.Journal{Key: "k1", At: noon}
					j.Post(market.BuyerCash("e v:e"), market.SellerAccrued("acme"), money(t, "1.00 CNY"))
					if err := book(t.Context(), s, j); err == nil || err.Error() != "k1: account over its limit: buyer:e v%3Ae:cash by 1.00 CNY" {
						t.Errorf("%v", err)
					}
					return
				}
				journals = append(journals, journal(t, fmt.Sprintf("k%d", i+1), p))
			}
			err := book(t.Context(), s, journals...)
			if tt.refused == "" && err != nil {
				t.Error(err)
			}
			if tt.refused != "" && (!errors.Is(err, market.ErrOverLimit) || err.Error() != tt.refused || !storage.Refused(err)) {
				t.Errorf("%v, want %s", err, tt.refused)
			}
			if got := balance(t, s, annCNY); got != tt.cash {
				t.Errorf("the cash is %s, want %s", got, tt.cash)
			}
		})
	}
}

func TestAJournalIsBookedOnceAndReversedOnce(t *testing.T) {
	s := ledger(t)
	paid := journal(t, "order/cn/A-1/paid", "buyer:ann:cash -> seller:acme:accrued 30.00 CNY")
	paid.Post(market.BuyerCredit("ann"), market.SellerAccrued("acme"), money(t, "20.00 CNY"))
	paid.Memo = "Order A-1"
	if err := book(t.Context(), s, paid); err != nil {
		t.Fatal(err)
	}
	if err := book(t.Context(), s, paid); !storage.Refused(err) {
		t.Errorf("booked twice: %v", err)
	}
	var back market.Journal
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		found, err := tx.JournalsByKey(ctx, []string{paid.Key, "order/cn/A-2/paid"})
		if len(found) != 1 || found[paid.Key].Digest("cn") != paid.Digest("cn") {
			t.Errorf("read back %v, want %v", found, paid)
		}
		back = found[paid.Key].Reverse("order/cn/A-1/refunded", noon.Add(time.Hour))
		return err
	})
	if err := book(t.Context(), s, back); err != nil {
		t.Fatal(err)
	}
	back.Key = "order/cn/A-1/refunded-again"
	if err := book(t.Context(), s, back); !storage.Refused(err) {
		t.Errorf("reversed twice: %v", err)
	}
	if cash, credit := balance(t, s, annCNY), balance(t, s, market.BuyerCredit("ann")); cash != "100.00 CNY" || credit != "0.00 CNY" {
		t.Errorf("after the reversal %s cash and %s credit", cash, credit)
	}
}

// Limits are dated facts: what was spent while more was allowed stays, nothing
// can be added to it, and a repayment is always taken.
func TestACreditLimitThatIsLowered(t *testing.T) {
	s := ledger(t)
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	if _, err := s.DB().ExecContext(t.Context(), `
		INSERT INTO credit_limits (buyer_id, from_at, amount, currency)
		SELECT id, v.at, v.amount, 'CNY' FROM buyers, (VALUES (?::timestamptz, 80), (?, 20)) AS v (at, amount) WHERE code = 'ann'`, day(1), day(10)); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name, amount string
		at           time.Time
		over         string
	}{
		{"under the limit of the buyer", "50.00 CNY", day(0), ""},
		{"under the raised limit", "30.00 CNY", day(9), ""},
		{"after it was lowered", "0.01 CNY", day(10), "60.01 CNY"},
		{"a repayment", "-15.00 CNY", day(11), ""},
		{"still more than the limit is used", "0.01 CNY", day(12), "45.01 CNY"},
		{"late, of a day on which more was allowed", "10.00 CNY", day(9), ""},
		{"all is repaid", "-75.00 CNY", day(13), ""},
		{"past the new limit", "20.01 CNY", day(13), "0.01 CNY"},
		{"up to the new limit", "20.00 CNY", day(13), ""},
		{"repaid once more", "-20.00 CNY", day(14), ""},
	} {
		j := market.Journal{Key: fmt.Sprint("k", i), At: tt.at}
		j.Post(market.BuyerCredit("ann"), market.SellerAccrued("acme"), money(t, tt.amount))
		want := j.Key + ": account over its limit: buyer:ann:credit by " + tt.over
		if err := book(t.Context(), s, j); (err == nil) != (tt.over == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want over by %q", tt.name, err, tt.over)
		}
	}
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		books, err := tx.LockBalances(ctx, "cn", []market.Account{market.BuyerCredit("ann"), annCNY})
		for d, want := range map[int]string{0: "50.00 CNY", 1: "80.00 CNY", 10: "20.00 CNY"} {
			if got := books.Available(market.BuyerCredit("ann"), "CNY", day(d)); got.String() != want {
				t.Errorf("%s can be spent on day %d, want %s", got, d, want)
			}
		}
		return err
	})
}

// Thirty-two workers pay from one account and from each other's. What is spent
// never passes the limit, nobody waits in a circle, and the refused hear by how
// much they went too far.
func TestFloorsHoldUnderConcurrency(t *testing.T) {
	s := ledger(t)
	const workers, payments, hundredths = 32, 12, 10_000
	if err := book(t.Context(), s, journal(t, "money/cn/T2", "platform:bank -> buyer:bob:cash 100.00 CNY")); err != nil {
		t.Fatal(err)
	}
	var spent [2]atomic.Int64
	var refused atomic.Int64
	buyers := []string{"ann", "bob"}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(w)))
			for n := range payments {
				j := market.Journal{Key: fmt.Sprintf("pay/%d/%d", w, n), At: noon}
				var cents [2]int64
				for _, who := range random.Perm(2)[:1+random.IntN(2)] { // in either order, or one alone
					cents[who] = 1 + random.Int64N(150)
					j.Post(market.BuyerCash(buyers[who]), market.SellerAccrued(fmt.Sprint("s", random.IntN(3))),
						market.NewMoney(market.DecimalOf(cents[who]).Mul(decimal(t, "0.01")), "CNY"))
				}
				read := random.IntN(2) == 0
				err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
					if read {
						if _, err := tx.LockBalances(ctx, "cn", []market.Account{market.BuyerCash("bob"), annCNY}); err != nil {
							return err
						}
					}
					return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: april}, storage.PersonSource(april), []market.Journal{j})
				})
				switch {
				case err == nil:
					spent[0].Add(cents[0])
					spent[1].Add(cents[1])
				case errors.Is(err, market.ErrOverLimit) && strings.HasPrefix(err.Error(), j.Key+": account over its limit: buyer:") && strings.Contains(err.Error(), " by "):
					refused.Add(1)
				default:
					t.Errorf("%s: %v", j.Key, err)
				}
			}
		})
	}
	all.Wait()
	if refused.Load() == 0 {
		t.Error("nobody was refused: the test is too small")
	}
	for who, buyer := range buyers {
		left := market.DecimalOf(hundredths - spent[who].Load()).Mul(decimal(t, "0.01"))
		if left.Sign() < 0 {
			t.Errorf("%s spent %d hundredths of %d", buyer, spent[who].Load(), hundredths)
		}
		if got := balance(t, s, market.BuyerCash(buyer)); got != market.NewMoney(left, "CNY").String() {
			t.Errorf("%s has %s, want %s", buyer, got, left)
		}
	}
}

func decimal(t testing.TB, text string) market.Decimal {
	t.Helper()
	d, err := market.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A dry run spends what there is, sees what was booked, and leaves no trace.
func TestADryRunSpendsBorrowedBalances(t *testing.T) {
	s := ledger(t)
	copies, drop, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer drop()
	if got := balance(t, copies, annCNY); got != "100.00 CNY" {
		t.Errorf("the copy sees %s", got)
	}
	if err := book(t.Context(), copies, journal(t, "a", "buyer:ann:cash -> seller:acme:accrued 70.00 CNY")); err != nil {
		t.Fatal(err)
	}
	inTx(t, copies, func(ctx context.Context, tx *storage.Tx) error {
		books, err := tx.LockBalances(ctx, "cn", []market.Account{annCNY})
		if got := books.Balance(annCNY, "CNY").String(); got != "30.00 CNY" {
			t.Errorf("the copy locks %s", got)
		}
		found, err2 := tx.JournalsByKey(ctx, []string{"a", "money/cn/T1"})
		if len(found) != 2 {
			t.Errorf("the copy sees %d journals", len(found))
		}
		return errors.Join(err, err2)
	})
	err = book(t.Context(), copies, journal(t, "b", "buyer:ann:cash -> seller:acme:accrued 70.00 CNY"))
	if err == nil || err.Error() != "b: account over its limit: buyer:ann:cash by 40.00 CNY" {
		t.Errorf("the copy lets too much be spent: %v", err)
	}
	if got, journals := balance(t, s, annCNY), one[int](t, s, `SELECT count(*) FROM journals`); got != "100.00 CNY" || journals != 1 {
		t.Errorf("really there are %s and %d journals", got, journals)
	}
}

// Replaying any part of what happened, in any order and twice, gives the same
// books: what was booked is seen by its key.
func TestReplayingGivesTheSameBooks(t *testing.T) {
	s := ledger(t)
	rapid.Check(t, func(r *rapid.T) {
		round := one[int](t, s, `SELECT count(*) FROM journals`)
		var journals []market.Journal
		buyer := fmt.Sprint("replay", round, rapid.Int().Draw(r, "buyer"))
		want := market.Decimal{}
		for i := range rapid.IntRange(1, 8).Draw(r, "journals") {
			amount := market.DecimalOf(rapid.Int64Range(1, 1e12).Draw(r, "amount")).Mul(decimal(t, "0.000001"))
			j := market.Journal{Key: fmt.Sprintf("%s/%d", buyer, i), At: noon}
			j.Post(market.PlatformBank, market.BuyerCash(buyer), market.NewMoney(amount, "CNY"))
			journals, want = append(journals, j), want.Add(amount)
		}
		for range 2 {
			for _, some := range [][]market.Journal{rapid.Permutation(journals).Draw(r, "order")[:len(journals)/2], rapid.Permutation(journals).Draw(r, "order")} {
				if err := replay(t, s, some); err != nil {
					r.Fatal(err)
				}
			}
		}
		if got := balance(t, s, market.BuyerCash(buyer)); got != market.NewMoney(want, "CNY").String() {
			r.Fatalf("%s has %s, want %s", buyer, got, want)
		}
	})
}

// replay books those that were not booked before, as a run does.
func replay(t *testing.T, s *storage.Store, journals []market.Journal) error {
	return s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		keys := make([]string, len(journals))
		for i := range journals {
			keys[i] = journals[i].Key
		}
		seen, err := tx.EventsSeen(ctx, keys)
		if err != nil {
			return err
		}
		var fresh []market.Journal
		for _, j := range journals {
			if !seen[j.Key] {
				fresh = append(fresh, j)
			}
		}
		return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: april}, storage.PersonSource(april), fresh)
	})
}

func TestOnlyTheTablesOfBalancesAreLocked(t *testing.T) {
	s := ledger(t)
	for _, table := range []string{"journals", "pg_catalog.pg_class", "postings"} {
		if _, err := s.DB().ExecContext(t.Context(), `SELECT * FROM lock_balances(?::regclass, 'cn', '{}')`, table); err == nil {
			t.Errorf("%s: locked", table)
		}
	}
	if diff := cmp.Diff([]string{"100.00 CNY", "0.00 CNY"}, []string{balance(t, s, annCNY), balance(t, s, market.BuyerHeld("ann"))}); diff != "" {
		t.Error(diff)
	}
}

// A payment in doubt ends once, however many try to end it.
func TestAHoldEndsExactlyOnce(t *testing.T) {
	s := ledger(t)
	hold := market.HoldCash("cn/P-1", "ann", money(t, "80.00 CNY"), noon)
	if err := book(t.Context(), s, hold); err != nil {
		t.Fatal(err)
	}
	if err := book(t.Context(), s, journal(t, "order/cn/A-1/paid", "buyer:ann:cash -> seller:acme:accrued 20.01 CNY")); !errors.Is(err, market.ErrOverLimit) {
		t.Errorf("what is held was spent: %v", err)
	}
	later := noon.Add(time.Hour)
	posted, err1 := market.PostHold(hold, market.SellerAccrued("acme"), money(t, "50.00 CNY"), later)
	voided, err2 := market.VoidHold(hold, later)
	expired, err3 := market.ExpireHold(hold, later)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var ended atomic.Int64
	var all sync.WaitGroup
	for _, end := range []market.Journal{posted, voided, expired, posted, voided, expired} {
		all.Go(func() {
			switch err := book(t.Context(), s, end); {
			case err == nil:
				ended.Add(1)
			case !storage.Refused(err):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if held := balance(t, s, market.BuyerHeld("ann")); ended.Load() != 1 || held != "0.00 CNY" {
		t.Errorf("it ended %d times, and %s is held", ended.Load(), held)
	}
}

func TestMoneyIsReadInTheOrderOfItsInstantsUntilItIsBooked(t *testing.T) {
	s := ledger(t)
	if _, err := s.DB().ExecContext(t.Context(), `
		INSERT INTO money (site, code, buyer_id, kind, amount, currency, at, reference)
		SELECT 'cn', v.code, b.id, v.kind, v.amount, 'CNY', v.at::timestamptz, v.code
		FROM (VALUES ('T1', 'ann', 'top_up', 100, '2026-04-01T12:00+08'), ('M3', 'ann', 'chargeback', 120, '2026-04-01T14:00+08'),
		             ('M2', 'ann', 'top_up', 5, '2026-04-01T13:00+08'), ('M1', 'ann', 'card', 5, '2026-04-01T13:00+08'),
		             ('M4', 'ann', 'top_up', 5, '2026-04-02T12:00+08'), ('M5', 'bob', 'boleto', 5, '2026-04-01T12:00+08')) AS v (code, buyer, kind, amount, at)
		JOIN buyers b ON b.code = v.buyer`); err != nil {
		t.Fatal(err)
	}
	ann, bob := one[int64](t, s, `SELECT id FROM buyers WHERE code = 'ann'`), one[int64](t, s, `SELECT id FROM buyers WHERE code = 'bob'`)
	unbooked := func() (codes string) {
		inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
			found, err := tx.MoneyOf(ctx, []int64{ann, bob}, noon.Add(12*time.Hour))
			for _, buyer := range []int64{ann, bob} {
				for _, m := range found[buyer] {
					codes += m.Code + " "
				}
			}
			return err
		})
		return codes
	}
	if got := unbooked(); got != "M1 M2 M3 M5 " {
		t.Errorf("there is %s", got)
	}
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		found, err := tx.MoneyOf(ctx, []int64{ann}, noon.Add(12*time.Hour))
		if err != nil {
			return err
		}
		books, err := tx.LockBalances(ctx, "cn", []market.Account{annCNY, market.BuyerArrears("ann")})
		if err != nil {
			return err
		}
		var journals []market.Journal
		for _, m := range found[ann] {
			j, err := market.BookMoney("cn", m, books)
			if err = errors.Join(err, books.Keep(j)); err != nil {
				return err
			}
			journals = append(journals, j)
		}
		return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: april}, storage.PersonSource(april), journals)
	})
	if got := unbooked(); got != "M5 " {
		t.Errorf("after booking there is %s", got)
	}
	if cash, arrears := balance(t, s, annCNY), balance(t, s, market.BuyerArrears("ann")); cash != "0.00 CNY" || arrears != "-10.00 CNY" {
		t.Errorf("a chargeback of more than there is leaves %s of cash and %s owed", cash, arrears)
	}
}

// The books in memory, by which payments are decided, and the database agree
// on every journal: what one refuses the other does, in the same words.
func TestTheDatabaseAgreesWithTheBooksInMemory(t *testing.T) {
	s := ledger(t)
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		rounds++
		buyer := fmt.Sprint("twin", rounds)
		id := one[int64](t, s, `INSERT INTO buyers (site, code, credit_limit, currency) VALUES ('cn', ?, ?, 'CNY') RETURNING id`, buyer, rapid.IntRange(0, 40).Draw(r, "limit"))
		for _, hour := range rapid.SliceOfNDistinct(rapid.IntRange(1, 9), 0, 3, rapid.ID[int]).Draw(r, "changes") {
			one[int64](t, s, `INSERT INTO credit_limits (buyer_id, from_at, amount, currency) VALUES (?, ?, ?, ?) RETURNING buyer_id`,
				id, noon.Add(time.Duration(hour)*time.Hour), rapid.IntRange(0, 80).Draw(r, "limit"), rapid.SampledFrom([]string{"CNY", "CNY", "USD"}).Draw(r, "currency"))
		}
		accounts := []market.Account{market.BuyerCash(buyer), market.BuyerCredit(buyer), market.BuyerCoupon(buyer, "C1"), market.BuyerArrears(buyer), market.SellerAccrued("acme"), market.PlatformBank}
		var books *market.Books
		inTx(t, s, func(ctx context.Context, tx *storage.Tx) (err error) {
			books, err = tx.LockBalances(ctx, "cn", accounts)
			return err
		})
		for n := range rapid.IntRange(1, 8).Draw(r, "journals") {
			j := market.Journal{Key: fmt.Sprint(buyer, "/", n), At: noon.Add(time.Duration(rapid.IntRange(0, 10).Draw(r, "hour")) * time.Hour)}
			for range rapid.IntRange(1, 3).Draw(r, "postings") {
				from := rapid.SampledFrom(accounts).Draw(r, "from")
				to := rapid.SampledFrom(accounts).Filter(func(a market.Account) bool { return a != from }).Draw(r, "to")
				j.Post(from, to, market.NewMoney(market.DecimalOf(rapid.Int64Range(1, 50).Draw(r, "amount")), "CNY"))
			}
			said, kept := books.Keep(j), book(t.Context(), s, j)
			if fmt.Sprint(said) != fmt.Sprint(kept) {
				r.Fatalf("%s\nin memory: %v\nin the database: %v", j, said, kept)
			}
		}
		for _, a := range accounts[:4] {
			if got, want := balance(t, s, a), books.Balance(a, "CNY").String(); got != want {
				r.Fatalf("%s is %s, in memory %s", a, got, want)
			}
		}
	})
}

// Both know the same floors.
func TestEveryLimitedAccountEndsAtItsFloor(t *testing.T) {
	s := ledger(t)
	for i, a := range []market.Account{
		market.BuyerCash("bob"), market.BuyerCredit("bob"), market.BuyerHeld("bob"), market.BuyerVoucher("bob", "V1"), market.BuyerCoupon("bob", "C1"), market.BuyerCard("bob", "K1"),
		market.BuyerMonthEnd("bob"), market.BuyerArrears("bob"), market.BuyerDropped("bob"), market.SellerAccrued("acme"), market.SellerVouchers("acme"),
		market.PlatformBank, market.PlatformOpening, market.PlatformCoupons, market.PlatformCards, market.PlatformDropped, market.PlatformShared,
	} {
		j := market.Journal{Key: fmt.Sprint("k", i), At: noon}
		j.Post(a, market.PlatformFees, money(t, "0.01 CNY"))
		err := book(t.Context(), s, j)
		if over := errors.Is(err, market.ErrOverLimit); over != a.Limited() || err != nil && !over {
			t.Errorf("%s, limited %v: %v", a, a.Limited(), err)
		}
	}
}
