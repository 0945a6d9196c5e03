package storage_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// aMonth keeps history in March 2024: of subject 1 two decisions that later ones
// took the place of, of subject 2 one that stands, of subject 3 one whose order has
// ended; and a notice.
func aMonth(t *testing.T, s *storage.Store) market.Date {
	t.Helper()
	march := market.NewDate(2024, 3, 1)
	for _, on := range []market.Date{march, market.NewDate(2024, 4, 1)} {
		if err := s.EnsureMonth(t.Context(), on); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []string{
		`(1, 'acceptance', '2024-03-10', 7, 'wait', 'r', '{"amount": "1.50 CNY", "名": "ü\\n"}')`, `(1, 'acceptance', '2024-03-11', 7, 'hold', 'r', '{}')`,
		`(2, 'acceptance', '2024-03-12', 7, 'hold', 'r', '{"n": 1.50}')`, `(3, 'acceptance', '2024-03-12', 7, 'accept', 'r', '{}')`,
		`(1, 'acceptance', '2024-04-02', 7, 'wait', 'r', '{}')`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO decisions (subject, ruleset, business_date, run_id, outcome, rule, facts) VALUES `+row); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		`INSERT INTO completions (order_id, outcome, completed_at, business_date) VALUES (3, 'accept', '2024-03-12', '2024-03-12')`,
		`INSERT INTO notices (key, business_date, site, kind, subject, recipients, at) VALUES ('n/1', '2024-03-12', 'cn', 'accepted', 3, '{buyer,"the, seller"}', '2024-03-12 01:02:03.456789+08')`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return march
}

// written are the lines of a month, and the digest that a reader comes to.
func written(t *testing.T, s *storage.Store, history string, month market.Date) (lines []string, digest []byte) {
	t.Helper()
	digest = make([]byte, sha256.Size)
	if err := s.MonthLines(t.Context(), history, month, func(line []byte) error {
		lines = append(lines, string(line))
		of := sha256.Sum256(line)
		sum := sha256.Sum256(append(digest, of[:]...))
		digest = sum[:]
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return lines, digest
}

func given(lines []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func TestAMonthLeavesOnlyForAnArchiveThatHoldsItAndComesBackAsItWas(t *testing.T) {
	s := storagetest.New(t)
	march := aMonth(t, s)
	lines, digest := written(t, s, "decisions", march)
	if len(lines) != 4 || !strings.Contains(lines[0], `"n": 1.50`) && !strings.Contains(strings.Join(lines, ""), `"n": 1.50`) {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	wrong := slices.Clone(digest)
	wrong[0]++
	for _, tt := range []struct {
		history string
		month   market.Date
		digest  []byte
		want    string
	}{
		{"decisions", march, wrong, "the archive is not what the database holds"},
		{"decisions", march, nil, "the archive is not what the database holds"},
		{"journals", march, digest, "it does not leave the database"},
		{"runs; DROP TABLE decisions", march, digest, "it does not leave the database"},
		{"decisions", march.AddMonths(1200, 1), digest, "three months have not passed"},
		{"decisions", market.NewDate(2020, 1, 1), digest, "there is no such month"},
	} {
		if _, err := s.LeaveMonth(t.Context(), tt.history, tt.month, tt.digest, "ann"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %s: %v, want %s", tt.history, tt.month, err, tt.want)
		}
	}
	if stayed, err := s.LeaveMonth(t.Context(), "decisions", march, digest, "ann"); err != nil || stayed != 1 { // what stands of subject 2
		t.Fatalf("%d rows stayed, %v", stayed, err)
	}
	if n := one[int](t, s, `SELECT count(*) FROM decisions`); n != 2 {
		t.Errorf("%d decisions are left", n)
	}
	if away, err := s.Away(t.Context()); err != nil || len(away) != 1 || away[0].Lines != 4 || away[0].Actor != "ann" {
		t.Errorf("away: %+v, %v", away, err)
	}
	if _, err := s.LeaveMonth(t.Context(), "decisions", march, digest, "ann"); err == nil {
		t.Error("it left twice")
	}
	if err := s.ReturnMonth(t.Context(), "decisions", march, given(append([]string{strings.Replace(lines[0], `"run_id":7`, `"run_id":8`, 1)}, lines[1:]...)), "bob"); err == nil {
		t.Error("another month came back")
	}
	if n := one[int](t, s, `SELECT count(*) FROM decisions`); n != 2 {
		t.Errorf("%d decisions after what was refused", n)
	}
	if err := s.ReturnMonth(t.Context(), "decisions", march, given(lines), "bob"); err != nil {
		t.Fatal(err)
	}
	if again, same := written(t, s, "decisions", march); !slices.Equal(again, lines) || !slices.Equal(same, digest) {
		t.Errorf("it came back as %v, it was %v", again, lines)
	}
	if away, err := s.Away(t.Context()); err != nil || len(away) != 0 {
		t.Errorf("away: %+v, %v", away, err)
	}
	if n := one[int](t, s, `SELECT count(*) FROM archive_acts`); n != 2 {
		t.Errorf("%d acts are noted", n)
	}
}

// Who can work can ask for the digest of a month: that does not let it go.
func TestOnlyTheOwnerLetsGoOfHistory(t *testing.T) {
	address := storagetest.URL(t)
	s, err := storage.Open(t.Context(), storage.Config{DatabaseURL: storagetest.Login(t, address, "works")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	march := aMonth(t, s)
	_, digest := written(t, s, "decisions", march)
	if _, err := s.LeaveMonth(t.Context(), "decisions", march, digest, "eve"); !errors.Is(err, storage.ErrOwnerLets) {
		t.Errorf("a login that only works: %v", err)
	}
	if err := s.LetsGo(t.Context()); !errors.Is(err, storage.ErrOwnerLets) {
		t.Errorf("it may: %v", err)
	}
	if _, err := s.DB().ExecContext(t.Context(), `SELECT archive_month('decisions', '2024-03-01', digest, 'eve') FROM month_digest('decisions', '2024-03-01')`); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("by SQL: %v", err)
	}
	if n := one[int](t, s, `SELECT count(*) FROM decisions`); n != 5 {
		t.Errorf("%d decisions are left", n)
	}
}

func TestNoticesComeBackToTheMicrosecond(t *testing.T) {
	s := storagetest.New(t)
	march := aMonth(t, s)
	lines, digest := written(t, s, "notices", march)
	if stayed, err := s.LeaveMonth(t.Context(), "notices", march, digest, "ann"); err != nil || stayed != 0 {
		t.Fatalf("%d rows stayed, %v", stayed, err)
	}
	if err := s.ReturnMonth(t.Context(), "notices", march, given(lines), "ann"); err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, s, `SELECT concat(recipients, ' ', at AT TIME ZONE 'UTC') FROM notices`); got != `{buyer,"the, seller"} 2024-03-11 17:02:03.456789` {
		t.Errorf("the notice is %s", got)
	}
}

func TestAMonthOfARunThatIsNotCompletedStays(t *testing.T) {
	s := storagetest.New(t)
	march := aMonth(t, s)
	_, digest := written(t, s, "decisions", march)
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.StartRun(ctx, market.Run{Job: "acceptance", Site: "cn", On: march, Build: "test", Policies: map[string]string{}}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LeaveMonth(t.Context(), "decisions", march, digest, "ann"); err == nil || !strings.Contains(fmt.Sprint(err), "a run of it is not completed") {
		t.Errorf("%v", err)
	}
}
