// Package storagetest gives each test a database of its own.
//
// Owns: one private cluster a test binary, one migrated template, a clone of
// it for each test; a proxy that cuts connections.
// Does not own: test data.
// Always: no two tests share a row; nothing runs on after the binary, however
// it ended.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"nightshift/storage"
	"nightshift/storage/cluster"
)

// template is the migrated database that tests are given clones of.
const template = "template_nightshift"

var (
	// ready starts the cluster when the first test asks for a database.
	ready    = sync.OnceValues(start)
	prepared atomic.Bool // Main was called
	running  atomic.Pointer[cluster.Cluster]
	clones   atomic.Int64
	strategy string // how clones are made; written before ready answers
)

// Main is the TestMain of every package whose tests use New:
//
//	func TestMain(m *testing.M) { storagetest.Main(m) }
func Main(m *testing.M) {
	cluster.GuardMain()
	prepared.Store(true)
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func start() (*cluster.Cluster, error) {
	if !prepared.Load() {
		return nil, errors.New("start the test database: TestMain must call storagetest.Main(m)")
	}
	dir, err := os.MkdirTemp(home(), "nightshift-test-")
	if err != nil {
		return nil, fmt.Errorf("start the test database: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the server's account passes through
		return nil, fmt.Errorf("start the test database: %w", err)
	}
	ctx := context.Background()
	c, err := cluster.Open(ctx, cluster.Config{Dir: dir, Throwaway: true, Settings: map[string]string{"max_connections": "300"}})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	running.Store(c)
	return c, errors.Join(chooseStrategy(ctx, c), makeTemplate(ctx, c))
}

// chooseStrategy has the files of a database copied, as servers did before they
// knew another way: through the log, a copy costs twice as much.
func chooseStrategy(ctx context.Context, c *cluster.Cluster) error {
	conn, err := pgx.Connect(ctx, c.URL(cluster.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the test database: %w", err)
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, `SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY FILE_COPY' ELSE '' END`).Scan(&strategy)
}

func makeTemplate(ctx context.Context, c *cluster.Cluster) error {
	if err := admin(ctx, c, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := storage.Open(ctx, config(c, template))
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}

func stop() error {
	c := running.Load()
	if c == nil {
		return nil
	}
	return errors.Join(c.Close(), os.RemoveAll(c.Dir()))
}

// admin runs one statement as the owner of the cluster.
func admin(ctx context.Context, c *cluster.Cluster, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL(cluster.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the test database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func config(c *cluster.Cluster, database string) storage.Config {
	url := c.URL(cluster.Superuser, database)
	return storage.Config{DatabaseURL: url, OwnerURL: url}
}

// New is a store on a fresh migrated database, working as the role that the
// binary works as. The database is dropped when the test ends.
func New(t testing.TB) *storage.Store {
	t.Helper()
	return Open(t, URL(t))
}

// URL is the address of a fresh migrated database, for a binary under test: as
// DATABASE_URL it is a login that also owns the tables. The database is
// dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, " TEMPLATE "+template)
}

// CopyOf is the address of a copy of a database that nobody is connected to: many
// tests may begin with what one of them took in. It is dropped when the test ends.
func CopyOf(t testing.TB, address string) string {
	t.Helper()
	of, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, " TEMPLATE "+strings.TrimPrefix(of.Path, "/"))
}

// create makes a database for the time of the test.
func create(t testing.TB, how string) string {
	t.Helper()
	c, err := ready()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", clones.Add(1))
	if err := admin(t.Context(), c, "CREATE DATABASE "+name+how+strategy); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(context.Background(), c, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.URL(cluster.Superuser, name)
}

// Open is a store on the database of an address, such as a proxy's. It is
// closed when the test ends.
func Open(t testing.TB, url string) *storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Config{DatabaseURL: url, OwnerURL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Empty is the address of a database in which nothing was migrated yet. It is
// dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, "")
}

// DataDir is a directory for an embedded database: in memory where there is
// plenty, and such that the server's account can enter it. It does not exist
// yet, and is removed when the test ends.
func DataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(home(), "nightshift-test-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "data")
}
