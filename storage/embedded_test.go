package storage_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// openEmbedded opens the embedded database of a directory.
func openEmbedded(t *testing.T, dir string) (*storage.Store, error) {
	t.Helper()
	return storage.Open(t.Context(), storage.Config{DataDir: dir, Settings: map[string]string{"shared_buffers": "16MB"}})
}

func TestTheEmbeddedDatabaseIsReadyForAllWhoOpenItAtOnce(t *testing.T) {
	dir := storagetest.DataDir(t)
	stores, errs := make([]*storage.Store, 4), make([]error, 4)
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = openEmbedded(t, dir) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	inTx(t, stores[0], func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`)
		return err
	})
	for _, s := range stores {
		if n := one[int](t, s, `SELECT count(*) FROM buyers`); n != 1 || !s.Embedded() {
			t.Errorf("%d buyers", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openEmbedded(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := one[int](t, again, `SELECT count(*) FROM buyers`); n != 1 {
		t.Errorf("%d buyers after a restart", n)
	}
}

func TestAKilledEmbeddedServerComesBackUnderAStore(t *testing.T) {
	dir := storagetest.DataDir(t)
	s, err := openEmbedded(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	one[int](t, s, `SELECT 1`)
	status, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(status))[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`)
			return err
		})
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestTheLocksOfAClientThatVanishedAreFreeWithinSeconds(t *testing.T) {
	address := storagetest.URL(t)
	line := storagetest.NewProxy(t, address)
	holding := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- storagetest.Open(t, line.URL()).InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO event_keys (key, business_date) VALUES ('once', '2026-04-01')`); err != nil {
				return err
			}
			close(holding)
			_, err := tx.Exec(ctx, `SELECT pg_sleep(600)`)
			return err
		})
	}()
	<-holding
	line.Kill()
	if err := <-ended; err == nil {
		t.Error("the client noticed nothing")
	}
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := storagetest.Open(t, address).InTx(soon, func(ctx context.Context, tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO event_keys (key, business_date) VALUES ('once', '2026-04-01')`)
		if err == nil && n != 1 {
			t.Errorf("%d rows", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
