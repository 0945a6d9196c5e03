// Package storage keeps what the marketplace reports and what Nightshift decides.
//
// Owns: the tables and their migrations, every query, the connection to
// Postgres, the roles it works as.
// Does not own: what a row means (rules/market), what is decided (rules), or
// the order in which work is done (jobs).
// Always: the work is done as a role that cannot change history; what belongs
// together is kept in one transaction; table names are written without a
// schema, so that a dry run finds its own copies under the same names.
package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"nightshift/storage/cluster"
)

// AppRole is the role that all work is done as. It cannot update, delete,
// truncate, detach or disarm history.
const AppRole = "nightshift_app"

// defaultPoolSize is enough for the workers of one machine and a few readers.
const defaultPoolSize = 10

// Config says which database to work on.
type Config struct {
	DatabaseURL string            // a Postgres to work on; empty for the embedded one
	OwnerURL    string            // who migrates, where the login of DatabaseURL may not; empty for the same
	DataDir     string            // the embedded database's directory; empty for the user's data directory
	Settings    map[string]string // server settings of the embedded database, such as shared_buffers
	PoolSize    int               // connections at most, besides those that hold locks; 0 for 10
}

// Store is the way to the database. It is safe for concurrent use.
type Store struct {
	db      *bun.DB
	locks   *bun.DB         // connections that only hold a lock: nobody who works has to wait for one of them
	app     *pgx.ConnConfig // as the application's role
	owner   *pgx.ConnConfig // as the one who migrates
	cluster *cluster.Cluster
	size    int
	scratch string // the schema of a dry run's copies; empty for the real tables
}

// Open connects to the database. The embedded one it starts where that is
// needed and migrates, since nobody else looks after it; another one must have
// been migrated: work on a schema of another version is refused with
// ErrSchemaMissing, ErrSchemaOlder or ErrSchemaNewer, on the first use.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.DatabaseURL == "" {
		return openEmbedded(ctx, cfg)
	}
	return openURL(cfg)
}

// ErrAddress says that what should name a database does not.
var ErrAddress = errors.New("write it like postgres://user@host/database")

func openURL(cfg Config) (*Store, error) {
	app, err := appConfig(cfg.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w: %w", ErrAddress, err)
	}
	ownerURL := cfg.OwnerURL
	if ownerURL == "" {
		ownerURL = cfg.DatabaseURL
	}
	owner, err := sessionConfig(ownerURL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database's owner: %w: %w", ErrAddress, err)
	}
	s := &Store{app: app, owner: owner, size: cfg.PoolSize}
	if s.size <= 0 {
		s.size = defaultPoolSize
	}
	s.db, s.locks = s.pool(app, ""), s.pool(app, "")
	s.locks.SetMaxOpenConns(0)
	s.locks.SetMaxIdleConns(1)
	return s, nil
}

// openEmbedded joins the private cluster and makes it ready for work.
func openEmbedded(ctx context.Context, cfg Config) (*Store, error) {
	c, err := cluster.Open(ctx, cluster.Config{Dir: cfg.DataDir, Settings: cfg.Settings})
	if err != nil {
		return nil, err
	}
	s, err := onCluster(ctx, c, cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the embedded database: %w", err), c.Close())
	}
	return s, nil
}

func onCluster(ctx context.Context, c *cluster.Cluster, cfg Config) (*Store, error) {
	const name = "nightshift"
	if err := provision(ctx, c.URL(cluster.Superuser, "postgres"), name); err != nil {
		return nil, err
	}
	cfg.OwnerURL, cfg.DatabaseURL = c.URL(cluster.Superuser, name), c.URL(workerRole, name)
	s, err := openURL(cfg)
	if err != nil {
		return nil, err
	}
	s.cluster = c
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close(), s.locks.Close())
	}
	return s, nil
}

// pool opens connections that resolve names in the scratch schema first.
func (s *Store) pool(app *pgx.ConnConfig, scratch string) *bun.DB {
	const idle, oldest = 5 * time.Minute, time.Hour
	cfg := app.Copy()
	if scratch != "" {
		cfg.RuntimeParams["search_path"] = scratch + ", public"
	}
	pool := sql.OpenDB(&connector{cfg: cfg, store: s})
	pool.SetMaxOpenConns(s.size)
	pool.SetMaxIdleConns(s.size)
	pool.SetConnMaxIdleTime(idle)
	pool.SetConnMaxLifetime(oldest)
	return bun.NewDB(pool, pgdialect.New())
}

// DB is for queries that need no transaction.
func (s *Store) DB() *bun.DB { return s.db }

// Embedded tells whether the database is the private one.
func (s *Store) Embedded() bool { return s.cluster != nil }

// Ping asks the database for a sign of life and for its schema's version.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

// Close ends all connections, and the embedded server if nobody else uses it.
func (s *Store) Close() error {
	err := errors.Join(s.db.Close(), s.locks.Close())
	if s.cluster != nil && s.scratch == "" {
		err = errors.Join(err, s.cluster.Close())
	}
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}
