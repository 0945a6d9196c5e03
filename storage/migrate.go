package storage

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/migrate"
)

// A database is worked on only by a binary of the same schema.
var (
	ErrSchemaMissing = errors.New("there is no nightshift schema in the database: run nightshift migrate up, as the database's owner")

	ErrSchemaOlder = errors.New("the database's schema is older than this nightshift: run nightshift migrate up")
	ErrSchemaNewer = errors.New("the database's schema is newer than this nightshift: install the newer nightshift")
)

//go:embed migrations/*.tx.up.sql
var embedded embed.FS

// The tables in which migrations are written down. Locks are not kept there:
// one left by a killed process would have to be removed by hand.
const (
	migrationsTable     = "schema_migrations"
	migrationLocksTable = "schema_migration_locks"
)

// migrationLock is the advisory lock of whoever migrates a database.
const migrationLock = 0x6e6967687473 // "nights"

// Migration is one change of the schema.
type Migration struct {
	No        int
	Name      string
	AppliedAt time.Time // zero while it is not applied
}

// migrations are those this binary knows, in order.
func migrations() *migrate.Migrations {
	ms := migrate.NewMigrations()
	files, err := fs.Sub(embedded, "migrations")
	if err == nil {
		err = ms.Discover(files)
	}
	if err != nil {
		panic(fmt.Sprintf("read the embedded migrations: %v", err))
	}
	return ms
}

// SchemaVersion is the number of the newest migration this binary knows.
func SchemaVersion() int { return newest() }

var newest = sync.OnceValue(func() int {
	sorted := migrations().Sorted()
	return number(sorted[len(sorted)-1].Name)
})

// number is the number that a migration's name begins with.
func number(name string) int {
	n, err := strconv.Atoi(name)
	if err != nil {
		panic(fmt.Sprintf("migration %q does not begin with a number", name))
	}
	return n
}

// Migrate brings the schema up to this binary's version, as the owner. Of
// several processes that migrate at once, one does and the others wait. A
// killed migration leaves nothing half done. ErrSchemaNewer is answered for a
// schema that this binary does not know.
func (s *Store) Migrate(ctx context.Context) error {
	return s.asOwner(ctx, func(conn *sql.Conn, m *migrate.Migrator) error {
		if err := prepareRoles(ctx, conn, s.app.User); err != nil {
			return err
		}
		if err := m.Init(ctx); err != nil {
			return fmt.Errorf("make the table of migrations: %w", err)
		}
		applied, err := m.AppliedMigrations(ctx)
		if err != nil {
			return fmt.Errorf("read the table of migrations: %w", err)
		}
		for _, one := range applied {
			if number(one.Name) > SchemaVersion() {
				return fmt.Errorf("%w (it is at %s, this binary at %d)", ErrSchemaNewer, one.Name, SchemaVersion())
			}
		}
		if _, err := m.Migrate(ctx); err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, `GRANT SELECT ON `+migrationsTable+` TO `+AppRole)
		return err
	})
}

// Migrations lists every migration this binary knows, oldest first.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	var list []Migration
	err := s.asOwner(ctx, func(_ *sql.Conn, m *migrate.Migrator) error {
		if err := m.Init(ctx); err != nil {
			return fmt.Errorf("make the table of migrations: %w", err)
		}
		all, err := m.MigrationsWithStatus(ctx)
		if err != nil {
			return fmt.Errorf("read the table of migrations: %w", err)
		}
		for _, one := range all {
			list = append(list, Migration{No: number(one.Name), Name: one.String(), AppliedAt: one.MigratedAt})
		}
		return nil
	})
	return list, err
}

// asOwner works on the schema, alone.
func (s *Store) asOwner(ctx context.Context, work func(*sql.Conn, *migrate.Migrator) error) error {
	db := bun.NewDB(stdlib.OpenDB(*s.owner), pgdialect.New())
	defer db.Close()
	conn, err := db.DB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate the database: connect as its owner: %w", err)
	}
	defer conn.Close() // frees the lock, as the death of the process does
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("migrate the database: wait for another process that migrates: %w", err)
	}
	m := migrate.NewMigrator(db, migrations(),
		migrate.WithTableName(migrationsTable), migrate.WithLocksTableName(migrationLocksTable),
		migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true),
		migrate.AfterMigration(markInside))
	if err := work(conn, m); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// markInside writes a migration down in its own transaction; bun does so after
// it, where a kill in between would have the migration run twice.
func markInside(ctx context.Context, tx bun.IConn, m *migrate.Migration) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO `+migrationsTable+` (name, group_id) VALUES (?, ?)`, m.Name, m.GroupID)
	return err
}

// prepareRoles makes the application's role, which belongs to the whole
// server, and lets the application's login take it.
func prepareRoles(ctx context.Context, conn *sql.Conn, login string) error {
	return conn.Raw(func(driverConn any) error {
		c := driverConn.(*stdlib.Conn).Conn()
		if err := ensureRole(ctx, c, AppRole, "NOLOGIN"); err != nil {
			return err
		}
		var member bool
		if err := c.QueryRow(ctx, `SELECT pg_has_role($1, $2, 'MEMBER')`, login, AppRole).Scan(&member); err != nil {
			return fmt.Errorf("look whether %s may work as %s: %w", login, AppRole, err)
		}
		if member {
			return nil
		}
		if _, err := c.Exec(ctx, "GRANT "+AppRole+" TO "+pgx.Identifier{login}.Sanitize()); err != nil {
			return fmt.Errorf("let %s work as %s: %w: have an administrator run GRANT %s TO %s", login, AppRole, err, AppRole, login)
		}
		return nil
	})
}

// checkSchema refuses a database whose schema is not this binary's.
func checkSchema(ctx context.Context, c *pgx.Conn) error {
	const undefinedTable, notAllowed = "42P01", "42501"
	var at int
	err := c.QueryRow(ctx, schemaAt).Scan(&at)
	switch state, _ := sqlState(err); {
	case state == undefinedTable:
		return ErrSchemaMissing
	case state == notAllowed:
		return ErrSchemaOlder
	case err != nil:
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	return ours(at)
}

// ours refuses a schema that is not this binary's.
func ours(at int) error {
	switch want := SchemaVersion(); {
	case at < want:
		return fmt.Errorf("%w (it is at %d, this binary at %d)", ErrSchemaOlder, at, want)
	case at > want:
		return fmt.Errorf("%w (it is at %d, this binary at %d)", ErrSchemaNewer, at, want)
	}
	return nil
}

const schemaAt = `SELECT coalesce(max(name::int), 0) FROM public.` + migrationsTable

// SameSchema refuses to work on a schema that was migrated since the connection was
// made, and has whoever migrates wait until the end of the transaction.
func (tx *Tx) SameSchema(ctx context.Context) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, int64(migrationLock)); err != nil {
		return fmt.Errorf("wait for whoever migrates the database: %w", err)
	}
	var at int
	if _, err := tx.one(ctx, schemaAt, nil, &at); err != nil { // its snapshot is of after the lock
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	return ours(at)
}
