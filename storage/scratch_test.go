package storage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func scratches(t *testing.T, s *storage.Store) int {
	t.Helper()
	return one[int](t, s, `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'scratch\_%'`)
}

func TestAScratchCopySeesTheFactsAndKeepsItsWritesToItself(t *testing.T) {
	s := storagetest.New(t)
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`)
		return err
	})
	aRun(t, s)
	copies, drop, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if buyers, runs := one[int](t, copies, `SELECT count(*) FROM buyers`), one[int](t, copies, `SELECT count(*) FROM runs`); buyers != 1 || runs != 0 {
		t.Errorf("the copy sees %d buyers and %d runs", buyers, runs)
	}
	if err := copies.EnsureMonth(t.Context(), market.NewDate(2026, 4, 1)); err != nil {
		t.Fatal(err)
	}
	run := aRun(t, copies)
	if _, err := copies.KeepDocument(t.Context(), run, "dry.txt", "text/plain", strings.NewReader("dry")); err != nil {
		t.Fatal(err)
	}
	inTx(t, copies, func(ctx context.Context, tx *storage.Tx) error {
		return tx.CopyRows(ctx, "notices", []string{"key", "business_date", "site", "kind", "subject", "recipients", "at"}, 1, func(_ int, row *storage.Row) error {
			return row.Put("k", market.NewDate(2026, 4, 1), "cn", "accepted", int64(1), []string{"buyer"}, time.Unix(0, 0))
		})
	})
	for table, want := range map[string]int{"runs": 1, "documents": 0, "notices": 0} {
		if got := one[int](t, s, `SELECT count(*) FROM `+table); got != want {
			t.Errorf("%d %s in the real table, want %d", got, table, want)
		}
	}
	if err := drop(); err != nil {
		t.Fatal(err)
	}
	if n := scratches(t, s); n != 0 {
		t.Errorf("%d scratch schemas are left", n)
	}
}

func TestAScratchCopyOfADeadProcessIsDroppedByTheNext(t *testing.T) {
	address := storagetest.URL(t)
	dead := storagetest.NewProxy(t, address)
	if _, _, err := storagetest.Open(t, dead.URL()).Scratch(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := storagetest.Open(t, address)
	_, dropAlive, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := scratches(t, s); n != 2 {
		t.Fatalf("%d scratch schemas, want both", n)
	}
	dead.Kill()
	_, drop, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := scratches(t, s); n != 2 {
		t.Errorf("%d scratch schemas, want the two alive", n)
	}
	for _, d := range []func() error{drop, dropAlive} {
		if err := d(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyScratchesAreDropped(t *testing.T) {
	s := storagetest.New(t)
	for _, name := range []string{"public", "pg_catalog", `scratch_x"; DROP SCHEMA public`} {
		if _, err := s.DB().ExecContext(t.Context(), `SELECT scratch_close(?)`, name); err == nil {
			t.Errorf("%s: dropped", name)
		}
	}
}
