package storagetest_test

import (
	"context"
	"testing"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	one, other := storagetest.New(t), storagetest.New(t)
	if _, err := one.DB().ExecContext(t.Context(), `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`); err != nil {
		t.Fatal(err)
	}
	if n := buyers(t, one); n != 1 {
		t.Errorf("one has %d buyers", n)
	}
	if n := buyers(t, other); n != 0 {
		t.Errorf("the other has %d buyers", n)
	}
}

func buyers(t *testing.T, s *storage.Store) int {
	t.Helper()
	var n int
	if err := s.DB().NewRaw(`SELECT count(*) FROM buyers`).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheBinarysRoleCannotChangeHistory(t *testing.T) {
	t.Run("with a login that owns the tables", func(t *testing.T) { storagetest.Forbidden(t, storagetest.New(t)) })
	t.Run("on the embedded database", func(t *testing.T) {
		s, err := storage.Open(t.Context(), storage.Config{DataDir: storagetest.DataDir(t), Settings: map[string]string{"shared_buffers": "16MB"}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		storagetest.Forbidden(t, s)
		for _, escape := range []string{"SET ROLE nightshift", "SET SESSION AUTHORIZATION nightshift"} {
			if _, err := s.DB().ExecContext(t.Context(), escape); err == nil {
				t.Errorf("%s: allowed", escape)
			}
		}
	})
}

// keepTwo adds a buyer, copies two more, and reads them: a transaction with
// every kind of message.
func keepTwo(t *testing.T, s *storage.Store) error {
	return s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.NewRaw(`INSERT INTO buyers (site, code) VALUES ('cn', ?)`, "ann").Exec(ctx); err != nil {
			return err
		}
		codes := []string{"bob", "eve"}
		if err := tx.CopyRows(ctx, "buyers", []string{"site", "code"}, len(codes), func(i int, row *storage.Row) error { return row.Put("cn", codes[i]) }); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE buyers SET level = $1 WHERE site = $2`, "gold", "cn")
		return err
	})
}

func TestAConnectionCutAnywhereKeepsAllOrNothing(t *testing.T) {
	for name, arm := range map[string]func(*storagetest.Proxy, int){"before": (*storagetest.Proxy).CutBefore, "after": (*storagetest.Proxy).CutAfter} {
		t.Run(name, func(t *testing.T) {
			unsure := 0
			for n := 1; ; n++ {
				url := storagetest.URL(t)
				p := storagetest.NewProxy(t, url)
				arm(p, n)
				err := keepTwo(t, storagetest.Open(t, p.URL()))
				cut := p.WasCut()
				p.Heal()
				kept := buyers(t, storagetest.Open(t, url))
				if !cut {
					if err != nil || kept != 3 || n < 10 {
						t.Errorf("uncut at %d: %d kept, %v", n, kept, err)
					}
					break
				}
				switch {
				case err == nil:
					t.Errorf("cut at message %d: no error", n)
				case kept == 3 && name == "after":
					unsure++ // the commit arrived, its answer did not
				case kept != 0:
					t.Errorf("cut at message %d: %d of 3 kept", n, kept)
				}
			}
			if name == "after" && unsure != 1 {
				t.Errorf("%d cuts left the commit's answer on the way, want 1", unsure)
			}
		})
	}
}
