package storagetest_test

import (
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
