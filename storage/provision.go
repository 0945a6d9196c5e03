package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// workerRole is the login of the embedded database: a member of AppRole and
// nothing else, so that not even SET ROLE leads back to the owner.
const workerRole = "nightshift_worker"

// provision makes the logins and the database of the embedded cluster. Several
// processes may do so at once.
func provision(ctx context.Context, adminURL, database string) error {
	admin, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect as its owner: %w", err)
	}
	defer admin.Close(ctx)
	if err := ensureRole(ctx, admin, AppRole, "NOLOGIN"); err != nil {
		return err
	}
	if err := ensureRole(ctx, admin, workerRole, "LOGIN IN ROLE "+AppRole); err != nil {
		return err
	}
	return ensureDatabase(ctx, admin, database)
}

func ensureRole(ctx context.Context, c *pgx.Conn, role, options string) error {
	var there bool
	if err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&there); err != nil {
		return fmt.Errorf("look for the role %s: %w", role, err)
	}
	if there {
		return nil
	}
	_, err := c.Exec(ctx, "CREATE ROLE "+pgx.Identifier{role}.Sanitize()+" "+options)
	if err != nil && !madeByAnother(err) {
		return fmt.Errorf("create the role %s: %w: have an administrator run CREATE ROLE %s %s", role, err, role, options)
	}
	return nil
}

func ensureDatabase(ctx context.Context, c *pgx.Conn, name string) error {
	var there bool
	if err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil {
		return fmt.Errorf("look for the database %s: %w", name, err)
	}
	if there {
		return nil
	}
	if _, err := c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil && !madeByAnother(err) {
		return fmt.Errorf("create the database %s: %w", name, err)
	}
	return nil
}

// madeByAnother tells whether somebody else made the same thing first.
func madeByAnother(err error) bool {
	refused := new(pgconn.PgError)
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "42710", "42P04", "23505": // duplicate object, duplicate database, unique violation in a catalogue
		return true
	}
	return false
}
